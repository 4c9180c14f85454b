// The module _prefetch: the prefetcher's engine with its sources. See _prefetch.pyi.
#include <link.h>
#include <malloc.h>
#include <pybind11/pybind11.h>

#include <string>

#include "errors.h"
#include "python/error_translation.h"
#include "python/prefetch_bindings.h"

namespace py = pybind11;

namespace smtf {

std::string BytesOf(const py::handle& text) {
  PyObject* encoded = PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogateescape");
  if (!encoded) throw py::error_already_set();
  return std::string(py::reinterpret_steal<py::bytes>(encoded));
}

py::str TextOf(const std::string& bytes) {
  PyObject* decoded =
      PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "surrogateescape");
  if (!decoded) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(decoded);
}

ErrorKind KindNamed(const std::string& name) {
  if (const auto kind = ParseErrorKind(name)) return *kind;
  throw Error(ErrorKind::kInvalidArgument,
              "'" + name + "' is not the name of an error kind, such as NotFound");
}

namespace {

// libtensorflow_framework exports its own curl_easy_* and BoringSSL's SSL_*: this module's calls,
// or TensorFlow's, could be bound to the wrong ones.
void RefuseTensorFlowsProcess() {
  const auto is_tensorflow = [](dl_phdr_info* library, size_t, void*) {
    const std::string name = library->dlpi_name ? library->dlpi_name : "";
    return name.find("libtensorflow_framework") != std::string::npos ? 1 : 0;
  };
  if (dl_iterate_phdr(is_tensorflow, nullptr) == 0) return;
  throw py::import_error(
      "sagemaker_tensorflow._prefetch cannot be loaded into a process that has TensorFlow: both "
      "bring libcurl and a TLS library, and https calls would be bound to the wrong ones. Use "
      "sagemaker_tensorflow.Prefetcher, which starts a process of its own, or import _prefetch "
      "where tensorflow is not imported");
}

// By default malloc makes up to eight arenas for each core, and what hundreds of threads have freed
// in their own is not given to others.
void LimitArenas() {
#ifdef M_ARENA_MAX
  mallopt(M_ARENA_MAX, 4);
#endif
}

}  // namespace
}  // namespace smtf

PYBIND11_MODULE(_prefetch, module) {
  smtf::RefuseTensorFlowsProcess();
  smtf::LimitArenas();
  smtf::RegisterErrors(module);
  smtf::DefineSources(&module);
  smtf::DefineListing(&module);
  smtf::DefineFeed(&module);
  smtf::DefineRangeReader(&module);
}
