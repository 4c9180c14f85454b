#include "framing/byte_source.h"

#include <algorithm>

#include "framing/partial_file.h"

namespace smtf {

size_t ByteSource::MoveTo(PartialFile* file, uint64_t max) {
  char buffer[64 * 1024];
  const size_t count = Read(buffer, static_cast<size_t>(std::min<uint64_t>(max, sizeof(buffer))));
  file->Write({buffer, count});
  return count;
}

}  // namespace smtf
