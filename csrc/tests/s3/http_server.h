// An HTTP server whose every answer a test writes out, byte for byte.
#ifndef SMTF_TESTS_S3_HTTP_SERVER_H_
#define SMTF_TESTS_S3_HTTP_SERVER_H_

#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "s3/loopback_server.h"

namespace smtf {

// A thread for each connection, keep-alive.
class HttpServer {
 public:
  struct Answer {
    std::string bytes;
    enum class Then {
      kKeep,   // wait for the next request
      kClose,  // close the connection
      kReset,  // the same, with a RST
      kHang,   // send nothing more, until the client has gone
    };
    Then then = Then::kKeep;
    size_t piece = 0;                    // bytes to send at a time; 0 for all
    std::chrono::milliseconds pause{0};  // after each of them
  };
  // From a request's head to its answer. Called by one thread at a time.
  using Handler = std::function<Answer(const std::string& request)>;

  explicit HttpServer(Handler handler)
      : handler_(std::move(handler)), server_([this](int client) { Serve(client); }) {}

  std::string host() const { return server_.host(); }
  std::string url() const { return "http://" + host(); }

  std::vector<std::string> requests() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return requests_;
  }
  int connections() const { return server_.connections(); }

 private:
  void Serve(int client) {
    while (AnswerOne(client)) {
    }
  }

  bool AnswerOne(int client) {
    std::string request;
    char buffer[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = recv(client, buffer, sizeof(buffer), 0);
      if (count <= 0) return false;
      request.append(buffer, static_cast<size_t>(count));
    }
    {
      std::lock_guard<std::mutex> lock(mutex_);
      requests_.push_back(request);
    }
    const Answer answer = Ask(request);
    if (!Send(client, answer)) return false;
    if (answer.then == Answer::Then::kHang) {
      while (recv(client, buffer, sizeof(buffer), 0) > 0) {
      }
    }
    if (answer.then == Answer::Then::kReset) {
      const linger at_once{1, 0};
      setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
    return answer.then == Answer::Then::kKeep;
  }

  Answer Ask(const std::string& request) {
    std::lock_guard<std::mutex> lock(handler_mutex_);
    return handler_(request);
  }

  static bool Send(int client, const Answer& answer) {
    for (size_t sent = 0; sent < answer.bytes.size();) {
      size_t length = answer.bytes.size() - sent;
      if (answer.piece > 0) length = std::min(length, answer.piece);
      const ssize_t count = send(client, answer.bytes.data() + sent, length, MSG_NOSIGNAL);
      if (count <= 0) return false;
      sent += static_cast<size_t>(count);
      if (answer.pause.count() > 0) std::this_thread::sleep_for(answer.pause);
    }
    return true;
  }

  const Handler handler_;
  std::mutex handler_mutex_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  LoopbackServer server_;
};

}  // namespace smtf

#endif  // SMTF_TESTS_S3_HTTP_SERVER_H_
