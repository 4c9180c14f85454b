#include "cache/cache_key.h"

#include "framing/little_endian.h"

namespace smtf {
namespace {

__extension__ using Word128 = unsigned __int128;

// FNV-1a with 128 bits, folded to 64; parameters from draft-eastlake-fnv (The FNV Non-Cryptographic
// Hash Algorithm), sections 3 and 5. Nobody gains by a collision here: keys are verified.
constexpr Word128 kFnvPrime = (Word128{1} << 88) + 0x13b;
constexpr Word128 kFnvBasis = (Word128{0x6c62272e07bb0142} << 64) + 0x62b821756295c58d;

std::string HexHash(std::string_view bytes) {
  Word128 hash = kFnvBasis;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * kFnvPrime;
  const auto folded = static_cast<uint64_t>(hash >> 64) ^ static_cast<uint64_t>(hash);
  std::string digits;
  for (int shift = 60; shift >= 0; shift -= 4) {
    digits += "0123456789abcdef"[(folded >> shift) & 0xf];
  }
  return digits;
}

// With its length, so that what follows cannot be taken for a part of it.
void AppendText(std::string_view text, std::string* out) {
  AppendLE64(text.size(), out);
  out->append(text);
}

std::string EncodeObject(const CacheKey& key) {
  std::string object;
  AppendText(key.name_space, &object);
  AppendLE32(key.source, &object);
  AppendText(key.name, &object);
  return object;
}

std::string EncodeRange(const CacheKey& key) {
  std::string range = EncodeObject(key);
  AppendLE64(key.offset, &range);
  AppendLE64(key.length, &range);
  return range;
}

}  // namespace

std::string EncodeCacheKey(const CacheKey& key) {
  std::string encoded = EncodeRange(key);
  AppendText(key.etag, &encoded);
  AppendLE64(key.size, &encoded);
  return encoded;
}

std::string CacheStem(const CacheKey& key) {
  return HexHash(EncodeObject(key)) + HexHash(EncodeRange(key));
}

}  // namespace smtf
