#include "prefetch/part_encoder.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace smtf {

PartEncoder::PartEncoder(const EncodingOptions& options, std::shared_ptr<const ObjectSource> source)
    : encoder_(MakeObjectEncoder(options)), source_(std::move(source)) {}

void PartEncoder::Begin() {
  encoder_->Begin();
  discard_ = 0;
}

bool PartEncoder::Write(const std::shared_ptr<Part>& part, EpochOutlet* outlet) {
  bool outlet_failed = false;
  const auto sink = [this, outlet, &outlet_failed](std::string_view bytes,
                                                   std::shared_ptr<const void> owner) {
    const size_t had = std::min<uint64_t>(discard_, bytes.size());
    discard_ -= had;
    bytes.remove_prefix(had);
    if (bytes.empty()) return true;
    outlet_failed = true;  // unless this comes to its end
    const bool reading = outlet->Write(bytes, std::move(owner));
    outlet_failed = false;
    return reading;
  };
  try {
    const bool reading = encoder_->Write(part->spec, part->bytes(), part, sink);
    if (part->spec.ends_object && discard_ > 0) {
      throw Error(ErrorKind::kFailedPrecondition,
                  "it ends " + std::to_string(discard_) +
                      " bytes before the position that should be gone on from; it was changed, so "
                      "begin without the checkpoint");
    }
    return reading;
  } catch (const Error& error) {
    if (outlet_failed) throw;
    throw EncodingFailure(error.kind(), source_->Describe(part->spec.object) + ": " + error.what());
  }
}

bool PartEncoder::WriteFailure(const Error& failure, EpochOutlet* outlet) {
  return encoder_->WriteFailure(
      failure, [outlet](std::string_view bytes, std::shared_ptr<const void> owner) {
        return outlet->Write(bytes, std::move(owner));
      });
}

}  // namespace smtf
