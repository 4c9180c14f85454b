// The prefetchers that this process has seen alive.
#ifndef SMTF_PIPE_SESSIONS_SEEN_H_
#define SMTF_PIPE_SESSIONS_SEEN_H_

#include <mutex>
#include <set>
#include <string>

namespace smtf {

// The death of one of those is an error at once; what an unknown one left behind may be from
// yesterday, and the next may be about to start. Sessions are those of feed_status.h. Thread-safe.
class SessionsSeen {
 public:
  void Add(const std::string& session);
  // Never the empty one, which stands for SageMaker's agent.
  bool Has(const std::string& session);

 private:
  std::mutex mutex_;
  std::set<std::string> sessions_;
};

// Of all readers in this process.
SessionsSeen& SeenSessions();

}  // namespace smtf

#endif  // SMTF_PIPE_SESSIONS_SEEN_H_
