// A feed and the readers of its ring, in one process.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "pipe/pipe_testing.h"
#include "pipe/random_name.h"
#include "prefetch/fake_object_source.h"
#include "prefetch/feed.h"
#include "ring/ring_lease.h"
#include "ring/ring_source.h"

namespace smtf {
namespace {

using std::chrono::milliseconds;

void Nap() { std::this_thread::sleep_for(milliseconds(1)); }

class RingFeedTest : public testing::Test {
 protected:
  RingFeedTest() {
    options_.channel = "train";
    options_.ring_address = "smtf-" + RandomName() + RandomName() + "/train";
    options_.queue.tuner.connections = 4;
    options_.queue.tuner.part_bytes = 64 * 1024;
    options_.queue.plan.first_part_bytes = 4096;
    options_.queue.tuner.memory_bytes = 1024 * 1024;
    options_.queue.retry = {50, 600};
    reading_.address = options_.ring_address;
    reading_.channel = "train";
  }

  void Start() {
    feed_.reset();
    source_ = std::make_shared<FakeObjectSource>(fake_);
    objects_ = std::make_shared<ObjectList>();
    feed_ = std::make_unique<Feed>(options_, source_, objects_);
    feed_->Start();
  }

  void Add(const std::string& name, uint64_t size) {
    objects_->Append(name, size, "");
    expected_ += source_->Content(name, size);
  }
  void AddSome(int count) {
    for (int i = 0; i < count; ++i) Add("object-" + std::to_string(i), 9973u * (i % 7));
    objects_->Finish();
  }

  std::unique_ptr<RingSource> Reader() { return std::make_unique<RingSource>(reading_, &cancel_); }
  std::string ReadEpoch() { return ReadAll(Reader().get()); }
  // Exactly so many bytes.
  static std::string Take(RingSource* reader, size_t size) {
    std::string bytes(size, '\0');
    for (size_t got = 0; got < size;) {
      const size_t count = reader->Read(bytes.data() + got, size - got);
      if (count == 0) return bytes.substr(0, got);
      got += count;
    }
    return bytes;
  }
  StreamPosition PositionAt(uint64_t offset) {
    const auto reader = Reader();
    Take(reader.get(), offset);
    return *reader->PositionAt(offset);
  }
  std::string ReadFrom(const StreamPosition& position) {
    const auto reader = Reader();
    reader->Resume(position);
    return ReadAll(reader.get());
  }

