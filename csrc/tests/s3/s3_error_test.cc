#include "s3/s3_error.h"

#include <gtest/gtest.h>

#include <ctime>
#include <string>

namespace smtf {
namespace {

using Status = FetchResult::Status;

S3Error Read(int status, const std::string& body = "", const std::string& header = "") {
  HttpHead head;
  head.OnLine("HTTP/1.1 " + std::to_string(status) + " Reason\r\n");
  head.OnLine(header);
  return ReadS3Error(head, body);
}

FetchResult Classify(int status, const std::string& body = "", const std::string& header = "") {
  return ClassifyS3Error(Read(status, body, header));
}

std::string Xml(const std::string& code, const std::string& message) {
  return "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>" + message +
         "</Message><AWSAccessKeyId>AKIA</AWSAccessKeyId></Error>";
}

TEST(S3ErrorTest, KindsOfStatuses) {
  const struct {
    int status;
    Status verdict;
    ErrorKind kind;
  } cases[] = {
      {500, Status::kRetry, ErrorKind::kUnavailable},
      {503, Status::kRetry, ErrorKind::kUnavailable},
      {501, Status::kFailed, ErrorKind::kUnavailable},
      {408, Status::kRetry, ErrorKind::kUnavailable},
      {429, Status::kRetry, ErrorKind::kUnavailable},
      {400, Status::kFailed, ErrorKind::kInvalidArgument},
      {301, Status::kFailed, ErrorKind::kInvalidArgument},
      {401, Status::kFailed, ErrorKind::kPermissionDenied},
      {403, Status::kFailed, ErrorKind::kPermissionDenied},
      {404, Status::kFailed, ErrorKind::kNotFound},
      {412, Status::kFailed, ErrorKind::kFailedPrecondition},
      {416, Status::kFailed, ErrorKind::kDataLoss},
  };
  for (const auto& expected : cases) {
    const FetchResult result = Classify(expected.status);
    EXPECT_EQ(result.status, expected.verdict) << expected.status;
    EXPECT_EQ(result.kind, expected.kind) << expected.status;
    EXPECT_EQ(result.what, std::to_string(expected.status) + " Reason");
  }
}

TEST(S3ErrorTest, CodesDecideWhereTheStatusDoesNot) {
  EXPECT_EQ(Classify(400, Xml("RequestTimeout", "idle")).status, Status::kRetry);
  EXPECT_EQ(Classify(400, Xml("ExpiredToken", "old")).kind, ErrorKind::kPermissionDenied);
  EXPECT_TRUE(Classify(503, Xml("SlowDown", "x")).throttled);
  EXPECT_FALSE(Classify(500, Xml("InternalError", "x")).throttled);
}

TEST(S3ErrorTest, SaysCodeAndMessageAndNothingElse) {
  const FetchResult result = Classify(403, Xml("AccessDenied", "No &lt;way&gt; &amp;\nso on"));
  EXPECT_EQ(result.what, "403 AccessDenied (No <way> & so on)");
  EXPECT_EQ(result.advice.find("AKIA"), std::string::npos);
}

TEST(S3ErrorTest, NamesTheBucketsRegion) {
  EXPECT_NE(Classify(301, "", "x-amz-bucket-region: eu-west-1").advice.find("eu-west-1"),
            std::string::npos);
  EXPECT_EQ(Read(400, "<Region>eu-west-1</Region>").region, "eu-west-1");
}

TEST(S3ErrorTest, KnowsWhereItIsSent) {
  EXPECT_EQ(Read(307, "", "Location: http://host/b/k").location, "http://host/b/k");
  EXPECT_EQ(Read(301, "<Endpoint>b.host</Endpoint>").location, "b.host");
}

TEST(S3ErrorTest, Redirects) {
  EXPECT_TRUE(IsRedirect(Read(301)));
  EXPECT_TRUE(IsRedirect(Read(307, Xml("TemporaryRedirect", "x"))));
  EXPECT_TRUE(IsRedirect(
      Read(400, Xml("AuthorizationHeaderMalformed", "x") + "<Region>eu-west-1</Region>")));
  EXPECT_TRUE(IsRedirect(Read(400, "", "x-amz-bucket-region: eu-west-1")));
  EXPECT_FALSE(IsRedirect(Read(400, Xml("AuthorizationHeaderMalformed", "x"))));
  EXPECT_FALSE(IsRedirect(Read(400)));
  EXPECT_FALSE(IsRedirect(Read(403, "", "x-amz-bucket-region: eu-west-1")));
}

TEST(S3ErrorTest, ErrorsThatOtherCredentialsMayMend) {
  for (const char* code : {"ExpiredToken", "InvalidToken", "TokenRefreshRequired", "RequestExpired",
                           "InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied"}) {
    EXPECT_TRUE(IsAboutCredentials(Read(403, Xml(code, "x")))) << code;
  }
  EXPECT_TRUE(IsAboutCredentials(Read(400, Xml("ExpiredToken", "x"))));
  EXPECT_TRUE(IsAboutCredentials(Read(400, Xml("InvalidToken", "x"))));
  EXPECT_TRUE(IsAboutCredentials(Read(401)));
  EXPECT_TRUE(IsAboutCredentials(Read(403)));
  for (const char* code : {"RequestTimeTooSkewed", "AllAccessDisabled", "InvalidObjectState"}) {
    EXPECT_FALSE(IsAboutCredentials(Read(403, Xml(code, "x")))) << code;
  }
  EXPECT_FALSE(IsAboutCredentials(Read(400, Xml("AccessDenied", "x"))));
  EXPECT_FALSE(IsAboutCredentials(Read(404)));
}

TEST(S3ErrorTest, AWrongClockIsToBeSet) {
  const FetchResult result = Classify(
      403, Xml("RequestTimeTooSkewed", "x") + "<ServerTime>2024-01-01T00:00:00Z</ServerTime>");
  EXPECT_EQ(result.status, Status::kFailed);
  EXPECT_EQ(result.advice, "set this machine's clock; it is 2024-01-01T00:00:00Z at the server");
}

TEST(S3ErrorTest, KnowsAnErrorDocument) {
  EXPECT_TRUE(IsErrorDocument("<Error><Code>x</Code></Error>"));
  EXPECT_TRUE(IsErrorDocument("<?xml version=\"1.0\"?>\r\n <Error>"));
  for (const char* other : {"", "<", "<?xml", "<?xml?>", "<ListBucketResult><Error>", "Error"}) {
    EXPECT_FALSE(IsErrorDocument(other)) << other;
  }
}

TEST(S3ErrorTest, FindsTextInXmlOrNothing) {
  EXPECT_EQ(XmlText("<a><Code>x</Code></a>", "Code"), "x");
  EXPECT_EQ(XmlText("<Code>x", "Code"), "");
  EXPECT_EQ(XmlText("<html>no</html>", "Code"), "");
  EXPECT_EQ(XmlText("<Code>" + std::string(5000, 'y') + "</Code>", "Code").size(), 300u);
}

TEST(S3ErrorTest, RetryAfterInSecondsOrAsADate) {
  EXPECT_EQ(ParseRetryAfter("7"), 7);
  EXPECT_EQ(ParseRetryAfter("-7"), 0);
  EXPECT_EQ(ParseRetryAfter("soon"), 0);
  EXPECT_EQ(ParseRetryAfter("nan"), 0);
  EXPECT_EQ(ParseRetryAfter("1e300"), 86400);
  EXPECT_EQ(ParseRetryAfter("Wed, 21 Oct 2015 07:28:00 GMT"), 0);
  const std::time_t later = std::time(nullptr) + 3600;
  std::tm utc{};
  gmtime_r(&later, &utc);
  char date[64];
  std::strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  EXPECT_GT(ParseRetryAfter(date), 3000);
}

}  // namespace
}  // namespace smtf
