#include "s3/s3_list_page.h"

#include <expat.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <memory>
#include <utility>

#include "errors.h"
#include "s3/s3_address.h"

namespace smtf {
namespace {

// S3 gives no more.
constexpr char kMaxKeys[] = "1000";
// A page of 1000 keys of 1024 bytes, each byte encoded as three, and everything around them is
// 4 MB; what is much longer is no page. It also keeps every offset within 32 bits.
constexpr size_t kLongestAnswer = 256 << 20;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// In place; returns the new length. S3 encodes a space as '+', others as %20. A '%' without two
// digits stays what it is.
size_t DecodeUrl(char* text, size_t length) {
  size_t to = 0;
  for (size_t from = 0; from < length; ++from, ++to) {
    char c = text[from];
    if (c == '+') {
      c = ' ';
    } else if (c == '%' && length - from > 2) {
      const int high = HexDigit(text[from + 1]);
      const int low = HexDigit(text[from + 2]);
      if (high >= 0 && low >= 0) {
        c = static_cast<char>(high * 16 + low);
        from += 2;
      }
    }
    text[to] = c;
  }
  return to;
}

struct FreeParser {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};

}  // namespace

std::string ListQuery(const S3ListRequest& request) {
  std::string query;
  const auto add = [&query](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    if (!query.empty()) query += '&';
    query.append(name).append("=").append(EncodeQuery(value));
  };
  add("continuation-token", request.token);
  add("delimiter", request.delimiter);
  add("encoding-type", "url");
  add("list-type", "2");
  add("max-keys", kMaxKeys);
  add("prefix", request.prefix);
  if (request.token.empty()) add("start-after", request.start_after);
  return query;
}

// Expat is C: nothing may be thrown through it, so what goes wrong in a callback is kept and the
// parser stopped.
class S3ListPage::Parser {
 public:
  explicit Parser(S3ListPage* page) : page_(*page), expat_(XML_ParserCreate("UTF-8")) {
    if (!expat_) throw std::bad_alloc();
    XML_SetUserData(expat_.get(), this);
    XML_SetElementHandler(expat_.get(), &Parser::OnStart, &Parser::OnEnd);
    XML_SetCharacterDataHandler(expat_.get(), &Parser::OnText);
    // S3 declares nothing; without declarations there are no entities that could grow.
    XML_SetStartDoctypeDeclHandler(expat_.get(), &Parser::OnDoctype);
  }

  // What is wrong with it; empty when nothing is.
  std::string Run(std::string_view xml) {
    const XML_Status status =
        XML_Parse(expat_.get(), xml.data(), static_cast<int>(xml.size()), XML_TRUE);
    if (thrown_) std::rethrow_exception(thrown_);
    if (!flaw_.empty()) return flaw_;
    if (status == XML_STATUS_OK) return "";
    return std::string(XML_ErrorString(XML_GetErrorCode(expat_.get()))) + " in line " +
           std::to_string(XML_GetCurrentLineNumber(expat_.get()));
  }
  bool url_encoded() const { return encoding_ == "url"; }

 private:
  template <typename Do>
  void Guard(Do&& handle) noexcept {
    try {
      handle();
    } catch (...) {
      thrown_ = std::current_exception();
      XML_StopParser(expat_.get(), XML_FALSE);
    }
  }
  void Refuse(std::string flaw) {
    flaw_ = std::move(flaw);
    XML_StopParser(expat_.get(), XML_FALSE);
  }

  void Start(std::string_view name) {
    ++depth_;
    if (depth_ == 1 && name != "ListBucketResult") {
      Refuse("it begins with <" + std::string(name.substr(0, 40)) + ">");
    } else if (depth_ == 2) {
      group_ = name == "Contents"         ? Group::kObject
               : name == "CommonPrefixes" ? Group::kFolder
                                          : Group::kPage;
      if (group_ == Group::kObject) BeginObject();
      if (group_ == Group::kPage) BeginPageField(name);
    } else if (depth_ == 3 && group_ == Group::kObject) {
      BeginObjectField(name);
    } else if (depth_ == 3 && group_ == Group::kFolder && name == "Prefix") {
      page_.folders_.emplace_back();
      target_ = &page_.folders_.back();
    }
  }

  void BeginObject() {
    page_.entries_.emplace_back();
    has_key_ = has_size_ = false;
  }

