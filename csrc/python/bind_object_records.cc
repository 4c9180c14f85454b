// ObjectRecords of the module _core.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
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
struct RecordStream {
  RecordStream(const Wakeup* stop, const std::string& pipe_dir, const std::string& channel,
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

py::list OffsetsOf(const ObjectRecords& chunk) {
  py::list offsets(chunk.size());
  for (size_t i = 0; i < chunk.size(); ++i) {
    PyList_SET_ITEM(offsets.ptr(), i, py::int_(chunk.offsets[i]).release().ptr());
  }
  return offsets;
}

py::tuple ToTuple(const ObjectRecords& chunk) {
  py::list records(chunk.size());
  for (size_t i = 0; i < chunk.size(); ++i) {
    const std::string_view record = chunk[i];
    PyList_SET_ITEM(records.ptr(), i, py::bytes(record.data(), record.size()).release().ptr());
  }
  return py::make_tuple(chunk.object, chunk.first_record, std::move(records), OffsetsOf(chunk),
                        chunk.ended, ToPythonError(chunk.failure));
}

// TensorFlow takes an array as it is where it lies at such an address: EIGEN_MAX_ALIGN_BYTES.
constexpr size_t kAlignment = 64;

struct Free {
  void operator()(char* bytes) const { std::free(bytes); }
};
using AlignedBytes = std::unique_ptr<char, Free>;

AlignedBytes AlignedCopy(std::string_view bytes) {
  const size_t size = (bytes.size() / kAlignment + 1) * kAlignment;
  AlignedBytes copy(static_cast<char*>(std::aligned_alloc(kAlignment, size)));
  if (!copy) throw std::bad_alloc();
  std::memcpy(copy.get(), bytes.data(), bytes.size());
  return copy;
}

py::array_t<uint8_t> ToArray(AlignedBytes bytes, size_t size) {
  char* start = bytes.release();
  const py::capsule owner(start, [](void* memory) { std::free(memory); });
  return py::array_t<uint8_t>(static_cast<py::ssize_t>(size),
                              reinterpret_cast<const uint8_t*>(start), owner);
}

py::array_t<int64_t> EndsOf(const ObjectRecords& chunk) {
  py::array_t<int64_t> ends(static_cast<py::ssize_t>(chunk.size() + 1));
  int64_t* next = ends.mutable_data();
  *next++ = 0;
  for (const size_t end : chunk.ends) *next++ = static_cast<int64_t>(end);
  return ends;
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
    return stream_.Use([](RecordStream* stream) -> py::object {
      if (!ReadNext(stream)) return py::none();
      return ToTuple(stream->chunk);
    });
  }

  py::object NextInMemory() {
    return stream_.Use([](RecordStream* stream) -> py::object {
      AlignedBytes bytes;
      if (!ReadNext(stream, &bytes)) return py::none();
      const ObjectRecords& chunk = stream->chunk;
      return py::make_tuple(
          chunk.object, chunk.first_record,
          py::make_tuple(ToArray(std::move(bytes), chunk.bytes.size()), EndsOf(chunk)),
          OffsetsOf(chunk), chunk.ended, ToPythonError(chunk.failure));
    });
  }

  void Close() { stream_.Close(); }

 private:
  static bool ReadNext(RecordStream* stream, AlignedBytes* bytes) {
    const py::gil_scoped_release released;
    if (!stream->reader.Next(&stream->chunk)) return false;
    *bytes = AlignedCopy(stream->chunk.bytes.view());
    return true;
  }

  static bool ReadNext(RecordStream* stream) {
    const py::gil_scoped_release released;
    return stream->reader.Next(&stream->chunk);
  }

  ClosableStream<RecordStream> stream_{"these ObjectRecords"};
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
      .def("next_in_memory", &PythonObjectRecords::NextInMemory)
      .def("close", &PythonObjectRecords::Close);
}

}  // namespace smtf
