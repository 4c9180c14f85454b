#include "s3/s3_response.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace smtf {
namespace {

using Status = FetchResult::Status;

// The object is "0123456789abcdefghij"; bytes 5 to 9 are asked for unless a test says otherwise.
class S3ResponseTest : public testing::Test {
 protected:
  void Begin(uint64_t offset = 5, size_t size = 5, const char* etag = "\"e\"") {
    got_.assign(size, '?');
    response_.Begin({{"key", kObject.size(), etag}, offset, got_.data(), size, 1});
  }

  // The body comes in pieces of `piece` bytes. Whether all of it was wanted.
  bool Feed(const std::vector<std::string>& headers, const std::string& body, size_t piece = 3) {
    HttpHead head;
    for (const std::string& header : headers) head.OnLine(header + "\r\n");
    response_.OnHead(head);
    for (size_t at = 0; at < body.size(); at += piece) {
      if (!response_.OnBody(std::string_view(body).substr(at, piece))) return false;
    }
    return true;
  }

  FetchResult Finish() { return response_.Finish(FetchResult()); }

  const std::string kObject = "0123456789abcdefghij";
  S3Response response_;
  std::string got_;
};

TEST_F(S3ResponseTest, TakesTheRange) {
  Begin();
  EXPECT_TRUE(Feed({"HTTP/1.1 206 Partial Content", "content-range: bytes 5-9/20",
                    "Content-Length: 5", "ETag: \"e\""},
                   "56789"));
  const FetchResult result = Finish();
  EXPECT_EQ(result.status, Status::kDone);
  EXPECT_EQ(result.bytes, 5u);
  EXPECT_EQ(got_, "56789");
}

TEST_F(S3ResponseTest, CutsTheRangeOutOfTheWholeObject) {
  for (const size_t piece : {1u, 3u, 7u, 100u}) {
    Begin();
    // The rest is not worth waiting for.
    EXPECT_FALSE(Feed({"HTTP/1.1 200 OK", "Content-Length: 20"}, kObject, piece));
    EXPECT_EQ(Finish().status, Status::kDone);
    EXPECT_EQ(got_, "56789");
  }
}

TEST_F(S3ResponseTest, TakesTheRangeFromA200WithContentRange) {
  Begin();
  EXPECT_TRUE(
      Feed({"HTTP/1.1 200 OK", "Content-Range: bytes 5-9/20", "Content-Length: 5"}, "56789"));
  EXPECT_EQ(Finish().status, Status::kDone);
  EXPECT_EQ(got_, "56789");
}

TEST_F(S3ResponseTest, TakesA200ThatIsAsLongAsTheRangeFromTheStart) {
  Begin(0, 5);
  EXPECT_TRUE(Feed({"HTTP/1.1 200 OK", "Content-Length: 5"}, "01234"));
  EXPECT_EQ(Finish().status, Status::kDone);
}

TEST_F(S3ResponseTest, RefusesBytesThatMayBeOthers) {
  const std::vector<std::vector<std::string>> answers = {
      {"HTTP/1.1 206 Partial Content", "Content-Range: bytes 5-9/21"},
      {"HTTP/1.1 200 OK", "Content-Length: 5"},
      {"HTTP/1.1 200 OK", "Content-Length: 19"},
  };
  for (const auto& headers : answers) {
    Begin();
    Feed(headers, "xxxxx");
    const FetchResult result = Finish();
    EXPECT_EQ(result.status, Status::kFailed) << headers.back();
    EXPECT_EQ(result.kind, ErrorKind::kDataLoss);
    EXPECT_EQ(result.bytes, 0u);
    EXPECT_EQ(got_, "?????");
  }
}

TEST_F(S3ResponseTest, AsksAgainForARangeThatIsNotWhatWasAskedFor) {
  const std::vector<std::vector<std::string>> answers = {
      {"HTTP/1.1 206 Partial Content"},
      {"HTTP/1.1 206 Partial Content", "Content-Range: bytes 6-10/20"},
      {"HTTP/1.1 206 Partial Content", "Content-Range: nonsense"},
      {"HTTP/1.1 206 Partial Content", "Content-Range: bytes 5-4/20"},
  };
  for (const auto& headers : answers) {
    Begin();
    Feed(headers, "xxxxx");
    const FetchResult result = Finish();
    EXPECT_EQ(result.status, Status::kRetry) << headers.back();
    EXPECT_EQ(result.kind, ErrorKind::kDataLoss);
    EXPECT_EQ(result.bytes, 0u);
    EXPECT_EQ(got_, "?????");
  }
}

TEST_F(S3ResponseTest, RefusesAnotherETagFromAServerThatIgnoresIfMatch) {
  Begin();
  EXPECT_FALSE(Feed({"HTTP/1.1 206 Partial Content", "Content-Range: bytes 5-9/20", "ETag: \"f\""},
                    "56789"));
  EXPECT_EQ(Finish().kind, ErrorKind::kFailedPrecondition);
}

TEST_F(S3ResponseTest, ComparesETagsWithoutQuotes) {
  Begin(5, 5, "e");
  EXPECT_TRUE(Feed({"HTTP/1.1 206 Partial Content", "Content-Range: bytes 5-9/20", "ETag: \"e\""},
                   "56789"));
  EXPECT_EQ(Finish().status, Status::kDone);
}

TEST_F(S3ResponseTest, ABrokenConnectionKeepsWhatCame) {
  Begin();
  Feed({"HTTP/1.1 206 Partial Content", "Content-Range: bytes 5-9/20"}, "567");
  FetchResult broken;
  broken.status = Status::kRetry;
  broken.what = "reset";
  const FetchResult result = response_.Finish(broken);
  EXPECT_EQ(result.status, Status::kRetry);
  EXPECT_EQ(result.what, "reset");
  EXPECT_EQ(result.bytes, 3u);
}

TEST_F(S3ResponseTest, AShortBodyIsDataLossAndRetried) {
  Begin();
  Feed({"HTTP/1.1 206 Partial Content", "Content-Range: bytes 5-7/20", "Content-Length: 3"}, "567");
  const FetchResult result = Finish();
  EXPECT_EQ(result.status, Status::kRetry);
  EXPECT_EQ(result.kind, ErrorKind::kDataLoss);
  EXPECT_EQ(result.bytes, 3u);
}

TEST_F(S3ResponseTest, TakesNoMoreThanItAskedFor) {
  Begin();
  EXPECT_FALSE(
      Feed({"HTTP/1.1 206 Partial Content", "Content-Range: bytes 5-19/20"}, "56789abcdefghij"));
  EXPECT_EQ(Finish().status, Status::kDone);
  EXPECT_EQ(got_, "56789");
}

TEST_F(S3ResponseTest, NothingMayFollowTheEndOfTheObject) {
  Begin(15, 5);
  EXPECT_FALSE(Feed({"HTTP/1.1 200 OK"}, kObject + "more"));
  EXPECT_EQ(Finish().kind, ErrorKind::kDataLoss);
  Begin(15, 5);
  EXPECT_TRUE(Feed({"HTTP/1.1 200 OK"}, kObject));
  EXPECT_EQ(Finish().status, Status::kDone);
}

TEST_F(S3ResponseTest, AnErrorInDisguiseIsWhatItSays) {
  const std::string xml =
      "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code><Message>Oh</Message></Error>";
  Begin(0, 20);
  EXPECT_TRUE(Feed({"HTTP/1.1 200 OK", "Content-Length: " + std::to_string(xml.size())}, xml));
  FetchResult result = Finish();
  EXPECT_EQ(result.status, Status::kRetry);
  EXPECT_EQ(result.what, "200 InternalError (Oh)");
  EXPECT_EQ(result.bytes, 0u);
  EXPECT_EQ(got_, std::string(20, '?'));

  Begin(0, 20);
  EXPECT_FALSE(Feed({"HTTP/1.1 200 OK", "Content-Length: 1000000"}, std::string(1000000, 'x')));
  EXPECT_EQ(Finish().kind, ErrorKind::kDataLoss);
}

TEST_F(S3ResponseTest, KeepsWhenTheFirstByteCame) {
  Begin();
  Feed({"HTTP/1.1 206 Partial Content", "Content-Range: bytes 5-9/20"}, "56789");
  FetchResult verdict;
  verdict.first_byte_seconds = 0.25;
  EXPECT_EQ(response_.Finish(verdict).first_byte_seconds, 0.25);
}

TEST_F(S3ResponseTest, ReportsTheChecksumThatWasSent) {
  Begin(0, 20);
  EXPECT_TRUE(Feed({"HTTP/1.1 200 OK", "Content-Length: 20", "x-amz-checksum-type: FULL_OBJECT",
                    "x-amz-checksum-crc32c: AAAAAQ=="},
                   kObject));
  const FetchResult result = Finish();
  EXPECT_EQ(result.status, Status::kDone);
  ASSERT_TRUE(result.checksum.has_value());
  EXPECT_EQ(result.checksum->kind, ChecksumKind::kCrc32c);
  EXPECT_EQ(result.checksum->value, 1u);
}

TEST_F(S3ResponseTest, IgnoresChecksumsOfChecksums) {
  Begin(0, 20);
  EXPECT_TRUE(Feed({"HTTP/1.1 200 OK", "Content-Length: 20", "x-amz-checksum-type: COMPOSITE",
                    "x-amz-checksum-crc32c: AAAAAQ=="},
                   kObject));
  EXPECT_FALSE(Finish().checksum.has_value());
}

}  // namespace
}  // namespace smtf
