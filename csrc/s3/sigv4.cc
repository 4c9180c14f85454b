#include "s3/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string_view>

#include "errors.h"

namespace smtf {
namespace {

using Digest = SigningKey;

constexpr char kAlgorithm[] = "AWS4-HMAC-SHA256";
constexpr size_t kDateLength = 8;  // YYYYMMDD

void Require(bool succeeded) {
  if (!succeeded) throw Error(ErrorKind::kInternal, "libcrypto cannot compute SHA-256");
}

Digest Sha256(std::string_view data) {
  Digest digest;
  Require(EVP_Digest(data.data(), data.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

Digest Hmac(const void* key, size_t key_length, std::string_view data) {
  Digest digest;
  unsigned length = 0;
  Require(HMAC(EVP_sha256(), key, static_cast<int>(key_length),
               reinterpret_cast<const unsigned char*>(data.data()), data.size(), digest.data(),
               &length) != nullptr);
  return digest;
}

Digest Hmac(const Digest& key, std::string_view data) { return Hmac(key.data(), key.size(), data); }

std::string Hex(const Digest& digest) {
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

SigningKey DeriveSigningKey(const std::string& secret_key, const std::string& date,
                            const std::string& region, const std::string& service) {
  const std::string start = "AWS4" + secret_key;
  const Digest of_date = Hmac(start.data(), start.size(), date);
  return Hmac(Hmac(Hmac(of_date, region), service), "aws4_request");
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
                                     Hex(Sha256(CanonicalRequest(request, signed_headers)));
  const Digest signature = Hmac(KeyFor(credentials.secret_key, date), string_to_sign);
  return std::string(kAlgorithm) + " Credential=" + credentials.access_key + '/' + scope +
         ",SignedHeaders=" + signed_headers + ",Signature=" + Hex(signature);
}

const SigningKey& SigV4Signer::KeyFor(const std::string& secret_key, const std::string& date) {
  if (date != key_date_ || secret_key != key_secret_) {
    key_ = DeriveSigningKey(secret_key, date, region_, service_);
    key_date_ = date;
    key_secret_ = secret_key;
  }
  return key_;
}

}  // namespace smtf
