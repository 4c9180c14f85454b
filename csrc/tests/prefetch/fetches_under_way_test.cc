#include "prefetch/fetches_under_way.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>

namespace smtf {
namespace {

using Clock = FetchesUnderWay::Clock;
using std::chrono::milliseconds;
constexpr size_t kMiB = size_t{1} << 20;

class Nudged : public ObjectFetcher {
 public:
  FetchResult Fetch(const FetchRequest&, const std::atomic<bool>&) override { return {}; }
  void Nudge() noexcept override { ++nudges; }
  int nudges = 0;
};

std::shared_ptr<Part> MakePart(size_t size) {
  PartSpec spec;
  spec.size = size;
  return std::make_shared<Part>(spec, Buffer());
}

TransferTuner Tuner(int connections) {
  TunerOptions options;
  options.connections = connections;
  return TransferTuner(options);
}

class FetchesUnderWayTest : public testing::Test {
 protected:
  std::shared_ptr<Part> Add(size_t size = kMiB) {
    auto part = MakePart(size);
    fetches_.Add(part, &fetcher_);
    return part;
  }

  Nudged fetcher_;
  FetchesUnderWay fetches_;
  Clock::time_point when_;
};

TEST_F(FetchesUnderWayTest, AddBeginsATry) {
  const auto part = Add();
  EXPECT_EQ(part->state, Part::State::kFetching);
  EXPECT_EQ(part->tries, 1u);
  EXPECT_EQ(part->first_try, part->began);
  fetches_.Remove(*part);
  EXPECT_EQ(fetches_.size(), 0u);
  fetches_.Add(part, &fetcher_);
  EXPECT_EQ(part->tries, 2u);
  EXPECT_LE(part->first_try, part->began);
}

TEST_F(FetchesUnderWayTest, NearbyAsManyAsThereAreConnections) {
  const TransferTuner tuner = Tuner(2);
  Add();
  EXPECT_TRUE(fetches_.MayBegin(tuner, &when_));
  Add();
  EXPECT_FALSE(fetches_.MayBegin(tuner, &when_));
  EXPECT_EQ(when_, Clock::time_point::max());
}

TEST_F(FetchesUnderWayTest, FarAwayOneMoreForEachThatIsAboutToEnd) {
  TransferTuner tuner = Tuner(2);
  const Clock::time_point now = Clock::now();
  // 100 ms to the first byte, then 80 MiB a second.
  tuner.Note({now - milliseconds(200), now, 8 * kMiB, 0.1, false});
  ASSERT_EQ(tuner.most_fetches(), 4);
  const auto first = Add(8 * kMiB), second = Add(8 * kMiB);
  EXPECT_FALSE(fetches_.MayBegin(tuner, &when_));
  EXPECT_EQ(when_, first->began + *tuner.LeadAfter(8 * kMiB));
  first->began -= milliseconds(150);
  EXPECT_TRUE(fetches_.MayBegin(tuner, &when_));
  Add(8 * kMiB);
  EXPECT_FALSE(fetches_.MayBegin(tuner, &when_));
  second->began -= milliseconds(150);
  EXPECT_TRUE(fetches_.MayBegin(tuner, &when_));
  Add(8 * kMiB)->began -= milliseconds(150);
  // Twice as many, and no more.
  EXPECT_FALSE(fetches_.MayBegin(tuner, &when_));
}

TEST_F(FetchesUnderWayTest, TheSlowestIsTheOneThatIsFoundSlowFirst) {
  HedgePolicy policy(true);
  EXPECT_EQ(fetches_.Slowest(policy, &when_), nullptr);
  Add();
  EXPECT_EQ(fetches_.Slowest(policy, &when_), nullptr);  // nobody knows what is slow
  for (int i = 0; i < 64; ++i) policy.NoteFetch(kMiB, milliseconds(200));
  const auto early = Add(), hedged = Add(), dropped = Add();
  early->began -= milliseconds(10);
  hedged->began -= milliseconds(20);
  hedged->hedged = true;
  dropped->began -= milliseconds(30);
  dropped->dropped = true;
  EXPECT_EQ(fetches_.Slowest(policy, &when_), early);
  EXPECT_EQ(when_, early->began + *policy.Patience(kMiB));
}

TEST_F(FetchesUnderWayTest, StopAndDropReachEveryFetcher) {
  const auto one = Add(), other = Add();
  fetches_.Stop();
  EXPECT_TRUE(one->stop && other->stop);
  EXPECT_FALSE(one->dropped);
  EXPECT_EQ(fetcher_.nudges, 2);
  fetches_.Drop();
  EXPECT_TRUE(one->dropped && other->dropped);
}

}  // namespace
}  // namespace smtf
