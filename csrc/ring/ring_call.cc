#include "ring/ring_call.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "errors.h"

namespace smtf {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kNap{10};
constexpr milliseconds kStep{1'000};
constexpr milliseconds kFirstLog{5'000};
constexpr milliseconds kLogInterval{10'000};

std::string Seconds(milliseconds time) { return std::to_string(time.count() / 1000) + " s"; }

}  // namespace

RingCall::RingCall(RingCallOptions options, const RingHello& hello, const Wakeup* cancel)
    : options_(std::move(options)),
      want_(hello.want),
      cancel_(cancel),
      process_(getpid()),
      next_log_(kFirstLog) {
  while (!TryConnect()) {
    if (options_.started) FailNobody();
    if (Waited() >= options_.timeout) FailNobody();
    LogWait("waiting for the prefetcher of channel " + options_.channel);
    Wait(-1, kNap);
  }
  // What cannot be sent is found out when nothing is answered.
  SendPacket(socket_.get(), FormatHello(hello));
}

RingCall::~RingCall() {
  if (socket_.ok() && getpid() == process_) shutdown(socket_.get(), SHUT_RDWR);
}

RingAnswer RingCall::AwaitAnswer() {
  for (;;) {
    RingPacket packet = Listen();
    if (packet.what == RingPacket::What::kEnd) {
      throw Error(ErrorKind::kUnavailable, DescribePrefetcher() +
                                               " is gone: it ended before it was this reader's "
                                               "turn; make the dataset anew");
    }
    if (packet.what == RingPacket::What::kText) {
      RingAnswer answer = ParseAnswer(packet.text);
      if (const auto* error = std::get_if<Error>(&answer)) throw *error;
      if (const auto* busy = std::get_if<RingBusy>(&answer)) {
        busy_with_ = busy->pid;
        continue;
      }
      descriptors_ = std::move(packet.descriptors);
      return answer;
    }
    const milliseconds left = options_.timeout - Waited();
    if (MayTimeOut() && left <= milliseconds{0}) FailTimeout();
    LogWait(DescribeWait());
    Wait(socket_.get(), MayTimeOut() ? std::min(kStep, left) : kStep);
  }
}

std::string RingCall::DescribePrefetcher() const {
  const pid_t pid = prefetcher();
  return "the prefetcher " + (pid > 0 ? "(process " + std::to_string(pid) + ") " : "") +
         "of channel " + options_.channel;
}

bool RingCall::TryConnect() {
  socket_ = ConnectToRing(options_.address);
  return socket_.ok();
}

void RingCall::Wait(int fd, milliseconds most) {
  pollfd polled[2] = {{cancel_->fd(), POLLIN, 0}, {fd, POLLIN, 0}};
  const int ready = poll(polled, 2, static_cast<int>(std::max(most, milliseconds{0}).count()));
  if (cancel_->signalled()) {
    throw Error(ErrorKind::kCancelled, "stopped waiting for channel " + options_.channel);
  }
  if (ready <= 0 && options_.on_interrupt) options_.on_interrupt();
}

void RingCall::LogWait(const std::string& what) {
  if (!options_.log || Waited() < next_log_) return;
  next_log_ += kLogInterval;
  options_.log(what + ": " + Seconds(Waited()));
}

milliseconds RingCall::Waited() const {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - began_);
}

void RingCall::FailNobody() const {
  throw Error(ErrorKind::kUnavailable,
              "the prefetcher of channel " + options_.channel +
                  (options_.started ? " is gone" : " did not begin in " + Seconds(Waited())) +
                  ": nobody listens at " + options_.address +
                  "; see its log, or make the dataset anew");
}

void RingCall::FailTimeout() const {
  if (want_ == RingHello::Want::kCount) {
    throw Error(ErrorKind::kDeadlineExceeded, "the list of objects of channel " + options_.channel +
                                                  " is not complete after " + Seconds(Waited()) +
                                                  "; see what " + DescribePrefetcher() +
                                                  " is doing, or raise timeout");
  }
  throw Error(ErrorKind::kDeadlineExceeded,
              "channel " + options_.channel + " was not to be had for " + Seconds(Waited()) +
                  DescribeHolder() +
                  "; a channel has one reader at a time, so end that one, or raise timeout");
}

std::string RingCall::DescribeWait() const {
  if (want_ == RingHello::Want::kCount) {
    return "waiting for the end of the list of objects of channel " + options_.channel;
  }
  return "waiting for a turn to read channel " + options_.channel + DescribeHolder();
}

std::string RingCall::DescribeHolder() const {
  if (busy_with_ < 0) return ", as " + DescribePrefetcher() + " has not answered";
  if (busy_with_ == process_) return ", which another iterator of this process reads";
  if (busy_with_ == 0) return ", which another process reads";
  return ", which process " + std::to_string(busy_with_) + " reads";
}

}  // namespace smtf
