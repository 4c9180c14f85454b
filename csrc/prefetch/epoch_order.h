// Which objects of a list come in which order in an epoch, for one shard.
#ifndef SMTF_PREFETCH_EPOCH_ORDER_H_
#define SMTF_PREFETCH_EPOCH_ORDER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "pipe/object_range.h"
#include "prefetch/object_list.h"
#include "prefetch/shard_dealer.h"

namespace smtf {

struct OrderOptions {
  std::optional<uint64_t> shuffle_seed;  // none: the order of the list
  uint32_t group = 1;                    // so many neighbours of the list stay together
  uint32_t shards = 1;                   // 1 to 65536
  uint32_t shard = 0;                    // which of those this is
};

// A unit is `group` neighbours of the list: objects 0 ... group - 1, and so on. The last unit has
// what is left.
//
// The epoch's order of the units is that of the list; or, shuffled, that of unit_permutation.h for
// the seed, the epoch and the number of units. Each run of `shards` units of that order is a round
// that shard_dealer.h deals. So in every epoch each unit is in exactly one shard, and a shard keeps
// the epoch's order.
//
// While the list grows, a round is dealt once its units are there, or the list is complete; a
// shuffle waits for the complete list. Of a list that failed only whole rounds are dealt, and
// nothing when shuffled: what the rest would have been is not known.
//
// Takes 4 bytes for each unit of the list when shuffled, and none otherwise. Not thread-safe, but
// the list may grow meanwhile.
class EpochOrder {
 public:
  // An Error of kind kInvalidArgument when an option is out of its bounds.
  EpochOrder(const OrderOptions& options, std::shared_ptr<const ObjectList> list);

  // Starts over, with the order of `epoch`. Before the first call it is that of epoch 0. Of a range
  // that is given the objects come in the order of the list, and no others.
  void Begin(uint64_t epoch, std::optional<ObjectRange> only = std::nullopt);

  enum class State {
    kObject,   // *index is the next object's place in the list
    kWaiting,  // the list must grow first
    kEnd,      // there is no more in this epoch
  };
  // Looks at the next object without moving on. An Error of kind kInvalidArgument when there are
  // more than 2^32 units to shuffle.
  State Peek(size_t* index);
  // Moves past the object that Peek gave.
  void Advance();

  // How many objects were moved past in this epoch.
  uint64_t passed() const { return passed_; }

 private:
  State NextUnit();
  State TakeRange(const ObjectList::Extent& list);
  bool Deal(size_t round, size_t objects);
  void Shuffle(uint64_t units);
  uint64_t UnitAt(uint64_t place) const { return shuffle_seed_ ? order_[place] : place; }
  uint64_t UnitBytes(uint64_t unit, size_t objects) const;

  const std::optional<uint64_t> shuffle_seed_;
  const uint64_t group_;  // 1 where groups make no difference
  const uint32_t shards_;
  const std::shared_ptr<const ObjectList> list_;
  ShardDealer dealer_;

  const uint64_t given_group_;
  std::optional<ObjectRange> only_;  // until it was taken
  bool ranged_ = false;
  uint64_t epoch_ = 0;
  bool order_made_ = false;
  std::vector<uint32_t> order_;       // of the units, when shuffled
  uint64_t dealt_ = 0;                // units
  std::vector<uint64_t> unit_bytes_;  // of the round that is dealt
  size_t object_ = 0;                 // the next, in the unit that this shard got last
  size_t unit_end_ = 0;
  uint64_t passed_ = 0;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_EPOCH_ORDER_H_
