// S3's answer to a GET of an object or a part of it: the bytes, or what is wrong with them.
#ifndef SMTF_S3_S3_RESPONSE_H_
#define SMTF_S3_S3_RESPONSE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "prefetch/object_source.h"
#include "s3/http_head.h"
#include "s3/http_sink.h"

namespace smtf {

// Body bytes go to where the request wants them, with a copy at most, and only if the headers prove
// that they are the bytes asked for: 206 with the right Content-Range, or 200 with the whole
// object, of which the range is cut out. Not thread-safe.
class S3Response : public HttpSink {
 public:
  // Forgets the last response.
  void Begin(const FetchRequest& request);

  void OnHead(const HttpHead& head) override;
  Room NextRoom() override;
  void OnReceived(size_t count) override { filled_ += count; }
  // False never for a body that is exactly what was asked for, whose connection can be used again.
  bool OnBody(std::string_view data) override;

  // `verdict` is how the connection saw it. All bytes being there counts more.
  FetchResult Finish(FetchResult verdict);

 private:
  void CheckETag(std::string_view etag);
  void CheckContentRange(std::string_view value);
  void CheckWholeObject(const HttpHead& head);
  void TakeChecksum(const HttpHead& head);
  void Refuse(ErrorKind kind, std::string what, std::string advice);

  FetchRequest request_;
  uint64_t skip_ = 0;  // body bytes before the range
  size_t filled_ = 0;
  bool to_end_of_object_ = false;  // nothing may follow
  std::optional<AnnouncedChecksum> checksum_;
  std::optional<FetchResult> refused_;  // the body is not what was asked for
  // A 200 that has another length than the object may be an error in disguise.
  HttpHead suspect_;
  std::string suspect_body_;
};

}  // namespace smtf

#endif  // SMTF_S3_S3_RESPONSE_H_
