// ObjectFiles of the module _core.
#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>

#include "framing/object_file_writer.h"
#include "pipe/channel_pipe.h"
#include "pipe/wakeup.h"
#include "python/core_bindings.h"
#include "python/object_pipe.h"

namespace py = pybind11;
using py::literals::operator""_a;

namespace smtf {
namespace {

struct FileStream {
  FileStream(const Wakeup* stop, const std::string& pipe_dir, const std::string& channel,
             const std::string& partial_path)
      : pipe(ObjectPipeOptions(pipe_dir, channel), stop), writer(&pipe, partial_path) {}

  ChannelPipe pipe;
  ObjectFileWriter writer;
};

class PythonObjectFiles {
 public:
  PythonObjectFiles(const std::string& pipe_dir, const std::string& channel,
                    const std::string& partial_path) {
    stream_.Open(pipe_dir, channel, partial_path);
  }

  py::object Write(const std::string& path, uint64_t most) {
    const auto written = stream_.Use([&](FileStream* stream) {
      const py::gil_scoped_release released;
      return stream->writer.Write(path, most);
    });
    if (!written) return py::none();
    return py::make_tuple(written->bytes, written->ended);
  }

  void Close() { stream_.Close(); }

 private:
  ClosableStream<FileStream> stream_{"these ObjectFiles"};
};

}  // namespace

void DefineObjectFiles(py::module_* module) {
  py::class_<PythonObjectFiles>(*module, "ObjectFiles")
      .def(py::init<const std::string&, const std::string&, const std::string&>(), "pipe_dir"_a,
           "channel"_a, "partial_path"_a)
      .def("write", &PythonObjectFiles::Write, "path"_a, "most"_a)
      .def("close", &PythonObjectFiles::Close);
}

}  // namespace smtf
