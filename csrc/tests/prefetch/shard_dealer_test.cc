#include "prefetch/shard_dealer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <random>
#include <vector>

namespace smtf {
namespace {

using Bytes = std::vector<uint64_t>;

// Which unit each shard gets; -1 for none.
std::vector<int> DealToAll(std::vector<ShardDealer>* dealers, const Bytes& round) {
  std::vector<int> units;
  for (ShardDealer& dealer : *dealers) {
    const std::optional<size_t> unit = dealer.Deal(round);
    units.push_back(unit ? static_cast<int>(*unit) : -1);
  }
  return units;
}

std::vector<ShardDealer> MakeDealers(uint32_t shards) {
  std::vector<ShardDealer> dealers;
  for (uint32_t shard = 0; shard < shards; ++shard) dealers.emplace_back(shards, shard);
  return dealers;
}

TEST(ShardDealerTest, TheLargestGoesToTheEmptiest) {
  std::vector<ShardDealer> dealers = MakeDealers(3);
  EXPECT_EQ(DealToAll(&dealers, {10, 30, 20}), (std::vector<int>{1, 2, 0}));  // 30, 20, 10
  EXPECT_EQ(DealToAll(&dealers, {5, 50, 6}), (std::vector<int>{0, 2, 1}));    // 35, 26, 60
  EXPECT_EQ(DealToAll(&dealers, {1, 2, 3}), (std::vector<int>{1, 2, 0}));     // 37, 29, 61
}

TEST(ShardDealerTest, OfEqualOnesTheEarlierGoesToTheLower) {
  std::vector<ShardDealer> dealers = MakeDealers(4);
  EXPECT_EQ(DealToAll(&dealers, {7, 7, 7, 7}), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(DealToAll(&dealers, {0, 9, 0, 9}), (std::vector<int>{1, 3, 0, 2}));
}

TEST(ShardDealerTest, AShortRoundGoesToTheEmptiest) {
  std::vector<ShardDealer> dealers = MakeDealers(3);
  DealToAll(&dealers, {30, 20, 10});
  EXPECT_EQ(DealToAll(&dealers, {1, 2}), (std::vector<int>{-1, 0, 1}));
}

TEST(ShardDealerTest, ResetForgets) {
  std::vector<ShardDealer> dealers = MakeDealers(2);
  EXPECT_EQ(DealToAll(&dealers, {5, 1}), (std::vector<int>{0, 1}));
  EXPECT_EQ(DealToAll(&dealers, {5, 1}), (std::vector<int>{1, 0}));
  for (ShardDealer& dealer : dealers) dealer.Reset();
  EXPECT_EQ(DealToAll(&dealers, {5, 1}), (std::vector<int>{0, 1}));
}

// Sizes over six orders of magnitude, as no channel has them.
TEST(ShardDealerTest, BytesDifferByAtMostTheLargestUnit) {
  std::mt19937_64 random(1);
  for (const uint32_t shards : {1u, 2u, 3u, 7u, 16u}) {
    std::vector<ShardDealer> dealers = MakeDealers(shards);
    Bytes held(shards);
    uint64_t largest = 0;
    for (int i = 0; i < 200; ++i) {
      Bytes round(i == 199 ? (shards + 1) / 2 : shards);
      for (uint64_t& bytes : round) bytes = (random() % 1000) << (random() % 20);
      largest = std::max(largest, *std::max_element(round.begin(), round.end()));
      const std::vector<int> units = DealToAll(&dealers, round);
      for (uint32_t shard = 0; shard < shards; ++shard) {
        if (units[shard] >= 0) held[shard] += round[units[shard]];
      }
      const auto [least, most] = std::minmax_element(held.begin(), held.end());
      ASSERT_LE(*most - *least, largest);
    }
  }
}

}  // namespace
}  // namespace smtf
