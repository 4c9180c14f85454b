#include "pipe/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "errors.h"

namespace smtf {
namespace {

void WriteAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw SystemError("writing " + path, errno);
    content.remove_prefix(static_cast<size_t>(written));
  }
}

// In one call, which nobody sees half done but by chance. False where that cannot be.
bool Overwrite(const std::string& path, std::string content) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  struct stat old{};
  bool written = fstat(fd, &old) == 0 && S_ISREG(old.st_mode);
  if (written) {
    content.resize(std::max(content.size(), static_cast<size_t>(old.st_size)), ' ');
    written = pwrite(fd, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size());
  }
  close(fd);
  return written;
}

}  // namespace

std::optional<std::string> ReadSmallFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return std::nullopt;
  if (fd < 0) throw SystemError("opening " + path, errno);
  std::string content;
  char chunk[4096];
  ssize_t got;
  while ((got = read(fd, chunk, sizeof chunk)) != 0) {
    if (got > 0) content.append(chunk, static_cast<size_t>(got));
    if (got < 0 && errno != EINTR) {
      const Error error = SystemError("reading " + path, errno);
      close(fd);
      throw error;
    }
  }
  close(fd);
  return content;
}

void ReplaceSmallFile(const std::string& path, std::string_view content) {
  std::string temporary = path + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);  // mode 0600
  if (fd < 0) throw SystemError("making a file beside " + path, errno);
  try {
    WriteAll(fd, content, temporary);
    if (rename(temporary.c_str(), path.c_str()) != 0) throw SystemError("replacing " + path, errno);
  } catch (...) {
    close(fd);
    unlink(temporary.c_str());
    throw;
  }
  close(fd);
}

void UpdateSmallFile(const std::string& path, std::string_view content) {
  try {
    ReplaceSmallFile(path, content);
  } catch (const Error&) {
    if (!Overwrite(path, std::string(content))) throw;
  }
}

}  // namespace smtf
