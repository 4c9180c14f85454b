// Where a pool's large buffers come from.
#ifndef SMTF_BUFFER_MEMORY_H_
#define SMTF_BUFFER_MEMORY_H_

#include <cstddef>

namespace smtf {

// Thread-safe.
class BufferMemory {
 public:
  virtual ~BufferMemory() = default;

  // Page aligned; null where there is none left, and the system's own has to do.
  virtual char* Allocate(size_t bytes) = 0;
  // Whether it is this memory's. Then it can be given back.
  virtual bool Owns(const char* data) const = 0;
  virtual void Free(char* data, size_t bytes) noexcept = 0;
};

}  // namespace smtf

#endif  // SMTF_BUFFER_MEMORY_H_
