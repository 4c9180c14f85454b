#include "encoding/recordio_encoder.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "encoding/encoding.h"
#include "encoding/gzip_data.h"
#include "framing/recordio_format.h"

namespace smtf {
namespace {

TEST(RecordIOEncoderTest, ARecordForEachObject) {
  const auto encoder = MakeEncoder(false, true);
  std::vector<TestObject> objects;
  std::vector<std::string> expected;
  for (const size_t size : kObjectSizes) {
    objects.push_back({Noise(size, 7), static_cast<uint16_t>(size % 2 ? kInlineSource : 0)});
    expected.push_back(objects.back().bytes);
  }
  for (const size_t part_bytes : kPartSizes) {
    const std::string stream = Encode(encoder.get(), objects, part_bytes);
    EXPECT_TRUE(RecordsOf(stream) == expected) << part_bytes;
    EXPECT_EQ(stream.size() % 4, 0u);
  }
}

// The layout of recordio_format.h, byte by byte.
TEST(RecordIOEncoderTest, WritesMagicLengthPayloadAndZeros) {
  const std::string header("\x0a\x23\xd7\xce\x05\x00\x00\x00", 8);
  for (const size_t part_bytes : {2, 100}) {
    EXPECT_EQ(Encode(MakeEncoder(false, true).get(), {{"abcde"}}, part_bytes),
              header + "abcde" + std::string(3, '\0'));
  }
  EXPECT_EQ(Encode(MakeEncoder(false, true).get(), {{""}}, 100),
            std::string("\x0a\x23\xd7\xce\x00\x00\x00\x00", 8));
}

// Also in memory that held something else before: the sizes add up to several buffers, none kept.
TEST(RecordIOEncoderTest, PaddingIsZeros) {
  const auto encoder = MakeEncoder(false, true);
  for (size_t i = 0; i < 200; ++i) {
    const TestObject object{std::string(29001 + 36 * i, '\xff')};
    std::string written;
    WriteObject(encoder.get(), object, i, 65536, [&](std::string_view bytes, const auto&) {
      written += bytes;
      return true;
    });
    ASSERT_EQ(written.substr(8 + object.bytes.size()), std::string(3, '\0')) << i;
  }
}

TEST(RecordIOEncoderTest, TheMagicNumberInAnObjectIsNothingSpecial) {
  std::string payload = "12345678";
  for (int i = 0; i < 5; ++i) payload += "\x0a\x23\xd7\xce";
  const std::string stream = Encode(MakeEncoder(false, true).get(), {{payload}, {"next"}}, 4096);
  EXPECT_EQ(RecordsOf(stream), (std::vector<std::string>{payload, "next"}));
  EXPECT_EQ(stream.substr(8, payload.size()), payload);
}

TEST(RecordIOEncoderTest, SmallObjectsAreOnePieceAndLargeOnesAreNotCopied) {
  const auto encoder = MakeEncoder(false, true);
  HoldingSink sink;
  WriteObject(encoder.get(), {"abc"}, 0, 4096, sink.sink());
  ASSERT_EQ(sink.pieces().size(), 1u);
  EXPECT_EQ(sink.pieces()[0].size(), 12u);
  const TestObject large{Noise(100001, 8)};
  const auto memory = std::make_shared<std::string>(large.bytes);
  encoder->Write(SpecOf(large, 1, 0, memory->size()), *memory, memory, sink.sink());
  ASSERT_EQ(sink.pieces().size(), 4u);
  EXPECT_EQ(sink.pieces()[2].data(), memory->data());
  EXPECT_EQ(sink.owners()[2], memory);
}

TEST(RecordIOEncoderTest, RefusesWhatARecordCannotHold) {
  const auto encoder = MakeEncoder(false, true);
  HoldingSink sink;
  PartSpec part;
  part.begins_object = true;
  part.size = 5;
  part.object.size = recordio::kMaxLength;
  EXPECT_TRUE(encoder->Write(part, "bytes", nullptr, sink.sink()));
  part.object.size = uint64_t{recordio::kMaxLength} + 1;
  const std::string message = MessageOf(
      ErrorKind::kInvalidArgument, [&] { encoder->Write(part, "bytes", nullptr, sink.sink()); });
  EXPECT_NE(message.find("536870912"), std::string::npos) << message;
  EXPECT_EQ(sink.pieces().size(), 2u);
}

TEST(RecordIOEncoderTest, StopsWhenTheReaderIsGone) {
  const TestObject object{Noise(200001, 9)};
  for (size_t pieces = 1; pieces <= 4; ++pieces) {
    HoldingSink sink;
    sink.CloseAfter(pieces);
    EXPECT_FALSE(WriteObject(MakeEncoder(false, true).get(), object, 0, 100001, sink.sink()));
    EXPECT_EQ(sink.pieces().size(), pieces);
  }
}

}  // namespace
}  // namespace smtf
