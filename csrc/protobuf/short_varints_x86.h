// The implementation behind short_varints.h for x86 CPUs since 2013.
#ifndef SMTF_PROTOBUF_SHORT_VARINTS_X86_H_
#define SMTF_PROTOBUF_SHORT_VARINTS_X86_H_
#if defined(__x86_64__)

#include <cstdint>

namespace smtf {

// Whether this CPU can run those below.
bool HasAvx2();

// Sixteen bytes at a time: the number that each would end, then those that one does end, side by
// side.
int32_t* TakeShortVarintsAvx2(const char* block, char before, uint64_t ends, int32_t* to);
uint64_t* TakeShortVarintsAvx2(const char* block, char before, uint64_t ends, uint64_t* to);

}  // namespace smtf

#endif  // defined(__x86_64__)
#endif  // SMTF_PROTOBUF_SHORT_VARINTS_X86_H_
