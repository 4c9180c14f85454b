// Two processes that share a channel, save checkpoints, and are killed and restored at random.
#include <algorithm>
#include <array>
#include <future>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "pipe/channel_pipe_testing.h"
#include "pipe/other_process.h"

namespace smtf {
namespace {

constexpr int kMostKills = 5;
constexpr int kMorePipesThanAreRead = 1000;

// One of the two, in its lives.
struct Trainer {
  OtherProcess* process = nullptr;
  std::vector<int> had;
  size_t saved = 0;  // so many of them
};

class ChannelPipeKillsTest : public ChannelPipeTest, public testing::WithParamInterface<unsigned> {
 protected:
  ChannelPipeKillsTest() {
    options_ = Options();
    const auto answer = [this](const std::string& command) { return Do(command); };
    for (auto& life : lives_) life = std::make_unique<OtherProcess>(answer);
    for (Trainer& trainer : trainers_) trainer.process = NextLife();
  }

  // "resume 3" or "next"; see ChannelPipeSharingTest.
  std::string Do(const std::string& command) {
    try {
      ChannelPipe pipe(options_, &cancel_);
      const size_t space = command.find(' ');
      if (space != std::string::npos) pipe.Resume(In(std::stoull(command.substr(space)), 1));
      return ReadAll(&pipe);
    } catch (const std::exception& error) {
      return error.what();
    }
  }

  OtherProcess* NextLife() { return lives_.at(used_++).get(); }

  void Read(Trainer* trainer) { trainer->had.push_back(std::stoi(trainer->process->Ask("next"))); }

  void Restore(Trainer* trainer) {
    trainer->process->Reap();
    trainer->process = NextLife();
    trainer->had.resize(trainer->saved);
    const std::string last = std::to_string(trainer->had.back());
    EXPECT_EQ(trainer->process->Ask("resume " + last), "rest of " + last);
  }

  void Train(std::mt19937* random) {
    for (int step = 0; step < 24; ++step) {
      Trainer& trainer = trainers_[(*random)() % 2];
      const auto what = (*random)() % 10;
      if (what < 6) Read(&trainer);
      if (what == 6 || what == 7) trainer.saved = trainer.had.size();
      if (what > 7 && trainer.saved > 0 && used_ < 2 + kMostKills) Restore(&trainer);
    }
    for (int step = 0; step < 16; ++step) Read(&trainers_[step % 2]);
  }

  ChannelPipeOptions options_;
  std::array<std::unique_ptr<OtherProcess>, 2 + kMostKills> lives_;
  size_t used_ = 0;
  std::array<Trainer, 2> trainers_;
};

TEST_P(ChannelPipeKillsTest, EveryEpochIsReadByOneThatLives) {
  std::mt19937 random(GetParam());
  FeedClaim claim(directory_.path(), "c");
  auto feed = std::async(std::launch::async, [&] { FeedAsAsked(&claim, kMorePipesThanAreRead); });
  Train(&random);
  stop_.Signal();
  EXPECT_THROW(feed.get(), Error);  // it waits for the next reader
  std::map<int, int> times;
  for (const Trainer& trainer : trainers_) {
    for (const int epoch : trainer.had) ++times[epoch];
  }
  const int both = std::min(trainers_[0].had.back(), trainers_[1].had.back());
  for (int epoch = 0; epoch < both; ++epoch) EXPECT_GE(times[epoch], 1) << "epoch " << epoch;
}

INSTANTIATE_TEST_SUITE_P(Seeds, ChannelPipeKillsTest, testing::Range(0u, 16u));

}  // namespace
}  // namespace smtf
