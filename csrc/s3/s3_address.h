// Where an S3 object lives, as URLs.
#ifndef SMTF_S3_S3_ADDRESS_H_
#define SMTF_S3_S3_ADDRESS_H_

#include <string>
#include <string_view>

namespace smtf {

// A key as S3 wants it in a URL and in its signature: RFC 3986's unreserved characters and '/' as
// they are, every other byte as %XX.
std::string EncodeKey(std::string_view key);
// The same for a name or a value in a query, where '/' is encoded too.
std::string EncodeQuery(std::string_view text);

// The addresses of one bucket's objects. Keys are used byte for byte: a leading slash or a ".."
// is part of the key.
class S3Address {
 public:
  // `endpoint_url` is scheme, host and port without a path. An Error of kind kInvalidArgument for
  // anything else.
  S3Address(const std::string& endpoint_url, const std::string& bucket, bool virtual_host);

  const std::string& scheme() const { return scheme_; }
  const std::string& bucket() const { return bucket_; }
  bool virtual_host() const { return virtual_host_; }
  // The endpoint's own, also where the bucket is a part of the host.
  const std::string& endpoint_host() const { return endpoint_host_; }

  // "http://127.0.0.1:9000"
  std::string origin() const { return scheme_ + "://" + host_; }
  // The Host header: without the port where that is the scheme's own.
  const std::string& host() const { return host_; }
  // The encoded path of a URL, which is also the canonical URI of its signature; of the bucket for
  // the empty key.
  std::string Path(std::string_view key) const;

 private:
  std::string scheme_;
  std::string endpoint_host_;
  std::string host_;
  std::string prefix_;
  std::string bucket_;
  bool virtual_host_;
};

}  // namespace smtf

#endif  // SMTF_S3_S3_ADDRESS_H_
