#include "s3/s3_stat.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <thread>

#include "errors.h"
#include "s3/http_server.h"

namespace smtf {
namespace {

using Answer = HttpServer::Answer;

class S3StatTest : public testing::Test {
 protected:
  // Answers by the object's name, which is a status or a size.
  void Serve(std::function<Answer(const std::string& name)> handler) {
    server_ = std::make_unique<HttpServer>([handler](const std::string& request) {
      const size_t begin = std::string("HEAD /bucket/").size();
      return handler(request.substr(begin, request.find(' ', begin) - begin));
    });
    S3Options options;
    options.endpoint_url = server_->url();
    options.bucket = "bucket";
    options.region = "us-east-1";
    bucket_ = std::make_unique<S3Bucket>(options);
  }

  static Answer Size(const std::string& size) {
    return {"HTTP/1.1 200 OK\r\nContent-Length: " + size + "\r\nETag: \"" + size + "\"\r\n\r\n",
            {}};
  }

  std::vector<ObjectStat> Stat(const std::vector<std::string>& names, int connections = 4) {
    return StatObjects(bucket_.get(), names, connections, {3, 10}, stop_);
  }

  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<S3Bucket> bucket_;
  std::atomic<bool> stop_{false};
};

TEST_F(S3StatTest, IsInTheOrderOfTheNames) {
  Serve(&Size);
  std::vector<std::string> names;
  for (int i = 0; i < 200; ++i) names.push_back(std::to_string(1000 - i));
  const std::vector<ObjectStat> stats = Stat(names);
  ASSERT_EQ(stats.size(), names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(std::to_string(stats[i].size), names[i]);
    EXPECT_EQ(stats[i].etag, "\"" + names[i] + "\"");
  }
  EXPECT_EQ(server_->connections(), 4);
  EXPECT_EQ(server_->requests()[0].rfind("HEAD /bucket/", 0), 0u);
}

TEST_F(S3StatTest, NoNamesAskNothing) {
  Serve(&Size);
  EXPECT_TRUE(Stat({}).empty());
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(S3StatTest, WhatIsNotThereHasNoSize) {
  Serve([](const std::string& name) {
    return name == "gone" ? Answer{"HTTP/1.1 404 Not Found\r\n\r\n", {}} : Size(name);
  });
  const std::vector<ObjectStat> stats = Stat({"1", "gone", "", "2"});
  EXPECT_EQ(stats[0].size, 1);
  EXPECT_EQ(stats[1].size, -1);
  EXPECT_EQ(stats[2].size, -1);
  EXPECT_EQ(stats[3].size, 2);
}

TEST_F(S3StatTest, Retries) {
  std::map<std::string, int> tries;
  Serve([&](const std::string& name) {
    return ++tries[name] < 3 ? Answer{"HTTP/1.1 503 Slow Down\r\n\r\n", {}} : Size(name);
  });
  for (const ObjectStat& stat : Stat({"1", "2", "3"})) EXPECT_GT(stat.size, 0);
}

TEST_F(S3StatTest, ThrowsTheErrorOfTheFirstName) {
  Serve([](const std::string& name) {
    if (name == "bad") return Answer{"HTTP/1.1 403 Forbidden\r\n\r\n", {}};
    if (name == "worse") return Answer{"HTTP/1.1 400 Bad Request\r\n\r\n", {}};
    return Size(name);
  });
  for (int i = 0; i < 20; ++i) {
    try {
      Stat({"1", "2", "bad", "3", "worse", "4", "5", "6"});
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kPermissionDenied);
      EXPECT_EQ(std::string(error.what())
                    .rfind("asking for the size of s3://bucket/bad: 403 Forbidden; ", 0),
                0u)
          << error.what();
    }
  }
}

TEST_F(S3StatTest, AnAnswerWithoutALengthIsAnError) {
  Serve([](const std::string&) { return Answer{"HTTP/1.1 200 OK\r\n\r\n", {}}; });
  EXPECT_THROW(Stat({"a"}), Error);
}

TEST_F(S3StatTest, AStopEndsIt) {
  Serve([](const std::string&) { return Answer{"", Answer::Then::kHang}; });
  std::thread stopper([this] {
    while (server_->requests().size() < 2) std::this_thread::yield();
    stop_ = true;
  });
  try {
    Stat({"1", "2", "3"}, 2);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
  stopper.join();
}

}  // namespace
}  // namespace smtf
