#include "s3/http_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>

#include "s3/http_server.h"

namespace smtf {
namespace {

using Answer = HttpServer::Answer;
using End = HttpClient::End;

// Has room for the first `room` bytes; takes `most` bytes in all.
class TestSink : public HttpSink {
 public:
  explicit TestSink(size_t room = 0, size_t most = SIZE_MAX) : most_(most), place_(room, '?') {}
  void OnHead(const HttpHead& head) override { heads += std::to_string(head.status()) + " "; }
  Room NextRoom() override { return {place_.data() + placed_, place_.size() - placed_}; }
  void OnReceived(size_t count) override {
    body.append(place_, placed_, count);
    placed_ += count;
    received += count;
  }
  bool OnBody(std::string_view data) override {
    body += data;
    return body.size() < most_;
  }

  std::string heads;
  std::string body;
  size_t received = 0;  // without a copy

 private:
  const size_t most_;
  std::string place_;
  size_t placed_ = 0;
};

class HttpClientTest : public testing::Test {
 protected:
  void Serve(HttpServer::Handler handler) {
    server_ = std::make_unique<HttpServer>(std::move(handler));
    client_ = std::make_unique<HttpClient>(60);  // a machine may halt for seconds
  }
  void Serve(const std::string& answer, Answer::Then then = Answer::Then::kKeep, size_t piece = 0) {
    Serve([=](const std::string&) { return Answer{answer, then, piece, {}}; });
  }

