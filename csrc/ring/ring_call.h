// A reader's conversation with a prefetcher, over a ring's socket.
#ifndef SMTF_RING_RING_CALL_H_
#define SMTF_RING_RING_CALL_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "file_descriptor.h"
#include "pipe/wakeup.h"
#include "ring/ring_messages.h"
#include "ring/ring_socket.h"

namespace smtf {

struct RingCallOptions {
  std::string address;
  std::string channel;  // for messages
  // How long to wait for somebody who listens, and for an answer.
  std::chrono::milliseconds timeout{120'000};
  // An address that nobody listens at is an error at once.
  bool started = true;
  // As RingSourceOptions has them.
  std::function<void(const std::string&)> log;
  std::function<void()> on_interrupt;
  // While somebody else reads, wait for a turn however long that takes.
  bool patient = false;
};

// Used by one thread. `cancel` ends every wait with an Error of kind kCancelled, and outlives it.
class RingCall {
 public:
  // Connects and says hello. kUnavailable where nobody listens, kDeadlineExceeded where nobody has
  // begun to in time.
  RingCall(RingCallOptions options, const RingHello& hello, const Wakeup* cancel);
  // Lets the prefetcher know at once, also where a forked child holds the socket.
  ~RingCall();
  RingCall(const RingCall&) = delete;
  RingCall& operator=(const RingCall&) = delete;

  // Waits for the first answer that is not that somebody else is busy. What the prefetcher refuses
  // is thrown, and kUnavailable where it ends, kDeadlineExceeded where it takes too long.
  RingAnswer AwaitAnswer();
  // What came with that.
  std::vector<FileDescriptor> TakeDescriptors() { return std::move(descriptors_); }

  // What the other end has said since, without waiting.
  RingPacket Listen() { return ReceivePacket(socket_.get()); }
  int fd() const { return socket_.get(); }
  // Of the prefetcher; 0 where it cannot be known.
  pid_t prefetcher() const { return PeerOf(socket_.get()).pid; }

  // "the prefetcher (process 4242) of channel train"
  std::string DescribePrefetcher() const;

 private:
  using Clock = std::chrono::steady_clock;

  bool TryConnect();
  void Wait(int fd, std::chrono::milliseconds most);
  void LogWait(const std::string& what);
  // Not while it is somebody else's turn, for one who is patient.
  bool MayTimeOut() const { return !options_.patient || busy_with_ < 0; }
  std::chrono::milliseconds Waited() const;
  [[noreturn]] void FailNobody() const;
  [[noreturn]] void FailTimeout() const;
  std::string DescribeWait() const;
  std::string DescribeHolder() const;

  const RingCallOptions options_;
  const RingHello::Want want_;
  const Wakeup* cancel_;
  const pid_t process_;
  const Clock::time_point began_ = Clock::now();
  std::chrono::milliseconds next_log_;
  FileDescriptor socket_;
  int64_t busy_with_ = -1;  // whose turn it is; -1 where nobody has said
  std::vector<FileDescriptor> descriptors_;
};

}  // namespace smtf

#endif  // SMTF_RING_RING_CALL_H_
