#include "ring/ring_lease.h"

#include <sys/socket.h>
#include <unistd.h>

#include "errors.h"
#include "ring/ring_messages.h"
#include "ring/ring_socket.h"

namespace smtf {

RingLease::RingLease(const std::string& address) noexcept : process_(getpid()) {
  try {
    socket_ = ConnectToRing(address);
    RingHello hello;
    hello.want = RingHello::Want::kLease;
    if (socket_.ok()) SendPacket(socket_.get(), FormatHello(hello));
  } catch (const std::exception&) {
    socket_ = FileDescriptor();
  }
}

RingLease::~RingLease() {
  // At once, also where a child that was forked has the socket; but not for that child's copy.
  if (socket_.ok() && getpid() == process_) shutdown(socket_.get(), SHUT_RDWR);
}

bool RingLease::held() const noexcept { return socket_.ok() && !IsHungUp(socket_.get()); }

}  // namespace smtf
