#include "encoding/gunzip_recordio_encoder.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "encoding/encoding.h"
#include "encoding/gzip_data.h"

namespace smtf {
namespace {

TEST(GunzipRecordIOEncoderTest, ARecordForEachDecompressedObject) {
  const auto encoder = MakeEncoder(true, true);
  std::vector<TestObject> objects;
  std::vector<std::string> expected;
  for (const size_t size : kObjectSizes) {
    const std::string text = SomeText(size, 10);
    objects.push_back({Gzip(text) + Gzip("tail")});
    expected.push_back(text + "tail");
    objects.push_back({text, kInlineSource});
    expected.push_back(text);
  }
  objects.push_back({""});
  objects.push_back({Gzip("")});
  expected.insert(expected.end(), 2, "");
  for (const size_t part_bytes : kPartSizes) {
    EXPECT_TRUE(RecordsOf(Encode(encoder.get(), objects, part_bytes)) == expected) << part_bytes;
  }
}

TEST(GunzipRecordIOEncoderTest, SmallObjectsAreOnePiece) {
  HoldingSink sink;
  WriteObject(MakeEncoder(true, true).get(), {Gzip(SomeText(1000, 11))}, 0, 50, sink.sink());
  EXPECT_EQ(sink.pieces().size(), 1u);
  EXPECT_EQ(RecordsOf(sink.bytes()), (std::vector<std::string>{SomeText(1000, 11)}));
}

TEST(GunzipRecordIOEncoderTest, HoldsAtMostItsBound) {
  const std::string text = SomeText(100000, 12);
  const auto encoder = MakeEncoder(true, true, 100000);
  EXPECT_EQ(RecordsOf(Encode(encoder.get(), {{Gzip(text)}, {Gzip(text)}}, 4096)).size(), 2u);
  HoldingSink sink;
  const std::string message = MessageOf(ErrorKind::kInvalidArgument, [&] {
    WriteObject(encoder.get(), {Gzip(text + "x")}, 0, 4096, sink.sink());
  });
  EXPECT_NE(message.find("more than 100000 bytes"), std::string::npos) << message;
  EXPECT_TRUE(sink.pieces().empty());
  EXPECT_EQ(RecordsOf(Encode(encoder.get(), {{Gzip(text)}}, 4096)).size(), 1u);
}

TEST(GunzipRecordIOEncoderTest, AnAbandonedObjectIsForgotten) {
  const auto encoder = MakeEncoder(true, true);
  const TestObject object{Gzip(Noise(50000, 6))};
  HoldingSink sink;
  EXPECT_TRUE(encoder->Write(SpecOf(object, 0, 0, 20000), object.bytes.substr(0, 20000), nullptr,
                             sink.sink()));
  EXPECT_EQ(RecordsOf(Encode(encoder.get(), {{Gzip("abc")}}, 4096)),
            (std::vector<std::string>{"abc"}));
}

TEST(GunzipRecordIOEncoderTest, ABrokenObjectLeavesNoRecord) {
  const auto encoder = MakeEncoder(true, true);
  const std::string file = Gzip(SomeText(100000, 13));
  HoldingSink sink;
  MessageOf(ErrorKind::kDataLoss, [&] {
    WriteObject(encoder.get(), {file.substr(0, file.size() - 1)}, 0, 4096, sink.sink());
  });
  EXPECT_TRUE(sink.pieces().empty());
  EXPECT_EQ(RecordsOf(Encode(encoder.get(), {{Gzip("abc")}}, 4096)),
            (std::vector<std::string>{"abc"}));
}

}  // namespace
}  // namespace smtf
