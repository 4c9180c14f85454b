#include "pipe/fifo_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <future>
#include <thread>

#include "framing/file_byte_source.h"
#include "framing/partial_file.h"
#include "pipe/fifo_writer.h"
#include "pipe/pipe_testing.h"
#include "temporary_directory.h"

namespace smtf {
namespace {

using std::chrono::milliseconds;

class FifoReaderTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  const std::string fifo_ = MakeFifo(directory_ / "c_0");
  Wakeup cancel_;
};

TEST_F(FifoReaderTest, AWriterThatComesLateIsWaitedForAndAShortReadIsNoEnd) {
  FifoReader reader(fifo_, {}, &cancel_);
  std::thread writer([this] {
    std::this_thread::sleep_for(milliseconds(20));
    std::ofstream stream(fifo_, std::ios::binary);
    for (const char* piece : {"one", "two", "three"}) {
      stream << piece << std::flush;
      std::this_thread::sleep_for(milliseconds(10));
    }
  });
  EXPECT_EQ(ReadAll(&reader), "onetwothree");
  EXPECT_EQ(reader.bytes_read(), 11u);
  writer.join();
}

TEST_F(FifoReaderTest, ScatterFillsTheFirstPlaceBeforeTheSecond) {
  FifoReader reader(fifo_, {}, &cancel_);
  const int writer = open(fifo_.c_str(), O_WRONLY);
  ASSERT_EQ(write(writer, "abcdefgh", 8), 8);
  char first[3], second[100];
  ASSERT_EQ(reader.ReadScatter(first, sizeof first, second, sizeof second), 8u);
  EXPECT_EQ(std::string(first, 3) + std::string(second, 5), "abcdefgh");
  close(writer);
}

// Moves all of it, up to `most` bytes at a time, and returns what the file then holds.
std::string MoveAll(FifoReader* reader, const std::string& path, uint64_t most) {
  PartialFile file(path, "never made");
  file.Write("before ");
  while (reader->MoveTo(&file, most) > 0) {
  }
  FileByteSource written(path);
  return ReadAll(&written);
}

TEST_F(FifoReaderTest, MovesBytesIntoAFileBehindWhatItHolds) {
  const std::string bytes = Pattern(5'000'000);
  for (const uint64_t most : {70'001, 1 << 30}) {
    FifoReader reader(fifo_, {}, &cancel_);
    std::thread writer([&] {
      Wakeup never;
      FifoWriter end(fifo_, &never);
      end.Open();
      EXPECT_TRUE(end.Write(bytes, nullptr));
      EXPECT_TRUE(end.Drain());
      end.Close();
    });
    EXPECT_TRUE(MoveAll(&reader, directory_ / "file", most) == "before " + bytes);
    EXPECT_EQ(reader.bytes_read(), bytes.size());
    writer.join();
  }
}

TEST_F(FifoReaderTest, MovesBytesThroughMemoryWhereTheKernelDoesNotSplice) {
  const std::string bytes = Pattern(300'000);
  FifoReader reader(directory_.WriteFile("c_1", bytes), {}, &cancel_);
  EXPECT_TRUE(MoveAll(&reader, directory_ / "file", 100'000) == "before " + bytes);
}

TEST_F(FifoReaderTest, CancelEndsAWaitForBytesToMove) {
  FifoReader reader(fifo_, {}, &cancel_);
  PartialFile file(directory_ / "file", "never made");
  auto moving = std::async(std::launch::async, [&] {
    MessageOf(ErrorKind::kCancelled, [&] { reader.MoveTo(&file, 1); });
  });
  std::this_thread::sleep_for(milliseconds(20));
  cancel_.Signal();
  moving.get();
}

TEST_F(FifoReaderTest, AWriterThatWritesNothingIsAnEnd) {
  FifoReader reader(fifo_, {}, &cancel_);
  close(open(fifo_.c_str(), O_WRONLY));
  EXPECT_EQ(ReadAll(&reader), "");
  char byte;
  EXPECT_EQ(reader.Read(&byte, 1), 0u) << "the end stays the end";
}

TEST_F(FifoReaderTest, CancelEndsAWaitAndEveryLaterOne) {
  FifoReader reader(fifo_, {}, &cancel_);
  char byte;
  auto read = std::async(std::launch::async,
                         [&] { MessageOf(ErrorKind::kCancelled, [&] { reader.Read(&byte, 1); }); });
  std::this_thread::sleep_for(milliseconds(20));
  cancel_.Signal();
  cancel_.Signal();  // again, as TensorFlow may
  read.get();
  MessageOf(ErrorKind::kCancelled, [&] { reader.Read(&byte, 1); });
}

TEST_F(FifoReaderTest, AStallIsADeadlineExceededThatSaysHowMuchCame) {
  FifoReaderOptions options;
  options.stall_timeout = milliseconds(50);
  FifoReader reader(fifo_, options, &cancel_);
  const int writer = open(fifo_.c_str(), O_WRONLY);
  ASSERT_EQ(write(writer, "abc", 3), 3);
  char buffer[10];
  ASSERT_EQ(reader.Read(buffer, 10), 3u);
  const std::string message =
      MessageOf(ErrorKind::kDeadlineExceeded, [&] { reader.Read(buffer, 10); });
  EXPECT_NE(message.find(fifo_), std::string::npos);
  EXPECT_NE(message.find("after 3 bytes"), std::string::npos);
  close(writer);
}

TEST_F(FifoReaderTest, WaitingCanBeEndedByTheOneWhoIsToldOfIt) {
  FifoReaderOptions options;
  options.on_wait = [](milliseconds) { throw Error(ErrorKind::kUnavailable, "gone"); };
  FifoReader reader(fifo_, options, &cancel_);
  char byte;
  EXPECT_EQ(MessageOf(ErrorKind::kUnavailable, [&] { reader.Read(&byte, 1); }), "gone");
}

TEST_F(FifoReaderTest, ARegularFileIsReadToItsEnd) {
  const std::string path = directory_ / "file";
  std::ofstream(path) << "content";
  FifoReader reader(path, {}, &cancel_);
  EXPECT_EQ(ReadAll(&reader, 3), "content");
}

TEST_F(FifoReaderTest, AMissingPipeIsNotFoundAndADirectoryIsRefused) {
  MessageOf(ErrorKind::kNotFound, [&] { FifoReader(directory_ / "no", {}, &cancel_); });
  MessageOf(ErrorKind::kInvalidArgument, [&] { FifoReader(directory_.path(), {}, &cancel_); });
}

}  // namespace
}  // namespace smtf
