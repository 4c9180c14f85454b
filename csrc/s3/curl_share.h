// What libcurl's handles may share: TLS sessions and the addresses of hosts.
#ifndef SMTF_S3_CURL_SHARE_H_
#define SMTF_S3_CURL_SHARE_H_

#include <memory>

namespace smtf {

// Connections that are made at the same time do not all ask the name server, and each TLS handshake
// but the first is a short one. Thread-safe. Must outlive the handles that use it.
class CurlShare {
 public:
  // Initializes libcurl. An Error when that fails.
  CurlShare();
  ~CurlShare();
  CurlShare(const CurlShare&) = delete;
  CurlShare& operator=(const CurlShare&) = delete;

  // libcurl's CURLSH*.
  void* handle() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smtf

#endif  // SMTF_S3_CURL_SHARE_H_
