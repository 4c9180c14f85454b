#include "s3/keys_ahead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace smtf {
namespace {

using Keys = std::vector<std::string>;

S3ListPage PageOf(const std::set<std::string>& keys) {
  std::string xml = "<ListBucketResult>";
  for (const std::string& key : keys) {
    xml += "<Contents><Key>" + key + "</Key><Size>1</Size></Contents>";
  }
  return S3ListPage::Parse(xml + "</ListBucketResult>", "test");
}

std::string Number(int number, const char* format) {
  char text[64];
  std::snprintf(text, sizeof(text), format, number);
  return text;
}

std::set<std::string> Numbers(int begin, int end, const char* format) {
  std::set<std::string> keys;
  for (int i = begin; i < end; ++i) keys.insert(Number(i, format));
  return keys;
}

TEST(KeysAheadTest, CountsOnAsNumbersDo) {
  EXPECT_EQ(KeysAhead(PageOf(Numbers(0, 1000, "train/img_%06d.jpg")), 1000, 3),
            (Keys{"train/img_001999", "train/img_002999", "train/img_003999"}));
  EXPECT_EQ(KeysAhead(PageOf(Numbers(999000, 1000000, "%07d")), 500, 2),
            (Keys{"1000499", "1000999"}));
}

TEST(KeysAheadTest, CarriesIntoTheFolder) {
  EXPECT_EQ(KeysAhead(PageOf({"a/07/90", "a/07/95", "a/07/99"}), 10, 2),
            (Keys{"a/08/44", "a/08/89"}));
}

TEST(KeysAheadTest, EndsWhereNumbersDo) {
  EXPECT_EQ(KeysAhead(PageOf({"x5", "x6", "x7"}), 1, 10), (Keys{"x8", "x9"}));
}

TEST(KeysAheadTest, CountsInTheDigitsThatAreUsed) {
  const auto ahead = KeysAhead(PageOf({"00ab", "00ff", "013c", "0199"}), 3, 2);
  EXPECT_EQ(ahead, (Keys{"0287", "0375"}));
}

// The guess need not be good, but for keys that are spread evenly it should be.
TEST(KeysAheadTest, IsCloseForHashes) {
  std::mt19937_64 random(7);
  std::set<std::string> all;
  while (all.size() < 100000) {
    all.insert("x/" + Number(static_cast<int>(random() >> 36), "%07x"));
  }
  const std::set<std::string> page(all.begin(), std::next(all.begin(), 1000));
  const Keys ahead = KeysAhead(PageOf(page), 5000, 10);
  ASSERT_EQ(ahead.size(), 10u);
  for (size_t i = 0; i < ahead.size(); ++i) {
    const auto in_front = std::distance(all.begin(), all.lower_bound(ahead[i]));
    EXPECT_NEAR(static_cast<double>(in_front), 1000 + 5000.0 * (i + 1), 500.0 * (i + 1));
  }
}

TEST(KeysAheadTest, SaysNothingWhereKeysSayNothing) {
  EXPECT_EQ(KeysAhead(PageOf({}), 1, 1), Keys{});
  EXPECT_EQ(KeysAhead(PageOf({"a"}), 1, 1), Keys{});
  EXPECT_EQ(KeysAhead(PageOf({"\xc3\xa9", "\xc3\xaa"}), 1, 1), Keys{});
  EXPECT_EQ(KeysAhead(PageOf({"a", "aa", "aaa"}), 1, 1), Keys{});
}

bool IsUtf8(const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead >= 0x80 && lead < 0xc0) return false;
    for (size_t i = 1; i < length; ++i) {
      if (at + i >= text.size() || (static_cast<unsigned char>(text[at + i]) >> 6) != 2)
        return false;
    }
    at += length;
  }
  return true;
}

TEST(KeysAheadTest, IsAlwaysAscendingBehindThePageAndUtf8) {
  std::mt19937 random(3);
  const Keys letters = {"a", "f", "0", "9", "Z", "-", "/", "\xc3\xa9", "\xe6\x97\xa5", "~"};
  size_t guesses = 0;
  for (int round = 0; round < 2000; ++round) {
    std::set<std::string> keys;
    for (size_t n = random() % 20; n > 0; --n) {
      std::string key;
      for (size_t i = random() % 12 + 1; i > 0; --i) key += letters[random() % letters.size()];
      keys.insert(key);
    }
    std::string last = keys.empty() ? "" : *keys.rbegin();
    for (const std::string& guess : KeysAhead(PageOf(keys), random() % 100 + 1, 20)) {
      ASSERT_LT(last, guess);
      ASSERT_TRUE(IsUtf8(guess));
      last = guess;
      ++guesses;
    }
  }
  EXPECT_GT(guesses, 300u);
}

}  // namespace
}  // namespace smtf
