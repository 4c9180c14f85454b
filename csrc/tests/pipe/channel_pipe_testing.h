// The channel of the ChannelPipe tests, and prefetchers for it.
#ifndef SMTF_TESTS_PIPE_CHANNEL_PIPE_TESTING_H_
#define SMTF_TESTS_PIPE_CHANNEL_PIPE_TESTING_H_

#include <chrono>
#include <string>

#include "pipe/channel_pipe.h"
#include "pipe/feed_claim.h"
#include "pipe/fifo_writer.h"
#include "pipe/pipe_testing.h"
#include "temporary_directory.h"

namespace smtf {

class ChannelPipeTest : public testing::Test {
 protected:
  ChannelPipeOptions Options(std::chrono::milliseconds timeout = std::chrono::seconds(20)) const {
    ChannelPipeOptions options;
    options.channel = "c";
    options.pipe_dir = options.state_dir = directory_.path();
    options.timeout = timeout;
    return options;
  }

  // The next epoch's bytes.
  std::string ReadEpoch() {
    ChannelPipe pipe(Options(), &cancel_);
    return ReadAll(&pipe);
  }

  uint64_t NextEpoch() const { return LoadEpochState(directory_.path(), "c").next; }

  // Feeds one epoch as the prefetcher does.
  void Feed(FeedClaim* claim, uint64_t epoch, const std::string& content,
            Outcome outcome = Done()) {
    FifoWriter writer(claim->BeginEpoch(epoch), &stop_);
    writer.Open();
    EXPECT_TRUE(writer.Write(content, nullptr) && writer.Drain());
    outcome.bytes += content.size();
    claim->RecordOutcome(epoch, outcome);
    writer.Close();
    claim->RemoveFifo(epoch);
  }

  // Feeds pipes as the prefetcher does, each with the number of its epoch of the data, and begins
  // where readers ask it to.
  void FeedAsAsked(FeedClaim* claim, int pipes) {
    uint64_t epoch = 0;
    for (int pipe = 0; pipe < pipes; ++pipe, ++epoch) {
      FifoWriter writer(claim->BeginEpoch(pipe), &stop_);
      writer.Open();
      const auto request = claim->TakeRequest(pipe);
      if (request) epoch = request->position.epoch;
      const bool rest = request && request->position.offset > 0;
      const auto log = claim->LogObjects(pipe, {epoch, "in order", request ? request->id : ""});
      const std::string content = (rest ? "rest of " : "") + std::to_string(epoch);
      EXPECT_TRUE(writer.Write(content, nullptr) && writer.Drain());
      Outcome outcome = Done();
      outcome.bytes = content.size();
      claim->RecordOutcome(pipe, outcome);
      writer.Close();
      claim->RemoveFifo(pipe);
    }
  }

  static StreamPosition In(uint64_t epoch, uint64_t offset = 0) {
    StreamPosition position;
    position.epoch = epoch;
    position.offset = offset;
    position.settings = "in order";
    return position;
  }

  static Outcome Done() {
    Outcome outcome;
    outcome.state = Outcome::State::kDone;
    return outcome;
  }

  static Outcome Failed(ErrorKind kind, const std::string& message) {
    Outcome outcome;
    outcome.state = Outcome::State::kError;
    outcome.error_kind = kind;
    outcome.error_message = message;
    return outcome;
  }

  TemporaryDirectory directory_;
  Wakeup stop_, cancel_;
};

}  // namespace smtf

#endif  // SMTF_TESTS_PIPE_CHANNEL_PIPE_TESTING_H_
