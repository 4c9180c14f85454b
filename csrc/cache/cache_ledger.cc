#include "cache/cache_ledger.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <thread>
#include <utility>

#include "checksum/crc32c.h"
#include "errors.h"
#include "framing/little_endian.h"

namespace smtf {
namespace {

// The file: magic, number of bytes, CRC-32C of both. An unsettled one has the magic of zeros.
constexpr std::string_view kMagic = "SMTFLDG1";
constexpr size_t kRecordBytes = 20;

// A turn takes about as long as making a file.
constexpr std::chrono::microseconds kNap{200};

std::string Record(uint64_t bytes) {
  std::string record(kMagic);
  AppendLE64(bytes, &record);
  AppendLE32(Crc32c(record), &record);
  return record;
}

std::optional<uint64_t> ReadRecord(int fd) {
  char record[kRecordBytes];
  if (pread(fd, record, sizeof record, 0) != ssize_t{kRecordBytes}) return std::nullopt;
  const uint64_t bytes = LoadLE64(record + kMagic.size());
  if (Record(bytes) != std::string_view(record, sizeof record)) return std::nullopt;
  return bytes;
}

bool SameFile(int fd, const std::string& path) {
  struct stat held{}, named{};
  return fstat(fd, &held) == 0 && stat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
         held.st_dev == named.st_dev;
}

}  // namespace

LedgerTurn::LedgerTurn(FileDescriptor locked)
    : file_(std::move(locked)), bytes_(ReadRecord(file_.get())) {
  constexpr char kUnsettled[kMagic.size()] = {};
  if (pwrite(file_.get(), kUnsettled, sizeof kUnsettled, 0) != ssize_t{sizeof kUnsettled}) {
    throw SystemError("writing the cache's ledger", errno);
  }
}

LedgerTurn::~LedgerTurn() {
  if (!file_.ok() || !bytes_) return;
  const std::string record = Record(*bytes_);
  // What cannot be written stays unsettled, and the next turn counts.
  [[maybe_unused]] const ssize_t put = pwrite(file_.get(), record.data(), record.size(), 0);
}

std::optional<LedgerTurn> CacheLedger::Take(std::chrono::milliseconds patience) const {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  do {
    FileDescriptor file(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.ok()) throw SystemError("opening " + path_, errno);
    int lock_error;
    while ((lock_error = flock(file.get(), LOCK_EX | LOCK_NB) == 0 ? 0 : errno) == EWOULDBLOCK) {
      if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
      std::this_thread::sleep_for(kNap);
    }
    if (lock_error == EINTR) continue;
    if (lock_error != 0) {
      throw SystemError("locking " + path_ + " (the directory must support flock)", lock_error);
    }
    // Somebody may have removed the file meanwhile: then this is the lock of nobody.
    if (SameFile(file.get(), path_)) return LedgerTurn(std::move(file));
  } while (std::chrono::steady_clock::now() < deadline);
  return std::nullopt;
}

}  // namespace smtf
