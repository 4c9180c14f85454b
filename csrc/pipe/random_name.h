// Names that nobody else has.
#ifndef SMTF_PIPE_RANDOM_NAME_H_
#define SMTF_PIPE_RANDOM_NAME_H_

#include <string>

namespace smtf {

// 16 hexadecimal digits.
std::string RandomName();

}  // namespace smtf

#endif  // SMTF_PIPE_RANDOM_NAME_H_
