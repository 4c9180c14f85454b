// What keeps the prefetcher behind a ring alive while somebody may want to read.
#ifndef SMTF_RING_RING_LEASE_H_
#define SMTF_RING_RING_LEASE_H_

#include <sys/types.h>

#include <string>

#include "file_descriptor.h"

namespace smtf {

// A connection that the prefetcher counts (Feed::connections) and nothing is sent over. It never
// waits. Where nobody listens it holds nothing: the first read says what is wrong.
class RingLease {
 public:
  explicit RingLease(const std::string& address) noexcept;
  ~RingLease();
  RingLease(const RingLease&) = delete;
  RingLease& operator=(const RingLease&) = delete;

  // Whether the prefetcher that it was taken of lives.
  bool held() const noexcept;

 private:
  const pid_t process_;
  FileDescriptor socket_;
};

}  // namespace smtf

#endif  // SMTF_RING_RING_LEASE_H_
