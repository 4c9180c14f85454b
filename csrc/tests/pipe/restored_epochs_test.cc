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

TEST_F(RestoredEpochsTest, WhatIsGivenBackIsTheNextOnesUnlessOthersAreAhead) {
  epochs_.Leave("c", Beginning(4));
  epochs_.Take("c", "one");
  epochs_.GiveBack("c", 4);
  EXPECT_EQ(epochs_.Take("c", "one")->epoch, 4u);
  EXPECT_EQ(epochs_.Take("c", "one")->epoch, 5u);
  epochs_.GiveBack("c", 4);
  EXPECT_EQ(Next(), 6);
  epochs_.Forget("c");
  epochs_.GiveBack("c", 5);
  EXPECT_EQ(Next(), -1);
}

TEST_F(RestoredEpochsTest, ChannelsAreApartAndMayBeForgotten) {
  epochs_.Leave("c", Beginning(5));
  EXPECT_FALSE(epochs_.Next("d", "one").has_value());
  epochs_.Forget("c");
  EXPECT_EQ(Next(), -1);
}

}  // namespace
}  // namespace smtf
