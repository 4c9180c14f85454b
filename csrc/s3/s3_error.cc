#include "s3/s3_error.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <initializer_list>
#include <utility>

namespace smtf {
namespace {

constexpr size_t kLongestMessage = 300;
// Nobody waits longer; it also keeps nonsense out of the arithmetic.
constexpr double kLongestRetryAfter = 24 * 60 * 60;

std::string Unescape(std::string_view text) {
  static constexpr std::pair<std::string_view, char> kEntities[] = {
      {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
  std::string plain;
  while (!text.empty()) {
    size_t length = 1;
    char c = text.front();
    for (const auto& [entity, meaning] : kEntities) {
      if (text.substr(0, entity.size()) != entity) continue;
      length = entity.size();
      c = meaning;
    }
    plain += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    text.remove_prefix(length);
  }
  return plain;
}

bool IsOneOf(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

bool IsThrottle(const S3Error& error) {
  return error.status == 503 || error.status == 429 ||
         IsOneOf(error.code, {"SlowDown", "Throttling", "ThrottlingException", "ServiceUnavailable",
                              "RequestLimitExceeded", "TooManyRequests"});
}

// The codes count whatever the status: S3 may begin with 200 what ends as an error.
bool IsTransient(const S3Error& error) {
  return (error.status >= 500 && error.status != 501) || error.status == 408 ||
         IsOneOf(error.code, {"RequestTimeout", "InternalError"}) || IsThrottle(error);
}

// They were good once.
bool IsExpiry(std::string_view code) {
  return IsOneOf(code, {"ExpiredToken", "InvalidToken", "TokenRefreshRequired", "RequestExpired"});
}

ErrorKind KindOf(const S3Error& error) {
  if (IsTransient(error)) return ErrorKind::kUnavailable;
  if (error.status == 401 || error.status == 403 || IsExpiry(error.code)) {
    return ErrorKind::kPermissionDenied;
  }
  if (error.status == 404) return ErrorKind::kNotFound;
  if (error.status == 412) return ErrorKind::kFailedPrecondition;
  if (error.status == 416) return ErrorKind::kDataLoss;
  return error.status >= 500 ? ErrorKind::kUnavailable : ErrorKind::kInvalidArgument;
}

std::string AdviceForRefusal(const S3Error& error) {
  if (error.code == "RequestTimeTooSkewed") {
    return "set this machine's clock" +
           (error.server_time.empty() ? "" : "; it is " + error.server_time + " at the server");
  }
  if (IsExpiry(error.code)) return "the credentials have expired; renew them";
  if (error.code == "SignatureDoesNotMatch") {
    return "check the secret key, and the region and endpoint that were signed for";
  }
  if (error.code == "InvalidAccessKeyId") {
    return "the server does not know the access key; check the credentials and the endpoint";
  }
  return "check the credentials and that they allow s3:GetObject on it, or s3:ListBucket for a "
         "listing";
}

std::string AdviceFor(const S3Error& error) {
  if (IsThrottle(error)) return "lower connections or raise retry_seconds";
  if (IsTransient(error)) return "raise retry_seconds if the server recovers slowly";
  if (IsRedirect(error)) {
    return error.region.empty() ? "use the bucket's own region and endpoint"
                                : "the bucket is in " + error.region + "; use that region";
  }
  if (KindOf(error) == ErrorKind::kPermissionDenied) return AdviceForRefusal(error);
  switch (error.status) {
    case 404:
      return error.code == "NoSuchBucket"
                 ? "check the name of the bucket and the endpoint"
                 : "it was deleted after it was listed, or never was there";
    case 412:
      return "it was replaced after it was listed; do not write to a channel while it is streamed";
    case 416:
      return "it is shorter than it was when it was listed";
    default:
      return "";
  }
}

}  // namespace

std::string XmlText(std::string_view xml, std::string_view element) {
  const std::string opening = "<" + std::string(element) + ">";
  const size_t begin = xml.find(opening);
  if (begin == std::string_view::npos) return "";
  xml.remove_prefix(begin + opening.size());
  const size_t end = xml.find("</" + std::string(element) + ">");
  if (end == std::string_view::npos) return "";
  return Unescape(xml.substr(0, std::min(end, kLongestMessage)));
}

bool IsErrorDocument(std::string_view body) {
  if (body.substr(0, 5) == "<?xml")
    body.remove_prefix(std::min(body.find("?>"), body.size() - 2) + 2);
  body.remove_prefix(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
  return body.substr(0, 7) == "<Error>";
}

S3Error ReadS3Error(const HttpHead& head, std::string_view body) {
  S3Error error;
  error.status = head.status();
  error.reason = head.reason();
  error.code = XmlText(body, "Code");
  error.message = XmlText(body, "Message");
  error.region = head.Find("x-amz-bucket-region");
  if (error.region.empty()) error.region = XmlText(body, "Region");
  error.location = head.Find("location");
  if (error.location.empty()) error.location = XmlText(body, "Endpoint");
  error.server_time = XmlText(body, "ServerTime");
  error.retry_after_seconds = ParseRetryAfter(head.Find("retry-after"));
  return error;
}

FetchResult ClassifyS3Error(const S3Error& error) {
  FetchResult result;
  result.status = IsTransient(error) ? FetchResult::Status::kRetry : FetchResult::Status::kFailed;
  result.kind = KindOf(error);
  result.what = std::to_string(error.status);
  if (!error.code.empty()) {
    result.what += " " + error.code;
  } else if (!error.reason.empty()) {
    result.what += " " + error.reason;
  }
  if (!error.message.empty()) result.what += " (" + error.message + ")";
  result.advice = AdviceFor(error);
  result.throttled = IsThrottle(error);
  result.retry_after_seconds = error.retry_after_seconds;
  return result;
}

bool IsRedirect(const S3Error& error) {
  switch (error.status) {
    case 301:
    case 302:
    case 307:
    case 308:
      return true;
    case 400:
      return !error.region.empty() &&
             (error.code.empty() || error.code == "AuthorizationHeaderMalformed");
    default:
      return false;
  }
}

bool IsAboutCredentials(const S3Error& error) {
  if (error.status == 401) return true;
  if (error.status == 400) return error.code.empty() || IsExpiry(error.code);
  return error.status == 403 &&
         (error.code.empty() || IsExpiry(error.code) ||
          IsOneOf(error.code, {"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied"}));
}

double ParseRetryAfter(std::string_view value) {
  const std::string text(value);
  char* end = nullptr;
  double seconds = std::strtod(text.c_str(), &end);
  if (end == text.c_str()) {
    std::tm utc{};
    if (!strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &utc)) return 0;
    seconds = std::difftime(timegm(&utc), std::time(nullptr));
  }
  return std::min(std::max(0.0, seconds), kLongestRetryAfter);
}

}  // namespace smtf
