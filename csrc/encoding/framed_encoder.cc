#include "encoding/framed_encoder.h"

#include <algorithm>
#include <string>
#include <utility>

#include "framing/object_frames.h"

namespace smtf {
namespace {

// Larger pieces go into the pipe without a copy, see FifoWriter.
constexpr size_t kCopiedBytes = 64 * 1024;

}  // namespace

bool FramedEncoder::Write(const PartSpec& part, std::string_view bytes,
                          std::shared_ptr<const void> owner, const Sink& sink) {
  // Each piece waits for the next, or for the end: the last one's header says so.
  OutputBuffers::Piece waiting;
  const auto frame = [&](std::string_view made, std::shared_ptr<const void> made_owner) {
    OutputBuffers::Piece before = std::move(waiting);
    waiting = {made, std::move(made_owner)};
    return before.bytes.empty() || WriteChunk(std::move(before), false, sink);
  };
  try {
    if (!inner_->Write(part, bytes, std::move(owner), frame)) return false;
  } catch (const Error&) {
    // What is good comes before the error.
    if (!waiting.bytes.empty()) WriteChunk(std::move(waiting), false, sink);
    throw;
  }
  if (waiting.bytes.empty() && !part.ends_object) return true;
  return WriteChunk(std::move(waiting), part.ends_object, sink);
}

bool FramedEncoder::WriteChunk(OutputBuffers::Piece piece, bool last, const Sink& sink) {
  const size_t size = piece.bytes.size();
  const bool small = size < kCopiedBytes;
  const size_t written = kChunkHeaderBytes + (small ? size : 0);
  char* to = output_.Reserve(written).data;
  StoreChunkHeader({size, last, false}, to);
  if (small) std::copy(piece.bytes.begin(), piece.bytes.end(), to + kChunkHeaderBytes);
  OutputBuffers::Piece head = output_.Give(written);
  if (!sink(head.bytes, std::move(head.owner))) return false;
  return small || sink(piece.bytes, std::move(piece.owner));
}

bool FramedEncoder::WriteFailure(const Error& failure, const Sink& sink) {
  const std::string payload = FailurePayload(failure);
  const size_t size = kChunkHeaderBytes + payload.size();
  char* to = output_.Reserve(size).data;
  StoreChunkHeader({payload.size(), true, true}, to);
  std::copy(payload.begin(), payload.end(), to + kChunkHeaderBytes);
  OutputBuffers::Piece piece = output_.Give(size);
  return sink(piece.bytes, std::move(piece.owner));
}

}  // namespace smtf
