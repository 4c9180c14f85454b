// Why a part was given up, in words.
#ifndef SMTF_PREFETCH_PART_ERROR_H_
#define SMTF_PREFETCH_PART_ERROR_H_

#include "errors.h"
#include "prefetch/object_source.h"
#include "prefetch/part.h"

namespace smtf {

// "s3://b/k bytes 0-8388607: 503 SlowDown after 8 tries in 41.0 s; what to do".
Error PartError(const Part& part, const ObjectSource& source);

}  // namespace smtf

#endif  // SMTF_PREFETCH_PART_ERROR_H_
