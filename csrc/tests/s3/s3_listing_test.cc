#include "s3/s3_listing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "s3/list_server.h"

namespace smtf {
namespace {

using Keys = std::vector<std::string>;
using Query = ListServer::Query;

std::vector<StoredKey> Stored(const std::set<std::string>& keys) {
  std::vector<StoredKey> stored;
  for (const std::string& key : keys) {
    const uint64_t size = key.back() == '/' ? 0 : 100 + key.size();
    stored.push_back({key, size, "\"" + std::to_string(stored.size()) + "\""});
  }
  return stored;
}

std::string Number(int number, int digits) {
  char text[16];
  std::snprintf(text, sizeof(text), "%0*d", digits, number);
  return text;
}

std::set<std::string> Flat(int count) {
  std::set<std::string> keys;
  for (int i = 0; i < count; ++i) keys.insert("train/image_" + Number(i, 6) + ".jpg");
  return keys;
}

class S3ListingTest : public testing::Test {
 protected:
  void Serve(std::vector<StoredKey> stored, ListServerOptions options = {}) {
    server_ = std::make_unique<ListServer>(std::move(stored), std::move(options));
    S3Options s3;
    s3.endpoint_url = server_->url();
    s3.bucket = "bucket";
    s3.region = "us-east-1";
    source_ = std::make_shared<S3ObjectSource>(s3);
  }

  // What was emitted is in listed_, also when it throws.
  uint64_t List(int connections, const std::string& prefix = "",
                const std::string& start_after = "") {
    listed_.clear();
    FetchLimits limits;
    limits.stall_seconds = 30;
    RetryLimits retry;
    retry.tries = 4;
    S3Listing listing(source_, prefix, start_after, connections, limits, retry);
    return listing.Run([this](std::vector<ObjectRef> objects) {
      EXPECT_FALSE(objects.empty());
      for (const ObjectRef& object : objects) {
        listed_.push_back({std::string(object.name), object.size, std::string(object.etag)});
      }
    });
  }

