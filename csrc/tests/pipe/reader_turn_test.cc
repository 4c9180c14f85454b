#include "pipe/reader_turn.h"

#include "pipe/feed_status.h"
#include "pipe/pipe_testing.h"
#include "temporary_directory.h"

namespace smtf {
namespace {

TEST(ReaderTurnTest, OneReaderAtATimeHasItWhileTheEpochIsAnnounced) {
  const TemporaryDirectory directory;
  const auto take = [&] { return ReaderTurn::Take(directory.path(), "c", 0); };
  EXPECT_EQ(take(), nullptr);
  WriteOutcome(directory.path(), "c", 0, Outcome{});
  auto first = take();
  EXPECT_NE(first, nullptr);
  EXPECT_EQ(take(), nullptr);
  first.reset();
  EXPECT_NE(take(), nullptr);
}

TEST(ReaderTurnTest, NobodyHasItOnceTheEpochIsOver) {
  const TemporaryDirectory directory;
  WriteOutcome(directory.path(), "c", 0, Outcome{});
  const auto held = ReaderTurn::Take(directory.path(), "c", 0);
  Outcome done;
  done.state = Outcome::State::kDone;
  WriteOutcome(directory.path(), "c", 0, done);
  EXPECT_EQ(ReaderTurn::Take(directory.path(), "c", 0), nullptr);
}

}  // namespace
}  // namespace smtf
