#include "s3/sigv4.h"

#include <string_view>

namespace smtf {
namespace {

constexpr char kAlgorithm[] = "AWS4-HMAC-SHA256";
constexpr size_t kDateLength = 8;  // YYYYMMDD

std::string Hex(const Sha256::Digest& digest) {
  static const char kHex[] = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += kHex[byte >> 4];
    hex += kHex[byte & 15];
  }
  return hex;
}

std::string SignedHeaders(const RequestToSign& request) {
  std::string names;
  for (const auto& header : request.headers) {
    if (!names.empty()) names += ';';
    names += header.first;
  }
  return names;
}

std::string CanonicalRequest(const RequestToSign& request, const std::string& signed_headers) {
  std::string text = request.method + '\n' + request.path + '\n' + request.query + '\n';
  for (const auto& [name, value] : request.headers) text += name + ':' + value + '\n';
  return text + '\n' + signed_headers + '\n' + request.payload_hash;
}

}  // namespace

Sha256::Digest DeriveSigningKey(const std::string& secret_key, const std::string& date,
                                const std::string& region, const std::string& service) {
  Sha256 sha256;
  const auto chain = [&](const Sha256::Digest& key, std::string_view message) {
    return sha256.Hmac(key.data(), key.size(), message);
  };
  const std::string start = "AWS4" + secret_key;
  const Sha256::Digest of_date = sha256.Hmac(start.data(), start.size(), date);
  return chain(chain(chain(of_date, region), service), "aws4_request");
}

std::string SigningTime(std::time_t time) {
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[32];
  const size_t length = std::strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &utc);
  return std::string(text, length);
}

SigV4Signer::SigV4Signer(std::string region, std::string service)
    : region_(std::move(region)), service_(std::move(service)) {}

std::string SigV4Signer::Authorization(const Credentials& credentials, const RequestToSign& request,
                                       const std::string& time) {
  const std::string date = time.substr(0, kDateLength);
  const std::string scope = date + '/' + region_ + '/' + service_ + "/aws4_request";
  const std::string signed_headers = SignedHeaders(request);
  const std::string string_to_sign = std::string(kAlgorithm) + '\n' + time + '\n' + scope + '\n' +
                                     Hex(sha256_.Of(CanonicalRequest(request, signed_headers)));
  const Sha256::Digest& key = KeyFor(credentials.secret_key, date);
  const Sha256::Digest signature = sha256_.Hmac(key.data(), key.size(), string_to_sign);
  return std::string(kAlgorithm) + " Credential=" + credentials.access_key + '/' + scope +
         ",SignedHeaders=" + signed_headers + ",Signature=" + Hex(signature);
}

const Sha256::Digest& SigV4Signer::KeyFor(const std::string& secret_key, const std::string& date) {
  if (date != key_date_ || secret_key != key_secret_) {
    key_ = DeriveSigningKey(secret_key, date, region_, service_);
    key_date_ = date;
    key_secret_ = secret_key;
  }
  return key_;
}

}  // namespace smtf
