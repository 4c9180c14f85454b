#include "ring/lent_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "pipe/pipe_testing.h"
#include "prefetch/buffer_pool.h"

namespace smtf {
namespace {

constexpr size_t kPage = 4096;

size_t BytesInUse(const LentMemory& memory) {
  struct stat status{};
  fstat(memory.fd(), &status);
  return static_cast<size_t>(status.st_blocks) * 512;
}

TEST(LentMemoryTest, ABorrowerSeesWhatIsWritten) {
  const auto lent = LentMemory::Make(10 * kPage);
  char* first = lent->Allocate(kPage);
  char* data = lent->Allocate(100);
  ASSERT_TRUE(first && data);
  EXPECT_TRUE(lent->Owns(data));
  EXPECT_FALSE(lent->Owns(reinterpret_cast<const char*>(&first)));
  std::memcpy(data, "hello", 5);
  const BorrowedMemory borrowed{FileDescriptor(dup(lent->fd()))};
  EXPECT_EQ(borrowed.At(lent->OffsetOf(data), 5), "hello");
  EXPECT_TRUE(borrowed.Has(9 * kPage, kPage));
  EXPECT_FALSE(borrowed.Has(9 * kPage, kPage + 1));
  EXPECT_FALSE(borrowed.Has(UINT64_MAX, 1));
  EXPECT_FALSE(borrowed.Has(1, UINT64_MAX));
}

TEST(LentMemoryTest, WhatIsFreedGoesBackToTheSystemAndIsAllocatedAgain) {
  const auto lent = LentMemory::Make(64 * kPage);
  std::mt19937 random(1);
  std::vector<std::pair<char*, size_t>> held;
  for (int step = 0; step < 5000; ++step) {
    const size_t bytes = 1 + random() % (8 * kPage);
    if (char* data = random() % 2 ? lent->Allocate(bytes) : nullptr) {
      std::memset(data, static_cast<int>(held.size() + 1), bytes);
      held.emplace_back(data, bytes);
    } else if (!held.empty()) {
      const size_t which = random() % held.size();
      const auto [freed, size] = held[which];
      // Nobody else has written there.
      EXPECT_EQ(std::string(freed, size), std::string(size, *freed));
      lent->Free(freed, size);
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(which));
    }
  }
  for (const auto& [data, size] : held) lent->Free(data, size);
  EXPECT_EQ(BytesInUse(*lent), 0u);
  EXPECT_NE(lent->Allocate(64 * kPage), nullptr);  // all of it, in one piece
  EXPECT_EQ(lent->Allocate(1), nullptr);
}

TEST(LentMemoryTest, WhatIsFreedAtTheEndKeepsItsContent) {
  const auto lent = LentMemory::Make(kPage);
  char* data = lent->Allocate(kPage);
  std::memcpy(data, "hello", 5);
  lent->Leave();
  lent->Free(data, kPage);
  EXPECT_EQ(std::string(data, 5), "hello");
  EXPECT_EQ(lent->Allocate(1), nullptr);
}

TEST(LentMemoryTest, APoolsLargeBuffersAreInItWhileThereIsRoom) {
  const auto lent = LentMemory::Make(128 * 1024);
  BufferPool pool(1024 * 1024, nullptr, lent);
  const Buffer small = pool.TryAcquire(4096);
  const Buffer large = pool.TryAcquire(128 * 1024);
  const Buffer other = pool.TryAcquire(128 * 1024);
  EXPECT_FALSE(lent->Owns(small.data()));
  EXPECT_TRUE(lent->Owns(large.data()));
  EXPECT_FALSE(lent->Owns(other.data()));
  std::memset(other.data(), 1, other.capacity());
}

TEST(LentMemoryTest, BorrowsNothingThatTheOtherSideCouldCutOff) {
  MessageOf(ErrorKind::kDataLoss,
            [] { BorrowedMemory{FileDescriptor(open("/dev/null", O_RDWR | O_CLOEXEC))}; });
}

}  // namespace
}  // namespace smtf
