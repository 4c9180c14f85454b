// Takes the connections to one channel's ring.
#ifndef SMTF_RING_RING_SERVER_H_
#define SMTF_RING_RING_SERVER_H_

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "file_descriptor.h"
#include "pipe/stream_position.h"
#include "pipe/wakeup.h"
#include "ring/ring_messages.h"

namespace smtf {

// One process at the other end of a socket. Immutable, so for any thread.
struct RingPeer {
  FileDescriptor socket;
  // The process itself, where the system can tell of its end: a child that it forked may hold the
  // socket for longer.
  FileDescriptor process;
  pid_t pid = 0;
  RingHello hello;

  bool Gone() const;
};

// Listens from its construction on. Readers are served one after the other, in the order in which
// they came; a thread of its own hears what others want, answers it, and notices who goes.
//
// Thread-safe.
class RingServer {
 public:
  // `count_units` says how many units the channel's list has, once it is complete. Listening fails
  // as ListenAtRing does.
  RingServer(const std::string& address, std::function<std::optional<uint64_t>()> count_units);
  // Stops, and closes every connection.
  ~RingServer();
  RingServer(const RingServer&) = delete;
  RingServer& operator=(const RingServer&) = delete;

  // What the next reader gets that does not say what it wants.
  void SetNext(StreamPosition next);
  // Waits for the next reader that is still there; it is the one that reads until Release. An Error
  // of kind kCancelled once stopped.
  std::shared_ptr<const RingPeer> AwaitReader();
  void Release();
  // Ends AwaitReader, now and later, and soon every connection but the reader's. Nobody is let in
  // any more.
  void Stop() noexcept;

  // Everybody who has connected, also those who have not been heard yet. However many have yet to
  // be let in, they count as one.
  int connections() const;

 private:
  using Peers = std::vector<std::shared_ptr<RingPeer>>;

  void Serve();
  void ServeOnce();
  void Accept();
  void Hear(const std::shared_ptr<RingPeer>& peer);
  void Answer(const std::shared_ptr<RingPeer>& peer);
  void AnswerCounts();
  void DropGone();
  void CloseAll();
  void Nap() const;

  const std::function<std::optional<uint64_t>()> count_units_;
  Wakeup stop_;

  mutable std::mutex mutex_;
  FileDescriptor listener_;
  std::condition_variable came_;  // a reader has, or Stop
  std::deque<std::shared_ptr<RingPeer>> waiting_;
  std::shared_ptr<RingPeer> reading_;
  Peers leases_;
  StreamPosition next_;

  // Changed by the thread alone, which need not lock to look.
  Peers silent_;    // have not said what they want
  Peers counting_;  // want to know how many units there are

  std::thread thread_;
};

}  // namespace smtf

#endif  // SMTF_RING_RING_SERVER_H_
