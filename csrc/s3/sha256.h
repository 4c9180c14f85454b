// SHA-256 and its HMAC, by libcrypto, for many short texts.
#ifndef SMTF_S3_SHA256_H_
#define SMTF_S3_SHA256_H_

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

namespace smtf {

// libcrypto's one-shot functions look up the algorithm by its name and allocate a context each
// time, which costs several times what hashing a request does. Not thread-safe.
class Sha256 {
 public:
  using Digest = std::array<unsigned char, 32>;

  Sha256();

  Digest Of(std::string_view data);

  // RFC 2104.
  Digest Hmac(const void* key, size_t key_length, std::string_view data);

 private:
  void Begin();
  void Add(const void* data, size_t size);
  Digest End();

  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

}  // namespace smtf

#endif  // SMTF_S3_SHA256_H_
