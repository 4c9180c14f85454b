// HTTP/1.1 over one connection: a request, its response, and so on.
#ifndef SMTF_S3_HTTP_CLIENT_H_
#define SMTF_S3_HTTP_CLIENT_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "s3/curl_socket.h"
#include "s3/http_head.h"
#include "s3/http_sink.h"

namespace smtf {

// Keeps the connection where the response allows that, and makes another where it does not. A
// request that finds a kept connection closed is sent again over a new one; so requests must be
// ones that may arrive twice. Not thread-safe, but for socket().Wake.
class HttpClient {
 public:
  using End = CurlSocket::End;

  explicit HttpClient(double stall_seconds);

  // `text` is a whole request, without a body, to a server at `origin` ("https://host:port").
  // kDone when the response is complete or the sink broke it off; kClosed and kBroken are told by
  // message(), and like kStalled may come in the middle of the body.
  End Exchange(const std::string& origin, std::string_view text, bool expect_body, HttpSink* sink,
               const std::atomic<bool>& stop);

  // From the request to the first byte of the body, in seconds; negative without one.
  double first_byte_seconds() const { return first_byte_seconds_; }
  // What went wrong, of the last kClosed or kBroken.
  const std::string& message() const { return message_; }
  CURLcode code() const { return code_; }

  // Of the last response; its status is 0 when none came as a whole.
  const HttpHead& head() const { return head_; }

  CurlSocket& socket() { return socket_; }

 private:
  enum class Framing { kNone, kLength, kChunked, kToClose };

  End Connect(const std::string& origin, const std::atomic<bool>& stop);
  End Send(std::string_view text, const std::atomic<bool>& stop);
  End TakeHead(const std::atomic<bool>& stop);
  End TakeBody(bool expect_body, const std::atomic<bool>& stop);
  End TakeChunks(const std::atomic<bool>& stop);
  End TakeBytes(uint64_t count, const std::atomic<bool>& stop);
  End TakeToClose(const std::atomic<bool>& stop);
  End TakeSome(uint64_t most, const std::atomic<bool>& stop, size_t* taken);
  End TakeLine(const std::atomic<bool>& stop, std::string_view* line);
  End Fill(size_t most, const std::atomic<bool>& stop);
  Framing FramingOf(bool expect_body) const;
  void NoteFirstByte();
  bool KeepsConnection() const;
  End Break(End end, std::string message);

  CurlSocket socket_;
  std::string origin_;  // of the open connection

  // Of the response under way.
  HttpHead head_;
  HttpSink* sink_ = nullptr;
  bool answered_ = false;    // a byte came
  bool broken_off_ = false;  // by the sink
  std::chrono::steady_clock::time_point sent_;
  double first_byte_seconds_ = -1;
  std::string message_;
  CURLcode code_ = CURLE_OK;

  // Received and not taken: buffer_[begin_, end_).
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace smtf

#endif  // SMTF_S3_HTTP_CLIENT_H_
