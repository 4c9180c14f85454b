// ObjectList and S3Listing of the module _prefetch.
#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "prefetch/object_list.h"
#include "python/prefetch_bindings.h"
#include "s3/s3_listing.h"
#include "s3/s3_object_source.h"

namespace py = pybind11;

namespace smtf {
namespace {

using ReleaseGil = py::call_guard<py::gil_scoped_release>;

// All or none, and without the GIL where feeds are told of it: they lock.
void Add(ObjectList* list, const py::iterable& objects, uint16_t source) {
  std::vector<std::string> texts;
  std::vector<ObjectRef> refs;
  for (const py::handle& object : objects) {
    const auto fields = py::cast<py::tuple>(object);
    if (fields.size() != 3) throw py::value_error("an object is (name, size, etag)");
    texts.push_back(BytesOf(fields[0]));
    texts.push_back(BytesOf(fields[2]));
    refs.push_back({{}, py::cast<uint64_t>(fields[1]), {}, source});
  }
  for (size_t i = 0; i < refs.size(); ++i) {
    refs[i].name = texts[2 * i];
    refs[i].etag = texts[2 * i + 1];
  }
  py::gil_scoped_release release;
  list->Append(refs);
}

uint64_t Run(S3Listing* listing, ObjectList* list, uint16_t source) {
  return listing->Run([list, source](std::vector<ObjectRef> objects) {
    for (ObjectRef& object : objects) object.source = source;
    list->Append(objects);
  });
}

}  // namespace

void DefineListing(py::module_* module) {
  py::class_<ObjectList, std::shared_ptr<ObjectList>>(*module, "ObjectList")
      .def(py::init<>())
      .def(
          "add",
          [](ObjectList& list, const py::iterable& objects, uint16_t source) {
            Add(&list, objects, source);
          },
          py::arg("objects"), py::arg("source") = 0)
      .def(
          "add_inline",
          [](ObjectList& list, const std::string& payload) { list.AppendInline(payload); },
          py::arg("payload"), ReleaseGil())
      .def("finish", &ObjectList::Finish, ReleaseGil())
      .def(
          "fail",
          [](ObjectList& list, const std::string& kind, const std::string& message) {
            list.Fail(KindNamed(kind), message);
          },
          py::arg("kind"), py::arg("message"), ReleaseGil());
  py::class_<S3Listing>(*module, "S3Listing")
      .def(py::init([](std::shared_ptr<S3ObjectSource> source, const py::str& prefix,
                       const py::str& start_after, int connections) {
             return std::make_unique<S3Listing>(std::move(source), BytesOf(prefix),
                                                BytesOf(start_after), connections);
           }),
           py::arg("source").none(false), py::arg("prefix"), py::kw_only(),
           py::arg("start_after") = "", py::arg("connections") = 8)
      .def(
          "run",
          [](S3Listing& listing, ObjectList& list, uint16_t source) {
            return Run(&listing, &list, source);
          },
          py::arg("objects"), py::arg("source_index") = 0, ReleaseGil())
      .def("stop", &S3Listing::Stop, ReleaseGil());
}

}  // namespace smtf
