#include "ring/ring_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include "errors.h"
#include "prefetch/signals_blocked.h"
#include "ring/ring_socket.h"

namespace smtf {
namespace {

// How often it is looked whether the list is complete while somebody wants to know its length, and
// whether a process is gone whose end cannot be polled for.
constexpr int kCountingMs = 20;
// What fails for want of descriptors or memory goes on failing until somebody gives some back.
constexpr int kNapMs = 100;

FileDescriptor OpenProcess(pid_t pid) {
#ifdef SYS_pidfd_open
  if (pid > 0) return FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
#endif
  return FileDescriptor();
}

template <typename Peers>
void RemoveGone(Peers* peers) {
  peers->erase(
      std::remove_if(peers->begin(), peers->end(), [](const auto& peer) { return peer->Gone(); }),
      peers->end());
}

}  // namespace

bool RingPeer::Gone() const {
  pollfd ended{process.get(), POLLIN, 0};
  return IsHungUp(socket.get()) || (process.ok() && poll(&ended, 1, 0) > 0);
}

RingServer::RingServer(const std::string& address,
                       std::function<std::optional<uint64_t>()> count_units)
    : count_units_(std::move(count_units)), listener_(ListenAtRing(address)) {
  const SignalsBlocked blocked;
  try {
    thread_ = std::thread([this] { Serve(); });
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::kInternal,
                "starting the thread that listens at " + address + ": " + error.what());
  }
}

RingServer::~RingServer() {
  Stop();
  thread_.join();
}

void RingServer::SetNext(StreamPosition next) {
  const std::lock_guard<std::mutex> lock(mutex_);
  next_ = std::move(next);
}

std::shared_ptr<const RingPeer> RingServer::AwaitReader() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    came_.wait(lock, [this] { return !waiting_.empty() || stop_.signalled(); });
    if (stop_.signalled()) throw Error(ErrorKind::kCancelled, "stopped waiting for a reader");
    std::shared_ptr<RingPeer> peer = std::move(waiting_.front());
    waiting_.pop_front();
    if (peer->Gone()) continue;
    reading_ = std::move(peer);
    for (const auto& other : waiting_) SendPacket(other->socket.get(), FormatBusy(reading_->pid));
    return reading_;
  }
}

void RingServer::Release() {
  const std::lock_guard<std::mutex> lock(mutex_);
  reading_.reset();
}

void RingServer::Stop() noexcept {
  stop_.Signal();
  // With the lock, so that nobody who has looked before begins to wait after this.
  const std::lock_guard<std::mutex> lock(mutex_);
  came_.notify_all();
}

int RingServer::connections() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto here = [](const auto& peer) { return !peer->Gone(); };
  const auto count = std::count_if(waiting_.begin(), waiting_.end(), here) +
                     std::count_if(leases_.begin(), leases_.end(), here) +
                     std::count_if(silent_.begin(), silent_.end(), here) +
                     std::count_if(counting_.begin(), counting_.end(), here);
  pollfd knocking{listener_.get(), POLLIN, 0};
  const bool reads = reading_ && here(reading_);
  return static_cast<int>(count) + (reads ? 1 : 0) + (poll(&knocking, 1, 0) > 0 ? 1 : 0);
}

void RingServer::Serve() {
  while (!stop_.signalled()) {
    try {
      ServeOnce();
    } catch (const std::exception&) {
      // Such as that there is no memory. It would end the process with all of its channels.
      Nap();
    }
  }
  CloseAll();
}

void RingServer::ServeOnce() {
  std::vector<pollfd> polled = {{stop_.fd(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
  for (const auto& peer : silent_) polled.push_back({peer->socket.get(), POLLIN, 0});
  const size_t speakers = polled.size();
  {
    // Only for their end: from then on they say nothing.
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& peer : leases_) polled.push_back({peer->socket.get(), POLLRDHUP, 0});
    for (const auto& peer : waiting_) polled.push_back({peer->socket.get(), POLLRDHUP, 0});
  }
  poll(polled.data(), polled.size(), counting_.empty() ? -1 : kCountingMs);
  const Peers heard = silent_;
  for (size_t i = 2; i < speakers; ++i) {
    if (polled[i].revents != 0) Hear(heard[i - 2]);
  }
  if (polled[1].revents != 0) Accept();
  DropGone();
  AnswerCounts();
}

// Whoever waits sees that nobody will come any more.
void RingServer::CloseAll() {
  const std::lock_guard<std::mutex> lock(mutex_);
  listener_ = FileDescriptor();
  silent_.clear();
  counting_.clear();
  waiting_.clear();
  leases_.clear();
}

void RingServer::Nap() const {
  pollfd polled{stop_.fd(), POLLIN, 0};
  poll(&polled, 1, kNapMs);
}

void RingServer::Accept() {
  // Locked throughout: at every moment it knocks or is silent, and is counted.
  std::unique_lock<std::mutex> lock(mutex_);
  FileDescriptor fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd.ok()) {
    const bool passing = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    lock.unlock();
    if (!passing) Nap();
    return;
  }
  const RingPeerIds ids = PeerOf(fd.get());
  auto peer = std::make_shared<RingPeer>();
  peer->socket = std::move(fd);
  if (ids.uid != geteuid()) {
    SendPacket(peer->socket.get(),
               FormatError(Error(ErrorKind::kPermissionDenied, "the prefetcher is of user " +
                                                                   std::to_string(geteuid()) +
                                                                   " and serves no other")));
    return;
  }
  peer->process = OpenProcess(ids.pid);
  peer->pid = ids.pid;
  silent_.push_back(std::move(peer));
}

// One who was silent until now says what it wants, or is gone.
void RingServer::Hear(const std::shared_ptr<RingPeer>& peer) {
  bool understood = false;
  try {
    const RingPacket packet = ReceivePacket(peer->socket.get());
    if (packet.what == RingPacket::What::kNothing) return;
    if (packet.what == RingPacket::What::kText) {
      peer->hello = ParseHello(packet.text);
      understood = true;
    }
  } catch (const Error& error) {
    SendPacket(peer->socket.get(), FormatError(error));
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  silent_.erase(std::find(silent_.begin(), silent_.end(), peer));
  if (understood) Answer(peer);
}

// With the lock.
void RingServer::Answer(const std::shared_ptr<RingPeer>& peer) {
  switch (peer->hello.want) {
    case RingHello::Want::kEpoch:
      if (reading_) SendPacket(peer->socket.get(), FormatBusy(reading_->pid));
      waiting_.push_back(peer);
      came_.notify_one();
      break;
    case RingHello::Want::kLease:
      leases_.push_back(peer);
      break;
    case RingHello::Want::kNext:
      SendPacket(peer->socket.get(), FormatNext(next_));
      break;
    case RingHello::Want::kCount:
      counting_.push_back(peer);
      break;
  }
}

void RingServer::AnswerCounts() {
  if (counting_.empty()) return;
  std::string answer;
  try {
    const std::optional<uint64_t> count = count_units_();
    if (!count) return;
    answer = FormatCount(*count);
  } catch (const Error& error) {
    answer = FormatError(error);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& peer : counting_) SendPacket(peer->socket.get(), answer);
  counting_.clear();
}

void RingServer::DropGone() {
  const std::lock_guard<std::mutex> lock(mutex_);
  RemoveGone(&silent_);
  RemoveGone(&counting_);
  RemoveGone(&leases_);
  RemoveGone(&waiting_);
}

}  // namespace smtf
