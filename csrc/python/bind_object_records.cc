// ObjectRecords of the module _core.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
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

namespace py = pybind11;
using py::literals::operator""_a;

namespace smtf {
namespace {

// A signal raises what its Python handler raises.
void RaiseSignal() {
  py::gil_scoped_acquire acquired;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

ChannelPipeOptions PipeOptions(const std::string& pipe_dir, const std::string& channel) {
  ChannelPipeOptions options;
  options.channel = channel;
  options.pipe_dir = pipe_dir;
  options.state_dir = pipe_dir;
  options.started = true;
  // The prefetcher has limits of its own, and whether it lives is looked at all the time.
  options.stall_timeout = std::chrono::milliseconds::zero();
  options.on_interrupt = &RaiseSignal;
  return options;
}

// What is read and cut without the GIL.
struct Stream {
  Stream(const std::string& pipe_dir, const std::string& channel, const Wakeup* stop,
         std::optional<RecordFormat> format, const ObjectRecordLimits& limits)
      : pipe(PipeOptions(pipe_dir, channel), stop), reader(&pipe, format, limits) {}

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

// All members but the wakeup are used under the GIL, or by the thread that has set `busy_`.
class PythonObjectRecords {
 public:
  PythonObjectRecords(const std::string& pipe_dir, const std::string& channel,
                      const std::optional<std::string>& record_format, uint64_t max_record_bytes,
                      size_t chunk_records, size_t chunk_bytes) {
    std::optional<RecordFormat> format;
    if (record_format) format = ParseRecordFormat(*record_format);
    const ObjectRecordLimits limits{max_record_bytes, chunk_records, chunk_bytes};
    stream_ = std::make_unique<Stream>(pipe_dir, channel, &stop_, format, limits);
  }

  py::object Next() {
    if (busy_) {
      throw Error(ErrorKind::kFailedPrecondition, "another thread is reading these ObjectRecords");
    }
    if (!stream_) {
      throw Error(stop_.signalled() ? ErrorKind::kCancelled : ErrorKind::kFailedPrecondition,
                  "these ObjectRecords are closed, or failed before");
    }
    const Busy busy(this);
    bool more;
    {
      py::gil_scoped_release released;
      more = stream_->reader.Next(&stream_->chunk);
    }
    busy_failed_ = false;
    if (!more) return py::none();
    return ToTuple(stream_->chunk);
  }

  void Close() {
    stop_.Signal();
    if (!busy_) stream_.reset();
  }

 private:
  // After an exception, or when it was closed meanwhile, nothing more can be read.
  struct Busy {
    explicit Busy(PythonObjectRecords* owner) : owner(owner) {
      owner->busy_ = true;
      owner->busy_failed_ = true;
    }
    ~Busy() {
      owner->busy_ = false;
      if (owner->busy_failed_ || owner->stop_.signalled()) owner->stream_.reset();
    }
    PythonObjectRecords* owner;
  };

  Wakeup stop_;
  std::unique_ptr<Stream> stream_;
  bool busy_ = false;
  bool busy_failed_ = false;  // unless Next comes to its end
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
