#include "framing/stream_reader.h"

namespace smtf {

std::string StreamReader::Position() const {
  return input_.source().Describe() + ": record " + std::to_string(origin_index_ + record_index_) +
         " at byte " + std::to_string(origin_offset_ + record_start_) + ": ";
}

CorruptRecordError StreamReader::Corrupt(Flaw flaw, const std::string& what) const {
  return CorruptRecordError(flaw, origin_index_ + record_index_, origin_offset_ + record_start_,
                            Position() + what);
}

void StreamReader::Fail(Flaw flaw, const std::string& what) {
  done_ = true;
  throw Corrupt(flaw, what);
}

void StreamReader::FailTooLong(uint64_t bytes) {
  Fail(Flaw::kTooLong, "it has " + std::to_string(bytes) +
                           " bytes or more, and max_record_bytes is " +
                           std::to_string(options_.max_record_bytes) +
                           "; raise max_record_bytes if records may be that long, and check that "
                           "record_format is the format of this data");
}

}  // namespace smtf
