#include "encoding/gunzip_encoder.h"

#include <utility>

namespace smtf {
namespace {

// Smaller pieces are copied into the pipe, see FifoWriter.
constexpr size_t kLeastRoom = 64 * 1024;

}  // namespace

bool GunzipEncoder::Write(const PartSpec& part, std::string_view bytes,
                          std::shared_ptr<const void> owner, const Sink& sink) {
  if (part.object.source == kInlineSource) return bytes.empty() || sink(bytes, std::move(owner));
  if (part.begins_object) inflater_.Begin();
  for (;;) {
    const OutputBuffers::Room room = output_.Reserve(kLeastRoom);
    const size_t made = inflater_.Inflate(&bytes, room.data, room.size);
    if (made == 0) break;
    OutputBuffers::Piece piece = output_.Give(made);
    if (!sink(piece.bytes, std::move(piece.owner))) return false;
  }
  if (part.ends_object) inflater_.End();
  return true;
}

}  // namespace smtf
