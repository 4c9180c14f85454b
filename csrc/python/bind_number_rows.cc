// number_rows and doubles_of_same_text of the module _core.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <utility>
#include <vector>

#include "errors.h"
#include "python/core_bindings.h"
#include "text/number_rows.h"
#include "text/number_text.h"

namespace py = pybind11;
using py::literals::operator""_a;

namespace smtf {
namespace {

template <typename... Arguments>
[[noreturn]] void Refuse(const Arguments&... parts) {
  std::string message;
  ((message += parts), ...);
  throw Error(ErrorKind::kInvalidArgument, message);
}

NumberType TypeOf(const py::array& values) {
  const py::dtype type = values.dtype();
  const auto size = type.itemsize();
  const bool native = type.byteorder() == '=' || type.byteorder() == '|';
  if (native && type.kind() == 'b') return NumberType::kBool;
  if (native && type.kind() == 'i') {
    return size == 1   ? NumberType::kInt8
           : size == 2 ? NumberType::kInt16
           : size == 4 ? NumberType::kInt32
                       : NumberType::kInt64;
  }
  if (native && type.kind() == 'u') {
    return size == 1   ? NumberType::kUint8
           : size == 2 ? NumberType::kUint16
           : size == 4 ? NumberType::kUint32
                       : NumberType::kUint64;
  }
  if (native && type.kind() == 'f' && size == 4) return NumberType::kFloat32;
  if (native && type.kind() == 'f' && size == 8) return NumberType::kFloat64;
  Refuse("number_rows has no text for arrays of ", std::string(py::str(type)));
}

using Columns = std::vector<std::pair<std::string, py::array>>;

py::bytes Rows(const Columns& arrays, const std::string& after, bool brackets) {
  if (arrays.empty()) Refuse("number_rows needs a column");
  std::vector<NumberColumn> columns;
  py::ssize_t rows = -1;
  for (const auto& [before, values] : arrays) {
    if (values.ndim() == 0 || (rows >= 0 && values.shape(0) != rows)) {
      Refuse("the columns of number_rows have different numbers of rows");
    }
    if ((values.flags() & py::array::c_style) == 0) Refuse("number_rows takes contiguous arrays");
    rows = values.shape(0);
    std::vector<size_t> shape(values.shape() + 1, values.shape() + values.ndim());
    columns.push_back({before, TypeOf(values), values.data(), std::move(shape)});
  }
  std::string text;
  {
    py::gil_scoped_release released;
    text = NumberRows(columns, static_cast<size_t>(rows), after, brackets);
  }
  return text;
}

py::array_t<double> DoublesOfSameText(
    const py::array_t<float, py::array::c_style | py::array::forcecast>& values) {
  const std::vector<py::ssize_t> shape(values.shape(), values.shape() + values.ndim());
  py::array_t<double> doubles(shape);
  const float* const from = values.data();
  double* const to = doubles.mutable_data();
  const auto count = values.size();
  {
    py::gil_scoped_release released;
    for (py::ssize_t i = 0; i < count; ++i) to[i] = DoubleOfSameText(from[i]);
  }
  return doubles;
}

}  // namespace

void DefineNumberRows(py::module_* module) {
  module->def("number_rows", &Rows, "columns"_a, "after"_a, py::kw_only(), "brackets"_a = true);
  module->def("doubles_of_same_text", &DoublesOfSameText, "values"_a);
}

}  // namespace smtf
