#include "prefetch/retry_schedule.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>

namespace smtf {
namespace {

using std::chrono::seconds;

const RetrySchedule::Clock::time_point kNow{std::chrono::hours(1)};

std::shared_ptr<Part> Waiting(bool throttled = false, double retry_after = 0) {
  auto part = std::make_shared<Part>(PartSpec(), Buffer());
  part->failure.throttled = throttled;
  part->failure.retry_after_seconds = retry_after;
  return part;
}

TEST(RetryScheduleTest, GivesWhatIsDueInTheOrderOfTheirTimes) {
  RetrySchedule schedule;
  EXPECT_EQ(schedule.TakeDue(kNow), nullptr);
  EXPECT_FALSE(schedule.next_due());
  const auto early = Waiting(), late = Waiting();
  schedule.Add(late, kNow + seconds(2));
  schedule.Add(early, kNow + seconds(1));
  EXPECT_EQ(schedule.next_due(), kNow + seconds(1));
  EXPECT_EQ(schedule.TakeDue(kNow), nullptr);
  EXPECT_EQ(schedule.TakeDue(kNow + seconds(2)), early);
  EXPECT_EQ(schedule.TakeDue(kNow + seconds(2)), late);
  EXPECT_EQ(schedule.TakeDue(kNow + seconds(2)), nullptr);
}

TEST(RetryScheduleTest, HurriesOnlyThoseThatWereNotToldWhen) {
  RetrySchedule schedule;
  const auto throttled = Waiting(true), told = Waiting(true, 5), broken = Waiting();
  for (const auto& part : {throttled, told, broken}) schedule.Add(part, kNow + seconds(10));
  schedule.HurryThrottled(kNow);
  EXPECT_EQ(schedule.TakeDue(kNow), throttled);
  EXPECT_EQ(schedule.TakeDue(kNow), nullptr);
  EXPECT_EQ(schedule.next_due(), kNow + seconds(10));
}

TEST(RetryScheduleTest, ForgetsAPartThatIsRemoved) {
  RetrySchedule schedule;
  const auto one = Waiting(), other = Waiting();
  schedule.Add(one, kNow);
  schedule.Remove(other);
  schedule.Remove(one);
  EXPECT_FALSE(schedule.next_due());
}

}  // namespace
}  // namespace smtf
