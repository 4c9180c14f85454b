#include "prefetch/part_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "prefetch/fake_object_source.h"

namespace smtf {
namespace {

using What = PartQueue::Popped::What;
using Status = FetchResult::Status;

constexpr size_t kPart = 4096;

PartQueueOptions Options(size_t buffers) {
  PartQueueOptions options;
  options.tuner.connections = 16;
  options.tuner.part_bytes = kPart;
  options.tuner.memory_bytes = buffers * kPart;
  options.plan.first_part_bytes = 1000;
  return options;
}

// A fetcher that is only nudged.
class Nudged : public ObjectFetcher {
 public:
  FetchResult Fetch(const FetchRequest&, const std::atomic<bool>&) override { return {}; }
  void Nudge() noexcept override { ++nudges; }
  std::atomic<int> nudges{0};
};

FetchResult Done(const Part& part) {
  FetchResult result;
  result.bytes = part.spec.size - part.filled;
  return result;
}

FetchResult Trouble(Status status, size_t bytes = 0) {
  FetchResult result;
  result.status = status;
  result.bytes = bytes;
  result.what = "trouble";
  return result;
}

class PartQueueTest : public testing::Test {
 protected:
  void Start(size_t buffers, uint64_t size) {
    Make(Options(buffers));
    objects_->Append("a", size, "");
    objects_->Finish();
    queue_->BeginEpoch(0);
  }

  void Make(const PartQueueOptions& options) {
    objects_ = std::make_shared<ObjectList>();
    queue_ = std::make_unique<PartQueue>(options, objects_);
  }

  Stats stats() const {
    Stats stats;
    queue_->AddTo(&stats);
    return stats;
  }

