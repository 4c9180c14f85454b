// Where the prefetcher gets its bytes: the contract of the S3, file and fake sources.
#ifndef SMTF_PREFETCH_OBJECT_SOURCE_H_
#define SMTF_PREFETCH_OBJECT_SOURCE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "checksum/object_checksum.h"
#include "errors.h"

namespace smtf {

// The `source` of an object that is no object: `name` holds its bytes, and nothing is fetched.
inline constexpr uint16_t kInlineSource = 0xffff;

// An object as it was listed. The views belong to the list that it came from.
struct ObjectRef {
  std::string_view name;  // S3 key or path
  uint64_t size = 0;
  std::string_view etag;  // with its quotes; empty where the source has none
  uint16_t source = 0;    // which of a MultiSource's
};

// Bytes [offset, offset + size) of an object, to be put at dst. The memory is the caller's and
// belongs to the fetcher until Fetch returns.
struct FetchRequest {
  ObjectRef object;
  uint64_t offset = 0;
  char* dst = nullptr;
  size_t size = 0;       // at least 1
  unsigned attempt = 1;  // 1 for the first try of a part
  // Bytes of the part that earlier tries brought. They end at dst, and this asks for the rest.
  size_t resumed = 0;
};

struct FetchResult {
  enum class Status {
    kDone,     // every byte is there
    kRetry,    // transient: the first `bytes` bytes are good, ask for the rest later
    kFailed,   // asking again would give the same
    kStopped,  // the stop flag was seen
  };
  Status status = Status::kDone;
  size_t bytes = 0;  // good bytes at the front of dst, whatever the status

  // With kRetry and kFailed only.
  ErrorKind kind = ErrorKind::kUnavailable;
  std::string what;                // what was seen: "503 SlowDown (Please reduce ...)"
  std::string advice;              // what to do about it
  bool throttled = false;          // the server asks for fewer requests
  double retry_after_seconds = 0;  // the server's own wish

  // Of any status. From the request to the first byte of the body; negative without one.
  double first_byte_seconds = -1;
  // What the store says of the object, or of the range that was asked for; nobody has verified it.
  std::optional<AnnouncedChecksum> checksum;
};

// One worker's way to the objects: a connection, where there is one. Fetch is called by one thread
// at a time. What happens to an object is in its result; what it throws is an Error and final.
class ObjectFetcher {
 public:
  virtual ~ObjectFetcher() = default;

  // Blocks until the range is there, an error was seen, no byte came for the stall limit, or `stop`
  // was set and Nudge called.
  virtual FetchResult Fetch(const FetchRequest& request, const std::atomic<bool>& stop) = 0;

  // Makes a Fetch under way look at its stop flag. Any thread, at any time, without blocking.
  virtual void Nudge() noexcept = 0;
};

struct FetchLimits {
  double stall_seconds = 20;  // without a byte
};

// Thread-safe. Must outlive its fetchers.
class ObjectSource {
 public:
  virtual ~ObjectSource() = default;

  virtual std::unique_ptr<ObjectFetcher> MakeFetcher(const FetchLimits& limits) = 0;

  // How error messages name an object: "s3://bucket/key", or a path.
  virtual std::string Describe(const ObjectRef& object) const = 0;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_OBJECT_SOURCE_H_
