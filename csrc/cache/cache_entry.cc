#include "cache/cache_entry.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "checksum/crc32c.h"
#include "errors.h"
#include "framing/little_endian.h"

namespace smtf {
namespace {

constexpr std::string_view kMagic = "SMTFCAC1";
constexpr size_t kFixedBytes = 40;
// Between two looks at the stop flag, and small enough to be in the CPU's cache for its CRC still.
constexpr size_t kPieceBytes = 1024 * 1024;

constexpr ChecksumKind kKinds[] = {ChecksumKind::kCrc32c, ChecksumKind::kCrc32,
                                   ChecksumKind::kCrc64Nvme};

uint32_t KindNumber(const std::optional<AnnouncedChecksum>& checksum) {
  if (!checksum) return 0;
  return static_cast<uint32_t>(std::find(std::begin(kKinds), std::end(kKinds), checksum->kind) -
                               std::begin(kKinds)) +
         1;
}

std::string Header(std::string_view key, std::string_view payload,
                   const std::optional<AnnouncedChecksum>& checksum) {
  std::string header(kMagic);
  AppendLE64(payload.size(), &header);
  AppendLE32(Crc32c(payload), &header);
  AppendLE32(static_cast<uint32_t>(key.size()), &header);
  AppendLE32(KindNumber(checksum), &header);
  AppendLE64(checksum ? checksum->value : 0, &header);
  AppendLE32(ExtendCrc32c(Crc32c(header), key.data(), key.size()), &header);
  return header.append(key);
}

// Whether all of it is there.
bool ReadAt(int fd, char* to, size_t size, uint64_t offset) {
  while (size > 0) {
    const ssize_t got = pread(fd, to, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    size -= static_cast<size_t>(got);
    offset += static_cast<uint64_t>(got);
  }
  return true;
}

void WriteAt(int fd, std::string_view bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t put = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw SystemError("writing", errno);
    bytes.remove_prefix(static_cast<size_t>(put));
    offset += static_cast<uint64_t>(put);
  }
}

// What the header says of the payload.
struct Announced {
  uint64_t bytes = 0;
  uint32_t crc = 0;
  std::optional<AnnouncedChecksum> checksum;
};

EntryState ReadHeader(int fd, std::string_view key, Announced* announced) {
  std::string header(kFixedBytes + key.size(), '\0');
  if (!ReadAt(fd, header.data(), kFixedBytes, 0)) return EntryState::kDamaged;
  if (std::string_view(header).substr(0, kMagic.size()) != kMagic) return EntryState::kOther;
  const char* fields = header.data() + kMagic.size();
  // A damaged length of the key would be found by the CRC if it were right otherwise.
  if (LoadLE32(fields + 12) != key.size()) return EntryState::kOther;
  if (!ReadAt(fd, header.data() + kFixedBytes, key.size(), kFixedBytes)) {
    return EntryState::kDamaged;
  }
  const std::string_view stored_key = std::string_view(header).substr(kFixedBytes);
  const uint32_t crc =
      ExtendCrc32c(Crc32c({header.data(), kFixedBytes - 4}), stored_key.data(), stored_key.size());
  if (crc != LoadLE32(fields + 28)) return EntryState::kDamaged;
  if (stored_key != key) return EntryState::kOther;
  announced->bytes = LoadLE64(fields);
  announced->crc = LoadLE32(fields + 8);
  const uint32_t kind = LoadLE32(fields + 16);
  if (kind >= 1 && kind <= std::size(kKinds)) {
    announced->checksum = AnnouncedChecksum{kKinds[kind - 1], LoadLE64(fields + 20)};
  }
  return EntryState::kGood;
}

EntryState ReadPayload(int fd, uint64_t offset, char* dst, size_t size, uint32_t expected_crc,
                       const std::atomic<bool>& stop) {
  uint32_t crc = 0;
  for (size_t done = 0; done < size;) {
    if (stop) return EntryState::kStopped;
    const size_t piece = std::min(kPieceBytes, size - done);
    if (!ReadAt(fd, dst + done, piece, offset + done)) return EntryState::kDamaged;
    crc = ExtendCrc32c(crc, dst + done, piece);
    done += piece;
  }
  return crc == expected_crc ? EntryState::kGood : EntryState::kDamaged;
}

}  // namespace

uint64_t CacheEntryBytes(std::string_view key, size_t payload_bytes) {
  return kFixedBytes + key.size() + payload_bytes;
}

bool WriteCacheEntry(int fd, std::string_view key, std::string_view payload,
                     const std::optional<AnnouncedChecksum>& checksum,
                     const std::atomic<bool>& stop) {
  // A full disk says so here and not after half of the payload. Where this is not supported the
  // writes find out.
  const auto bytes = static_cast<off_t>(CacheEntryBytes(key, payload.size()));
  if (fallocate(fd, 0, 0, bytes) != 0 && errno == ENOSPC) throw SystemError("writing", ENOSPC);
  const std::string header = Header(key, payload, checksum);
  WriteAt(fd, header, 0);
  for (size_t done = 0; done < payload.size(); done += kPieceBytes) {
    if (stop) return false;
    WriteAt(fd, payload.substr(done, kPieceBytes), header.size() + done);
  }
  return true;
}

EntryState ReadCacheEntry(int fd, std::string_view key, char* dst, size_t size,
                          std::optional<AnnouncedChecksum>* checksum,
                          const std::atomic<bool>& stop) {
  Announced announced;
  const EntryState header = ReadHeader(fd, key, &announced);
  if (header != EntryState::kGood) return header;
  if (announced.bytes != size) return EntryState::kDamaged;
  *checksum = announced.checksum;
  return ReadPayload(fd, kFixedBytes + key.size(), dst, size, announced.crc, stop);
}

}  // namespace smtf
