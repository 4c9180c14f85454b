// ChannelPipe where several processes read one channel and some go back to checkpoints.
#include <future>
#include <string>
#include <vector>

#include "pipe/channel_pipe_testing.h"
#include "pipe/epoch_readers.h"
#include "pipe/other_process.h"

namespace smtf {
namespace {

class ChannelPipeSharingTest : public ChannelPipeTest {
 protected:
  ChannelPipeSharingTest() {
    options_ = Options();
    options_.on_conflict = [this](const std::string& line) { logged_ += line + "\n"; };
  }

  // "resume 3": is restored in the middle of epoch 3, and reads the rest. "ended 3", "new 3": is
  // restored behind its end, or before it was read, and reads nothing. "next": reads what comes to
  // one whom nobody told where to begin. The answer is what was read.
  std::string Do(const std::string& command) {
    try {
      ChannelPipe pipe(options_, &cancel_);
      const size_t space = command.find(' ');
      const std::string what = command.substr(0, space);
      const uint64_t epoch = what == "next" ? 0 : std::stoull(command.substr(space));
      if (what == "ended") return pipe.EndedIn(In(epoch)), "-";
      if (what == "new") return pipe.BeginFrom(In(epoch)), "-";
      if (what == "resume") pipe.Resume(In(epoch, 1));
      return ReadAll(&pipe);
    } catch (const std::exception& error) {
      return error.what();
    }
  }

  // Each step is of process a or b, a colon, and what it does; and what it is to read.
  using Steps = std::vector<std::pair<std::string, std::string>>;
  void Run(const Steps& steps) {
    const auto answer = [this](const std::string& command) { return Do(command); };
    OtherProcess a(answer), b(answer);
    FeedClaim claim(directory_.path(), "c");
    int pipes = 0;
    for (const auto& [step, expected] : steps) pipes += expected != "-";
    auto feed = std::async(std::launch::async, [&] { FeedAsAsked(&claim, pipes); });
    for (const auto& [step, expected] : steps) {
      OtherProcess* const process = step[0] == 'a' ? &a : &b;
      EXPECT_EQ(process->Ask(step.substr(3)), expected) << step;
    }
    feed.get();
  }

