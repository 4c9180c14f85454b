// Marks where objects end on their way to the pipe.
#ifndef SMTF_ENCODING_FRAMED_ENCODER_H_
#define SMTF_ENCODING_FRAMED_ENCODER_H_

#include <memory>
#include <string_view>
#include <utility>

#include "encoding/object_encoder.h"
#include "encoding/output_buffers.h"

namespace smtf {

// Puts what another encoder makes of an object into the chunks of framing/object_frames.h, piece by
// piece: nothing is held beyond the call. Large pieces pass uncopied behind their header; a small
// one is copied behind it, because each call of the sink is a system call, which copies it anyway.
class FramedEncoder final : public ObjectEncoder {
 public:
  explicit FramedEncoder(std::unique_ptr<ObjectEncoder> inner) : inner_(std::move(inner)) {}

  void Begin() override { inner_->Begin(); }
  // Parts of size 0 are objects too, see PlanOptions::keep_empty.
  bool Write(const PartSpec& part, std::string_view bytes, std::shared_ptr<const void> owner,
             const Sink& sink) override;
  bool WriteFailure(const Error& failure, const Sink& sink) override;

 private:
  bool WriteChunk(OutputBuffers::Piece piece, bool last, const Sink& sink);

  const std::unique_ptr<ObjectEncoder> inner_;
  OutputBuffers output_;
};

}  // namespace smtf

#endif  // SMTF_ENCODING_FRAMED_ENCODER_H_
