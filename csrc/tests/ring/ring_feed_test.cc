// A feed and the readers of its ring, in one process.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ring/count_ring_objects.h"
#include "ring/ring_feed_testing.h"
#include "ring/ring_lease.h"

namespace smtf {
namespace {

using std::chrono::milliseconds;

TEST_F(RingFeedTest, StreamsEveryEpochWhole) {
  fake_.transient_rate = 0.05;
  Start();
  for (int i = 0; i < 60; ++i) Add("object-" + std::to_string(i), 19973u * i % 450000);
  objects_->Finish();
  for (uint64_t epoch = 0; epoch < 3; ++epoch) {
    const auto reader = Reader();
    EXPECT_FALSE(reader->epoch());
    EXPECT_TRUE(ReadAll(reader.get(), 77'777) == expected_);
    EXPECT_EQ(reader->epoch(), epoch);
    EXPECT_EQ(reader->Read(expected_.data(), 1), 0u);
  }
  EXPECT_EQ(feed_->stats().bytes_written, 3 * expected_.size());
}

TEST_F(RingFeedTest, AnEpochThatAReaderLeavesEarlyIsOver) {
  Start();
  for (int i = 0; i < 30; ++i) Add("object-" + std::to_string(i), 300'000);
  objects_->Finish();
  EXPECT_EQ(Take(Reader().get(), 100), expected_.substr(0, 100));
  const auto second = Reader();
  EXPECT_TRUE(ReadAll(second.get()) == expected_);
  EXPECT_EQ(second->epoch(), 1u);
}

TEST_F(RingFeedTest, AnEpochThatNobodyTookAByteOfIsForTheNext) {
  options_.queue.plan.order.shuffle_seed = 3;
  Start();
  AddSome(20);
  const auto reference = ReadEpoch();
  ASSERT_TRUE(Reader()->Open());
  const auto next = Reader();
  const std::string second = ReadAll(next.get());
  EXPECT_NE(second, reference);
  EXPECT_EQ(next->epoch(), 1u);
  EXPECT_EQ(next->PositionAt(0)->epoch, 1u);
}

TEST_F(RingFeedTest, ReadersHaveOneEpochEach) {
  Start();
  AddSome(50);
  std::vector<std::future<std::string>> readers;
  for (int i = 0; i < 6; ++i) {
    readers.push_back(std::async(std::launch::async, [&] { return ReadEpoch(); }));
  }
  for (auto& reader : readers) EXPECT_TRUE(reader.get() == expected_);
  EXPECT_EQ(feed_->stats().epochs_done, 6u);
}

TEST_F(RingFeedTest, WhatIsRefusedUsesUpNoEpoch) {
  options_.queue.plan.order.shuffle_seed = 3;
  Start();
  AddSome(20);
  const std::string first = ReadEpoch();
  StreamPosition changed = PositionAt(60'000), elsewhere = changed;
  feed_->Stop();
  expected_.clear();
  Start();
  AddSome(20);
  changed.etag = "\"old\"";
  elsewhere.settings = "in order";
  MessageOf(ErrorKind::kFailedPrecondition, [&] { ReadFrom(changed); });
  MessageOf(ErrorKind::kFailedPrecondition, [&] { ReadFrom(elsewhere); });
  const auto reader = Reader();
  EXPECT_TRUE(ReadAll(reader.get()) == first);
  EXPECT_EQ(reader->PositionAt(0)->epoch, 0u);
}

TEST_F(RingFeedTest, AnAddressIsForOneFeed) {
  Start();
  MessageOf(ErrorKind::kFailedPrecondition,
            [&] { Feed(options_, source_, std::make_shared<ObjectList>()); });
  feed_->Stop();
  options_.ring_address = std::string(200, 'x');
  MessageOf(ErrorKind::kInvalidArgument, [&] { Start(); });
}

TEST_F(RingFeedTest, GoesOnAtAnyByteOfAnEpochAndWithTheEpochsBehindIt) {
  options_.queue.plan.order.shuffle_seed = 5;
  Start();
  AddSome(20);
  const std::string first = ReadEpoch();
  const auto reader = Reader();
  std::string second = Take(reader.get(), 70'000);
  const StreamPosition position = *reader->PositionAt(60'000);
  second += ReadAll(reader.get());
  EXPECT_EQ(position.epoch, 1u);
  const auto resumed = Reader();
  resumed->Resume(position);
  EXPECT_EQ(resumed->PositionAt(0)->name, position.name);
  EXPECT_TRUE(ReadAll(resumed.get()) == second.substr(60'000));
  // Counted from where that one began.
  EXPECT_EQ(resumed->PositionAt(5)->offset, position.offset + 5);
  const auto third = Reader();
  EXPECT_EQ(third->PositionAt(0)->epoch, 2u);
  const std::string bytes = ReadAll(third.get());
  EXPECT_EQ(third->PositionAt(0)->epoch, 2u);
  EXPECT_TRUE(bytes != first && bytes != second && bytes.size() == first.size());
}

TEST_F(RingFeedTest, ReadersThatWaitBehindARestoredOneHaveOneEpochEach) {
  options_.queue.plan.order.shuffle_seed = 5;
  Start();
  AddSome(20);
  const auto saved = Reader();
  const std::string first = Take(saved.get(), 70'000) + ReadAll(saved.get());
  const std::string second = ReadEpoch(), third = ReadEpoch();
  const auto restored = Reader();
  restored->Resume(*saved->PositionAt(70'000));
  std::string rest = Take(restored.get(), 1);
  reading_.timeout = milliseconds(20);
  MessageOf(ErrorKind::kDeadlineExceeded, [&] { ReadEpoch(); });  // whose epoch is the next one's
  reading_.timeout = milliseconds(60'000);
  auto one = std::async(std::launch::async, [&] { return ReadEpoch(); });
  auto other = std::async(std::launch::async, [&] { return ReadEpoch(); });
  while (feed_->connections() < 3) Nap();
  rest += ReadAll(restored.get());
  EXPECT_TRUE(rest == first.substr(70'000));
  const std::set<std::string> read = {one.get(), other.get()};
  EXPECT_TRUE(read == (std::set<std::string>{second, third}));
}

TEST_F(RingFeedTest, WhatWasChangedIsAnErrorAndNotANewBeginning) {
  Start();
  AddSome(10);
  StreamPosition position = PositionAt(100'000);
  position.etag = "\"old\"";
  const std::string message =
      MessageOf(ErrorKind::kFailedPrecondition, [&] { ReadFrom(position); });
  EXPECT_NE(message.find("which is 49865 bytes now"), std::string::npos) << message;
  EXPECT_EQ(ReadEpoch(), expected_);
}

TEST_F(RingFeedTest, PositionsThatNobodyAsksForAreForgotten) {
  Start();
  AddSome(20);
  const auto reader = Reader();
  const std::string bytes = Take(reader.get(), 100'000);
  const StreamPosition position = *reader->PositionAt(90'000);
  reader->Forget(90'000);
  EXPECT_EQ(reader->PositionAt(90'000)->name, position.name);
  EXPECT_EQ(reader->PositionAt(90'000)->offset, position.offset);
}

TEST_F(RingFeedTest, LeasesAreCountedAndHurtNobody) {
  EXPECT_FALSE(RingLease(options_.ring_address).held());
  Start();
  {
    const RingLease lease(options_.ring_address), other(options_.ring_address);
    EXPECT_TRUE(lease.held());
    while (feed_->connections() < 2) Nap();
    AddSome(3);
    EXPECT_EQ(ReadEpoch(), expected_);
    RingCallOptions asking;
    asking.address = options_.ring_address;
    EXPECT_EQ(CountRingObjects(std::move(asking), &cancel_), 3u);
    EXPECT_EQ(feed_->connections(), 2);
    feed_->Stop();
    while (lease.held()) Nap();
  }
  EXPECT_EQ(feed_->connections(), 0);
}

TEST_F(RingFeedTest, ReadersMayDealTheObjectsOutAmongThemselves) {
  options_.queue.plan.order.shuffle_seed = 3;
  Start();
  AddSome(10);
  const std::string first = ReadEpoch();
  std::string all;
  for (const uint64_t at : {0, 3, 6, 9}) {
    reading_.objects = ObjectRange{at, 3};
    auto reader = Reader();
    if (at == 3) {
      all += Take(reader.get(), 10'000);
      const StreamPosition position = *reader->PositionAt(10'000);
      reader = Reader();
      reader->Resume(position);
    }
    all += ReadAll(reader.get());
  }
  EXPECT_TRUE(all == expected_);
  reading_.objects = ObjectRange{11, 1};
  EXPECT_EQ(ReadEpoch(), "");
  reading_.objects.reset();
  const auto second = Reader();
  ReadAll(second.get());
  EXPECT_EQ(second->PositionAt(0)->epoch, 1u);
}

}  // namespace
}  // namespace smtf
