#include "prefetch/transfer_tuner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <queue>
#include <vector>

namespace smtf {
namespace {

using Clock = TransferTuner::Clock;
using std::chrono::milliseconds;

Clock::duration Seconds(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// A server and a link, as far as a tuner can see them: simulated time, no threads.
struct World {
  double first_byte_seconds = 0;
  double connection_rate = 1e9;  // bytes per second of one connection
  double link_rate = 1e12;       // of all of them together
  std::function<bool()> throttles = [] { return false; };
};

class Simulation {
 public:
  Simulation(const TunerOptions& options, World world) : tuner(options), world_(std::move(world)) {}

  // Keeps as many fetches under way as the tuner allows; returns the bytes that came.
  uint64_t Run(double seconds) {
    const Clock::time_point end = now_ + Seconds(seconds);
    uint64_t bytes = 0;
    while (now_ < end) {
      while (under_way_.size() < static_cast<size_t>(tuner.connections())) Begin();
      const TransferTuner::Sample done = under_way_.top();
      under_way_.pop();
      now_ = done.ended;
      tuner.Note(done);
      bytes += done.bytes;
    }
    return bytes;
  }

  TransferTuner tuner;

 private:
  struct EndsLater {
    bool operator()(const TransferTuner::Sample& a, const TransferTuner::Sample& b) const {
      return a.ended > b.ended;
    }
  };

  void Begin() {
    TransferTuner::Sample sample;
    sample.began = now_;
    sample.throttled = world_.throttles();
    if (sample.throttled) {
      sample.ended = now_ + Seconds(0.01);
    } else {
      const double share = world_.link_rate / static_cast<double>(under_way_.size() + 1);
      sample.bytes = tuner.part_bytes();
      sample.first_byte_seconds = world_.first_byte_seconds;
      sample.ended =
          now_ + Seconds(world_.first_byte_seconds + static_cast<double>(sample.bytes) /
                                                         std::min(share, world_.connection_rate));
    }
    under_way_.push(sample);
  }

  World world_;
  Clock::time_point now_{std::chrono::hours(1)};
  std::priority_queue<TransferTuner::Sample, std::vector<TransferTuner::Sample>, EndsLater>
      under_way_;
};

TunerOptions Roomy() {
  TunerOptions options;
  options.memory_bytes = size_t{8} << 30;
  return options;
}

TEST(TransferTunerTest, GrowsWhileEveryConnectionBringsMore) {
  World world;
  world.first_byte_seconds = 0.03;
  world.connection_rate = 80e6;
  Simulation simulation(Roomy(), world);
  EXPECT_EQ(simulation.tuner.connections(), 4);
  simulation.Run(20);
  EXPECT_EQ(simulation.tuner.connections(), 64);
}

TEST(TransferTunerTest, StaysSmallWhereTheLinkIsFull) {
  World world;
  world.link_rate = 2e9;
  Simulation simulation(Roomy(), world);
  simulation.Run(5);
  EXPECT_LE(simulation.tuner.connections(), 8);
}

TEST(TransferTunerTest, StopsGrowingWhereTheLinkIsFull) {
  World world;
  world.first_byte_seconds = 0.02;
  world.connection_rate = 80e6;
  world.link_rate = 1e9;  // 13 connections
  Simulation simulation(Roomy(), world);
  simulation.Run(9);
  EXPECT_GE(simulation.tuner.connections(), 8);
  EXPECT_LE(simulation.tuner.connections(), 32);
}

TEST(TransferTunerTest, FastConnectionsAreLeftAloneForAWhile) {
  World world;
  world.first_byte_seconds = 0.0005;
  world.connection_rate = 500e6;
  Simulation simulation(Roomy(), world);
  simulation.Run(1.5);
  EXPECT_EQ(simulation.tuner.connections(), 4);
  simulation.Run(5);
  EXPECT_GE(simulation.tuner.connections(), 8);
}

TEST(TransferTunerTest, PartsRunFurtherAheadAtADistance) {
  World world;
  world.first_byte_seconds = 0.0005;
  Simulation near(Roomy(), world);
  near.Run(1);
  EXPECT_EQ(near.tuner.ahead_bytes(), size_t{8} << 20);
  EXPECT_EQ(near.tuner.ready_bytes(), size_t{64} << 20);
  world.first_byte_seconds = 0.02;
  Simulation far(Roomy(), world);
  far.Run(1);
  EXPECT_EQ(far.tuner.ahead_bytes(), size_t{32} << 20);
  EXPECT_EQ(far.tuner.ready_bytes(), Roomy().memory_bytes);
}

TEST(TransferTunerTest, ABusyMachineIsNoDistance) {
  TransferTuner tuner(Roomy());
  Clock::time_point now{std::chrono::hours(1)};
  for (int i = 0; i < 1000; ++i) {
    // Two fetches of three wait for a processor.
    const double wait = i % 3 == 0 ? 0.001 : 0.06;
    tuner.Note({now, now + milliseconds(70), size_t{4} << 20, wait, false});
    now += milliseconds(10);
  }
  EXPECT_EQ(tuner.most_fetches(), tuner.connections());
  EXPECT_EQ(tuner.part_bytes(), size_t{4} << 20);
  EXPECT_EQ(tuner.ready_bytes(), size_t{64} << 20);
}

TEST(TransferTunerTest, ASlowReaderNeverMakesItGrow) {
  TransferTuner tuner(Roomy());
  Clock::time_point now{std::chrono::hours(1)};
  for (int i = 0; i < 10000; ++i) {
    tuner.NoteReaderBehind();
    tuner.Note({now, now + milliseconds(10), 1 << 20, 0.001, false});
    now += milliseconds(10);
  }
  EXPECT_EQ(tuner.connections(), 4);
}

TEST(TransferTunerTest, AGivenNumberAndSizeStay) {
  TunerOptions options = Roomy();
  options.connections = 3;
  options.part_bytes = 12345;
  World world;
  world.first_byte_seconds = 0.1;
  world.connection_rate = 50e6;
  Simulation simulation(options, world);
  simulation.Run(5);
  EXPECT_EQ(simulation.tuner.connections(), 3);
  EXPECT_EQ(simulation.tuner.part_bytes(), 12345u);
}

TEST(TransferTunerTest, PartsGrowUntilATransferIsLongerThanTheWaitBeforeIt) {
  TunerOptions options = Roomy();
  options.connections = 8;
  World world;
  world.first_byte_seconds = 0.1;
  world.connection_rate = 50e6;
  Simulation near(options, world);
  near.Run(10);
  EXPECT_EQ(near.tuner.part_bytes(), size_t{8} << 20);
  world.first_byte_seconds = 0.5;
  Simulation far(options, world);
  EXPECT_EQ(far.tuner.part_bytes(), size_t{4} << 20);
  far.Run(20);
  EXPECT_EQ(far.tuner.part_bytes(), size_t{64} << 20);
}

TEST(TransferTunerTest, TheNextRequestIsSentByTheWaitEarlier) {
  TunerOptions options = Roomy();
  options.connections = 8;
  World world;
  world.first_byte_seconds = 0.1;
  world.connection_rate = 50e6;
  Simulation simulation(options, world);
  EXPECT_EQ(simulation.tuner.most_fetches(), 8);
  EXPECT_FALSE(simulation.tuner.LeadAfter(50'000'000));
  simulation.Run(5);
  EXPECT_EQ(simulation.tuner.most_fetches(), 16);
  const auto lead = simulation.tuner.LeadAfter(50'000'000);
  ASSERT_TRUE(lead);
  EXPECT_NEAR(std::chrono::duration<double>(*lead).count(), 0.9, 0.01);
}

TEST(TransferTunerTest, FetchesDoNotOverlapNearby) {
  World world;
  world.first_byte_seconds = 0.002;
  Simulation simulation(Roomy(), world);
  simulation.Run(5);
  EXPECT_EQ(simulation.tuner.most_fetches(), simulation.tuner.connections());
  EXPECT_FALSE(simulation.tuner.LeadAfter(1));
}

TEST(TransferTunerTest, TheMemoryHoldsAPartForEveryFetch) {
  TunerOptions options;
  options.memory_bytes = size_t{256} << 20;
  options.connections = 8;
  World world;
  world.first_byte_seconds = 1;
  Simulation simulation(options, world);
  simulation.Run(60);
  EXPECT_EQ(simulation.tuner.part_bytes(), size_t{16} << 20);
  options.memory_bytes = size_t{8} << 20;
  EXPECT_EQ(TransferTuner(options).part_bytes(), size_t{4} << 20);
}

TEST(TransferTunerTest, AStormHalvesTheNumberAndItComesBack) {
  TunerOptions options = Roomy();
  options.connections = 16;
  bool storm = false;
  World world;
  world.first_byte_seconds = 0.02;
  world.connection_rate = 100e6;
  world.throttles = [&storm] { return storm; };
  Simulation simulation(options, world);
  simulation.Run(2);
  EXPECT_EQ(simulation.tuner.connections(), 16);
  EXPECT_TRUE(simulation.tuner.calm());
  storm = true;
  simulation.Run(5);
  EXPECT_EQ(simulation.tuner.connections(), 1);
  EXPECT_FALSE(simulation.tuner.calm());
  storm = false;
  simulation.Run(10);
  EXPECT_EQ(simulation.tuner.connections(), 16);
  EXPECT_TRUE(simulation.tuner.calm());
}

TEST(TransferTunerTest, AFewThrottledAnswersAreLeftToTheRetries) {
  TunerOptions options = Roomy();
  options.connections = 16;
  int requests = 0;
  World world;
  world.first_byte_seconds = 0.02;
  world.throttles = [&requests] { return ++requests % 20 == 0; };
  Simulation simulation(options, world);
  for (int i = 0; i < 50; ++i) {
    simulation.Run(0.1);
    EXPECT_EQ(simulation.tuner.connections(), 16);
  }
}

}  // namespace
}  // namespace smtf
