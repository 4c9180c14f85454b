// Calls of a server that is told by hand what to do.
#include "ring/ring_call.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <future>
#include <optional>
#include <string>

#include "pipe/pipe_testing.h"
#include "pipe/random_name.h"
#include "ring/ring_server.h"

namespace smtf {
namespace {

class RingCallTest : public testing::Test {
 protected:
  RingCallTest() {
    options_.address = address_;
    options_.channel = "train";
    options_.timeout = std::chrono::milliseconds(1);
  }
  // Waits until something was answered.
  static void AwaitWord(const RingCall& call) {
    pollfd polled{call.fd(), POLLIN, 0};
    ASSERT_EQ(poll(&polled, 1, 10'000), 1);
  }

  const std::string address_ = "smtf-" + RandomName() + "/train";
  RingServer server_{address_, [] { return std::nullopt; }};
  RingCallOptions options_;
  Wakeup cancel_;
};

TEST_F(RingCallTest, OnlyThePatientWaitForAnothersEndHoweverLong) {
  const RingCall reading(options_, {}, &cancel_);
  server_.AwaitReader();
  options_.patient = true;
  RingCall patient(options_, {}, &cancel_);
  AwaitWord(patient);
  options_.patient = false;
  RingCall other(options_, {}, &cancel_);
  AwaitWord(other);
  auto answer = std::async(std::launch::async, [&] { return patient.AwaitAnswer(); });
  const std::string message = MessageOf(ErrorKind::kDeadlineExceeded, [&] { other.AwaitAnswer(); });
  EXPECT_NE(message.find("which another iterator of this process reads"), std::string::npos)
      << message;
  server_.Release();
  SendPacket(server_.AwaitReader()->socket.get(), FormatHead({4, 2, ""}));
  EXPECT_EQ(std::get<RingHead>(answer.get()).number, 4u);
}

TEST_F(RingCallTest, AListThatGoesOnIsToldAsThat) {
  RingHello hello;
  hello.want = RingHello::Want::kCount;
  RingCall counting(options_, hello, &cancel_);
  const std::string message =
      MessageOf(ErrorKind::kDeadlineExceeded, [&] { counting.AwaitAnswer(); });
  EXPECT_NE(message.find("the list of objects of channel train is not complete after 0 s"),
            std::string::npos)
      << message;
}

}  // namespace
}  // namespace smtf
