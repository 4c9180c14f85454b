#include "s3/key_ranges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "errors.h"

namespace smtf {
namespace {

using Keys = std::vector<std::string>;

S3ListPage PageOf(const Keys& keys, bool truncated) {
  std::string xml = "<ListBucketResult>";
  for (const std::string& key : keys) {
    xml += "<Contents><Key>" + key + "</Key><Size>1</Size></Contents>";
  }
  xml += std::string("<IsTruncated>") + (truncated ? "true" : "false") + "</IsTruncated>";
  return S3ListPage::Parse(xml + "</ListBucketResult>", "test");
}

std::string Name(size_t number) { return "k" + std::to_string(100000 + number); }

// Answers as a server with these keys would.
class KeyRangesTest : public testing::Test {
 protected:
  void Begin(size_t count, size_t page_size) {
    page_size_ = page_size;
    keys_.clear();
    for (size_t i = 0; i < count; ++i) keys_.insert(Name(i));
    ranges_ = std::make_unique<KeyRanges>(std::make_shared<const S3ListPage>(PageBehind("")));
    taken_.assign(keys_.begin(), std::next(keys_.begin(), static_cast<long>(page_size)));
  }

  S3ListPage PageBehind(const std::string& key) const {
    Keys page;
    auto at = keys_.upper_bound(key);
    for (; at != keys_.end() && page.size() < page_size_; ++at) page.push_back(*at);
    return PageOf(page, at != keys_.end());
  }

  void Answer(const KeyRanges::Task& task) {
    ranges_->Add(task, PageBehind(task.start_after), "test");
  }

  void TakeAll() {
    while (const auto slice = ranges_->Take()) {
      for (size_t i = slice->begin; i < slice->end; ++i)
        taken_.emplace_back((*slice->page)[i].name);
    }
  }

  size_t page_size_ = 0;
  std::set<std::string> keys_;
  std::unique_ptr<KeyRanges> ranges_;
  Keys taken_;
};

TEST_F(KeyRangesTest, OneRangeIsListedPageByPage) {
  Begin(100, 10);
  for (int i = 0; i < 9; ++i) {
    const auto task = ranges_->Next();
    ASSERT_TRUE(task);
    EXPECT_FALSE(ranges_->Next());
    EXPECT_FALSE(ranges_->done());
    Answer(*task);
  }
  TakeAll();
  EXPECT_TRUE(ranges_->done());
  EXPECT_EQ(taken_, Keys(keys_.begin(), keys_.end()));
}

// Whatever it is cut at, and in whatever order the answers come.
TEST_F(KeyRangesTest, AnyCutsAndAnyOrderGiveEveryKeyOnce) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    Begin(200 + random() % 1000, 1 + random() % 20);
    std::vector<KeyRanges::Task> asked;
    std::vector<KeyRanges::Cut> cutting;
    while (!ranges_->done()) {
      for (size_t n = random() % 8; n > 0; --n) {
        if (const auto task = ranges_->Next()) asked.push_back(*task);
      }
      if (asked.empty()) {
        const auto task = ranges_->Next();
        ASSERT_TRUE(task) << "nothing is under way, and nothing is to be done";
        asked.push_back(*task);
      }
      if (random() % 4 == 0) {
        if (const auto cut = ranges_->NextCut()) cutting.push_back(*cut);
      }
      if (!cutting.empty() && random() % 4 == 0) {
        std::set<std::string> cuts;
        for (size_t n = random() % 10; n > 0; --n) {
          // Also in front of and behind all keys, and between two.
          cuts.insert(Name(random() % 1400) + (random() % 2 ? "" : "~"));
        }
        ranges_->Apply(cutting.back(), Keys(cuts.begin(), cuts.end()));
        cutting.pop_back();
      }
      while (!asked.empty() && random() % 3 != 0) {
        std::swap(asked[random() % asked.size()], asked.back());
        Answer(asked.back());
        asked.pop_back();
      }
      TakeAll();
    }
    ASSERT_EQ(taken_, Keys(keys_.begin(), keys_.end()));
  }
}

