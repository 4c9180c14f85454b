// A bucket and how to reach it: what all connections to it share.
#ifndef SMTF_S3_S3_BUCKET_H_
#define SMTF_S3_S3_BUCKET_H_

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "s3/curl_share.h"
#include "s3/s3_credentials.h"
#include "s3/s3_error.h"
#include "s3/s3_place.h"

namespace smtf {

struct S3Options {
  std::string endpoint_url;  // scheme, host and port
  std::string bucket;
  std::string region;         // for the signature
  bool virtual_host = false;  // the bucket as a host name instead of as the first path segment
  std::string ca_bundle;      // a PEM file or a directory; empty for the system's
  bool verify_tls = true;
  bool checksums = true;  // ask for the objects' checksums
};

// Thread-safe. Must outlive its connections.
class S3Bucket {
 public:
  // An Error of kind kInvalidArgument for an endpoint or a name that is none.
  explicit S3Bucket(S3Options options);

  const S3Options& options() const { return options_; }
  // "s3://bucket/key"
  std::string Describe(std::string_view key) const {
    return "s3://" + options_.bucket + "/" + std::string(key);
  }

  std::shared_ptr<const S3Place> place() const;

  // A request to `asked` was answered with a redirect. True when place() is another one now, to
  // which the request may be sent; otherwise the redirect stays the answer, and `*advice` says from
  // where to where it goes and why it was not followed. At most three moves are made without an
  // answer that is no redirect, and none to another scheme, or from AWS to anybody else.
  bool Follow(const std::shared_ptr<const S3Place>& asked, const S3Error& redirect,
              std::string* advice);
  // A request was answered with something else than a redirect.
  void OnArrival() noexcept;

  S3Credentials& credentials() { return credentials_; }
  CurlShare& share() { return share_; }

 private:
  const S3Options options_;
  S3Credentials credentials_;
  CurlShare share_;
  mutable std::mutex mutex_;
  std::shared_ptr<const S3Place> place_;
  std::atomic<int> moves_{0};  // since the last arrival
};

}  // namespace smtf

#endif  // SMTF_S3_S3_BUCKET_H_
