#include "pipe/reader_state.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "errors.h"
#include "pipe/json_line.h"

namespace smtf {
namespace {

using nlohmann::json;
using Phase = ReaderState::Phase;

// Of the text; a change that older versions would misread gets the next number.
constexpr int kVersion = 1;
constexpr std::pair<Phase, const char*> kPhaseNames[] = {
    {Phase::kNew, "new"}, {Phase::kReading, "reading"}, {Phase::kEnded, "ended"}};

ReaderState Parse(const std::string& text) {
  const json parsed = json::parse(text);
  const int version = parsed.at("version").get<int>();
  if (version != kVersion) {
    throw Error(ErrorKind::kFailedPrecondition,
                "the checkpoint holds a position of version " + std::to_string(version) +
                    ", and this package knows version " + std::to_string(kVersion) +
                    "; restore it with the package that saved it");
  }
  ReaderState state;
  parsed.at("channel").get_to(state.channel);
  parsed.at("record_format").get_to(state.record_format);
  parsed.at("records").get_to(state.records);
  parsed.at("bytes").get_to(state.bytes);
  const std::string phase_name = parsed.at("phase").get<std::string>();
  for (const auto& [phase, name] : kPhaseNames) {
    if (phase_name == name) state.phase = phase;
  }
  const json& position = parsed.at("position");
  if (!position.is_null()) state.position = ParsePosition(position.dump());
  return state;
}

}  // namespace

std::string FormatReaderState(const ReaderState& state) {
  JsonLine line;
  line.Add("bytes", state.bytes).Add("channel", state.channel);
  for (const auto& [phase, name] : kPhaseNames) {
    if (phase == state.phase) line.Add("phase", std::string_view(name));
  }
  return line.Add("record_format", state.record_format)
      .Add("records", state.records)
      .Add("version", uint64_t{kVersion})
      .AddJson("position", state.position ? FormatPosition(*state.position) : "null")
      .Take();
}

ReaderState ParseReaderState(const std::string& text) {
  try {
    return Parse(text);
  } catch (const json::exception& error) {
    throw Error(ErrorKind::kDataLoss,
                std::string("the checkpoint's position cannot be read: ") + error.what());
  }
}

}  // namespace smtf
