#include "cache/cache_key.h"

#include <gtest/gtest.h>

namespace smtf {
namespace {

TEST(CacheKeyTest, EveryFieldTells) {
  const CacheKey key{"ab", 1, "cd", "ef", 4, 5, 6};
  const CacheKey others[] = {{"a", 1, "bcd", "ef", 4, 5, 6}, {"ab", 2, "cd", "ef", 4, 5, 6},
                             {"ab", 1, "c", "def", 4, 5, 6}, {"ab", 1, "cd", "eg", 4, 5, 6},
                             {"ab", 1, "cd", "ef", 5, 5, 6}, {"ab", 1, "cd", "ef", 4, 6, 6},
                             {"ab", 1, "cd", "ef", 4, 5, 7}};
  for (const CacheKey& other : others) EXPECT_NE(EncodeCacheKey(key), EncodeCacheKey(other));
}

TEST(CacheKeyTest, VersionsOfARangeShareAStemAndRangesDoNot) {
  const CacheKey key{"ns", 1, "name", "\"1\"", 4, 5, 6};
  EXPECT_EQ(CacheStem(key), CacheStem({"ns", 1, "name", "\"2\"", 7, 5, 6}));
  EXPECT_NE(CacheStem(key), CacheStem({"ns", 1, "name", "\"1\"", 4, 5, 7}));
  EXPECT_NE(CacheStem(key), CacheStem({"ns", 1, "name", "\"1\"", 4, 6, 6}));
  EXPECT_EQ(CacheStem(key).substr(0, kObjectStemLength),
            CacheStem({"ns", 1, "name", "\"1\"", 4, 6, 8}).substr(0, kObjectStemLength));
  EXPECT_NE(CacheStem(key), CacheStem({"ns", 2, "name", "\"1\"", 4, 5, 6}));
}

// The name that an entry has on the disk outlives the program.
TEST(CacheKeyTest, TheStemIsFixed) {
  EXPECT_EQ(CacheStem({"s3://bucket", 0, "train/0.rec", "\"e\"", 100, 0, 100}),
            "1e10049f3cb5cbb85fa3062b883bf29b");
}

}  // namespace
}  // namespace smtf