  FeedOptions options_;
  RingSourceOptions reading_;
  Wakeup cancel_;
  FakeObjectOptions fake_;
  std::shared_ptr<FakeObjectSource> source_;
  std::shared_ptr<ObjectList> objects_;
  std::string expected_;
  std::unique_ptr<Feed> feed_;
};

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

TEST_F(RingFeedTest, AnErrorComesBehindTheBytesBeforeIt) {
  fake_.fail_name = "bad";
  fake_.fail_kind = ErrorKind::kPermissionDenied;
  Start();
  Add("good", 300'000);
  objects_->Append("bad", 1000, "");
  objects_->Finish();
  for (int epoch = 0; epoch < 2; ++epoch) {
    const auto reader = Reader();
    EXPECT_TRUE(Take(reader.get(), expected_.size()) == expected_);
    EXPECT_EQ(MessageOf(ErrorKind::kPermissionDenied, [&] { Take(reader.get(), 1); }),
              "fake://bad bytes 0-999: a fault of the fake source");
  }
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

TEST_F(RingFeedTest, ASecondReaderThatWaitsTooLongIsToldOfTheFirst) {
  Start();
  for (int i = 0; i < 30; ++i) Add("object-" + std::to_string(i), 300'000);
  objects_->Finish();
  const auto first = Reader();
  Take(first.get(), 1);
  reading_.timeout = milliseconds(50);
  const std::string message = MessageOf(ErrorKind::kDeadlineExceeded, [&] { ReadEpoch(); });
  EXPECT_NE(message.find("which another iterator of this process reads"), std::string::npos)
      << message;
}

TEST_F(RingFeedTest, NobodyAtTheAddressIsAnErrorAtOnce) {
  const std::string message = MessageOf(ErrorKind::kUnavailable, [&] { ReadEpoch(); });
  EXPECT_NE(message.find("nobody listens at " + reading_.address), std::string::npos) << message;
  reading_.started = false;
  reading_.timeout = milliseconds(30);
  MessageOf(ErrorKind::kUnavailable, [&] { ReadEpoch(); });
  reading_.timeout = milliseconds(60'000);
  auto reading = std::async(std::launch::async, [&] { return ReadEpoch(); });
  for (int i = 0; i < 20; ++i) Nap();
  Start();
  AddSome(3);
  EXPECT_EQ(reading.get(), expected_);
}

TEST_F(RingFeedTest, AnAddressIsForOneFeed) {
  Start();
  MessageOf(ErrorKind::kFailedPrecondition,
            [&] { Feed(options_, source_, std::make_shared<ObjectList>()); });
  feed_->Stop();
  options_.ring_address = std::string(200, 'x');
  MessageOf(ErrorKind::kInvalidArgument, [&] { Start(); });
}

TEST_F(RingFeedTest, StoppingIsAnErrorForTheReaderAndThoseWhoWait) {
  Start();
  Add("a", 300'000);  // and the list goes on
  const auto reader = Reader();
  EXPECT_TRUE(Take(reader.get(), expected_.size()) == expected_);
  auto read = std::async(std::launch::async, [&] {
    return MessageOf(ErrorKind::kUnavailable, [&] { Take(reader.get(), 1); });
  });
  auto wait = std::async(std::launch::async,
                         [&] { return MessageOf(ErrorKind::kUnavailable, [&] { ReadEpoch(); }); });
  while (feed_->connections() < 2) Nap();
  feed_->Stop();
  EXPECT_EQ(read.get(),
            "the prefetcher was stopped after 300000 bytes of epoch 0 of channel 'train'");
  EXPECT_NE(wait.get().find("is gone: it ended before it was this reader's turn"),
            std::string::npos);
}

TEST_F(RingFeedTest, StopsWhileEverythingIsLentAndNobodyReads) {
  Start();
  for (int i = 0; i < 60; ++i) Add("object-" + std::to_string(i), 300'000);
  const auto reader = Reader();
  Take(reader.get(), 1);
  // Until about all of the memory is lent.
  while (feed_->stats().bytes_written < 512 * 1024) Nap();
  for (int i = 0; i < 20; ++i) Nap();
  feed_->Stop();
  EXPECT_EQ(feed_->connections(), 0);
  MessageOf(ErrorKind::kUnavailable, [&] { ReadAll(reader.get()); });
}

TEST_F(RingFeedTest, AReaderThatIsCancelledStopsWaiting) {
  Start();
  auto waiting = std::async(std::launch::async,
                            [&] { return MessageOf(ErrorKind::kCancelled, [&] { ReadEpoch(); }); });
  while (feed_->connections() == 0) Nap();
  cancel_.Signal();
  waiting.get();
  MessageOf(ErrorKind::kCancelled, [&] { ReadEpoch(); });
}

TEST_F(RingFeedTest, AStallIsTold) {
  Start();
  Add("a", 1000);
  reading_.stall_timeout = milliseconds(30);
  const auto reader = Reader();
  Take(reader.get(), 1000);
  const std::string message =
      MessageOf(ErrorKind::kDeadlineExceeded, [&] { Take(reader.get(), 1); });
  EXPECT_NE(message.find("no byte of epoch 0 of channel train came for 0 s, after 1000 bytes"),
            std::string::npos)
      << message;
  EXPECT_GE(reader->stalled().count(), 30);
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
    EXPECT_EQ(CountRingObjects(options_.ring_address, milliseconds(10'000), &cancel_), 3u);
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

// The other side of what follows, in a process of its own: `body` returns its exit status. Forked
// while this process has one thread only.
pid_t Fork(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  return child;
}

TEST_F(RingFeedTest, AReaderThatIsKilledLeavesItsEpoch) {
  int ready[2], held[2];
  ASSERT_EQ(pipe(ready) + pipe(held), 0);
  reading_.started = false;
  const pid_t child = Fork([&] {
    const auto reader = Reader();
    Take(reader.get(), 200'000);
    if (fork() == 0) {  // one that has the socket too, and lives as long as this test
      close(held[1]);
      char byte;
      _exit(read(held[0], &byte, 1) == 0 ? 0 : 1);
    }
    if (write(ready[1], "!", 1) != 1) return 1;
    pause();
    return 0;
  });
  Start();
  for (int i = 0; i < 30; ++i) Add("object-" + std::to_string(i), 300'000);
  objects_->Finish();
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(feed_->connections(), 1);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  const auto reader = Reader();
  EXPECT_TRUE(ReadAll(reader.get()) == expected_);
  EXPECT_EQ(reader->epoch(), 1u);
  for (const int fd : {ready[0], ready[1], held[0], held[1]}) close(fd);
}

TEST_F(RingFeedTest, APrefetcherThatIsKilledIsAnErrorBehindItsBytes) {
  reading_.started = false;
  const pid_t child = Fork([&] {
    Start();
    Add("a", 300'000);
    pause();
    return 0;
  });
  source_ = std::make_shared<FakeObjectSource>(fake_);
  const auto reader = Reader();
  EXPECT_TRUE(Take(reader.get(), 300'000) == source_->Content("a", 300'000));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  const std::string message = MessageOf(ErrorKind::kUnavailable, [&] { Take(reader.get(), 1); });
  EXPECT_NE(message.find("the prefetcher (process " + std::to_string(child) +
                         ") of channel train is gone: it ended without a word after 300000 bytes"),
            std::string::npos)
      << message;
}

TEST_F(RingFeedTest, AForkOfTheReaderMayNotRead) {
  Start();
  AddSome(10);
  const auto reader = Reader();
  Take(reader.get(), 10);
  const pid_t child = Fork([&] {
    char byte;
    try {
      reader->Read(&byte, 1);
    } catch (const Error& error) {
      return error.kind() == ErrorKind::kFailedPrecondition ? 0 : 2;
    }
    return 1;
  });
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ReadAll(reader.get()), expected_.substr(10));
}

}  // namespace
}  // namespace smtf
