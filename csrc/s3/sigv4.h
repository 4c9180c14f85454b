// AWS Signature Version 4 for requests without a body.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
#ifndef SMTF_S3_SIGV4_H_
#define SMTF_S3_SIGV4_H_

#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "s3/sha256.h"

namespace smtf {

struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;  // empty for long-term keys
};

// `date` is YYYYMMDD.
Sha256::Digest DeriveSigningKey(const std::string& secret_key, const std::string& date,
                                const std::string& region, const std::string& service);

// `time` as x-amz-date has it: 20130524T000000Z.
std::string SigningTime(std::time_t time);

struct RequestToSign {
  std::string method;
  std::string path;   // encoded
  std::string query;  // canonical: encoded and sorted
  // Lower-case names in alphabetical order, values without surrounding blanks. Must hold host and
  // x-amz-date.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string payload_hash;  // what x-amz-content-sha256 says
};

// Deriving a signing key takes four HMACs, signing one, so the key of the day is kept. Not
// thread-safe: a connection has its own.
class SigV4Signer {
 public:
  SigV4Signer(std::string region, std::string service);

  // The value of the Authorization header. `time` is that of x-amz-date.
  std::string Authorization(const Credentials& credentials, const RequestToSign& request,
                            const std::string& time);

 private:
  const Sha256::Digest& KeyFor(const std::string& secret_key, const std::string& date);

  const std::string region_;
  const std::string service_;
  std::string key_secret_;
  std::string key_date_;
  Sha256::Digest key_{};
  Sha256 sha256_;
};

}  // namespace smtf

#endif  // SMTF_S3_SIGV4_H_
