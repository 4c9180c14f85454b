#include "pipe/stream_position.h"

#include <nlohmann/json.hpp>

#include "pipe/json_line.h"

namespace smtf {

using nlohmann::json;

std::string FormatPosition(const StreamPosition& position) {
  return JsonLine()
      .Add("epoch", position.epoch)
      .Add("etag", position.etag)
      .Add("name", position.name)
      .Add("object", position.object)
      .Add("objects", position.objects)
      .Add("offset", position.offset)
      .Add("settings", position.settings)
      .Take();
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
  return json::parse(JsonLine().Add("text", text).Take()).at("text").get<std::string>();
}

}  // namespace smtf
