#include "ops/first_epoch.h"

#include <map>
#include <mutex>
#include <utility>

namespace smtf {
namespace {

// How far each dataset is with its first epoch, by its id.
class DatasetsBegun {
 public:
  // False if another iterator has it already, else after `ask`.
  bool Take(const std::string& id, const std::function<void()>& ask) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!settled_.try_emplace(id, false).second) return false;
    ask();
    return true;
  }
  void Settle(const std::string& id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    settled_[id] = true;
  }
  // Nothing where another iterator has settled it since, as one does that is restored.
  void GiveBack(const std::string& id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = settled_.find(id);
    if (found != settled_.end() && !found->second) settled_.erase(found);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, bool> settled_;
};

DatasetsBegun& Begun() {
  static DatasetsBegun* begun = new DatasetsBegun;  // outlives every iterator
  return *begun;
}

}  // namespace

FirstEpoch::FirstEpoch(std::string dataset_id, std::optional<uint64_t> epoch)
    : dataset_id_(std::move(dataset_id)), epoch_(epoch) {}

FirstEpoch::~FirstEpoch() {
  if (taken_ && !settled_) Begun().GiveBack(dataset_id_);
}

void FirstEpoch::Take(const std::function<void(uint64_t)>& ask) {
  if (!epoch_ || taken_ || settled_) return;
  taken_ = Begun().Take(dataset_id_, [&] { ask(*epoch_); });
}

void FirstEpoch::Settle() {
  if (epoch_ && !settled_) Begun().Settle(dataset_id_);
  settled_ = true;
}

}  // namespace smtf
