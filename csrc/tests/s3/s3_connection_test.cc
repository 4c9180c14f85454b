#include "s3/s3_connection.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "errors.h"
#include "s3/http_server.h"
#include "s3/s3_object_source.h"

namespace smtf {
namespace {

using Answer = HttpServer::Answer;
using Status = FetchResult::Status;

constexpr double kLong = 3600;

Answer Ok(const std::string& body) {
  return {"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
          {}};
}

// `headers` are complete lines.
Answer Fails(const std::string& status, const std::string& code, const std::string& headers = "",
             const std::string& more_xml = "") {
  const std::string xml = "<Error><Code>" + code + "</Code>" + more_xml + "</Error>";
  return {"HTTP/1.1 " + status + "\r\n" + headers +
              "Content-Length: " + std::to_string(xml.size()) + "\r\n\r\n" + xml,
          {}};
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class CollectingSink : public HttpSink {
 public:
  void OnHead(const HttpHead& head) override {
    ++heads;
    status = head.status();
  }
  bool OnBody(std::string_view data) override {
    body += data;
    return true;
  }
  int heads = 0;
  int status = 0;
  std::string body;
};

class S3ConnectionTest : public testing::Test {
 protected:
  void Serve(HttpServer::Handler handler) {
    connection_.reset();
    server_ = std::make_unique<HttpServer>(std::move(handler));
    S3Options options;
    options.endpoint_url = server_->url();
    options.bucket = "bucket";
    options.region = "us-east-1";
    bucket_ = std::make_unique<S3Bucket>(options);
    connection_ = std::make_unique<S3Connection>(bucket_.get(), FetchLimits{60});
  }

  FetchResult Send() {
    sink_ = CollectingSink();
    S3Request request;
    request.key = "key";
    return connection_->Send(request, &sink_, stop_);
  }

  S3Answer Ask(const RetryLimits& retry = {}) {
    S3Request request;
    request.query = "list-type=2&prefix=a%2Fb";
    return connection_->Ask(request, "listing s3://bucket/a/b", retry, stop_);
  }

  // The message of the Error of that kind that Ask throws.
  std::string AskInVain(ErrorKind kind, const RetryLimits& retry = {}) {
    try {
      Ask(retry);
      ADD_FAILURE() << "it was answered";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      return error.what();
    }
    return "";
  }

  // Answers one refusal.
  std::thread Renewer(const Credentials& answer) {
    return std::thread([this, answer] {
      ASSERT_TRUE(bucket_->credentials().WaitRefused(kLong));
      bucket_->credentials().Set(answer);
    });
  }

  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<S3Bucket> bucket_;
  std::unique_ptr<S3Connection> connection_;
  CollectingSink sink_;
  std::atomic<bool> stop_{false};
};

TEST_F(S3ConnectionTest, AsksTheBucketWithAQuery) {
  Serve([](const std::string&) { return Ok("<ListBucketResult/>"); });
  bucket_->credentials().Set({"AKIA", "secret", ""});
  const S3Answer answer = Ask();
  EXPECT_EQ(answer.head.status(), 200);
  EXPECT_EQ(answer.body, "<ListBucketResult/>");
  const std::string request = server_->requests()[0];
  EXPECT_EQ(request.rfind("GET /bucket?list-type=2&prefix=a%2Fb HTTP/1.1\r\n", 0), 0u) << request;
  EXPECT_TRUE(Has(request, "SignedHeaders=host;x-amz-content-sha256;x-amz-date,")) << request;
}

TEST_F(S3ConnectionTest, HeadHasNoBody) {
  Serve([](const std::string& request) {
    return Has(request, "HEAD ") ? Answer{"HTTP/1.1 200 OK\r\nContent-Length: 123\r\n\r\n", {}}
                                 : Ok("body");
  });
  S3Request head;
  head.method = S3Request::Method::kHead;
  head.key = "key";
  EXPECT_EQ(connection_->Ask(head, "asking", {}, stop_).head.content_length(), 123u);
  EXPECT_EQ(Ask().body, "body");
  EXPECT_EQ(connection_->Ask(head, "asking", {}, stop_).body, "");
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(S3ConnectionTest, AskRetries) {
  int tries = 0;
  Serve([&](const std::string&) -> Answer {
    switch (++tries) {
      case 1:
        return Fails("503 Slow Down", "SlowDown");
      case 2:
        return {"", Answer::Then::kReset};
      case 3:
        return {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", Answer::Then::kClose};
      case 4:
        return Ok("<?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>");
      default:
        return Ok("whole");
    }
  });
  EXPECT_EQ(Ask().body, "whole");
  EXPECT_EQ(tries, 5);
}

TEST_F(S3ConnectionTest, AskSaysWhatItTriedAndWhatItSaw) {
  Serve([](const std::string&) {
    return Fails("503 Slow Down", "SlowDown", "", "<Message>Easy</Message>");
  });
  std::string message = AskInVain(ErrorKind::kUnavailable, {3, 60});
  EXPECT_EQ(message.rfind("listing s3://bucket/a/b: 503 SlowDown (Easy) after 3 tries in ", 0), 0u)
      << message;
  EXPECT_TRUE(Has(message, "; lower connections or raise retry_seconds")) << message;
  EXPECT_EQ(server_->requests().size(), 3u);
  Serve([](const std::string&) { return Fails("404 Not Found", "NoSuchBucket"); });
  message = AskInVain(ErrorKind::kNotFound);
  EXPECT_EQ(message,
            "listing s3://bucket/a/b: 404 NoSuchBucket; check the name of the bucket and the "
            "endpoint");
  EXPECT_EQ(server_->requests().size(), 1u);
}

TEST_F(S3ConnectionTest, AskTakesNoEndlessAnswer) {
  Serve([](const std::string&) { return Ok(std::string(20 << 20, 'x')); });
  EXPECT_TRUE(Has(AskInVain(ErrorKind::kDataLoss), "16 MiB"));
}

TEST_F(S3ConnectionTest, AStopEndsARequestAndTheWaitForARetry) {
  for (const bool answers : {false, true}) {
    Serve([answers](const std::string&) -> Answer {
      if (!answers) return {"", Answer::Then::kHang};
      return Fails("503 Slow Down", "SlowDown", "Retry-After: 1000\r\n");
    });
    connection_ = std::make_unique<S3Connection>(bucket_.get(), FetchLimits{kLong});
    stop_ = false;
    std::thread stopper([this] {
      while (server_->requests().empty()) std::this_thread::yield();
      stop_ = true;
      connection_->Nudge();
    });
    EXPECT_EQ(AskInVain(ErrorKind::kCancelled, {8, 1e9}),
              "listing s3://bucket/a/b: it was stopped");
    stopper.join();
  }
}

TEST_F(S3ConnectionTest, RefusesAHeaderThatWouldBreakTheRequest) {
  Serve([](const std::string&) { return Ok(""); });
  S3Request request;
  request.headers.emplace_back("if-match", "a\r\nx: y");
  EXPECT_THROW(connection_->Send(request, &sink_, stop_), Error);
  EXPECT_EQ(server_->requests().size(), 0u);
}

// Redirects.

TEST_F(S3ConnectionTest, FollowsToAnotherRegionForGood) {
  const auto in_region = [](const std::string& request) {
    return Has(request, "/eu-west-1/s3/aws4_request");
  };
  for (const Answer& redirect :
       {Fails("301 Moved Permanently", "PermanentRedirect", "x-amz-bucket-region: eu-west-1\r\n"),
        Fails("400 Bad Request", "AuthorizationHeaderMalformed", "",
              "<Region>eu-west-1</Region>")}) {
    Serve([&](const std::string& request) { return in_region(request) ? Ok("here") : redirect; });
    bucket_->credentials().Set({"AKIA", "secret", ""});
    EXPECT_EQ(Send().status, Status::kDone);
    EXPECT_EQ(sink_.body, "here");
    EXPECT_EQ(sink_.heads, 1);
    EXPECT_EQ(Send().status, Status::kDone);
    EXPECT_EQ(server_->requests().size(), 3u);
  }
}

TEST_F(S3ConnectionTest, FollowsToAnotherHostForAllConnections) {
  HttpServer other([](const std::string&) { return Ok("there"); });
  Serve([&](const std::string&) {
    return Fails("307 Temporary Redirect", "TemporaryRedirect",
                 "Location: " + other.url() + "/bucket/key\r\n");
  });
  bucket_->credentials().Set({"AKIA", "secret", ""});
  EXPECT_EQ(Send().status, Status::kDone);
  EXPECT_EQ(sink_.body, "there");
  EXPECT_TRUE(Has(other.requests()[0], "\r\nhost: " + other.host() + "\r\n"));
  connection_ = std::make_unique<S3Connection>(bucket_.get(), FetchLimits{});
  EXPECT_EQ(Send().status, Status::kDone);
  EXPECT_EQ(server_->requests().size(), 1u);
  EXPECT_EQ(other.requests().size(), 2u);
}

TEST_F(S3ConnectionTest, FollowsThreeMovesAndNoMore) {
  int moves = 0;
  Serve([&](const std::string&) {
    return Fails("301 Moved Permanently", "PermanentRedirect",
                 "x-amz-bucket-region: region-" + std::to_string(++moves) + "\r\n");
  });
  FetchResult result = Send();
  EXPECT_EQ(result.status, Status::kFailed);
  EXPECT_EQ(server_->requests().size(), 4u);
  EXPECT_TRUE(Has(result.advice, server_->url() + " in region-3")) << result.advice;
  EXPECT_TRUE(Has(result.advice, server_->url() + " in region-4")) << result.advice;
  EXPECT_TRUE(Has(result.advice, "set endpoint_url")) << result.advice;
  // Nor do the next requests make any.
  EXPECT_EQ(Send().status, Status::kFailed);
  EXPECT_EQ(server_->requests().size(), 5u);
}

TEST_F(S3ConnectionTest, MovesAreCountedFromTheLastAnswer) {
  int requests = 0;
  Serve([&](const std::string&) {
    if (++requests % 2 == 0) return Ok("here");
    return Fails("301 Moved Permanently", "PermanentRedirect",
                 "x-amz-bucket-region: region-" + std::to_string(requests) + "\r\n");
  });
  for (int i = 0; i < 6; ++i) EXPECT_EQ(Send().status, Status::kDone);
}

TEST_F(S3ConnectionTest, DoesNotFollowToAnotherScheme) {
  Serve([](const std::string&) {
    return Fails("301 Moved Permanently", "PermanentRedirect",
                 "Location: https://127.0.0.1:1/bucket/key\r\n");
  });
  const FetchResult result = Send();
  EXPECT_EQ(result.status, Status::kFailed);
  EXPECT_TRUE(Has(result.advice, "scheme")) << result.advice;
  EXPECT_EQ(server_->requests().size(), 1u);
}

TEST_F(S3ConnectionTest, ManyConnectionsMoveTogether) {
  Serve([](const std::string& request) {
    if (Has(request, "/eu-west-1/s3/")) return Ok("here");
    return Fails("301 Moved Permanently", "PermanentRedirect",
                 "x-amz-bucket-region: eu-west-1\r\n");
  });
  bucket_->credentials().Set({"AKIA", "secret", ""});
  std::vector<std::thread> threads;
  std::atomic<int> done{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      S3Connection connection(bucket_.get(), FetchLimits{});
      CollectingSink sink;
      S3Request request;
      request.key = "key";
      for (int j = 0; j < 5; ++j) {
        done += connection.Send(request, &sink, stop_).status == Status::kDone;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, 40);
}

// Credentials.

TEST_F(S3ConnectionTest, RefusedCredentialsAreRenewedOnce) {
  for (const char* code : {"ExpiredToken", "AccessDenied"}) {
    Serve([code](const std::string& request) {
      return Has(request, "Credential=AKIA2/") ? Ok("in") : Fails("403 Forbidden", code);
    });
    bucket_->credentials().Set({"AKIA1", "secret", ""});
    std::thread renewer = Renewer({"AKIA2", "secret", ""});
    EXPECT_EQ(Send().status, Status::kDone);
    EXPECT_EQ(sink_.body, "in");
    EXPECT_EQ(server_->requests().size(), 2u);
    renewer.join();
  }
}

TEST_F(S3ConnectionTest, NewerCredentialsThatAreRefusedTooAreAnError) {
  Serve([](const std::string&) { return Fails("403 Forbidden", "ExpiredToken"); });
  bucket_->credentials().Set({"AKIA1", "secret", ""});
  std::thread renewer = Renewer({"AKIA2", "secret", ""});
  const FetchResult result = Send();
  renewer.join();
  EXPECT_EQ(result.status, Status::kFailed);
  EXPECT_EQ(result.kind, ErrorKind::kPermissionDenied);
  EXPECT_EQ(result.what, "403 ExpiredToken");
  EXPECT_EQ(server_->requests().size(), 2u);
}

TEST_F(S3ConnectionTest, WhatIsSimplyNotAllowedAsksOnce) {
  Serve([](const std::string&) { return Fails("403 Forbidden", "AccessDenied"); });
  bucket_->credentials().Set({"AKIA1", "secret", ""});
  std::thread renewer = Renewer({"AKIA1", "secret", ""});
  EXPECT_EQ(Send().status, Status::kFailed);
  renewer.join();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Send().status, Status::kFailed);
  EXPECT_FALSE(bucket_->credentials().WaitRefused(0));
  EXPECT_EQ(server_->requests().size(), 6u);
}

TEST_F(S3ConnectionTest, AnonymousRequestsAskNobody) {
  Serve([](const std::string&) { return Fails("403 Forbidden", "AccessDenied"); });
  EXPECT_EQ(Send().status, Status::kFailed);
  EXPECT_FALSE(bucket_->credentials().WaitRefused(0));
}

TEST_F(S3ConnectionTest, AStopEndsTheWaitForCredentials) {
  Serve([](const std::string&) { return Fails("403 Forbidden", "ExpiredToken"); });
  bucket_->credentials().Set({"AKIA1", "secret", ""});
  std::thread stopper([this] {
    EXPECT_TRUE(bucket_->credentials().WaitRefused(kLong));
    stop_ = true;
    connection_->Nudge();
  });
  EXPECT_EQ(Send().status, Status::kStopped);
  stopper.join();
}

TEST_F(S3ConnectionTest, AWrongClockIsNotAboutCredentials) {
  Serve([](const std::string&) { return Fails("403 Forbidden", "RequestTimeTooSkewed"); });
  bucket_->credentials().Set({"AKIA1", "secret", ""});
  const FetchResult result = Send();
  EXPECT_EQ(result.status, Status::kFailed);
  EXPECT_TRUE(Has(result.advice, "clock")) << result.advice;
  EXPECT_FALSE(bucket_->credentials().WaitRefused(0));
}

}  // namespace
}  // namespace smtf
