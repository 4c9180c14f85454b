#include "text/number_text.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <string_view>

namespace smtf {
namespace {

// Where repr() goes over to exponents: numbers from 1e-4 to below 1e16 have none.
constexpr int kLeastPlainExponent = -4;
constexpr int kMostPlainExponent = 15;

char* Append(std::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* AppendZeros(int count, char* out) {
  std::memset(out, '0', static_cast<size_t>(count));
  return out + count;
}

// Digits without a point and an exponent, such as "12" and -3 for 0.0012.
char* AppendPlain(std::string_view digits, int exponent, char* out) {
  const int count = static_cast<int>(digits.size());
  if (exponent < 0) {
    out = AppendZeros(-exponent - 1, Append("0.", out));
    return Append(digits, out);
  }
  const int whole = exponent + 1;
  if (count <= whole) return Append(".0", AppendZeros(whole - count, Append(digits, out)));
  out = Append(digits.substr(0, static_cast<size_t>(whole)), out);
  *out++ = '.';
  return Append(digits.substr(static_cast<size_t>(whole)), out);
}

template <typename Float>
char* WriteFloat(Float value, char* out) {
  if (std::isnan(value)) return Append("NaN", out);
  if (std::signbit(value)) {
    *out++ = '-';
    value = -value;
  }
  if (std::isinf(value)) return Append("Infinity", out);
  // "d", or "d.ddd", and "e-dd" or "e+dd", which is as repr() has it.
  char text[kMostNumberChars];
  char* const end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  char* mark = end - 4;
  if (*mark != 'e') --mark;  // of three digits
  int exponent = 0;
  std::from_chars(mark + 2, end, exponent);
  if (mark[1] == '-') exponent = -exponent;
  if (exponent < kLeastPlainExponent || exponent > kMostPlainExponent) {
    return Append({text, static_cast<size_t>(end - text)}, out);
  }
  size_t count = 1;
  if (mark > text + 1) {  // close the gap that the point leaves
    count = static_cast<size_t>(mark - text) - 1;
    text[1] = text[0];
  }
  return AppendPlain({mark - count, count}, exponent, out);
}

}  // namespace

char* WriteNumber(float value, char* out) { return WriteFloat(value, out); }
char* WriteNumber(double value, char* out) { return WriteFloat(value, out); }
char* WriteNumber(int64_t value, char* out) {
  return std::to_chars(out, out + kMostNumberChars, value).ptr;
}
char* WriteNumber(uint64_t value, char* out) {
  return std::to_chars(out, out + kMostNumberChars, value).ptr;
}

double DoubleOfSameText(float value) {
  if (!std::isfinite(value)) return value;
  char text[kMostNumberChars];
  char* const end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  double same = 0;
  std::from_chars(text, end, same);
  return same;
}

}  // namespace smtf
