#include "pipe/epoch_readers.h"

#include <filesystem>
#include <fstream>

#include "pipe/feed_claim.h"
#include "pipe/other_process.h"
#include "pipe/pipe_testing.h"
#include "temporary_directory.h"

namespace smtf {
namespace {

std::string Text(const EpochRanges& epochs) {
  std::string text;
  for (const auto& [first, last] : epochs.ranges()) {
    text += std::to_string(first) + "-" + std::to_string(last) + " ";
  }
  return text;
}

TEST(EpochRangesTest, NeighboursAreOneRangeInWhateverOrderTheyCome) {
  EpochRanges epochs;
  for (const uint64_t epoch : {7, 3, 5, 3, 0, 6}) epochs.Add(epoch, epoch);
  EXPECT_EQ(Text(epochs), "0-0 3-3 5-7 ");
  epochs.Add(4, 4);
  EXPECT_EQ(Text(epochs), "0-0 3-7 ");
  epochs.Add(1, 9);
  EXPECT_EQ(Text(epochs), "0-9 ");
  epochs.Add(5, 4);
  epochs.Add(20, UINT64_MAX);
  EXPECT_EQ(Text(epochs), "0-9 ");
}

TEST(EpochRangesTest, FirstOutsideIsBehindTheRange) {
  EpochRanges epochs;
  EXPECT_EQ(epochs.FirstOutside(3), 3u);
  epochs.Add(3, 5);
  epochs.Add(7, 7);
  const uint64_t expected[] = {0, 1, 2, 6, 6, 6, 6, 8, 8};
  for (uint64_t epoch = 0; epoch < 9; ++epoch) {
    EXPECT_EQ(epochs.FirstOutside(epoch), expected[epoch]) << epoch;
  }
}

TEST(EpochRangesTest, OfManyTheLatestAreKept) {
  EpochRanges epochs;
  const uint64_t count = EpochRanges::kMost + 3;
  for (uint64_t i = 0; i < count; ++i) epochs.Add(2 * i, 2 * i);
  EXPECT_EQ(epochs.ranges().size(), EpochRanges::kMost);
  EXPECT_EQ(epochs.FirstOutside(4), 4u);
  EXPECT_EQ(epochs.FirstOutside(6), 7u);
}

class EpochReadersTest : public testing::Test {
 protected:
  // What each reader of session "one" has had.
  std::string Readers(const std::string& session = "one") {
    std::string text;
    for (const ChannelReader& reader : ReadEpochReaders(directory_.path(), "c", session)) {
      text += (reader.process.pid == getpid() ? "this: " : "other: ") + Text(reader.epochs);
    }
    return text;
  }
  void Note(uint64_t epoch, const std::string& session = "one") {
    NoteEpochRead(directory_.path(), "c", session, epoch);
  }
  size_t Files() { return EpochReaderPaths(directory_.path(), "c").size(); }

  TemporaryDirectory directory_;
};

TEST_F(EpochReadersTest, WhatAnotherPrefetcherBroughtDoesNotCount) {
  EXPECT_EQ(Readers(), "");
  Note(0);
  Note(1);
  EXPECT_EQ(Readers(), "this: 0-1 ");
  EXPECT_EQ(Readers("two"), "this: ");
  Note(5, "two");
  EXPECT_EQ(Readers("two"), "this: 5-5 ");
  EXPECT_EQ(Files(), 1u);
}

TEST_F(EpochReadersTest, AnotherProcessCountsWhileItLives) {
  OtherProcess other([this](const std::string& epoch) {
    Note(std::stoull(epoch));
    return std::string("noted");
  });
  EXPECT_EQ(other.Ask("4"), "noted");
  EXPECT_EQ(Readers(), "other: 4-4 ");
  Note(5);
  EXPECT_EQ(Files(), 2u);
  other.Kill();
  EXPECT_EQ(Readers(), "this: 5-5 ");
  EXPECT_EQ(Files(), 1u);
}

TEST_F(EpochReadersTest, OthersFilesAndOthersWordsAreLeftAlone) {
  directory_.WriteFile(".c.reader-x.json", "{}");
  directory_.WriteFile(".c.d.reader-1-1-1.json", "{}");
  Note(3);
  const std::string path = EpochReaderPaths(directory_.path(), "c").at(0);
  for (const char* text :
       {"", "{", "[]", R"({"session": "one"})", R"({"session": 1})",
        R"({"session": "one", "epochs": [[1]]})", R"({"session": "one", "epochs": [["1", 2]]})"}) {
    std::ofstream(path) << text;
    EXPECT_EQ(Readers(), "this: ") << text;
  }
  EXPECT_EQ(Files(), 1u);
  EXPECT_TRUE(std::filesystem::exists(directory_ / ".c.reader-x.json"));
}

TEST_F(EpochReadersTest, APrefetcherRemovesThemAsItComesAndAsItGoes) {
  Note(3);
  {
    const FeedClaim claim(directory_.path(), "c");
    EXPECT_EQ(Files(), 0u);
    Note(0);
  }
  EXPECT_EQ(Files(), 0u);
}

}  // namespace
}  // namespace smtf
