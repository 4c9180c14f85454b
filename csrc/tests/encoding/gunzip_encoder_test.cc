#include "encoding/gunzip_encoder.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "encoding/encoding.h"
#include "encoding/gzip_data.h"

namespace smtf {
namespace {

TEST(GunzipEncoderTest, DecompressesEachObject) {
  const auto encoder = MakeEncoder(true, false);
  std::vector<TestObject> objects;
  std::string expected;
  for (const size_t size : kObjectSizes) {
    const std::string text = SomeText(size, 1);
    const std::string noise = Noise(size, 2);
    objects.push_back({Gzip(text) + Gzip(noise)});
    objects.push_back({""});
    expected += text + noise;
  }
  for (const size_t part_bytes : kPartSizes) {
    EXPECT_TRUE(Encode(encoder.get(), objects, part_bytes) == expected) << part_bytes;
  }
}

TEST(GunzipEncoderTest, WhereverThePartsAreCut) {
  const auto encoder = MakeEncoder(true, false);
  const TestObject object{Gzip(SomeText(300, 3)) + Gzip("abc") + std::string(4, '\0')};
  const std::string expected = SomeText(300, 3) + "abc";
  for (size_t cut = 0; cut <= object.bytes.size(); ++cut) {
    HoldingSink sink;
    const std::string_view bytes = object.bytes;
    for (const auto& [begin, end] : {std::pair{size_t{0}, cut}, std::pair{cut, bytes.size()}}) {
      const auto memory = PartMemory(bytes.substr(begin, end - begin));
      EXPECT_TRUE(
          encoder->Write(SpecOf(object, 0, begin, end - begin), *memory, memory, sink.sink()));
    }
    EXPECT_EQ(sink.bytes(), expected) << cut;
  }
}

TEST(GunzipEncoderTest, LeavesInlineEntriesAlone) {
  const std::string compressed = Gzip("not to be touched");
  EXPECT_EQ(Encode(MakeEncoder(true, false).get(),
                   {{compressed, kInlineSource}, {Gzip("abc")}, {"{}", kInlineSource}}, 4096),
            compressed + "abc{}");
}

TEST(GunzipEncoderTest, LargeOutputComesInLargePieces) {
  HoldingSink sink;
  const std::string zeros(20 << 20, 'z');
  WriteObject(MakeEncoder(true, false).get(), {Gzip(zeros)}, 0, 8 << 20, sink.sink());
  EXPECT_TRUE(sink.bytes() == zeros);
  EXPECT_LE(sink.pieces().size(), 21u);
}

TEST(GunzipEncoderTest, WhatIsGoodComesBeforeTheError) {
  const auto encoder = MakeEncoder(true, false);
  const std::string good = Gzip(SomeText(200000, 4));
  HoldingSink sink;
  const std::string message = MessageOf(ErrorKind::kDataLoss, [&] {
    WriteObject(encoder.get(), {good + "rubbish"}, 0, 10000, sink.sink());
  });
  EXPECT_NE(message.find("compressed byte " + std::to_string(good.size())), std::string::npos)
      << message;
  EXPECT_TRUE(sink.bytes() == SomeText(200000, 4));
  EXPECT_EQ(Encode(encoder.get(), {{Gzip("the next epoch")}}, 4096), "the next epoch");
}

TEST(GunzipEncoderTest, AnObjectThatIsCutShortEndsWithAnError) {
  const auto encoder = MakeEncoder(true, false);
  const std::string file = Gzip(SomeText(1000, 5));
  for (size_t size = 1; size < file.size(); size += 7) {
    HoldingSink sink;
    MessageOf(ErrorKind::kDataLoss,
              [&] { WriteObject(encoder.get(), {file.substr(0, size)}, 0, 100, sink.sink()); });
  }
}

TEST(GunzipEncoderTest, AnAbandonedObjectIsForgotten) {
  const auto encoder = MakeEncoder(true, false);
  HoldingSink sink;
  sink.CloseAfter(1);
  EXPECT_FALSE(WriteObject(encoder.get(), {Gzip(Noise(50000, 6))}, 0, 10000, sink.sink()));
  EXPECT_EQ(Encode(encoder.get(), {{Gzip("abc")}}, 4096), "abc");
}

}  // namespace
}  // namespace smtf
