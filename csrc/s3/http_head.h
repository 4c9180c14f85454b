// The status line and the headers of an HTTP/1.1 response.
#ifndef SMTF_S3_HTTP_HEAD_H_
#define SMTF_S3_HTTP_HEAD_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smtf {

// Takes a number off the front of a header's value; nothing for what is none, or does not fit.
std::optional<uint64_t> TakeNumber(std::string_view* text);

// Takes a response's head line by line. Its memory is reused by the next one. Not thread-safe.
class HttpHead {
 public:
  // Forgets the last response.
  void Clear();

  // A status line or a header, with or without its line end. A status line begins anew: a response
  // may come after others (100 Continue, or a proxy's answer to CONNECT), and only the last one
  // counts. False when the head is longer than any that makes sense.
  bool OnLine(std::string_view line);

  int status() const { return status_; }  // 0 before the status line
  bool succeeded() const { return status_ == 200 || status_ == 206; }
  bool is_http_1_0() const { return is_http_1_0_; }
  std::string_view reason() const { return View(reason_); }

  // The value of the first header of that name, which is in lower case; empty without one.
  std::string_view Find(std::string_view name) const;
  std::optional<uint64_t> content_length() const;

  size_t size() const { return headers_.size(); }
  std::string_view name(size_t index) const { return View(headers_[index].name); }  // lower case
  std::string_view value(size_t index) const { return View(headers_[index].value); }

 private:
  struct Piece {
    uint32_t begin = 0;
    uint32_t length = 0;
  };
  struct Header {
    Piece name;
    Piece value;
  };

  std::string_view View(const Piece& piece) const {
    return std::string_view(text_).substr(piece.begin, piece.length);
  }
  Piece Keep(std::string_view text);

  int status_ = 0;
  bool is_http_1_0_ = false;
  Piece reason_;
  std::string text_;
  std::vector<Header> headers_;
};

}  // namespace smtf

#endif  // SMTF_S3_HTTP_HEAD_H_
