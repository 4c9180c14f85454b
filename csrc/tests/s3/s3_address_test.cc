#include "s3/s3_address.h"

#include <gtest/gtest.h>

#include <string>

#include "errors.h"

namespace smtf {
namespace {

TEST(EncodeKeyTest, KeepsUnreservedAndSlash) {
  const std::string kept = "AZaz09-._~/";
  EXPECT_EQ(EncodeKey(kept), kept);
}

TEST(EncodeKeyTest, EncodesEveryOtherByteInUpperCase) {
  EXPECT_EQ(EncodeKey("a b+c"), "a%20b%2Bc");
  EXPECT_EQ(EncodeKey("&=%41?#"), "%26%3D%2541%3F%23");
  EXPECT_EQ(EncodeKey("\xc3\xa9"), "%C3%A9");
  EXPECT_EQ(EncodeKey(std::string("\0\x7f", 2)), "%00%7F");
}

TEST(EncodeKeyTest, NormalizesNothing) { EXPECT_EQ(EncodeKey("/a//../b/."), "/a//../b/."); }

TEST(EncodeQueryTest, EncodesSlashesToo) { EXPECT_EQ(EncodeQuery("a/b c~"), "a%2Fb%20c~"); }

TEST(S3AddressTest, PathStyle) {
  const S3Address address("http://127.0.0.1:9000", "bucket", false);
  EXPECT_EQ(address.origin(), "http://127.0.0.1:9000");
  EXPECT_EQ(address.host(), "127.0.0.1:9000");
  EXPECT_EQ(address.Path("a b"), "/bucket/a%20b");
  EXPECT_EQ(address.Path("/a"), "/bucket//a");
  EXPECT_EQ(address.Path(""), "/bucket");
  EXPECT_EQ(address.endpoint_host(), "127.0.0.1:9000");
}

TEST(S3AddressTest, VirtualHost) {
  const S3Address address("https://s3.eu-west-1.amazonaws.com/", "my.bucket", true);
  EXPECT_EQ(address.origin(), "https://my.bucket.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(address.Path("k"), "/k");
  EXPECT_EQ(address.Path(""), "/");
  EXPECT_EQ(address.endpoint_host(), "s3.eu-west-1.amazonaws.com");
}

TEST(S3AddressTest, TheSchemesOwnPortIsNotPartOfTheHost) {
  EXPECT_EQ(S3Address("http://host:80", "b", false).host(), "host");
  EXPECT_EQ(S3Address("https://host:443", "b", false).host(), "host");
  EXPECT_EQ(S3Address("https://host:80", "b", false).host(), "host:80");
  EXPECT_EQ(S3Address("http://[::1]:8080", "b", false).host(), "[::1]:8080");
}

TEST(S3AddressTest, RefusesWhatIsNoEndpoint) {
  for (const char* endpoint : {"", "host:9000", "ftp://host", "http://", "http://host/path",
                               "http://user:secret@host", "http://host?x", "http://ho st"}) {
    try {
      S3Address(endpoint, "b", false);
      ADD_FAILURE() << endpoint;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
      EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
    }
  }
  EXPECT_THROW(S3Address("http://host", "", false), Error);
  EXPECT_THROW(S3Address("http://host", "a/b", false), Error);
}

}  // namespace
}  // namespace smtf
