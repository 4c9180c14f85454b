// Arrays of numbers as text, a row for each entry of their first dimension.
#ifndef SMTF_TEXT_NUMBER_ROWS_H_
#define SMTF_TEXT_NUMBER_ROWS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace smtf {

enum class NumberType {
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kFloat32,
  kFloat64,
};

// One array and how its entries stand in a row.
struct NumberColumn {
  std::string before;  // stands before each entry
  NumberType type;
  const void* values;         // without gaps, the last dimension first
  std::vector<size_t> shape;  // of an entry; none for a number
};

// The text of `rows` entries of each column, one row behind the other: "before" and entry of every
// column, then `after`. Booleans are "true" and "false". Commas stand between values, no spaces,
// and each dimension of an entry is in brackets if there are any.
std::string NumberRows(const std::vector<NumberColumn>& columns, size_t rows,
                       std::string_view after, bool brackets);

}  // namespace smtf

#endif  // SMTF_TEXT_NUMBER_ROWS_H_
