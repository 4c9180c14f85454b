#include "prefetch/epoch_plan.h"

#include <gtest/gtest.h>

#include <memory>

namespace smtf {
namespace {

using State = PartPlan::State;

// Two objects of one part each.
class EpochPlanTest : public testing::Test {
 protected:
  EpochPlanTest() {
    list_->Append("a", 10, "");
    list_->Append("b", 10, "");
  }
  int PlanAll() {
    int parts = 0;
    for (PartSpec part; plan_.Peek(100, &part) == State::kPart; ++parts) plan_.Advance(part);
    return parts;
  }

  const std::shared_ptr<ObjectList> list_ = std::make_shared<ObjectList>();
  EpochPlan plan_{PlanOptions(), list_, true};
};

TEST_F(EpochPlanTest, PlansOneEpochAhead) {
  EXPECT_FALSE(plan_.begun());
  plan_.Begin(3);
  EXPECT_TRUE(plan_.begun());
  EXPECT_EQ(PlanAll(), 2);
  EXPECT_FALSE(plan_.TryEnd(100));  // the list may grow
  list_->Finish();
  EXPECT_TRUE(plan_.PlanNext());
  EXPECT_EQ(plan_.popping(), 3u);
  EXPECT_EQ(plan_.planning(), 4u);
  EXPECT_EQ(PlanAll(), 2);
  EXPECT_FALSE(plan_.PlanNext());
}

TEST_F(EpochPlanTest, GoesOnBehindTheEndOnly) {
  list_->Finish();
  plan_.Begin(0);
  PlanAll();
  ASSERT_TRUE(plan_.PlanNext());
  EXPECT_FALSE(plan_.GoOn(1));
  const auto end = plan_.TryEnd(100);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->objects, 2u);
  EXPECT_FALSE(end->failure);
  EXPECT_FALSE(plan_.GoOn(2));
  EXPECT_TRUE(plan_.GoOn(1));
  EXPECT_EQ(plan_.popping(), 1u);
  EXPECT_EQ(PlanAll(), 2);
}

TEST_F(EpochPlanTest, NothingIsPlannedBehindAListThatFailed) {
  list_->Fail(ErrorKind::kUnavailable, "gone");
  plan_.Begin(0);
  PlanAll();
  EXPECT_FALSE(plan_.PlanNext());
  const auto end = plan_.TryEnd(100);
  ASSERT_TRUE(end);
  EXPECT_TRUE(end->failure);
  plan_.Drop();
  EXPECT_FALSE(plan_.begun());
  EXPECT_FALSE(plan_.GoOn(1));
}

TEST_F(EpochPlanTest, LeavesObjectsOfThePoppedEpochOnly) {
  list_->Finish();
  plan_.Begin(0);
  PlanAll();
  ASSERT_TRUE(plan_.PlanNext());
  PartSpec part;
  ASSERT_EQ(plan_.Peek(5, &part), State::kPart);
  plan_.Advance(part);
  plan_.LeaveObject(part.object_index);
  ASSERT_EQ(plan_.Peek(5, &part), State::kPart);
  EXPECT_EQ(part.offset, 5u);
}

}  // namespace
}  // namespace smtf
