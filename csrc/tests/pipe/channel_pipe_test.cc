#include "pipe/channel_pipe.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <future>
#include <thread>
#include <vector>

#include "pipe/channel_pipe_testing.h"
#include "pipe/feed_claim.h"
#include "pipe/fifo_writer.h"
#include "pipe/flock_holder.h"
#include "pipe/pipe_testing.h"

namespace smtf {
namespace {

using std::chrono::milliseconds;

TEST_F(ChannelPipeTest, EpochsFollowEachOtherAndAnUnreadPipeCostsNone) {
  FeedClaim claim(directory_.path(), "c");
  auto feed = std::async(std::launch::async, [&] {
    Feed(&claim, 0, "zero");
    Feed(&claim, 1, "");
    Feed(&claim, 2, "two");
  });
  {
    const ChannelPipe never_read(Options(), &cancel_);
  }
  EXPECT_EQ(NextEpoch(), 0u);
  EXPECT_EQ(ReadEpoch(), "zero");
  EXPECT_EQ(ReadEpoch(), "");
  EXPECT_EQ(ReadEpoch(), "two");
  EXPECT_EQ(NextEpoch(), 3u);
  feed.get();
}

TEST_F(ChannelPipeTest, WithoutAPrefetcherOfOursAnEndIsAnEnd) {
  for (const char* content : {"zero", "one"}) {
    MakeFifo(directory_ / ("c_" + std::to_string(NextEpoch())));
    std::thread agent(
        [&] { std::ofstream(directory_ / ("c_" + std::to_string(NextEpoch()))) << content; });
    EXPECT_EQ(ReadEpoch(), content);
    agent.join();
  }
}

TEST_F(ChannelPipeTest, AnAgentsEpochsBeginAtZeroAfterAPrefetchersOfOurs) {
  SaveEpochState(directory_.path(), "c", {5, "stopped since"});
  MakeFifo(directory_ / "c_0");
  std::thread agent([&] { std::ofstream(directory_ / "c_0") << "zero"; });
  EXPECT_EQ(ReadEpoch(), "zero");
  EXPECT_EQ(NextEpoch(), 1u);
  agent.join();
}

TEST_F(ChannelPipeTest, ReadersThatBeginTogetherGetAnEpochEach) {
  FeedClaim claim(directory_.path(), "c");
  const std::string epoch = Pattern(3'000'000);
  constexpr int kReaders = 4;
  std::vector<std::future<std::string>> reads;
  for (int i = 0; i < kReaders; ++i) {
    reads.push_back(std::async(std::launch::async, [this] { return ReadEpoch(); }));
  }
  for (int i = 0; i < kReaders; ++i) Feed(&claim, i, epoch);
  for (auto& read : reads) EXPECT_TRUE(read.get() == epoch);
  EXPECT_EQ(NextEpoch(), uint64_t{kReaders});
}

TEST_F(ChannelPipeTest, APipeThatAnotherReaderHoldsIsNotShared) {
  FeedClaim claim(directory_.path(), "c");
  FifoReader holder(claim.BeginEpoch(0), {}, &cancel_);
  ASSERT_TRUE(holder.Lock());
  ChannelPipe pipe(Options(milliseconds(30)), &cancel_);
  const std::string message = MessageOf(ErrorKind::kDeadlineExceeded, [&] { ReadAll(&pipe); });
  EXPECT_NE(message.find("held by another reader"), std::string::npos);
  EXPECT_NE(message.find("another iterator of this process has opened it"), std::string::npos);
}

TEST_F(ChannelPipeTest, TheProcessThatHoldsAPipeIsNamed) {
  FeedClaim claim(directory_.path(), "c");
  const std::string path = claim.BeginEpoch(0);
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t holder = fork();
  if (holder == 0) {
    FifoReader reader(path, {}, &cancel_);
    const char locked = reader.Lock() ? 'y' : 'n';
    if (write(ready[1], &locked, 1) == 1) pause();
    _exit(1);
  }
  char locked = 0;
  ASSERT_EQ(read(ready[0], &locked, 1), 1);
  EXPECT_EQ(locked, 'y');
  ChannelPipe pipe(Options(milliseconds(30)), &cancel_);
  const std::string message = MessageOf(ErrorKind::kDeadlineExceeded, [&] { ReadAll(&pipe); });
  EXPECT_NE(message.find("process " + std::to_string(holder) + " has opened it"), std::string::npos)
      << message;
  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  for (const int fd : ready) close(fd);
}

TEST_F(ChannelPipeTest, AnEndWithoutTheOutcomeOfItsPrefetcherIsAnError) {
  for (const bool replaced : {false, true}) {
    auto claim = std::make_unique<FeedClaim>(directory_.path(), "c");
    FifoWriter writer(claim->BeginEpoch(0), &stop_);
    ChannelPipe pipe(Options(), &cancel_);
    auto open = std::async(std::launch::async, [&] {
      writer.Open();
      writer.Write("abc", nullptr);
    });
    char byte;
    EXPECT_EQ(pipe.Read(&byte, 1), 1u);
    open.get();
    claim->RecordOutcome(0, Done());
    claim.reset();
    if (replaced) claim = std::make_unique<FeedClaim>(directory_.path(), "c");
    unlink(OutcomePath(directory_.path(), "c", 0).c_str());
    writer.Close();
    MessageOf(ErrorKind::kUnavailable, [&] { ReadAll(&pipe); });
  }
}

TEST_F(ChannelPipeTest, ThePrefetchersErrorIsThrownAtTheEndAndTheEpochIsUsed) {
  FeedClaim claim(directory_.path(), "c");
  auto feed = std::async(std::launch::async, [&] {
    Feed(&claim, 0, "abc", Failed(ErrorKind::kPermissionDenied, "s3://b/k: 403 AccessDenied"));
  });
  ChannelPipe pipe(Options(), &cancel_);
  EXPECT_EQ(MessageOf(ErrorKind::kPermissionDenied, [&] { ReadAll(&pipe); }),
            "s3://b/k: 403 AccessDenied");
  EXPECT_EQ(NextEpoch(), 1u);
  feed.get();
}

TEST_F(ChannelPipeTest, AReaderThatGivesUpAndLivesOnKeepsNobodyFromTheNextEpoch) {
  FeedClaim claim(directory_.path(), "c");
  auto feed = std::async(std::launch::async, [&] {
    FifoWriter writer(claim.BeginEpoch(0), &stop_);
    writer.Open();
    claim.LogObjects(0, {3, "in order", ""})->Add({0, 0, "file:///a", "v1", 0, ""});
    const std::string more_than_fits(10'000'000, 'x');
    EXPECT_FALSE(writer.Write(more_than_fits, nullptr));
    EXPECT_TRUE(writer.ReaderLeft());
    Outcome outcome;
    outcome.state = Outcome::State::kAbandoned;
    claim.RecordOutcome(0, outcome);
    claim.RemoveFifo(0);
    Feed(&claim, 1, "next");
  });
  ChannelPipe pipe(Options(), &cancel_);
  char byte;
  EXPECT_EQ(pipe.Read(&byte, 1), 1u);
  pipe.GiveUp();
  EXPECT_EQ(ReadEpoch(), "next");
  EXPECT_EQ(pipe.PositionAt(1)->offset, 1u);
  EXPECT_EQ(pipe.Read(&byte, 1), 0u);
  feed.get();
}

TEST_F(ChannelPipeTest, FewerBytesThanWereWrittenAreDataLoss) {
  FeedClaim claim(directory_.path(), "c");
  Outcome more = Done();
  more.bytes = 5;
  auto feed = std::async(std::launch::async, [&] { Feed(&claim, 0, "abc", more); });
  ChannelPipe pipe(Options(), &cancel_);
  const std::string message = MessageOf(ErrorKind::kDataLoss, [&] { ReadAll(&pipe); });
  EXPECT_NE(message.find("after 3 bytes"), std::string::npos);
  EXPECT_NE(message.find("wrote 8"), std::string::npos);
  feed.get();
}

TEST_F(ChannelPipeTest, AKilledPrefetcherIsAnErrorWhateverTheReaderWaitsFor) {
  // At which point the child stops, for ever: before it opens the pipe, or in the middle of it.
  for (const bool opens : {false, true}) {
    const TemporaryDirectory directory;
    const pid_t child = fork();
    if (child == 0) {
      FeedClaim claim(directory.path(), "c");
      const std::string fifo = claim.BeginEpoch(0);
      FifoWriter writer(fifo, &stop_);
      if (opens) {
        writer.Open();
        writer.Write("abc", nullptr);
      }
      pause();
    }
    ChannelPipeOptions options = Options();
    options.pipe_dir = options.state_dir = directory.path();
    auto read = std::async(std::launch::async, [&] {
      ChannelPipe pipe(options, &cancel_);
      return MessageOf(ErrorKind::kUnavailable, [&] { ReadAll(&pipe); });
    });
    // Until the reader has the pipe, and so has seen the prefetcher alive.
    while (!FlockHolder(FifoPath(directory.path(), "c", 0))) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    EXPECT_NE(read.get().find("process " + std::to_string(child)), std::string::npos);
  }
}

TEST_F(ChannelPipeTest, APrefetcherThatIsStoppedTellsTheWaitingReader) {
  auto claim = std::make_unique<FeedClaim>(directory_.path(), "c");
  claim->BeginEpoch(0);
  auto read = std::async(std::launch::async, [&] {
    ChannelPipe pipe(Options(), &cancel_);
    return MessageOf(ErrorKind::kUnavailable, [&] { ReadAll(&pipe); });
  });
  std::this_thread::sleep_for(milliseconds(100));
  claim->RecordOutcome(0, Failed(ErrorKind::kUnavailable, "the prefetcher was stopped"));
  claim.reset();
  EXPECT_EQ(read.get(), "the prefetcher was stopped");
}

TEST_F(ChannelPipeTest, ANewPrefetcherBeginsAtEpochZeroForAReaderWithAnOldState) {
  SaveEpochState(directory_.path(), "c", {5, "yesterday"});
  FeedClaim claim(directory_.path(), "c");
  auto feed = std::async(std::launch::async, [&] { Feed(&claim, 0, "zero"); });
  EXPECT_EQ(ReadEpoch(), "zero");
  EXPECT_EQ(NextEpoch(), 1u);
  feed.get();
}

TEST_F(ChannelPipeTest, WhatADeadPrefetcherLeftIsWaitedOutUntilTheNextStarts) {
  const pid_t child = fork();
  if (child == 0) {
    FeedClaim claim(directory_.path(), "c");
    claim.BeginEpoch(0);
    _exit(0);  // leaves its files, as a kill does
  }
  waitpid(child, nullptr, 0);
  auto read = std::async(std::launch::async, [this] { return ReadEpoch(); });
  std::this_thread::sleep_for(milliseconds(50));
  FeedClaim claim(directory_.path(), "c");
  Feed(&claim, 0, "fresh");
  EXPECT_EQ(read.get(), "fresh");
}

TEST_F(ChannelPipeTest, NoOtherPrefetcherIsWaitedForWhereOneWasStarted) {
  ChannelPipeOptions options = Options();
  options.started = true;
  const auto read = [&] {
    ChannelPipe pipe(options, &cancel_);
    return ReadAll(&pipe);
  };
  MessageOf(ErrorKind::kUnavailable, read);
  const pid_t child = fork();
  if (child == 0) {
    FeedClaim claim(directory_.path(), "c");
    claim.BeginEpoch(0);
    _exit(0);  // leaves its files, as a kill does
  }
  waitpid(child, nullptr, 0);
  EXPECT_NE(MessageOf(ErrorKind::kUnavailable, read).find("process " + std::to_string(child)),
            std::string::npos);
  FeedClaim claim(directory_.path(), "c");
  auto feed = std::async(std::launch::async, [&] { Feed(&claim, 0, "fresh"); });
  while (!ReadOutcome(directory_.path(), "c", 0)) std::this_thread::yield();
  EXPECT_EQ(read(), "fresh");
  feed.get();
}

TEST_F(ChannelPipeTest, AnEpochThatEndedWithoutBeingNotedDownIsPassedOver) {
  FeedClaim claim(directory_.path(), "c");
  Outcome abandoned;
  abandoned.state = Outcome::State::kAbandoned;
  claim.BeginEpoch(0);
  claim.RecordOutcome(0, abandoned);
  claim.RemoveFifo(0);
  auto feed = std::async(std::launch::async, [&] { Feed(&claim, 1, "one"); });
  EXPECT_EQ(ReadEpoch(), "one");
  feed.get();
}

TEST_F(ChannelPipeTest, AnEpochThatItsPrefetcherGaveUpIsNeverWhole) {
  FeedClaim claim(directory_.path(), "c");
  Outcome abandoned;
  abandoned.state = Outcome::State::kAbandoned;
  auto feed = std::async(std::launch::async, [&] { Feed(&claim, 0, "abc", abandoned); });
  ChannelPipe pipe(Options(), &cancel_);
  MessageOf(ErrorKind::kDataLoss, [&] { ReadAll(&pipe); });
  feed.get();
}

TEST_F(ChannelPipeTest, AnOutcomeThatWasLeftBehindSaysNothingOfAnotherWritersPipe) {
  {
    FeedClaim claim(directory_.path(), "c");
    claim.BeginEpoch(0);
    claim.RecordOutcome(0, Failed(ErrorKind::kUnavailable, "the prefetcher was stopped"));
  }
  MakeFifo(directory_ / "c_0");
  std::thread agent([this] { std::ofstream(directory_ / "c_0") << "content"; });
  EXPECT_EQ(ReadEpoch(), "content");
  agent.join();
}

TEST_F(ChannelPipeTest, AnOldErrorIsNotRaisedAgainInANewJob) {
  FeedClaim claim(directory_.path(), "c");
  claim.BeginEpoch(0);
  claim.RecordOutcome(0, Failed(ErrorKind::kNotFound, "s3://b/k: 404"));
  claim.RemoveFifo(0);
  auto feed = std::async(std::launch::async, [&] { Feed(&claim, 1, "one"); });
  while (!ReadOutcome(directory_.path(), "c", 1)) std::this_thread::yield();
  EXPECT_EQ(ReadEpoch(), "one");
  feed.get();
}

TEST_F(ChannelPipeTest, APipeThatLosesItsPrefetcherToTheNextIsNoEnd) {
  auto claim = std::make_unique<FeedClaim>(directory_.path(), "c");
  const std::string fifo = claim->BeginEpoch(0);
  auto read = std::async(std::launch::async, [&] {
    ChannelPipe pipe(Options(), &cancel_);
    std::string first(3, '\0');
    EXPECT_EQ(pipe.Read(first.data(), 3), 3u);
    std::this_thread::sleep_for(milliseconds(100));
    return MessageOf(ErrorKind::kUnavailable, [&] { ReadAll(&pipe); });
  });
  FifoWriter writer(fifo, &stop_);
  writer.Open();
  EXPECT_TRUE(writer.Write("abc", nullptr) && writer.Drain());
  claim.reset();
  const FeedClaim next(directory_.path(), "c");
  writer.Close();
  EXPECT_NE(read.get(), "");
}

TEST_F(ChannelPipeTest, AMissingPipeIsAnErrorThatSaysWhatIsThere) {
  std::ofstream(directory_ / "other_0") << "";
  ChannelPipe pipe(Options(milliseconds(30)), &cancel_);
  const std::string message = MessageOf(ErrorKind::kDeadlineExceeded, [&] { ReadAll(&pipe); });
  EXPECT_NE(message.find(directory_ / "c_0"), std::string::npos);
  EXPECT_NE(message.find("holds other_0"), std::string::npos);
  EXPECT_NE(message.find("start the prefetcher"), std::string::npos);
}

TEST_F(ChannelPipeTest, CancelEndsTheWaitForAPipe) {
  auto read = std::async(std::launch::async, [this] {
    ChannelPipe pipe(Options(), &cancel_);
    MessageOf(ErrorKind::kCancelled, [&] { ReadAll(&pipe); });
  });
  cancel_.Signal();
  read.get();
}

}  // namespace
}  // namespace smtf
