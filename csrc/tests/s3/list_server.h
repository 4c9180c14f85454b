// A server that answers ListObjectsV2 for a set of keys, as S3 does.
#ifndef SMTF_TESTS_S3_LIST_SERVER_H_
#define SMTF_TESTS_S3_LIST_SERVER_H_

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "s3/loopback_server.h"
#include "s3/s3_address.h"

namespace smtf {

struct StoredKey {
  std::string key;
  uint64_t size = 0;
  std::string etag;  // with its quotes
};

struct ListServerOptions {
  size_t max_keys = 1000;    // in an answer, however many are asked for
  bool url_encoding = true;  // obey encoding-type
  bool plus_for_space = false;
  bool tokens = true;          // say how to go on
  double latency_seconds = 0;  // before each answer
  bool only_canonical = true;  // refuse queries that are not as they are signed
  // From the request's number, from 0, and its decoded query, to another answer, whole; "" for
  // none. Called by one thread at a time.
  using Query = std::map<std::string, std::string>;
  std::function<std::string(int, const Query&)> fault;
};

// A thread to each connection, keep-alive. The keys are listed in the order that they are given in,
// which should be that of their bytes.
class ListServer {
 public:
  using Query = ListServerOptions::Query;

  explicit ListServer(std::vector<StoredKey> keys, ListServerOptions options = {})
      : keys_(std::move(keys)),
        options_(std::move(options)),
        server_([this](int client) { Serve(client); }) {}

  std::string url() const { return "http://" + server_.host(); }
  int requests() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return requests_;
  }
  int connections() const { return server_.connections(); }

  static std::string Http(const std::string& status, const std::string& body,
                          const std::string& headers = "") {
    return "HTTP/1.1 " + status + "\r\nContent-Type: application/xml\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

 private:
  void Serve(int client) {
    const int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    std::string received;
    for (;;) {
      size_t end;
      while ((end = received.find("\r\n\r\n")) == std::string::npos) {
        char buffer[4096];
        const ssize_t count = recv(client, buffer, sizeof(buffer), 0);
        if (count <= 0) return;
        received.append(buffer, static_cast<size_t>(count));
      }
      const std::string answer = Answer(received.substr(0, received.find("\r\n")));
      received.erase(0, end + 4);
      for (size_t sent = 0; sent < answer.size();) {
        const ssize_t count =
            send(client, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) return;
        sent += static_cast<size_t>(count);
      }
    }
  }

  // "GET /bucket?list-type=2&prefix=a HTTP/1.1"
  std::string Answer(const std::string& request_line) {
    const size_t question = request_line.find('?');
    const size_t end = request_line.rfind(' ');
    if (request_line.rfind("GET /", 0) != 0 || question == std::string::npos || end < question) {
      return Http("400 Bad Request", "");
    }
    const std::string text = request_line.substr(question + 1, end - question - 1);
    const Query query = ParseQuery(text);
    if (options_.latency_seconds > 0) {
      std::this_thread::sleep_for(std::chrono::duration<double>(options_.latency_seconds));
    }
    std::string answer;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      const int number = requests_++;
      if (options_.fault) answer = options_.fault(number, query);
    }
    if (!answer.empty()) return answer;
    const bool refused = options_.only_canonical && !IsCanonical(text);
    if (refused || Get(query, "list-type") != "2") return Http("400 Bad Request", "");
    return Http("200 OK", List(query));
  }

  static Query ParseQuery(std::string_view text) {
    Query query;
    while (!text.empty()) {
      const std::string_view pair = text.substr(0, text.find('&'));
      text.remove_prefix(std::min(text.size(), pair.size() + 1));
      const size_t equals = pair.find('=');
      query[Decode(pair.substr(0, equals))] = Decode(pair.substr(equals + 1));
    }
    return query;
  }

