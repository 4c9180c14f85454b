// Deals an epoch's units to shards, so that both their counts and their bytes are balanced.
#ifndef SMTF_PREFETCH_SHARD_DEALER_H_
#define SMTF_PREFETCH_SHARD_DEALER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace smtf {

// Rounds of as many units as there are shards; the last round may have fewer. The largest unit of a
// round (of equal ones the earlier) goes to the shard that has the fewest bytes so far (of equal
// ones the lower), the next largest to the next, and so on. So no two shards differ by more than
// one unit, nor by more bytes than the largest unit has: in a round the shard that is behind gets
// the more. Depends on the units' sizes only, so that hosts agree without talking to each other.
class ShardDealer {
 public:
  ShardDealer(uint32_t shards, uint32_t shard) : shard_(shard), shard_bytes_(shards) {}

  // No shard has anything.
  void Reset();
  // Deals a round of units of these sizes and returns which of them is this shard's; none only in
  // a round that has fewer units than there are shards.
  std::optional<size_t> Deal(const std::vector<uint64_t>& unit_bytes);

 private:
  const uint32_t shard_;
  std::vector<uint64_t> shard_bytes_;
  std::vector<uint32_t> largest_first_;   // units of the round
  std::vector<uint32_t> emptiest_first_;  // shards
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_SHARD_DEALER_H_
