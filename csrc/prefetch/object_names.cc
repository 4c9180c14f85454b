#include "prefetch/object_names.h"

#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <utility>

#include "checksum/object_checksum.h"

namespace smtf {
namespace {

std::string Hexadecimal(uint64_t number) {
  char digits[20];
  std::snprintf(digits, sizeof(digits), "%016" PRIx64, number);
  return digits;
}

uint64_t Extend(uint64_t sum, std::string_view text) {
  return ExtendChecksum(ChecksumKind::kCrc64Nvme, sum, text);
}

}  // namespace

ObjectNames::ObjectNames(std::shared_ptr<const ObjectSource> source,
                         std::shared_ptr<const ObjectList> objects, const OrderOptions& order)
    : source_(std::move(source)),
      objects_(std::move(objects)),
      order_depends_on_all_(order.shuffle_seed.has_value() || order.shards > 1) {}

std::string ObjectNames::NameOf(const ObjectRef& object) const {
  return object.source == kInlineSource ? "an inline entry" : source_->Describe(object);
}

std::string ObjectNames::VersionOf(const ObjectRef& object) const {
  if (!object.etag.empty()) return std::string(object.etag);
  const std::string size = std::to_string(object.size) + " bytes";
  if (object.source != kInlineSource) return size;
  return size + " " + Hexadecimal(Extend(0, object.name));
}

std::string ObjectNames::Fingerprint() const {
  const ObjectList::Extent list = objects_->extent();
  if (!list.finished || list.failed || !order_depends_on_all_) return "";
  uint64_t sum = 0;
  for (size_t i = 0; i < list.size; ++i) {
    const ObjectRef object = (*objects_)[i];
    for (const std::string_view text : {object.name, object.etag}) sum = Extend(sum, text);
    sum = Extend(sum, "/" + std::to_string(object.size) + "/");
  }
  return std::to_string(list.size) + " objects " + Hexadecimal(sum);
}

std::optional<Error> ObjectNames::Compare(const StreamPosition& position, const ObjectRef& object,
                                          const std::string& what) const {
  const std::string name = AsJsonText(NameOf(object));
  const std::string version = AsJsonText(VersionOf(object));
  std::string seen;
  if (name != position.name) {
    seen = "and in its place of the epoch is " + name + " now";
  } else if (version != position.etag) {
    seen = "which is " + version + " now";
  } else {
    const std::string objects = position.objects.empty() ? "" : Fingerprint();
    if (objects.empty() || objects == position.objects) return std::nullopt;
    seen = "which were " + position.objects + " and are " + objects;
  }
  return Error(ErrorKind::kFailedPrecondition,
               what + " in " + position.name + " (" + position.etag + ", object number " +
                   std::to_string(position.object) +
                   "): it was changed, or the channel's objects were, " + seen +
                   "; put back what was there, or begin without the checkpoint");
}

}  // namespace smtf
