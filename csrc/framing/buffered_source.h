// The buffer between a ByteSource and the record reader that cuts records out of it.
#ifndef SMTF_FRAMING_BUFFERED_SOURCE_H_
#define SMTF_FRAMING_BUFFERED_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string_view>

#include "framing/byte_source.h"

namespace smtf {

// A window of contiguous bytes on the stream. Not thread-safe. The end of the stream and an Error
// of the source stay: later calls find the same end, or throw the same error again.
class BufferedSource {
 public:
  // `source` must outlive this. At most `capacity` bytes are buffered.
  BufferedSource(ByteSource* source, size_t capacity);

  // The bytes that are there now; valid until the next call of a method that reads.
  std::string_view buffered() const { return {buffer_.get() + begin_, end_ - begin_}; }
  const char* data() const { return buffer_.get() + begin_; }
  size_t size() const { return end_ - begin_; }
  size_t capacity() const { return capacity_; }
  // Where in the stream data() is.
  uint64_t offset() const { return offset_; }
  const ByteSource& source() const { return *source_; }

  // Reads until at least `wanted` bytes (at most capacity()) are buffered or the stream ends.
  // Returns whether they are.
  bool Fill(size_t wanted) { return size() >= wanted || FillSlowly(wanted); }

  // Reads once more, as much as there is room for. The buffer must not be full. False at the end.
  bool FillSome();

  // Moves past `count` buffered bytes.
  void Consume(size_t count) {
    begin_ += count;
    offset_ += count;
  }

  // Copies between 1 and `max` bytes of the stream to `dst`, out of the buffer if it holds any and
  // otherwise straight from the source, where up to `spill` bytes beyond them may come along into
  // the buffer. Returns how many; 0 at the end.
  size_t ReadSome(char* dst, size_t max, size_t spill);

  // Moves between 1 and `max` bytes of the stream to the end of `file`, as ReadSome does to memory.
  size_t MoveSome(PartialFile* file, uint64_t max);

  // Moves past `count` bytes, buffered or not. Returns how many there were.
  uint64_t Discard(uint64_t count);

 private:
  bool FillSlowly(size_t wanted);
  void MakeRoom();
  template <typename ReadFunction>
  size_t ReadSource(ReadFunction read);

  ByteSource* source_;
  size_t capacity_;
  std::unique_ptr<char[]> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t offset_ = 0;
  bool ended_ = false;
  std::exception_ptr failed_;
};

}  // namespace smtf

#endif  // SMTF_FRAMING_BUFFERED_SOURCE_H_
