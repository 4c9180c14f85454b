#include "prefetch/part_plan.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace smtf {
namespace {

using State = PartPlan::State;
using Parts = std::vector<std::string>;

PlanOptions Options(size_t first_part_bytes, bool keep_empty = false) {
  PlanOptions options;
  options.first_part_bytes = first_part_bytes;
  options.keep_empty = keep_empty;
  return options;
}

// "name offset+size", with "^" for a part that begins its object and "." for one that ends it.
std::string Shown(const PartSpec& part) {
  return std::string(part.object.name) + (part.begins_object ? "^" : " ") +
         std::to_string(part.offset) + "+" + std::to_string(part.size) +
         (part.ends_object ? "." : "");
}

Parts Walk(PartPlan* plan, size_t part_bytes = 100) {
  Parts parts;
  PartSpec part;
  while (plan->Peek(part_bytes, &part) == State::kPart) {
    parts.push_back(Shown(part));
    plan->Advance(part);
  }
  return parts;
}

class PartPlanTest : public testing::Test {
 protected:
  const std::shared_ptr<ObjectList> list_ = std::make_shared<ObjectList>();
  PartSpec part_;
};

TEST_F(PartPlanTest, CutsAtMultiplesAfterASmallFirstPart) {
  PartPlan plan(Options(10), list_);
  list_->Append("a", 250, "");
  list_->Append("b", 100, "");
  list_->Finish();
  const Parts expected = {"a^0+10", "a 10+90", "a 100+100", "a 200+50.", "b^0+100."};
  EXPECT_EQ(Walk(&plan), expected);
  EXPECT_EQ(plan.objects(), 2u);
  plan.Begin(1);
  EXPECT_EQ(plan.objects(), 0u);
  EXPECT_EQ(Walk(&plan), expected);
}

TEST_F(PartPlanTest, LeavesAnObjectThatWasBegun) {
  PartPlan plan(Options(100), list_);
  for (const char* name : {"a", "b", "c"}) list_->Append(name, 250, "");
  list_->Finish();
  PartSpec part;
  plan.LeaveObject(0);  // not begun
  ASSERT_EQ(plan.Peek(100, &part), State::kPart);
  plan.Advance(part);
  plan.LeaveObject(1);  // another one
  ASSERT_EQ(plan.Peek(100, &part), State::kPart);
  EXPECT_EQ(Shown(part), "a 100+100");
  plan.LeaveObject(0);
  EXPECT_EQ(plan.objects(), 1u);
  plan.LeaveObject(0);
  EXPECT_EQ(Walk(&plan),
            (Parts{"b^0+100", "b 100+100", "b 200+50.", "c^0+100", "c 100+100", "c 200+50."}));
  EXPECT_EQ(plan.objects(), 3u);
}

TEST_F(PartPlanTest, FirstPartIsNeverLargerThanTheObjectOrAPart) {
  list_->Append("a", 3, "");
  list_->Append("b", 150, "");
  PartPlan small(Options(10), list_);
  EXPECT_EQ(Walk(&small), (Parts{"a^0+3.", "b^0+100", "b 100+50."}));
  PartPlan large(Options(1000), list_);
  EXPECT_EQ(Walk(&large), (Parts{"a^0+3.", "b^0+100", "b 100+50."}));
}

TEST_F(PartPlanTest, ThePartSizeMayChange) {
  list_->Append("a", 1000, "");
  PartPlan plan(Options(10), list_);
  Parts parts;
  for (const size_t part_bytes : {100, 100, 30, 30, 400, 7, 1000}) {
    ASSERT_EQ(plan.Peek(part_bytes, &part_), State::kPart);
    parts.push_back(Shown(part_));
    plan.Advance(part_);
  }
  EXPECT_EQ(parts, (Parts{"a^0+10", "a 10+90", "a 100+20", "a 120+30", "a 150+250", "a 400+6",
                          "a 406+594."}));
}

TEST_F(PartPlanTest, PeekingAgainWithAnotherSizeReplacesThePart) {
  list_->Append("a", 1000, "");
  PartPlan plan(Options(500), list_);
  plan.Peek(100, &part_);
  plan.Peek(200, &part_);
  EXPECT_EQ(Shown(part_), "a^0+200");
}

TEST_F(PartPlanTest, ObjectsWithoutBytesHaveNoPartButCount) {
  for (const char* name : {"a", "b", "c"}) list_->Append(name, name[0] == 'b' ? 5 : 0, "");
  list_->Finish();
  PartPlan plan(Options(10), list_);
  ASSERT_EQ(plan.Peek(100, &part_), State::kPart);
  EXPECT_EQ(part_.object_index, 1u);
  EXPECT_EQ(Walk(&plan), (Parts{"b^0+5."}));
  EXPECT_EQ(plan.Peek(100, &part_), State::kEnd);
  EXPECT_EQ(plan.objects(), 3u);
}

TEST_F(PartPlanTest, ObjectsWithoutBytesAreKeptWhenAsked) {
  list_->Append("a", 0, "");
  list_->Append("b", 50, "");
  list_->Append("c", 0, "");
  list_->Finish();
  PartPlan plan(Options(10, true), list_);
  EXPECT_EQ(Walk(&plan), (Parts{"a^0+0.", "b^0+10", "b 10+40.", "c^0+0."}));
  EXPECT_EQ(plan.objects(), 3u);
}

TEST_F(PartPlanTest, AnInlineEntryIsOnePartAndDoesNotCountAsTheFirstFetch) {
  const std::string text(350, 't');
  list_->AppendInline(text);
  list_->Append("a", 50, "");
  PartPlan plan(Options(10), list_);
  EXPECT_EQ(Walk(&plan), (Parts{text + "^0+350.", "a^0+10", "a 10+40."}));
}

TEST_F(PartPlanTest, WaitsForObjectsUntilFinished) {
  PartPlan plan(Options(10), list_);
  EXPECT_EQ(plan.Peek(100, &part_), State::kWaiting);
  list_->Append("a", 5, "");
  EXPECT_EQ(Walk(&plan), (Parts{"a^0+5."}));
  EXPECT_EQ(plan.Peek(100, &part_), State::kWaiting);
  EXPECT_EQ(plan.objects(), 1u);
  list_->Append("b", 5, "");
  EXPECT_EQ(Walk(&plan), (Parts{"b^0+5."}));
  list_->Finish();
  EXPECT_EQ(plan.Peek(100, &part_), State::kEnd);
  EXPECT_FALSE(plan.failure().has_value());
}

TEST_F(PartPlanTest, AFailedListEndsAfterWhatItHas) {
  PartPlan plan(Options(10), list_);
  list_->Append("a", 5, "");
  list_->Fail(ErrorKind::kPermissionDenied, "listing: 403");
  EXPECT_EQ(Walk(&plan), (Parts{"a^0+5."}));
  EXPECT_EQ(plan.Peek(100, &part_), State::kEnd);
  ASSERT_TRUE(plan.failure().has_value());
  EXPECT_EQ(plan.failure()->kind(), ErrorKind::kPermissionDenied);
}

TEST_F(PartPlanTest, FollowsTheEpochsOrder) {
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) list_->Append(name, 5, "");
  list_->Finish();
  PlanOptions options = Options(10);
  options.order.shuffle_seed = 1;
  PartPlan plan(options, list_);
  const Parts first = Walk(&plan);
  plan.Begin(1);
  const Parts second = Walk(&plan);
  EXPECT_EQ(first.size(), 6u);
  EXPECT_NE(first, second);
  plan.Begin(0);
  ASSERT_EQ(plan.Peek(100, &part_), State::kPart);
  EXPECT_EQ(part_.object_index, 0u);
  EXPECT_EQ(Walk(&plan), first);
}

