// Decompresses objects and puts what comes out into RecordIO records.
#ifndef SMTF_ENCODING_GUNZIP_RECORDIO_ENCODER_H_
#define SMTF_ENCODING_GUNZIP_RECORDIO_ENCODER_H_

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "encoding/gunzip_encoder.h"
#include "encoding/object_encoder.h"
#include "encoding/output_buffers.h"
#include "encoding/recordio_encoder.h"

namespace smtf {

// A record's header says how long it is, and of a gzip file that is known at its end: so all of an
// object is held, and written when it has ended. One of more than `max_held_bytes` decompressed is
// an Error of kind kInvalidArgument. Entries whose bytes are in the list are wrapped as they are.
class GunzipRecordIOEncoder final : public ObjectEncoder {
 public:
  explicit GunzipRecordIOEncoder(size_t max_held_bytes) : max_held_bytes_(max_held_bytes) {}

  void Begin() override;
  bool Write(const PartSpec& part, std::string_view bytes, std::shared_ptr<const void> owner,
             const Sink& sink) override;

 private:
  void Hold(std::string_view bytes, std::shared_ptr<const void> owner);
  bool WriteHeld(const PartSpec& part, const Sink& sink);

  const size_t max_held_bytes_;
  GunzipEncoder gunzip_;
  RecordIOEncoder wrap_;
  std::vector<OutputBuffers::Piece> held_;
  size_t held_bytes_ = 0;
};

}  // namespace smtf

#endif  // SMTF_ENCODING_GUNZIP_RECORDIO_ENCODER_H_
