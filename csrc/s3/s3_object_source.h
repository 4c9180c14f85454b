// Objects of an S3 bucket, fetched with libcurl.
#ifndef SMTF_S3_S3_OBJECT_SOURCE_H_
#define SMTF_S3_S3_OBJECT_SOURCE_H_

#include <memory>
#include <string>
#include <utility>

#include "prefetch/object_source.h"
#include "s3/s3_bucket.h"

namespace smtf {

// Every fetcher has one connection, kept alive, HTTP/1.1: S3 has no HTTP/2, and one connection to a
// thread is what scales. Proxies are libcurl's defaults (https_proxy, no_proxy, ...).
class S3ObjectSource : public ObjectSource {
 public:
  explicit S3ObjectSource(S3Options options) : bucket_(std::move(options)) {}

  // Signs every request from now on; before the first call requests are anonymous. Fetches under
  // way keep what they began with, but those that were refused are sent once more.
  void SetCredentials(Credentials credentials) {
    bucket_.credentials().Set(std::move(credentials));
  }
  // Null for anonymous.
  std::shared_ptr<const Credentials> credentials() { return bucket_.credentials().Get(); }
  // Waits until S3 refuses the credentials, which then wait for SetCredentials: see S3Credentials.
  bool WaitRefused(double seconds) { return bucket_.credentials().WaitRefused(seconds); }

  std::unique_ptr<ObjectFetcher> MakeFetcher(const FetchLimits& limits) override;
  std::string Describe(const ObjectRef& object) const override {
    return bucket_.Describe(object.name);
  }

  // What other connections to the same bucket are made of: listing, asking for sizes.
  S3Bucket& bucket() { return bucket_; }

 private:
  S3Bucket bucket_;
};

}  // namespace smtf

#endif  // SMTF_S3_S3_OBJECT_SOURCE_H_
