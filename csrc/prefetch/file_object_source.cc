#include "prefetch/file_object_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <string_view>

namespace smtf {
namespace {

// How much is read between two looks at the stop flag.
constexpr size_t kReadBytes = 4 * 1024 * 1024;

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

FetchResult Failed(size_t bytes, ErrorKind kind, const std::string& what, const char* advice) {
  FetchResult result;
  result.status = FetchResult::Status::kFailed;
  result.bytes = bytes;
  result.kind = kind;
  result.what = what;
  result.advice = advice;
  return result;
}

FetchResult SystemFailure(size_t bytes, const char* what, int error_number) {
  const Error error = SystemError(what, error_number);
  return Failed(bytes, error.kind(), error.what(), "");
}

FetchResult WrongSize(size_t bytes, uint64_t size, uint64_t listed) {
  return Failed(bytes, ErrorKind::kDataLoss,
                "the file has " + std::to_string(size) + " bytes and had " +
                    std::to_string(listed) + " when it was listed",
                "do not write to a channel's files while they are streamed");
}

// What a listing may have noted of a file: it differs once the file was written to.
std::string EtagOf(const struct stat& status) {
  constexpr uint64_t kNanoseconds = 1'000'000'000;
  const uint64_t modified = static_cast<uint64_t>(status.st_mtim.tv_sec) * kNanoseconds +
                            static_cast<uint64_t>(status.st_mtim.tv_nsec);
  char text[48];
  std::snprintf(text, sizeof(text), "\"%" PRIx64 "-%" PRIx64 "\"", modified,
                static_cast<uint64_t>(status.st_size));
  return text;
}

FetchResult Replaced() {
  return Failed(0, ErrorKind::kFailedPrecondition, "the file was written to after it was listed",
                "do not write to files while they are streamed");
}

class FileFetcher : public ObjectFetcher {
 public:
  FetchResult Fetch(const FetchRequest& request, const std::atomic<bool>& stop) override {
    const Descriptor file{std::string(request.object.name)};
    if (file.get() < 0) return SystemFailure(0, "open", errno);
    struct stat status{};
    if (fstat(file.get(), &status) != 0) return SystemFailure(0, "fstat", errno);
    const auto size = static_cast<uint64_t>(status.st_size);
    if (size != request.object.size) return WrongSize(0, size, request.object.size);
    const std::string_view etag = request.object.etag;
    if (!etag.empty() && etag != EtagOf(status)) return Replaced();
    return Read(file.get(), request, stop);
  }

  // A read of a local file is short enough to be waited for.
  void Nudge() noexcept override {}

 private:
  static FetchResult Read(int fd, const FetchRequest& request, const std::atomic<bool>& stop) {
    FetchResult result;
    while (result.bytes < request.size) {
      if (stop) {
        result.status = FetchResult::Status::kStopped;
        return result;
      }
      const size_t want = std::min(kReadBytes, request.size - result.bytes);
      const uint64_t offset = request.offset + result.bytes;
      const ssize_t got = pread(fd, request.dst + result.bytes, want, static_cast<off_t>(offset));
      if (got < 0 && errno != EINTR) return SystemFailure(result.bytes, "pread", errno);
      if (got == 0) return WrongSize(result.bytes, offset, request.object.size);
      if (got > 0) result.bytes += static_cast<size_t>(got);
    }
    return result;
  }
};

}  // namespace

std::unique_ptr<ObjectFetcher> FileObjectSource::MakeFetcher(const FetchLimits& /*limits*/) {
  return std::make_unique<FileFetcher>();
}

}  // namespace smtf
