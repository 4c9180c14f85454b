#include "prefetch/retry_policy.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace smtf {
namespace {

FetchResult Trouble(bool throttled = false, double retry_after = 0) {
  FetchResult failure;
  failure.status = FetchResult::Status::kRetry;
  failure.throttled = throttled;
  failure.retry_after_seconds = retry_after;
  return failure;
}

TEST(RetryPolicyTest, WaitsAreRandomBelowAGrowingCeiling) {
  RetryPolicy policy({100, 1e9}, 1);
  const double ceilings[] = {0.04, 0.1, 0.25, 0.625, 1.5625, 3.90625, 5, 5, 5};
  for (unsigned tries = 1; tries <= 9; ++tries) {
    double longest = 0;
    double sum = 0;
    for (int i = 0; i < 1000; ++i) {
      const double delay = policy.Delay(Trouble(), tries, 0).value();
      ASSERT_GE(delay, 0);
      longest = std::max(longest, delay);
      sum += delay;
    }
    EXPECT_LE(longest, ceilings[tries - 1]);
    EXPECT_NEAR(sum / 1000, ceilings[tries - 1] / 2, ceilings[tries - 1] / 10);
  }
}

TEST(RetryPolicyTest, ThrottlingIsGivenMoreTime) {
  RetryPolicy policy({100, 1e9}, 1);
  const double ceilings[] = {0.01, 0.04, 0.16, 0.64, 2.56, 10};
  for (unsigned tries = 1; tries <= 6; ++tries) {
    double longest = 0;
    for (int i = 0; i < 1000; ++i) {
      longest = std::max(longest, policy.Delay(Trouble(true), tries, 0).value());
    }
    EXPECT_GT(longest, 0.9 * ceilings[tries - 1]);
    EXPECT_LE(longest, ceilings[tries - 1]);
  }
}

TEST(RetryPolicyTest, GivesUpAfterTheTries) {
  RetryPolicy policy({3, 1e9}, 1);
  EXPECT_TRUE(policy.Delay(Trouble(), 1, 0));
  EXPECT_TRUE(policy.Delay(Trouble(), 2, 0));
  EXPECT_FALSE(policy.Delay(Trouble(), 3, 0));
}

TEST(RetryPolicyTest, GivesUpWhenTheWaitWouldEndAfterTheSeconds) {
  RetryPolicy policy({100, 10}, 1);
  EXPECT_TRUE(policy.Delay(Trouble(), 1, 9.8));
  EXPECT_FALSE(policy.Delay(Trouble(), 1, 10.1));
  EXPECT_FALSE(policy.Delay(Trouble(false, 11), 1, 0));
}

TEST(RetryPolicyTest, RetryAfterIsALowerBound) {
  RetryPolicy policy({100, 60}, 1);
  EXPECT_EQ(policy.Delay(Trouble(true, 7), 1, 0), 7);
}

}  // namespace
}  // namespace smtf