  ChannelPipeOptions options_;
  std::string logged_;
};

TEST_F(ChannelPipeSharingTest, EachEpochComesOnceToProcessesRestoredInTheMiddleOfOne) {
  Run({{"a: resume 3", "rest of 3"},
       {"b: resume 3", "rest of 3"},
       {"a: next", "4"},
       {"b: next", "5"},
       {"b: next", "6"},
       {"a: next", "7"}});
}

TEST_F(ChannelPipeSharingTest, WhatOneIsInTheMiddleOfDoesNotComeToTheOther) {
  Run({{"b: ended 3", "-"},
       {"a: resume 4", "rest of 4"},
       {"b: next", "5"},
       {"a: next", "6"},
       {"b: next", "7"}});
}

TEST_F(ChannelPipeSharingTest, TheOneThatIsBehindMayBeTheLaterOne) {
  Run({{"a: resume 4", "rest of 4"},
       {"b: resume 3", "rest of 3"},
       {"b: next", "5"},
       {"a: next", "6"}});
}

TEST_F(ChannelPipeSharingTest, OneThatHadReadNothingMayBeTheFirst) {
  Run({{"b: new 5", "-"},
       {"b: next", "5"},
       {"a: resume 4", "rest of 4"},
       {"a: next", "6"},
       {"b: next", "7"}});
}

TEST_F(ChannelPipeSharingTest, BothMayHaveReadNothing) {
  Run({{"a: new 2", "-"}, {"b: new 2", "-"}, {"a: next", "2"}, {"b: next", "3"}, {"a: next", "4"}});
}

TEST_F(ChannelPipeSharingTest, OneThatLivesOnIsNotThrownBackByAnotherThatIsRestored) {
  for (const bool restored_one_is_first : {false, true}) {
    const TemporaryDirectory directory;
    options_.pipe_dir = options_.state_dir = directory.path();
    const auto answer = [this](const std::string& command) { return Do(command); };
    OtherProcess a(answer), b(answer);
    FeedClaim claim(directory.path(), "c");
    auto feed = std::async(std::launch::async, [&] { FeedAsAsked(&claim, 6); });
    EXPECT_EQ(b.Ask("resume 0"), "rest of 0");
    EXPECT_EQ(a.Ask("next"), "1");
    EXPECT_EQ(a.Ask("next"), "2");
    EXPECT_EQ(b.Ask("resume 0"), "rest of 0");
    EXPECT_EQ((restored_one_is_first ? b : a).Ask("next"), "3");
    EXPECT_EQ((restored_one_is_first ? a : b).Ask("next"), "4");
    feed.get();
  }
}

TEST_F(ChannelPipeSharingTest, WhatAProcessHadThatHasDiedIsReadAgain) {
  const auto answer = [this](const std::string& command) { return Do(command); };
  OtherProcess dead(answer), again(answer), other(answer);
  FeedClaim claim(directory_.path(), "c");
  auto feed = std::async(std::launch::async, [&] { FeedAsAsked(&claim, 8); });
  EXPECT_EQ(dead.Ask("next"), "0");
  EXPECT_EQ(dead.Ask("next"), "1");
  EXPECT_EQ(other.Ask("next"), "2");
  EXPECT_EQ(dead.Ask("next"), "3");
  dead.Kill();
  EXPECT_EQ(again.Ask("resume 0"), "rest of 0");
  EXPECT_EQ(again.Ask("next"), "1");
  EXPECT_EQ(again.Ask("next"), "3");  // 2 is the other's
  EXPECT_EQ(other.Ask("next"), "4");
  feed.get();
}

TEST_F(ChannelPipeSharingTest, WhatOneHadThatHasEndedIsReadAgain) {
  const auto answer = [this](const std::string& command) { return Do(command); };
  OtherProcess a(answer), ended(answer);
  FeedClaim claim(directory_.path(), "c");
  auto feed = std::async(std::launch::async, [&] { FeedAsAsked(&claim, 5); });
  EXPECT_EQ(a.Ask("resume 3"), "rest of 3");
  EXPECT_EQ(ended.Ask("resume 3"), "rest of 3");
  EXPECT_EQ(ended.Ask("next"), "4");
  EXPECT_EQ(ended.Ask("next"), "5");
  ended.Reap();
  EXPECT_EQ(a.Ask("next"), "4");
  feed.get();
}

TEST_F(ChannelPipeSharingTest, SaysWhatItPassesOverAndWhatTwoRead) {
  OtherProcess other([this](const std::string& command) { return Do(command); });
  FeedClaim claim(directory_.path(), "c");
  auto feed = std::async(std::launch::async, [&] { FeedAsAsked(&claim, 4); });
  EXPECT_EQ(other.Ask("resume 4"), "rest of 4");
  EXPECT_EQ(Do("ended 3"), "-");
  EXPECT_EQ(logged_, "");
  EXPECT_EQ(Do("next"), "5");
  const std::string process = "process " + std::to_string(other.pid());
  EXPECT_NE(logged_.find("channel c: epochs 4 to 4 are left out here: " + process +
                         ", which runs, has had"),
            std::string::npos)
      << logged_;
  logged_.clear();
  EXPECT_EQ(Do("next"), "6");
  EXPECT_EQ(logged_, "");
  EXPECT_EQ(Do("resume 4"), "rest of 4");
  EXPECT_NE(logged_.find("channel c: epoch 4, where this reader was told to begin, was given to " +
                         process + " too"),
            std::string::npos)
      << logged_;
  feed.get();
}

}  // namespace
}  // namespace smtf
