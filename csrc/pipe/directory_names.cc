#include "pipe/directory_names.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

namespace smtf {
namespace {

// More names would not help whoever reads the message.
constexpr size_t kNamesListed = 12;

}  // namespace

std::string DescribeDirectory(const std::string& path) {
  std::error_code error;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator at(path, error), end; at != end; at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  if (error) return path + " cannot be listed (" + error.message() + ")";
  if (names.empty()) return path + " is empty";
  std::sort(names.begin(), names.end());
  std::string text = path + " holds ";
  for (size_t i = 0; i < std::min(names.size(), kNamesListed); ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  if (names.size() > kNamesListed) {
    text += " and " + std::to_string(names.size() - kNamesListed) + " more";
  }
  return text;
}

}  // namespace smtf
