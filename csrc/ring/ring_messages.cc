#include "ring/ring_messages.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace smtf {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;
// Of an error, in a packet.
constexpr size_t kMostMessageBytes = 16 * 1024;

constexpr std::pair<RingHello::Want, const char*> kWants[] = {
    {RingHello::Want::kEpoch, "epoch"},
    {RingHello::Want::kLease, "lease"},
    {RingHello::Want::kNext, "next"},
    {RingHello::Want::kCount, "count"},
};

// Names and messages may be in any encoding.
std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

RingHello::Want WantOf(const std::string& text) {
  for (const auto& [want, name] : kWants) {
    if (text == name) return want;
  }
  throw Error(ErrorKind::kInvalidArgument, "nobody can be given " + text);
}

uint64_t UnitsOf(const json& number) {
  if (number.is_number_unsigned() && number.get<uint64_t>() <= ObjectRange::kMost) {
    return number.get<uint64_t>();
  }
  throw Error(ErrorKind::kInvalidArgument, "no list has so many objects: " + number.dump());
}

RingHello HelloOf(const json& parsed) {
  if (parsed.at("version") != kVersion) {
    throw Error(ErrorKind::kFailedPrecondition,
                "the prefetcher is of another version of this package; start it anew");
  }
  RingHello hello;
  hello.want = WantOf(parsed.at("want").get<std::string>());
  if (const json& resume = parsed.value("resume", json()); !resume.is_null()) {
    hello.resume = ParsePosition(resume.dump());
  }
  if (const json& objects = parsed.value("objects", json()); !objects.is_null()) {
    hello.objects = ObjectRange{UnitsOf(objects.at(0)), UnitsOf(objects.at(1))};
  }
  return hello;
}

RingHead HeadOf(const json& parsed) {
  return {parsed.at("number").get<uint64_t>(), parsed.at("epoch").get<uint64_t>(),
          parsed.at("settings").get<std::string>()};
}

Error ErrorOf(const json& parsed) {
  const auto kind = ParseErrorKind(parsed.at("kind").get<std::string>());
  return Error(kind.value_or(ErrorKind::kInternal), parsed.at("message").get<std::string>());
}

RingAnswer AnswerOf(const json& parsed) {
  if (parsed.contains("busy")) return RingBusy{parsed.at("busy").get<int64_t>()};
  if (parsed.contains("head")) return HeadOf(parsed.at("head"));
  if (parsed.contains("outcome")) return ParseOutcome(parsed.at("outcome").dump());
  if (parsed.contains("next")) return ParsePosition(parsed.at("next").dump());
  if (parsed.contains("count")) return RingCount{parsed.at("count").get<uint64_t>()};
  return ErrorOf(parsed.at("error"));
}

}  // namespace

std::string FormatHello(const RingHello& hello) {
  json text = {{"version", kVersion}};
  for (const auto& [want, name] : kWants) {
    if (want == hello.want) text["want"] = name;
  }
  if (hello.resume) text["resume"] = json::parse(FormatPosition(*hello.resume));
  if (hello.objects) text["objects"] = {hello.objects->first, hello.objects->count};
  return Dump(text);
}

RingHello ParseHello(const std::string& text) {
  try {
    return HelloOf(json::parse(text));
  } catch (const json::exception& error) {
    throw Error(ErrorKind::kInvalidArgument,
                std::string("reading what a ring's reader wants: ") + error.what());
  }
}

std::string FormatBusy(int64_t pid) { return Dump({{"busy", pid}}); }

std::string FormatHead(const RingHead& head) {
  return Dump(
      {{"head", {{"number", head.number}, {"epoch", head.epoch}, {"settings", head.settings}}}});
}

std::string FormatEnd(const Outcome& outcome) {
  Outcome shortened = outcome;
  if (shortened.error_message.size() > kMostMessageBytes) {
    shortened.error_message.resize(kMostMessageBytes);
  }
  return "{\"outcome\":" + FormatOutcome(shortened) + "}";
}

std::string FormatNext(const StreamPosition& next) {
  return "{\"next\":" + FormatPosition(next) + "}";
}

std::string FormatCount(uint64_t count) { return Dump({{"count", count}}); }

std::string FormatError(const Error& error) {
  return Dump({{"error",
                {{"kind", ErrorKindName(error.kind())},
                 {"message", std::string(error.what()).substr(0, kMostMessageBytes)}}}});
}

RingAnswer ParseAnswer(const std::string& text) {
  try {
    return AnswerOf(json::parse(text));
  } catch (const std::exception& error) {
    throw Error(ErrorKind::kDataLoss, std::string("reading what the prefetcher said: ") +
                                          error.what() + "; it is not of this version");
  }
}

}  // namespace smtf
