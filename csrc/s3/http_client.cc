#include "s3/http_client.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace smtf {
namespace {

using Clock = std::chrono::steady_clock;

// For heads, and for bodies that have no room elsewhere.
constexpr size_t kBufferBytes = 32 * 1024;
// With a head comes the beginning of the body, which is then copied once more. So no more is read
// at a time than what S3's heads need, a few hundred bytes.
constexpr size_t kHeadBytes = 4 * 1024;
constexpr uint64_t kUnknown = UINT64_MAX;

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Whether a comma-separated list holds a word, which is in lower case.
bool Holds(std::string_view list, std::string_view word) {
  const std::string lower = Lower(list);
  for (size_t begin = 0; begin <= lower.size();) {
    size_t end = std::min(lower.find(',', begin), lower.size());
    std::string_view item = std::string_view(lower).substr(begin, end - begin);
    while (!item.empty() && IsBlank(item.front())) item.remove_prefix(1);
    while (!item.empty() && IsBlank(item.back())) item.remove_suffix(1);
    if (item == word) return true;
    begin = end + 1;
  }
  return false;
}

// A chunk's size in hexadecimal digits, before any extension; false for what is none.
bool ParseChunkSize(std::string_view line, uint64_t* size) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), *size, 16);
  if (error != std::errc()) return false;
  return end == line.data() + line.size() || *end == ';' || IsBlank(*end);
}

}  // namespace

HttpClient::HttpClient(double stall_seconds) : socket_(stall_seconds), buffer_(kBufferBytes) {}

HttpClient::End HttpClient::Exchange(const std::string& origin, std::string_view text,
                                     bool expect_body, HttpSink* sink,
                                     const std::atomic<bool>& stop) {
  sink_ = sink;
  message_.clear();
  code_ = CURLE_OK;
  first_byte_seconds_ = -1;
  broken_off_ = false;
  sent_ = Clock::now();
  head_.Clear();
  const bool kept = socket_.connected() && origin == origin_;
  End end = kept ? End::kDone : Connect(origin, stop);
  if (end == End::kDone) end = Send(text, stop);
  if (kept && !answered_ && (end == End::kClosed || end == End::kBroken)) {
    end = Connect(origin, stop);
    if (end == End::kDone) end = Send(text, stop);
  }
  if (end == End::kDone) {
    end = TakeBody(expect_body, stop);
  } else {
    head_.Clear();  // a part of one says nothing
  }
  if (end != End::kDone || !KeepsConnection()) socket_.Close();
  return broken_off_ ? End::kDone : end;
}

HttpClient::End HttpClient::Connect(const std::string& origin, const std::atomic<bool>& stop) {
  begin_ = end_ = 0;
  origin_ = origin;
  const End end = socket_.Connect(origin, stop);
  return end == End::kBroken ? Break(end, "") : end;
}

// Until the response's head has come.
HttpClient::End HttpClient::Send(std::string_view text, const std::atomic<bool>& stop) {
  answered_ = false;
  const End end = socket_.Write(text, stop);
  if (end != End::kDone) return end == End::kBroken ? Break(end, "") : end;
  return TakeHead(stop);
}

// A response may come after interim ones: 100 Continue, 103 Early Hints.
HttpClient::End HttpClient::TakeHead(const std::atomic<bool>& stop) {
  for (;;) {
    std::string_view line;
    const End end = TakeLine(stop, &line);
    if (end != End::kDone) return end;
    if (line.empty() && head_.status() >= 200) return End::kDone;
    if (!head_.OnLine(line)) {
      return Break(End::kBroken, "a response whose headers are longer than any of S3");
    }
    if (head_.status() == 0) return Break(End::kBroken, "an answer that is not HTTP");
  }
}

HttpClient::End HttpClient::TakeBody(bool expect_body, const std::atomic<bool>& stop) {
  sink_->OnHead(head_);
  switch (FramingOf(expect_body)) {
    case Framing::kNone:
      return End::kDone;
    case Framing::kLength:
      return TakeBytes(*head_.content_length(), stop);
    case Framing::kChunked:
      return TakeChunks(stop);
    case Framing::kToClose:
      break;
  }
  return TakeToClose(stop);
}

// RFC 9112, section 6.3.
HttpClient::Framing HttpClient::FramingOf(bool expect_body) const {
  if (!expect_body || head_.status() == 204 || head_.status() == 304) return Framing::kNone;
  const std::string_view encoding = head_.Find("transfer-encoding");
  if (!encoding.empty()) return Holds(encoding, "chunked") ? Framing::kChunked : Framing::kToClose;
  return head_.content_length() ? Framing::kLength : Framing::kToClose;
}

