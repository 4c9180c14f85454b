#include "prefetch/object_verifier.h"

#include <cinttypes>
#include <cstdio>
#include <string>

namespace smtf {
namespace {

std::string Hex(const AnnouncedChecksum& checksum) {
  char text[24];
  const int digits = checksum.kind == ChecksumKind::kCrc64Nvme ? 16 : 8;
  std::snprintf(text, sizeof(text), "%0*" PRIx64, digits, checksum.value);
  return text;
}

}  // namespace

FetchResult ChecksumMismatch(const AnnouncedChecksum& announced, uint64_t computed) {
  FetchResult failure;
  failure.status = FetchResult::Status::kRetry;
  failure.kind = ErrorKind::kDataLoss;
  failure.what = std::string("the ") + ChecksumName(announced.kind) +
                 " of the whole object that came is " + Hex({announced.kind, computed}) +
                 " and the store says " + Hex(announced);
  failure.advice = "the bytes are damaged on their way or in the store; upload the object again";
  return failure;
}

void VerifyPart(Part* part, FetchResult* result) {
  if (result->checksum && !part->announced) part->announced = result->checksum;
  if (result->status != FetchResult::Status::kDone || !part->announced) return;
  const std::string_view bytes(part->buffer.data(), part->filled + result->bytes);
  part->checksum = ExtendChecksum(part->announced->kind, 0, bytes);
  part->verified = *part->checksum == part->announced->value;
  const bool whole = part->spec.offset == 0 && part->spec.ends_object;
  if (part->verified || !whole) return;
  FetchResult failure = ChecksumMismatch(*part->announced, *part->checksum);
  failure.first_byte_seconds = result->first_byte_seconds;
  *result = failure;
  part->announced.reset();
  part->filled = 0;
}

// Puts the part's checksum behind those of the parts before it.
bool ObjectVerifier::Append(const Part& part) {
  if (part.spec.offset == 0) {
    known_ = true;
    checksum_ = 0;
    announced_.reset();
  }
  if (!known_ || !part.checksum || !part.announced ||
      (announced_ && announced_->kind != part.announced->kind)) {
    known_ = false;
    return false;
  }
  if (!part.verified) announced_ = part.announced;
  checksum_ = CombineChecksums(part.announced->kind, checksum_, *part.checksum, part.filled);
  return true;
}

ObjectVerifier::Verdict ObjectVerifier::Check(const Part& part, FetchResult* failure) {
  // Of its own.
  if (part.spec.offset == 0 && part.spec.ends_object) return Verdict::kUnknown;
  const ObjectVerifier before = *this;
  if (!Append(part) || !part.spec.ends_object) return Verdict::kUnknown;
  if (!announced_) return Verdict::kVerified;  // every part was
  if (checksum_ == announced_->value) return Verdict::kVerified;
  *failure = ChecksumMismatch(*announced_, checksum_);
  *this = before;
  return Verdict::kDamaged;
}

}  // namespace smtf
