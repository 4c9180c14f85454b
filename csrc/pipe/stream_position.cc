#include "pipe/stream_position.h"

#include <nlohmann/json.hpp>

namespace smtf {
namespace {

using nlohmann::json;

std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string FormatPosition(const StreamPosition& position) {
  return Dump({{"epoch", position.epoch},
               {"object", position.object},
               {"name", position.name},
               {"etag", position.etag},
               {"offset", position.offset},
               {"settings", position.settings},
               {"objects", position.objects}});
}

StreamPosition ParsePosition(const std::string& text) {
  const json parsed = json::parse(text);
  StreamPosition position;
  parsed.at("epoch").get_to(position.epoch);
  parsed.at("object").get_to(position.object);
  parsed.at("name").get_to(position.name);
  parsed.at("etag").get_to(position.etag);
  parsed.at("offset").get_to(position.offset);
  parsed.at("settings").get_to(position.settings);
  parsed.at("objects").get_to(position.objects);
  return position;
}

std::string AsJsonText(const std::string& text) {
  return json::parse(Dump(text)).get<std::string>();
}

}  // namespace smtf
