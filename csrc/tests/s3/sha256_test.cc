#include "s3/sha256.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace smtf {
namespace {

std::string Hex(const Sha256::Digest& digest) {
  std::string hex;
  for (const unsigned char byte : digest) {
    char text[3];
    std::snprintf(text, sizeof(text), "%02x", byte);
    hex += text;
  }
  return hex;
}

// FIPS 180-4's example, twice: a context is used again.
TEST(Sha256Test, HashesManyTexts) {
  Sha256 sha256;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Hex(sha256.Of("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(Hex(sha256.Of("")),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  }
}

// RFC 4231, test cases 2, 6 and 7: a short key, and one that is longer than a block.
TEST(Sha256Test, MakesHmacs) {
  Sha256 sha256;
  EXPECT_EQ(Hex(sha256.Hmac("Jefe", 4, "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const std::string key(131, '\xaa');
  EXPECT_EQ(Hex(sha256.Hmac(key.data(), key.size(),
                            "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(Hex(sha256.Hmac(key.data(), key.size(),
                            "This is a test using a larger than block-size key and a larger than "
                            "block-size data. The key needs to be hashed before being used by the "
                            "HMAC algorithm.")),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

}  // namespace
}  // namespace smtf
