#include "framing/object_record_reader.h"

#include <string>
#include <utility>

namespace smtf {
namespace {

constexpr size_t kPieceBytes = 1024 * 1024;

const ObjectRecordLimits& Checked(const ObjectRecordLimits& limits) {
  if (limits.chunk_records >= 1 && limits.chunk_bytes >= 1 && limits.max_record_bytes >= 1) {
    return limits;
  }
  throw Error(ErrorKind::kInvalidArgument,
              "chunk_records, chunk_bytes and max_record_bytes must be at least 1");
}

}  // namespace

std::string_view ObjectRecords::operator[](size_t index) const {
  const size_t begin = index == 0 ? 0 : ends[index - 1];
  return bytes.view().substr(begin, ends[index] - begin);
}

void ObjectRecords::Clear() {
  offsets.clear();
  ends.clear();
  bytes.Clear();
  ended = false;
  failure = nullptr;
}

ObjectRecordReader::ObjectRecordReader(ByteSource* stream, std::optional<RecordFormat> format,
                                       const ObjectRecordLimits& limits)
    : format_(format), limits_(Checked(limits)), frames_(stream) {
  options_.max_record_bytes = limits.max_record_bytes;
}

bool ObjectRecordReader::Next(ObjectRecords* chunk) {
  chunk->Clear();
  if (!in_object_ && !BeginObject()) return false;
  chunk->object = frames_.number();
  chunk->first_record = reader_ ? reader_->record_index() : 0;
  try {
    chunk->ended = reader_ ? !Cut(chunk) : !CutWhole(chunk);
  } catch (const CorruptRecordError& error) {
    Fail(chunk, std::make_shared<const CorruptRecordError>(error));
  } catch (const ObjectFailure& error) {
    Fail(chunk, std::make_shared<const Error>(error));
  }
  if (chunk->ended) in_object_ = false;
  return true;
}

bool ObjectRecordReader::BeginObject() {
  reader_.reset();
  if (!frames_.NextObject()) return false;
  if (format_) reader_ = MakeRecordReader(*format_, &frames_, options_);
  in_object_ = true;
  return true;
}

// False when the object is at its end.
bool ObjectRecordReader::Cut(ObjectRecords* chunk) {
  while (chunk->size() < limits_.chunk_records && chunk->bytes.size() < limits_.chunk_bytes) {
    const uint64_t offset = reader_->byte_offset();
    std::string_view record;
    if (!reader_->Next(&record)) return false;
    chunk->bytes.Append(record);
    chunk->offsets.push_back(offset);
    chunk->ends.push_back(chunk->bytes.size());
  }
  return true;
}

// The object as one record: always to its end.
bool ObjectRecordReader::CutWhole(ObjectRecords* chunk) {
  Scratch* bytes = &chunk->bytes;
  for (;;) {
    size_t room;
    char* to = bytes->Grow(kPieceBytes, &room);
    const size_t count = frames_.Read(to, room);
    if (count == 0) break;
    bytes->Commit(count);
    if (bytes->size() > limits_.max_record_bytes) {
      throw CorruptRecordError(Flaw::kTooLong, 0, 0,
                               frames_.Describe() +
                                   ": it is one record of more than max_record_bytes = " +
                                   std::to_string(limits_.max_record_bytes) +
                                   " bytes; raise the bound, or split the object into records");
    }
  }
  chunk->offsets.push_back(0);
  chunk->ends.push_back(bytes->size());
  return false;
}

void ObjectRecordReader::Fail(ObjectRecords* chunk, std::shared_ptr<const Error> failure) {
  chunk->ended = true;
  chunk->failure = std::move(failure);
}

}  // namespace smtf
