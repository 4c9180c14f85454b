// Messages put together byte by byte, independently of the parser under test.
#ifndef SMTF_TESTS_PROTOBUF_MESSAGES_H_
#define SMTF_TESTS_PROTOBUF_MESSAGES_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace smtf {

inline std::string Varint(uint64_t number) {
  std::string encoded;
  for (; number > 127; number >>= 7) encoded += static_cast<char>((number & 127) | 128);
  return encoded + static_cast<char>(number);
}

inline std::string Tag(uint32_t number, uint32_t wire_type) {
  return Varint(uint64_t{number} << 3 | wire_type);
}

inline std::string Field(uint32_t number, const std::string& content) {
  return Tag(number, 2) + Varint(content.size()) + content;
}

template <typename Number>
std::string Fixed(const std::vector<Number>& numbers) {
  std::string encoded(numbers.size() * sizeof(Number), '\0');
  if (!numbers.empty()) std::memcpy(encoded.data(), numbers.data(), encoded.size());
  return encoded;
}

inline std::string Varints(const std::vector<uint64_t>& numbers) {
  std::string encoded;
  for (const uint64_t number : numbers) encoded += Varint(number);
  return encoded;
}

// A Value with float32 numbers; keys and shape only where there are some.
inline std::string Floats(const std::vector<float>& values, const std::vector<uint64_t>& keys = {},
                          const std::vector<uint64_t>& shape = {}) {
  std::string tensor = Field(1, Fixed(values));
  if (!keys.empty()) tensor += Field(2, Varints(keys));
  if (!shape.empty()) tensor += Field(3, Varints(shape));
  return Field(2, tensor);
}

// An entry of a Record's map: 1 features, 2 label.
inline std::string Entry(uint32_t map, const std::string& name, const std::string& value) {
  return Field(map, Field(1, name) + Field(2, value));
}

}  // namespace smtf

#endif  // SMTF_TESTS_PROTOBUF_MESSAGES_H_
