#include "prefetch/epoch_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "prefetch/unit_permutation.h"

namespace smtf {
namespace {

using State = EpochOrder::State;
using Indices = std::vector<size_t>;

// What can be had now.
Indices Walk(EpochOrder* order) {
  Indices indices;
  size_t index;
  while (order->Peek(&index) == State::kObject) {
    indices.push_back(index);
    order->Advance();
  }
  return indices;
}

Indices Range(size_t begin, size_t end) {
  Indices indices;
  for (size_t i = begin; i < end; ++i) indices.push_back(i);
  return indices;
}

std::shared_ptr<ObjectList> ListOf(const std::vector<uint64_t>& sizes) {
  auto list = std::make_shared<ObjectList>();
  for (const uint64_t size : sizes) list->Append("x", size, "");
  list->Finish();
  return list;
}

std::vector<uint64_t> RandomSizes(size_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<uint64_t> sizes(count);
  for (uint64_t& size : sizes) size = (random() % 1000) << (random() % 16);
  return sizes;
}

// The epoch's order of the objects, before any dealing.
Indices WholeOrder(const OrderOptions& options, uint64_t epoch, size_t objects) {
  OrderOptions whole = options;
  whole.shards = 1;
  whole.shard = 0;
  EpochOrder order(whole, ListOf(std::vector<uint64_t>(objects)));
  order.Begin(epoch);
  return Walk(&order);
}

TEST(EpochOrderTest, UnshuffledIsTheListAndStreams) {
  auto list = std::make_shared<ObjectList>();
  OrderOptions options;
  options.group = 4;
  EpochOrder order(options, list);
  size_t index;
  EXPECT_EQ(order.Peek(&index), State::kWaiting);
  list->Append({{"a", 1, "", 0}, {"b", 0, "", 0}});
  EXPECT_EQ(Walk(&order), (Indices{0, 1}));
  EXPECT_EQ(order.passed(), 2u);
  list->Append("c", 1, "");
  EXPECT_EQ(Walk(&order), (Indices{2}));
  list->Finish();
  EXPECT_EQ(order.Peek(&index), State::kEnd);
  order.Begin(1);
  EXPECT_EQ(order.passed(), 0u);
  EXPECT_EQ(Walk(&order), (Indices{0, 1, 2}));
}

TEST(EpochOrderTest, AShuffleWaitsForTheCompleteListAndIsThePermutation) {
  auto list = std::make_shared<ObjectList>();
  OrderOptions options;
  options.shuffle_seed = 42;
  EpochOrder order(options, list);
  for (int i = 0; i < 100; ++i) list->Append("x", 1, "");
  size_t index;
  EXPECT_EQ(order.Peek(&index), State::kWaiting);
  list->Finish();
  for (const uint64_t epoch : {0, 1, 7, 1}) {
    order.Begin(epoch);
    std::vector<uint32_t> expected;
    PermuteUnits(42, epoch, 100, &expected);
    EXPECT_EQ(Walk(&order), Indices(expected.begin(), expected.end()));
    EXPECT_EQ(order.Peek(&index), State::kEnd);
  }
}

TEST(EpochOrderTest, AnEpochCanBeLeftInTheMiddle) {
  OrderOptions options;
  options.shuffle_seed = 1;
  options.shards = 3;
  const auto list = ListOf(RandomSizes(50, 1));
  EpochOrder order(options, list);
  order.Begin(3);
  const Indices expected = Walk(&order);
  order.Begin(2);
  size_t index;
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(order.Peek(&index), State::kObject);
    order.Advance();
  }
  order.Begin(3);
  EXPECT_EQ(Walk(&order), expected);
}

TEST(EpochOrderTest, GroupsStayTogether) {
  OrderOptions options;
  options.shuffle_seed = 9;
  options.group = 3;
  EpochOrder order(options, ListOf(std::vector<uint64_t>(20, 1)));
  std::vector<uint32_t> units;
  PermuteUnits(9, 0, 7, &units);
  Indices expected;
  for (const uint32_t unit : units) {
    for (size_t i = unit * 3; i < std::min<size_t>(unit * 3 + 3, 20); ++i) expected.push_back(i);
  }
  EXPECT_EQ(Walk(&order), expected);
}

TEST(EpochOrderTest, DealsByBytes) {
  const auto list = ListOf({10, 30, 20, 5, 50, 6, 1, 2});
  // 30, 20, 10 bytes; then 5, 6 and 50 more; then 2 to the emptiest, 1 to the next: 35, 26, 60.
  std::vector<Indices> dealt;
  for (uint32_t shard = 0; shard < 3; ++shard) {
    OrderOptions options;
    options.shards = 3;
    options.shard = shard;
    EpochOrder order(options, list);
    dealt.push_back(Walk(&order));
  }
  EXPECT_EQ(dealt[0], (Indices{1, 3, 6}));
  EXPECT_EQ(dealt[1], (Indices{2, 5, 7}));
  EXPECT_EQ(dealt[2], (Indices{0, 4}));
}

struct Shape {
  bool shuffled;
  uint32_t group;
  uint32_t shards;
  size_t objects;
};

std::vector<Shape> Shapes() {
  std::vector<Shape> shapes;
  for (const bool shuffled : {false, true}) {
    for (const uint32_t group : {1u, 2u, 5u}) {
      for (const uint32_t shards : {1u, 2u, 3u, 8u}) {
        for (const size_t objects : {0u, 1u, 2u, 7u, 8u, 39u, 40u, 41u, 500u}) {
          shapes.push_back({shuffled, group, shards, objects});
        }
      }
    }
  }
  return shapes;
}

OrderOptions OptionsOf(const Shape& shape, uint32_t shard) {
  OrderOptions options;
  if (shape.shuffled) options.shuffle_seed = 17;
  options.group = shape.group;
  options.shards = shape.shards;
  options.shard = shard;
  return options;
}

class EpochOrderShapeTest : public testing::TestWithParam<Shape> {
 protected:
  std::vector<Indices> DealAll(const std::shared_ptr<ObjectList>& list, uint64_t epoch) const {
    std::vector<Indices> shards;
    for (uint32_t shard = 0; shard < GetParam().shards; ++shard) {
      EpochOrder order(OptionsOf(GetParam(), shard), list);
      order.Begin(epoch);
      shards.push_back(Walk(&order));
      EXPECT_EQ(order.passed(), shards.back().size());
    }
    return shards;
  }
};

// Every object in exactly one shard, in the order of the epoch, groups whole.
TEST_P(EpochOrderShapeTest, ShardsHoldEverythingOnceInOrder) {
  const Shape& shape = GetParam();
  const auto list = ListOf(RandomSizes(shape.objects, 5));
  for (const uint64_t epoch : {0, 1, 2}) {
    const Indices whole = WholeOrder(OptionsOf(shape, 0), epoch, shape.objects);
    std::vector<size_t> place(shape.objects);
    for (size_t i = 0; i < whole.size(); ++i) place[whole[i]] = i;
    Indices all;
    for (const Indices& shard : DealAll(list, epoch)) {
      EXPECT_TRUE(std::is_sorted(shard.begin(), shard.end(),
                                 [&](size_t a, size_t b) { return place[a] < place[b]; }));
      for (size_t i = 0; i < shard.size(); ++i) {
        if (shard[i] % shape.group == 0) continue;
        ASSERT_GT(i, 0u);
        EXPECT_EQ(shard[i - 1] + 1, shard[i]);
      }
      all.insert(all.end(), shard.begin(), shard.end());
    }
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, Range(0, shape.objects));
  }
}