TEST_F(PartPlanTest, BeginsInTheMiddle) {
  PartPlan plan(Options(10), list_);
  for (const char* name : {"a", "", "b", "c"}) list_->Append(name, *name == '\0' ? 0 : 150, "");
  list_->Finish();
  const auto from = [&plan](uint64_t objects, uint64_t offset, bool whole_object = false) {
    plan.Begin(1, {objects, offset, whole_object, {}});
    return Walk(&plan);
  };
  EXPECT_EQ(from(2, 120), (Parts{"b 120+10", "b 130+20.", "c^0+100", "c 100+50."}));
  EXPECT_EQ(plan.objects(), 4u);
  EXPECT_EQ(from(2, 150), (Parts{"c^0+10", "c 10+90", "c 100+50."}));
  EXPECT_EQ(from(3, 120, /*whole_object=*/true), (Parts{"c^0+10", "c 10+90", "c 100+50."}));
  EXPECT_EQ(from(3, 150), Parts{});
  EXPECT_FALSE(plan.failure());
}

TEST_F(PartPlanTest, WaitsForTheObjectThatItBeginsIn) {
  PartPlan plan(Options(10), list_);
  plan.Begin(0, {1, 5, false, {}});
  list_->Append("a", 10, "");
  EXPECT_EQ(plan.Peek(100, &part_), State::kWaiting);
  list_->Append("b", 10, "");
  EXPECT_EQ(Walk(&plan), Parts{"b 5+5."});
}

TEST_F(PartPlanTest, AnEpochThatCannotBeginThereEndsWithAFailure) {
  PartPlan plan(Options(10), list_);
  list_->Append("a", 10, "");
  list_->Finish();
  const auto refuse = [](const ObjectRef& object) {
    return std::optional<Error>(Error(ErrorKind::kDataLoss, "not " + std::string(object.name)));
  };
  const std::pair<PlanStart, std::string> cases[] = {
      {{1, 0, false, {}}, "the epoch has 1 objects and should go on in number 1"},
      {{0, 11, false, {}}, "the object has 10 bytes and should go on at byte 11"},
      {{0, 5, false, refuse}, "not a"},
  };
  for (const auto& [start, message] : cases) {
    plan.Begin(0, start);
    EXPECT_EQ(Walk(&plan), Parts{});
    ASSERT_TRUE(plan.failure());
    EXPECT_EQ(plan.failure()->what(), message);
  }
  plan.Begin(1);
  EXPECT_EQ(Walk(&plan), Parts{"a^0+10."});
}

TEST_F(PartPlanTest, PartsCoverEveryByteOnceInOrder) {
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) list_->Append("x", random() % (i % 3 == 0 ? 3 : 2000), "");
  list_->Finish();
  for (const bool keep_empty : {false, true}) {
    PartPlan plan(Options(10, keep_empty), list_);
    uint64_t next = 0;
    uint64_t index = 0;
    for (;;) {
      const size_t part_bytes = random() % 300 + 1;
      if (plan.Peek(part_bytes, &part_) != State::kPart) break;
      while (!keep_empty && (*list_)[index].size == 0) ++index;
      ASSERT_EQ(part_.object_index, index);
      ASSERT_EQ(part_.offset, next);
      ASSERT_LE(part_.size, part_bytes);
      ASSERT_GE(part_.size, keep_empty ? 0u : 1u);
      ASSERT_EQ(part_.begins_object, part_.offset == 0);
      ASSERT_EQ(part_.ends_object, part_.offset + part_.size == (*list_)[index].size);
      next = part_.ends_object ? 0 : next + part_.size;
      index += part_.ends_object ? 1 : 0;
      plan.Advance(part_);
    }
    EXPECT_EQ(plan.objects(), 300u);
  }
}

}  // namespace
}  // namespace smtf
