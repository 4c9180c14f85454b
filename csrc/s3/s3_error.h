// What S3's error responses mean to the prefetcher.
#ifndef SMTF_S3_S3_ERROR_H_
#define SMTF_S3_S3_ERROR_H_

#include <string>
#include <string_view>

#include "prefetch/object_source.h"
#include "s3/http_head.h"

namespace smtf {

// The text of the first <element> of S3's XML, its entities resolved; empty when there is none.
std::string XmlText(std::string_view xml, std::string_view element);

// An error response's head and XML. What it does not say is empty.
struct S3Error {
  int status = 0;      // of HTTP
  std::string reason;  // of the status line
  std::string code;    // "SlowDown"
  std::string message;
  std::string region;       // the bucket's: x-amz-bucket-region or <Region>
  std::string location;     // a URL or a host: Location or <Endpoint>
  std::string server_time;  // with RequestTimeTooSkewed
  double retry_after_seconds = 0;
};

// Whether an XML document is one of S3's errors. S3 may send one behind a 200: it says that when an
// answer took it so long that it had to begin before it knew.
bool IsErrorDocument(std::string_view body);

// `body` is XML, or whatever came; empty for HEAD.
S3Error ReadS3Error(const HttpHead& head, std::string_view body);

// 5xx, 408, 429 and the codes that mean the same may be retried, nothing else.
FetchResult ClassifyS3Error(const S3Error& error);

// 301, 302, 307, 308, or 400 for a signature that may be for another region than the bucket's.
bool IsRedirect(const S3Error& error);

// Other credentials may be served. A HEAD says no code, so there any 403 and 400 is one of these.
bool IsAboutCredentials(const S3Error& error);

// Retry-After, which is a number of seconds or a date; 0 for neither, and a day at most.
double ParseRetryAfter(std::string_view value);

}  // namespace smtf

#endif  // SMTF_S3_S3_ERROR_H_
