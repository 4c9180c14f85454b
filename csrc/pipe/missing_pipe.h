// Why a channel's next pipe cannot be had, for error messages and the log.
#ifndef SMTF_PIPE_MISSING_PIPE_H_
#define SMTF_PIPE_MISSING_PIPE_H_

#include <cstdint>
#include <string>

namespace smtf {

struct MissingPipe {
  std::string channel;
  std::string pipe_dir;
  std::string state_dir;
  uint64_t epoch = 0;  // of the pipe that is waited for
};

// What was seen and what to do: "the named pipe <path> did not appear in 120 s; <path> is empty;
// start the prefetcher ...".
std::string DescribeMissingPipe(const MissingPipe& missing, const std::string& waited);

// "epoch 3 is still being read by process 4242", where the pipe before is held by its reader;
// else empty.
std::string DescribeReaderBefore(const MissingPipe& missing);

}  // namespace smtf

#endif  // SMTF_PIPE_MISSING_PIPE_H_
