// Whoever takes an HTTP response as it arrives.
#ifndef SMTF_S3_HTTP_SINK_H_
#define SMTF_S3_HTTP_SINK_H_

#include <cstddef>
#include <string_view>

#include "s3/http_head.h"

namespace smtf {

class HttpSink {
 public:
  struct Room {
    char* data = nullptr;
    size_t size = 0;
  };

  virtual ~HttpSink() = default;
  // Once, before the body. Not for interim responses (1xx).
  virtual void OnHead(const HttpHead& head) = 0;
  // Where the next bytes of the body may be received without a copy; empty for nowhere. What came
  // is told by OnReceived.
  virtual Room NextRoom() { return {}; }
  virtual void OnReceived(size_t /*count*/) {}
  // Bytes that came otherwise. False to break the connection off: the rest is of no use.
  virtual bool OnBody(std::string_view data) = 0;
};

}  // namespace smtf

#endif  // SMTF_S3_HTTP_SINK_H_
