// What goes wrong at either end of a ring, and what that means for the other and for who comes
// next.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "errors.h"
#include "file_descriptor.h"
#include "ring/ring_call.h"
#include "ring/ring_feed_testing.h"
#include "ring/ring_memory.h"
#include "ring/ring_messages.h"
#include "ring/ring_outlet.h"
#include "ring/ring_signal.h"

namespace smtf {
namespace {

using std::chrono::milliseconds;

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

TEST_F(RingFeedTest, AReaderThatFailedGivesUpItsPlaceAndItsTurn) {
  Start();
  Add("a", 1000);  // and the list goes on
  reading_.stall_timeout = milliseconds(30);
  const auto first = Reader(), second = Reader();
  Take(first.get(), 700);
  const StreamPosition position = *first->PositionAt(600);
  reading_.timeout = milliseconds(20);
  const auto impatient = Reader();
  MessageOf(ErrorKind::kDeadlineExceeded, [&] { impatient->Open(); });
  const std::string stalled =
      MessageOf(ErrorKind::kDeadlineExceeded, [&] { Take(first.get(), 1000); });
  // Neither of those keeps it from the next one.
  Add("b", 1000);
  objects_->Finish();
  EXPECT_EQ(ReadAll(second.get()), expected_);
  EXPECT_EQ(second->epoch(), 1u);
  EXPECT_EQ(MessageOf(ErrorKind::kDeadlineExceeded, [&] { Take(first.get(), 1); }), stalled);
  EXPECT_EQ(first->epoch(), 0u);
  EXPECT_EQ(first->PositionAt(600)->offset, position.offset);
  EXPECT_EQ(first->PositionAt(600)->name, position.name);
}

TEST_F(RingFeedTest, AReaderThatGoesWhileAPartIsAwaitedKeepsNobodyWaiting) {
  Start();
  ASSERT_TRUE(Reader()->Open());  // and nothing is listed
  ASSERT_TRUE(Reader()->Open());
  Add("a", 1000);  // and the list goes on
  Take(Reader().get(), 1000);
  const auto next = Reader();
  EXPECT_EQ(Take(next.get(), 1000), expected_);
  EXPECT_EQ(next->epoch(), 1u);
}

TEST_F(RingFeedTest, AnEpochThatIsGivenUpIsOverForItsReaderAndNobodyElse) {
  Start();
  for (int i = 0; i < 30; ++i) Add("object-" + std::to_string(i), 300'000);
  objects_->Finish();
  const auto first = Reader();
  first->GiveUp();  // nothing yet
  Take(first.get(), 500'000);
  first->GiveUp();
  first->GiveUp();
  const auto second = Reader();
  EXPECT_TRUE(ReadAll(second.get()) == expected_);
  EXPECT_EQ(second->epoch(), 1u);
  MessageOf(ErrorKind::kFailedPrecondition, [&] { Take(first.get(), 1); });
  EXPECT_EQ(first->PositionAt(400'000)->name, "fake://object-1");
}

TEST_F(RingFeedTest, AReaderThatCannotBeSentItsRingIsTold) {
  RingOutlet outlet(options_.ring_address, 1024 * 1024, [] { return std::nullopt; });
  auto message = std::async(std::launch::async, [&] {
    return MessageOf(ErrorKind::kInternal, [&] { Reader()->Open(); });
  });
  outlet.AwaitReader();
  outlet.Admit({0, std::string(16 * 1024 * 1024, 'x'), true});
  EXPECT_EQ(message.get(), "sending this reader its ring: Message too long");
  EXPECT_TRUE(outlet.ReaderGone());
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

TEST_F(RingFeedTest, AnEpochThatFailsWhenItsReaderHasGoneIsForTheNext) {
  fake_.fail_name = "bad";
  Start();
  ASSERT_TRUE(Reader()->Open());
  objects_->Append("bad", 1000, "");
  objects_->Finish();
  const auto next = Reader();
  MessageOf(fake_.fail_kind, [&] { Take(next.get(), 1); });
  EXPECT_EQ(next->epoch(), 0u);
}

TEST_F(RingFeedTest, AReaderThatTalksNonsenseIsToldAndSentAway) {
  Start();
  for (int i = 0; i < 30; ++i) Add("object-" + std::to_string(i), 300'000);
  objects_->Finish();
  RingCallOptions options;
  options.address = options_.ring_address;
  RingCall call(options, RingHello(), &cancel_);
  ASSERT_TRUE(std::holds_alternative<RingHead>(call.AwaitAnswer()));
  std::vector<FileDescriptor> descriptors = call.TakeDescriptors();
  RingMemory::Attach(std::move(descriptors[0])).header().taken.store(UINT64_MAX);
  RingSignal(std::move(descriptors[2])).Send();
  const auto hear = [&call] {
    RingPacket packet = call.Listen();
    for (; packet.what == RingPacket::What::kNothing; packet = call.Listen()) Nap();
    return packet;
  };
  const std::string said = std::get<Outcome>(ParseAnswer(hear().text)).error_message;
  EXPECT_EQ(said.find("process " + std::to_string(getpid()) +
                      " said it had taken 18446744073709551615 of "),
            0u)
      << said;
  EXPECT_EQ(hear().what, RingPacket::What::kEnd);
  const auto next = Reader();
  EXPECT_TRUE(ReadAll(next.get()) == expected_);
  EXPECT_EQ(next->epoch(), 1u);
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
