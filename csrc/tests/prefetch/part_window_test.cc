#include "prefetch/part_window.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "prefetch/object_list.h"

namespace smtf {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

PartSpec Spec(uint64_t object_index, size_t size = 100) {
  PartSpec spec;
  spec.object_index = object_index;
  spec.size = size;
  return spec;
}

class PartWindowTest : public testing::Test {
 protected:
  std::shared_ptr<Part> Add(uint64_t object_index, uint64_t epoch = 0) {
    return window_.Add(Spec(object_index), Buffer(), epoch);
  }
  void Fetched(const std::shared_ptr<Part>& part) {
    part->filled = part->spec.size;
    window_.SetReady(part.get());
  }

  BufferPool pool_{128 * kMiB, [] {}};
  PartWindow window_;
};

TEST_F(PartWindowTest, PopsInOrderAndCountsWhatIsReady) {
  const auto one = Add(0), other = Add(1);
  EXPECT_TRUE(window_.IsHead(*one));
  EXPECT_FALSE(window_.IsHead(*other));
  EXPECT_EQ(window_.ready_parts(), 0u);
  Fetched(other);
  Fetched(one);
  EXPECT_EQ(window_.ready_bytes(), 200u);
  EXPECT_EQ(window_.Pop(), one);
  EXPECT_EQ(window_.ready_bytes(), 100u);
  EXPECT_EQ(window_.ready_parts(), 1u);
  EXPECT_EQ(window_.Pop(), other);
  EXPECT_TRUE(window_.empty());
  EXPECT_EQ(window_.ready_parts(), 0u);
}

TEST_F(PartWindowTest, WhatNeedsNoFetchIsReadyAtOnce) {
  PartSpec spec = Spec(0, 3);
  spec.object.name = "abcdef";
  spec.object.source = kInlineSource;
  spec.offset = 2;
  EXPECT_EQ(window_.Add(spec, pool_.TryAcquire(3), 0)->bytes(), "cde");
  EXPECT_EQ(window_.Add(Spec(1, 0), Buffer(), 0)->state, Part::State::kReady);
  EXPECT_EQ(window_.ready_bytes(), 3u);
  EXPECT_EQ(window_.ready_parts(), 2u);
}

TEST_F(PartWindowTest, WhatIsPutBackIsTheHeadAndNotReady) {
  const auto part = Add(0);
  Add(1);
  Fetched(part);
  window_.PutBack(window_.Pop());
  EXPECT_TRUE(window_.IsHead(*part));
  EXPECT_EQ(part->filled, 0u);
  EXPECT_EQ(window_.ready_parts(), 0u);
  Fetched(part);
  EXPECT_EQ(window_.ready_bytes(), 100u);
}

TEST_F(PartWindowTest, AReplacementHasThePlace) {
  Add(0);
  const auto slow = Add(1);
  const auto hedge = std::make_shared<Part>(slow->spec, Buffer());
  window_.Replace(*slow, hedge);
  window_.Pop();
  EXPECT_EQ(window_.Pop(), hedge);
}

TEST_F(PartWindowTest, TakesOneObjectOfOneEpoch) {
  const auto first = Add(7), second = Add(7), other = Add(8);
  Fetched(second);
  Fetched(other);
  EXPECT_TRUE(window_.TakeObject(0, 8).empty());
  EXPECT_TRUE(window_.TakeObject(1, 7).empty());
  const auto taken = window_.TakeObject(0, 7);
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken.front(), first);
  EXPECT_TRUE(window_.IsHead(*other));
  EXPECT_EQ(window_.ready_parts(), 1u);
  EXPECT_EQ(window_.TakeAll().size(), 1u);
  EXPECT_EQ(window_.ready_bytes(), 0u);
  EXPECT_EQ(window_.ready_parts(), 0u);
}

TEST_F(PartWindowTest, SaysWhyAPartCannotBePlanned) {
  Add(0);
  EXPECT_FALSE(window_.AnyFailed());
  window_.AddFailed(Spec(1), Error(ErrorKind::kInternal, "no memory"), 3);
  EXPECT_TRUE(window_.AnyFailed());
  window_.Pop();
  EXPECT_EQ(window_.head()->failure.what, "no memory");
  EXPECT_EQ(window_.head()->epoch, 3u);
  EXPECT_EQ(window_.ready_parts(), 0u);
}

TEST_F(PartWindowTest, TheOthersWaitForAHeadThatIsNotInTrouble) {
  const TransferTuner tuner{TunerOptions()};
  const auto far = [&] { return window_.FarEnoughAhead(kMiB, tuner, pool_); };
  const Buffer lent = pool_.TryAcquire(100 * kMiB);
  EXPECT_FALSE(far());
  const auto head = Add(0);
  EXPECT_FALSE(far());  // not that many parts
  for (int i = 0; i < tuner.most_fetches() + 2; ++i) Add(1);
  EXPECT_TRUE(far());
  head->tries = 2;
  EXPECT_FALSE(far());
  head->tries = 1;
  head->hedged = true;
  EXPECT_FALSE(far());
  Fetched(head);
  EXPECT_TRUE(far());  // the reader is behind
}

}  // namespace
}  // namespace smtf