TEST_P(EpochOrderShapeTest, ShardsAreBalanced) {
  const Shape& shape = GetParam();
  const std::vector<uint64_t> sizes = RandomSizes(shape.objects, 6);
  const auto list = ListOf(sizes);
  uint64_t largest = 0;
  for (size_t unit = 0; unit < sizes.size(); unit += shape.group) {
    uint64_t bytes = 0;
    for (size_t i = unit; i < std::min(sizes.size(), unit + shape.group); ++i) bytes += sizes[i];
    largest = std::max(largest, bytes);
  }
  for (const uint64_t epoch : {0, 1}) {
    std::vector<uint64_t> bytes;
    std::vector<size_t> units;
    for (const Indices& shard : DealAll(list, epoch)) {
      bytes.push_back(0);
      std::set<size_t> seen;
      for (const size_t index : shard) {
        bytes.back() += sizes[index];
        seen.insert(index / shape.group);
      }
      units.push_back(seen.size());
    }
    const auto [least, most] = std::minmax_element(bytes.begin(), bytes.end());
    EXPECT_LE(*most - *least, largest);
    const auto [fewest, most_units] = std::minmax_element(units.begin(), units.end());
    EXPECT_LE(*most_units - *fewest, 1u);
  }
}

// However the list arrives, the order is the same.
TEST_P(EpochOrderShapeTest, StreamingEqualsTheCompleteList) {
  const Shape& shape = GetParam();
  const std::vector<uint64_t> sizes = RandomSizes(shape.objects, 7);
  const std::vector<Indices> expected = DealAll(ListOf(sizes), 1);
  for (uint32_t shard = 0; shard < shape.shards; ++shard) {
    auto list = std::make_shared<ObjectList>();
    EpochOrder order(OptionsOf(shape, shard), list);
    order.Begin(1);
    Indices streamed;
    for (size_t i = 0; i < sizes.size(); ++i) {
      list->Append("x", sizes[i], "");
      for (const size_t index : Walk(&order)) streamed.push_back(index);
      const size_t group = shape.shards > 1 ? shape.group : 1;
      const size_t rounds = (i + 1) / group / shape.shards;
      EXPECT_EQ(streamed.size(), shape.shuffled ? 0 : rounds * group);
    }
    list->Finish();
    for (const size_t index : Walk(&order)) streamed.push_back(index);
    EXPECT_EQ(streamed, expected[shard]);
    size_t unused;
    EXPECT_EQ(order.Peek(&unused), State::kEnd);
  }
}

