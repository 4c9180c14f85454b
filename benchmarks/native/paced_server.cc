// paced_server FILE OBJECTS MB_PER_SECOND FIRST_BYTE_MS: an S3 server with OBJECTS objects that all
// have the bytes of FILE, behind a line that carries so much over all of its connections together.
// Every answer waits for FIRST_BYTE_MS. On a free port of the loopback interface, as long as its
// stdin is open; prints its URL. Any bucket has the objects; signatures are not looked at.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "s3/loopback_server.h"

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr size_t kPieceBytes = 256 << 10;
// What a sender that was woken late may make up for.
constexpr auto kSlack = std::chrono::milliseconds(5);
constexpr char kETag[] = "\"00000000000000000000000000000001\"";
// What S3 puts into one page, which is all that there is here.
constexpr int kMostObjects = 1000;

// A token bucket of `kSlack`. What nobody sends is lost, as on a line.
class Line {
 public:
  explicit Line(double bytes_per_second) : bytes_per_second_(bytes_per_second) {}

  // Waits until so many bytes have gone through.
  void Pass(size_t bytes) {
    const auto takes = std::chrono::duration_cast<Clock::duration>(
        Seconds(static_cast<double>(bytes) / bytes_per_second_));
    Clock::time_point until;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      free_ = std::max(free_, Clock::now() - kSlack) + takes;
      until = free_;
    }
    std::this_thread::sleep_until(until);
  }

 private:
  const double bytes_per_second_;
  std::mutex mutex_;
  Clock::time_point free_;  // when it has sent what it was given
};

std::string KeyOf(int index) {
  char key[32];
  std::snprintf(key, sizeof(key), "part-%05d.tfrecord", index);
  return key;
}

uint64_t SizeOf(int file, const char* path) {
  struct stat status{};
  if (file < 0 || fstat(file, &status) != 0 || status.st_size == 0) {
    throw std::runtime_error(std::string("cannot read ") + path);
  }
  return static_cast<uint64_t>(status.st_size);
}

std::string Head(const std::string& status, uint64_t length, const std::string& headers) {
  return "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: " + std::to_string(length) +
         "\r\n\r\n";
}

class PacedServer {
 public:
  PacedServer(const char* path, int objects, double bytes_per_second, Seconds first_byte)
      : objects_(objects),
        first_byte_(first_byte),
        file_(open(path, O_RDONLY | O_CLOEXEC)),
        size_(SizeOf(file_, path)),
        line_(bytes_per_second),
        server_([this](int client) { Serve(client); }) {}

  std::string url() const { return "http://" + server_.host(); }

 private:
  void Serve(int client) {
    const int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    std::string received;
    for (;;) {
      size_t end;
      while ((end = received.find("\r\n\r\n")) == std::string::npos) {
        char buffer[4096];
        const ssize_t count = recv(client, buffer, sizeof(buffer), 0);
        if (count <= 0) return;
        received.append(buffer, static_cast<size_t>(count));
      }
      const std::string request = received.substr(0, end + 2);
      received.erase(0, end + 4);
      std::this_thread::sleep_for(first_byte_);
      if (!Answer(client, request)) return;
    }
  }

  // "GET /bucket?list-type=2 HTTP/1.1", "GET /bucket/key HTTP/1.1"
  bool Answer(int client, const std::string& request) {
    const std::string target = request.substr(0, request.find("\r\n"));
    if (target.find("list-type=2") != std::string::npos) return SendList(client);
    const size_t key = target.find("/part-");
    const int index = key == std::string::npos ? -1 : std::atoi(target.c_str() + key + 6);
    if (index < 0 || index >= objects_) return Send(client, Head("404 Not Found", 0, ""), 0);
    return SendObject(client, request);
  }

  bool SendList(int client) {
    std::string xml =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        "<IsTruncated>false</IsTruncated>";
    for (int i = 0; i < objects_; ++i) {
      xml += "<Contents><Key>" + KeyOf(i) +
             "</Key><LastModified>2024-05-01T12:00:00.000Z</LastModified><ETag>" + kETag +
             "</ETag><Size>" + std::to_string(size_) + "</Size></Contents>";
    }
    xml += "</ListBucketResult>";
    return Send(client, Head("200 OK", xml.size(), "Content-Type: application/xml\r\n") + xml, 0);
  }

  bool SendObject(int client, const std::string& request) {
    uint64_t first = 0;
    uint64_t last = size_ - 1;
    std::string status = "200 OK";
    std::string headers = std::string("ETag: ") + kETag + "\r\n";
    const size_t range = request.find("ange: bytes=");
    if (range != std::string::npos) {
      unsigned long long from = 0;
      unsigned long long to = 0;
      const int found = std::sscanf(request.c_str() + range, "ange: bytes=%llu-%llu", &from, &to);
      if (found < 1 || from >= size_) return Send(client, Head("416 Not There", 0, ""), 0);
      first = from;
      if (found == 2) last = std::min<uint64_t>(to, last);
      status = "206 Partial Content";
      headers += "Content-Range: bytes " + std::to_string(first) + "-" + std::to_string(last) +
                 "/" + std::to_string(size_) + "\r\n";
    }
    return Send(client, Head(status, last - first + 1, headers), MSG_MORE) &&
           SendBytes(client, first, last + 1);
  }

  bool SendBytes(int client, uint64_t begin, uint64_t end) {
    while (begin < end) {
      const size_t piece = static_cast<size_t>(std::min<uint64_t>(kPieceBytes, end - begin));
      line_.Pass(piece);
      for (const uint64_t piece_end = begin + piece; begin < piece_end;) {
        auto offset = static_cast<off_t>(begin);
        const ssize_t count = sendfile(client, file_, &offset, piece_end - begin);
        if (count <= 0) return false;
        begin += static_cast<uint64_t>(count);
      }
    }
    return true;
  }

  static bool Send(int client, const std::string& bytes, int flags) {
    for (size_t sent = 0; sent < bytes.size();) {
      const ssize_t count =
          send(client, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | flags);
      if (count <= 0) return false;
      sent += static_cast<size_t>(count);
    }
    return true;
  }

  const int objects_;
  const Seconds first_byte_;
  const int file_;
  const uint64_t size_;
  Line line_;
  smtf::LoopbackServer server_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: paced_server FILE OBJECTS MB_PER_SECOND FIRST_BYTE_MS\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);  // sendfile has no MSG_NOSIGNAL
  try {
    const int objects = std::stoi(argv[2]);
    if (objects < 1 || objects > kMostObjects) throw std::runtime_error("1 to 1000 objects");
    PacedServer server(argv[1], objects, std::stod(argv[3]) * 1e6,
                       Seconds(std::stod(argv[4]) / 1000));
    std::printf("%s\n", server.url().c_str());
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "paced_server: %s\n", error.what());
    return 1;
  }
}
