#include "s3/s3_response.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "s3/s3_error.h"

namespace smtf {
namespace {

using Status = FetchResult::Status;

constexpr size_t kLongestErrorBody = 16 * 1024;
constexpr char kDoNotWrite[] = "do not write to a channel while it is streamed";

bool TakePrefix(std::string_view* text, std::string_view prefix) {
  if (text->substr(0, prefix.size()) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

std::string_view Unquoted(std::string_view etag) {
  TakePrefix(&etag, "W/");
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return etag;
}

struct ContentRange {
  uint64_t begin = 0;
  uint64_t end = 0;
  std::optional<uint64_t> total;
};

// "bytes 5-9/20", or "bytes 5-9/*".
std::optional<ContentRange> ParseContentRange(std::string_view value) {
  if (!TakePrefix(&value, "bytes ")) return std::nullopt;
  const auto begin = TakeNumber(&value);
  if (!begin || !TakePrefix(&value, "-")) return std::nullopt;
  const auto end = TakeNumber(&value);
  if (!end || !TakePrefix(&value, "/")) return std::nullopt;
  return ContentRange{*begin, *end, TakeNumber(&value)};
}

}  // namespace

void S3Response::Begin(const FetchRequest& request) {
  request_ = request;
  skip_ = 0;
  filled_ = 0;
  to_end_of_object_ = false;
  checksum_.reset();
  refused_.reset();
  suspect_.Clear();
  suspect_body_.clear();
}

void S3Response::OnHead(const HttpHead& head) {
  CheckETag(head.Find("etag"));
  const std::string_view content_range = head.Find("content-range");
  // Some servers send one with status 200 too.
  if (head.status() == 206 || !content_range.empty()) {
    CheckContentRange(content_range);
  } else {
    CheckWholeObject(head);
  }
  TakeChecksum(head);
}

void S3Response::CheckETag(std::string_view etag) {
  const std::string_view listed = Unquoted(request_.object.etag);
  if (listed.empty() || etag.empty() || Unquoted(etag) == listed) return;
  // The server does not honour If-Match.
  Refuse(
      ErrorKind::kFailedPrecondition,
      "ETag " + std::string(etag) + " instead of the listed " + std::string(request_.object.etag),
      std::string("it was replaced after it was listed; ") + kDoNotWrite);
}

void S3Response::CheckContentRange(std::string_view value) {
  const uint64_t size = request_.object.size;
  const auto range = ParseContentRange(value);
  if (!range || range->begin != request_.offset || range->end < range->begin) {
    Refuse(ErrorKind::kDataLoss,
           value.empty() ? "bytes without a Content-Range that says which"
                         : "bytes that were not asked for: Content-Range: " +
                               std::string(value.substr(0, 100)),
           "the server, or a proxy before it, does not do range requests properly");
    refused_->status = Status::kRetry;  // another server behind the same name may do better
    return;
  }
  if (range->total && *range->total != size) {
    Refuse(ErrorKind::kDataLoss,
           "the object has " + std::to_string(*range->total) + " bytes and had " +
               std::to_string(size) + " when it was listed",
           kDoNotWrite);
  }
}

void S3Response::CheckWholeObject(const HttpHead& head) {
  const uint64_t size = request_.object.size;
  const auto length = head.content_length();
  const bool asked_from_start = request_.offset == 0 && length && *length == request_.size;
  skip_ = request_.offset;
  to_end_of_object_ = request_.offset + request_.size == size;
  if (!length || *length == size || asked_from_start) return;
  if (*length <= kLongestErrorBody) suspect_ = head;
  Refuse(ErrorKind::kDataLoss,
         "200 with " + std::to_string(*length) + " bytes for an object that had " +
             std::to_string(size) + " when it was listed",
         kDoNotWrite);
}

// One that is made of those of a multipart upload's parts says nothing about the bytes.
void S3Response::TakeChecksum(const HttpHead& head) {
  if (head.Find("x-amz-checksum-type") == "COMPOSITE") return;
  for (size_t i = 0; i < head.size() && !checksum_; ++i) {
    checksum_ = ParseChecksumHeader(head.name(i), head.value(i));
  }
}

HttpSink::Room S3Response::NextRoom() {
  if (refused_ || skip_ > 0) return {};
  return {request_.dst + filled_, request_.size - filled_};
}

bool S3Response::OnBody(std::string_view data) {
  if (refused_) {
    if (suspect_.status() == 0) return false;
    suspect_body_.append(data.substr(0, kLongestErrorBody - suspect_body_.size()));
    return suspect_body_.size() < kLongestErrorBody;
  }
  const size_t skipped = static_cast<size_t>(std::min<uint64_t>(skip_, data.size()));
  skip_ -= skipped;
  data.remove_prefix(skipped);
  const size_t length = std::min(data.size(), request_.size - filled_);
  std::memcpy(request_.dst + filled_, data.data(), length);
  filled_ += length;
  if (length == data.size()) return true;
  if (to_end_of_object_) {
    Refuse(ErrorKind::kDataLoss,
           "more bytes than the " + std::to_string(request_.object.size) +
               " that the object had when it was listed",
           kDoNotWrite);
  }
  return false;
}

FetchResult S3Response::Finish(FetchResult verdict) {
  if (refused_) {
    if (!IsErrorDocument(suspect_body_)) return *refused_;
    return ClassifyS3Error(ReadS3Error(suspect_, suspect_body_));
  }
  FetchResult result;
  if (filled_ != request_.size) {
    result = verdict;
    if (verdict.status == Status::kDone) {
      result.status = Status::kRetry;
      result.kind = ErrorKind::kDataLoss;
      result.what = "the body ended after " + std::to_string(filled_) + " of " +
                    std::to_string(request_.size) + " bytes";
      result.advice = "the object is shorter than listed, or a proxy cuts responses short";
    }
  }
  result.bytes = filled_;
  result.first_byte_seconds = verdict.first_byte_seconds;
  result.checksum = checksum_;
  return result;
}

void S3Response::Refuse(ErrorKind kind, std::string what, std::string advice) {
  if (refused_) return;
  refused_.emplace();
  refused_->status = Status::kFailed;
  refused_->kind = kind;
  refused_->what = std::move(what);
  refused_->advice = std::move(advice);
}

}  // namespace smtf
