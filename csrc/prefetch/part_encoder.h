// Parts on their way into an outlet, encoded.
#ifndef SMTF_PREFETCH_PART_ENCODER_H_
#define SMTF_PREFETCH_PART_ENCODER_H_

#include <cstdint>
#include <memory>

#include "encoding/object_encoder.h"
#include "errors.h"
#include "pipe/epoch_outlet.h"
#include "prefetch/object_source.h"
#include "prefetch/part.h"

namespace smtf {

// An object that cannot be encoded; unlike what is wrong with the outlet it ends only its epoch.
class EncodingFailure : public Error {
 public:
  using Error::Error;
};

// Takes the parts of an epoch in order. Used by one thread.
class PartEncoder {
 public:
  PartEncoder(const EncodingOptions& options, std::shared_ptr<const ObjectSource> source);

  // A new epoch.
  void Begin();
  // So many bytes of what comes of the object of the next part are left out.
  void Discard(uint64_t bytes) { discard_ = bytes; }
  // False when the outlet's reader is gone. An EncodingFailure names the object, and whatever else
  // is thrown is the outlet's.
  bool Write(const std::shared_ptr<Part>& part, EpochOutlet* outlet);
  // As ObjectEncoder has it.
  bool WriteFailure(const Error& failure, EpochOutlet* outlet);

 private:
  const std::unique_ptr<ObjectEncoder> encoder_;
  const std::shared_ptr<const ObjectSource> source_;
  uint64_t discard_ = 0;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_PART_ENCODER_H_
