// Decompresses objects on their way to the pipe.
#ifndef SMTF_ENCODING_GUNZIP_ENCODER_H_
#define SMTF_ENCODING_GUNZIP_ENCODER_H_

#include <memory>
#include <string_view>

#include "encoding/gzip_inflater.h"
#include "encoding/object_encoder.h"
#include "encoding/output_buffers.h"

namespace smtf {

// Each part is decompressed as it comes, into memory of its own: the part's is free once Write
// returns. Entries whose bytes are in the list were never compressed and pass as they are.
class GunzipEncoder final : public ObjectEncoder {
 public:
  void Begin() override {}
  bool Write(const PartSpec& part, std::string_view bytes, std::shared_ptr<const void> owner,
             const Sink& sink) override;

 private:
  GzipInflater inflater_;
  OutputBuffers output_;
};

}  // namespace smtf

#endif  // SMTF_ENCODING_GUNZIP_ENCODER_H_
