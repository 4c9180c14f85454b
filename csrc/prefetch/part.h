// One ranged fetch on its way from the plan to the pipe.
#ifndef SMTF_PREFETCH_PART_H_
#define SMTF_PREFETCH_PART_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "prefetch/buffer_pool.h"
#include "prefetch/object_source.h"
#include "prefetch/part_plan.h"

namespace smtf {

// Between PartQueue::Take and Put a part's buffer, `filled` and checksums belong to the worker that
// took it, afterwards to whoever pops it; everything else but `stop` is the queue's, under its
// lock.
struct Part {
  using Clock = std::chrono::steady_clock;
  enum class State {
    kFetching,  // a worker has it
    kWaiting,   // for its next try
    kReady,     // every byte is there
    kFailed,    // given up; `failure` says why
  };

  Part(const PartSpec& part_spec, Buffer part_buffer)
      : spec(part_spec), buffer(std::move(part_buffer)) {}

  // What is still missing.
  FetchRequest Request() const {
    return {spec.object, spec.offset + filled, buffer.data() + filled, spec.size - filled, tries,
            filled};
  }
  std::string_view bytes() const { return {buffer.data(), filled}; }

  const PartSpec spec;
  Buffer buffer;
  size_t filled = 0;
  std::optional<AnnouncedChecksum> announced;  // what the store said first
  std::optional<uint64_t> checksum;            // of the part's bytes, of the announced kind
  bool verified = false;                       // what was announced is the part's own, and right
  std::atomic<bool> stop{false};               // end the fetch

  uint64_t epoch = 0;
  State state = State::kFetching;
  bool dropped = false;              // its epoch is over, or its twin was faster
  bool restart = false;              // stopped in order to be begun anew
  bool hedged = false;               // was slow once
  bool is_hedge = false;             // is the second fetch of a slow part
  std::weak_ptr<Part> twin;          // the other fetch of the same range, while there are two
  ObjectFetcher* fetcher = nullptr;  // while kFetching
  unsigned tries = 0;
  Clock::time_point began;  // the latest try
  Clock::time_point first_try;
  Clock::time_point first_failure;
  Clock::time_point last_failure;
  FetchResult failure;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_PART_H_
