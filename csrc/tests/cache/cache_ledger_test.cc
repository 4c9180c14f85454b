#include "cache/cache_ledger.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "cache/cache_testing.h"
#include "errors.h"
#include "temporary_directory.h"

namespace smtf {
namespace {

constexpr std::chrono::seconds kLong{60};
constexpr std::chrono::milliseconds kShort{1};

class CacheLedgerTest : public testing::Test {
 protected:
  std::optional<uint64_t> Bytes() { return ledger_.Take(kLong)->bytes(); }

  TemporaryDirectory dir_;
  CacheLedger ledger_{dir_ / "ledger"};
};

TEST_F(CacheLedgerTest, RemembersTheNumber) {
  EXPECT_EQ(Bytes(), std::nullopt) << "a new ledger knows nothing";
  ledger_.Take(kLong)->Set(5'000'000'000);
  EXPECT_EQ(Bytes(), 5'000'000'000u);
  ledger_.Take(kLong)->Add(7);
  ledger_.Take(kLong)->Subtract(5'000'000'001);
  EXPECT_EQ(Bytes(), 6u);
  ledger_.Take(kLong)->Subtract(7);
  EXPECT_EQ(Bytes(), 0u);
}

TEST_F(CacheLedgerTest, IsItsOwnersOnly) {
  Bytes();
  struct stat status{};
  ASSERT_EQ(stat(ledger_.path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
}

TEST_F(CacheLedgerTest, ADamagedOneKnowsNothing) {
  for (uint64_t offset = 0; offset < 20; ++offset) {
    ledger_.Take(kLong)->Set(77);
    FlipByte(ledger_.path(), offset);
    EXPECT_EQ(Bytes(), std::nullopt) << offset;
  }
  ledger_.Take(kLong)->Set(77);
  ASSERT_EQ(truncate(ledger_.path().c_str(), 19), 0);
  EXPECT_EQ(Bytes(), std::nullopt);
}

TEST_F(CacheLedgerTest, OneThatWasLeftInATurnKnowsNothing) {
  ledger_.Take(kLong)->Set(77);
  const pid_t child = Spawn([&] {
    auto turn = ledger_.Take(kLong);
    turn->Set(78);
    return raise(SIGKILL) != 0;
  });
  EXPECT_EQ(ExitStatus(child), -1);
  EXPECT_EQ(Bytes(), std::nullopt);
}

TEST_F(CacheLedgerTest, NobodyWaitsForEver) {
  auto turn = ledger_.Take(kLong);
  EXPECT_FALSE(ledger_.Take(kShort).has_value());
  turn.reset();
  EXPECT_TRUE(ledger_.Take(kShort).has_value());
}

TEST_F(CacheLedgerTest, TheLockOfARemovedFileIsNobodys) {
  ledger_.Take(kLong)->Set(77);
  auto turn = ledger_.Take(kLong);
  ASSERT_TRUE(std::filesystem::remove(ledger_.path()));
  EXPECT_EQ(Bytes(), std::nullopt) << "it is another file";
}

TEST_F(CacheLedgerTest, CountsUnderContention) {
  ledger_.Take(kLong)->Set(0);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) ledger_.Take(kLong)->Add(1);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(Bytes(), 800u);
}

TEST_F(CacheLedgerTest, AMissingDirectoryIsAnError) {
  EXPECT_THROW(CacheLedger(dir_ / "none/ledger").Take(kShort), Error);
}

}  // namespace
}  // namespace smtf
