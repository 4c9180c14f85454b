// raw_fetch OPTIONS: reads objects over plain HTTP with sockets and nothing else, to show what the
// machine can do: no order, no TLS, no retries, every byte received into one small buffer and
// forgotten. The options are those of fetch_job.h; --connections N are as many threads, and
// --part-bytes 0 reads whole objects.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "fetch_job.h"

namespace {

// Stays in a core's second-level cache.
constexpr size_t kBufferBytes = 256 * 1024;

struct Request {
  std::string text;
  uint64_t bytes;
};

// The host and port of "http://127.0.0.1:9000".
std::string Authority(const std::string& endpoint_url) {
  constexpr std::string_view kScheme = "http://";
  if (endpoint_url.compare(0, kScheme.size(), kScheme) != 0) {
    throw std::runtime_error(endpoint_url + " is not plain HTTP");
  }
  return endpoint_url.substr(kScheme.size());
}

std::vector<Request> MakeRequests(const FetchJob& job) {
  std::vector<Request> requests;
  const std::string host = "Host: " + Authority(job.endpoint_url) + "\r\n";
  for (const FetchJob::Object& object : job.objects) {
    const std::string get = "GET /" + job.bucket + "/" + object.key + " HTTP/1.1\r\n" + host;
    const uint64_t step = job.part_bytes == 0 ? object.size : job.part_bytes;
    for (uint64_t begin = 0; begin < object.size; begin += step) {
      const uint64_t bytes = std::min(step, object.size - begin);
      const std::string range = "Range: bytes=" + std::to_string(begin) + "-" +
                                std::to_string(begin + bytes - 1) + "\r\n";
      requests.push_back({get + (bytes < object.size ? range : "") + "\r\n", bytes});
    }
  }
  return requests;
}

class Connection {
 public:
  explicit Connection(const std::string& authority) : buffer_(kBufferBytes) {
    const size_t colon = authority.rfind(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(authority.substr(colon + 1))));
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (inet_pton(AF_INET, authority.substr(0, colon).c_str(), &address.sin_addr) != 1 ||
        connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect to " + authority + ": " + std::strerror(errno));
    }
  }
  ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Fetch(const Request& request) {
    if (send(fd_, request.text.data(), request.text.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.text.size())) {
      throw std::runtime_error("cannot send a request");
    }
    // No request is sent before the answer to the last was read: all that follows is this body.
    uint64_t got = ReceiveHeader(request);
    while (got < request.bytes) got += Receive(0);
    if (got != request.bytes) throw std::runtime_error("more came than was asked for");
  }

 private:
  size_t Receive(size_t at) {
    const ssize_t got = recv(fd_, buffer_.data() + at, buffer_.size() - at, 0);
    if (got <= 0) throw std::runtime_error("the server closed the connection");
    return static_cast<size_t>(got);
  }

  // Returns how many bytes of the body came with the header.
  uint64_t ReceiveHeader(const Request& request) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    for (size_t filled = 0;;) {
      filled += Receive(filled);
      const std::string_view seen(buffer_.data(), filled);
      const size_t end = seen.find(kEnd);
      if (end == std::string_view::npos) continue;
      if (seen.compare(0, 10, "HTTP/1.1 2") != 0) {
        throw std::runtime_error(request.text + "was answered by\n" +
                                 std::string(seen.substr(0, end)));
      }
      return filled - end - kEnd.size();
    }
  }

  int fd_;
  std::vector<char> buffer_;
};

void FetchShare(const FetchJob& job, const std::vector<Request>& requests,
                std::atomic<size_t>* next, std::atomic<uint64_t>* bytes) {
  Connection connection(Authority(job.endpoint_url));
  for (size_t i; (i = (*next)++) < requests.size();) {
    connection.Fetch(requests[i]);
    *bytes += requests[i].bytes;
  }
}

uint64_t FetchAll(const FetchJob& job) {
  const std::vector<Request> requests = MakeRequests(job);
  std::atomic<size_t> next{0};
  std::atomic<uint64_t> bytes{0};
  std::vector<std::exception_ptr> failures(static_cast<size_t>(job.connections));
  std::vector<std::thread> threads;
  for (std::exception_ptr& failure : failures) {
    threads.emplace_back([&] {
      try {
        FetchShare(job, requests, &next, &bytes);
      } catch (...) {
        failure = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const FetchJob job = ParseFetchJob(argc, argv);
    TimeAndPrint([&] { return FetchAll(job); });
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "raw_fetch: %s\n", error.what());
    return 1;
  }
}
