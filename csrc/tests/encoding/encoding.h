// Encoders, and what they make of objects.
#ifndef SMTF_TESTS_ENCODING_ENCODING_H_
#define SMTF_TESTS_ENCODING_ENCODING_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "encoding/object_encoder.h"
#include "errors.h"
#include "framing/memory_byte_source.h"
#include "framing/record_reader.h"
#include "prefetch/part_plan.h"

namespace smtf {

struct TestObject {
  std::string bytes;
  uint16_t source = 0;
};

// A sink that holds every owner, and looks at the bytes only when all have been written.
class HoldingSink {
 public:
  ObjectEncoder::Sink sink() {
    return [this](std::string_view bytes, std::shared_ptr<const void> owner) {
      EXPECT_FALSE(bytes.empty());
      pieces_.push_back(bytes);
      owners_.push_back(std::move(owner));
      return pieces_.size() != close_after_;
    };
  }
  void CloseAfter(size_t pieces) { close_after_ = pieces; }
  std::string bytes() const {
    std::string all;
    for (const std::string_view piece : pieces_) all += piece;
    return all;
  }
  const std::vector<std::string_view>& pieces() const { return pieces_; }
  const std::vector<std::shared_ptr<const void>>& owners() const { return owners_; }

 private:
  size_t close_after_ = ~size_t{0};
  std::vector<std::string_view> pieces_;
  std::vector<std::shared_ptr<const void>> owners_;
};

inline PartSpec SpecOf(const TestObject& object, size_t index, size_t offset, size_t size) {
  PartSpec part;
  part.object.name = "x";
  part.object.size = object.bytes.size();
  part.object.source = object.source;
  part.object_index = index;
  part.offset = offset;
  part.size = size;
  part.begins_object = offset == 0;
  part.ends_object = offset + size == object.bytes.size();
  return part;
}

// Each part in memory of its own, as the part queue gives them, that is overwritten when nobody
// holds it any more: who looks at it then sees that.
inline std::shared_ptr<std::string> PartMemory(std::string_view bytes) {
  return {new std::string(bytes), [](std::string* memory) {
            std::fill(memory->begin(), memory->end(), '#');
            delete memory;
          }};
}

inline bool WriteObject(ObjectEncoder* encoder, const TestObject& object, size_t index,
                        size_t part_bytes, const ObjectEncoder::Sink& sink) {
  size_t offset = 0;
  do {
    const size_t size = std::min(part_bytes, object.bytes.size() - offset);
    const auto memory = PartMemory(std::string_view(object.bytes).substr(offset, size));
    if (!encoder->Write(SpecOf(object, index, offset, size), *memory, memory, sink)) return false;
    offset += size;
  } while (offset < object.bytes.size());
  return true;
}

inline std::string Encode(ObjectEncoder* encoder, const std::vector<TestObject>& objects,
                          size_t part_bytes) {
  HoldingSink sink;
  encoder->Begin();
  for (size_t i = 0; i < objects.size(); ++i) {
    EXPECT_TRUE(WriteObject(encoder, objects[i], i, part_bytes, sink.sink()));
  }
  return sink.bytes();
}

inline std::vector<std::string> RecordsOf(std::string_view stream) {
  MemoryByteSource source(stream);
  const auto reader = MakeRecordReader(RecordFormat::kRecordIO, &source, RecordReaderOptions());
  std::vector<std::string> records;
  std::string_view record;
  while (reader->Next(&record)) records.emplace_back(record);
  return records;
}

inline std::unique_ptr<ObjectEncoder> MakeEncoder(bool gunzip, bool wrap,
                                                  size_t max_held_bytes = 1 << 28) {
  EncodingOptions options;
  options.gunzip = gunzip;
  options.wrap_recordio = wrap;
  options.max_held_bytes = max_held_bytes;
  return MakeObjectEncoder(options);
}

template <typename Call>
std::string MessageOf(ErrorKind kind, const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

inline const size_t kPartSizes[] = {1000, 4096, 65536, 300000, size_t{8} << 20};
inline const size_t kObjectSizes[] = {0,     1,     3,     4,      5,      65520,  65527,
                                      65528, 65529, 65536, 100001, 300000, 2500003};

}  // namespace smtf

#endif  // SMTF_TESTS_ENCODING_ENCODING_H_