  Nudged fetcher_;
  std::shared_ptr<ObjectList> objects_;
  std::unique_ptr<PartQueue> queue_;
};

TEST_F(PartQueueTest, PopsInOrderWhateverTheOrderOfFetching) {
  Start(4, 3 * kPart);
  std::vector<std::shared_ptr<Part>> parts;
  for (int i = 0; i < 4; ++i) parts.push_back(queue_->Take(&fetcher_));
  while (!parts.empty()) {
    auto part = std::move(parts.back());
    parts.pop_back();
    const FetchResult done = Done(*part);
    queue_->Put(std::move(part), done);
  }
  EXPECT_EQ(stats().queue_parts, 4u);
  EXPECT_EQ(stats().queue_bytes, 3 * kPart);
  uint64_t next = 0;
  for (int i = 0; i < 4; ++i) {
    const auto popped = queue_->Pop();
    ASSERT_EQ(popped.what, What::kPart);
    EXPECT_EQ(popped.part->spec.offset, next);
    next += popped.part->spec.size;
  }
  EXPECT_EQ(next, 3 * kPart);
  const auto end = queue_->Pop();
  EXPECT_EQ(end.what, What::kEnd);
  EXPECT_EQ(end.objects, 1u);
  EXPECT_EQ(stats().queue_parts, 0u);
}

TEST_F(PartQueueTest, ARetryResumesWhereTheFetchStoppedAndHoldsNobodyUp) {
  Start(4, 2 * kPart);
  auto first = queue_->Take(&fetcher_);
  std::memset(first->buffer.data(), 'x', 400);
  Part* const waiting = first.get();
  queue_->Put(std::move(first), Trouble(Status::kRetry, 400));
  EXPECT_EQ(stats().retries, 1u);
  // Whichever comes next, the other parts or the retry: nobody sleeps in between.
  bool retried = false;
  while (!retried) {
    auto part = queue_->Take(&fetcher_);
    if (part.get() == waiting) {
      retried = true;
      EXPECT_EQ(part->Request().offset, 400u);
      EXPECT_EQ(part->Request().size, 600u);
      EXPECT_EQ(part->Request().dst, part->buffer.data() + 400);
      EXPECT_EQ(part->Request().attempt, 2u);
    }
    const FetchResult done = Done(*part);
    queue_->Put(std::move(part), done);
  }
  const auto popped = queue_->Pop();
  ASSERT_EQ(popped.what, What::kPart);
  EXPECT_EQ(popped.part->bytes().size(), 1000u);
  EXPECT_EQ(popped.part->bytes()[399], 'x');
}

TEST_F(PartQueueTest, WhatIsLeftOfAnObjectCanBeSkipped) {
  Make(Options(8));
  for (const char* name : {"a", "b", "c"}) objects_->Append(name, 4 * kPart, "");
  objects_->Finish();
  queue_->BeginEpoch(0);
  // Of "a": 1000 bytes, the rest of its first part, which fails, one that is on its way and one
  // that is there. The others are not planned, because a part has failed.
  std::vector<std::shared_ptr<Part>> parts;
  for (int i = 0; i < 4; ++i) parts.push_back(queue_->Take(&fetcher_));
  for (const int i : {0, 3}) {
    const FetchResult done = Done(*parts[i]);
    queue_->Put(std::move(parts[i]), done);
  }
  queue_->Put(std::move(parts[1]), Trouble(Status::kFailed));
  EXPECT_EQ(queue_->Pop().what, What::kPart);
  const auto failed = queue_->Pop();
  ASSERT_EQ(failed.what, What::kFailed);
  EXPECT_EQ(failed.part->spec.object.name, "a");
  queue_->SkipObject(0);
  EXPECT_FALSE(queue_->EpochFailed());
  EXPECT_EQ(stats().queue_parts, 0u);
  EXPECT_EQ(stats().queue_bytes, 0u);
  EXPECT_TRUE(parts[2]->stop);
  queue_->Put(std::move(parts[2]), Trouble(Status::kStopped));
  for (const char* name : {"b", "c"}) {
    for (int i = 0; i < 4; ++i) {
      auto part = queue_->Take(&fetcher_);
      EXPECT_EQ(part->spec.object.name, name);
      EXPECT_EQ(part->spec.offset, i * kPart);
      const FetchResult done = Done(*part);
      queue_->Put(std::move(part), done);
      const auto popped = queue_->Pop();
      ASSERT_EQ(popped.what, What::kPart);
      EXPECT_EQ(popped.part->spec.object.name, name);
    }
  }
  const auto end = queue_->Pop();
  EXPECT_EQ(end.what, What::kEnd);
  EXPECT_EQ(end.objects, 3u);
}

// Several fail before the first of them is skipped.
TEST_F(PartQueueTest, EachObjectThatFailedIsPoppedAsFailed) {
  Make(Options(8));
  for (const char* name : {"a", "b", "c"}) objects_->Append(name, 100, "");
  objects_->Finish();
  queue_->BeginEpoch(0);
  std::vector<std::shared_ptr<Part>> parts;
  for (int i = 0; i < 3; ++i) parts.push_back(queue_->Take(&fetcher_));
  for (auto& part : parts) queue_->Put(std::move(part), Trouble(Status::kFailed));
  for (uint64_t i = 0; i < 3; ++i) {
    const auto failed = queue_->Pop();
    ASSERT_EQ(failed.what, What::kFailed);
    EXPECT_EQ(failed.part->spec.object_index, i);
    EXPECT_TRUE(queue_->EpochFailed());
    queue_->SkipObject(i);
  }
  EXPECT_FALSE(queue_->EpochFailed());
  EXPECT_EQ(queue_->Pop().what, What::kEnd);
}

TEST_F(PartQueueTest, TheNextEpochIsPlannedOnlyIfItIsWanted) {
  PartQueueOptions options = Options(8);
  options.plan_next_epoch = false;
  Make(options);
  objects_->Append("a", 100, "");
  objects_->Finish();
  queue_->BeginEpoch(0);
  auto part = queue_->Take(&fetcher_);
  const FetchResult done = Done(*part);
  queue_->Put(std::move(part), done);
  std::thread worker([this] { EXPECT_EQ(queue_->Take(&fetcher_), nullptr); });
  EXPECT_EQ(queue_->Pop().what, What::kPart);
  EXPECT_EQ(queue_->Pop().what, What::kEnd);
  queue_->Stop();
  worker.join();
}

TEST_F(PartQueueTest, AFailedPartComesAfterTheGoodOnesBeforeIt) {
  Start(4, 3 * kPart);
  auto first = queue_->Take(&fetcher_);
  auto second = queue_->Take(&fetcher_);
  queue_->Put(std::move(second), Trouble(Status::kFailed));
  EXPECT_TRUE(queue_->EpochFailed());
  const FetchResult done = Done(*first);
  queue_->Put(std::move(first), done);
  EXPECT_EQ(queue_->Pop().what, What::kPart);
  const auto failed = queue_->Pop();
  ASSERT_EQ(failed.what, What::kFailed);
  EXPECT_EQ(failed.part->failure.what, "trouble");
  queue_->BeginEpoch(1);
  EXPECT_FALSE(queue_->EpochFailed());
  EXPECT_EQ(queue_->Take(&fetcher_)->spec.offset, 0u);
}

TEST_F(PartQueueTest, GivesUpAfterTheTries) {
  PartQueueOptions options = Options(4);
  options.retry = {3, 60};
  Make(options);
  objects_->Append("a", 10, "");
  queue_->BeginEpoch(0);
  for (int i = 0; i < 3; ++i) {
    queue_->Put(queue_->Take(&fetcher_), Trouble(Status::kRetry));
  }
  const auto failed = queue_->Pop();
  ASSERT_EQ(failed.what, What::kFailed);
  EXPECT_EQ(failed.part->tries, 3u);
  EXPECT_EQ(stats().retries, 2u);
}

TEST_F(PartQueueTest, ADroppedEpochsFetchesAreStoppedAndForgotten) {
  Start(4, 3 * kPart);
  auto old = queue_->Take(&fetcher_);
  queue_->BeginEpoch(1);
  EXPECT_TRUE(old->stop);
  EXPECT_EQ(fetcher_.nudges, 1);
  auto fresh = queue_->Take(&fetcher_);
  EXPECT_FALSE(fresh->stop);
  EXPECT_NE(fresh, old);
  EXPECT_EQ(fresh->spec.offset, 0u);
  queue_->Put(std::move(old), Trouble(Status::kFailed));
  EXPECT_FALSE(queue_->EpochFailed());
  const FetchResult done = Done(*fresh);
  queue_->Put(std::move(fresh), done);
  EXPECT_EQ(queue_->Pop().what, What::kPart);
}

TEST_F(PartQueueTest, WhatWasFetchedOfAnEpochThatNobodyPoppedIsKept) {
  Start(4, 2 * kPart);
  auto first = queue_->Take(&fetcher_);
  const auto part = first;
  queue_->BeginEpoch(0);
  const FetchResult done = Done(*first);
  queue_->Put(std::move(first), done);
  queue_->BeginEpoch(0);
  EXPECT_EQ(queue_->Pop().part, part);
  queue_->BeginEpoch(0);
  EXPECT_EQ(queue_->Take(&fetcher_)->spec.offset, 0u);
}

TEST_F(PartQueueTest, SaysWhenTheNextPartHasNoBuffer) {
  Start(1, 3 * kPart);
  std::thread worker([this] {
    while (auto part = queue_->Take(&fetcher_)) {
      const FetchResult done = Done(*part);
      queue_->Put(std::move(part), done);
    }
  });
  std::vector<std::shared_ptr<Part>> lent;
  uint64_t bytes = 0;
  bool starved = false;
  for (auto popped = queue_->Pop(); popped.what != What::kEnd; popped = queue_->Pop()) {
    if (popped.what == What::kStarved) {
      starved = true;
      lent.clear();
      continue;
    }
    bytes += popped.part->spec.size;
    lent.push_back(std::move(popped.part));
  }
  EXPECT_TRUE(starved);
  EXPECT_EQ(bytes, 3 * kPart);
  queue_->Stop();
  worker.join();
}

TEST_F(PartQueueTest, ObjectsMayComeLater) {
  Make(Options(4));
  queue_->BeginEpoch(1);
  std::thread worker([this] {
    while (auto part = queue_->Take(&fetcher_)) {
      const FetchResult done = Done(*part);
      queue_->Put(std::move(part), done);
    }
  });
  std::thread lister([this] {
    for (int i = 0; i < 100; ++i) {
      objects_->Append("key", 10, "");
      objects_->Append("empty", 0, "");
    }
    objects_->Fail(ErrorKind::kUnavailable, "the listing broke off");
  });
  uint64_t bytes = 0;
  auto popped = queue_->Pop();
  for (; popped.what != What::kEnd; popped = queue_->Pop()) {
    if (popped.what == What::kPart) bytes += popped.part->spec.size;
  }
  EXPECT_EQ(bytes, 1000u);
  EXPECT_EQ(popped.objects, 200u);
  ASSERT_TRUE(popped.list_failure.has_value());
  EXPECT_EQ(popped.list_failure->kind(), ErrorKind::kUnavailable);
  lister.join();
  queue_->Stop();
  worker.join();
}

TEST_F(PartQueueTest, StopEndsEveryWait) {
  Make(Options(4));
  std::thread worker([this] { EXPECT_EQ(queue_->Take(&fetcher_), nullptr); });
  std::thread feeder([this] { EXPECT_EQ(queue_->Pop().what, What::kStopped); });
  queue_->Stop();
  worker.join();
  feeder.join();
  EXPECT_EQ(queue_->Take(&fetcher_), nullptr);
}

// The next epoch is fetched while this one is still being popped, and is there when it begins.
TEST_F(PartQueueTest, WaitingEndsWhenNobodyWantsThePartAnyMore) {
  Start(4, 3 * kPart);
  int looks = 0;
  EXPECT_EQ(queue_->Pop([&] { return ++looks == 2; }).what, What::kLeft);
  EXPECT_EQ(stats().stalls, 1u);
  const auto part = queue_->Take(&fetcher_);
  queue_->Put(part, Done(*part));
  EXPECT_EQ(queue_->Pop([] { return true; }).part, part);
}

TEST_F(PartQueueTest, PlansOneEpochAhead) {
  Start(16, 2 * kPart);
  const auto fetch_all = [this] {
    size_t fetched = 0;
    for (; fetched < 3; ++fetched) {
      auto part = queue_->Take(&fetcher_);
      const FetchResult done = Done(*part);
      queue_->Put(std::move(part), done);
    }
  };
  fetch_all();
  fetch_all();
  EXPECT_EQ(stats().queue_parts, 6u);
  for (uint64_t epoch = 0; epoch < 3; ++epoch) {
    size_t bytes = 0;
    auto popped = queue_->Pop();
    for (; popped.what == What::kPart; popped = queue_->Pop()) bytes += popped.part->spec.size;
    EXPECT_EQ(popped.what, What::kEnd);
    EXPECT_EQ(popped.objects, 1u);
    EXPECT_EQ(bytes, 2 * kPart);
    EXPECT_EQ(queue_->Pop().what, What::kEnd);  // until the next begins
    queue_->BeginEpoch(epoch + 1);
    fetch_all();
  }
  EXPECT_EQ(stats().bytes_fetched, 5 * 2 * kPart);
}

TEST_F(PartQueueTest, WhatWasFetchedAheadIsDroppedWithItsEpoch) {
  Start(16, 2 * kPart);
  for (int i = 0; i < 4; ++i) {
    auto part = queue_->Take(&fetcher_);
    const FetchResult done = Done(*part);
    queue_->Put(std::move(part), done);
  }
  EXPECT_EQ(queue_->Pop().what, What::kPart);
  queue_->BeginEpoch(1);  // in the middle
  EXPECT_EQ(stats().queue_parts, 0u);
  EXPECT_EQ(queue_->Take(&fetcher_)->spec.offset, 0u);
}

// Two dozen quick parts teach the queue how long a fetch takes.
class HedgingTest : public PartQueueTest {
 protected:
  static constexpr int kQuick = 24;

