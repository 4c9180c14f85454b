#include "encoding/output_buffers.h"

#include <utility>

namespace smtf {
namespace {

// A pipe of 1 MiB refers to three buffers at most, and one more is being filled. When more are
// held, as of an object whose length must be known first, what is above this is not kept.
constexpr size_t kKeptBytes = 4 * OutputBuffers::kBufferBytes;

}  // namespace

OutputBuffers::OutputBuffers() : pool_(std::make_shared<BufferPool>(kKeptBytes, nullptr)) {}

OutputBuffers::Room OutputBuffers::Reserve(size_t least) {
  if (!lease_ || lease_->buffer.capacity() - used_ < least) {
    lease_.reset();  // first, so that it can be reused at once where nobody else holds it
    lease_ = TakeBuffer();
    used_ = 0;
  }
  return {lease_->buffer.data() + used_, lease_->buffer.capacity() - used_};
}

OutputBuffers::Piece OutputBuffers::Give(size_t size) {
  const char* begin = lease_->buffer.data() + used_;
  used_ += size;
  return {std::string_view(begin, size), lease_};
}

std::shared_ptr<OutputBuffers::Lease> OutputBuffers::TakeBuffer() {
  auto lease = std::make_shared<Lease>();
  lease->pool = pool_;
  lease->buffer = pool_->TryAcquire(kBufferBytes);
  if (!lease->buffer) {
    lease->pool = std::make_shared<BufferPool>(kBufferBytes, nullptr);
    lease->buffer = lease->pool->TryAcquire(kBufferBytes);
  }
  return lease;
}

}  // namespace smtf
