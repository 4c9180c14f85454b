#include "framing/object_frames.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "framing/framed_objects.h"
#include "framing/memory_byte_source.h"
#include "framing/test_sources.h"

namespace smtf {
namespace {

std::string ReadObject(ByteSource* object, size_t step) {
  std::string bytes;
  std::string buffer(step, '\0');
  while (const size_t count = object->Read(buffer.data(), step)) bytes.append(buffer, 0, count);
  EXPECT_EQ(object->Read(buffer.data(), step), 0u);
  return bytes;
}

TEST(ObjectFrames, HeadersAreWhatTheFormatSays) {
  std::string stream;
  AppendChunk("abc", false, &stream);
  AppendChunk("", true, &stream);
  AppendChunk("x", true, &stream, true);
  EXPECT_EQ(stream, std::string("\x03\0\0\0\0\0\0\0abc"
                                "\0\0\0\0\0\0\0\x80"
                                "\x01\0\0\0\0\0\0\xc0x",
                                28));
}

TEST(ObjectFrames, GivesEachObjectHoweverItIsCut) {
  std::mt19937 random(1);
  const std::vector<std::string> objects = {
      RandomBytes(700'000, 1), "", "a", "", "", RandomBytes(300'000, 2), RandomBytes(77, 3)};
  for (const size_t most : {1000, 65'536, 400'000}) {
    std::string stream;
    for (const std::string& object : objects) AppendObject(object, most, &random, &stream);
    for (const size_t step : {999, 262'144}) {
      for (const size_t read : {1000, 1'000'000}) {
        ScatteringSource source(stream, read);
        ObjectFrames frames(&source);
        for (size_t i = 0; i < objects.size(); ++i) {
          ASSERT_TRUE(frames.NextObject());
          EXPECT_EQ(frames.number(), i);
          EXPECT_TRUE(ReadObject(&frames, step) == objects[i]) << i;
        }
        EXPECT_FALSE(frames.NextObject());
        EXPECT_FALSE(frames.NextObject());
      }
    }
  }
}

TEST(ObjectFrames, MovesPastWhatNobodyRead) {
  std::mt19937 random(2);
  for (size_t read = 0; read < 5000; read += 611) {
    std::string stream;
    AppendObject(RandomBytes(5000, 4), 900, &random, &stream);
    AppendObject("next", 3, &random, &stream);
    ChunkedSource source(stream, 700);
    ObjectFrames frames(&source);
    ASSERT_TRUE(frames.NextObject());
    std::string buffer(5000, '\0');
    for (size_t left = read; left > 0;) left -= frames.Read(buffer.data(), left);
    ASSERT_TRUE(frames.NextObject());
    EXPECT_EQ(ReadObject(&frames, 100), "next");
    EXPECT_FALSE(frames.NextObject());
  }
}

TEST(ObjectFrames, AFailureComesBehindTheBytesBeforeIt) {
  std::mt19937 random(3);
  std::string stream;
  AppendObject("some bytes", 4, &random, &stream, Error(ErrorKind::kNotFound, "s3://b/k:\n404"));
  AppendObject("", 4, &random, &stream, Error(ErrorKind::kDataLoss, ""));
  AppendObject("", 4, &random, &stream, Error(ErrorKind::kDataLoss, "never read"));
  AppendObject("good", 4, &random, &stream);
  MemoryByteSource source(stream);
  ObjectFrames frames(&source);
  ASSERT_TRUE(frames.NextObject());
  char byte;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(frames.Read(&byte, 1), 1u);
  for (int i = 0; i < 2; ++i) {
    try {
      frames.Read(&byte, 1);
      ADD_FAILURE();
    } catch (const ObjectFailure& failure) {
      EXPECT_EQ(failure.kind(), ErrorKind::kNotFound);
      EXPECT_STREQ(failure.what(), "s3://b/k:\n404");
    }
  }
  ASSERT_TRUE(frames.NextObject());
  EXPECT_THROW(frames.Read(&byte, 1), ObjectFailure);
  ASSERT_TRUE(frames.NextObject());
  ASSERT_TRUE(frames.NextObject());
  EXPECT_EQ(ReadObject(&frames, 10), "good");
  EXPECT_FALSE(frames.NextObject());
}

TEST(ObjectFrames, LongMessagesAreCutOff) {
  std::mt19937 random(4);
  std::string stream;
  const Error failure(ErrorKind::kInternal, std::string(1 << 20, 'x'));
  AppendObject("", 1, &random, &stream, failure);
  ChunkedSource source(stream, 1000);
  ObjectFrames frames(&source);
  ASSERT_TRUE(frames.NextObject());
  char byte;
  try {
    frames.Read(&byte, 1);
    ADD_FAILURE();
  } catch (const ObjectFailure& seen) {
    EXPECT_EQ(std::string(seen.what()).size(),
              kMostFailureBytes - std::string("Internal\n").size());
  }
  EXPECT_FALSE(frames.NextObject());
}

// Wherever a stream is cut but between objects, that is an error of the stream.
TEST(ObjectFrames, AStreamThatIsCutShortIsDataLoss) {
  std::string stream;
  AppendChunk("abcdef", false, &stream);
  AppendChunk("gh", true, &stream);
  const size_t first = stream.size();
  AppendChunk("x", false, &stream);
  AppendChunk(FailurePayload(Error(ErrorKind::kNotFound, "gone")), true, &stream, true);
  for (size_t size = 0; size < stream.size(); ++size) {
    MemoryByteSource source(std::string_view(stream).substr(0, size));
    ObjectFrames frames(&source);
    const auto read = [&] {
      char buffer[100];
      while (frames.NextObject()) {
        while (frames.Read(buffer, sizeof(buffer)) > 0) continue;
      }
    };
    if (size == 0 || size == first) {
      EXPECT_NO_THROW(read()) << size;
      continue;
    }
    try {
      read();
      ADD_FAILURE() << size;
    } catch (const ObjectFailure&) {
      ADD_FAILURE() << size;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kDataLoss);
    }
  }
}

TEST(ObjectFrames, WhatNoPrefetcherWritesIsDataLoss) {
  for (const bool last : {false, true}) {
    std::string stream;
    AppendChunk(std::string(last ? kMostFailureBytes + 1 : 1, 'x'), last, &stream, true);
    MemoryByteSource source(stream);
    ObjectFrames frames(&source);
    EXPECT_THROW(frames.NextObject(), Error);
  }
}

TEST(ObjectFrames, ErrorsOfTheStreamPassThrough) {
  std::string stream;
  AppendChunk("abc", false, &stream);
  ChunkedSource source(stream, 100, 1, Error(ErrorKind::kUnavailable, "gone"));
  ObjectFrames frames(&source);
  ASSERT_TRUE(frames.NextObject());
  char buffer[10];
  EXPECT_EQ(frames.Read(buffer, 3), 3u);
  try {
    frames.Read(buffer, 1);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  }
}

}  // namespace
}  // namespace smtf
