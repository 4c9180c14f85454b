#include "s3/s3_exchange.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

namespace smtf {
namespace {

using End = HttpClient::End;
using Status = FetchResult::Status;

constexpr double kConnectSeconds = 10;
// S3 takes it instead of the body's hash.
constexpr char kUnsignedPayload[] = "UNSIGNED-PAYLOAD";
// S3's errors are a few hundred bytes; a proxy's page may be anything.
constexpr size_t kLongestErrorBody = 16 * 1024;

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// Trouble that asking again does not mend.
bool IsPermanent(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return true;
    default:
      return false;
  }
}

std::string AdviceFor(CURLcode code, const std::string& origin) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
      return "check that " + origin +
             " is the right endpoint, or name the certificates that its own is signed with as "
             "ca_bundle";
    case CURLE_SSL_CACERT_BADFILE:
      return "name a file of certificates in PEM, or a directory of them, as ca_bundle";
    default:
      return "check that " + origin + " is up and can be reached";
  }
}

}  // namespace

S3Exchange::S3Exchange(S3Bucket* bucket, const FetchLimits& limits)
    : limits_(limits), client_(limits.stall_seconds) {
  SetOptions(bucket);
  SetTrust(bucket->options());
}

void S3Exchange::SetOptions(S3Bucket* bucket) {
  CurlSocket& socket = client_.socket();
  socket.Set(CURLOPT_SHARE, static_cast<CURLSH*>(bucket->share().handle()));
  socket.Set(CURLOPT_TCP_NODELAY, 1L);
  socket.Set(CURLOPT_TCP_KEEPALIVE, 1L);
  const double connect_seconds = std::min(kConnectSeconds, limits_.stall_seconds);
  socket.Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_seconds * 1000) + 1);
}

void S3Exchange::SetTrust(const S3Options& options) {
  CurlSocket& socket = client_.socket();
  if (!options.verify_tls) {
    socket.Set(CURLOPT_SSL_VERIFYPEER, 0L);
    socket.Set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (options.ca_bundle.empty()) return;
  struct stat status{};
  if (stat(options.ca_bundle.c_str(), &status) != 0) {
    throw SystemError("the CA bundle " + options.ca_bundle, errno);
  }
  socket.Set(S_ISDIR(status.st_mode) ? CURLOPT_CAPATH : CURLOPT_CAINFO, options.ca_bundle.c_str());
}

S3Exchange::Outcome S3Exchange::Run(const S3Request& request, const S3Place& place,
                                    const Credentials* credentials, HttpSink* sink,
                                    const std::atomic<bool>& stop) {
  sink_ = sink;
  error_body_.clear();
  const std::string text = TextOf(request, place, credentials);
  const bool expect_body = request.method != S3Request::Method::kHead;
  Outcome outcome =
      Conclude(client_.Exchange(place.address.origin(), text, expect_body, this, stop), place);
  outcome.result.first_byte_seconds = client_.first_byte_seconds();
  return outcome;
}

std::string S3Exchange::TextOf(const S3Request& request, const S3Place& place,
                               const Credentials* credentials) {
  RequestToSign to_sign;
  to_sign.method = request.method == S3Request::Method::kHead ? "HEAD" : "GET";
  to_sign.path = place.address.Path(request.key);
  to_sign.query = request.query;
  to_sign.headers = request.headers;
  for (const auto& [name, value] : to_sign.headers) {
    if (HasControlCharacter(value)) {
      throw Error(ErrorKind::kInvalidArgument, "its header " + name + " holds a control character");
    }
  }
  to_sign.headers.emplace_back("host", place.address.host());
  if (credentials) Sign(*credentials, place.region, &to_sign);
  std::string text;
  text.reserve(2048);
  text.append(to_sign.method).append(" ").append(to_sign.path);
  if (!to_sign.query.empty()) text.append("?").append(to_sign.query);
  text += " HTTP/1.1\r\nuser-agent: sagemaker-tensorflow\r\n";
  for (const auto& [name, value] : to_sign.headers) {
    text.append(name).append(": ").append(value).append("\r\n");
  }
  return text += "\r\n";
}

void S3Exchange::Sign(const Credentials& credentials, const std::string& region,
                      RequestToSign* request) {
  if (!signer_ || region != signer_region_) {
    signer_.emplace(region, "s3");
    signer_region_ = region;
  }
  const std::string time = SigningTime(std::time(nullptr));
  request->payload_hash = kUnsignedPayload;
  request->headers.emplace_back("x-amz-content-sha256", kUnsignedPayload);
  request->headers.emplace_back("x-amz-date", time);
  if (!credentials.session_token.empty()) {
    request->headers.emplace_back("x-amz-security-token", credentials.session_token);
  }
  std::sort(request->headers.begin(), request->headers.end());
  request->headers.emplace_back("authorization",
                                signer_->Authorization(credentials, *request, time));
}

S3Exchange::Outcome S3Exchange::Conclude(End end, const S3Place& place) {
  Outcome outcome;
  const HttpHead& head = client_.head();
  if (end == End::kStopped) {
    outcome.result.status = Status::kStopped;
    return outcome;
  }
  if (head.status() != 0 && !head.succeeded()) {
    S3Error error = ReadS3Error(head, error_body_);
    // A body that was cut before it said what it is about leaves only the status.
    if (end == End::kDone || !error.code.empty() || error.status >= 500) {
      outcome.result = ClassifyS3Error(error);
      outcome.error = std::move(error);
      return outcome;
    }
  }
  if (end == End::kStalled) {
    outcome.result.status = Status::kRetry;
    outcome.result.what =
        "no byte for " + std::to_string(static_cast<int>(limits_.stall_seconds + 0.5)) + " s";
    outcome.result.advice = "check the network, or raise stall_seconds";
  } else if (end != End::kDone) {
    outcome.result = Broken(place);
  }
  return outcome;
}

FetchResult S3Exchange::Broken(const S3Place& place) const {
  FetchResult result;
  result.status = IsPermanent(client_.code()) ? Status::kFailed : Status::kRetry;
  result.kind = ErrorKind::kUnavailable;
  result.what = client_.message();
  result.advice = AdviceFor(client_.code(), place.address.origin());
  return result;
}

void S3Exchange::OnHead(const HttpHead& head) {
  if (head.succeeded()) sink_->OnHead(head);
}

HttpSink::Room S3Exchange::NextRoom() {
  return client_.head().succeeded() ? sink_->NextRoom() : Room();
}

bool S3Exchange::OnBody(std::string_view data) {
  if (client_.head().succeeded()) return sink_->OnBody(data);
  error_body_.append(data.substr(0, kLongestErrorBody - error_body_.size()));
  return error_body_.size() < kLongestErrorBody;
}

}  // namespace smtf
