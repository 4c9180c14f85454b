// fifo_bench VARIANT RECORD_BYTES TOTAL_BYTES: bytes per second through one FIFO, or one ring,
// between two processes. The writer of the FIFO is always the same bare loop, vmsplice of 1 MiB
// pieces from a buffer of whole TFRecords; VARIANT is who reads:
//   bare    read() into one buffer of 256 KiB, the limit: 1 MiB, which does not stay in a core's
//           cache, and 128 KiB were slower
//   reader  ChannelPipe + TFRecordReader, CRCs on, each record into the same memory
//   ring    the same with RingSource, from a RingOutlet that is given the same pieces
// Prints the rate in bytes per second.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "framing/record_writer.h"
#include "pipe/channel_pipe.h"
#include "pipe/pipe_size.h"
#include "pipe/random_name.h"
#include "ring/ring_outlet.h"
#include "ring/ring_source.h"

namespace {

constexpr size_t kPieceBytes = 1 << 20;

// At least 64 MiB, so that the pages are not all warm in a cache when they come round again.
std::string MakeRecords(size_t record_bytes) {
  std::string records;
  std::string payload(record_bytes, '\0');
  while (records.size() < 64 * kPieceBytes) {
    for (char& c : payload) c = static_cast<char>(std::rand());
    smtf::AppendTFRecord(payload, &records);
  }
  return records;
}

[[noreturn]] void WriteBare(const std::string& fifo, const std::string& records, uint64_t total) {
  const int fd = open(fifo.c_str(), O_WRONLY);
  smtf::RaisePipeSize(fd);
  for (uint64_t written = 0; written < total; written += records.size()) {
    for (size_t at = 0; at < records.size();) {
      iovec piece{const_cast<char*>(records.data()) + at,
                  std::min(kPieceBytes, records.size() - at)};
      const ssize_t taken = vmsplice(fd, &piece, 1, 0);
      if (taken < 0) _exit(1);
      at += static_cast<size_t>(taken);
    }
  }
  _exit(0);
}

uint64_t ReadBare(const std::string& fifo) {
  const int fd = open(fifo.c_str(), O_RDONLY);
  smtf::RaisePipeSize(fd);
  std::vector<char> buffer(256 * 1024);
  uint64_t bytes = 0;
  for (ssize_t got; (got = read(fd, buffer.data(), buffer.size())) > 0;) {
    bytes += static_cast<uint64_t>(got);
  }
  return bytes;
}

class OneBuffer : public smtf::RecordSink {
 public:
  char* Allocate(size_t size) override {
    if (buffer_.size() < size) buffer_.resize(size);
    return buffer_.data();
  }

 private:
  std::vector<char> buffer_;
};

uint64_t ReadRecords(smtf::ByteSource* source) {
  const auto reader = smtf::MakeRecordReader(smtf::RecordFormat::kTFRecord, source, {});
  OneBuffer buffer;
  while (reader->NextInto(&buffer)) {
  }
  return reader->byte_offset();
}

uint64_t ReadFifo(const std::string& directory) {
  smtf::Wakeup cancel;
  smtf::ChannelPipeOptions options;
  options.channel = "bench";
  options.pipe_dir = options.state_dir = directory;
  smtf::ChannelPipe pipe(options, &cancel);
  return ReadRecords(&pipe);
}

[[noreturn]] void WriteRing(const std::string& address, const std::string& records,
                            uint64_t total) {
  smtf::RingOutlet outlet(address, records.size(), [] { return std::nullopt; });
  // Where a feed's parts are, which are lent; RING_COPY=1 has them copied.
  std::shared_ptr<smtf::BufferMemory> memory = outlet.memory();
  char* const lent = std::getenv("RING_COPY") ? nullptr : memory->Allocate(records.size());
  if (lent) std::memcpy(lent, records.data(), records.size());
  const std::string_view source(lent ? lent : records.data(), records.size());
  outlet.AwaitReader();
  outlet.Admit({});
  for (uint64_t written = 0; written < total; written += records.size()) {
    for (size_t at = 0; at < records.size(); at += kPieceBytes) {
      if (!outlet.Write(source.substr(at, kPieceBytes), nullptr)) _exit(1);
    }
  }
  smtf::Outcome outcome;
  outcome.state = smtf::Outcome::State::kDone;
  outcome.bytes = outlet.bytes_written();
  outlet.Drain();
  outlet.Record(outcome);
  _exit(0);
}

uint64_t ReadRing(const std::string& address) {
  smtf::Wakeup cancel;
  smtf::RingSourceOptions options;
  options.address = address;
  options.channel = "bench";
  options.started = false;
  smtf::RingSource ring(options, &cancel);
  return ReadRecords(&ring);
}

double RunRing(size_t record_bytes, uint64_t total) {
  const std::string address = "smtf-bench-" + smtf::RandomName();
  const std::string records = MakeRecords(record_bytes);
  const pid_t writer = fork();
  if (writer == 0) WriteRing(address, records, total);
  const auto begin = std::chrono::steady_clock::now();
  const uint64_t bytes = ReadRing(address);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  int status = 0;
  waitpid(writer, &status, 0);
  if (status != 0 || bytes < total) throw std::runtime_error("the writer failed");
  return static_cast<double>(bytes) / took.count();
}

double Run(const std::string& variant, size_t record_bytes, uint64_t total) {
  char directory[] = "/tmp/smtf-fifo-XXXXXX";
  if (mkdtemp(directory) == nullptr) throw std::runtime_error("cannot make a directory");
  const std::string fifo = std::string(directory) + "/bench_0";
  if (mkfifo(fifo.c_str(), 0600) != 0) throw std::runtime_error("cannot make " + fifo);
  const std::string records = MakeRecords(record_bytes);
  const pid_t writer = fork();
  if (writer == 0) WriteBare(fifo, records, total);
  const auto begin = std::chrono::steady_clock::now();
  const uint64_t bytes = variant == "bare" ? ReadBare(fifo) : ReadFifo(directory);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  int status = 0;
  waitpid(writer, &status, 0);
  unlink(fifo.c_str());
  unlink((std::string(directory) + "/.bench-pipe_mode-state").c_str());
  rmdir(directory);
  if (status != 0 || bytes < total) throw std::runtime_error("the writer failed");
  return static_cast<double>(bytes) / took.count();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string variant = argc == 4 ? argv[1] : "";
  if (variant != "bare" && variant != "reader" && variant != "ring") {
    std::fprintf(stderr, "usage: fifo_bench bare|reader|ring RECORD_BYTES TOTAL_BYTES\n");
    return 2;
  }
  try {
    const size_t record_bytes = std::stoull(argv[2]);
    const uint64_t total = std::stoull(argv[3]);
    std::printf("%.0f\n", variant == "ring" ? RunRing(record_bytes, total)
                                            : Run(variant, record_bytes, total));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fifo_bench: %s\n", error.what());
    return 1;
  }
}
