// ObjectRecords of the module _core.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "errors.h"
#include "framing/object_record_reader.h"
#include "pipe/channel_pipe.h"
#include "pipe/wakeup.h"
#include "python/core_bindings.h"
#include "python/error_translation.h"
#include "python/object_pipe.h"

namespace py = pybind11;
using py::literals::operator""_a;

namespace smtf {
namespace {

// What is read and cut without the GIL.
struct Stream {
  Stream(const Wakeup* stop, const std::string& pipe_dir, const std::string& channel,
         std::optional<RecordFormat> format, const ObjectRecordLimits& limits)
      : pipe(ObjectPipeOptions(pipe_dir, channel), stop), reader(&pipe, format, limits) {}

  ChannelPipe pipe;
  ObjectRecordReader reader;
  ObjectRecords chunk;
};

py::object ToPythonError(const std::shared_ptr<const Error>& failure) {
  if (!failure) return py::none();
  const auto* corrupt = dynamic_cast<const CorruptRecordError*>(failure.get());
  return corrupt ? ToPython(*corrupt) : ToPython(*failure);
}

py::tuple ToTuple(const ObjectRecords& chunk) {
  py::list records(chunk.size());
  py::list offsets(chunk.size());
  for (size_t i = 0; i < chunk.size(); ++i) {
    const std::string_view record = chunk[i];
    PyList_SET_ITEM(records.ptr(), i, py::bytes(record.data(), record.size()).release().ptr());
    PyList_SET_ITEM(offsets.ptr(), i, py::int_(chunk.offsets[i]).release().ptr());
  }
  return py::make_tuple(chunk.object, chunk.first_record, std::move(records), std::move(offsets),
                        chunk.ended, ToPythonError(chunk.failure));
}

class PythonObjectRecords {
 public:
  PythonObjectRecords(const std::string& pipe_dir, const std::string& channel,
                      const std::optional<std::string>& record_format, uint64_t max_record_bytes,
                      size_t chunk_records, size_t chunk_bytes) {
    std::optional<RecordFormat> format;
    if (record_format) format = ParseRecordFormat(*record_format);
    stream_.Open(pipe_dir, channel, format,
                 ObjectRecordLimits{max_record_bytes, chunk_records, chunk_bytes});
  }

  py::object Next() {
    return stream_.Use([](Stream* stream) -> py::object {
      if (!ReadNext(stream)) return py::none();
      return ToTuple(stream->chunk);
    });
  }

  void Close() { stream_.Close(); }

 private:
  static bool ReadNext(Stream* stream) {
    const py::gil_scoped_release released;
    return stream->reader.Next(&stream->chunk);
  }

  ClosableStream<Stream> stream_{"these ObjectRecords"};
};

}  // namespace

void DefineObjectRecords(py::module_* module) {
  const ObjectRecordLimits defaults;
  py::class_<PythonObjectRecords>(*module, "ObjectRecords")
      .def(py::init<const std::string&, const std::string&, const std::optional<std::string>&,
                    uint64_t, size_t, size_t>(),
           "pipe_dir"_a, "channel"_a, "record_format"_a = py::none(), py::kw_only(),
           "max_record_bytes"_a = defaults.max_record_bytes,
           "chunk_records"_a = defaults.chunk_records, "chunk_bytes"_a = defaults.chunk_bytes)
      .def("next", &PythonObjectRecords::Next)
      .def("close", &PythonObjectRecords::Close);
}

}  // namespace smtf
