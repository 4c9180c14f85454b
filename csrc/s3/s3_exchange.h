// One request to S3 and its response.
#ifndef SMTF_S3_S3_EXCHANGE_H_
#define SMTF_S3_S3_EXCHANGE_H_

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "prefetch/object_source.h"
#include "s3/http_client.h"
#include "s3/s3_bucket.h"
#include "s3/s3_connection.h"
#include "s3/s3_error.h"
#include "s3/s3_place.h"
#include "s3/sigv4.h"

namespace smtf {

// Signs a request, sends it over a connection that is kept, and takes the response apart: what was
// asked for goes to the sink, an error is kept. One thread at a time, but for Wake.
class S3Exchange : private HttpSink {
 public:
  struct Outcome {
    FetchResult result;
    std::optional<S3Error> error;  // S3's answer was this
  };

  // Uses the bucket's options and share. An Error when the CA bundle cannot be read.
  S3Exchange(S3Bucket* bucket, const FetchLimits& limits);

  // Null credentials do not sign.
  Outcome Run(const S3Request& request, const S3Place& place, const Credentials* credentials,
              HttpSink* sink, const std::atomic<bool>& stop);

  void Sleep(double seconds, const std::atomic<bool>& stop) {
    client_.socket().Sleep(seconds, stop);
  }
  void Wake() noexcept { client_.socket().Wake(); }

 private:
  void SetOptions(S3Bucket* bucket);
  void SetTrust(const S3Options& options);
  std::string TextOf(const S3Request& request, const S3Place& place,
                     const Credentials* credentials);
  void Sign(const Credentials& credentials, const std::string& region, RequestToSign* request);
  Outcome Conclude(HttpClient::End end, const S3Place& place);
  FetchResult Broken(const S3Place& place) const;

  // Tells an error's response from the one that was asked for.
  void OnHead(const HttpHead& head) override;
  Room NextRoom() override;
  void OnReceived(size_t count) override { sink_->OnReceived(count); }
  bool OnBody(std::string_view data) override;

  const FetchLimits limits_;
  HttpClient client_;
  std::optional<SigV4Signer> signer_;
  std::string signer_region_;

  // Of the response under way.
  HttpSink* sink_ = nullptr;
  std::string error_body_;
};

}  // namespace smtf

#endif  // SMTF_S3_S3_EXCHANGE_H_
