#include "cache/cache_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

#include "errors.h"

namespace smtf {
namespace {

constexpr std::string_view kEntrySuffix = ".entry";
constexpr std::string_view kPartSuffix = ".part";
constexpr uint64_t kBlockBytes = 4096;
constexpr std::string_view kUnique = ".XXXXXX";
constexpr size_t kStemLength = 32;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// Whether `name` is a stem, `middle` more characters and the suffix.
bool IsOurs(std::string_view name, size_t middle, std::string_view suffix) {
  return name.size() == kStemLength + middle + suffix.size() &&
         name.find_first_not_of("0123456789abcdef") == kStemLength && name[kStemLength] == '.' &&
         name.substr(kStemLength + middle) == suffix;
}

bool IsEntry(std::string_view name) { return IsOurs(name, 0, kEntrySuffix); }
bool IsPart(std::string_view name) { return IsOurs(name, kUnique.size(), kPartSuffix); }

CachedFile Described(std::string path, const struct stat& status) {
  return {std::move(path), CacheFootprint(static_cast<uint64_t>(status.st_size)),
          int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

// Whether the part at `path` has a living writer.
bool IsWritten(const std::string& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.ok()) return errno != ENOENT;  // nothing is known of it: let it be
  return flock(file.get(), LOCK_EX | LOCK_NB) != 0;
}

}  // namespace

uint64_t CacheFootprint(uint64_t file_bytes) {
  return (file_bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

std::string CacheDirectory::EntryPath(std::string_view stem) const {
  return path_ + "/" + std::string(stem) + std::string(kEntrySuffix);
}

void CacheDirectory::Make() const {
  const std::filesystem::path above = std::filesystem::absolute(path_ + "/.").parent_path();
  std::error_code error;
  std::filesystem::create_directories(above.parent_path(), error);
  if (error) throw SystemError("making the directory above " + path_, error.value());
  if (mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST) {
    throw SystemError("making the directory " + path_, errno);
  }
  struct stat status{};
  if (stat(path_.c_str(), &status) != 0) throw SystemError("looking at " + path_, errno);
  if (!S_ISDIR(status.st_mode)) {
    throw Error(ErrorKind::kFailedPrecondition, path_ + " is not a directory; name another one");
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    throw Error(ErrorKind::kFailedPrecondition,
                path_ +
                    " may be written to by other users, who could change the data; chmod 700, "
                    "or name a directory in it, which is made");
  }
}

CacheDirectory::Part CacheDirectory::MakePart(std::string_view stem, uint64_t bytes) const {
  std::string path = path_ + "/";
  path.append(stem).append(kUnique).append(kPartSuffix);
  FileDescriptor file(mkostemps(path.data(), static_cast<int>(kPartSuffix.size()), O_CLOEXEC));
  if (!file.ok()) throw SystemError("making a file in " + path_, errno);
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0 ||
      ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) {
    const Error error = SystemError("preparing " + path, errno);
    unlink(path.c_str());
    throw error;
  }
  return {std::move(path), std::move(file)};
}

void CacheDirectory::ForEach(
    const std::function<void(const std::string& path, bool is_part)>& visit) const {
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(path_.c_str()));
  if (directory == nullptr) throw SystemError("listing " + path_, errno);
  while (const dirent* found = readdir(directory.get())) {
    const bool is_part = IsPart(found->d_name);
    if (is_part || IsEntry(found->d_name)) visit(path_ + "/" + found->d_name, is_part);
  }
}

uint64_t CacheDirectory::Count() const {
  uint64_t footprint = 0;
  ForEach([&](const std::string& path, bool is_part) {
    if (is_part && !IsWritten(path) && unlink(path.c_str()) == 0) return;
    CachedFile file;
    if (FindCachedFile(path, &file)) footprint += file.footprint;
  });
  return footprint;
}

std::vector<std::string> CacheDirectory::EntriesOf(std::string_view stem_prefix) const {
  std::vector<std::string> paths;
  ForEach([&](const std::string& path, bool is_part) {
    const std::string_view name = std::string_view(path).substr(path_.size() + 1);
    if (!is_part && name.substr(0, stem_prefix.size()) == stem_prefix) paths.push_back(path);
  });
  return paths;
}

std::vector<CachedFile> CacheDirectory::UnusedSince(int64_t horizon) const {
  std::vector<CachedFile> unused;
  ForEach([&](const std::string& path, bool is_part) {
    CachedFile file;
    if (is_part || !FindCachedFile(path, &file)) return;
    if (file.used_at < horizon) unused.push_back(std::move(file));
  });
  std::sort(unused.begin(), unused.end(),
            [](const CachedFile& a, const CachedFile& b) { return a.used_at > b.used_at; });
  return unused;
}

int64_t CacheClock() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// The time is given and not left to the kernel (UTIME_NOW), whose clock for files is a coarser one
// and runs behind.
void MarkUsed(int fd) {
  const int64_t now = CacheClock();
  const timespec time{now / 1'000'000'000, now % 1'000'000'000};
  const timespec times[2] = {time, time};
  [[maybe_unused]] const int refused = futimens(fd, times);
}

bool FindCachedFile(const std::string& path, CachedFile* found) {
  struct stat status{};
  if (lstat(path.c_str(), &status) != 0) return false;
  *found = Described(path, status);
  return true;
}

}  // namespace smtf
