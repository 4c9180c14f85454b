#include "encoding/object_encoder.h"

#include <string>
#include <utility>

#include "encoding/framed_encoder.h"
#include "encoding/gunzip_encoder.h"
#include "encoding/gunzip_recordio_encoder.h"
#include "encoding/recordio_encoder.h"

namespace smtf {
namespace {

class PlainEncoder final : public ObjectEncoder {
 public:
  void Begin() override {}
  bool Write(const PartSpec&, std::string_view bytes, std::shared_ptr<const void> owner,
             const Sink& sink) override {
    return bytes.empty() || sink(bytes, std::move(owner));
  }
};

std::unique_ptr<ObjectEncoder> MakeUnframed(const EncodingOptions& options) {
  if (options.gunzip && options.wrap_recordio) {
    return std::make_unique<GunzipRecordIOEncoder>(options.max_held_bytes);
  }
  if (options.gunzip) return std::make_unique<GunzipEncoder>();
  if (options.wrap_recordio) return std::make_unique<RecordIOEncoder>();
  return std::make_unique<PlainEncoder>();
}

}  // namespace

bool ObjectEncoder::WriteFailure(const Error& failure, const Sink&) {
  throw Error(ErrorKind::kInternal,
              std::string("an object's end cannot be told in this stream: ") + failure.what());
}

std::unique_ptr<ObjectEncoder> MakeObjectEncoder(const EncodingOptions& options) {
  std::unique_ptr<ObjectEncoder> encoder = MakeUnframed(options);
  if (!options.frame_objects) return encoder;
  return std::make_unique<FramedEncoder>(std::move(encoder));
}

}  // namespace smtf
