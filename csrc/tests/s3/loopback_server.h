// Connections to a free port of the loopback interface, each with a thread of its own.
#ifndef SMTF_TESTS_S3_LOOPBACK_SERVER_H_
#define SMTF_TESTS_S3_LOOPBACK_SERVER_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "errors.h"

namespace smtf {

// From construction to destruction, which ends every connection and waits for its thread: as a
// member it is the last, because the threads use the others.
class LoopbackServer {
 public:
  // Called once for each connection, by its thread; the connection is closed when it returns.
  using Serve = std::function<void(int client)>;

  // An Error of kind kInternal if it cannot listen.
  explicit LoopbackServer(Serve serve) : serve_(std::move(serve)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof(address);
    if (listener_ < 0 ||
        bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
        listen(listener_, 64) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      throw Error(ErrorKind::kInternal, "cannot listen on the loopback interface");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~LoopbackServer() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    close(listener_);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      for (const int client : clients_) shutdown(client, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
  }
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  // How many there were, those that have ended included.
  int connections() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return static_cast<int>(threads_.size());
  }

 private:
  void Accept() {
    for (;;) {
      const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) return;
      std::lock_guard<std::mutex> lock(mutex_);
      clients_.insert(client);
      threads_.emplace_back([this, client] { ServeAndClose(client); });
    }
  }

  void ServeAndClose(int client) {
    serve_(client);
    std::lock_guard<std::mutex> lock(mutex_);
    clients_.erase(client);
    close(client);
  }

  const Serve serve_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::set<int> clients_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace smtf

#endif  // SMTF_TESTS_S3_LOOPBACK_SERVER_H_
