// How a reader asks its prefetcher to begin an epoch in the middle.
//
// When it is its turn (reader_turn.h), the reader writes <pipe_dir>/.<channel>.resume.json, of mode
// 0600 and in one step, and opens the pipe. The prefetcher, which has been waiting for that, takes
// the file before it writes a byte, and repeats the request's id in the log of the pipe's objects
// (object_log.h): so a reader knows whether what it reads begins where it asked for, and another
// reader that it does not.
#ifndef SMTF_PIPE_RESUME_REQUEST_H_
#define SMTF_PIPE_RESUME_REQUEST_H_

#include <cstdint>
#include <optional>
#include <string>

#include "pipe/stream_position.h"

namespace smtf {

struct ResumeRequest {
  std::string id;     // of the reader that asks, differs for each
  uint64_t pipe = 0;  // the number in the pipe's name
  StreamPosition position;
};

// <pipe_dir>/.<channel>.resume.json
std::string ResumeRequestPath(const std::string& pipe_dir, const std::string& channel);

void WriteResumeRequest(const std::string& pipe_dir, const std::string& channel,
                        const ResumeRequest& request);
// Of a reader that died before it opened the pipe, if there is one.
void RemoveResumeRequest(const std::string& pipe_dir, const std::string& channel);
// The request for this pipe, if there is one. The file is gone afterwards, whatever it asked for.
std::optional<ResumeRequest> TakeResumeRequest(const std::string& pipe_dir,
                                               const std::string& channel, uint64_t pipe);

}  // namespace smtf

#endif  // SMTF_PIPE_RESUME_REQUEST_H_
