// Memory of the prefetcher's that readers look into, so that bytes need not be copied into a ring.
#ifndef SMTF_RING_LENT_MEMORY_H_
#define SMTF_RING_LENT_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

#include "buffer_memory.h"
#include "file_descriptor.h"

namespace smtf {

// The prefetcher's side: a sealed memfd that parts' buffers lie in. It is twice as large as what
// may be in use, so that it does not matter in what pieces that comes, and takes memory where
// something was written only. Readers map it to look, but could write: they are of the same user,
// who may do anything to this process anyway.
//
// Thread-safe.
class LentMemory : public BufferMemory {
 public:
  // Of so many bytes, rounded up to pages. Null where the system refuses it: then everything is
  // copied.
  static std::shared_ptr<LentMemory> Make(size_t bytes);
  ~LentMemory() override;
  LentMemory(const LentMemory&) = delete;
  LentMemory& operator=(const LentMemory&) = delete;

  char* Allocate(size_t bytes) override;
  bool Owns(const char* data) const override { return data >= base_ && data < base_ + bytes_; }
  // Gives the pages back to the system.
  void Free(char* data, size_t bytes) noexcept override;
  // From now on what is freed keeps its content, for readers that have not read all of it.
  void Leave() noexcept;

  int fd() const { return fd_.get(); }
  uint64_t OffsetOf(const char* data) const { return static_cast<uint64_t>(data - base_); }

 private:
  LentMemory(FileDescriptor fd, size_t bytes, char* base);

  const FileDescriptor fd_;
  const size_t bytes_;
  char* const base_;
  std::mutex mutex_;
  std::map<size_t, size_t> free_;  // offset, size; none touches the next
  bool left_ = false;
};

// A reader's view of it: the pages may change at any moment, and never go away.
class BorrowedMemory {
 public:
  // An Error of kind kDataLoss when it is no such memory.
  explicit BorrowedMemory(const FileDescriptor& fd);
  ~BorrowedMemory();
  BorrowedMemory(BorrowedMemory&& other) noexcept;
  BorrowedMemory& operator=(BorrowedMemory&&) = delete;

  bool Has(uint64_t offset, uint64_t size) const {
    return size <= bytes_ && offset <= bytes_ - size;
  }
  std::string_view At(uint64_t offset, uint64_t size) const {
    return {base_ + offset, static_cast<size_t>(size)};
  }

 private:
  size_t bytes_ = 0;
  const char* base_ = nullptr;
};

}  // namespace smtf

#endif  // SMTF_RING_LENT_MEMORY_H_
