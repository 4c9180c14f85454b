// Many varints behind each other.
#ifndef SMTF_PROTOBUF_PACKED_VARINTS_H_
#define SMTF_PROTOBUF_PACKED_VARINTS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace smtf {

// How many there are. Throws a WireError where the bytes end inside of one.
size_t CountPackedVarints(std::string_view bytes);

// Writes them, cut to the type's bits, to `to`, and returns where they end. There is room for
// CountPackedVarints(bytes) of them, or more, up to `to_end`; what is behind the last may be
// written to as well. Throws a WireError where one is longer than 64 bits, or cut.
//
// One after the other, as TakeVarint reads them, costs a mispredicted branch wherever the length of
// the numbers changes. Here the ends of all varints in 64 bytes are found first, and each is put
// together without a branch on its length; where none is longer than two bytes, many at once.
uint64_t* DecodePackedVarints(std::string_view bytes, uint64_t* to, uint64_t* to_end);
int32_t* DecodePackedVarints(std::string_view bytes, int32_t* to, int32_t* to_end);

}  // namespace smtf

#endif  // SMTF_PROTOBUF_PACKED_VARINTS_H_
