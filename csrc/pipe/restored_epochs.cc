#include "pipe/restored_epochs.h"

#include <algorithm>

namespace smtf {

void RestoredEpochs::Leave(const std::string& key, const StreamPosition& next) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = channels_.find(key);
  if (found != channels_.end() && !found->second.read && found->second.next.epoch >= next.epoch) {
    return;
  }
  Channel& channel = channels_[key] = {};
  channel.next.epoch = next.epoch;
  channel.next.settings = next.settings;
}

std::optional<StreamPosition> RestoredEpochs::Next(const std::string& key,
                                                   const std::string& session) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = Find(key, session);
  return found == channels_.end() ? std::nullopt : std::optional(found->second.next);
}

std::optional<StreamPosition> RestoredEpochs::Take(const std::string& key,
                                                   const std::string& session) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = Find(key, session);
  if (found == channels_.end()) return std::nullopt;
  const StreamPosition taken = found->second.next;
  ++found->second.next.epoch;
  return taken;
}

void RestoredEpochs::GiveBack(const std::string& key, uint64_t epoch) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = channels_.find(key);
  if (found != channels_.end() && found->second.next.epoch == epoch + 1) {
    found->second.next.epoch = epoch;
  }
}

void RestoredEpochs::Began(const std::string& key, const std::string& session, uint64_t epoch) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = Find(key, session);
  if (found == channels_.end()) return;
  Channel& channel = found->second;
  channel.next.epoch = std::max(channel.next.epoch, epoch + 1);
  channel.session = session;
  channel.read = true;
}

void RestoredEpochs::Forget(const std::string& key) {
  const std::lock_guard<std::mutex> lock(mutex_);
  channels_.erase(key);
}

// With the lock. The epochs of another prefetcher are counted anew.
RestoredEpochs::Channels::iterator RestoredEpochs::Find(const std::string& key,
                                                        const std::string& session) {
  const auto found = channels_.find(key);
  if (found == channels_.end()) return found;
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