  Error ListingError(int connections, const std::string& prefix = "") {
    try {
      List(connections, prefix);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error";
    return Error(ErrorKind::kInternal, "");
  }

  void ExpectListed(const std::vector<StoredKey>& stored, const std::string& prefix = "",
                    const std::string& start_after = "") {
    std::vector<StoredKey> expected;
    for (const StoredKey& each : stored) {
      const bool marker = each.size == 0 && each.key.back() == '/';
      if (each.key.rfind(prefix, 0) == 0 && each.key > start_after && !marker) {
        expected.push_back(each);
      }
    }
    ASSERT_EQ(listed_.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(listed_[i].key, expected[i].key) << "at " << i;
      ASSERT_EQ(listed_[i].size, expected[i].size);
      ASSERT_EQ(listed_[i].etag, expected[i].etag);
    }
  }

  std::unique_ptr<ListServer> server_;
  std::shared_ptr<S3ObjectSource> source_;
  std::vector<StoredKey> listed_;
};

TEST_F(S3ListingTest, ListsOnePage) {
  const auto stored = Stored({"a", "b/", "b/c", "d"});
  Serve(stored);
  EXPECT_EQ(List(8), 3u);
  ExpectListed(stored);
  EXPECT_EQ(server_->requests(), 1);
}

TEST_F(S3ListingTest, ListsNothing) {
  Serve(Stored({"a", "b/"}));
  EXPECT_EQ(List(8, "c"), 0u);
  EXPECT_EQ(List(8, "b/"), 0u);  // a directory marker
}

// Shapes of key sets, at random.
std::string RandomText(std::mt19937* random, const Keys& letters, size_t longest) {
  std::string text;
  for (size_t n = (*random)() % longest + 1; n > 0; --n) {
    text += letters[(*random)() % letters.size()];
  }
  return text;
}

const char* const kShapes[] = {
    "numbers",          "unpadded",           "hashes", "words",       "odd characters", "deep",
    "one giant folder", "many small folders", "dates",  "nested alike"};

std::string RandomKey(size_t shape, std::mt19937* random) {
  std::mt19937& r = *random;
  static const Keys kHex = {"0", "1", "2", "3", "4", "5", "6", "7",
                            "8", "9", "a", "b", "c", "d", "e", "f"};
  static const Keys kWords = {"a", "b", "e", "t", "x", "Z", "-", "_", "0"};
  static const Keys kOdd = {"\xc3\xa9",
                            "\xe6\x97\xa5",
                            "\xf0\x9f\x98\x80",
                            " ",
                            "+",
                            "%",
                            "&",
                            "<",
                            "/",
                            "\"",
                            "!",
                            "%41",
                            "/",
                            ".."};
  static const Keys kDeep = {"a", "b", "/", "/", "c", "."};
  switch (shape) {
    case 0:
      return "part-" + Number(static_cast<int>(r() % 3000), 7) + ".rec";
    case 1:
      return "image" + std::to_string(r() % 3000) + ".jpg";
    case 2: {
      std::string hash;
      for (int i = 0; i < 12; ++i) hash += kHex[r() % kHex.size()];
      return "x/" + hash;
    }
    case 3:
      return RandomText(random, kWords, 8);
    case 4:
      return RandomText(random, kOdd, 6);
    case 5:
      return RandomText(random, kDeep, 16);
    case 6:
      return r() % 20 == 0 ? std::string(1, static_cast<char>('a' + r() % 26)) + "/x"
                           : "m/" + std::to_string(r() % 5000);
    case 7:
      return "class" + std::to_string(r() % 400) + "/" + std::to_string(r() % 3) + ".jpg";
    case 8:
      return "year=" + std::to_string(2020 + r() % 4) +
             "/month=" + Number(static_cast<int>(r() % 12), 2) +
             "/day=" + Number(static_cast<int>(r() % 28), 2) + "/part-" + std::to_string(r() % 10);
    default: {
      const std::string folder = "n" + Number(static_cast<int>(r() % 15), 8);
      return folder + "/" + folder + "_" + std::to_string(r() % 2000) + ".JPEG";
    }
  }
}

TEST_F(S3ListingTest, EveryShapeIsListedExactly) {
  std::mt19937 random(20240501);
  for (size_t shape = 0; shape < std::size(kShapes); ++shape) {
    for (const size_t max_keys : {1, 7, 40}) {
      SCOPED_TRACE(std::string(kShapes[shape]) + ", " + std::to_string(max_keys) + " to a page");
      std::set<std::string> keys;
      for (size_t i = 0; i < 25 * max_keys + random() % 300; ++i) {
        keys.insert(RandomKey(shape, &random));
      }
      const auto stored = Stored(keys);
      ListServerOptions options;
      options.max_keys = max_keys;
      options.plus_for_space = max_keys == 7;
      Serve(stored, options);
      const std::string some = stored[random() % stored.size()].key;
      for (const std::string& prefix : {std::string(), some.substr(0, 1), some}) {
        for (const std::string& start_after : {std::string(), some, std::string("m/~")}) {
          for (const int connections : {1, 2, 8}) {
            SCOPED_TRACE("prefix '" + prefix + "' after '" + start_after + "' over " +
                         std::to_string(connections));
            const uint64_t count = List(connections, prefix, start_after);
            EXPECT_EQ(count, listed_.size());
            ExpectListed(stored, prefix, start_after);
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

TEST_F(S3ListingTest, RawXmlIsListedWhereUrlEncodingIsIgnored) {
  ListServerOptions options;
  options.url_encoding = false;
  options.max_keys = 2;
  const auto stored =
      Stored({"a+b", "a b", "%41", "<&>", "caf\xc3\xa9/\"x\"", "p/1", "p/2", "q/1"});
  Serve(stored, options);
  for (const int connections : {1, 4}) {
    List(connections);
    ExpectListed(stored);
  }
}

TEST_F(S3ListingTest, GoesOnWithoutTokens) {
  ListServerOptions options;
  options.tokens = false;
  options.max_keys = 10;
  const auto stored = Stored(Flat(500));
  Serve(stored, options);
  for (const int connections : {1, 4}) {
    List(connections);
    ExpectListed(stored);
  }
}

// With a little latency all connections have a part in it, and waste little.
TEST_F(S3ListingTest, FlatKeysAndFoldersAreListedInParallel) {
  std::set<std::string> large;
  std::set<std::string> small;
  for (int i = 0; i < 3000; ++i) {
    large.insert(std::to_string(i % 50) + "/" + std::to_string(i));
    small.insert(std::to_string(i % 1000) + "/" + std::to_string(i));
  }
  for (const std::set<std::string>& keys : {Flat(3000), large, small}) {
    ListServerOptions options;
    options.max_keys = 10;
    options.latency_seconds = 0.002;
    const auto stored = Stored(keys);
    Serve(stored, options);
    List(6);
    ExpectListed(stored);
    EXPECT_EQ(server_->connections(), 6);
    EXPECT_LT(server_->requests(), 300 * 3 / 2);
  }
}

TEST_F(S3ListingTest, ThrottlingIsRetried) {
  ListServerOptions options;
  options.max_keys = 10;
  // None twice: of requests that come at the same time one could be refused until it is given up.
  struct Refused {
    std::mutex mutex;
    std::set<Query> queries;
  };
  options.fault = [refused = std::make_shared<Refused>()](int number, const Query& query) {
    const std::lock_guard<std::mutex> lock(refused->mutex);
    if (number % 7 != 3 || !refused->queries.insert(query).second) return std::string();
    return ListServer::Http("503 Slow Down", "<Error><Code>SlowDown</Code></Error>");
  };
  const auto stored = Stored(Flat(800));
  Serve(stored, options);
  for (const int connections : {1, 8}) {
    List(connections);
    ExpectListed(stored);
  }
}

// Refuses everything that goes on behind some key.
std::string RefuseBehind(const std::string& key, const Query& query) {
  for (const char* name : {"start-after", "continuation-token"}) {
    const auto at = query.find(name);
    if (at == query.end()) continue;
    const bool token = std::string(name) == "continuation-token";
    if (at->second.substr(token ? 1 : 0) < key) continue;
    return ListServer::Http("403 Forbidden",
                            "<Error><Code>AccessDenied</Code><Message>No</Message></Error>");
  }
  return "";
}

TEST_F(S3ListingTest, AnErrorComesAfterEverythingInFrontOfIt) {
  for (const int connections : {1, 8}) {
    const std::set<std::string> keys = Flat(1000);
    const std::string limit = "train/image_000600";
    ListServerOptions options;
    options.max_keys = 10;
    options.fault = [limit](int, const Query& query) { return RefuseBehind(limit, query); };
    const auto stored = Stored(keys);
    Serve(stored, options);
    const Error error = ListingError(connections, "train/");
    EXPECT_EQ(error.kind(), ErrorKind::kPermissionDenied);
    const std::string what = error.what();
    EXPECT_EQ(what.rfind("listing s3://bucket/train/: 403 AccessDenied (No)", 0), 0u) << what;
    // Whatever ranges it was cut into, no page that began in front of the limit was refused.
    ASSERT_GE(listed_.size(), 600u);
    for (size_t i = 0; i < listed_.size(); ++i) ASSERT_EQ(listed_[i].key, stored[i].key);
  }
}

TEST_F(S3ListingTest, AMissingBucketIsNotFound) {
  ListServerOptions options;
  options.fault = [](int, const Query&) {
    return ListServer::Http("404 Not Found", "<Error><Code>NoSuchBucket</Code></Error>");
  };
  Serve({}, options);
  EXPECT_EQ(ListingError(8).kind(), ErrorKind::kNotFound);
}

TEST_F(S3ListingTest, ServersThatAreNotS3AreNamedSo) {
  const std::string endless =
      ListServer::Http("200 OK",
                       "<ListBucketResult><IsTruncated>true</IsTruncated>"
                       "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>");
  const std::string without_token = ListServer::Http(
      "200 OK", "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>");
  const std::string other_prefix = ListServer::Http(
      "200 OK",
      "<ListBucketResult><Contents><Key>x</Key><Size>1</Size></Contents></ListBucketResult>");
  const std::string page = ListServer::Http("200 OK", "<html><body>Hello</body></html>");
  for (const std::string& answer : {endless, without_token, other_prefix, page}) {
    for (const int connections : {1, 4}) {
      ListServerOptions options;
      options.fault = [&answer](int, const Query&) { return answer; };
      Serve({}, options);
      const Error error = ListingError(connections, "train/");
      EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
      const std::string what = error.what();
      EXPECT_EQ(
          what.rfind("listing s3://bucket/train/: the endpoint does not answer as S3 does", 0), 0u)
          << what;
    }
  }
}

TEST_F(S3ListingTest, ABrokenPageInTheMiddleIsAnError) {
  for (const int connections : {1, 8}) {
    ListServerOptions options;
    options.max_keys = 10;
    options.fault = [](int number, const Query& query) {
      // Requests for folders may fail without consequence.
      if (number < 20 || query.count("delimiter") != 0) return std::string();
      return ListServer::Http("200 OK", "<ListBucketResult><Contents><Key>tra");
    };
    const auto stored = Stored(Flat(1000));
    Serve(stored, options);
    EXPECT_EQ(ListingError(connections).kind(), ErrorKind::kUnavailable);
    for (size_t i = 0; i < listed_.size(); ++i) ASSERT_EQ(listed_[i].key, stored[i].key);
  }
}

TEST_F(S3ListingTest, FoldersThatCannotBeAskedForDoNotMatter) {
  ListServerOptions options;
  options.max_keys = 10;
  options.fault = [](int, const Query& query) {
    return query.count("delimiter") ? ListServer::Http("501 Not Implemented", "") : std::string();
  };
  const auto stored = Stored(Flat(1000));
  Serve(stored, options);
  List(8);
  ExpectListed(stored);
}

std::string Page(const Keys& keys, const std::string& token) {
  std::string xml = "<ListBucketResult>";
  for (const std::string& key : keys) {
    xml += "<Contents><Key>" + key + "</Key><Size>1</Size></Contents>";
  }
  if (!token.empty()) {
    xml += "<IsTruncated>true</IsTruncated><NextContinuationToken>" + token +
           "</NextContinuationToken>";
  }
  return ListServer::Http("200 OK", xml + "</ListBucketResult>");
}

TEST_F(S3ListingTest, KeysWithoutOrderAreListedInTheServersOrder) {
  ListServerOptions options;
  options.fault = [](int, const Query& query) {
    const auto token = query.find("continuation-token");
    if (token == query.end()) return Page({"c", "a"}, "1");
    return token->second == "1" ? Page({"d"}, "2") : Page({"b"}, "");
  };
  Serve({}, options);
  EXPECT_EQ(List(8), 4u);
  Keys listed;
  for (const StoredKey& each : listed_) listed.push_back(each.key);
  EXPECT_EQ(listed, (Keys{"c", "a", "d", "b"}));
}

TEST_F(S3ListingTest, KeysThatLoseTheirOrderLaterAreAnErrorInParallel) {
  ListServerOptions options;
  options.fault = [](int, const Query& query) {
    if (query.count("delimiter")) return Page({}, "");
    return query.count("continuation-token") ? Page({"a"}, "") : Page({"b", "c"}, "1");
  };
  Serve({}, options);
  const Error error = ListingError(8);
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_NE(std::string(error.what()).find("one connection"), std::string::npos) << error.what();
  EXPECT_EQ(List(1), 3u);
}

TEST_F(S3ListingTest, StopsInTheMiddle) {
  for (const int connections : {1, 8}) {
    ListServerOptions options;
    options.max_keys = 3;
    Serve(Stored(Flat(3000)), options);
    S3Listing listing(source_, "", "", connections);
    uint64_t emitted = 0;
    std::thread stopper;
    try {
      listing.Run([&](std::vector<ObjectRef> objects) {
        emitted += objects.size();
        if (emitted >= 300 && !stopper.joinable()) stopper = std::thread([&] { listing.Stop(); });
      });
      ADD_FAILURE() << "it was not stopped";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCancelled) << error.what();
    }
    stopper.join();
    EXPECT_LT(emitted, 3000u);
  }
}

TEST_F(S3ListingTest, StopsWhileTheServerIsSilentOrThrottles) {
  for (const bool silent : {true, false}) {
    ListServerOptions options;
    options.max_keys = 10;
    options.fault = [silent](int number, const Query&) -> std::string {
      if (number < 5) return "";
      if (silent) return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<";
      return ListServer::Http("503 Slow Down", "", "Retry-After: 5000\r\n");
    };
    Serve(Stored(Flat(1000)), options);
    FetchLimits limits;
    limits.stall_seconds = 3600;
    S3Listing listing(source_, "", "", 4, limits, {1000, 1e6});
    std::thread stopper([&] {
      while (server_->requests() < 6) std::this_thread::yield();
      listing.Stop();
    });
    try {
      listing.Run([](std::vector<ObjectRef>) {});
      ADD_FAILURE() << "it was not stopped";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCancelled) << error.what();
    }
    stopper.join();
  }
}

TEST_F(S3ListingTest, AStopBeforeItBeganCounts) {
  Serve(Stored({"a"}));
  S3Listing listing(source_, "", "", 4);
  listing.Stop();
  EXPECT_THROW(listing.Run([](std::vector<ObjectRef>) { ADD_FAILURE(); }), Error);
}

TEST_F(S3ListingTest, WhatEmitThrowsEndsIt) {
  for (const int connections : {1, 8}) {
    ListServerOptions options;
    options.max_keys = 10;
    Serve(Stored(Flat(1000)), options);
    S3Listing listing(source_, "", "", connections);
    uint64_t emitted = 0;
    EXPECT_THROW(listing.Run([&](std::vector<ObjectRef> objects) {
      emitted += objects.size();
      if (emitted > 200) throw std::runtime_error("full");
    }),
                 std::runtime_error);
  }
}

TEST_F(S3ListingTest, NeedsAConnection) {
  Serve({});
  EXPECT_THROW(S3Listing(source_, "", "", 0), Error);
}

}  // namespace
}  // namespace smtf
