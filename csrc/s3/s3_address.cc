#include "s3/s3_address.h"

#include "errors.h"

namespace smtf {
namespace {

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

bool EndsWith(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::string Encode(std::string_view text, bool keep_slashes) {
  static const char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c) || (c == '/' && keep_slashes)) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += '%';
      encoded += kHex[byte >> 4];
      encoded += kHex[byte & 15];
    }
  }
  return encoded;
}

}  // namespace

std::string EncodeKey(std::string_view key) { return Encode(key, true); }

std::string EncodeQuery(std::string_view text) { return Encode(text, false); }

S3Address::S3Address(const std::string& endpoint_url, const std::string& bucket, bool virtual_host)
    : bucket_(bucket), virtual_host_(virtual_host) {
  const size_t colon = endpoint_url.find("://");
  if (colon != std::string::npos) {
    scheme_ = endpoint_url.substr(0, colon);
    endpoint_host_ = endpoint_url.substr(colon + 3);
  }
  if (EndsWith(endpoint_host_, "/")) endpoint_host_.pop_back();
  if ((scheme_ != "http" && scheme_ != "https") || endpoint_host_.empty() ||
      endpoint_host_.find_first_of("/?#@ \t\r\n") != std::string::npos) {
    throw Error(ErrorKind::kInvalidArgument,
                "the S3 endpoint must look like https://host:port, without user name and path");
  }
  const std::string own_port = scheme_ == "http" ? ":80" : ":443";
  if (EndsWith(endpoint_host_, own_port)) {
    endpoint_host_.resize(endpoint_host_.size() - own_port.size());
  }
  if (bucket.empty() || bucket.find_first_of("/ \t\r\n") != std::string::npos) {
    throw Error(ErrorKind::kInvalidArgument, "'" + bucket + "' is not the name of a bucket");
  }
  host_ = virtual_host ? bucket + "." + endpoint_host_ : endpoint_host_;
  prefix_ = virtual_host ? "/" : "/" + EncodeKey(bucket) + "/";
}

// botocore asks for a bucket at the end of the path without a slash behind it; not every server
// takes one.
std::string S3Address::Path(std::string_view key) const {
  if (key.empty() && !virtual_host_) return prefix_.substr(0, prefix_.size() - 1);
  return prefix_ + EncodeKey(key);
}

}  // namespace smtf
