// Both ends of a ring, without a socket: in order, when it is full, and against nonsense.
#include "ring/ring_reader.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "pipe/pipe_testing.h"
#include "ring/ring_writer.h"

namespace smtf {
namespace {

constexpr size_t kCapacity = 4096;

class RingTest : public testing::Test {
 protected:
  RingMemory Attached() { return RingMemory::Attach(FileDescriptor(dup(memory_.fd()))); }

  // What is there now, objects in brackets.
  std::string Read() {
    std::string text;
    while (const auto item = reader_.Next()) {
      if (item->kind == RingFrame::kObject) {
        text += "[" + std::string(item->content) + "]";
        reader_.TakeObject();
      } else {
        text += item->content;
        reader_.Take(item->content.size());
      }
    }
    return text;
  }

  RingMemory memory_ = RingMemory::Make(kCapacity);
  RingWriter writer_{&memory_};
  RingReader reader_{Attached()};
};

TEST_F(RingTest, BringsFramesInOrderOnceTheyArePublished) {
  EXPECT_EQ(writer_.PutBytes("abc"), 3u);
  EXPECT_TRUE(writer_.PutObject("next"));
  EXPECT_EQ(writer_.PutBytes("de"), 2u);
  EXPECT_EQ(Read(), "");
  EXPECT_FALSE(writer_.Publish());
  EXPECT_EQ(Read(), "abc[next]de");
  EXPECT_EQ(writer_.Taken(), writer_.put());
}

TEST_F(RingTest, TakesWhatThereIsRoomFor) {
  const std::string bytes = Pattern(3 * kCapacity);
  std::string all;
  std::string_view left = bytes;
  while (!left.empty()) {
    const size_t put = writer_.PutBytes(left);
    ASSERT_GT(put, 0u);
    EXPECT_EQ(writer_.PutBytes(left.substr(put)), 0u);
    left.remove_prefix(put);
    writer_.Publish();
    all += Read();
  }
  EXPECT_TRUE(all == bytes);
}

TEST_F(RingTest, CountsAReaderThatTookSomethingOnly) {
  EXPECT_FALSE(writer_.Touched());
  writer_.PutObject("a");
  writer_.PutBytes("bytes");
  writer_.Publish();
  {
    RingReader reader(Attached());
    reader.Next();
    reader.TakeObject();
    EXPECT_EQ(reader.Next()->content, "bytes");
    EXPECT_GT(writer_.Taken(), 0u);
    EXPECT_FALSE(writer_.Touched());
    reader.Take(1);
    EXPECT_EQ(reader.Next()->content, "ytes");
  }
  EXPECT_TRUE(writer_.Touched());
}

TEST_F(RingTest, WhoSleepsIsWokenOnce) {
  EXPECT_TRUE(reader_.MaySleep());
  writer_.PutBytes("a");
  EXPECT_TRUE(writer_.Publish());
  EXPECT_FALSE(writer_.Publish());
  EXPECT_FALSE(reader_.MaySleep());
  EXPECT_TRUE(writer_.MaySleepUntil(writer_.put()));
  EXPECT_FALSE(reader_.WriterIsToWake());
  EXPECT_EQ(Read(), "a");
  EXPECT_TRUE(reader_.WriterIsToWake());
  EXPECT_FALSE(reader_.WriterIsToWake());
  EXPECT_FALSE(writer_.MaySleepUntil(writer_.put()));
}

TEST_F(RingTest, TwoThreadsMoveFramesOfEverySize) {
  const std::string bytes = Pattern(2'000'000);
  std::thread writing([&] {
    std::mt19937 random(1);
    for (std::string_view left = bytes; !left.empty();) {
      const size_t put = writer_.PutBytes(left.substr(0, 1 + random() % 700));
      left.remove_prefix(put);
      if (random() % 8 == 0) writer_.PutObject(std::string(random() % 100, 'o'));
      writer_.Publish();
      if (put == 0) std::this_thread::yield();
    }
  });
  std::string all;
  while (all.size() < bytes.size()) {
    const auto item = reader_.Next();
    if (!item) {
      std::this_thread::yield();
    } else if (item->kind == RingFrame::kObject) {
      reader_.TakeObject();
    } else {
      const size_t size = (item->content.size() + 1) / 2;
      all.append(item->content.substr(0, size));
      reader_.Take(size);
    }
  }
  writing.join();
  EXPECT_TRUE(all == bytes);
}

TEST_F(RingTest, LoansAreLookedUpAndBelievedOnlyWhereTheyAre) {
  const auto lent = LentMemory::Make(8192);
  char* data = lent->Allocate(8192);
  std::memcpy(data + 100, "lent", 4);
  RingReader reader(Attached(), BorrowedMemory(FileDescriptor(dup(lent->fd()))));
  writer_.PutLoan({100, 4});
  writer_.PutLoan({8190, 3});
  writer_.Publish();
  EXPECT_EQ(reader.Next()->content, "lent");
  reader.Take(4);
  MessageOf(ErrorKind::kDataLoss, [&] { reader.Next(); });
  MessageOf(ErrorKind::kDataLoss, [&] { reader_.Next(); });  // has borrowed nothing
}

TEST_F(RingTest, ACopyInAForkedChildTakesNothing) {
  writer_.PutBytes("abc");
  writer_.Publish();
  std::optional<RingReader> reader(Attached());
  ASSERT_EQ(reader->Next()->content, "abc");
  reader->Take(1);
  const pid_t child = fork();
  if (child == 0) {
    reader.reset();
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  EXPECT_EQ(writer_.Taken(), 0u);
  EXPECT_EQ(reader->Next()->content, "bc");
  reader.reset();
  EXPECT_EQ(writer_.Taken(), writer_.put());
}

// Whatever a writer leaves in the memory is an error, or frames within it.
TEST_F(RingTest, NonsenseOfTheWriterIsAnError) {
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {
    RingMemory memory = RingMemory::Make(kCapacity);
    for (size_t at = 0; at < 64; at += 4) {
      const uint32_t word = random() % 3 ? random() % 64 : random();
      std::memcpy(memory.At(at), &word, sizeof(word));
    }
    memory.header().put.store(random() % 4 ? 8 * (random() % 600) : random());
    RingReader reader(RingMemory::Attach(FileDescriptor(dup(memory.fd()))));
    try {
      while (const auto item = reader.Next()) {
        ASSERT_GE(item->content.size(), item->kind == RingFrame::kBytes ? 1u : 0u);
        std::string(item->content);  // within the memory, as the sanitizers see
        if (item->kind == RingFrame::kBytes) reader.Take(item->content.size());
        if (item->kind == RingFrame::kObject) reader.TakeObject();
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kDataLoss);
    }
  }
}

TEST_F(RingTest, NonsenseOfTheReaderIsForgottenWithIt) {
  writer_.PutBytes("abc");
  writer_.Publish();
  for (const uint64_t taken : {uint64_t{1000}, UINT64_MAX}) {
    memory_.header().taken.store(taken);
    EXPECT_EQ(writer_.Taken(), 0u);
    EXPECT_TRUE(writer_.reader_is_broken());
  }
  EXPECT_EQ(writer_.claimed(), 1000u);
  EXPECT_FALSE(writer_.MaySleepUntil(writer_.put()));
  memory_.header().taken.store(writer_.put());
  EXPECT_EQ(writer_.Taken(), 0u);
  size_t put = 0;
  while (const size_t more = writer_.PutBytes(Pattern(500))) put += more;
  EXPECT_LT(put, kCapacity);
}

}  // namespace
}  // namespace smtf
