// Numbers as JSON and CSV hold them.
#ifndef SMTF_TEXT_NUMBER_TEXT_H_
#define SMTF_TEXT_NUMBER_TEXT_H_

#include <cstddef>
#include <cstdint>

namespace smtf {

// The longest text of any number: -1.2345678901234567e-308.
constexpr size_t kMostNumberChars = 24;

// These write a number to `out`, which has room for kMostNumberChars, and return where its text
// ends.
//
// Floating-point numbers have the fewest digits that no other value of their type reads back from,
// laid out as Python's repr() does: "0.1", "3.0", "1e-05", "1e+16". What is no number is "NaN",
// "Infinity" and "-Infinity", which Python's json and DuckDB read.
char* WriteNumber(float value, char* out);
char* WriteNumber(double value, char* out);
char* WriteNumber(int64_t value, char* out);
char* WriteNumber(uint64_t value, char* out);

// The double whose text is that of `value`: 0.1f is 0.100000001490116... as a double, and 0.1 here.
double DoubleOfSameText(float value);

}  // namespace smtf

#endif  // SMTF_TEXT_NUMBER_TEXT_H_
