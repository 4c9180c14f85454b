// The memory that an encoder writes into and gives to the pipe.
#ifndef SMTF_ENCODING_OUTPUT_BUFFERS_H_
#define SMTF_ENCODING_OUTPUT_BUFFERS_H_

#include <cstddef>
#include <memory>
#include <string_view>

#include "prefetch/buffer_pool.h"

namespace smtf {

// Pieces of memory one behind the other in buffers of 1 MiB. A piece that was given is not written
// to again while anybody holds its owner; so a buffer serves many small objects, and goes back to
// be reused when the last of its pieces was let go of. How much memory that is, is up to those who
// hold pieces: there is always room.
//
// Used by one thread; owners may be let go of by any, also after this object is gone.
class OutputBuffers {
 public:
  static constexpr size_t kBufferBytes = 1024 * 1024;

  OutputBuffers();

  struct Room {
    char* data;
    size_t size;
  };
  // Where to write next: at least `least` bytes in a row, which must be at most kBufferBytes. An
  // Error when the system has no memory.
  Room Reserve(size_t least);

  struct Piece {
    std::string_view bytes;
    std::shared_ptr<const void> owner;
  };
  // The first `size` bytes of the room that Reserve returned last.
  Piece Give(size_t size);

 private:
  struct Lease {
    std::shared_ptr<BufferPool> pool;  // outlives the buffer
    Buffer buffer;
  };

  std::shared_ptr<Lease> TakeBuffer();

  const std::shared_ptr<BufferPool> pool_;
  std::shared_ptr<Lease> lease_;
  size_t used_ = 0;  // of its buffer
};

}  // namespace smtf

#endif  // SMTF_ENCODING_OUTPUT_BUFFERS_H_
