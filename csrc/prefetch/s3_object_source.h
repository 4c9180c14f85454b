// Objects of an S3 bucket, fetched with libcurl.
#ifndef SMTF_PREFETCH_S3_OBJECT_SOURCE_H_
#define SMTF_PREFETCH_S3_OBJECT_SOURCE_H_

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "prefetch/object_source.h"
#include "prefetch/s3_address.h"
#include "prefetch/sigv4.h"

namespace smtf {

struct S3Options {
  std::string endpoint_url;  // scheme, host and port
  std::string bucket;
  std::string region;         // for the signature
  bool virtual_host = false;  // the bucket as a host name instead of as the first path segment
  std::string ca_bundle;      // a PEM file or a directory; empty for the system's
  bool verify_tls = true;
};

// Every fetcher has one connection, kept alive, HTTP/1.1: S3 has no HTTP/2, and one connection to a
// thread is what scales. Proxies are libcurl's defaults (https_proxy, no_proxy, ...); redirects are
// not followed, because a redirected request would need another signature.
class S3ObjectSource : public ObjectSource {
 public:
  explicit S3ObjectSource(S3Options options);

  // Signs every request from now on; before the first call requests are anonymous. Fetches under
  // way keep what they began with.
  void SetCredentials(Credentials credentials);
  // Null for anonymous.
  std::shared_ptr<const Credentials> credentials() const;

  std::unique_ptr<ObjectFetcher> MakeFetcher(const FetchLimits& limits) override;
  std::string Describe(const ObjectRef& object) const override {
    return address_.Describe(object.name);
  }

  const S3Options& options() const { return options_; }
  const S3Address& address() const { return address_; }

 private:
  const S3Options options_;
  const S3Address address_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Credentials> credentials_;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_S3_OBJECT_SOURCE_H_
