#include "pipe/json_line.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

namespace smtf {
namespace {

bool IsPlain(char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; }

std::string Escaped(std::string_view text) {
  const nlohmann::json value = std::string(text);
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

JsonLine& JsonLine::Add(std::string_view key, uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  return AddJson(key, {digits, static_cast<size_t>(end - digits)});
}

JsonLine& JsonLine::Add(std::string_view key, std::string_view text) {
  if (!std::all_of(text.begin(), text.end(), IsPlain)) return AddJson(key, Escaped(text));
  Begin(key);
  line_.append(1, '"').append(text).append(1, '"');
  return *this;
}

JsonLine& JsonLine::AddJson(std::string_view key, std::string_view json) {
  Begin(key);
  line_.append(json);
  return *this;
}

std::string JsonLine::Take() {
  line_.append(1, '}');
  return std::move(line_);
}

void JsonLine::Begin(std::string_view key) {
  if (line_.size() > 1) line_.append(1, ',');
  line_.append(1, '"').append(key).append("\":");
}

}  // namespace smtf
