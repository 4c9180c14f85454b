#include "s3/s3_credentials.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "errors.h"

namespace smtf {
namespace {

constexpr double kLong = 3600;

class S3CredentialsTest : public testing::Test {
 protected:
  // Answers the next refusal.
  std::thread Renewer(S3Credentials* credentials, const Credentials& answer) {
    return std::thread([credentials, answer] {
      ASSERT_TRUE(credentials->WaitRefused(kLong));
      credentials->Set(answer);
    });
  }

  const Credentials kOld{"AKIA1", "secret", "token1"};
  const Credentials kNew{"AKIA1", "secret", "token2"};
  std::atomic<bool> stop_{false};
};

TEST_F(S3CredentialsTest, AnonymousUntilSet) {
  S3Credentials credentials;
  EXPECT_EQ(credentials.Get(), nullptr);
  EXPECT_FALSE(credentials.Refused(nullptr, stop_));
  EXPECT_FALSE(credentials.WaitRefused(0));
  credentials.Set(kOld);
  EXPECT_EQ(credentials.Get()->session_token, "token1");
}

TEST_F(S3CredentialsTest, ARefusalWaitsForNewerOnes) {
  S3Credentials credentials(kLong, kLong);
  credentials.Set(kOld);
  std::thread renewer = Renewer(&credentials, kNew);
  EXPECT_TRUE(credentials.Refused(credentials.Get(), stop_));
  renewer.join();
  EXPECT_EQ(credentials.Get()->session_token, "token2");
  EXPECT_FALSE(credentials.WaitRefused(0));
}

TEST_F(S3CredentialsTest, WhoWasRefusedWithOlderOnesNeedNotAsk) {
  S3Credentials credentials(kLong, kLong);
  credentials.Set(kOld);
  const auto old = credentials.Get();
  credentials.Set(kNew);
  EXPECT_TRUE(credentials.Refused(old, stop_));
  EXPECT_TRUE(credentials.Refused(nullptr, stop_));
  EXPECT_FALSE(credentials.WaitRefused(0));
}

TEST_F(S3CredentialsTest, TheSameAreNotAskedAboutAgainSoon) {
  S3Credentials credentials(kLong, kLong);
  credentials.Set(kOld);
  std::thread renewer = Renewer(&credentials, kOld);
  EXPECT_FALSE(credentials.Refused(credentials.Get(), stop_));
  renewer.join();
  EXPECT_FALSE(credentials.Refused(credentials.Get(), stop_));
  EXPECT_FALSE(credentials.WaitRefused(0));
  // Newer ones are.
  credentials.Set(kNew);
  renewer = Renewer(&credentials, kOld);
  EXPECT_TRUE(credentials.Refused(credentials.Get(), stop_));
  renewer.join();
}

TEST_F(S3CredentialsTest, AreAskedAboutAgainAfterTheQuiet) {
  S3Credentials credentials(kLong, 0);
  credentials.Set(kOld);
  for (int i = 0; i < 2; ++i) {
    std::thread renewer = Renewer(&credentials, kOld);
    EXPECT_FALSE(credentials.Refused(credentials.Get(), stop_));
    renewer.join();
  }
}

TEST_F(S3CredentialsTest, NoAnswerIsGivenUpAndNotWaitedForAgain) {
  S3Credentials credentials(0.01, kLong);
  credentials.Set(kOld);
  EXPECT_FALSE(credentials.Refused(credentials.Get(), stop_));
  // It still can be answered, and helps those who come then.
  EXPECT_TRUE(credentials.WaitRefused(0));
  const auto old = credentials.Get();
  credentials.Set(kNew);
  EXPECT_TRUE(credentials.Refused(old, stop_));
}

TEST_F(S3CredentialsTest, AStopEndsTheWait) {
  S3Credentials credentials(kLong, kLong);
  credentials.Set(kOld);
  std::thread stopper([&] {
    EXPECT_TRUE(credentials.WaitRefused(kLong));
    stop_ = true;
  });
  EXPECT_FALSE(credentials.Refused(credentials.Get(), stop_));
  stopper.join();
}

TEST_F(S3CredentialsTest, OneAnswerServesAllWhoWait) {
  S3Credentials credentials(kLong, kLong);
  credentials.Set(kOld);
  const auto old = credentials.Get();
  std::atomic<int> renewed{0};
  std::vector<std::thread> requests;
  for (int i = 0; i < 8; ++i) {
    requests.emplace_back([&] { renewed += credentials.Refused(old, stop_); });
  }
  Renewer(&credentials, kNew).join();
  for (std::thread& request : requests) request.join();
  EXPECT_EQ(renewed, 8);
}

TEST_F(S3CredentialsTest, RefusesWhatWouldBreakAHeader) {
  S3Credentials credentials;
  EXPECT_THROW(credentials.Set({"AKIA\n", "s", ""}), Error);
  EXPECT_THROW(credentials.Set({"AKIA", "s", "a\rb"}), Error);
  EXPECT_EQ(credentials.Get(), nullptr);
}

}  // namespace
}  // namespace smtf
