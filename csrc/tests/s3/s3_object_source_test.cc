#include "s3/s3_object_source.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "s3/http_server.h"

namespace smtf {
namespace {

using Answer = HttpServer::Answer;
using Status = FetchResult::Status;

// Bytes 5 to 9 of an object of 20.
const char kRange[] =
    "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-9/20\r\nContent-Length: 5\r\n\r\n";

class S3ObjectSourceTest : public testing::Test {
 protected:
  void Serve(HttpServer::Handler handler) {
    fetcher_.reset();
    server_ = std::make_unique<HttpServer>(std::move(handler));
    options_.endpoint_url = server_->url();
    options_.bucket = "bucket";
    options_.region = "us-east-1";
    source_ = std::make_unique<S3ObjectSource>(options_);
    fetcher_ = source_->MakeFetcher({60});  // a machine may halt for seconds
  }

  FetchResult Fetch(const std::string& key = "key", const std::string& etag = "\"e\"") {
    got_.assign(5, '?');
    return fetcher_->Fetch({{key, 20, etag}, 5, got_.data(), got_.size(), 1, 0}, stop_);
  }

  FetchResult FetchWhole() {
    got_.assign(kObject.size(), '?');
    return fetcher_->Fetch({{"key", 20, "\"e\""}, 0, got_.data(), got_.size(), 1, 0}, stop_);
  }

