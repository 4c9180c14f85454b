// Abstract Unix sockets, whose packets carry text and descriptors.
#ifndef SMTF_RING_RING_SOCKET_H_
#define SMTF_RING_RING_SOCKET_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "file_descriptor.h"

namespace smtf {

// No packet is longer.
inline constexpr size_t kMostPacketBytes = 64 * 1024;

// A socket that others can connect to. An Error of kind kFailedPrecondition where somebody listens
// there already, kInvalidArgument where the address is none.
FileDescriptor ListenAtRing(const std::string& address);
// A connected socket; not ok where nobody listens, or cannot take one more now. An Error of kind
// kPermissionDenied where another user does.
FileDescriptor ConnectToRing(const std::string& address);

// The process at the other end when it connected, or began to listen. pid 0: in another namespace.
struct RingPeerIds {
  pid_t pid = 0;
  uid_t uid = 0;
};
RingPeerIds PeerOf(int socket);

// Never waits. False, and errno says why, when the other end is gone or does not read what it is
// sent, or the packet is too large, or too many descriptors are on their way.
bool SendPacket(int socket, const std::string& text, const std::vector<int>& descriptors = {});

struct RingPacket {
  enum class What {
    kText,
    kNothing,  // yet
    kEnd,      // the other end is gone
  };
  What what = What::kNothing;
  std::string text;
  std::vector<FileDescriptor> descriptors;
};
// Never waits. What is no packet of ours counts as an end. An Error where this process has no
// descriptors left for those that came.
RingPacket ReceivePacket(int socket);

// Whether the other end is gone: everything that it sent is to be read nevertheless.
bool IsHungUp(int socket);

}  // namespace smtf

#endif  // SMTF_RING_RING_SOCKET_H_
