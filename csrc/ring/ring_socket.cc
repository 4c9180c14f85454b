#include "ring/ring_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "errors.h"

namespace smtf {
namespace {

constexpr size_t kMostDescriptors = 4;

struct Address {
  sockaddr_un name{};
  socklen_t length;
};

Address AddressOf(const std::string& address) {
  Address result;
  result.name.sun_family = AF_UNIX;
  // A leading NUL makes it abstract: no file, and gone with the socket.
  if (address.empty() || address.size() > sizeof(result.name.sun_path) - 1) {
    throw Error(ErrorKind::kInvalidArgument,
                "'" + address + "' cannot be a ring's address; it takes 1 to " +
                    std::to_string(sizeof(result.name.sun_path) - 1) + " bytes");
  }
  std::memcpy(result.name.sun_path + 1, address.data(), address.size());
  result.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + address.size());
  return result;
}

[[noreturn]] void FailForDescriptors(const std::string& what, int error_number) {
  const Error error = SystemError(what, error_number);
  throw Error(error.kind(),
              std::string(error.what()) + "; close files, or raise the limit of " +
                  (error_number == ENFILE ? "the machine (fs.file-max)"
                                          : "open files of this process (ulimit -n)"));
}

FileDescriptor MakeSocket(const std::string& what) {
  FileDescriptor fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.ok()) return fd;
  if (errno == EMFILE || errno == ENFILE) FailForDescriptors(what, errno);
  throw SystemError(what, errno);
}

std::vector<FileDescriptor> DescriptorsIn(msghdr* message) {
  std::vector<FileDescriptor> descriptors;
  for (cmsghdr* at = CMSG_FIRSTHDR(message); at != nullptr; at = CMSG_NXTHDR(message, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(at) + i * sizeof(int), sizeof(fd));
      descriptors.emplace_back(fd);
    }
  }
  return descriptors;
}

}  // namespace

FileDescriptor ListenAtRing(const std::string& address) {
  const std::string what = "listening at the address " + address;
  const Address at = AddressOf(address);
  FileDescriptor fd = MakeSocket(what);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&at.name), at.length) != 0) {
    if (errno != EADDRINUSE) throw SystemError(what, errno);
    throw Error(ErrorKind::kFailedPrecondition,
                what + ": a live prefetcher has it already; take another address");
  }
  if (listen(fd.get(), SOMAXCONN) != 0) throw SystemError(what, errno);
  return fd;
}

FileDescriptor ConnectToRing(const std::string& address) {
  const std::string what = "connecting to the prefetcher at " + address;
  const Address at = AddressOf(address);
  FileDescriptor fd = MakeSocket(what);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&at.name), at.length) != 0) {
    if (errno == ECONNREFUSED || errno == EAGAIN || errno == EINTR) return FileDescriptor();
    throw SystemError(what, errno);
  }
  if (PeerOf(fd.get()).uid != geteuid()) {
    throw Error(ErrorKind::kPermissionDenied, what + ": it is of user " +
                                                  std::to_string(PeerOf(fd.get()).uid) +
                                                  ", not of " + std::to_string(geteuid()));
  }
  return fd;
}

RingPeerIds PeerOf(int socket) {
  ucred credentials{};
  socklen_t length = sizeof(credentials);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    throw SystemError("asking who is at the other end of a socket", errno);
  }
  return {credentials.pid, credentials.uid};
}

bool SendPacket(int socket, const std::string& text, const std::vector<int>& descriptors) {
  iovec piece{const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(kMostDescriptors * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const size_t bytes = descriptors.size() * sizeof(int);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(header), descriptors.data(), bytes);
  }
  ssize_t sent;
  do {
    sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(text.size());
}

RingPacket ReceivePacket(int socket) {
  RingPacket packet;
  const auto buffer = std::make_unique<char[]>(kMostPacketBytes);
  iovec piece{buffer.get(), kMostPacketBytes};
  alignas(cmsghdr) char control[CMSG_SPACE(kMostDescriptors * sizeof(int))];
  for (bool again = true; again;) {
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    const ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    // The peer went before it read what it was sent; its own words are still there.
    again = got < 0 && (errno == EINTR || errno == ECONNRESET);
    if (again) continue;
    if (got < 0 && errno == EAGAIN) return packet;
    packet.what = RingPacket::What::kEnd;
    if (got <= 0) return packet;
    packet.descriptors = DescriptorsIn(&message);
    if ((message.msg_flags & MSG_TRUNC) != 0) return packet;
    if ((message.msg_flags & MSG_CTRUNC) != 0) {
      FailForDescriptors("receiving a ring's memory and signals from the prefetcher", EMFILE);
    }
    packet.what = RingPacket::What::kText;
    packet.text.assign(buffer.get(), static_cast<size_t>(got));
  }
  return packet;
}

bool IsHungUp(int socket) {
  pollfd polled{socket, POLLRDHUP, 0};
  return poll(&polled, 1, 0) > 0 && (polled.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

}  // namespace smtf
