#include "ring/ring_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "errors.h"

namespace smtf {
namespace {

constexpr size_t kLeastCapacity = 4096;
constexpr size_t kMostCapacity = size_t{1} << 30;
constexpr int kSizeSeals = F_SEAL_SHRINK | F_SEAL_GROW;

bool IsCapacity(size_t bytes) {
  return bytes >= kLeastCapacity && bytes <= kMostCapacity && (bytes & (bytes - 1)) == 0;
}

}  // namespace

RingMemory RingMemory::Make(size_t capacity) {
  if (!IsCapacity(capacity)) {
    throw Error(ErrorKind::kInvalidArgument, "a ring cannot have " + std::to_string(capacity) +
                                                 " bytes; it takes a power of two");
  }
  FileDescriptor fd(memfd_create("smtf-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.ok()) throw SystemError("making shared memory (memfd_create)", errno);
  const size_t bytes = kRingHeaderBytes + capacity;
  if (ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) {
    throw SystemError("making shared memory of " + std::to_string(bytes) + " bytes", errno);
  }
  if (fcntl(fd.get(), F_ADD_SEALS, kSizeSeals | F_SEAL_SEAL) != 0) {
    throw SystemError("sealing shared memory", errno);
  }
  return RingMemory(std::move(fd), bytes);
}

RingMemory RingMemory::Attach(FileDescriptor fd) {
  struct stat status{};
  // Without the seals the other side could cut off what is mapped here, which is a SIGBUS.
  const int seals = fcntl(fd.get(), F_GET_SEALS);
  const bool fits = fstat(fd.get(), &status) == 0 && status.st_size > off_t{kRingHeaderBytes} &&
                    IsCapacity(static_cast<size_t>(status.st_size) - kRingHeaderBytes);
  if (seals < 0 || (seals & kSizeSeals) != kSizeSeals || !fits) {
    throw Error(ErrorKind::kDataLoss,
                "the prefetcher sent a descriptor that is no ring of this version");
  }
  return RingMemory(std::move(fd), static_cast<size_t>(status.st_size));
}

RingMemory::RingMemory(FileDescriptor fd, size_t bytes) : fd_(std::move(fd)), bytes_(bytes) {
  void* base = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  if (base == MAP_FAILED) {
    throw SystemError("mapping shared memory of " + std::to_string(bytes_) + " bytes", errno);
  }
  base_ = static_cast<char*>(base);
}

RingMemory::RingMemory(RingMemory&& other) noexcept
    : fd_(std::move(other.fd_)), bytes_(other.bytes_), base_(std::exchange(other.base_, nullptr)) {}

RingMemory::~RingMemory() {
  if (base_ != nullptr) munmap(base_, bytes_);
}

}  // namespace smtf
