#include "s3/keys_ahead.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

namespace smtf {
namespace {

// Values stay far below 2^53, so that doubles are exact.
constexpr double kLargestValue = 1e15;
// How finely the span of a page is divided.
constexpr double kResolution = 1e4;

constexpr std::string_view kClasses[] = {"0123456789", "ABCDEF", "GHIJKLMNOPQRSTUVWXYZ", "abcdef",
                                         "ghijklmnopqrstuvwxyz"};

size_t CommonLength(std::string_view a, std::string_view b) {
  const auto [end, other] =
      std::mismatch(a.begin(), a.begin() + std::min(a.size(), b.size()), b.begin());
  (void)other;
  return static_cast<size_t>(end - a.begin());
}

// The characters that the names are counted in, ascending: every class of which a character is
// seen where names of one length differ. So the "jpg" of numbered images does not count, and the
// ten digits do when only three of them were seen.
std::string Alphabet(const S3ListPage& page) {
  const std::string_view first = page[0].name;
  bool seen[256] = {};
  for (size_t i = 1; i < page.size(); ++i) {
    const std::string_view key = page[i].name;
    if (key.size() != first.size()) continue;
    for (size_t at = CommonLength(first, key); at < key.size(); ++at) {
      if (key[at] != first[at]) seen[static_cast<unsigned char>(key[at])] = true;
    }
  }
  std::string alphabet;
  for (const std::string_view letters : kClasses) {
    const bool used = std::any_of(letters.begin(), letters.end(),
                                  [&seen](char c) { return seen[static_cast<unsigned char>(c)]; });
    if (used) alphabet += letters;
  }
  return alphabet;
}

// A window of positions in the last key that are read as one number. The characters between them
// are no digits and stay what they are.
class Odometer {
 public:
  Odometer(std::string alphabet, std::string_view key, size_t common)
      : alphabet_(std::move(alphabet)), key_(key) {
    const double base = static_cast<double>(alphabet_.size());
    double fine = 1;
    for (size_t at = common; at < key.size() && fine < kResolution; ++at) {
      if (!IsDigit(key[at])) continue;
      positions_.push_back(at);
      fine *= base;
    }
    limit_ = fine;
    // Higher digits, for the carry.
    for (size_t at = common; at > 0 && limit_ * base < kLargestValue; --at) {
      if (!IsDigit(key[at - 1])) continue;
      positions_.insert(positions_.begin(), at - 1);
      limit_ *= base;
    }
  }

  // Of a key that has the window's digits in the same places; others count as the lowest one.
  double Read(std::string_view key) const {
    double value = 0;
    for (const size_t at : positions_) {
      const size_t digit = at < key.size() ? alphabet_.find(key[at]) : std::string::npos;
      value = value * static_cast<double>(alphabet_.size()) +
              (digit == std::string::npos ? 0 : static_cast<double>(digit));
    }
    return value;
  }

  // The key up to the end of the window, with another number; empty for one that does not fit.
  std::string Write(double value) const {
    if (value >= limit_) return "";
    std::string text(key_.substr(0, positions_.back() + 1));
    auto rest = static_cast<uint64_t>(value);
    for (size_t i = positions_.size(); i-- > 0;) {
      text[positions_[i]] = alphabet_[rest % alphabet_.size()];
      rest /= alphabet_.size();
    }
    return text;
  }

  bool empty() const { return positions_.empty(); }

 private:
  bool IsDigit(char c) const { return alphabet_.find(c) != std::string::npos; }

  const std::string alphabet_;
  const std::string_view key_;
  std::vector<size_t> positions_;  // ascending
  double limit_ = 1;
};

}  // namespace

std::vector<std::string> KeysAhead(const S3ListPage& page, size_t spacing, size_t count) {
  std::vector<std::string> ahead;
  if (page.size() < 2) return ahead;
  const std::string_view first = page[0].name;
  const std::string_view last = page[page.size() - 1].name;
  const Odometer odometer(Alphabet(page), last, CommonLength(first, last));
  if (odometer.empty()) return ahead;
  const double end = odometer.Read(last);
  const double span = end - odometer.Read(first);
  if (span <= 0) return ahead;
  const double step =
      std::max(1.0, span * static_cast<double>(spacing) / static_cast<double>(page.size() - 1));
  for (size_t i = 1; i <= count; ++i) {
    std::string guess = odometer.Write(std::floor(end + step * static_cast<double>(i)));
    // Also ends it where the window is too small for the number.
    if (guess <= (ahead.empty() ? last : std::string_view(ahead.back()))) break;
    ahead.push_back(std::move(guess));
  }
  return ahead;
}

}  // namespace smtf
