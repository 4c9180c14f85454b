#include "pipe/reader_turn.h"

#include <sys/wait.h>
#include <unistd.h>

#include "pipe/feed_claim.h"
#include "pipe/feed_status.h"
#include "pipe/pipe_testing.h"
#include "temporary_directory.h"

namespace smtf {
namespace {

TEST(ReaderTurnTest, OneReaderAtATimeHasItWhileTheEpochIsAnnounced) {
  const TemporaryDirectory directory;
  const FeedClaim claim(directory.path(), "c");
  const auto take = [&] { return ReaderTurn::Take(directory.path(), "c", 0); };
  EXPECT_EQ(take(), nullptr);
  WriteOutcome(directory.path(), "c", 0, Outcome{});
  auto first = take();
  EXPECT_NE(first, nullptr);
  EXPECT_EQ(take(), nullptr);
  first.reset();
  EXPECT_NE(take(), nullptr);
}

// Its reader may have everything in the first read, and be about to note which epoch that was.
TEST(ReaderTurnTest, NobodyHasThatOfTheNextEpochBeforeItIsGivenUp) {
  const TemporaryDirectory directory;
  const FeedClaim claim(directory.path(), "c");
  WriteOutcome(directory.path(), "c", 0, Outcome{});
  auto held = ReaderTurn::Take(directory.path(), "c", 0);
  Outcome done;
  done.state = Outcome::State::kDone;
  WriteOutcome(directory.path(), "c", 0, done);
  WriteOutcome(directory.path(), "c", 1, Outcome{});
  EXPECT_EQ(ReaderTurn::Take(directory.path(), "c", 1), nullptr);
  held.reset();
  EXPECT_EQ(ReaderTurn::Take(directory.path(), "c", 0), nullptr);
  EXPECT_NE(ReaderTurn::Take(directory.path(), "c", 1), nullptr);
}

TEST(ReaderTurnTest, AChildThatWasForkedMeanwhileDoesNotKeepIt) {
  const TemporaryDirectory directory;
  const FeedClaim claim(directory.path(), "c");
  WriteOutcome(directory.path(), "c", 0, Outcome{});
  auto held = ReaderTurn::Take(directory.path(), "c", 0);
  int ready[2], ended[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(ended), 0);
  const pid_t child = fork();
  char byte = 0;
  if (child == 0) {
    held.reset();  // the end of a copy gives nothing up
    const bool right = ReaderTurn::Take(directory.path(), "c", 0) == nullptr;
    const bool told = write(ready[1], &byte, 1) == 1;
    close(ended[1]);
    _exit(right && told && read(ended[0], &byte, 1) == 0 ? 0 : 1);
  }
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  held.reset();
  EXPECT_NE(ReaderTurn::Take(directory.path(), "c", 0), nullptr);
  for (const int fd : {ready[0], ready[1], ended[0], ended[1]}) close(fd);
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace smtf
