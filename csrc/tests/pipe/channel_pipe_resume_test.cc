// ChannelPipe where readers go on in the middle, or behind those that do.
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "pipe/channel_pipe_testing.h"
#include "pipe/resume_request.h"

namespace smtf {
namespace {

using ChannelPipeResumeTest = ChannelPipeTest;

TEST_F(ChannelPipeResumeTest, AsksThePrefetcherToGoOnAndKnowsWhereItIs) {
  FeedClaim claim(directory_.path(), "c");
  StreamPosition wanted;
  wanted.epoch = 7;
  wanted.object = 3;
  wanted.name = "file:///b";
  wanted.offset = 10;
  std::optional<ResumeRequest> request;
  auto feed = std::async(std::launch::async, [&] {
    FifoWriter writer(claim.BeginEpoch(0), &stop_);
    writer.Open();
    request = claim.TakeRequest(0);
    const auto log = claim.LogObjects(0, {7, "in order", request->id});
    log->Add({0, 3, "file:///b", "v1", 10, ""});
    EXPECT_TRUE(writer.Write("0123", nullptr));
    log->Add({4, 4, "file:///c", "v2", 0, "all"});
    EXPECT_TRUE(writer.Write("456789", nullptr) && writer.Drain());
    Outcome outcome = Done();
    outcome.bytes = 10;
    claim.RecordOutcome(0, outcome);
  });
  ChannelPipe pipe(Options(), &cancel_);
  pipe.Resume(wanted);
  EXPECT_EQ(pipe.PositionAt(0)->offset, 10u);
  EXPECT_EQ(ReadAll(&pipe, 3), "0123456789");
  feed.get();
  EXPECT_EQ(request->position.object, 3u);
  EXPECT_EQ(request->position.name, "file:///b");
  const StreamPosition in_b = *pipe.PositionAt(3);
  EXPECT_EQ(in_b.name + " " + std::to_string(in_b.offset), "file:///b 13");
  const StreamPosition in_c = *pipe.PositionAt(10);
  EXPECT_EQ(FormatPosition(in_c),
            R"({"epoch":7,"etag":"v2","name":"file:///c","object":4,"objects":"all","offset":6,)"
            R"("settings":"in order"})");
}

TEST_F(ChannelPipeResumeTest, APipeThatBeginsWhereAnotherReaderWantedItIsPassedOver) {
  FeedClaim claim(directory_.path(), "c");
  const auto feed_pipe = [&](uint64_t pipe, const std::string& request, const char* content) {
    FifoWriter writer(claim.BeginEpoch(pipe), &stop_);
    writer.Open();
    claim.LogObjects(pipe, {0, "", request});
    const bool read = writer.Write(content, nullptr) && writer.Drain();
    Outcome outcome = Done();
    outcome.bytes = writer.bytes_written();
    claim.RecordOutcome(pipe, outcome);
    writer.Close();
    claim.RemoveFifo(pipe);
    return read;
  };
  {
    auto feed = std::async(std::launch::async, [&] {
      feed_pipe(0, "a dead reader", "middle");
      feed_pipe(1, "", "whole");
    });
    EXPECT_EQ(ReadEpoch(), "whole");
    feed.get();
  }
  // Not for ever.
  auto feed = std::async(std::launch::async, [&] {
    for (uint64_t pipe = 2; pipe < 7; ++pipe) feed_pipe(pipe, "somebody", "middle");
  });
  EXPECT_NE(MessageOf(ErrorKind::kUnavailable, [&] { ReadEpoch(); })
                .find("begins where another reader wanted to go on, 5 times in a row"),
            std::string::npos);
  feed.get();
}

TEST_F(ChannelPipeResumeTest, RestoredInAnyOrderNoEpochIsReadTwiceAndNoneIsLeftOut) {
  for (const bool ended_first : {true, false}) {
    const TemporaryDirectory directory;
    ChannelPipeOptions options = Options();
    options.pipe_dir = options.state_dir = directory.path();
    FeedClaim claim(directory.path(), "c");
    auto feed = std::async(std::launch::async, [&] { FeedAsAsked(&claim, 4); });
    ChannelPipe reading(options, &cancel_), ended(options, &cancel_);
    if (ended_first) ended.EndedIn(In(3));
    reading.Resume(In(4, 1));
    if (!ended_first) ended.EndedIn(In(3));
    const auto next = [&] {
      ChannelPipe pipe(options, &cancel_);
      return std::to_string(pipe.PositionAt(0)->epoch) + ": " + ReadAll(&pipe);
    };
    EXPECT_EQ(next(), "5: 5");
    EXPECT_EQ(ReadAll(&reading), "rest of 4");
    EXPECT_EQ(next(), "6: 6");
    EXPECT_EQ(next(), "7: 7");
    feed.get();
  }
}

TEST_F(ChannelPipeResumeTest, AGoingBackBeginsThere) {
  FeedClaim claim(directory_.path(), "c");
  auto feed = std::async(std::launch::async, [&] { FeedAsAsked(&claim, 5); });
  const auto read_from = [&](uint64_t epoch) {
    ChannelPipe pipe(Options(), &cancel_);
    pipe.Resume(In(epoch, 1));
    return ReadAll(&pipe);
  };
  EXPECT_EQ(read_from(7), "rest of 7");
  EXPECT_EQ(ReadEpoch(), "8");
  EXPECT_EQ(read_from(2), "rest of 2");
  EXPECT_EQ(ReadEpoch(), "3");
  EXPECT_EQ(ReadEpoch(), "4");
  feed.get();
}

TEST_F(ChannelPipeResumeTest, IteratorsThatHadReadNothingGetAnEpochEach) {
  FeedClaim claim(directory_.path(), "c");
  auto feed = std::async(std::launch::async, [&] { FeedAsAsked(&claim, 2); });
  ChannelPipe one(Options(), &cancel_), other(Options(), &cancel_);
  one.BeginFrom(In(2));
  other.BeginFrom(In(2));
  EXPECT_EQ(one.PositionAt(0)->epoch, 2u);
  EXPECT_EQ(ReadAll(&one), "2");
  EXPECT_EQ(other.PositionAt(0)->epoch, 3u);
  EXPECT_EQ(ReadAll(&other), "3");
  feed.get();
}

TEST_F(ChannelPipeResumeTest, ReadersThatResumeTogetherWasteNoPipe) {
  FeedClaim claim(directory_.path(), "c");
  constexpr int kReaders = 6;
  std::vector<std::future<std::string>> reads;
  for (int i = 0; i < kReaders; ++i) {
    reads.push_back(std::async(std::launch::async, [this, i] {
      ChannelPipe pipe(Options(), &cancel_);
      pipe.Resume(In(10 * i, 1));
      return ReadAll(&pipe);
    }));
  }
  FeedAsAsked(&claim, kReaders);
  for (int i = 0; i < kReaders; ++i) EXPECT_EQ(reads[i].get(), "rest of " + std::to_string(10 * i));
}

TEST_F(ChannelPipeResumeTest, WhatADeadReaderAskedForIsNotForTheNext) {
  FeedClaim claim(directory_.path(), "c");
  claim.BeginEpoch(0);
  WriteResumeRequest(directory_.path(), "c", {"of a reader that died", 0, In(5, 1)});
  claim.RemoveFifo(0);
  auto feed = std::async(std::launch::async, [&] { FeedAsAsked(&claim, 1); });
  EXPECT_EQ(ReadEpoch(), "0");
  feed.get();
}

TEST_F(ChannelPipeResumeTest, WhatIsRefusedIsNotAskedForByTheNext) {
  FeedClaim claim(directory_.path(), "c");
  auto feed = std::async(std::launch::async, [&] {
    FifoWriter writer(claim.BeginEpoch(0), &stop_);
    writer.Open();
    claim.LogObjects(0, {0, "in order", claim.TakeRequest(0)->id});
    claim.RecordOutcome(0, Failed(ErrorKind::kFailedPrecondition, "it was changed"));
    FifoWriter next(claim.BeginEpoch(1), &stop_);
    writer.Close();
    claim.RemoveFifo(0);
    next.Open();
    EXPECT_FALSE(claim.TakeRequest(1).has_value());
    claim.LogObjects(1, {1, "in order", ""});
    claim.RecordOutcome(1, Done());
  });
  ChannelPipe pipe(Options(), &cancel_);
  pipe.Resume(In(5, 1));
  EXPECT_EQ(MessageOf(ErrorKind::kFailedPrecondition, [&] { ReadAll(&pipe); }), "it was changed");
  EXPECT_EQ(ReadEpoch(), "");
  feed.get();
}

// For one pipe of a prefetcher that has no room for a log.
class UnloggedTest : public ChannelPipeTest {
 protected:
  void FeedUnlogged(FeedClaim* claim, const std::string& content) {
    FifoWriter writer(claim->BeginEpoch(0), &stop_);
    writer.Open();
    claim->TakeRequest(0);
    EXPECT_TRUE(writer.Write(content, nullptr) && writer.Drain());
    Outcome outcome = Done();
    outcome.bytes = content.size();
    claim->RecordOutcome(0, outcome);
    writer.Close();
    claim->RemoveFifo(0);
  }

