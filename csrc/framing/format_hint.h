// What broken framing looks like it is instead.
#ifndef SMTF_FRAMING_FORMAT_HINT_H_
#define SMTF_FRAMING_FORMAT_HINT_H_

#include <string>
#include <string_view>

namespace smtf {

// The end of a message about `seen`, bytes in whose place a header was expected: which format
// begins so, from "; " on. Empty where none does that is known.
std::string FormatHint(std::string_view seen);

}  // namespace smtf

#endif  // SMTF_FRAMING_FORMAT_HINT_H_
