// Whether what came through a pipe until its end was all of its epoch.
#ifndef SMTF_PIPE_WHOLE_EPOCH_H_
#define SMTF_PIPE_WHOLE_EPOCH_H_

#include <cstdint>
#include <optional>
#include <string>

#include "pipe/feed_status.h"

namespace smtf {

// Throws what the prefetcher says went wrong, or what its outcome and the bytes that were read give
// away. `feeder`: who feeds the channel now.
void RequireWholeEpoch(const Outcome& outcome, const std::optional<Feeder>& feeder,
                       const std::string& path, uint64_t bytes_read);

}  // namespace smtf

#endif  // SMTF_PIPE_WHOLE_EPOCH_H_
