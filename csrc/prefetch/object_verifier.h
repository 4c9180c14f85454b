// Compares what was fetched with the checksums that the store announced.
#ifndef SMTF_PREFETCH_OBJECT_VERIFIER_H_
#define SMTF_PREFETCH_OBJECT_VERIFIER_H_

#include <cstdint>
#include <optional>

#include "prefetch/object_source.h"
#include "prefetch/part.h"

namespace smtf {

// For the worker that has fetched a part, before it is given back. Where a checksum was announced
// that of the part is computed. If the part is its whole object and the two differ, the result
// becomes one that asks for another try from the part's first byte.
//
// A store that answers a range may mean the range's own checksum (S3 does, for ranges that are
// parts of an upload) or the whole object's (others do). If it is right for the range it is taken
// for that, otherwise for the object's.
void VerifyPart(Part* part, FetchResult* result);

// The failure of a whole object, in one part or several, whose checksum is not what was announced:
// it is worth another try.
FetchResult ChecksumMismatch(const AnnouncedChecksum& announced, uint64_t computed);

// Puts the checksums of an object's parts together as they go by, in order. Used by one thread.
class ObjectVerifier {
 public:
  // Forgets an object that was not ended: a new epoch.
  void Begin() { *this = ObjectVerifier(); }

  enum class Verdict {
    kUnknown,   // not the object's end, or the store did not say
    kVerified,  // the object that this part ends is what the store says
    kDamaged,   // it is not: `failure` says so. The same part may be checked once more
  };
  Verdict Check(const Part& part, FetchResult* failure);

 private:
  bool Append(const Part& part);

  bool known_ = false;  // every part of this object so far had a checksum, of one kind
  uint64_t checksum_ = 0;
  std::optional<AnnouncedChecksum> announced_;  // for the object
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_OBJECT_VERIFIER_H_
