#include "s3/http_head.h"

#include <charconv>

namespace smtf {
namespace {

// S3 sends about 500 bytes; user metadata may add 2 KiB.
constexpr size_t kLongestHead = 64 * 1024;

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace

std::optional<uint64_t> TakeNumber(std::string_view* text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc()) return std::nullopt;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return number;
}

void HttpHead::Clear() {
  status_ = 0;
  is_http_1_0_ = false;
  reason_ = {};
  text_.clear();
  headers_.clear();
}

bool HttpHead::OnLine(std::string_view line) {
  if (text_.size() + line.size() > kLongestHead) return false;
  if (line.substr(0, 5) == "HTTP/") {
    Clear();
    is_http_1_0_ = line.substr(0, 8) == "HTTP/1.0";
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) return true;
    line.remove_prefix(space + 1);
    status_ = static_cast<int>(TakeNumber(&line).value_or(0));
    reason_ = Keep(Trim(line));
    return true;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  Header header;
  header.name = Keep(line.substr(0, colon));
  for (size_t i = header.name.begin; i < text_.size(); ++i) {
    if (text_[i] >= 'A' && text_[i] <= 'Z') text_[i] = static_cast<char>(text_[i] - 'A' + 'a');
  }
  header.value = Keep(Trim(line.substr(colon + 1)));
  headers_.push_back(header);
  return true;
}

HttpHead::Piece HttpHead::Keep(std::string_view text) {
  const Piece piece{static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(text.size())};
  text_ += text;
  return piece;
}

std::string_view HttpHead::Find(std::string_view name) const {
  for (const Header& header : headers_) {
    if (View(header.name) == name) return View(header.value);
  }
  return {};
}

std::optional<uint64_t> HttpHead::content_length() const {
  std::string_view value = Find("content-length");
  return TakeNumber(&value);
}

}  // namespace smtf