TEST_F(KeyRangesTest, WhatIsListedAheadIsBounded) {
  Begin(10000, 10);
  const auto first = ranges_->Next();
  const auto cut = ranges_->NextCut();
  ASSERT_TRUE(first && cut);
  ranges_->Apply(*cut, {Name(100)});
  size_t pages = 0;
  while (const auto task = ranges_->Next()) {
    Answer(*task);
    ASSERT_LE(++pages, KeyRanges::kNearPages);
  }
  EXPECT_GE(pages, KeyRanges::kNearPages - 1);
  // The first range goes on, and then the others.
  Answer(*first);
  const auto second = ranges_->Next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->range, first->range);
  EXPECT_FALSE(ranges_->Next());
  TakeAll();
  for (auto task = second; task; task = ranges_->Next()) {
    Answer(*task);
    TakeAll();
  }
  EXPECT_TRUE(ranges_->done());
  EXPECT_EQ(taken_, Keys(keys_.begin(), keys_.end()));
}

TEST_F(KeyRangesTest, KeysBeyondARangeGoToTheNextOnes) {
  Begin(100, 10);
  const auto task = ranges_->Next();
  const auto cut = ranges_->NextCut();
  ASSERT_TRUE(task && cut);
  // The second and the third range lie within the page that is being asked for.
  ranges_->Apply(*cut, {Name(12), Name(15)});
  Answer(*task);
  TakeAll();
  EXPECT_EQ(taken_.size(), 20u);
  const auto next = ranges_->Next();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->start_after, Name(19));
}

TEST_F(KeyRangesTest, TheEndIsKnownToAll) {
  Begin(20, 10);
  const auto task = ranges_->Next();
  const auto cut = ranges_->NextCut();
  ASSERT_TRUE(task && cut);
  ranges_->Apply(*cut, {Name(15), Name(500), Name(600)});
  Answer(*task);
  EXPECT_FALSE(ranges_->Next());
  TakeAll();
  EXPECT_TRUE(ranges_->done());
}

TEST_F(KeyRangesTest, AnErrorWaitsForItsTurn) {
  Begin(100, 10);
  const auto first = ranges_->Next();
  const auto cut = ranges_->NextCut();
  ASSERT_TRUE(first && cut);
  ranges_->Apply(*cut, {Name(25)});
  const auto second = ranges_->Next();
  ASSERT_TRUE(second);
  ranges_->Fail(*second, std::make_exception_ptr(Error(ErrorKind::kNotFound, "gone")));
  EXPECT_FALSE(ranges_->Next());
  Answer(*first);
  const auto third = ranges_->Next();
  ASSERT_TRUE(third);
  TakeAll();
  Answer(*third);
  EXPECT_FALSE(ranges_->Next());
  EXPECT_THROW(TakeAll(), Error);
  EXPECT_EQ(taken_.size(), 26u);
}

TEST_F(KeyRangesTest, CutsThatComeTooLateDoNoHarm) {
  Begin(40, 10);
  const auto first = ranges_->Next();
  const auto cut = ranges_->NextCut();
  ASSERT_TRUE(first && cut);
  Answer(*first);
  const auto second = ranges_->Next();
  Answer(*second);
  const auto third = ranges_->Next();
  Answer(*third);
  TakeAll();
  EXPECT_TRUE(ranges_->done());
  ranges_->Apply(*cut, {Name(25)});
  EXPECT_TRUE(ranges_->done());
  EXPECT_EQ(taken_, Keys(keys_.begin(), keys_.end()));
}

TEST_F(KeyRangesTest, RefusesPagesThatCannotFollow) {
  Begin(100, 10);
  const auto task = ranges_->Next();
  EXPECT_THROW(ranges_->Add(*task, PageOf({Name(9)}, false), "test"), Error);
  EXPECT_THROW(ranges_->Add(*task, PageOf({Name(12), Name(11)}, false), "test"), Error);
  EXPECT_THROW(ranges_->Add(*task, PageOf({}, true), "test"), Error);
  Answer(*task);
  TakeAll();
  EXPECT_EQ(taken_.size(), 20u);
}

}  // namespace
}  // namespace smtf
