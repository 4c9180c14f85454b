#include "pipe/restored_epochs.h"

#include <algorithm>

namespace smtf {

StreamPosition RestoredEpochs::Channel::Next() const {
  StreamPosition next = behind;
  if (!given_back.empty()) next.epoch = *given_back.begin();
  return next;
}

void RestoredEpochs::Leave(const std::string& key, const StreamPosition& next) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = channels_.find(key);
  if (found != channels_.end() && !found->second.read && !found->second.forgotten &&
      found->second.behind.epoch >= next.epoch) {
    for (auto* epochs : {&found->second.taken, &found->second.given_back}) {
      epochs->erase(epochs->begin(), epochs->lower_bound(next.epoch));
    }
    return;
  }
  Channel& channel = channels_[key] = {};
  channel.behind.epoch = next.epoch;
  channel.behind.settings = next.settings;
}

std::optional<StreamPosition> RestoredEpochs::Next(const std::string& key,
                                                   const std::string& session) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = Find(key, session);
  return found == channels_.end() ? std::nullopt : std::optional(found->second.Next());
}

RestoredEpochs::Standing RestoredEpochs::Of(const std::string& key, const std::string& session) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = Find(key, session);
  if (found != channels_.end()) return {true, found->second.read, found->second.Next()};
  return {channels_.count(key) > 0, false, std::nullopt};
}

std::optional<StreamPosition> RestoredEpochs::Take(const std::string& key,
                                                   const std::string& session) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = Find(key, session);
  if (found == channels_.end()) return std::nullopt;
  Channel& channel = found->second;
  const StreamPosition taken = channel.Next();
  if (channel.given_back.erase(taken.epoch) == 0) ++channel.behind.epoch;
  channel.taken.insert(taken.epoch);
  return taken;
}

void RestoredEpochs::GiveBack(const std::string& key, uint64_t epoch) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = channels_.find(key);
  if (found == channels_.end() || found->second.forgotten) return;
  // Otherwise it was taken before the last restore.
  if (found->second.taken.erase(epoch) > 0) found->second.given_back.insert(epoch);
}

void RestoredEpochs::Began(const std::string& key, const std::string& session, uint64_t epoch) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = Find(key, session);
  if (found == channels_.end()) return;
  Channel& channel = found->second;
  channel.behind.epoch = std::max(channel.behind.epoch, epoch + 1);
  channel.taken.erase(epoch);
  channel.given_back.erase(epoch);
  channel.session = session;
  channel.read = true;
}

void RestoredEpochs::Forget(const std::string& key) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = channels_.find(key);
  if (found != channels_.end()) found->second.forgotten = true;
}

// With the lock. The epochs of another prefetcher are counted anew.
RestoredEpochs::Channels::iterator RestoredEpochs::Find(const std::string& key,
                                                        const std::string& session) {
  const auto found = channels_.find(key);
  if (found == channels_.end()) return found;
  if (found->second.forgotten) return channels_.end();
  const std::string& known = found->second.session;
  if (known.empty() || session.empty() || known == session) return found;
  channels_.erase(found);
  return channels_.end();
}

RestoredEpochs& EpochsOfRestored() {
  static RestoredEpochs* restored = new RestoredEpochs;  // outlives every thread
  return *restored;
}

}  // namespace smtf
