#include "s3/http_head.h"

#include <gtest/gtest.h>

#include <string>

namespace smtf {
namespace {

TEST(HttpHeadTest, TakesStatusAndHeaders) {
  HttpHead head;
  EXPECT_EQ(head.status(), 0);
  for (const char* line : {"HTTP/1.1 206 Partial Content\r\n", "Content-LENGTH:  17 \r\n",
                           "x-a:b:c\r\n", "no colon\r\n", "X-A: second\r\n", "\r\n"}) {
    EXPECT_TRUE(head.OnLine(line));
  }
  EXPECT_EQ(head.status(), 206);
  EXPECT_TRUE(head.succeeded());
  EXPECT_EQ(head.reason(), "Partial Content");
  EXPECT_EQ(head.content_length(), 17u);
  EXPECT_EQ(head.Find("x-a"), "b:c");
  EXPECT_EQ(head.Find("x-b"), "");
  ASSERT_EQ(head.size(), 3u);
  EXPECT_EQ(head.name(0), "content-length");
  EXPECT_EQ(head.value(2), "second");
}

TEST(HttpHeadTest, OnlyTheLastOfSeveralResponsesCounts) {
  HttpHead head;
  for (const char* line : {"HTTP/1.1 200 Connection established", "ETag: x", "", "HTTP/1.1 503"}) {
    head.OnLine(line);
  }
  EXPECT_EQ(head.status(), 503);
  EXPECT_EQ(head.reason(), "");
  EXPECT_EQ(head.Find("etag"), "");
  EXPECT_FALSE(head.content_length().has_value());
}

TEST(HttpHeadTest, ALengthThatIsNoneIsNothing) {
  for (const char* value : {"", "-1", "x", "99999999999999999999999"}) {
    HttpHead head;
    head.OnLine("HTTP/1.1 200 OK");
    head.OnLine("Content-Length: " + std::string(value));
    EXPECT_FALSE(head.content_length().has_value()) << value;
  }
}

TEST(HttpHeadTest, KeepsACopy) {
  HttpHead head;
  head.OnLine("HTTP/1.1 200 OK");
  head.OnLine("etag: \"a\"");
  const HttpHead copy = head;
  head.Clear();
  EXPECT_EQ(head.status(), 0);
  EXPECT_EQ(copy.Find("etag"), "\"a\"");
}

TEST(HttpHeadTest, IsBounded) {
  HttpHead head;
  head.OnLine("HTTP/1.1 200 OK");
  const std::string line = "x: " + std::string(1000, 'x');
  int taken = 0;
  while (taken < 1000 && head.OnLine(line)) ++taken;
  EXPECT_GT(taken, 50);
  EXPECT_LT(taken, 100);
}

}  // namespace
}  // namespace smtf
