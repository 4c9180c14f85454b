// What a file holds.
#ifndef SMTF_TESTS_FRAMING_FILE_CONTENTS_H_
#define SMTF_TESTS_FRAMING_FILE_CONTENTS_H_

#include <fstream>
#include <sstream>
#include <string>

namespace smtf {

// "(none)" where there is none.
inline std::string FileContents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return "(none)";
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

}  // namespace smtf

#endif  // SMTF_TESTS_FRAMING_FILE_CONTENTS_H_
