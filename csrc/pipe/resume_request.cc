#include "pipe/resume_request.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "errors.h"
#include "pipe/small_file.h"

namespace smtf {

using nlohmann::json;

std::string ResumeRequestPath(const std::string& pipe_dir, const std::string& channel) {
  return pipe_dir + "/." + channel + ".resume.json";
}

void WriteResumeRequest(const std::string& pipe_dir, const std::string& channel,
                        const ResumeRequest& request) {
  const json text = {{"id", request.id},
                     {"pipe", request.pipe},
                     {"position", json::parse(FormatPosition(request.position))}};
  ReplaceSmallFile(ResumeRequestPath(pipe_dir, channel), text.dump() + "\n");
}

void RemoveResumeRequest(const std::string& pipe_dir, const std::string& channel) {
  unlink(ResumeRequestPath(pipe_dir, channel).c_str());
}

std::optional<ResumeRequest> TakeResumeRequest(const std::string& pipe_dir,
                                               const std::string& channel, uint64_t pipe) {
  const std::string path = ResumeRequestPath(pipe_dir, channel);
  const std::optional<std::string> text = ReadSmallFile(path);
  if (!text) return std::nullopt;
  unlink(path.c_str());
  try {
    const json parsed = json::parse(*text);
    ResumeRequest request{parsed.at("id").get<std::string>(), parsed.at("pipe").get<uint64_t>(),
                          ParsePosition(parsed.at("position").dump())};
    if (request.pipe != pipe) return std::nullopt;  // its reader has given up since
    return request;
  } catch (const json::exception& error) {
    throw Error(ErrorKind::kDataLoss, "reading " + path + ": " + error.what() +
                                          "; it was not written by this version's dataset");
  }
}

}  // namespace smtf