  const std::string kObject = "0123456789abcdefghij";
  S3Options options_;

  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<S3ObjectSource> source_;
  std::unique_ptr<ObjectFetcher> fetcher_;
  std::atomic<bool> stop_{false};
  std::string got_;
};

TEST_F(S3ObjectSourceTest, FetchesTheRangeOverOneConnection) {
  Serve([](const std::string&) { return Answer{std::string(kRange) + "56789", {}}; });
  for (int i = 0; i < 5; ++i) {
    const FetchResult result = Fetch();
    EXPECT_EQ(result.status, Status::kDone) << result.what;
    EXPECT_EQ(got_, "56789");
  }
  EXPECT_EQ(server_->connections(), 1);
  const std::string request = server_->requests()[0];
  EXPECT_EQ(request.rfind("GET /bucket/key HTTP/1.1\r\n", 0), 0u) << request;
  EXPECT_NE(request.find("\r\nrange: bytes=5-9\r\n"), std::string::npos) << request;
  EXPECT_NE(request.find("\r\nif-match: \"e\"\r\n"), std::string::npos) << request;
  EXPECT_EQ(request.find("authorization"), std::string::npos) << request;
}

TEST_F(S3ObjectSourceTest, SendsKeysAsTheyAre) {
  Serve([](const std::string&) { return Answer{std::string(kRange) + "56789", {}}; });
  for (const auto& [key, path] :
       {std::pair{"/../a/./b", "/bucket//../a/./b"},
        std::pair{"a b&=%41\xc3\xa9", "/bucket/a%20b%26%3D%2541%C3%A9"}}) {
    EXPECT_EQ(Fetch(key).status, Status::kDone);
    EXPECT_EQ(server_->requests().back().rfind("GET " + std::string(path) + " HTTP/1.1\r\n", 0),
              0u);
  }
}

TEST_F(S3ObjectSourceTest, SignsWithTheCredentialsOfTheMoment) {
  Serve([](const std::string&) { return Answer{std::string(kRange) + "56789", {}}; });
  source_->SetCredentials({"AKIA1", "secret", "token"});
  EXPECT_EQ(Fetch().status, Status::kDone);
  source_->SetCredentials({"AKIA2", "secret", ""});
  EXPECT_EQ(Fetch("key", "").status, Status::kDone);
  const std::string first = server_->requests()[0];
  EXPECT_NE(first.find("\r\nx-amz-security-token: token\r\n"), std::string::npos) << first;
  EXPECT_NE(first.find("SignedHeaders=host;if-match;range;x-amz-checksum-mode;"
                       "x-amz-content-sha256;x-amz-date;x-amz-security-token,"),
            std::string::npos)
      << first;
  EXPECT_NE(first.find("Credential=AKIA1/"), std::string::npos);
  const std::string second = server_->requests()[1];
  EXPECT_NE(second.find("Credential=AKIA2/"), std::string::npos);
  EXPECT_EQ(second.find("if-match"), std::string::npos);
  EXPECT_EQ(second.find("security-token"), std::string::npos);
}

TEST_F(S3ObjectSourceTest, ErrorsAreClassified) {
  Serve([](const std::string&) {
    return Answer{
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 65\r\n\r\n"
        "<Error><Code>AccessDenied</Code><Message>No</Message></Error>....",
        {}};
  });
  const FetchResult result = Fetch();
  EXPECT_EQ(result.status, Status::kFailed);
  EXPECT_EQ(result.kind, ErrorKind::kPermissionDenied);
  EXPECT_EQ(result.what, "403 AccessDenied (No)");
  EXPECT_EQ(Fetch().status, Status::kFailed);
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(S3ObjectSourceTest, ACutBodyKeepsWhatCame) {
  Serve(
      [](const std::string&) { return Answer{std::string(kRange) + "567", Answer::Then::kClose}; });
  const FetchResult result = Fetch();
  EXPECT_EQ(result.status, Status::kRetry);
  EXPECT_EQ(result.kind, ErrorKind::kUnavailable);
  EXPECT_EQ(result.bytes, 3u);
  EXPECT_EQ(got_, "567??");
}

TEST_F(S3ObjectSourceTest, AStallIsRetried) {
  for (const std::string& sent : {std::string(), std::string(kRange) + "567"}) {
    Serve([sent](const std::string&) { return Answer{sent, Answer::Then::kHang}; });
    fetcher_ = source_->MakeFetcher({0.3});
    const FetchResult result = Fetch();
    EXPECT_EQ(result.status, Status::kRetry);
    EXPECT_EQ(result.what.rfind("no byte for", 0), 0u) << result.what;
    EXPECT_EQ(result.bytes, sent.empty() ? 0u : 3u);
  }
}

TEST_F(S3ObjectSourceTest, AFetchStopsWhenNudged) {
  Serve([](const std::string&) { return Answer{kRange, Answer::Then::kHang}; });
  fetcher_ = source_->MakeFetcher({3600});
  std::thread stopper([this] {
    while (server_->requests().empty()) std::this_thread::yield();
    stop_ = true;
    fetcher_->Nudge();
  });
  EXPECT_EQ(Fetch().status, Status::kStopped);
  stopper.join();
}

TEST_F(S3ObjectSourceTest, ARefusedConnectionIsRetriedAndSaysWhere) {
  Serve([](const std::string&) { return Answer{}; });
  const std::string url = server_->url();
  fetcher_ = source_->MakeFetcher({20});
  server_.reset();
  const FetchResult result = Fetch();
  EXPECT_EQ(result.status, Status::kRetry);
  EXPECT_EQ(result.kind, ErrorKind::kUnavailable);
  EXPECT_NE(result.advice.find(url), std::string::npos) << result.advice;
}

TEST_F(S3ObjectSourceTest, RefusesCredentialsThatWouldBreakAHeader) {
  Serve([](const std::string&) { return Answer{}; });
  try {
    source_->SetCredentials({"AKIA\r\nx: y", "topsecret", ""});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
    EXPECT_EQ(std::string(error.what()).find("AKIA"), std::string::npos);
  }
}

TEST_F(S3ObjectSourceTest, AsksForAWholeObjectWithoutARange) {
  Serve([this](const std::string&) {
    return Answer{
        "HTTP/1.1 200 OK\r\nContent-Length: 20\r\nETag: \"e\"\r\n"
        "x-amz-checksum-crc32c: AAAAAQ==\r\n\r\n" +
            kObject,
        {}};
  });
  const FetchResult result = FetchWhole();
  EXPECT_EQ(result.status, Status::kDone) << result.what;
  EXPECT_EQ(got_, kObject);
  // It is wrong, which is not for the source to say.
  ASSERT_TRUE(result.checksum.has_value());
  EXPECT_EQ(result.checksum->value, 1u);
  EXPECT_GE(result.first_byte_seconds, 0);
  const std::string request = server_->requests()[0];
  EXPECT_EQ(request.find("range:"), std::string::npos) << request;
  EXPECT_NE(request.find("\r\nx-amz-checksum-mode: ENABLED\r\n"), std::string::npos) << request;
}

TEST_F(S3ObjectSourceTest, AsksForNoChecksumsWhenToldSo) {
  options_.checksums = false;
  Serve([](const std::string&) { return Answer{std::string(kRange) + "56789", {}}; });
  EXPECT_EQ(Fetch().status, Status::kDone);
  EXPECT_EQ(server_->requests()[0].find("x-amz-checksum-mode"), std::string::npos);
}

TEST_F(S3ObjectSourceTest, AWholeObjectMustBeWhatWasListed) {
  const struct {
    const char* headers;
    ErrorKind kind;
  } cases[] = {
      {"Content-Length: 19\r\nETag: \"e\"", ErrorKind::kDataLoss},
      {"Content-Length: 20\r\nETag: \"other\"", ErrorKind::kFailedPrecondition},
      {"Connection: close", ErrorKind::kDataLoss},
  };
  for (const auto& expected : cases) {
    Serve([&](const std::string&) {
      return Answer{
          "HTTP/1.1 200 OK\r\n" + std::string(expected.headers) + "\r\n\r\n" + kObject + "more",
          Answer::Then::kClose};
    });
    const FetchResult result = FetchWhole();
    EXPECT_EQ(result.status, Status::kFailed) << expected.headers;
    EXPECT_EQ(result.kind, expected.kind) << expected.headers;
  }
}

TEST_F(S3ObjectSourceTest, CutsTheRangeOutOfAWholeObject) {
  const std::string object = std::string(5, 'a') + "56789" + std::string(3000000, 'z');
  Serve([&](const std::string&) {
    return Answer{
        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(object.size()) + "\r\n\r\n" + object,
        {}};
  });
  for (int i = 0; i < 3; ++i) {
    got_.assign(5, '?');
    const FetchResult result =
        fetcher_->Fetch({{"key", object.size(), ""}, 5, got_.data(), 5, 1, 0}, stop_);
    EXPECT_EQ(result.status, Status::kDone) << result.what;
    EXPECT_EQ(got_, "56789");
  }
  // The rest of each body is broken off.
  EXPECT_EQ(server_->connections(), 3);
}

TEST_F(S3ObjectSourceTest, StatusesOfTheServer) {
  const struct {
    const char* head;
    Status status;
    ErrorKind kind;
    double retry_after;
  } cases[] = {
      {"503 Slow Down\r\nRetry-After: 7", Status::kRetry, ErrorKind::kUnavailable, 7},
      {"503 Slow Down", Status::kRetry, ErrorKind::kUnavailable, 0},
      {"500 Internal Server Error", Status::kRetry, ErrorKind::kUnavailable, 0},
      {"404 Not Found", Status::kFailed, ErrorKind::kNotFound, 0},
      {"412 Precondition Failed", Status::kFailed, ErrorKind::kFailedPrecondition, 0},
      {"416 Range Not Satisfiable", Status::kFailed, ErrorKind::kDataLoss, 0},
      {"204 No Content", Status::kFailed, ErrorKind::kInvalidArgument, 0},
  };
  for (const auto& expected : cases) {
    Serve([&](const std::string&) {
      return Answer{"HTTP/1.1 " + std::string(expected.head) + "\r\nContent-Length: 0\r\n\r\n", {}};
    });
    const FetchResult result = Fetch();
    EXPECT_EQ(result.status, expected.status) << expected.head;
    EXPECT_EQ(result.kind, expected.kind) << expected.head;
    EXPECT_EQ(result.retry_after_seconds, expected.retry_after) << expected.head;
    EXPECT_EQ(result.throttled, expected.head[2] == '3') << expected.head;
    EXPECT_EQ(result.bytes, 0u);
  }
}

TEST_F(S3ObjectSourceTest, AnErrorWhoseBodyIsCutIsStillThatError) {
  Serve([](const std::string&) {
    return Answer{
        "HTTP/1.1 503 Slow Down\r\nContent-Length: 900\r\n\r\n<Error><Code>SlowDown</Code>",
        Answer::Then::kReset};
  });
  const FetchResult result = Fetch();
  EXPECT_EQ(result.status, Status::kRetry);
  EXPECT_TRUE(result.throttled);
}

TEST_F(S3ObjectSourceTest, ARefusalThatIsCutIsRetried) {
  for (const char* sent : {"HTTP/1.1 403 Forbidden\r\n",
                           "HTTP/1.1 403 Forbidden\r\nContent-Length: 900\r\n\r\n<Error><Co"}) {
    Serve([sent](const std::string&) { return Answer{sent, Answer::Then::kClose}; });
    EXPECT_EQ(Fetch().status, Status::kRetry) << sent;
  }
}

TEST_F(S3ObjectSourceTest, ResetsAreRetriedFromWhatCame) {
  for (const std::string& sent : {std::string(), std::string("HTTP/1.1 206 Par"),
                                  std::string(kRange), std::string(kRange) + "567"}) {
    Serve([sent](const std::string&) { return Answer{sent, Answer::Then::kClose}; });
    FetchResult result = Fetch();
    EXPECT_EQ(result.status, Status::kRetry) << sent;
    EXPECT_EQ(result.bytes, sent.size() > sizeof(kRange) ? 3u : 0u);
    // A RST may overtake what was sent before it.
    Serve([sent](const std::string&) { return Answer{sent, Answer::Then::kReset}; });
    result = Fetch();
    EXPECT_EQ(result.status, Status::kRetry) << sent;
    EXPECT_EQ(got_.substr(0, result.bytes), std::string("567").substr(0, result.bytes));
  }
}

TEST_F(S3ObjectSourceTest, AConnectionThatWasClosedBetweenFetchesIsMadeAnew) {
  Serve([](const std::string&) {
    return Answer{std::string(kRange) + "56789", Answer::Then::kClose};
  });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Fetch().status, Status::kDone);
  EXPECT_EQ(server_->connections(), 3);
}

TEST_F(S3ObjectSourceTest, ABodyThatIsShorterThanAskedForIsRetried) {
  Serve([](const std::string&) {
    return Answer{
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-7/20\r\n"
        "Content-Length: 3\r\n\r\n567",
        {}};
  });
  const FetchResult result = Fetch();
  EXPECT_EQ(result.status, Status::kRetry);
  EXPECT_EQ(result.kind, ErrorKind::kDataLoss);
  EXPECT_EQ(result.bytes, 3u);
}

TEST_F(S3ObjectSourceTest, ASlowDripIsNoStall) {
  Serve([](const std::string&) {
    return Answer{std::string(kRange) + "56789", Answer::Then::kKeep, 6,
                  std::chrono::milliseconds(250)};
  });
  fetcher_ = source_->MakeFetcher({3});  // altogether it takes longer
  EXPECT_EQ(Fetch().status, Status::kDone);
  EXPECT_EQ(got_, "56789");
}

TEST_F(S3ObjectSourceTest, RefusesAnotherRangeOrNone) {
  for (const char* header : {"Content-Range: bytes 6-10/20", "Content-Range: bytes 5-9/21",
                             "Content-Range: items 5-9/20", "X-Nothing: here"}) {
    Serve([header](const std::string&) {
      return Answer{"HTTP/1.1 206 Partial Content\r\n" + std::string(header) +
                        "\r\nContent-Length: 5\r\n\r\n56789",
                    {}};
    });
    const FetchResult result = Fetch();
    EXPECT_NE(result.status, Status::kDone) << header;
    EXPECT_EQ(result.kind, ErrorKind::kDataLoss) << header;
    EXPECT_EQ(got_, "?????");
  }
}

TEST_F(S3ObjectSourceTest, InterimAnswersDoNotCount) {
  Serve([](const std::string&) {
    return Answer{
        "HTTP/1.1 103 Early Hints\r\nETag: \"x\"\r\n\r\n"
        "HTTP/1.1 100 Continue\r\n\r\n" +
            std::string(kRange) + "56789",
        {}};
  });
  const FetchResult result = Fetch();
  EXPECT_EQ(result.status, Status::kDone) << result.what;
  EXPECT_EQ(got_, "56789");
}

TEST_F(S3ObjectSourceTest, AnErrorBehindA200IsRetried) {
  const std::string xml = "<Error><Code>InternalError</Code><Message>Oh</Message></Error>";
  Serve([&](const std::string&) {
    return Answer{
        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(xml.size()) + "\r\n\r\n" + xml, {}};
  });
  const FetchResult result = FetchWhole();
  EXPECT_EQ(result.status, Status::kRetry);
  EXPECT_EQ(result.what, "200 InternalError (Oh)");
}

TEST_F(S3ObjectSourceTest, HeadersWithoutEndAreNotKept) {
  for (const bool one_line : {true, false}) {
    Serve([one_line](const std::string&) {
      std::string head = "HTTP/1.1 206 Partial Content\r\n";
      if (one_line) {
        head += "X: " + std::string(200000, 'x') + "\r\n";
      } else {
        for (int i = 0; i < 2000; ++i) head += "X-" + std::string(100, 'x') + ": x\r\n";
      }
      return Answer{head + "Content-Range: bytes 5-9/20\r\nContent-Length: 5\r\n\r\n56789", {}};
    });
    const FetchResult result = Fetch();
    EXPECT_EQ(result.status, Status::kRetry) << result.what;
    EXPECT_EQ(result.bytes, 0u);
  }
}

TEST_F(S3ObjectSourceTest, AHugeHeaderThatDoesNotMatterIsTaken) {
  Serve([](const std::string&) {
    return Answer{"HTTP/1.1 206 Partial Content\r\nx-amz-meta-a: " + std::string(30000, 'x') +
                      "\r\nContent-Range: bytes 5-9/20\r\nContent-Length: 5\r\n\r\n56789",
                  {}};
  });
  EXPECT_EQ(Fetch().status, Status::kDone);
}

TEST_F(S3ObjectSourceTest, RefusesACaBundleThatIsNotThere) {
  S3Options options;
  options.endpoint_url = "https://127.0.0.1:1";
  options.bucket = "b";
  options.ca_bundle = "/nonexistent/ca.pem";
  S3ObjectSource source(options);
  EXPECT_THROW(source.MakeFetcher({}), Error);
}

}  // namespace
}  // namespace smtf
