// The TFRecord reader on any bytes; with bit 4 of the flags set, on a stream whose CRCs are made
// right first, because no fuzzer guesses them; with bit 5 set too, all but those of some payloads.
#include <algorithm>
#include <cstring>

#include "checksum/crc32c.h"
#include "framing/little_endian.h"
#include "framing/record_writer.h"
#include "fuzz_readers.h"

namespace {

void StoreCrc(std::string* stream, size_t begin, size_t size, size_t at) {
  const uint32_t crc = smtf::MaskCrc32c(smtf::ExtendCrc32c(0, stream->data() + begin, size));
  std::memcpy(stream->data() + at, &crc, sizeof(crc));
}

// Bounds every length, so that records are found, and rights their CRCs.
void RightCrcs(std::string* stream, bool leave_some_payloads) {
  for (size_t at = 0; at + 12 <= stream->size();) {
    // One in 16 keeps its absurd length.
    const bool bound = (static_cast<unsigned char>((*stream)[at + 8]) & 15) != 0;
    if (bound) std::memset(stream->data() + at + 2, 0, 6);
    StoreCrc(stream, at, 8, at + 8);
    const uint64_t length = smtf::LoadLE64(stream->data() + at);
    at += 12;
    if (stream->size() - at < 4 || length > stream->size() - at - 4) return;
    const size_t payload = at;
    at += static_cast<size_t>(length) + 4;
    const bool leave = leave_some_payloads && length % 2 == 1;
    if (!leave) StoreCrc(stream, payload, static_cast<size_t>(length), at - 4);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace smtf;
  auto input = fuzz::ParseInput(data, size);
  if (!input) return 0;
  if ((input->flags & 16) != 0) RightCrcs(&input->stream, (input->flags & 32) != 0);
  const fuzz::Outcome outcome = fuzz::ReadEveryWay(RecordFormat::kTFRecord, *input);
  if (outcome.flaws.empty() && outcome.corrupted_records == 0) {
    std::string again;
    for (const std::string& record : outcome.records) AppendTFRecord(record, &again);
    fuzz::Require(again == input->stream, "writing the records gives the stream back");
  }
  return 0;
}
