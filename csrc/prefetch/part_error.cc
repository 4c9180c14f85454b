#include "prefetch/part_error.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace smtf {

Error PartError(const Part& part, const ObjectSource& source) {
  const FetchResult& failure = part.failure;
  const uint64_t begin = part.spec.offset;
  std::string message = source.Describe(part.spec.object) + " bytes " + std::to_string(begin) +
                        "-" + std::to_string(begin + part.spec.size - 1) + ": " + failure.what;
  if (part.tries > 1) {
    char effort[64];
    std::snprintf(effort, sizeof(effort), " after %u tries in %.1f s", part.tries,
                  std::chrono::duration<double>(part.last_failure - part.first_try).count());
    message += effort;
  }
  if (!failure.advice.empty()) message += "; " + failure.advice;
  return Error(failure.kind, message);
}

}  // namespace smtf
