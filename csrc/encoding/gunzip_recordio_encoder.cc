#include "encoding/gunzip_recordio_encoder.h"

#include <string>
#include <utility>

#include "errors.h"

namespace smtf {

void GunzipRecordIOEncoder::Begin() {
  held_.clear();
  held_bytes_ = 0;
}

bool GunzipRecordIOEncoder::Write(const PartSpec& part, std::string_view bytes,
                                  std::shared_ptr<const void> owner, const Sink& sink) {
  if (part.object.source == kInlineSource) return wrap_.Write(part, bytes, std::move(owner), sink);
  const auto hold = [this](std::string_view made, std::shared_ptr<const void> made_owner) {
    Hold(made, std::move(made_owner));
    return true;
  };
  gunzip_.Write(part, bytes, std::move(owner), hold);
  return !part.ends_object || WriteHeld(part, sink);
}

void GunzipRecordIOEncoder::Hold(std::string_view bytes, std::shared_ptr<const void> owner) {
  if (bytes.size() > max_held_bytes_ - held_bytes_) {
    Begin();
    throw Error(ErrorKind::kInvalidArgument,
                "the object decompresses to more than " + std::to_string(max_held_bytes_) +
                    " bytes, and must be held to be wrapped, because a record begins with its "
                    "length; store it uncompressed, or as smaller objects");
  }
  held_bytes_ += bytes.size();
  // Often behind the piece before in the same buffer: so a small object stays in one.
  if (!held_.empty() && held_.back().owner == owner) {
    std::string_view& last = held_.back().bytes;
    if (last.data() + last.size() == bytes.data()) {
      last = {last.data(), last.size() + bytes.size()};
      return;
    }
  }
  held_.push_back({bytes, std::move(owner)});
}

// As an object of its decompressed size, whose parts are the pieces.
bool GunzipRecordIOEncoder::WriteHeld(const PartSpec& part, const Sink& sink) {
  std::vector<OutputBuffers::Piece> pieces = std::move(held_);
  if (pieces.empty()) pieces.emplace_back();
  PartSpec piece = part;
  piece.object.size = held_bytes_;
  piece.offset = 0;
  Begin();
  for (size_t i = 0; i < pieces.size(); ++i) {
    piece.size = pieces[i].bytes.size();
    piece.begins_object = i == 0;
    piece.ends_object = i + 1 == pieces.size();
    if (!wrap_.Write(piece, pieces[i].bytes, std::move(pieces[i].owner), sink)) return false;
    piece.offset += piece.size;
  }
  return true;
}

}  // namespace smtf