HttpClient::End HttpClient::TakeChunks(const std::atomic<bool>& stop) {
  for (;;) {
    std::string_view line;
    End end = TakeLine(stop, &line);
    if (end != End::kDone) return end;
    uint64_t size = 0;
    if (!ParseChunkSize(line, &size)) return Break(End::kBroken, "a chunk without a size");
    if (size == 0) break;
    end = TakeBytes(size, stop);
    if (end == End::kDone) end = broken_off_ ? End::kClosed : TakeLine(stop, &line);
    if (end != End::kDone) return end;
  }
  // Trailers.
  for (;;) {
    std::string_view line;
    const End end = TakeLine(stop, &line);
    if (end != End::kDone || line.empty()) return end;
  }
}

HttpClient::End HttpClient::TakeBytes(uint64_t count, const std::atomic<bool>& stop) {
  const uint64_t expected = count;
  while (count > 0) {
    size_t taken = 0;
    const End end = TakeSome(count, stop, &taken);
    if (end == End::kClosed) {
      return Break(end, "the connection was closed after " + std::to_string(expected - count) +
                            " of " + std::to_string(expected) + " bytes");
    }
    if (end != End::kDone) return end;
    count -= taken;
    if (broken_off_ && count > 0) return End::kClosed;
  }
  return End::kDone;
}

HttpClient::End HttpClient::TakeToClose(const std::atomic<bool>& stop) {
  for (;;) {
    size_t taken = 0;
    const End end = TakeSome(kUnknown, stop, &taken);
    if (end != End::kDone && end != End::kClosed) return end;
    if (end == End::kDone && !broken_off_) continue;
    socket_.Close();
    return End::kDone;
  }
}

// What is in the buffer goes first.
HttpClient::End HttpClient::TakeSome(uint64_t most, const std::atomic<bool>& stop, size_t* taken) {
  if (begin_ == end_) {
    const HttpSink::Room room = sink_->NextRoom();
    if (room.size > 0) {
      const size_t size = static_cast<size_t>(std::min<uint64_t>(most, room.size));
      const End end = socket_.Read(room.data, size, most == kUnknown ? 1 : size, stop, taken);
      if (end != End::kDone) return end == End::kBroken ? Break(end, "") : end;
      if (first_byte_seconds_ < 0) NoteFirstByte();
      sink_->OnReceived(*taken);
      return end;
    }
    const End end = Fill(kBufferBytes, stop);
    if (end != End::kDone) return end;
  }
  if (first_byte_seconds_ < 0) NoteFirstByte();
  *taken = static_cast<size_t>(std::min<uint64_t>(most, end_ - begin_));
  broken_off_ = !sink_->OnBody(std::string_view(buffer_.data() + begin_, *taken));
  begin_ += *taken;
  return End::kDone;
}

void HttpClient::NoteFirstByte() {
  first_byte_seconds_ = std::chrono::duration<double>(Clock::now() - sent_).count();
}

// Without its end. The view lives until the next call of any of these.
HttpClient::End HttpClient::TakeLine(const std::atomic<bool>& stop, std::string_view* line) {
  for (size_t scanned = begin_;;) {
    const void* found = std::memchr(buffer_.data() + scanned, '\n', end_ - scanned);
    if (found) {
      const size_t end = static_cast<size_t>(static_cast<const char*>(found) - buffer_.data());
      *line = std::string_view(buffer_.data() + begin_, end - begin_);
      if (!line->empty() && line->back() == '\r') line->remove_suffix(1);
      begin_ = end + 1;
      return End::kDone;
    }
    scanned = end_ - begin_;
    const End end = Fill(kHeadBytes, stop);
    if (end != End::kDone) return end;
  }
}

// Receives more behind what is in the buffer, which moves to its front.
HttpClient::End HttpClient::Fill(size_t most, const std::atomic<bool>& stop) {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  if (end_ == buffer_.size()) {
    return Break(End::kBroken, "a response whose headers are longer than any of S3");
  }
  size_t count = 0;
  const size_t room = std::min(most, buffer_.size() - end_);
  const End end = socket_.Read(buffer_.data() + end_, room, 1, stop, &count);
  if (end == End::kClosed) return Break(end, "the connection was closed without an answer");
  if (end != End::kDone) return end == End::kBroken ? Break(end, "") : end;
  end_ += count;
  answered_ = true;
  return end;
}

// Bytes behind the response would be taken for the next one.
bool HttpClient::KeepsConnection() const {
  const std::string_view connection = head_.Find("connection");
  return begin_ == end_ && !Holds(connection, "close") &&
         (!head_.is_http_1_0() || Holds(connection, "keep-alive"));
}

HttpClient::End HttpClient::Break(End end, std::string message) {
  code_ = end == End::kBroken && message.empty() ? socket_.code() : CURLE_OK;
  message_ = message.empty() ? socket_.message() : std::move(message);
  return end;
}

}  // namespace smtf
