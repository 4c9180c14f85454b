#include "prefetch/hedges.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>

namespace smtf {
namespace {

using std::chrono::milliseconds;
constexpr size_t kMiB = size_t{1} << 20;

class Nudged : public ObjectFetcher {
 public:
  FetchResult Fetch(const FetchRequest&, const std::atomic<bool>&) override { return {}; }
  void Nudge() noexcept override { ++nudges; }
  int nudges = 0;
};

// A fetch of a MiB, in the window, that is slow.
class HedgesTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 64; ++i) hedges_.NoteFetch(kMiB, milliseconds(1));
    PartSpec spec;
    spec.size = kMiB;
    slow_ = window_.Add(spec, Buffer(), 5);
    fetches_.Add(slow_, &fetcher_);
    EXPECT_EQ(hedges_.Take(fetches_, &pool_), nullptr);  // not slow yet
    slow_->began -= milliseconds(300);
  }

  Nudged fetcher_;
  BufferPool pool_{2 * kMiB, [] {}};
  PartWindow window_;
  FetchesUnderWay fetches_;
  Hedges hedges_{true, 2 * kMiB};
  std::shared_ptr<Part> slow_;
};

TEST_F(HedgesTest, AHedgeThatIsDoneFirstHasThePlace) {
  const auto hedge = hedges_.Take(fetches_, &pool_);
  ASSERT_NE(hedge, nullptr);
  EXPECT_EQ(hedge->epoch, 5u);
  EXPECT_EQ(hedges_.Take(fetches_, &pool_), nullptr);  // once
  EXPECT_TRUE(window_.IsHead(*slow_));
  EXPECT_EQ(hedges_.Settle(hedge, &window_), slow_);
  EXPECT_TRUE(window_.IsHead(*hedge));
  EXPECT_EQ(hedges_.Settle(hedge, &window_), nullptr);
  EXPECT_EQ(hedges_.begun(), 1u);
  EXPECT_EQ(hedges_.won(), 1u);
}

TEST_F(HedgesTest, AHedgeThatIsLaterDoesNot) {
  const auto hedge = hedges_.Take(fetches_, &pool_);
  ASSERT_NE(hedge, nullptr);
  EXPECT_EQ(hedges_.Settle(slow_, &window_), hedge);
  EXPECT_TRUE(window_.IsHead(*slow_));
  EXPECT_EQ(hedges_.won(), 0u);
}

TEST_F(HedgesTest, AHedgeThatFailsIsGivenUp) {
  const auto hedge = hedges_.Take(fetches_, &pool_);
  ASSERT_NE(hedge, nullptr);
  EXPECT_TRUE(Hedges::Yield(hedge, false, &window_));
  EXPECT_TRUE(hedge->dropped);
  EXPECT_TRUE(window_.IsHead(*slow_));
  EXPECT_FALSE(Hedges::Yield(slow_, true, &window_));  // there is no other
}

TEST_F(HedgesTest, APartYieldsToItsHedgeOnlyForGood) {
  const auto hedge = hedges_.Take(fetches_, &pool_);
  ASSERT_NE(hedge, nullptr);
  EXPECT_FALSE(Hedges::Yield(slow_, false, &window_));
  EXPECT_FALSE(slow_->dropped);
  EXPECT_TRUE(Hedges::Yield(slow_, true, &window_));
  EXPECT_TRUE(slow_->dropped);
  EXPECT_TRUE(window_.IsHead(*hedge));
}

TEST_F(HedgesTest, WithoutMemoryTheSlowFetchIsBrokenOff) {
  const Buffer lent = pool_.TryAcquire(2 * kMiB);
  EXPECT_EQ(hedges_.Take(fetches_, &pool_), nullptr);
  EXPECT_TRUE(slow_->restart && slow_->stop);
  EXPECT_EQ(fetcher_.nudges, 1);
  EXPECT_EQ(hedges_.begun(), 0u);
}

TEST_F(HedgesTest, SparesOnePartOfALargeBudgetOnly) {
  EXPECT_EQ(Hedges(true, 16 * kMiB).Spare(kMiB), kMiB);
  EXPECT_EQ(Hedges(true, 15 * kMiB).Spare(kMiB), 0u);
  EXPECT_EQ(Hedges(false, 16 * kMiB).Spare(kMiB), 0u);
}

}  // namespace
}  // namespace smtf
