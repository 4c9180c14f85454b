#include "pipe/feed_status.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "pipe/small_file.h"

namespace smtf {
namespace {

using nlohmann::json;

constexpr std::pair<Outcome::State, const char*> kStateNames[] = {
    {Outcome::State::kStreaming, "streaming"},
    {Outcome::State::kDone, "done"},
    {Outcome::State::kAbandoned, "abandoned"},
    {Outcome::State::kError, "error"},
};

}  // namespace

std::string FifoPath(const std::string& pipe_dir, const std::string& channel, uint64_t epoch) {
  return pipe_dir + "/" + channel + "_" + std::to_string(epoch);
}

std::string OutcomePath(const std::string& pipe_dir, const std::string& channel, uint64_t epoch) {
  return pipe_dir + "/." + channel + "_" + std::to_string(epoch) + ".outcome.json";
}

std::string FeederPath(const std::string& pipe_dir, const std::string& channel) {
  return pipe_dir + "/." + channel + ".feeder.json";
}

Outcome ParseOutcome(const std::string& text) {
  const json parsed = json::parse(text);
  Outcome outcome;
  const std::string& state_name = parsed.at("state").get_ref<const std::string&>();
  bool known = false;
  for (const auto& [state, name] : kStateNames) {
    if (state_name == name) {
      outcome.state = state;
      known = true;
    }
  }
  if (!known) throw std::invalid_argument("unknown state " + state_name);
  outcome.bytes = parsed.at("bytes").get<uint64_t>();
  outcome.objects = parsed.at("objects").get<uint64_t>();
  if (outcome.state == Outcome::State::kError) {
    const json& error = parsed.at("error");
    outcome.error_kind = ParseErrorKind(error.at("kind").get<std::string>());
    outcome.error_message = error.at("message").get<std::string>();
  }
  return outcome;
}

std::string FormatOutcome(const Outcome& outcome) {
  json text;
  for (const auto& [state, name] : kStateNames) {
    if (state == outcome.state) text["state"] = name;
  }
  text["bytes"] = outcome.bytes;
  text["objects"] = outcome.objects;
  if (outcome.state == Outcome::State::kError) {
    text["error"]["kind"] = ErrorKindName(outcome.error_kind.value_or(ErrorKind::kInternal));
    text["error"]["message"] = outcome.error_message;
  }
  // A message may quote a server or a key in any encoding.
  return text.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<Outcome> ReadOutcome(const std::string& pipe_dir, const std::string& channel,
                                   uint64_t epoch) {
  const std::string path = OutcomePath(pipe_dir, channel, epoch);
  const std::optional<std::string> text = ReadSmallFile(path);
  if (!text) return std::nullopt;
  try {
    return ParseOutcome(*text);
  } catch (const std::exception& error) {
    throw Error(ErrorKind::kDataLoss, "reading " + path + ": " + error.what() +
                                          "; it was not written by this version's prefetcher");
  }
}

void WriteOutcome(const std::string& pipe_dir, const std::string& channel, uint64_t epoch,
                  const Outcome& outcome) {
  UpdateSmallFile(OutcomePath(pipe_dir, channel, epoch), FormatOutcome(outcome) + "\n");
}

std::optional<Feeder> ReadFeeder(const std::string& pipe_dir, const std::string& channel) {
  const std::string path = FeederPath(pipe_dir, channel);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return std::nullopt;
  if (fd < 0) throw SystemError("opening " + path, errno);
  Feeder feeder;
  const int lock_error = flock(fd, LOCK_SH | LOCK_NB) == 0 ? 0 : errno;
  feeder.alive = lock_error == EWOULDBLOCK;
  // After the lock was seen, so that what a dead one wrote is not taken for the next one's: that
  // locks the file, empties it, and writes. From the same file: another may be at the path by now.
  char text[512];
  const ssize_t size = read(fd, text, sizeof text);
  close(fd);
  if (lock_error != 0 && !feeder.alive) {
    throw SystemError("asking for the lock of " + path + " (the directory must support flock)",
                      lock_error);
  }
  const json parsed =
      json::parse(text, text + std::max<ssize_t>(size, 0), nullptr, /*allow_exceptions=*/false);
  if (parsed.is_object()) {
    feeder.session = parsed.value("session", "");
    feeder.pid = parsed.value("pid", int64_t{0});
  }
  return feeder;
}

}  // namespace smtf
