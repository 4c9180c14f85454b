#include "framing/partial_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "errors.h"

namespace smtf {

PartialFile::PartialFile(std::string partial_path, std::string path)
    : partial_path_(std::move(partial_path)), path_(std::move(path)) {
  // What others may do with it is for the umask to say.
  fd_ = open(partial_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd_ < 0) throw SystemError("making " + partial_path_ + " for " + path_, errno);
}

PartialFile::~PartialFile() {
  if (fd_ >= 0) close(fd_);
  if (!committed_) unlink(partial_path_.c_str());
}

void PartialFile::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      Fail(errno);
    }
  }
}

void PartialFile::Commit() {
  // A network file system may say only here that its disk is full.
  if (close(std::exchange(fd_, -1)) != 0 && errno != EINTR) Fail(errno);
  if (rename(partial_path_.c_str(), path_.c_str()) != 0) {
    throw SystemError("renaming " + partial_path_ + " to " + path_, errno);
  }
  committed_ = true;
}

void PartialFile::Fail(int error_number) const {
  throw SystemError("writing " + path_, error_number);
}

}  // namespace smtf
