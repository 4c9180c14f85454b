// Which epoch of the channel's data comes first, where the training script says so.
#ifndef SMTF_OPS_FIRST_EPOCH_H_
#define SMTF_OPS_FIRST_EPOCH_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace smtf {

// One iterator's share in that. Of all iterators of a dataset in this process one gets to ask for
// the epoch; those after it read on as always. Iterators of one dataset are those with its id:
// TensorFlow copies datasets when it rewrites graphs.
//
// An iterator that dies without having read passes it on to the next.
class FirstEpoch {
 public:
  // Without an epoch nobody asks.
  FirstEpoch(std::string dataset_id, std::optional<uint64_t> epoch);
  ~FirstEpoch();
  FirstEpoch(const FirstEpoch&) = delete;
  FirstEpoch& operator=(const FirstEpoch&) = delete;

  // Calls `ask` with the epoch, if it is for this iterator to ask for and it has not before. Who
  // finds it taken finds it asked for. `ask` must not wait.
  void Take(const std::function<void(uint64_t)>& ask);
  // Whether it was for this iterator to ask for.
  bool taken() const { return taken_; }
  // It has read, or knows better where to begin: nobody will ask any more.
  void Settle();

 private:
  const std::string dataset_id_;
  const std::optional<uint64_t> epoch_;
  bool taken_ = false;
  bool settled_ = false;
};

}  // namespace smtf

#endif  // SMTF_OPS_FIRST_EPOCH_H_
