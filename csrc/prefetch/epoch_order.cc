#include "prefetch/epoch_order.h"

#include <algorithm>
#include <string>
#include <utility>

#include "errors.h"
#include "prefetch/unit_permutation.h"

namespace smtf {
namespace {

constexpr uint32_t kMostShards = 65536;

void Require(bool holds, const std::string& what) {
  if (!holds) throw Error(ErrorKind::kInvalidArgument, what);
}

const OrderOptions& Checked(const OrderOptions& options) {
  const std::string shards = std::to_string(options.shards);
  Require(options.group >= 1, "group is 0; it must be at least 1");
  Require(options.shards >= 1 && options.shards <= kMostShards,
          "shards is " + shards + "; it must be 1 to 65536");
  Require(options.shard < options.shards, "shard is " + std::to_string(options.shard) + " of " +
                                              shards + "; it must be 0 to " +
                                              std::to_string(options.shards - 1));
  return options;
}

}  // namespace

EpochOrder::EpochOrder(const OrderOptions& options, std::shared_ptr<const ObjectList> list)
    : shuffle_seed_(Checked(options).shuffle_seed),
      group_(options.shuffle_seed || options.shards > 1 ? options.group : 1),
      shards_(options.shards),
      list_(std::move(list)),
      dealer_(options.shards, options.shard),
      given_group_(options.group) {}

void EpochOrder::Begin(uint64_t epoch, std::optional<ObjectRange> only) {
  ranged_ = only.has_value();
  only_ = only;
  epoch_ = epoch;
  order_made_ = false;
  dealt_ = 0;
  object_ = 0;
  unit_end_ = 0;
  passed_ = 0;
  dealer_.Reset();
}

EpochOrder::State EpochOrder::Peek(size_t* index) {
  if (object_ == unit_end_) {
    const State state = NextUnit();
    if (state != State::kObject) return state;
  }
  *index = object_;
  return State::kObject;
}

void EpochOrder::Advance() {
  ++object_;
  ++passed_;
}

EpochOrder::State EpochOrder::NextUnit() {
  const ObjectList::Extent list = list_->extent();
  if (ranged_) return TakeRange(list);
  const bool complete = list.finished && !list.failed;
  const State nothing = list.finished ? State::kEnd : State::kWaiting;
  if (shuffle_seed_ && !complete) return nothing;
  const uint64_t units = list.size / group_ + (complete && list.size % group_ != 0 ? 1 : 0);
  if (shuffle_seed_ && !order_made_) Shuffle(units);
  const uint64_t round = std::min<uint64_t>(shards_, units - dealt_);
  if (round == 0 || (round < shards_ && !complete)) return nothing;
  return Deal(round, list.size) ? State::kObject : State::kEnd;
}

// All of it as one unit.
EpochOrder::State EpochOrder::TakeRange(const ObjectList::Extent& list) {
  if (!only_) return State::kEnd;
  const uint64_t end = (only_->first + only_->count) * given_group_;
  if (list.size < end && !list.finished) return State::kWaiting;
  unit_end_ = std::min<uint64_t>(end, list.size);
  object_ = std::min<uint64_t>(only_->first * given_group_, unit_end_);
  only_.reset();
  return object_ < unit_end_ ? State::kObject : State::kEnd;
}

void EpochOrder::Shuffle(uint64_t units) {
  PermuteUnits(*shuffle_seed_, epoch_, units, &order_);
  order_made_ = true;
}

// False when this shard got none, which only the last round of an epoch can bring.
bool EpochOrder::Deal(size_t round, size_t objects) {
  std::optional<size_t> mine = 0;
  if (shards_ > 1) {
    unit_bytes_.resize(round);
    for (size_t i = 0; i < round; ++i) unit_bytes_[i] = UnitBytes(UnitAt(dealt_ + i), objects);
    mine = dealer_.Deal(unit_bytes_);
  }
  if (mine) {
    object_ = UnitAt(dealt_ + *mine) * group_;
    unit_end_ = std::min<uint64_t>(object_ + group_, objects);
  }
  dealt_ += round;
  return mine.has_value();
}

uint64_t EpochOrder::UnitBytes(uint64_t unit, size_t objects) const {
  const size_t begin = unit * group_;
  const size_t end = std::min<uint64_t>(begin + group_, objects);
  uint64_t bytes = 0;
  for (size_t i = begin; i < end; ++i) bytes += (*list_)[i].size;
  return bytes;
}

}  // namespace smtf
