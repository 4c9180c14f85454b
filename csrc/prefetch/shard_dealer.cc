#include "prefetch/shard_dealer.h"

#include <algorithm>
#include <numeric>

namespace smtf {
namespace {

// 0 ... count - 1, sorted by `before`; equal ones keep their order.
template <typename Before>
void SortIndices(size_t count, std::vector<uint32_t>* indices, const Before& before) {
  indices->resize(count);
  std::iota(indices->begin(), indices->end(), uint32_t{0});
  std::stable_sort(indices->begin(), indices->end(), before);
}

}  // namespace

void ShardDealer::Reset() { std::fill(shard_bytes_.begin(), shard_bytes_.end(), 0); }

std::optional<size_t> ShardDealer::Deal(const std::vector<uint64_t>& unit_bytes) {
  SortIndices(unit_bytes.size(), &largest_first_,
              [&](uint32_t a, uint32_t b) { return unit_bytes[a] > unit_bytes[b]; });
  SortIndices(shard_bytes_.size(), &emptiest_first_,
              [this](uint32_t a, uint32_t b) { return shard_bytes_[a] < shard_bytes_[b]; });
  std::optional<size_t> mine;
  for (size_t i = 0; i < unit_bytes.size(); ++i) {
    shard_bytes_[emptiest_first_[i]] += unit_bytes[largest_first_[i]];
    if (emptiest_first_[i] == shard_) mine = largest_first_[i];
  }
  return mine;
}

}  // namespace smtf
