// Where a record reader gets its bytes: a FIFO, a file, memory, or the prefetcher's queue.
#ifndef SMTF_FRAMING_BYTE_SOURCE_H_
#define SMTF_FRAMING_BYTE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace smtf {

class PartialFile;

// A stream of bytes, read once from front to back by one thread at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Reads between 1 and `max` bytes into `dst` and returns how many; blocks until there is at least
  // one. 0 means that the stream ended as its writer meant it to; any other end is an Error.
  // `max` is at least 1. After 0 or an Error, later calls do the same again.
  virtual size_t Read(char* dst, size_t max) = 0;

  // Reads like Read, into `dst` first and, once that is full, on into `spill`, where a source can
  // do both in one system call. The result counts both.
  virtual size_t ReadScatter(char* dst, size_t max, char* spill, size_t spill_max) {
    (void)spill;
    (void)spill_max;
    return Read(dst, max);
  }

  // Moves between 1 and `max` bytes to the end of `file` and returns how many, as Read does into
  // memory; without them passing through it, where a source can. An Error may be the file's.
  virtual size_t MoveTo(PartialFile* file, uint64_t max);

  // What this is, for error messages: a path, or "12 bytes in memory".
  virtual std::string Describe() const = 0;
};

}  // namespace smtf

#endif  // SMTF_FRAMING_BYTE_SOURCE_H_
