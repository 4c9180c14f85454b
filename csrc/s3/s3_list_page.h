// One page of a listing: what S3 is asked for, and what it answers.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
#ifndef SMTF_S3_S3_LIST_PAGE_H_
#define SMTF_S3_S3_LIST_PAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "prefetch/object_source.h"

namespace smtf {

struct S3ListRequest {
  std::string prefix;
  std::string delimiter;
  std::string start_after;
  std::string token;  // the page before this one said it; start_after is of no use beside it
};

// The canonical query: encoded and sorted. Keys are asked for with encoding-type=url, because XML
// cannot hold every character that a key can.
std::string ListQuery(const S3ListRequest& request);

// A key takes 24 bytes, and its text and ETag.
class S3ListPage {
 public:
  // An Error of kind kUnavailable for what is no answer to a ListObjectsV2 request; its message
  // begins with `doing`: "listing s3://bucket/prefix".
  static S3ListPage Parse(std::string_view xml, const std::string& doing);

  size_t size() const { return entries_.size(); }
  // The views belong to the page.
  ObjectRef operator[](size_t index) const;
  // Each key is behind the one before it.
  bool Ascending() const;
  // How many of the first keys are not behind `key`. Of an ascending page.
  size_t CountUpTo(std::string_view key) const;

  // Common prefixes: what is below the request's prefix, up to its delimiter.
  const std::vector<std::string>& folders() const { return folders_; }
  bool truncated() const { return truncated_; }
  const std::string& next_token() const { return next_token_; }

 private:
  class Parser;
  struct Piece {
    uint32_t begin = 0;
    uint32_t length = 0;
  };
  struct Entry {
    Piece key;
    Piece etag;
    uint64_t size = 0;
  };

  S3ListPage() = default;
  std::string_view View(const Piece& piece) const {
    return std::string_view(text_).substr(piece.begin, piece.length);
  }
  void DecodeUrls();

  std::string text_;  // of all keys and ETags
  std::vector<Entry> entries_;
  std::vector<std::string> folders_;
  bool truncated_ = false;
  std::string next_token_;
};

}  // namespace smtf

#endif  // SMTF_S3_S3_LIST_PAGE_H_
