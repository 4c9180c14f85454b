#include "prefetch/unit_permutation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "checksum/crc32c.h"
#include "errors.h"

namespace smtf {
namespace {

using Order = std::vector<uint32_t>;

Order Permuted(uint64_t seed, uint64_t epoch, uint64_t count) {
  Order order;
  PermuteUnits(seed, epoch, count, &order);
  return order;
}

// From the header's description, written down a second time in Python.
TEST(UnitPermutationTest, NeverChanges) {
  constexpr uint64_t kLast = ~uint64_t{0};
  EXPECT_EQ(Permuted(0, 0, 10), (Order{4, 9, 2, 5, 1, 7, 6, 0, 3, 8}));
  EXPECT_EQ(Permuted(0, 1, 10), (Order{9, 4, 0, 5, 2, 1, 6, 8, 3, 7}));
  EXPECT_EQ(Permuted(1, 0, 10), (Order{5, 6, 1, 8, 7, 4, 3, 9, 0, 2}));
  EXPECT_EQ(Permuted(kLast, kLast, 10), (Order{5, 7, 0, 6, 2, 8, 9, 3, 1, 4}));
  EXPECT_EQ(Permuted(42, 2, 16), (Order{1, 6, 5, 13, 4, 3, 14, 10, 8, 7, 2, 11, 0, 9, 12, 15}));
  EXPECT_EQ(Permuted(7, 3, 2), (Order{1, 0}));
}

// With so many units 11 draws are rejected.
TEST(UnitPermutationTest, NeverChangesWhereDrawsAreRejected) {
  const Order order = Permuted(2024, 5, 400000);
  const std::string_view bytes(reinterpret_cast<const char*>(order.data()),
                               order.size() * sizeof(uint32_t));
  EXPECT_EQ(Crc32c(bytes), 0xa1ff4947u);
}

TEST(UnitPermutationTest, HoldsEveryUnitOnce) {
  for (const uint64_t count : {0u, 1u, 2u, 3u, 100u, 12345u}) {
    Order order = Permuted(3, 4, count);
    std::sort(order.begin(), order.end());
    ASSERT_EQ(order.size(), count);
    for (uint32_t i = 0; i < count; ++i) ASSERT_EQ(order[i], i);
  }
}

TEST(UnitPermutationTest, EpochsAndSeedsDiffer) {
  std::set<Order> orders;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    for (uint64_t epoch = 0; epoch < 30; ++epoch) orders.insert(Permuted(seed, epoch, 50));
  }
  EXPECT_EQ(orders.size(), 900u);
}

// Chi-squared with 5 degrees of freedom: above 20.5 once in a thousand if all were equally likely.
TEST(UnitPermutationTest, AllOrdersAreEquallyLikely) {
  constexpr int kEpochs = 60000;
  std::vector<int> counts(6);
  for (uint64_t epoch = 0; epoch < kEpochs; ++epoch) {
    const Order order = Permuted(11, epoch, 3);
    ++counts[order[0] * 2 + (order[1] > order[2] ? 1 : 0)];
  }
  double chi_squared = 0;
  for (const int count : counts) {
    const double off = count - kEpochs / 6.0;
    chi_squared += off * off / (kEpochs / 6.0);
  }
  EXPECT_LT(chi_squared, 20.5);
}

TEST(UnitPermutationTest, RefusesMoreThanIndicesCanSay) {
  Order order;
  try {
    PermuteUnits(1, 1, (uint64_t{1} << 32) + 1, &order);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
  }
}

}  // namespace
}  // namespace smtf
