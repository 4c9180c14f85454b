#include "s3/sha256.h"

#include <algorithm>

#include "errors.h"

namespace smtf {
namespace {

constexpr size_t kBlockBytes = 64;
constexpr unsigned char kInnerPad = 0x36;
constexpr unsigned char kOuterPad = 0x5c;

void Require(bool succeeded) {
  if (!succeeded) throw Error(ErrorKind::kInternal, "libcrypto cannot compute SHA-256");
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  Require(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

Sha256::Digest Sha256::Of(std::string_view data) {
  Begin();
  Add(data.data(), data.size());
  return End();
}

Sha256::Digest Sha256::Hmac(const void* key, size_t key_length, std::string_view data) {
  std::array<unsigned char, kBlockBytes> inner{};
  if (key_length > kBlockBytes) {
    const Digest shorter = Of(std::string_view(static_cast<const char*>(key), key_length));
    std::copy(shorter.begin(), shorter.end(), inner.begin());
  } else {
    std::copy_n(static_cast<const unsigned char*>(key), key_length, inner.begin());
  }
  std::array<unsigned char, kBlockBytes> outer = inner;
  for (unsigned char& byte : inner) byte ^= kInnerPad;
  for (unsigned char& byte : outer) byte ^= kOuterPad;
  Begin();
  Add(inner.data(), inner.size());
  Add(data.data(), data.size());
  const Digest inside = End();
  Begin();
  Add(outer.data(), outer.size());
  Add(inside.data(), inside.size());
  return End();
}

// Without an algorithm the context goes on with the one that it has.
void Sha256::Begin() { Require(EVP_DigestInit_ex(context_.get(), nullptr, nullptr) == 1); }

void Sha256::Add(const void* data, size_t size) {
  Require(EVP_DigestUpdate(context_.get(), data, size) == 1);
}

Sha256::Digest Sha256::End() {
  Digest digest;
  Require(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
  return digest;
}

}  // namespace smtf
