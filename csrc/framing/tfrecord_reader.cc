#include "framing/tfrecord_reader.h"

#include <string>

#include "checksum/crc32c.h"
#include "framing/format_hint.h"
#include "framing/hex.h"
#include "framing/little_endian.h"

namespace smtf {
namespace {

constexpr size_t kLengthBytes = 8;
constexpr size_t kHeaderBytes = 12;
constexpr size_t kFooterBytes = 4;

}  // namespace

bool TFRecordReader::TakeHeader(size_t* length) {
  if (done_) return false;
  if (!input_.Fill(kHeaderBytes)) {
    done_ = true;
    if (input_.size() == 0) return false;
    Fail(Flaw::kTrailingBytes,
         "the stream ends after " + std::to_string(input_.size()) +
             " of a header's 12 bytes; the stream was cut short, or something that is not a "
             "TFRecord was appended to it");
  }
  const uint32_t stored = LoadLE32(input_.data() + kLengthBytes);
  const uint32_t seen = MaskCrc32c(ExtendCrc32c(0, input_.data(), kLengthBytes));
  if (seen != stored) {
    Fail(Flaw::kBadLengthCrc,
         "the length field holds " + Hex({input_.data(), kLengthBytes}) +
             ", whose masked CRC-32C is " + Hex(seen) + ", but " + Hex(stored) +
             " is stored; the data is damaged, or is not TFRecord: check record_format" +
             FormatHint({input_.data(), kHeaderBytes}));
  }
  const uint64_t bytes = LoadLE64(input_.data());
  if (bytes > options_.max_record_bytes) FailTooLong(bytes);
  input_.Consume(kHeaderBytes);
  *length = static_cast<size_t>(bytes);
  return true;
}

bool TFRecordReader::Fits(size_t length) const {
  return length + kFooterBytes <= input_.capacity();
}

bool TFRecordReader::TakeBuffered(size_t length, std::string_view* record) {
  if (!input_.Fill(length + kFooterBytes)) FailTruncated(length);
  *record = {input_.data(), length};
  input_.Consume(length);
  return TakeFooter(Crc32c(*record));
}

bool TFRecordReader::TakeIntoScratch(size_t length, std::string_view* record) {
  scratch_.Clear();
  uint32_t crc = 0;
  const auto extend = [&crc](std::string_view piece) {
    crc = ExtendCrc32c(crc, piece.data(), piece.size());
  };
  if (!ReadPayloadIntoScratch(length, extend)) FailTruncated(length);
  *record = scratch_.view();
  return TakeFooter(crc);
}

bool TFRecordReader::TakeInto(size_t length, char* dst) {
  uint32_t crc = 0;
  const auto extend = [&crc](std::string_view piece) {
    crc = ExtendCrc32c(crc, piece.data(), piece.size());
  };
  if (!ReadPayload(dst, length, extend)) FailTruncated(length);
  return TakeFooter(crc);
}

bool TFRecordReader::TakeFooter(uint32_t crc) {
  if (!input_.Fill(kFooterBytes)) FailTruncated(input_.offset() - record_start_ - kHeaderBytes);
  stored_crc_ = LoadLE32(input_.data());
  seen_crc_ = MaskCrc32c(crc);
  input_.Consume(kFooterBytes);
  return seen_crc_ == stored_crc_;
}

void TFRecordReader::LeaveOut(uint64_t left_out) {
  const CorruptRecordError error =
      Corrupt(Flaw::kBadDataCrc,
              "the masked CRC-32C of its " +
                  std::to_string(input_.offset() - record_start_ - kHeaderBytes - kFooterBytes) +
                  " bytes is " + Hex(seen_crc_) + ", but " + Hex(stored_crc_) +
                  " is stored; the data is damaged: write it again, or raise "
                  "max_corrupted_records_to_skip (now " +
                  std::to_string(options_.max_corrupted_records_to_skip) + ")");
  FinishRecord();
  if (left_out == options_.max_corrupted_records_to_skip) throw error;
  ++corrupted_records_;
  if (options_.on_skipped) options_.on_skipped(error);
}

void TFRecordReader::FailTruncated(size_t length) {
  const uint64_t there = input_.offset() + input_.size() - record_start_ - kHeaderBytes;
  Fail(Flaw::kTruncated, "the stream ends after " + std::to_string(there) + " of the " +
                             std::to_string(length + kFooterBytes) +
                             " bytes of payload and CRC; the file or its transfer was cut short");
}

bool TFRecordReader::Next(std::string_view* record) {
  size_t length;
  for (uint64_t left_out = 0; TakeHeader(&length); ++left_out) {
    if (Fits(length) ? TakeBuffered(length, record) : TakeIntoScratch(length, record)) {
      FinishRecord();
      return true;
    }
    LeaveOut(left_out);
  }
  return false;
}

bool TFRecordReader::NextInto(RecordSink* sink) {
  size_t length;
  for (uint64_t left_out = 0; TakeHeader(&length); ++left_out) {
    bool good;
    const bool buffered = input_.size() >= length + kFooterBytes;
    if (Fits(length) && (buffered || length < kDirectBytes)) {
      std::string_view record;
      good = TakeBuffered(length, &record);
      if (good) CopyInto(sink, record);
    } else {
      good = TakeInto(length, sink->Allocate(length));
    }
    if (good) {
      FinishRecord();
      return true;
    }
    LeaveOut(left_out);
  }
  return false;
}

uint64_t TFRecordReader::Skip(uint64_t count) {
  uint64_t skipped = 0;
  size_t length;
  for (; skipped < count && TakeHeader(&length); ++skipped) {
    if (input_.Discard(length + kFooterBytes) < length + kFooterBytes) FailTruncated(length);
    FinishRecord();
  }
  return skipped;
}

}  // namespace smtf
