#include "encoding/framed_encoder.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "encoding/encoding.h"
#include "encoding/gzip_data.h"
#include "framing/object_frames.h"

namespace smtf {
namespace {

std::unique_ptr<ObjectEncoder> MakeFramed(bool gunzip) {
  EncodingOptions options;
  options.gunzip = gunzip;
  options.frame_objects = true;
  return MakeObjectEncoder(options);
}

std::vector<std::string> ObjectsOf(std::string_view stream) {
  MemoryByteSource source(stream);
  ObjectFrames frames(&source);
  std::vector<std::string> objects;
  std::string buffer(100'000, '\0');
  while (frames.NextObject()) {
    std::string& object = objects.emplace_back();
    while (const size_t count = frames.Read(buffer.data(), buffer.size())) {
      object.append(buffer, 0, count);
    }
  }
  return objects;
}

TEST(FramedEncoderTest, KeepsObjectsApartHoweverTheyAreCut) {
  const auto encoder = MakeFramed(false);
  std::vector<TestObject> objects;
  std::vector<std::string> expected;
  for (const size_t size : kObjectSizes) {
    expected.push_back(Noise(size, 1));
    objects.push_back({expected.back()});
  }
  for (const size_t part_bytes : kPartSizes) {
    EXPECT_TRUE(ObjectsOf(Encode(encoder.get(), objects, part_bytes)) == expected) << part_bytes;
  }
}

TEST(FramedEncoderTest, DecompressesAndHoldsNothing) {
  const auto encoder = MakeFramed(true);
  std::vector<TestObject> objects;
  std::vector<std::string> expected;
  for (const size_t size : kObjectSizes) {
    const std::string text = SomeText(size, 1);
    objects.push_back({Gzip(text) + Gzip("more")});
    objects.push_back({""});
    objects.push_back({Gzip("")});
    expected.insert(expected.end(), {text + "more", "", ""});
  }
  for (const size_t part_bytes : kPartSizes) {
    EXPECT_TRUE(ObjectsOf(Encode(encoder.get(), objects, part_bytes)) == expected) << part_bytes;
  }
  HoldingSink sink;
  const std::string zeros(20 << 20, 'z');
  const std::string file = Gzip(zeros);
  const auto memory = PartMemory(file);
  encoder->Begin();
  PartSpec first = SpecOf({file}, 0, 0, file.size());
  first.ends_object = false;
  EXPECT_TRUE(encoder->Write(first, *memory, memory, sink.sink()));
  // All of it is in the pipe, although more of the object may follow.
  EXPECT_EQ(sink.bytes().size(), zeros.size() + kChunkHeaderBytes * (sink.pieces().size() / 2));
}

TEST(FramedEncoderTest, LargePartsPassUncopied) {
  const auto encoder = MakeFramed(false);
  const TestObject object{Noise(100'000, 2)};
  const auto memory = PartMemory(object.bytes);
  HoldingSink sink;
  encoder->Write(SpecOf(object, 0, 0, object.bytes.size()), *memory, memory, sink.sink());
  ASSERT_EQ(sink.pieces().size(), 2u);
  EXPECT_EQ(sink.pieces()[1].data(), memory->data());
  EXPECT_EQ(sink.owners()[1], memory);
}

TEST(FramedEncoderTest, ASmallObjectIsOnePiece) {
  const auto encoder = MakeFramed(false);
  for (const size_t size : {0, 1, 65535}) {
    HoldingSink sink;
    WriteObject(encoder.get(), {Noise(size, 3)}, 0, 1 << 20, sink.sink());
    ASSERT_EQ(sink.pieces().size(), 1u) << size;
    EXPECT_EQ(sink.bytes().size(), kChunkHeaderBytes + size);
  }
}

TEST(FramedEncoderTest, AFailureEndsItsObjectBehindWhatIsGood) {
  const auto encoder = MakeFramed(true);
  const std::string text = SomeText(200'000, 4);
  HoldingSink sink;
  encoder->Begin();
  EXPECT_TRUE(WriteObject(encoder.get(), {Gzip("before")}, 0, 4096, sink.sink()));
  try {
    WriteObject(encoder.get(), {Gzip(text) + "rubbish"}, 1, 10'000, sink.sink());
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_TRUE(encoder->WriteFailure(error, sink.sink()));
  }
  EXPECT_TRUE(WriteObject(encoder.get(), {Gzip("behind")}, 2, 4096, sink.sink()));
  const std::string stream = sink.bytes();
  MemoryByteSource source(stream);
  ObjectFrames frames(&source);
  ASSERT_TRUE(frames.NextObject());
  ASSERT_TRUE(frames.NextObject());
  std::string got;
  char byte;
  MessageOf(ErrorKind::kDataLoss, [&] {
    while (frames.Read(&byte, 1) == 1) got.push_back(byte);
  });
  EXPECT_TRUE(got == text);
  ASSERT_TRUE(frames.NextObject());
  EXPECT_EQ(frames.Read(&byte, 1), 1u);
  EXPECT_EQ(byte, 'b');
  EXPECT_FALSE(frames.NextObject());
}

TEST(FramedEncoderTest, AReaderThatIsGoneEndsTheWriting) {
  const auto encoder = MakeFramed(false);
  for (const size_t size : {100, 100'000}) {
    HoldingSink sink;
    sink.CloseAfter(1);
    EXPECT_FALSE(WriteObject(encoder.get(), {Noise(size, 5)}, 0, 1 << 20, sink.sink()));
    EXPECT_EQ(sink.pieces().size(), 1u);
  }
  HoldingSink sink;
  sink.CloseAfter(1);
  EXPECT_FALSE(encoder->WriteFailure(Error(ErrorKind::kNotFound, "gone"), sink.sink()));
}

TEST(FramedEncoderTest, OtherEncodersCannotTellOfFailures) {
  HoldingSink sink;
  MessageOf(ErrorKind::kInternal, [&] {
    MakeEncoder(true, true)->WriteFailure(Error(ErrorKind::kNotFound, "gone"), sink.sink());
  });
}

}  // namespace
}  // namespace smtf
