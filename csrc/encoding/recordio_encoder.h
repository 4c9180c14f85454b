// Puts objects into RecordIO records on their way to the pipe.
#ifndef SMTF_ENCODING_RECORDIO_ENCODER_H_
#define SMTF_ENCODING_RECORDIO_ENCODER_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "encoding/object_encoder.h"
#include "encoding/output_buffers.h"

namespace smtf {

// Each object becomes one record of one part (recordio_format.h), also where it holds the magic
// number. MXNet's writer cuts a record there, so that a reader may start in the middle of a file by
// searching for that number; a pipe is read from its beginning. RecordIOReader, MXNet's reader
// (dmlc-core src/recordio.cc) and the SageMaker SDK's (sagemaker/amazon/common.py) all go by the
// length, and the SDK's, whose writer never cuts, knows no records of several parts.
//
// The header is made from the object's listed size, so the bytes pass as they come and uncopied. A
// small object is copied behind its header, because each call of the sink is a system call.
class RecordIOEncoder final : public ObjectEncoder {
 public:
  void Begin() override {}
  // Parts of size 0 are objects too, see PlanOptions::keep_empty.
  bool Write(const PartSpec& part, std::string_view bytes, std::shared_ptr<const void> owner,
             const Sink& sink) override;

 private:
  bool WriteWhole(std::string_view bytes, const Sink& sink);
  bool WriteHeader(uint32_t length, const Sink& sink);

  OutputBuffers output_;
};

}  // namespace smtf

#endif  // SMTF_ENCODING_RECORDIO_ENCODER_H_