// Nothing that a complete list might have dealt to another shard.
TEST_P(EpochOrderShapeTest, OfAFailedListOnlyWholeRoundsAreDealt) {
  const Shape& shape = GetParam();
  const std::vector<uint64_t> sizes = RandomSizes(shape.objects, 8);
  for (uint32_t shard = 0; shard < shape.shards; ++shard) {
    auto list = std::make_shared<ObjectList>();
    for (const uint64_t size : sizes) list->Append("x", size, "");
    EpochOrder streaming(OptionsOf(shape, shard), list);
    const Indices before = Walk(&streaming);
    list->Fail(ErrorKind::kUnavailable, "listing: 503");
    EXPECT_EQ(Walk(&streaming), Indices());
    size_t unused;
    EXPECT_EQ(streaming.Peek(&unused), State::kEnd);
    EpochOrder later(OptionsOf(shape, shard), list);
    EXPECT_EQ(Walk(&later), before);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, EpochOrderShapeTest, testing::ValuesIn(Shapes()),
                         [](const auto& info) {
                           const Shape& shape = info.param;
                           return std::string(shape.shuffled ? "Shuffled" : "Listed") + "_group" +
                                  std::to_string(shape.group) + "_shards" +
                                  std::to_string(shape.shards) + "_objects" +
                                  std::to_string(shape.objects);
                         });

TEST(EpochOrderTest, ShufflingDealsAnewEachEpoch) {
  Shape shape{true, 1, 4, 100};
  const auto list = ListOf(std::vector<uint64_t>(100, 5));
  std::set<std::set<size_t>> held;
  for (uint64_t epoch = 0; epoch < 20; ++epoch) {
    EpochOrder order(OptionsOf(shape, 2), list);
    order.Begin(epoch);
    const Indices mine = Walk(&order);
    EXPECT_EQ(mine.size(), 25u);
    held.insert(std::set<size_t>(mine.begin(), mine.end()));
  }
  EXPECT_EQ(held.size(), 20u);
}

TEST(EpochOrderTest, RefusesOptionsOutOfBounds) {
  const auto list = ListOf({});
  const auto refuses = [&list](uint32_t group, uint32_t shards, uint32_t shard) {
    OrderOptions options;
    options.group = group;
    options.shards = shards;
    options.shard = shard;
    try {
      EpochOrder order(options, list);
    } catch (const Error& error) {
      return error.kind() == ErrorKind::kInvalidArgument;
    }
    return false;
  };
  EXPECT_TRUE(refuses(0, 1, 0));
  EXPECT_TRUE(refuses(1, 0, 0));
  EXPECT_TRUE(refuses(1, 65537, 0));
  EXPECT_TRUE(refuses(1, 3, 3));
  EXPECT_FALSE(refuses(1, 65536, 65535));
}

}  // namespace
}  // namespace smtf
