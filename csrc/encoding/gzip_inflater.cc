#include "encoding/gzip_inflater.h"

#include <zlib.h>

#include <algorithm>

#include "errors.h"
#include "framing/hex.h"

namespace smtf {
namespace {

constexpr std::string_view kMagic = "\x1f\x8b";
constexpr int kGzipOnly = 16 + MAX_WBITS;  // zlib.h, inflateInit2
// zlib counts in unsigned int.
constexpr size_t kMostAtOnce = size_t{1} << 30;

}  // namespace

GzipInflater::GzipInflater() : stream_(std::make_unique<z_stream_s>()) {
  const int status = inflateInit2(stream_.get(), kGzipOnly);
  if (status == Z_OK) return;
  throw Error(ErrorKind::kInternal,
              "starting zlib " + std::string(zlibVersion()) + ": " + zError(status));
}

GzipInflater::~GzipInflater() { inflateEnd(stream_.get()); }

void GzipInflater::Begin() {
  in_member_ = false;
  members_ = 0;
  consumed_ = 0;
  flaw_.clear();
}

size_t GzipInflater::Inflate(std::string_view* in, char* out, size_t room) {
  size_t made = 0;
  while (made < room && flaw_.empty()) {
    if (!in_member_ && !FindMember(in)) break;
    if (!CheckMagic(*in)) break;
    const size_t some = InflateSome(in, out + made, room - made);
    made += some;
    if (some == 0 && in->empty()) break;
  }
  if (made == 0 && !flaw_.empty()) throw Error(ErrorKind::kDataLoss, flaw_);
  return made;
}

// Enters the member that begins at the front of *in. False without one.
bool GzipInflater::FindMember(std::string_view* in) {
  if (members_ > 0) Consume(in, std::min(in->find_first_not_of('\0'), in->size()));
  if (in->empty()) return false;
  inflateReset(stream_.get());
  in_member_ = true;
  member_begin_ = consumed_;
  return true;
}

// Looks at those of the next bytes that are a member's first two: zlib would say no more than
// "incorrect header check".
bool GzipInflater::CheckMagic(std::string_view in) {
  const uint64_t from = consumed_ - member_begin_;
  for (size_t i = 0; from + i < kMagic.size() && i < in.size(); ++i) {
    if (in[i] == kMagic[from + i]) continue;
    const std::string seen = "compressed byte " + std::to_string(consumed_ + i) + " is 0x" +
                             Hex(in.substr(i, 1)) + ", and not 0x" +
                             Hex(kMagic.substr(from + i, 1));
    flaw_ =
        members_ == 0
            ? "this is not a gzip file: " + seen + "; set the channel's compression to None"
            : "behind the end of the gzip data only zeros or more gzip data may follow: " + seen +
                  "; upload the object again without what was appended to it";
    return false;
  }
  return true;
}

size_t GzipInflater::InflateSome(std::string_view* in, char* out, size_t room) {
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in->data()));
  stream_->avail_in = static_cast<uInt>(std::min(in->size(), kMostAtOnce));
  stream_->next_out = reinterpret_cast<Bytef*>(out);
  stream_->avail_out = static_cast<uInt>(std::min(room, kMostAtOnce));
  const int status = inflate(stream_.get(), Z_NO_FLUSH);
  Consume(in, reinterpret_cast<char*>(stream_->next_in) - in->data());
  if (status == Z_STREAM_END) {
    in_member_ = false;
    ++members_;
  } else if (status == Z_MEM_ERROR) {
    throw Error(ErrorKind::kInternal, "decompressing: zlib has no memory");
  } else if (status != Z_OK && status != Z_BUF_ERROR) {  // the latter: nothing could be done
    flaw_ =
        "the gzip data is damaged: " + std::string(stream_->msg ? stream_->msg : zError(status)) +
        " at compressed byte " + std::to_string(consumed_) +
        ", in the member that begins at byte " + std::to_string(member_begin_) +
        "; upload the object again";
  }
  return reinterpret_cast<char*>(stream_->next_out) - out;
}

void GzipInflater::Consume(std::string_view* in, size_t bytes) {
  in->remove_prefix(bytes);
  consumed_ += bytes;
}

void GzipInflater::End() const {
  if (!in_member_) return;
  throw Error(ErrorKind::kDataLoss,
              "the gzip data ends after compressed byte " + std::to_string(consumed_) +
                  ", inside the member that begins at byte " + std::to_string(member_begin_) +
                  ": it was cut short; upload the object again");
}

}  // namespace smtf
