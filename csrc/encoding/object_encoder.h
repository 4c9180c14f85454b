// What is done to objects on their way to the pipe: decompression, RecordIO wrapping, framing.
#ifndef SMTF_ENCODING_OBJECT_ENCODER_H_
#define SMTF_ENCODING_OBJECT_ENCODER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "errors.h"
#include "prefetch/part_plan.h"

namespace smtf {

struct EncodingOptions {
  bool gunzip = false;         // objects are gzip files, of one member or several
  bool wrap_recordio = false;  // each object becomes one RecordIO record
  bool frame_objects = false;  // their ends are marked, framing/object_frames.h
  // Bound on what is held of one object that is both: its record's header says how long it is.
  size_t max_held_bytes = 256 * 1024 * 1024;
};

// Takes the parts of an epoch in order. Used by one thread.
class ObjectEncoder {
 public:
  // Puts bytes into the pipe, as FifoWriter::Write does: `owner` is held for as long as the pipe
  // may refer to them; false when the reader is gone.
  using Sink = std::function<bool(std::string_view bytes, std::shared_ptr<const void> owner)>;

  virtual ~ObjectEncoder() = default;

  // A new epoch: forgets what is left of an object that was not ended.
  virtual void Begin() = 0;

  // `bytes` are those of `part`, and `owner` keeps them alive. False when the sink's reader is
  // gone. An Error of kind kDataLoss or kInvalidArgument, which names no object, when the object
  // cannot be encoded: not gzip, damaged, cut short, or too large for a record.
  virtual bool Write(const PartSpec& part, std::string_view bytes,
                     std::shared_ptr<const void> owner, const Sink& sink) = 0;

  // Says in the stream that the object under way, or else the next one, ends here because of
  // `failure`. False when the sink's reader is gone. Where objects are not framed there is no way
  // to say so: an Error of kind kInternal.
  virtual bool WriteFailure(const Error& failure, const Sink& sink);
};

std::unique_ptr<ObjectEncoder> MakeObjectEncoder(const EncodingOptions& options);

}  // namespace smtf

#endif  // SMTF_ENCODING_OBJECT_ENCODER_H_
