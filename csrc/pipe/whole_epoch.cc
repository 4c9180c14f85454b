#include "pipe/whole_epoch.h"

#include "errors.h"

namespace smtf {

void RequireWholeEpoch(const Outcome& outcome, const std::optional<Feeder>& feeder,
                       const std::string& path, uint64_t bytes_read) {
  const std::string read = path + " ended after " + std::to_string(bytes_read) + " bytes";
  switch (outcome.state) {
    case Outcome::State::kError:
      throw Error(outcome.error_kind.value_or(ErrorKind::kInternal), outcome.error_message);
    case Outcome::State::kStreaming:
      throw Error(ErrorKind::kUnavailable,
                  read + " but its prefetcher (process " +
                      std::to_string(feeder ? feeder->pid : 0) +
                      ") did not finish the epoch: it died or was killed; see its log and start "
                      "it again");
    case Outcome::State::kAbandoned:
      throw Error(ErrorKind::kDataLoss, read +
                                            " and its prefetcher gave the epoch up: another "
                                            "reader of the same pipe has closed it early");
    case Outcome::State::kDone:
      if (outcome.bytes == bytes_read) return;
      throw Error(ErrorKind::kDataLoss, read + " and its prefetcher wrote " +
                                            std::to_string(outcome.bytes) +
                                            ": another process has read from the same pipe");
  }
}

}  // namespace smtf
