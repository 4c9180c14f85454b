// _core: record readers and encoders for Python, without TensorFlow. _core.pyi documents it.
#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checksum/crc32c.h"
#include "errors.h"
#include "framing/record_reader.h"
#include "framing/record_writer.h"
#include "python/core_bindings.h"
#include "python/error_translation.h"
#include "python/python_byte_sources.h"

namespace py = pybind11;
using py::literals::operator""_a;

namespace smtf {
namespace {

// Lets the reader write a record into the bytes object that Python gets.
class BytesSink final : public RecordSink {
 public:
  char* Allocate(size_t size) override {
    record_ = py::reinterpret_steal<py::object>(
        PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(size)));
    if (!record_) throw py::error_already_set();
    return PyBytes_AS_STRING(record_.ptr());
  }
  py::object Take() { return std::move(record_); }

 private:
  py::object record_;
};

// A reader with its source. Its methods hold the GIL but while they wait for a path's bytes, which
// is when another thread could come in: that is an error.
class PythonReader {
 private:
  static constexpr char kBusy[] = "another thread is reading from this RecordReader";

  template <typename Function>
  auto Use(Function function) {
    if (busy_) throw Error(ErrorKind::kFailedPrecondition, kBusy);
    if (!reader_) throw Error(ErrorKind::kInvalidArgument, "this RecordReader is closed");
    if (raised_) {
      throw Error(ErrorKind::kFailedPrecondition,
                  "reading from " + source_->Describe() + " raised an exception before");
    }
    const Busy busy(&busy_);
    try {
      return function(reader_.get());
    } catch (const py::error_already_set&) {
      // It can be raised only once, and the source cannot say where it stands.
      raised_ = true;
      throw;
    }
  }

 public:
  PythonReader(const py::object& source, RecordFormat format, const RecordReaderOptions& options)
      : source_(MakePythonSource(source)),
        reader_(MakeRecordReader(format, source_.get(), options)) {}

  py::object Next() {
    BytesSink sink;
    if (!Use([&](RecordReader* reader) { return reader->NextInto(&sink); })) {
      throw py::stop_iteration();
    }
    return sink.Take();
  }

  uint64_t Skip(uint64_t count) {
    return Use([count](RecordReader* reader) { return reader->Skip(count); });
  }

  void Close() {
    if (busy_) throw Error(ErrorKind::kFailedPrecondition, kBusy);
    Remember();
    reader_.reset();
    source_.reset();
  }

  uint64_t record_index() const { return reader_ ? reader_->record_index() : record_index_; }
  uint64_t byte_offset() const { return reader_ ? reader_->byte_offset() : byte_offset_; }
  uint64_t corrupted_records() const {
    return reader_ ? reader_->corrupted_records() : corrupted_records_;
  }

 private:
  void Remember() {
    record_index_ = record_index();
    byte_offset_ = byte_offset();
    corrupted_records_ = corrupted_records();
  }

  struct Busy {
    explicit Busy(bool* flag) : flag(flag) { *flag = true; }
    ~Busy() { *flag = false; }
    bool* flag;
  };

  std::unique_ptr<ByteSource> source_;
  std::unique_ptr<RecordReader> reader_;
  bool busy_ = false;
  bool raised_ = false;
  // What the reader said last, once it is closed.
  uint64_t record_index_ = 0;
  uint64_t byte_offset_ = 0;
  uint64_t corrupted_records_ = 0;
};

std::unique_ptr<PythonReader> OpenReader(const py::object& source, const std::string& record_format,
                                         uint64_t max_record_bytes,
                                         uint64_t max_corrupted_records_to_skip,
                                         bool strip_carriage_return, const py::object& on_skipped,
                                         size_t buffer_bytes) {
  const RecordFormat format = ParseRecordFormat(record_format);  // before anything is opened
  RecordReaderOptions options;
  options.buffer_bytes = buffer_bytes;
  options.max_record_bytes = max_record_bytes;
  options.max_corrupted_records_to_skip = max_corrupted_records_to_skip;
  options.strip_carriage_return = strip_carriage_return;
  if (!on_skipped.is_none()) {
    options.on_skipped = [on_skipped](const CorruptRecordError& error) {
      on_skipped(ToPython(error));
    };
  }
  return std::make_unique<PythonReader>(source, format, options);
}

py::bytes EncodeRecord(const std::string& record_format, const py::object& record) {
  std::string framed;
  AppendRecord(ParseRecordFormat(record_format), BufferView(record).bytes(), &framed);
  return framed;
}

std::vector<std::string> ImplementationNames() {
  std::vector<std::string> names;
  for (const Crc32cImplementation& usable : Crc32cImplementations()) names.push_back(usable.name);
  return names;
}

// Seconds for `repeats` CRCs of `data`, without the cost of a call from Python.
double TimeCrc32c(const std::string& implementation, const py::bytes& data, uint64_t repeats) {
  auto extend = &ExtendCrc32c;
  bool known = implementation.empty();
  for (const Crc32cImplementation& usable : Crc32cImplementations()) {
    if (usable.name == implementation) extend = usable.extend, known = true;
  }
  if (!known) {
    throw Error(ErrorKind::kInvalidArgument, "this CPU has no CRC-32C called " + implementation);
  }
  const std::string_view bytes = data;
  py::gil_scoped_release released;
  volatile uint32_t keep = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (uint64_t i = 0; i < repeats; ++i) keep = extend(0, bytes.data(), bytes.size());
  (void)keep;
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace
}  // namespace smtf

PYBIND11_MODULE(_core, module) {
  using smtf::PythonReader;
  const smtf::RecordReaderOptions defaults;
  smtf::RegisterErrors(module);
  smtf::DefineNumberRows(&module);
  smtf::DefineObjectFiles(&module);
  smtf::DefineObjectRecords(&module);

  py::class_<PythonReader>(module, "RecordReader")
      .def(py::init(&smtf::OpenReader), "source"_a, "record_format"_a, py::kw_only(),
           "max_record_bytes"_a = defaults.max_record_bytes,
           "max_corrupted_records_to_skip"_a = defaults.max_corrupted_records_to_skip,
           "strip_carriage_return"_a = defaults.strip_carriage_return, "on_skipped"_a = py::none(),
           "buffer_bytes"_a = defaults.buffer_bytes)
      .def("__iter__", [](const py::object& self) { return self; })
      .def("__next__", &PythonReader::Next)
      .def("__enter__", [](const py::object& self) { return self; })
      .def("__exit__", [](PythonReader& self, const py::args&) { self.Close(); })
      .def("skip", &PythonReader::Skip, "count"_a)
      .def("close", &PythonReader::Close)
      .def_property_readonly("record_index", &PythonReader::record_index)
      .def_property_readonly("byte_offset", &PythonReader::byte_offset)
      .def_property_readonly("corrupted_records", &PythonReader::corrupted_records);

  module.def("encode_record", &smtf::EncodeRecord, "record_format"_a, "record"_a);
  module.def(
      "crc32c",
      [](const py::object& data, uint32_t crc) {
        const smtf::BufferView view(data);
        const std::string_view bytes = view.bytes();
        return smtf::ExtendCrc32c(crc, bytes.data(), bytes.size());
      },
      "data"_a, "crc"_a = 0);
  module.def("crc32c_implementations", &smtf::ImplementationNames);
  module.def("time_crc32c", &smtf::TimeCrc32c, "implementation"_a, "data"_a, "repeats"_a);
}
