#include "prefetch/hedge_policy.h"

#include <gtest/gtest.h>

#include <chrono>

namespace smtf {
namespace {

using std::chrono::milliseconds;
constexpr size_t kMiB = 1 << 20;

void NoteMany(HedgePolicy* policy, int count, size_t bytes, milliseconds duration) {
  for (int i = 0; i < count; ++i) policy->NoteFetch(bytes, duration);
}

TEST(HedgePolicyTest, SaysNothingBeforeItHasSeenEnough) {
  HedgePolicy policy(true);
  EXPECT_FALSE(policy.Patience(8 * kMiB));
  NoteMany(&policy, 10, 8 * kMiB, milliseconds(200));
  EXPECT_FALSE(policy.Patience(8 * kMiB));
  NoteMany(&policy, 30, 8 * kMiB, milliseconds(200));
  EXPECT_TRUE(policy.Patience(8 * kMiB));
}

TEST(HedgePolicyTest, IsThreeTimesWhatNearlyAllTook) {
  HedgePolicy policy(true);
  NoteMany(&policy, 62, 8 * kMiB, milliseconds(200));
  NoteMany(&policy, 2, 8 * kMiB, milliseconds(9000));
  const auto patience = policy.Patience(8 * kMiB);
  ASSERT_TRUE(patience);
  EXPECT_NEAR(std::chrono::duration<double>(*patience).count(), 0.6, 0.01);
}

TEST(HedgePolicyTest, GrowsWithTheSizeAndHasAFloor) {
  HedgePolicy policy(true);
  NoteMany(&policy, 64, 8 * kMiB, milliseconds(200));
  EXPECT_GT(*policy.Patience(16 * kMiB), *policy.Patience(8 * kMiB));
  EXPECT_EQ(*policy.Patience(1), milliseconds(250));
}

TEST(HedgePolicyTest, StopsAtItsBudget) {
  HedgePolicy policy(true);
  NoteMany(&policy, 64, kMiB, milliseconds(10));
  policy.NoteHedge(3 * kMiB);
  EXPECT_TRUE(policy.Patience(kMiB));
  policy.NoteHedge(kMiB);
  EXPECT_FALSE(policy.Patience(kMiB));
  NoteMany(&policy, 64, kMiB, milliseconds(10));
  EXPECT_TRUE(policy.Patience(kMiB));
}

TEST(HedgePolicyTest, CanBeOff) {
  HedgePolicy policy(false);
  NoteMany(&policy, 64, kMiB, milliseconds(10));
  EXPECT_FALSE(policy.Patience(kMiB));
}

}  // namespace
}  // namespace smtf
