#include "s3/s3_object_source.h"

#include "s3/s3_connection.h"
#include "s3/s3_response.h"

namespace smtf {
namespace {

class S3Fetcher : public ObjectFetcher {
 public:
  S3Fetcher(S3Bucket* bucket, const FetchLimits& limits)
      : checksums_(bucket->options().checksums), connection_(bucket, limits) {}

  FetchResult Fetch(const FetchRequest& request, const std::atomic<bool>& stop) override {
    response_.Begin(request);
    return response_.Finish(connection_.Send(Get(request), &response_, stop));
  }

  void Nudge() noexcept override { connection_.Nudge(); }

 private:
  S3Request Get(const FetchRequest& request) const;

  const bool checksums_;
  S3Connection connection_;
  S3Response response_;
};

S3Request S3Fetcher::Get(const FetchRequest& request) const {
  S3Request get;
  get.key = request.object.name;
  get.headers.reserve(8);
  if (!request.object.etag.empty()) get.headers.emplace_back("if-match", request.object.etag);
  // S3 sends an object's checksum only where the whole object is asked for.
  if (request.offset != 0 || request.size != request.object.size) {
    get.headers.emplace_back("range", "bytes=" + std::to_string(request.offset) + "-" +
                                          std::to_string(request.offset + request.size - 1));
  }
  if (checksums_) get.headers.emplace_back("x-amz-checksum-mode", "ENABLED");
  return get;
}

}  // namespace

std::unique_ptr<ObjectFetcher> S3ObjectSource::MakeFetcher(const FetchLimits& limits) {
  return std::make_unique<S3Fetcher>(&bucket_, limits);
}

}  // namespace smtf