  void BeginObjectField(std::string_view name) {
    Entry& entry = page_.entries_.back();
    piece_ = name == "Key" ? &entry.key : name == "ETag" ? &entry.etag : nullptr;
    if (piece_) {
      piece_->begin = static_cast<uint32_t>(page_.text_.size());
      target_ = &page_.text_;
      has_key_ |= name == "Key";
    } else if (name == "Size") {
      size_.clear();
      target_ = &size_;
    }
  }

  void BeginPageField(std::string_view name) {
    target_ = name == "IsTruncated"             ? &truncated_
              : name == "NextContinuationToken" ? &page_.next_token_
              : name == "EncodingType"          ? &encoding_
                                                : nullptr;
    if (target_) target_->clear();
  }

  void End() {
    if (depth_ == 3) {
      if (piece_) piece_->length = static_cast<uint32_t>(page_.text_.size()) - piece_->begin;
      if (target_ == &size_) EndSize();
      piece_ = nullptr;
    } else if (depth_ == 2) {
      if (group_ == Group::kObject && !(has_key_ && has_size_)) {
        Refuse("it lists an object without a key or a size");
      }
      page_.truncated_ = truncated_ == "true";
    }
    if (depth_ <= 3) target_ = nullptr;
    --depth_;
  }

  void EndSize() {
    const char* end = size_.data() + size_.size();
    const auto [at, error] = std::from_chars(size_.data(), end, page_.entries_.back().size);
    has_size_ = error == std::errc() && at == end;
  }

  static void OnStart(void* self, const XML_Char* name, const XML_Char**) {
    auto* parser = static_cast<Parser*>(self);
    parser->Guard([&] { parser->Start(name); });
  }
  static void OnEnd(void* self, const XML_Char*) {
    auto* parser = static_cast<Parser*>(self);
    parser->Guard([&] { parser->End(); });
  }
  static void OnText(void* self, const XML_Char* text, int length) {
    auto* parser = static_cast<Parser*>(self);
    if (!parser->target_) return;
    parser->Guard([&] { parser->target_->append(text, static_cast<size_t>(length)); });
  }
  static void OnDoctype(void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    auto* parser = static_cast<Parser*>(self);
    parser->Guard([&] { parser->Refuse("it has a DOCTYPE"); });
  }

  enum class Group { kPage, kObject, kFolder };

  S3ListPage& page_;
  const std::unique_ptr<XML_ParserStruct, FreeParser> expat_;
  int depth_ = 0;
  Group group_ = Group::kPage;     // of the element at depth 2
  std::string* target_ = nullptr;  // where text goes; null for nowhere
  Piece* piece_ = nullptr;         // of the text that goes to the page's
  bool has_key_ = false;
  bool has_size_ = false;
  std::string size_;
  std::string truncated_;
  std::string encoding_;
  std::string flaw_;
  std::exception_ptr thrown_;
};

S3ListPage S3ListPage::Parse(std::string_view xml, const std::string& doing) {
  S3ListPage page;
  std::string flaw = "it is too long";
  if (xml.size() <= kLongestAnswer) {
    page.text_.reserve(xml.size() / 3);
    Parser parser(&page);
    flaw = parser.Run(xml);
    if (flaw.empty() && parser.url_encoded()) page.DecodeUrls();
  }
  if (!flaw.empty()) {
    throw Error(ErrorKind::kUnavailable, doing + ": the endpoint does not answer as S3 does: " +
                                             flaw + "; check the endpoint's URL");
  }
  return page;
}

void S3ListPage::DecodeUrls() {
  for (Entry& entry : entries_) {
    Piece& key = entry.key;
    key.length = static_cast<uint32_t>(DecodeUrl(text_.data() + key.begin, key.length));
  }
  for (std::string& folder : folders_) folder.resize(DecodeUrl(folder.data(), folder.size()));
}

ObjectRef S3ListPage::operator[](size_t index) const {
  const Entry& entry = entries_[index];
  return {View(entry.key), entry.size, View(entry.etag)};
}

bool S3ListPage::Ascending() const {
  const auto not_behind = [this](const Entry& a, const Entry& b) {
    return View(b.key) <= View(a.key);
  };
  return std::adjacent_find(entries_.begin(), entries_.end(), not_behind) == entries_.end();
}

size_t S3ListPage::CountUpTo(std::string_view key) const {
  const auto behind = [this](std::string_view bound, const Entry& entry) {
    return bound < View(entry.key);
  };
  return static_cast<size_t>(std::upper_bound(entries_.begin(), entries_.end(), key, behind) -
                             entries_.begin());
}

}  // namespace smtf
