// What a directory holds, for error messages.
#ifndef SMTF_PIPE_DIRECTORY_NAMES_H_
#define SMTF_PIPE_DIRECTORY_NAMES_H_

#include <string>

namespace smtf {

// "/pipes holds .c.feeder.json, c_0", "/pipes is empty", or why it cannot be listed.
std::string DescribeDirectory(const std::string& path);

}  // namespace smtf

#endif  // SMTF_PIPE_DIRECTORY_NAMES_H_
