#include "framing/recordio_reader.h"

#include <string>

#include "framing/format_hint.h"
#include "framing/hex.h"
#include "framing/little_endian.h"
#include "framing/recordio_format.h"

namespace smtf {
namespace {

using recordio::kFirst;
using recordio::kHeaderBytes;
using recordio::kLast;
using recordio::kMagic;
using recordio::kMagicBytes;
using recordio::kMiddle;
using recordio::kWhole;
using recordio::Padded;

// The header has no checksum: a longer record is allocated only as its bytes arrive.
constexpr size_t kMaxTrustedBytes = 64 * 1024 * 1024;

constexpr char kMagicInStream[] = "\x0a\x23\xd7\xce";

void Ignore(std::string_view) {}

}  // namespace

RecordIOReader::Part RecordIOReader::TakeHeader(uint64_t so_far) {
  const uint32_t magic = LoadLE32(input_.data());
  if (magic != kMagic) {
    Fail(Flaw::kBadMagic, "byte " + std::to_string(input_.offset()) +
                              " should begin a header with " + Hex(kMagic) + ", but " + Hex(magic) +
                              " is there; the data is damaged, or is not RecordIO: check "
                              "record_format" +
                              FormatHint({input_.data(), input_.size()}));
  }
  const uint32_t word = LoadLE32(input_.data() + kMagicBytes);
  const Part part{recordio::FlagOf(word), recordio::LengthOf(word)};
  if (so_far + part.length > options_.max_record_bytes) FailTooLong(so_far + part.length);
  input_.Consume(kHeaderBytes);
  return part;
}

bool RecordIOReader::TakeFirstHeader(Part* part) {
  if (done_) return false;
  if (!input_.Fill(kHeaderBytes)) {
    done_ = true;
    if (input_.size() == 0) return false;
    Fail(
        Flaw::kTrailingBytes,
        "the stream ends after " + std::to_string(input_.size()) +
            " of a header's 8 bytes; the stream was cut short, or something that is not a RecordIO "
            "record was appended to it");
  }
  *part = TakeHeader(0);
  if (part->flag != kWhole && part->flag != kFirst) FailSequence(*part, true);
  return true;
}

RecordIOReader::Part RecordIOReader::TakeLaterHeader(uint64_t so_far) {
  if (!input_.Fill(kHeaderBytes)) FailTruncated("between the parts of the record");
  const Part part = TakeHeader(so_far);
  if (part.flag != kMiddle && part.flag != kLast) FailSequence(part, false);
  return part;
}

bool RecordIOReader::Fits(const Part& part) const {
  return part.flag == kWhole && Padded(part.length) <= input_.capacity();
}

std::string_view RecordIOReader::TakeBuffered(const Part& part) {
  if (!input_.Fill(Padded(part.length))) FailTruncated("in the payload or its padding");
  const std::string_view record(input_.data(), part.length);
  input_.Consume(Padded(part.length));
  return record;
}

void RecordIOReader::TakePadding(const Part& part) {
  const size_t padding = Padded(part.length) - part.length;
  if (!input_.Fill(padding)) FailTruncated("in the padding");
  input_.Consume(padding);
}

void RecordIOReader::TakeIntoScratch(const Part& part) {
  if (!ReadPayloadIntoScratch(part.length, Ignore)) FailTruncated("in the payload");
  TakePadding(part);
}

std::string_view RecordIOReader::Assemble(Part part) {
  scratch_.Clear();
  TakeIntoScratch(part);
  while (part.flag == kFirst || part.flag == kMiddle) {
    part = TakeLaterHeader(scratch_.size() + kMagicBytes);
    scratch_.Append({kMagicInStream, kMagicBytes});
    TakeIntoScratch(part);
  }
  return scratch_.view();
}

bool RecordIOReader::Next(std::string_view* record) {
  Part part;
  if (!TakeFirstHeader(&part)) return false;
  *record = Fits(part) ? TakeBuffered(part) : Assemble(part);
  FinishRecord();
  return true;
}

bool RecordIOReader::NextInto(RecordSink* sink) {
  Part part;
  if (!TakeFirstHeader(&part)) return false;
  const bool buffered = input_.size() >= Padded(part.length);
  const bool direct = part.flag == kWhole && !buffered && part.length <= kMaxTrustedBytes &&
                      (part.length >= kDirectBytes || !Fits(part));
  if (direct) {
    if (!ReadPayload(sink->Allocate(part.length), part.length, Ignore)) {
      FailTruncated("in the payload");
    }
    TakePadding(part);
  } else {
    CopyInto(sink, Fits(part) ? TakeBuffered(part) : Assemble(part));
  }
  FinishRecord();
  return true;
}

uint64_t RecordIOReader::Skip(uint64_t count) {
  uint64_t skipped = 0;
  Part part;
  for (; skipped < count && TakeFirstHeader(&part); ++skipped) {
    uint64_t so_far = 0;
    for (;;) {
      if (input_.Discard(Padded(part.length)) < Padded(part.length)) {
        FailTruncated("in the payload or its padding");
      }
      so_far += part.length;
      if (part.flag == kWhole || part.flag == kLast) break;
      so_far += kMagicBytes;
      part = TakeLaterHeader(so_far);
    }
    FinishRecord();
  }
  return skipped;
}

void RecordIOReader::FailSequence(const Part& part, bool first) {
  Fail(Flaw::kBadSequence,
       "the part whose payload begins at byte " + std::to_string(input_.offset()) + " has flag " +
           std::to_string(part.flag) + ", but " +
           (first ? "a record begins with flag 0 (whole) or 1 (first)"
                  : "a first or middle part is followed by flag 2 (middle) or 3 (last)") +
           "; the data is damaged, or was cut in the middle of a record");
}

void RecordIOReader::FailTruncated(const char* where) {
  Fail(Flaw::kTruncated, std::string("the stream ends ") + where + ", at byte " +
                             std::to_string(input_.offset() + input_.size()) +
                             "; the file or its transfer was cut short");
}

}  // namespace smtf