  static std::string Decode(std::string_view text) {
    std::string decoded;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%' && i + 2 < text.size()) {
        decoded += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
      } else {
        decoded += text[i];
      }
    }
    return decoded;
  }

  // Sorted, and encoded as a signature wants it.
  static bool IsCanonical(const std::string& text) {
    std::string canonical;
    for (const auto& [name, value] : ParseQuery(text)) {
      canonical += (canonical.empty() ? "" : "&") + EncodeQuery(name) + "=" + EncodeQuery(value);
    }
    return canonical == text;
  }

  static std::string Get(const Query& query, const std::string& name) {
    const auto at = query.find(name);
    return at == query.end() ? "" : at->second;
  }

  std::vector<StoredKey>::const_iterator Behind(const std::string& key) const {
    const auto behind = [](const std::string& bound, const StoredKey& stored) {
      return bound < stored.key;
    };
    return std::upper_bound(keys_.begin(), keys_.end(), key, behind);
  }

  std::string List(const Query& query) const {
    const std::string prefix = Get(query, "prefix");
    const std::string delimiter = Get(query, "delimiter");
    const std::string token = Get(query, "continuation-token");
    const bool encoded = options_.url_encoding && Get(query, "encoding-type") == "url";
    // A token is the last thing listed.
    const std::string last = token.empty() ? Get(query, "start-after") : token.substr(1);
    auto at = std::max(Behind(last), prefix.empty() ? keys_.begin() : Behind(Before(prefix)));
    std::string items;
    std::string listed = last;
    size_t count = 0;
    for (; at != keys_.end() && at->key.compare(0, prefix.size(), prefix) == 0; ++at) {
      const size_t slash =
          delimiter.empty() ? std::string::npos : at->key.find(delimiter, prefix.size());
      const std::string folder =
          slash == std::string::npos ? "" : at->key.substr(0, slash + delimiter.size());
      if (!folder.empty() && folder == listed) continue;
      if (count == options_.max_keys) break;
      ++count;
      listed = folder.empty() ? at->key : folder;
      if (folder.empty()) {
        AppendObject(*at, encoded, &items);
      } else {
        items += "<CommonPrefixes><Prefix>" + Text(folder, encoded) + "</Prefix></CommonPrefixes>";
      }
    }
    const bool more = at != keys_.end() && at->key.compare(0, prefix.size(), prefix) == 0;
    std::string xml =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>bucket</Name>";
    xml += "<Prefix>" + Text(prefix, encoded) + "</Prefix>";
    if (more && options_.tokens) {
      xml += "<NextContinuationToken>" + Text("t" + listed, false) + "</NextContinuationToken>";
    }
    xml += "<KeyCount>" + std::to_string(count) + "</KeyCount>";
    if (encoded) xml += "<EncodingType>url</EncodingType>";
    xml += std::string("<IsTruncated>") + (more ? "true" : "false") + "</IsTruncated>";
    return xml + items + "</ListBucketResult>";
  }

  // The greatest short string in front of everything that begins with `prefix`.
  static std::string Before(std::string prefix) {
    if (prefix.back() == '\0') {
      prefix.pop_back();
    } else {
      --prefix.back();
      prefix.append(1100, '\xff');
    }
    return prefix;
  }

  void AppendObject(const StoredKey& stored, bool encoded, std::string* xml) const {
    *xml += "<Contents><Key>";
    AppendText(stored.key, encoded, xml);
    *xml += "</Key><LastModified>2024-05-01T12:00:00.000Z</LastModified><ETag>";
    AppendText(stored.etag, false, xml);
    *xml += "</ETag><Size>";
    *xml += std::to_string(stored.size);
    *xml += "</Size><StorageClass>STANDARD</StorageClass></Contents>";
  }

  // What needs neither encoding nor escaping goes over in one piece: a benchmark is served with
  // this too.
  void AppendText(std::string_view text, bool encoded, std::string* xml) const {
    while (!text.empty()) {
      size_t plain = 0;
      while (plain < text.size() && IsPlain(text[plain])) ++plain;
      xml->append(text.substr(0, plain));
      text.remove_prefix(plain);
      if (text.empty()) break;
      const char c = text.front();
      if (encoded) {
        *xml += c == ' ' && options_.plus_for_space ? "+" : EncodeKey(text.substr(0, 1));
      } else {
        *xml += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '"' ? "&quot;" : std::string(1, c);
      }
      text.remove_prefix(1);
    }
  }
  std::string Text(std::string_view text, bool encoded) const {
    std::string xml;
    AppendText(text, encoded, &xml);
    return xml;
  }

  static bool IsPlain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '-' && c <= '9') || c == '_';
  }

  const std::vector<StoredKey> keys_;
  const ListServerOptions options_;
  mutable std::mutex mutex_;
  int requests_ = 0;
  LoopbackServer server_;
};

}  // namespace smtf

#endif  // SMTF_TESTS_S3_LIST_SERVER_H_
