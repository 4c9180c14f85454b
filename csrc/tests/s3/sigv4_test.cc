// The vectors are AWS's own:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html (GET examples)
// https://docs.aws.amazon.com/general/latest/gr/signature-v4-examples.html (key derivation)
// aws-sig-v4-test-suite, as in tests/aws-signing-test-suite/v4 of github.com/awslabs/aws-c-auth
#include "s3/sigv4.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "s3/s3_address.h"

namespace smtf {
namespace {

const char kEmptyHash[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const char kTime[] = "20130524T000000Z";
const Credentials kExample = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                              ""};

RequestToSign GetObjectExample() {
  return {"GET",
          "/test.txt",
          "",
          {{"host", "examplebucket.s3.amazonaws.com"},
           {"range", "bytes=0-9"},
           {"x-amz-content-sha256", kEmptyHash},
           {"x-amz-date", kTime}},
          kEmptyHash};
}

std::string SignatureOf(const std::string& authorization) {
  return authorization.substr(authorization.find("Signature=") + 10);
}

TEST(SigV4Test, DerivesAwsExampleKey) {
  const Sha256::Digest key =
      DeriveSigningKey("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20120215", "us-east-1", "iam");
  std::string hex;
  for (const unsigned char byte : key) {
    char text[3];
    std::snprintf(text, sizeof(text), "%02x", byte);
    hex += text;
  }
  EXPECT_EQ(hex, "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
}

TEST(SigV4Test, SignsAwsGetObjectExample) {
  SigV4Signer signer("us-east-1", "s3");
  EXPECT_EQ(signer.Authorization(kExample, GetObjectExample(), kTime),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

// A parameter without a value is signed with its '='.
TEST(SigV4Test, SignsAwsGetBucketLifecycleExample) {
  RequestToSign request = GetObjectExample();
  request.path = "/";
  request.query = "lifecycle=";
  request.headers.erase(request.headers.begin() + 1);
  SigV4Signer signer("us-east-1", "s3");
  EXPECT_EQ(SignatureOf(signer.Authorization(kExample, request, kTime)),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST(SigV4Test, SignsAwsListObjectsExample) {
  RequestToSign request = GetObjectExample();
  request.path = "/";
  request.query = "max-keys=2&prefix=J";
  request.headers.erase(request.headers.begin() + 1);
  SigV4Signer signer("us-east-1", "s3");
  EXPECT_EQ(SignatureOf(signer.Authorization(kExample, request, kTime)),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SigV4Test, TheKeptKeyFollowsTheDateAndTheSecret) {
  SigV4Signer signer("us-east-1", "s3");
  const std::string first = signer.Authorization(kExample, GetObjectExample(), kTime);
  RequestToSign next_day = GetObjectExample();
  next_day.headers[3].second = "20130525T000000Z";
  const std::string second = signer.Authorization(kExample, next_day, "20130525T000000Z");
  SigV4Signer fresh("us-east-1", "s3");
  EXPECT_EQ(second, fresh.Authorization(kExample, next_day, "20130525T000000Z"));
  EXPECT_NE(second, first);
  const Credentials other = {kExample.access_key, "another", ""};
  EXPECT_NE(signer.Authorization(other, GetObjectExample(), kTime), first);
  EXPECT_EQ(signer.Authorization(kExample, GetObjectExample(), kTime), first);
}

TEST(SigV4Test, FormatsTheTime) {
  EXPECT_EQ(SigningTime(1369353600), kTime);
  EXPECT_EQ(SigningTime(0), "19700101T000000Z");
}

// ---- The test suite's requests without a body. ----
//
// Left out are those whose paths are normalized before they are signed (get-relative-normalized,
// get-slashes-normalized, ...): to S3, "a//b" and "a/../b" are keys of their own. The suite has
// each of them as "-unnormalized" too, and those are here. Also left out are headers that are sent
// twice or folded over lines, which we never do.

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct SuiteVector {
  std::string name;
  std::string signature;
  std::string key = "";  // the path without its first slash, not encoded
  Pairs query = {};      // in canonical order, not encoded
  Pairs headers = {};    // besides host and x-amz-date, which come before and after them
  std::string token = "";
};

const char kUnreserved[] = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const char kEthiopic[] = "\xe1\x88\xb4";  // U+1234
const char kSuiteToken[] = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";

const SuiteVector kSuite[] = {
    {"get-vanilla", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-with-session-token",
     "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
     "",
     {},
     {},
     kSuiteToken},
    {"get-vanilla-empty-query-key",
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
     "",
     {{"Param1", "value1"}}},
    {"get-vanilla-query-order-key-case",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
     "",
     {{"Param1", "value1"}, {"Param2", "value2"}}},
    {"get-vanilla-query-order-encoded",
     "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
     "",
     {{kEthiopic, "Value1"}, {"Param", "Value2"}, {"Param-3", "Value3"}}},
    {"get-vanilla-query-unreserved",
     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
     "",
     {{kUnreserved, kUnreserved}}},
    {"get-vanilla-utf8-query",
     "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
     "",
     {{kEthiopic, "bar"}}},
    {"get-unreserved", "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
     kUnreserved},
    {"get-utf8", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85", kEthiopic},
    {"get-space-unnormalized", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
     "example space/"},
    {"get-relative-unnormalized",
     "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282", "example/.."},
    {"get-relative-relative-unnormalized",
     "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b", "example1/example2/../.."},
    {"get-slash-dot-slash-unnormalized",
     "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145", "./"},
    {"get-slash-unnormalized", "c88bcd3d312d75078c0cd961d6deae3f4c754924b01669efcfcb439fd5e5b76e",
     "/"},
    {"get-slashes-unnormalized", "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5",
     "/example//"},
    // Blanks around a value are not signed, and those inside it as one each.
    {"get-header-value-trim",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
     "",
     {},
     {{"my-header1", "value1"}, {"my-header2", "\"a b c\""}}},
};

RequestToSign SuiteRequest(const SuiteVector& vector, const std::string& time) {
  RequestToSign request{"GET", '/' + EncodeKey(vector.key), "", {}, kEmptyHash};
  for (const auto& [name, value] : vector.query) {
    if (!request.query.empty()) request.query += '&';
    request.query += EncodeQuery(name) + '=' + EncodeQuery(value);
  }
  request.headers = {{"host", "example.amazonaws.com"}};
  request.headers.insert(request.headers.end(), vector.headers.begin(), vector.headers.end());
  request.headers.push_back({"x-amz-date", time});
  if (!vector.token.empty()) request.headers.push_back({"x-amz-security-token", vector.token});
  return request;
}

class SigV4SuiteTest : public testing::TestWithParam<SuiteVector> {};

TEST_P(SigV4SuiteTest, SignsAsAws) {
  const std::string time = "20150830T123600Z";
  const Credentials credentials = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                   GetParam().token};
  SigV4Signer signer("us-east-1", "service");
  const std::string authorization =
      signer.Authorization(credentials, SuiteRequest(GetParam(), time), time);
  EXPECT_EQ(SignatureOf(authorization), GetParam().signature) << authorization;
}

INSTANTIATE_TEST_SUITE_P(Suite, SigV4SuiteTest, testing::ValuesIn(kSuite), [](const auto& info) {
  std::string name = info.param.name;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
});

}  // namespace
}  // namespace smtf