  void StartAndFetchQuickOnes(size_t buffers) {
    PartQueueOptions options = Options(buffers);
    options.plan.first_part_bytes = kPart;
    Make(options);
    objects_->Append("a", (kQuick + 1) * kPart, "");
    // Not finished, so that no part of the next epoch is taken instead of a hedge.
    queue_->BeginEpoch(0);
    for (int i = 0; i < kQuick; ++i) {
      auto part = queue_->Take(&fetcher_);
      const FetchResult done = Done(*part);
      queue_->Put(std::move(part), done);
      ASSERT_EQ(queue_->Pop().what, What::kPart);
    }
    slow_ = queue_->Take(&slow_fetcher_);
    ASSERT_EQ(slow_->spec.offset, kQuick * kPart);
  }

  Nudged slow_fetcher_;
  std::shared_ptr<Part> slow_;
};

TEST_F(HedgingTest, ASlowPartIsFetchedASecondTimeAndTheFasterCounts) {
  StartAndFetchQuickOnes(4);
  auto hedge = queue_->Take(&fetcher_);  // waits until the other is slow
  EXPECT_EQ(hedge->spec.offset, slow_->spec.offset);
  EXPECT_NE(hedge->buffer.data(), slow_->buffer.data());
  EXPECT_EQ(stats().hedges, 1u);
  const FetchResult done = Done(*hedge);
  Part* const winner = hedge.get();
  queue_->Put(std::move(hedge), done);
  EXPECT_TRUE(slow_->stop);
  EXPECT_EQ(slow_fetcher_.nudges, 1);
  EXPECT_EQ(stats().hedges_won, 1u);
  const auto popped = queue_->Pop();
  ASSERT_EQ(popped.what, What::kPart);
  EXPECT_EQ(popped.part.get(), winner);
  queue_->Put(std::move(slow_), Trouble(Status::kStopped));
  objects_->Finish();
  EXPECT_EQ(queue_->Pop().what, What::kEnd);
}

TEST_F(HedgingTest, TheFirstFetchMayBeTheFaster) {
  StartAndFetchQuickOnes(4);
  auto hedge = queue_->Take(&fetcher_);
  Part* const first = slow_.get();
  const FetchResult done = Done(*slow_);
  queue_->Put(std::move(slow_), done);
  EXPECT_TRUE(hedge->stop);
  EXPECT_EQ(queue_->Pop().part.get(), first);
  // Too late.
  const FetchResult late = Done(*hedge);
  queue_->Put(std::move(hedge), late);
  EXPECT_EQ(stats().hedges_won, 0u);
  objects_->Finish();
  EXPECT_EQ(queue_->Pop().what, What::kEnd);
}

TEST_F(HedgingTest, AHedgeThatFailsIsForgotten) {
  StartAndFetchQuickOnes(4);
  auto hedge = queue_->Take(&fetcher_);
  queue_->Put(std::move(hedge), Trouble(Status::kFailed));
  EXPECT_FALSE(queue_->EpochFailed());
  const FetchResult done = Done(*slow_);
  queue_->Put(std::move(slow_), done);
  EXPECT_EQ(queue_->Pop().what, What::kPart);
}

TEST_F(HedgingTest, AHedgeTakesOverFromAFetchThatFails) {
  StartAndFetchQuickOnes(4);
  auto hedge = queue_->Take(&fetcher_);
  queue_->Put(std::move(slow_), Trouble(Status::kFailed));
  EXPECT_FALSE(queue_->EpochFailed());
  const FetchResult done = Done(*hedge);
  queue_->Put(std::move(hedge), done);
  EXPECT_EQ(queue_->Pop().what, What::kPart);
}

TEST_F(HedgingTest, AHedgeMayWinWhileTheFirstWaitsForItsRetry) {
  StartAndFetchQuickOnes(4);
  auto hedge = queue_->Take(&fetcher_);
  FetchResult later = Trouble(Status::kRetry);
  later.retry_after_seconds = 5;
  queue_->Put(std::move(slow_), later);
  const FetchResult done = Done(*hedge);
  queue_->Put(std::move(hedge), done);
  EXPECT_EQ(queue_->Pop().what, What::kPart);
  objects_->Finish();
  EXPECT_EQ(queue_->Pop().what, What::kEnd);
}

TEST_F(HedgingTest, WithoutMemoryTheSlowFetchIsBrokenOffAndGoesOnWhereItStopped) {
  StartAndFetchQuickOnes(1);
  std::thread idle([this] {
    auto part = queue_->Take(&fetcher_);
    ASSERT_NE(part, nullptr);
    EXPECT_EQ(part->Request().offset, kQuick * kPart + 100);
    EXPECT_FALSE(part->stop);
    const FetchResult done = Done(*part);
    queue_->Put(std::move(part), done);
  });
  while (slow_fetcher_.nudges == 0) std::this_thread::yield();
  EXPECT_TRUE(slow_->stop);
  queue_->Put(std::move(slow_), Trouble(Status::kStopped, 100));
  idle.join();
  EXPECT_EQ(stats().hedges, 0u);
  EXPECT_EQ(queue_->Pop().what, What::kPart);
}

TEST_F(PartQueueTest, NoMoreFetchesThanAreAllowed) {
  PartQueueOptions options = Options(8);
  options.tuner.connections = 2;
  Make(options);
  objects_->Append("a", 8 * kPart, "");
  queue_->BeginEpoch(0);
  auto first = queue_->Take(&fetcher_);
  auto second = queue_->Take(&fetcher_);
  std::atomic<bool> taken{false};
  std::thread third([&] {
    auto part = queue_->Take(&fetcher_);
    taken = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(taken);
  const FetchResult done = Done(*first);
  queue_->Put(std::move(first), done);
  third.join();
  EXPECT_TRUE(taken);
}

// From far away: 50 ms to the first byte, and as long for the others.
TEST_F(PartQueueTest, TheNextRequestIsSentBeforeAFetchEnds) {
  constexpr size_t kLarge = size_t{8} << 20;
  PartQueueOptions options = Options(8);
  options.tuner.connections = 1;
  options.tuner.part_bytes = options.plan.first_part_bytes = kLarge;
  options.tuner.memory_bytes = 8 * kLarge;
  options.hedging = false;
  Make(options);
  objects_->Append("a", 8 * kLarge, "");
  queue_->BeginEpoch(0);
  auto first = queue_->Take(&fetcher_);
  EXPECT_EQ(queue_->most_fetches(), 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  FetchResult done = Done(*first);
  done.first_byte_seconds = 0.05;
  queue_->Put(std::move(first), done);
  EXPECT_EQ(queue_->most_fetches(), 2);
  auto second = queue_->Take(&fetcher_);
  auto third = queue_->Take(&fetcher_);  // although the second has not ended
  EXPECT_EQ(third->spec.offset, 2 * kLarge);
  EXPECT_EQ(stats().connections, 2u);
  EXPECT_EQ(stats().connections_limit, 1u);
}

TEST_F(PartQueueTest, WhatNeedsNoFetchIsReadyAtOnce) {
  PartQueueOptions options = Options(8);
  options.plan.keep_empty = true;
  Make(options);
  objects_->AppendInline("{\"label\": 1}");
  objects_->Append("empty", 0, "");
  objects_->Append("a", 10, "");
  objects_->Finish();
  queue_->BeginEpoch(0);
  auto fetched = queue_->Take(&fetcher_);
  EXPECT_EQ(fetched->spec.object.name, "a");
  auto inline_part = queue_->Pop();
  ASSERT_EQ(inline_part.what, What::kPart);
  EXPECT_EQ(inline_part.part->bytes(), "{\"label\": 1}");
  auto empty = queue_->Pop();
  ASSERT_EQ(empty.what, What::kPart);
  EXPECT_EQ(empty.part->bytes(), "");
  EXPECT_TRUE(empty.part->spec.ends_object);
  const FetchResult done = Done(*fetched);
  queue_->Put(std::move(fetched), done);
  EXPECT_EQ(queue_->Pop().what, What::kPart);
  const auto end = queue_->Pop();
  EXPECT_EQ(end.what, What::kEnd);
  EXPECT_EQ(end.objects, 3u);
}

TEST_F(PartQueueTest, ARejectedPartIsFetchedAnewFromItsStart) {
  Start(1, 500);
  auto part = queue_->Take(&fetcher_);
  FetchResult done = Done(*part);
  queue_->Put(std::move(part), done);
  auto popped = queue_->Pop();
  FetchResult damaged = Trouble(Status::kRetry);
  damaged.kind = ErrorKind::kDataLoss;
  queue_->Reject(std::move(popped.part), damaged);
  part = queue_->Take(&fetcher_);
  EXPECT_EQ(part->Request().offset, 0u);
  EXPECT_EQ(part->Request().size, 500u);
  done = Done(*part);
  queue_->Put(std::move(part), done);
  EXPECT_EQ(queue_->Pop().part->bytes().size(), 500u);
  EXPECT_EQ(queue_->Pop().what, What::kEnd);
}

// Many workers over a source with faults, epochs cut short in between: what is popped is the
// stream, and the memory stays within its bound.
TEST_F(PartQueueTest, DeliversTheStreamUnderFaults) {
  FakeObjectOptions fake;
  fake.seed = 11;
  fake.transient_rate = 0.02;
  fake.truncate_rate = 0.05;
  FakeObjectSource source(fake);
  PartQueueOptions options = Options(8);
  options.retry = {50, 600};
  const auto objects = std::make_shared<ObjectList>();
  PartQueue queue(options, objects);
  std::string expected;
  for (int i = 0; i < 60; ++i) {
    const std::string name = "object-" + std::to_string(i);
    const uint64_t size = static_cast<uint64_t>(i) * 997 % 20000;
    objects->Append(name, size, "");
    expected += source.Content(name, size);
  }
  objects->Finish();
  std::vector<std::thread> workers;
  for (int i = 0; i < 6; ++i) {
    workers.emplace_back([&] {
      const auto fetcher = source.MakeFetcher({});
      while (auto part = queue.Take(fetcher.get())) {
        FetchResult result = fetcher->Fetch(part->Request(), part->stop);
        queue.Put(std::move(part), std::move(result));
      }
    });
  }
  uint64_t epoch = 0;
  for (const size_t until : {size_t{1}, expected.size(), expected.size() / 3, expected.size()}) {
    queue.BeginEpoch(epoch++);
    std::string got;
    while (got.size() < until) {
      const auto popped = queue.Pop();
      if (popped.what == What::kStarved) continue;
      ASSERT_EQ(popped.what, What::kPart);
      got += popped.part->bytes();
      Stats stats;
      queue.AddTo(&stats);
      EXPECT_LE(stats.memory_bytes, 8 * kPart);
    }
    EXPECT_EQ(got, expected.substr(0, got.size()));
  }
  queue.Stop();
  for (std::thread& worker : workers) worker.join();
}

}  // namespace
}  // namespace smtf
