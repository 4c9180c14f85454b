#include "pipe/restored_epochs.h"

#include "pipe/pipe_testing.h"

namespace smtf {
namespace {

StreamPosition Beginning(uint64_t epoch) {
  StreamPosition position;
  position.epoch = epoch;
  return position;
}

class RestoredEpochsTest : public testing::Test {
 protected:
  // -1 for nothing.
  int64_t Next(const std::string& session = "one") {
    const auto next = epochs_.Next("c", session);
    return next ? static_cast<int64_t>(next->epoch) : -1;
  }

  RestoredEpochs epochs_;
};

TEST_F(RestoredEpochsTest, WithoutARestoreNothingIsKnown) {
  epochs_.Began("c", "one", 3);
  EXPECT_EQ(Next(), -1);
}

TEST_F(RestoredEpochsTest, NextIsBehindTheLatestOfOneCheckpointInAnyOrder) {
  for (const auto& order : {std::pair(3, 5), std::pair(5, 3)}) {
    epochs_.Leave("c", Beginning(order.first));
    epochs_.Leave("c", Beginning(order.second));
    EXPECT_EQ(Next(), 5);
    epochs_.Began("c", "one", 4);
    EXPECT_EQ(Next(), 5);
    epochs_.Began("c", "one", 5);
    EXPECT_EQ(Next(), 6);
  }
}

TEST_F(RestoredEpochsTest, ARestoreAfterAReadIsAGoingBack) {
  epochs_.Leave("c", Beginning(5));
  epochs_.Began("c", "one", 5);
  epochs_.Leave("c", Beginning(2));
  EXPECT_EQ(Next(), 2);
}

TEST_F(RestoredEpochsTest, AnotherPrefetcherCountsAnew) {
  epochs_.Leave("c", Beginning(5));
  EXPECT_EQ(Next("one"), 5);
  EXPECT_EQ(Next("two"), 5);  // neither was read from
  epochs_.Began("c", "two", 5);
  EXPECT_EQ(Next(""), 6);
  EXPECT_EQ(Next("one"), -1);
}

TEST_F(RestoredEpochsTest, WhatIsTakenIsNobodyElses) {
  EXPECT_FALSE(epochs_.Take("c", "one").has_value());
  epochs_.Leave("c", Beginning(1));
  EXPECT_EQ(epochs_.Take("c", "one")->epoch, 1u);
  EXPECT_EQ(epochs_.Take("c", "one")->epoch, 2u);
  epochs_.Began("c", "one", 1);
  EXPECT_EQ(Next(), 3);
  epochs_.Leave("c", Beginning(1));
  EXPECT_EQ(epochs_.Take("c", "one")->epoch, 1u);
}

TEST_F(RestoredEpochsTest, WhatIsGivenBackIsTheNextOnesWhoeverIsAhead) {
  const auto take = [this] { return epochs_.Take("c", "one")->epoch; };
  epochs_.Leave("c", Beginning(4));
  EXPECT_EQ(take(), 4u);
  epochs_.GiveBack("c", 4);
  EXPECT_EQ(take(), 4u);
  EXPECT_EQ(take(), 5u);
  EXPECT_EQ(take(), 6u);
  epochs_.GiveBack("c", 5);
  epochs_.GiveBack("c", 4);
  epochs_.Began("c", "one", 6);
  EXPECT_EQ(Next(), 4);
  EXPECT_EQ(take(), 4u);
  EXPECT_EQ(take(), 5u);
  EXPECT_EQ(take(), 7u);
}

TEST_F(RestoredEpochsTest, WhatIsGivenBackAfterALaterRestoreIsNot) {
  for (const uint64_t restored : {10, 5}) {  // to another checkpoint, and into epoch 4 itself
    for (const bool before : {false, true}) {
      epochs_.Forget("c");
      epochs_.Leave("c", Beginning(4));
      epochs_.Take("c", "one");
      if (before) epochs_.GiveBack("c", 4);
      epochs_.Leave("c", Beginning(restored));
      if (!before) epochs_.GiveBack("c", 4);
      EXPECT_EQ(Next(), restored);
    }
  }
}

TEST_F(RestoredEpochsTest, WhatIsGivenBackAfterAGoingBackIsReadInItsTurn) {
  epochs_.Leave("c", Beginning(4));
  epochs_.Take("c", "one");
  epochs_.Take("c", "one");
  epochs_.Began("c", "one", 4);
  epochs_.Leave("c", Beginning(4));
  epochs_.Began("c", "one", 4);
  epochs_.Began("c", "one", 5);
  epochs_.GiveBack("c", 5);
  EXPECT_EQ(Next(), 6);
  epochs_.Forget("c");
  epochs_.GiveBack("c", 5);
  EXPECT_EQ(Next(), -1);
}

TEST_F(RestoredEpochsTest, WhatLedToTheNextIsToldToo) {
  const auto standing = [this](const std::string& session) {
    const RestoredEpochs::Standing found = epochs_.Of("c", session);
    return std::string(found.restored ? "restored" : "new") + (found.read ? ", read, " : ", ") +
           (found.next ? std::to_string(found.next->epoch) : "nothing");
  };
  epochs_.Began("c", "one", 3);
  EXPECT_EQ(standing("one"), "new, nothing");
  epochs_.Leave("c", Beginning(5));
  EXPECT_EQ(standing("one"), "restored, 5");
  epochs_.Began("c", "one", 5);
  EXPECT_EQ(standing("one"), "restored, read, 6");
  epochs_.Leave("c", Beginning(5));
  EXPECT_EQ(standing("one"), "restored, 5");
  epochs_.Forget("c");
  EXPECT_EQ(standing("one"), "restored, nothing");
  epochs_.Leave("c", Beginning(2));
  epochs_.Began("c", "one", 2);
  EXPECT_EQ(standing("two"), "new, nothing");
}

TEST_F(RestoredEpochsTest, ChannelsAreApartAndMayBeForgotten) {
  epochs_.Leave("c", Beginning(5));
  EXPECT_FALSE(epochs_.Next("d", "one").has_value());
  epochs_.Forget("c");
  EXPECT_EQ(Next(), -1);
}

}  // namespace
}  // namespace smtf
