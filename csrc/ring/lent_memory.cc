#include "ring/lent_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <string>
#include <utility>

#include "errors.h"

namespace smtf {
namespace {

constexpr size_t kPage = 4096;
constexpr int kSizeSeals = F_SEAL_SHRINK | F_SEAL_GROW;

size_t ToPages(size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

// Beyond the limit for files (ulimit -f) there would be a signal, not an error.
bool FilesMayHave(size_t bytes) {
  rlimit limit{};
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes <= limit.rlim_cur;
}

}  // namespace

std::shared_ptr<LentMemory> LentMemory::Make(size_t bytes) {
  bytes = ToPages(bytes);
  FileDescriptor fd(memfd_create("smtf-buffers", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.ok() || !FilesMayHave(bytes) || ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0 ||
      fcntl(fd.get(), F_ADD_SEALS, kSizeSeals | F_SEAL_SEAL) != 0) {
    return nullptr;
  }
  void* base =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd.get(), 0);
  if (base == MAP_FAILED) return nullptr;
  return std::shared_ptr<LentMemory>(
      new LentMemory(std::move(fd), bytes, static_cast<char*>(base)));
}

LentMemory::LentMemory(FileDescriptor fd, size_t bytes, char* base)
    : fd_(std::move(fd)), bytes_(bytes), base_(base) {
  free_[0] = bytes_;
}

LentMemory::~LentMemory() { munmap(base_, bytes_); }

char* LentMemory::Allocate(size_t bytes) {
  const size_t needed = ToPages(bytes);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (left_) return nullptr;
  for (auto range = free_.begin(); range != free_.end(); ++range) {
    const auto [offset, size] = *range;
    if (size < needed) continue;
    free_.erase(range);
    if (size > needed) free_[offset + needed] = size - needed;
    return base_ + offset;
  }
  return nullptr;
}

void LentMemory::Free(char* data, size_t bytes) noexcept {
  size_t offset = OffsetOf(data);
  size_t size = ToPages(bytes);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (left_) return;
  fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
            static_cast<off_t>(size));
  const auto next = free_.lower_bound(offset);
  const auto before = next == free_.begin() ? free_.end() : std::prev(next);
  if (before != free_.end() && before->first + before->second == offset) {
    offset = before->first;
    size += before->second;
  }
  if (next != free_.end() && OffsetOf(data) + ToPages(bytes) == next->first) {
    size += next->second;
    free_.erase(next);
  }
  free_[offset] = size;
}

void LentMemory::Leave() noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  left_ = true;
}

BorrowedMemory::BorrowedMemory(const FileDescriptor& fd) {
  struct stat status{};
  // Without the seals the other side could cut off what is mapped here, which is a SIGBUS.
  const int seals = fcntl(fd.get(), F_GET_SEALS);
  const bool sealed = seals >= 0 && (seals & kSizeSeals) == kSizeSeals;
  if (!sealed || fstat(fd.get(), &status) != 0 || status.st_size <= 0) {
    throw Error(ErrorKind::kDataLoss,
                "the prefetcher sent a descriptor that is no memory of this version");
  }
  bytes_ = static_cast<size_t>(status.st_size);
  void* base = mmap(nullptr, bytes_, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd.get(), 0);
  if (base == MAP_FAILED) {
    throw SystemError("mapping the prefetcher's " + std::to_string(bytes_) + " bytes", errno);
  }
  base_ = static_cast<const char*>(base);
}

BorrowedMemory::BorrowedMemory(BorrowedMemory&& other) noexcept
    : bytes_(other.bytes_), base_(std::exchange(other.base_, nullptr)) {}

BorrowedMemory::~BorrowedMemory() {
  if (base_ != nullptr) munmap(const_cast<char*>(base_), bytes_);
}

}  // namespace smtf
