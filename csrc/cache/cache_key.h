// What an entry of the disk cache is the content of.
#ifndef SMTF_CACHE_CACHE_KEY_H_
#define SMTF_CACHE_CACHE_KEY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace smtf {

// Bytes [offset, offset + length) of one version of an object.
struct CacheKey {
  std::string_view name_space;  // whose objects these are: endpoint and bucket, say
  uint16_t source = 0;
  std::string_view name;
  std::string_view etag;
  uint64_t size = 0;  // of the object
  uint64_t offset = 0;
  uint64_t length = 0;
};

// Every field. Equal for equal keys only; entries carry it.
std::string EncodeCacheKey(const CacheKey& key);

// Where the range is kept: 32 hexadecimal digits, the first half a hash of the object, the second
// of the range. The object's version, which is its ETag and size, is in neither: so what is kept of
// a new version takes the place of the old one, and an object that changes does not fill the cache
// with versions that nobody asks for. Ranges whose hashes collide share a place too: the encoded
// key tells them apart, and at worst one of them is not cached.
std::string CacheStem(const CacheKey& key);
inline constexpr size_t kObjectStemLength = 16;

}  // namespace smtf

#endif  // SMTF_CACHE_CACHE_KEY_H_
