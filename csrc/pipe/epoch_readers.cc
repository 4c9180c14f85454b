#include "pipe/epoch_readers.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <utility>

#include "errors.h"
#include "pipe/json_line.h"
#include "pipe/small_file.h"

namespace smtf {
namespace {

using nlohmann::json;

constexpr std::string_view kSuffix = ".json";

std::string PathPrefix(const std::string& channel) { return "." + channel + ".reader-"; }

std::string PathOf(const std::string& pipe_dir, const std::string& channel,
                   const ProcessName& process) {
  return pipe_dir + "/" + PathPrefix(channel) + std::to_string(process.pid) + "-" +
         std::to_string(process.start) + "-" + std::to_string(process.pid_namespace) +
         std::string(kSuffix);
}

// Takes a number off the front.
template <typename Number>
bool TakeNumber(std::string_view* text, Number* number) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return error == std::errc();
}

bool TakeDash(std::string_view* text) {
  const bool there = !text->empty() && text->front() == '-';
  if (there) text->remove_prefix(1);
  return there;
}

// Of a file's name, or of its temporary one; nothing where it is another file's.
std::optional<ProcessName> ParseName(const std::string& name, const std::string& channel) {
  const std::string prefix = PathPrefix(channel);
  if (name.compare(0, prefix.size(), prefix) != 0) return std::nullopt;
  std::string_view rest = std::string_view(name).substr(prefix.size());
  ProcessName process;
  const bool numbers = TakeNumber(&rest, &process.pid) && TakeDash(&rest) &&
                       TakeNumber(&rest, &process.start) && TakeDash(&rest) &&
                       TakeNumber(&rest, &process.pid_namespace);
  return numbers && rest.substr(0, kSuffix.size()) == kSuffix ? std::optional(process)
                                                              : std::nullopt;
}

// Nothing but what is well formed: other versions may have written here.
EpochRanges Parse(const std::string& text, const std::string& session) {
  const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  EpochRanges epochs;
  try {
    if (parsed.at("session").get_ref<const std::string&>() != session) return {};
    for (const json& range : parsed.at("epochs")) {
      epochs.Add(range.at(0).get<uint64_t>(), range.at(1).get<uint64_t>());
    }
  } catch (const json::exception&) {
    return {};
  }
  return epochs;
}

std::string Format(const EpochRanges& epochs, const std::string& session) {
  std::string list;
  for (const auto& [first, last] : epochs.ranges()) {
    list += (list.empty() ? "[" : ",[") + std::to_string(first) + "," + std::to_string(last) + "]";
  }
  return JsonLine().Add("session", session).AddJson("epochs", "[" + list + "]").Take() + "\n";
}

// Nothing where it cannot be read, as one of another user.
EpochRanges Load(const std::string& path, const std::string& session) {
  try {
    const std::optional<std::string> text = ReadSmallFile(path);
    return text ? Parse(*text, session) : EpochRanges();
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

void EpochRanges::Add(uint64_t first, uint64_t last) {
  if (first > last || last == UINT64_MAX) return;
  auto at = ranges_.upper_bound(first);
  if (at != ranges_.begin() && std::prev(at)->second + 1 >= first) {
    first = (--at)->first;
  }
  while (at != ranges_.end() && at->first <= last + 1) {
    last = std::max(last, at->second);
    at = ranges_.erase(at);
  }
  ranges_.emplace(first, last);
  if (ranges_.size() > kMost) ranges_.erase(ranges_.begin());
}

uint64_t EpochRanges::FirstOutside(uint64_t epoch) const {
  const auto behind = ranges_.upper_bound(epoch);
  if (behind == ranges_.begin()) return epoch;
  return std::max(epoch, std::prev(behind)->second + 1);
}

void NoteEpochRead(const std::string& pipe_dir, const std::string& channel,
                   const std::string& session, uint64_t epoch) {
  const ProcessName self = ThisProcess();
  if (self == ProcessName()) return;
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  const std::string path = PathOf(pipe_dir, channel, self);
  EpochRanges epochs = Load(path, session);
  epochs.Add(epoch, epoch);
  ReplaceSmallFile(path, Format(epochs, session));
}

std::vector<ChannelReader> ReadEpochReaders(const std::string& pipe_dir, const std::string& channel,
                                            const std::string& session) {
  const uint64_t here = ThisProcess().pid_namespace;
  std::vector<ChannelReader> readers;
  for (const std::string& path : EpochReaderPaths(pipe_dir, channel)) {
    const std::string name = std::filesystem::path(path).filename().string();
    const ProcessName process = *ParseName(name, channel);
    if (Lives(process)) {
      readers.push_back({process, Load(path, session)});
    } else if (process.pid_namespace == here) {
      unlink(path.c_str());
    }
  }
  return readers;
}

std::vector<std::string> EpochReaderPaths(const std::string& pipe_dir, const std::string& channel) {
  std::vector<std::string> paths;
  std::error_code ignored;
  // Not a range-for, whose increment would throw.
  for (std::filesystem::directory_iterator at(pipe_dir, ignored), end; at != end;
       at.increment(ignored)) {
    if (ParseName(at->path().filename().string(), channel)) paths.push_back(at->path().string());
  }
  return paths;
}

}  // namespace smtf
