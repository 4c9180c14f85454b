// What the classes of _core that read a prefetcher's stream of objects share.
#ifndef SMTF_PYTHON_OBJECT_PIPE_H_
#define SMTF_PYTHON_OBJECT_PIPE_H_

#include <pybind11/pybind11.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "errors.h"
#include "pipe/channel_pipe.h"
#include "pipe/wakeup.h"

namespace smtf {

// A signal raises what its Python handler raises.
inline void RaiseSignal() {
  pybind11::gil_scoped_acquire acquired;
  if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
}

inline ChannelPipeOptions ObjectPipeOptions(const std::string& pipe_dir,
                                            const std::string& channel) {
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

// A stream that is used by one thread at a time, which may release the GIL, and closed by any.
// `Stream` is made with the wakeup that ends its waits. All members but the wakeup are used under
// the GIL, and the stream by the thread that has set `busy_`.
template <typename Stream>
class ClosableStream {
 public:
  // `name` is for messages.
  explicit ClosableStream(std::string name) : name_(std::move(name)) {}

  template <typename... Arguments>
  void Open(const Arguments&... arguments) {
    stream_ = std::make_unique<Stream>(&stop_, arguments...);
  }

  // Calls `function` with the stream. After an exception, or when it was closed meanwhile, nothing
  // more can be read.
  template <typename Function>
  auto Use(Function function) {
    if (busy_) {
      throw Error(ErrorKind::kFailedPrecondition, "another thread is reading " + name_);
    }
    if (!stream_) {
      throw Error(stop_.signalled() ? ErrorKind::kCancelled : ErrorKind::kFailedPrecondition,
                  name_ + " are closed, or failed before");
    }
    Busy busy(this);
    auto result = function(stream_.get());
    busy.failed = false;
    return result;
  }

  void Close() {
    stop_.Signal();
    if (!busy_) stream_.reset();
  }

 private:
  struct Busy {
    explicit Busy(ClosableStream* owner) : owner(owner) { owner->busy_ = true; }
    ~Busy() {
      owner->busy_ = false;
      if (failed || owner->stop_.signalled()) owner->stream_.reset();
    }
    ClosableStream* owner;
    bool failed = true;
  };

  const std::string name_;
  Wakeup stop_;
  std::unique_ptr<Stream> stream_;
  bool busy_ = false;
};

}  // namespace smtf

#endif  // SMTF_PYTHON_OBJECT_PIPE_H_
