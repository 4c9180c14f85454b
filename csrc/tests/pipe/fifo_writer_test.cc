#include "pipe/fifo_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "pipe/fifo_reader.h"
#include "pipe/pipe_testing.h"
#include "temporary_directory.h"

namespace smtf {
namespace {

class FifoWriterTest : public testing::Test {
 protected:
  std::string ReadOne() {
    FifoReader reader(fifo_, {}, &cancel_);
    return ReadAll(&reader);
  }

  TemporaryDirectory directory_;
  const std::string fifo_ = MakeFifo(directory_ / "c_0");
  Wakeup stop_, cancel_;
};

TEST_F(FifoWriterTest, WhatIsWrittenIsReadWhateverThePieces) {
  auto read = std::async(std::launch::async, [this] { return ReadOne(); });
  FifoWriter writer(fifo_, &stop_);
  writer.Open();
  std::string expected;
  for (const size_t size : {0, 1, 10, 65535, 65536, 4096 * 300, 3, 9'000'001}) {
    const auto piece = std::make_shared<std::string>(Pattern(size, unsigned(size) + 1));
    expected += *piece;
    ASSERT_TRUE(writer.Write(*piece, piece));
  }
  ASSERT_TRUE(writer.Drain());
  EXPECT_EQ(writer.bytes_written(), expected.size());
  EXPECT_EQ(writer.bytes_drained(), expected.size());
  writer.Close();
  EXPECT_TRUE(read.get() == expected);
}

TEST_F(FifoWriterTest, AReaderThatHasLeftIsOnlyOneThatHadReadSomething) {
  int reader = open(fifo_.c_str(), O_RDONLY | O_NONBLOCK);
  FifoWriter writer(fifo_, &stop_);
  writer.Open();
  ASSERT_TRUE(writer.Write("two", nullptr));
  EXPECT_FALSE(writer.ReaderLeft());
  close(reader);
  EXPECT_FALSE(writer.ReaderLeft()) << "what it left is for the next";
  reader = open(fifo_.c_str(), O_RDONLY | O_NONBLOCK);
  char byte;
  ASSERT_EQ(read(reader, &byte, 1), 1);
  EXPECT_FALSE(writer.ReaderLeft());
  close(reader);
  EXPECT_TRUE(writer.ReaderLeft());
}

TEST_F(FifoWriterTest, LentBytesAreHeldUntilTheyAreDrainedAndNoLonger) {
  const int reader = open(fifo_.c_str(), O_RDONLY | O_NONBLOCK);
  FifoWriter writer(fifo_, &stop_);
  writer.Open();
  auto piece = std::make_shared<std::string>(Pattern(128 * 1024));
  const std::weak_ptr<std::string> held = piece;
  ASSERT_TRUE(writer.Write(*piece, piece));
  piece.reset();
  EXPECT_FALSE(held.expired()) << "the pipe still refers to the bytes";
  std::string buffer(128 * 1024, '\0');
  ASSERT_EQ(read(reader, buffer.data(), buffer.size()), ssize_t(buffer.size()));
  ASSERT_TRUE(writer.Drain());
  EXPECT_TRUE(held.expired());
  EXPECT_TRUE(buffer == Pattern(128 * 1024));
  close(reader);
}

TEST_F(FifoWriterTest, AReaderThatClosesAfterReadingEndsTheEpoch) {
  auto early = std::async(std::launch::async, [this] {
    FifoReader reader(fifo_, {}, &cancel_);
    char byte;
    reader.Read(&byte, 1);
  });
  FifoWriter writer(fifo_, &stop_);
  writer.Open();
  const auto piece = std::make_shared<std::string>(Pattern(8 << 20));
  EXPECT_FALSE(writer.Write(*piece, piece));
  writer.Close();
  EXPECT_EQ(piece.use_count(), 1);
}

TEST_F(FifoWriterTest, AReaderThatClosesWithoutReadingLeavesTheEpochToTheNext) {
  const std::string content = Pattern(3 << 20);
  int first = open(fifo_.c_str(), O_RDONLY | O_NONBLOCK);
  auto write = std::async(std::launch::async, [&] {
    FifoWriter writer(fifo_, &stop_);
    writer.Open();
    return writer.Write(content, nullptr) && writer.Drain();
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  close(first);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(ReadOne() == content);
  EXPECT_TRUE(write.get());
}

TEST_F(FifoWriterTest, StopEndsTheWaitForAReader) {
  auto open = std::async(std::launch::async, [this] {
    FifoWriter writer(fifo_, &stop_);
    MessageOf(ErrorKind::kCancelled, [&] { writer.Open(); });
  });
  stop_.Signal();
  open.get();
}

TEST_F(FifoWriterTest, StopEndsTheWaitForRoom) {
  const int reader = open(fifo_.c_str(), O_RDONLY | O_NONBLOCK);
  auto write = std::async(std::launch::async, [this] {
    FifoWriter writer(fifo_, &stop_);
    writer.Open();
    MessageOf(ErrorKind::kCancelled, [&] { writer.Write(Pattern(4 << 20), nullptr); });
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  stop_.Signal();
  write.get();
  close(reader);
}

TEST_F(FifoWriterTest, StopEndsTheWaitForTheDrain) {
  const int reader = open(fifo_.c_str(), O_RDONLY | O_NONBLOCK);
  auto write = std::async(std::launch::async, [this] {
    FifoWriter writer(fifo_, &stop_);
    writer.Open();
    ASSERT_TRUE(writer.Write("abc", nullptr));
    MessageOf(ErrorKind::kCancelled, [&] { writer.Drain(); });
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  stop_.Signal();
  write.get();
  close(reader);
}

TEST_F(FifoWriterTest, AFileThatIsNoPipeIsRefused) {
  const std::string path = directory_ / "file";
  close(creat(path.c_str(), 0600));
  FifoWriter writer(path, &stop_);
  const std::string message = MessageOf(ErrorKind::kInvalidArgument, [&] { writer.Open(); });
  EXPECT_NE(message.find(path), std::string::npos);
}

TEST_F(FifoWriterTest, AMissingPipeIsNotFound) {
  FifoWriter writer(directory_ / "missing", &stop_);
  MessageOf(ErrorKind::kNotFound, [&] { writer.Open(); });
}

}  // namespace
}  // namespace smtf
