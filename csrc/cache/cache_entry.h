// A file of the disk cache: a header that says what it is, then the bytes.
//
//   0   8  magic "SMTFCAC1"; another format has another one
//   8   8  length of the payload
//   16  4  CRC-32C of the payload
//   20  4  length of the encoded key
//   24  4  kind of the announced checksum: 0 for none, 1 CRC-32C, 2 CRC-32, 3 CRC-64/NVME
//   28  8  announced checksum
//   36  4  CRC-32C of the 36 bytes before and the encoded key
//   40     encoded key, then the payload, which ends the file
#ifndef SMTF_CACHE_CACHE_ENTRY_H_
#define SMTF_CACHE_CACHE_ENTRY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "checksum/object_checksum.h"

namespace smtf {

// The length of the file.
uint64_t CacheEntryBytes(std::string_view key, size_t payload_bytes);

// Writes the whole file. False when `stop` was seen before the end. Throws an Error: disk full.
bool WriteCacheEntry(int fd, std::string_view key, std::string_view payload,
                     const std::optional<AnnouncedChecksum>& checksum,
                     const std::atomic<bool>& stop);

enum class EntryState {
  kGood,     // `size` bytes are in dst, and are what was written
  kOther,    // a sound header of another key, or of another format
  kDamaged,  // truncated, changed, or not readable
  kStopped,  // `stop` was seen
};

// Reads the entry of this key, whose payload has `size` bytes. Unless it is kGood, what is in dst
// is undefined.
EntryState ReadCacheEntry(int fd, std::string_view key, char* dst, size_t size,
                          std::optional<AnnouncedChecksum>* checksum,
                          const std::atomic<bool>& stop);

}  // namespace smtf

#endif  // SMTF_CACHE_CACHE_ENTRY_H_
