// One JSON object in one line, written without a tree of its values: a symbolic checkpoint takes
// two for each element.
#ifndef SMTF_PIPE_JSON_LINE_H_
#define SMTF_PIPE_JSON_LINE_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace smtf {

// Keys are plain: they are not escaped. In the order in which they are added.
class JsonLine {
 public:
  JsonLine& Add(std::string_view key, uint64_t number);
  // Bytes that are no UTF-8 are replaced.
  JsonLine& Add(std::string_view key, std::string_view text);
  JsonLine& AddJson(std::string_view key, std::string_view json);

  // Once, without an end of the line.
  std::string Take();

 private:
  void Begin(std::string_view key);

  std::string line_ = "{";
};

}  // namespace smtf

#endif  // SMTF_PIPE_JSON_LINE_H_
