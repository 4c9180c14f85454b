#include "framing/format_hint.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "errors.h"
#include "framing/memory_byte_source.h"
#include "framing/record_reader.h"

namespace smtf {
namespace {

using std::string_view_literals::operator""sv;

// How tf.io.TFRecordWriter begins a record of 294 bytes.
constexpr std::string_view kTFRecord = "\x26\x01\x00\x00\x00\x00\x00\x00\x75\x9f\x73\xaa"sv;
constexpr std::string_view kRecordIO = "\x0a\x23\xd7\xce\x04\x00\x00\x00word"sv;
constexpr std::string_view kGzip = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x01\x00"sv;

std::string MessageOf(RecordFormat format, std::string_view bytes) {
  MemoryByteSource source(bytes);
  const auto reader = MakeRecordReader(format, &source, {});
  std::string_view record;
  try {
    reader->Next(&record);
  } catch (const CorruptRecordError& error) {
    return error.what();
  }
  return "no error";
}

bool EndsWith(const std::string& text, std::string_view end) {
  return text.size() >= end.size() &&
         std::string_view(text).substr(text.size() - end.size()) == end;
}

TEST(FormatHint, SaysWhatABrokenHeaderIsInstead) {
  for (const RecordFormat format : {RecordFormat::kTFRecord, RecordFormat::kRecordIO}) {
    const std::string message = MessageOf(format, kGzip);
    EXPECT_TRUE(EndsWith(message,
                         "check record_format; this is how a gzip file begins: set "
                         "compression to Gzip"))
        << message;
  }
  const std::string tfrecord = MessageOf(RecordFormat::kRecordIO, kTFRecord);
  EXPECT_TRUE(EndsWith(tfrecord, "; this is how a TFRecord begins")) << tfrecord;
  const std::string recordio = MessageOf(RecordFormat::kTFRecord, kRecordIO);
  EXPECT_TRUE(EndsWith(recordio, "; this is how a RecordIO record begins")) << recordio;
}

TEST(FormatHint, IsSilentAboutWhatItDoesNotKnow) {
  for (const std::string_view seen :
       {""sv, "\x1f"sv, "\x0a\x23\xd7"sv, kTFRecord.substr(0, 11), "hello, this is text"sv}) {
    EXPECT_EQ(FormatHint(seen), "");
  }
}

}  // namespace
}  // namespace smtf
