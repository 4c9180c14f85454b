#include "pipe/sessions_seen.h"

namespace smtf {

void SessionsSeen::Add(const std::string& session) {
  const std::lock_guard<std::mutex> lock(mutex_);
  sessions_.insert(session);
}

bool SessionsSeen::Has(const std::string& session) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !session.empty() && sessions_.count(session) > 0;
}

SessionsSeen& SeenSessions() {
  static SessionsSeen* seen = new SessionsSeen;  // outlives every thread
  return *seen;
}

}  // namespace smtf
