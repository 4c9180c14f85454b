#include "s3/s3_place.h"

#include <gtest/gtest.h>

#include <string>

namespace smtf {
namespace {

S3Place Place(const std::string& endpoint, bool virtual_host = false) {
  return {S3Address(endpoint, "bucket", virtual_host), "us-east-1"};
}

S3Error Redirect(const std::string& region, const std::string& location = "") {
  S3Error error;
  error.status = 301;
  error.region = region;
  error.location = location;
  return error;
}

// "origin region", or why it is not followed.
std::string After(const S3Place& place, const S3Error& redirect) {
  std::string why_not;
  const auto next = PlaceAfter(place, redirect, &why_not);
  EXPECT_EQ(next.has_value(), why_not.empty());
  return next ? next->address.origin() + next->address.Path("k") + " " + next->region : why_not;
}

TEST(PlaceAfterTest, AtAwsARegionIsAnotherHost) {
  const struct {
    const char* from;
    const char* to;
  } cases[] = {
      {"https://s3.us-east-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com/bucket/k"},
      {"https://s3.amazonaws.com", "https://s3.eu-west-1.amazonaws.com/bucket/k"},
      {"https://s3-us-east-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com/bucket/k"},
      {"https://s3.dualstack.us-east-1.amazonaws.com",
       "https://s3.dualstack.eu-west-1.amazonaws.com/bucket/k"},
      {"https://s3-fips.us-east-1.amazonaws.com",
       "https://s3-fips.eu-west-1.amazonaws.com/bucket/k"},
      {"https://s3.cn-north-1.amazonaws.com.cn", "https://s3.eu-west-1.amazonaws.com.cn/bucket/k"},
      {"https://bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com",
       "https://bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com/bucket/k"},
  };
  for (const auto& expected : cases) {
    EXPECT_EQ(
        After(Place(expected.from), Redirect("eu-west-1", "bucket.s3.elsewhere.amazonaws.com")),
        std::string(expected.to) + " eu-west-1");
  }
  EXPECT_EQ(After(Place("https://s3.us-east-1.amazonaws.com", true), Redirect("eu-west-1")),
            "https://bucket.s3.eu-west-1.amazonaws.com/k eu-west-1");
}

TEST(PlaceAfterTest, ElsewhereARegionIsOnlySignedFor) {
  EXPECT_EQ(After(Place("http://127.0.0.1:9000"), Redirect("eu-west-1")),
            "http://127.0.0.1:9000/bucket/k eu-west-1");
  EXPECT_EQ(After(Place("http://s3.us-east-1.example.com"), Redirect("eu-west-1")),
            "http://s3.us-east-1.example.com/bucket/k eu-west-1");
}

TEST(PlaceAfterTest, FollowsTheHostOfALocation) {
  const S3Place place = Place("http://127.0.0.1:9000");
  for (const char* location : {"http://other:1/bucket/k", "http://other:1/bucket?list-type=2",
                               "http://other:1/bucket", "http://other:1", "other:1"}) {
    EXPECT_EQ(After(place, Redirect("", location)), "http://other:1/bucket/k us-east-1")
        << location;
  }
  EXPECT_EQ(After(place, Redirect("eu", "http://bucket.other:1/k")), "http://bucket.other:1/k eu");
  EXPECT_EQ(After(Place("https://s3.us-east-1.amazonaws.com", true),
                  Redirect("us-east-1", "https://bucket.s3-us-west-2.amazonaws.com/k")),
            "https://bucket.s3-us-west-2.amazonaws.com/k us-east-1");
}

TEST(PlaceAfterTest, DoesNotFollowEverything) {
  const S3Place https = Place("https://127.0.0.1:9000");
  EXPECT_NE(After(https, Redirect("", "http://127.0.0.1:9001/bucket/k")).find("scheme"),
            std::string::npos);
  EXPECT_NE(After(Place("http://h"), Redirect("eu", "https://o/bucket/k")).find("scheme"),
            std::string::npos);
  EXPECT_NE(After(Place("https://s3.us-east-1.amazonaws.com"),
                  Redirect("us-east-1", "https://amazonaws.com.example.com/bucket/k"))
                .find("away from AWS"),
            std::string::npos);
  for (const char* location :
       {"https://other/login", "https://user@other/bucket/k", "https://other/bucketing/k"}) {
    EXPECT_NE(After(https, Redirect("", location)).find("no address"), std::string::npos)
        << location;
  }
}

TEST(PlaceAfterTest, NowhereElseIsNotFollowed) {
  const S3Place place = Place("http://127.0.0.1:9000");
  for (const S3Error& redirect :
       {Redirect(""), Redirect("us-east-1"),
        Redirect("us-east-1", "http://127.0.0.1:9000/bucket/k"), Redirect("", "/bucket/other"),
        Redirect("", "http://"), Redirect("", "http:///bucket/k"), Redirect("eu west\r\n"),
        Redirect("../x")}) {
    EXPECT_EQ(After(place, redirect), "it was not said where the bucket is instead");
  }
}

}  // namespace
}  // namespace smtf
