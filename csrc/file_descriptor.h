// A file descriptor with an owner.
#ifndef SMTF_FILE_DESCRIPTOR_H_
#define SMTF_FILE_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace smtf {

// Closes it, and with that gives up the flock that it may hold.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  bool ok() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace smtf

#endif  // SMTF_FILE_DESCRIPTOR_H_
