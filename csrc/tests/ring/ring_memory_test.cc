#include "ring/ring_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "pipe/pipe_testing.h"

namespace smtf {
namespace {

FileDescriptor Copy(const RingMemory& memory) { return FileDescriptor(dup(memory.fd())); }

TEST(RingMemoryTest, IsSeenByBothSidesAndKeepsItsSize) {
  const RingMemory made = RingMemory::Make(8192);
  const RingMemory attached = RingMemory::Attach(Copy(made));
  EXPECT_EQ(attached.capacity(), 8192u);
  made.header().put.store(24);
  *made.At(8192 + 16) = 'x';
  EXPECT_EQ(attached.header().put.load(), 24u);
  EXPECT_EQ(*attached.At(16), 'x');
  EXPECT_EQ(attached.Rest(8192 + 16), 8192u - 16);
  EXPECT_NE(ftruncate(made.fd(), 4096), 0);
}

TEST(RingMemoryTest, TakesPowersOfTwoOnly) {
  for (const size_t capacity : {0, 2048, 5000}) {
    MessageOf(ErrorKind::kInvalidArgument, [&] { RingMemory::Make(capacity); });
  }
}

TEST(RingMemoryTest, AttachesNothingThatTheOtherSideCouldCutOff) {
  const auto refuse = [](FileDescriptor fd) {
    MessageOf(ErrorKind::kDataLoss, [&] { RingMemory::Attach(std::move(fd)); });
  };
  FileDescriptor unsealed(memfd_create("test", MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(unsealed.get(), kRingHeaderBytes + 4096), 0);
  refuse(std::move(unsealed));
  FileDescriptor odd(memfd_create("test", MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(odd.get(), kRingHeaderBytes + 5000), 0);
  ASSERT_EQ(fcntl(odd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
  refuse(std::move(odd));
  refuse(FileDescriptor(open("/dev/null", O_RDWR | O_CLOEXEC)));
}

}  // namespace
}  // namespace smtf
