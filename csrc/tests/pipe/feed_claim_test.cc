#include "pipe/feed_claim.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>

#include "pipe/pipe_testing.h"
#include "pipe/reader_turn.h"
#include "temporary_directory.h"

namespace smtf {
namespace {

std::set<std::string> Names(const TemporaryDirectory& directory) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    names.insert(entry.path().filename());
  }
  return names;
}

TEST(FeedClaimTest, AnEpochIsAnnouncedBeforeItsPipeAndItsOutcomeIsRead) {
  const TemporaryDirectory directory;
  FeedClaim claim(directory.path(), "c");
  EXPECT_FALSE(ReadOutcome(directory.path(), "c", 0).has_value());
  const std::string fifo = claim.BeginEpoch(0);
  EXPECT_EQ(fifo, directory / "c_0");
  struct stat status{};
  ASSERT_EQ(stat(fifo.c_str(), &status), 0);
  EXPECT_TRUE(S_ISFIFO(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(ReadOutcome(directory.path(), "c", 0)->state, Outcome::State::kStreaming);

  Outcome outcome;
  outcome.state = Outcome::State::kError;
  outcome.bytes = 12;
  outcome.objects = 3;
  outcome.error_kind = ErrorKind::kPermissionDenied;
  outcome.error_message = "s3://b/k \xff: 403 \"AccessDenied\"";  // not UTF-8
  claim.RecordOutcome(0, outcome);
  const Outcome read = *ReadOutcome(directory.path(), "c", 0);
  EXPECT_EQ(read.state, Outcome::State::kError);
  EXPECT_EQ(read.bytes, 12u);
  EXPECT_EQ(read.objects, 3u);
  EXPECT_EQ(read.error_kind, ErrorKind::kPermissionDenied);
  EXPECT_EQ(read.error_message, "s3://b/k \xef\xbf\xbd: 403 \"AccessDenied\"");
  claim.RemoveFifo(0);
  EXPECT_NE(stat(fifo.c_str(), &status), 0);
}

TEST(FeedClaimTest, OneLiveFeederAChannel) {
  const TemporaryDirectory directory;
  const FeedClaim claim(directory.path(), "c");
  const std::string message =
      MessageOf(ErrorKind::kFailedPrecondition, [&] { FeedClaim(directory.path(), "c"); });
  EXPECT_NE(message.find(std::to_string(getpid())), std::string::npos);
  const FeedClaim other(directory.path(), "d");
  const Feeder feeder = *ReadFeeder(directory.path(), "c");
  EXPECT_TRUE(feeder.alive);
  EXPECT_EQ(feeder.pid, getpid());
  EXPECT_NE(feeder.session, ReadFeeder(directory.path(), "d")->session);
}

TEST(FeedClaimTest, AFeederThatIsKilledIsSeenToBeDeadAndCleanedUpAfter) {
  const TemporaryDirectory directory;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    FeedClaim claim(directory.path(), "c");
    claim.BeginEpoch(0);
    claim.BeginEpoch(1);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    pause();
  }
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_TRUE(ReadFeeder(directory.path(), "c")->alive);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  const Feeder dead = *ReadFeeder(directory.path(), "c");
  EXPECT_FALSE(dead.alive);
  EXPECT_EQ(dead.pid, child);

  std::ofstream(directory / "c_3") << "somebody's data";
  MakeFifo(directory / "c_x");
  MakeFifo(directory / "cc_0");
  const FeedClaim claim(directory.path(), "c");
  EXPECT_NE(ReadFeeder(directory.path(), "c")->session, dead.session);
  EXPECT_EQ(Names(directory),
            (std::set<std::string>{".c.feeder.json", ".c.turn", "c_3", "c_x", "cc_0"}));
  close(ready[0]);
  close(ready[1]);
}

TEST(FeedClaimTest, GivingItBackLeavesOnlyTheOutcomes) {
  const TemporaryDirectory directory;
  {
    FeedClaim claim(directory.path(), "c");
    claim.BeginEpoch(0);
  }
  EXPECT_EQ(Names(directory), (std::set<std::string>{".c_0.outcome.json"}));
  EXPECT_FALSE(ReadFeeder(directory.path(), "c").has_value());
}

TEST(FeedClaimTest, EachEpochSeesToTheReadersTurn) {
  const TemporaryDirectory directory;
  FeedClaim claim(directory.path(), "c");
  std::filesystem::remove(directory / ".c.turn");
  claim.BeginEpoch(0);
  EXPECT_NE(ReaderTurn::Take(directory.path(), "c", 0), nullptr);
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1000);
  std::filesystem::last_write_time(directory / ".c.turn", old);
  claim.BeginEpoch(1);
  EXPECT_GT(std::filesystem::last_write_time(directory / ".c.turn"), old);
}

TEST(FeedClaimTest, AFileInTheWayIsNotTouched) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "c_0") << "data";
  FeedClaim claim(directory.path(), "c");
  const std::string message = MessageOf(ErrorKind::kInvalidArgument, [&] { claim.BeginEpoch(0); });
  EXPECT_NE(message.find(directory / "c_0"), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(directory / "c_0"), 4u);
}

TEST(FeedClaimTest, AMissingDirectoryIsAnErrorThatNamesIt) {
  const TemporaryDirectory directory;
  const std::string message =
      MessageOf(ErrorKind::kNotFound, [&] { FeedClaim(directory / "no", "c"); });
  EXPECT_NE(message.find(directory / "no"), std::string::npos);
}

TEST(FeedStatusTest, AnOutcomeOfAnotherVersionIsAnErrorThatNamesTheFile) {
  const TemporaryDirectory directory;
  std::ofstream(directory / ".c_0.outcome.json") << "{\"state\": \"better\"}";
  const std::string message =
      MessageOf(ErrorKind::kDataLoss, [&] { ReadOutcome(directory.path(), "c", 0); });
  EXPECT_NE(message.find(".c_0.outcome.json"), std::string::npos);
}

}  // namespace
}  // namespace smtf