  std::string log_ = ObjectLogPath(directory_.path(), "c", 0);
};

TEST_F(UnloggedTest, APrefetcherThatCannotSayWhereItBeginsIsNotTakenForDead) {
  for (const bool begun : {false, true}) {
    FeedClaim claim(directory_.path(), "c");
    if (begun) directory_.WriteFile(log_.substr(directory_.path().size() + 1), "");
    auto feed = std::async(std::launch::async, [&] { FeedUnlogged(&claim, "content"); });
    ChannelPipe pipe(Options(), &cancel_);
    pipe.Resume(In(5, 1));
    const std::string words = MessageOf(ErrorKind::kUnavailable, [&] { ReadAll(&pipe); });
    EXPECT_NE(words.find("asked for, epoch 5: " + log_ + (begun ? " is empty" : " is not there") +
                         "; its prefetcher (process " + std::to_string(getpid()) +
                         ", which is alive) could not write it; make room in"),
              std::string::npos)
        << words;
    EXPECT_EQ(words.find("died"), std::string::npos) << words;
    feed.get();
  }
}

TEST_F(UnloggedTest, AnEpochThatIsReadWithoutALogCannotBeSaved) {
  FeedClaim claim(directory_.path(), "c");
  directory_.WriteFile(log_.substr(directory_.path().size() + 1), "");
  auto feed = std::async(std::launch::async, [&] { FeedUnlogged(&claim, "content"); });
  ChannelPipe pipe(Options(), &cancel_);
  EXPECT_EQ(ReadAll(&pipe), "content");
  feed.get();
  EXPECT_NE(MessageOf(ErrorKind::kUnavailable, [&] { pipe.PositionAt(3); })
                .find("could not write " + log_ + " any further; make room"),
            std::string::npos);
}

TEST_F(UnloggedTest, WhatWasRestoredIsNotReadTwiceBecauseOfIt) {
  FeedClaim claim(directory_.path(), "c");
  ChannelPipe ended(Options(), &cancel_);
  ended.EndedIn(In(2));
  auto feed = std::async(std::launch::async, [&] { FeedAsAsked(&claim, 3); });
  EXPECT_EQ(ReadEpoch(), "3");
  std::ofstream(ObjectLogPath(directory_.path(), "c", 0));  // empties it
  EXPECT_EQ(ReadEpoch(), "4");
  EXPECT_EQ(ReadEpoch(), "5");
  feed.get();
}

TEST_F(UnloggedTest, ADirectoryThatIsRemovedIsNamed) {
  auto claim = std::make_unique<FeedClaim>(directory_.path(), "c");
  auto feed = std::async(std::launch::async, [&] {
    FifoWriter writer(claim->BeginEpoch(0), &stop_);
    writer.Open();
    std::filesystem::remove_all(directory_.path());
    claim.reset();
  });
  const TemporaryDirectory state;
  ChannelPipeOptions options = Options();
  options.state_dir = state.path();
  ChannelPipe pipe(options, &cancel_);
  pipe.Resume(In(5, 1));
  EXPECT_NE(MessageOf(ErrorKind::kUnavailable, [&] { ReadAll(&pipe); })
                .find("and so is the directory " + directory_.path() + ": it was closed"),
            std::string::npos);
  feed.get();
}

TEST_F(ChannelPipeResumeTest, WhatCouldNotBeHadThisTimeIsAskedForByTheNext) {
  FeedClaim claim(directory_.path(), "c");
  auto feed = std::async(std::launch::async, [&] {
    FifoWriter writer(claim.BeginEpoch(0), &stop_);
    writer.Open();
    claim.LogObjects(0, {5, "in order", claim.TakeRequest(0)->id});
    claim.RecordOutcome(0, Failed(ErrorKind::kUnavailable, "503"));
    FifoWriter next(claim.BeginEpoch(1), &stop_);
    writer.Close();
    claim.RemoveFifo(0);
    next.Open();
    const auto request = claim.TakeRequest(1);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->position.epoch, 6u);
    claim.LogObjects(1, {6, "in order", request->id});
    claim.RecordOutcome(1, Done());
  });
  ChannelPipe pipe(Options(), &cancel_);
  pipe.Resume(In(5, 1));
  EXPECT_EQ(MessageOf(ErrorKind::kUnavailable, [&] { ReadAll(&pipe); }), "503");
  EXPECT_EQ(ReadEpoch(), "");
  feed.get();
}

}  // namespace
}  // namespace smtf
