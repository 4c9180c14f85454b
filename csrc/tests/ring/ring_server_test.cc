// A server and sockets that talk to it by hand.
#include "ring/ring_server.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "pipe/pipe_testing.h"
#include "pipe/random_name.h"
#include "ring/ring_messages.h"
#include "ring/ring_socket.h"

namespace smtf {
namespace {

class RingServerTest : public testing::Test {
 protected:
  FileDescriptor Say(const std::string& text) {
    FileDescriptor socket = ConnectToRing(address_);
    EXPECT_TRUE(SendPacket(socket.get(), text));
    return socket;
  }
  FileDescriptor Ask(RingHello::Want want) {
    RingHello hello;
    hello.want = want;
    return Say(FormatHello(hello));
  }
  // The next packet, or the end.
  static RingPacket Hear(const FileDescriptor& socket) {
    pollfd polled{socket.get(), POLLIN, 0};
    poll(&polled, 1, 10'000);
    return ReceivePacket(socket.get());
  }
  void AwaitConnections(int count) {
    while (server_.connections() != count) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  const std::string address_ = "smtf-" + RandomName() + "/train";
  std::atomic<bool> counted_{false};
  RingServer server_{address_,
                     [this] { return counted_ ? std::optional<uint64_t>(12) : std::nullopt; }};
};

TEST_F(RingServerTest, WhoIsNotUnderstoodIsToldAndDropped) {
  for (const char* text : {"{", "[]", "{\"version\": 1}", "{\"version\": 2, \"want\": \"epoch\"}",
                           "{\"version\": 1, \"want\": \"everything\"}",
                           "{\"version\": 1, \"want\": \"epoch\", \"objects\": [0, 1e30]}",
                           "{\"version\": 1, \"want\": \"epoch\", \"resume\": {\"epoch\": -1}}"}) {
    const FileDescriptor socket = Say(text);
    const RingPacket packet = Hear(socket);
    ASSERT_EQ(packet.what, RingPacket::What::kText) << text;
    EXPECT_TRUE(std::holds_alternative<Error>(ParseAnswer(packet.text))) << packet.text;
    EXPECT_EQ(Hear(socket).what, RingPacket::What::kEnd);
  }
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(RingServerTest, WhoSaysNothingKeepsNobodyWaiting) {
  const FileDescriptor silent = ConnectToRing(address_);
  {
    const FileDescriptor gone = ConnectToRing(address_);
  }
  {
    const FileDescriptor impatient = Ask(RingHello::Want::kEpoch);
  }
  const FileDescriptor reader = Ask(RingHello::Want::kEpoch);
  EXPECT_EQ(server_.AwaitReader()->pid, getpid());
  const FileDescriptor second = Ask(RingHello::Want::kEpoch);
  EXPECT_EQ(std::get<RingBusy>(ParseAnswer(Hear(second).text)).pid, getpid());
  AwaitConnections(3);  // the silent one too
  server_.Release();
  AwaitConnections(2);
}

TEST_F(RingServerTest, LeasesEndWithTheirHolders) {
  {
    const FileDescriptor one = Ask(RingHello::Want::kLease), two = Ask(RingHello::Want::kLease);
    AwaitConnections(2);
  }
  AwaitConnections(0);
}

TEST_F(RingServerTest, AnswersQuestions) {
  StreamPosition next;
  next.epoch = 7;
  next.settings = "in order";
  server_.SetNext(next);
  const RingAnswer answer = ParseAnswer(Hear(Ask(RingHello::Want::kNext)).text);
  EXPECT_EQ(std::get<StreamPosition>(answer).epoch, 7u);
  const FileDescriptor counting = Ask(RingHello::Want::kCount);
  pollfd polled{counting.get(), POLLIN, 0};
  EXPECT_EQ(poll(&polled, 1, 50), 0);  // the list is not complete
  counted_ = true;
  EXPECT_EQ(std::get<RingCount>(ParseAnswer(Hear(counting).text)).units, 12u);
}

TEST_F(RingServerTest, StoppingEndsEverything) {
  const FileDescriptor lease = Ask(RingHello::Want::kLease), silent = ConnectToRing(address_);
  AwaitConnections(2);
  std::thread waiting([&] { MessageOf(ErrorKind::kCancelled, [&] { server_.AwaitReader(); }); });
  server_.Stop();
  waiting.join();
  EXPECT_EQ(Hear(lease).what, RingPacket::What::kEnd);
  EXPECT_EQ(Hear(silent).what, RingPacket::What::kEnd);
  while (ConnectToRing(address_).ok()) std::this_thread::yield();
}

// Needs the right to become somebody else.
TEST_F(RingServerTest, OtherUsersAreRefusedByBothSides) {
  if (geteuid() != 0) GTEST_SKIP() << "not root";
  const pid_t child = fork();
  if (child == 0) {
    if (setuid(65534) != 0) _exit(2);
    try {
      ConnectToRing(address_);
    } catch (const Error& error) {
      _exit(error.kind() == ErrorKind::kPermissionDenied ? 0 : 3);
    }
    _exit(1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  AwaitConnections(0);
}

}  // namespace
}  // namespace smtf
