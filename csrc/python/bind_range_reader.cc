// RangeReader of the module _prefetch.
#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <string>

#include "prefetch/range_reader.h"
#include "python/prefetch_bindings.h"

namespace py = pybind11;

namespace smtf {
namespace {

// The bytes are put where Python will have them.
py::bytes Read(RangeReader* reader, const py::str& name, uint64_t size, const std::string& etag,
               uint64_t offset, size_t count) {
  if (count == 0 || offset > size || count > size - offset) {
    throw Error(ErrorKind::kInvalidArgument,
                "bytes [" + std::to_string(offset) + ", +" + std::to_string(count) +
                    ") are not in an object of " + std::to_string(size));
  }
  PyObject* made = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(count));
  if (made == nullptr) throw py::error_already_set();
  const auto result = py::reinterpret_steal<py::bytes>(made);
  const std::string key = BytesOf(name);
  char* const dst = PyBytes_AS_STRING(made);
  py::gil_scoped_release release;
  reader->Read({key, size, etag}, offset, dst, count);
  return result;
}

}  // namespace

void DefineRangeReader(py::module_* module) {
  py::class_<RangeReader>(*module, "RangeReader")
      .def(py::init([](ObjectSource* source, double retry_seconds, unsigned retry_tries,
                       double stall_seconds, uint64_t seed) {
             return std::make_unique<RangeReader>(source, FetchLimits{stall_seconds},
                                                  RetryLimits{retry_tries, retry_seconds}, seed);
           }),
           py::arg("source").none(false), py::kw_only(), py::arg("retry_seconds") = 60.0,
           py::arg("retry_tries") = 8, py::arg("stall_seconds") = 20.0, py::arg("seed") = 0,
           py::keep_alive<1, 2>())
      .def("read", &Read, py::arg("name"), py::arg("size"), py::arg("etag"), py::arg("offset"),
           py::arg("count"));
}

}  // namespace smtf