  End Get(TestSink* sink, bool expect_body = true) {
    return client_->Exchange(server_->url(), "GET / HTTP/1.1\r\nhost: h\r\n\r\n", expect_body, sink,
                             stop_);
  }
  // The body of a whole response.
  std::string Body() {
    TestSink sink;
    EXPECT_EQ(Get(&sink), End::kDone) << client_->message();
    return sink.body;
  }

  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<HttpClient> client_;
  std::atomic<bool> stop_{false};
};

TEST_F(HttpClientTest, TakesABodyOfKnownLength) {
  for (const size_t piece : {0u, 1u, 7u}) {
    Serve("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", Answer::Then::kKeep, piece);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(Body(), "0123456789");
    EXPECT_EQ(server_->connections(), 1);
    EXPECT_GE(client_->first_byte_seconds(), 0);
  }
}

TEST_F(HttpClientTest, PutsTheBodyWhereThereIsRoom) {
  std::string body(3000000, ' ');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 >> 3);
  Serve("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  for (const size_t room : {size_t{0}, size_t{100000}, body.size(), 2 * body.size()}) {
    TestSink sink(room);
    EXPECT_EQ(Get(&sink), End::kDone);
    EXPECT_TRUE(sink.body == body) << room;
    EXPECT_EQ(sink.heads, "200 ");
    // What comes with the head is copied.
    EXPECT_GE(sink.received + 100000, std::min(room, body.size()));
  }
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(HttpClientTest, TakesChunks) {
  const std::string answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\nContent-Length: 3\r\n\r\n"
      "5;name=value\r\n01234\r\nA\r\nabcdefghij\r\n000\r\nTrailer: x\r\n\r\n";
  for (const size_t piece : {0u, 1u, 3u}) {
    for (const size_t room : {0u, 3u, 100u}) {
      Serve(answer, Answer::Then::kKeep, piece);
      for (int i = 0; i < 2; ++i) {
        TestSink sink(room);
        EXPECT_EQ(Get(&sink), End::kDone) << client_->message();
        EXPECT_EQ(sink.body, "01234abcdefghij");
      }
      EXPECT_EQ(server_->connections(), 1);
    }
  }
}

TEST_F(HttpClientTest, RefusesChunksThatAreNone) {
  for (const char* chunk :
       {"x\r\n", "\r\n", "-1\r\n", "5x\r\n01234\r\n", "fffffffffffffffff\r\n"}) {
    Serve("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(chunk));
    TestSink sink;
    EXPECT_EQ(Get(&sink), End::kBroken) << chunk;
    EXPECT_EQ(client_->message(), "a chunk without a size");
  }
}

TEST_F(HttpClientTest, TakesABodyThatEndsWithTheConnection) {
  Serve("HTTP/1.1 200 OK\r\n\r\n0123456789", Answer::Then::kClose, 3);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Body(), "0123456789");
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(HttpClientTest, ABodyThatEndsEarlyIsClosed) {
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n01234",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n"}) {
    Serve(answer, Answer::Then::kClose);
    TestSink sink;
    EXPECT_EQ(Get(&sink), End::kClosed);
    EXPECT_EQ(sink.body, "01234");
    EXPECT_NE(client_->message(), "");
  }
}

TEST_F(HttpClientTest, SomeResponsesHaveNoBody) {
  Serve("HTTP/1.1 204 No Content\r\n\r\n");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Body(), "");
  EXPECT_EQ(server_->connections(), 1);
  Serve("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
  for (int i = 0; i < 2; ++i) {
    TestSink sink;
    EXPECT_EQ(Get(&sink, false), End::kDone);
    EXPECT_EQ(sink.heads, "200 ");
  }
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(HttpClientTest, KeepsConnectionsThatMayBeKept) {
  const struct {
    const char* head;
    int connections;
  } cases[] = {
      {"HTTP/1.1 200 OK", 1},
      {"HTTP/1.1 200 OK\r\nConnection: Keep-Alive", 1},
      {"HTTP/1.1 200 OK\r\nConnection: x, Close", 2},
      {"HTTP/1.0 200 OK", 2},
      {"HTTP/1.0 200 OK\r\nConnection: keep-alive", 1},
  };
  for (const auto& expected : cases) {
    Serve(std::string(expected.head) + "\r\nContent-Length: 2\r\n\r\nok");
    for (int i = 0; i < 2; ++i) EXPECT_EQ(Body(), "ok");
    EXPECT_EQ(server_->connections(), expected.connections) << expected.head;
  }
  // Bytes that nobody asked for may be anything.
  Serve("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokmore");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Body(), "ok");
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(HttpClientTest, AKeptConnectionThatWasClosedIsReplaced) {
  for (const auto then : {Answer::Then::kClose, Answer::Then::kReset}) {
    // Each connection serves one request and is closed after the answer has been read.
    int requests = 0;
    Serve([&](const std::string&) -> Answer {
      if (++requests % 2 == 0) return {"", then};
      return {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", {}};
    });
    for (int i = 0; i < 4; ++i) EXPECT_EQ(Body(), "ok");
    EXPECT_EQ(server_->connections(), 4);
  }
}

TEST_F(HttpClientTest, ANewConnectionThatIsClosedIsNotReplaced) {
  Serve("", Answer::Then::kClose);
  TestSink sink;
  EXPECT_EQ(Get(&sink), End::kClosed);
  EXPECT_EQ(server_->requests().size(), 1u);
  EXPECT_EQ(client_->head().status(), 0);
}

TEST_F(HttpClientTest, TheSinkBreaksOff) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: ";
  Serve(head + "1000000\r\n\r\n" + std::string(1000000, 'x'));
  for (int i = 0; i < 2; ++i) {
    TestSink sink(0, 5);
    EXPECT_EQ(Get(&sink), End::kDone);
    EXPECT_LT(sink.body.size(), 1000000u);
  }
  EXPECT_EQ(server_->connections(), 2);
  // At the end there is nothing to break off.
  Serve(head + "5\r\n\r\n01234");
  for (int i = 0; i < 2; ++i) {
    TestSink sink(0, 5);
    EXPECT_EQ(Get(&sink), End::kDone);
  }
  EXPECT_EQ(server_->connections(), 1);
  Serve(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n");
  TestSink sink(0, 5);
  EXPECT_EQ(Get(&sink), End::kDone);
  EXPECT_EQ(sink.body, "01234");
}

TEST_F(HttpClientTest, InterimResponsesAreForgotten) {
  Serve(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  TestSink sink;
  EXPECT_EQ(Get(&sink), End::kDone);
  EXPECT_EQ(sink.heads, "200 ");
  EXPECT_EQ(sink.body, "ok");
}

TEST_F(HttpClientTest, TakesLineEndsWithoutReturns) {
  Serve("HTTP/1.1 200 OK\nContent-Length: 2\n\nok", Answer::Then::kKeep, 1);
  EXPECT_EQ(Body(), "ok");
}

TEST_F(HttpClientTest, RefusesWhatIsNotHttp) {
  for (const char* answer : {"SSH-2.0-OpenSSH\r\n", "\r\n", "HTTP/1.1\r\n\r\n"}) {
    Serve(answer);
    TestSink sink;
    EXPECT_EQ(Get(&sink), End::kBroken) << answer;
    EXPECT_EQ(client_->message(), "an answer that is not HTTP");
    EXPECT_EQ(sink.heads, "");
  }
}

TEST_F(HttpClientTest, AStallAndAStopEndEveryWait) {
  for (const std::string& sent :
       {std::string(), std::string("HTTP/1.1 200"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n0123")}) {
    Serve(sent, Answer::Then::kHang);
    stop_ = false;
    client_ = std::make_unique<HttpClient>(0.5);
    TestSink sink(100);
    EXPECT_EQ(Get(&sink), End::kStalled) << sent;
    client_ = std::make_unique<HttpClient>(3600);
    std::thread stopper([this] {
      while (server_->requests().size() < 2) std::this_thread::yield();
      stop_ = true;
      client_->socket().Wake();
    });
    EXPECT_EQ(Get(&sink), End::kStopped) << sent;
    stopper.join();
  }
}

TEST_F(HttpClientTest, ConnectsToAnotherOrigin) {
  HttpServer other([](const std::string&) {
    return Answer{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother", {}};
  });
  Serve("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(Body(), "ok");
  TestSink sink;
  EXPECT_EQ(client_->Exchange(other.url(), "GET / HTTP/1.1\r\n\r\n", true, &sink, stop_),
            End::kDone);
  EXPECT_EQ(sink.body, "other");
  EXPECT_EQ(Body(), "ok");
}

TEST_F(HttpClientTest, SaysWhyThereIsNoConnection) {
  Serve("");
  const std::string url = server_->url();
  server_.reset();
  TestSink sink;
  EXPECT_EQ(client_->Exchange(url, "GET / HTTP/1.1\r\n\r\n", true, &sink, stop_), End::kBroken);
  EXPECT_EQ(client_->code(), CURLE_COULDNT_CONNECT);
  EXPECT_NE(client_->message(), "");
}

}  // namespace
}  // namespace smtf
