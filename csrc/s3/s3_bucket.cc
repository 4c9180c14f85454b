#include "s3/s3_bucket.h"

#include <utility>

namespace smtf {
namespace {

constexpr int kMostMoves = 3;

}  // namespace

S3Bucket::S3Bucket(S3Options options)
    : options_(std::move(options)),
      place_(std::make_shared<const S3Place>(
          S3Place{S3Address(options_.endpoint_url, options_.bucket, options_.virtual_host),
                  options_.region})) {}

std::shared_ptr<const S3Place> S3Bucket::place() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return place_;
}

bool S3Bucket::Follow(const std::shared_ptr<const S3Place>& asked, const S3Error& redirect,
                      std::string* advice) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (asked != place_) return true;  // another connection was told before
  std::string why_not;
  auto next = PlaceAfter(*asked, redirect, &why_not);
  if (next && moves_ < kMostMoves) {
    ++moves_;
    place_ = std::make_shared<const S3Place>(*std::move(next));
    return true;
  }
  if (next) {
    why_not = "it was sent to " + next->Describe() + ", after " + std::to_string(kMostMoves) +
              " other places, and that was not followed";
  }
  *advice = "it was asked for at " + asked->Describe() + "; " + why_not + "; set endpoint_url" +
            (redirect.region.empty() ? " and region to those of the bucket"
                                     : " to the bucket's and region to " + redirect.region);
  return false;
}

void S3Bucket::OnArrival() noexcept {
  if (moves_.load(std::memory_order_relaxed) != 0) moves_ = 0;
}

}  // namespace smtf
