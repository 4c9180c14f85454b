#include "framing/object_record_reader.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "framing/framed_objects.h"
#include "framing/memory_byte_source.h"
#include "framing/record_writer.h"
#include "framing/test_sources.h"

namespace smtf {
namespace {

using Format = std::optional<RecordFormat>;
using Records = std::vector<std::string>;

const Format kFormats[] = {std::nullopt, RecordFormat::kRecordIO, RecordFormat::kTFRecord,
                           RecordFormat::kTextLine};

// An object's chunks put together.
struct Read {
  Records records;
  std::vector<uint64_t> offsets;
  std::shared_ptr<const Error> failure;
};

std::vector<Read> ReadAll(ByteSource* source, Format format,
                          const ObjectRecordLimits& limits = {}) {
  ObjectRecordReader reader(source, format, limits);
  std::vector<Read> objects;
  ObjectRecords chunk;
  bool ended = true;
  while (reader.Next(&chunk)) {
    if (ended) objects.emplace_back();
    Read& object = objects.back();
    EXPECT_EQ(chunk.object, objects.size() - 1);
    EXPECT_EQ(chunk.first_record, object.records.size());
    EXPECT_LE(chunk.size(), limits.chunk_records);
    EXPECT_TRUE(chunk.ended || chunk.size() > 0);
    for (size_t i = 0; i < chunk.size(); ++i) {
      object.records.emplace_back(chunk[i]);
      object.offsets.push_back(chunk.offsets[i]);
    }
    ended = chunk.ended;
    object.failure = chunk.failure;
    EXPECT_TRUE(ended || !chunk.failure);
  }
  EXPECT_TRUE(ended);
  EXPECT_FALSE(reader.Next(&chunk));
  return objects;
}

std::string Encoded(Format format, const Records& records) {
  std::string bytes;
  for (const std::string& record : records) {
    if (format) {
      AppendRecord(*format, record, &bytes);
    } else {
      bytes += record;
    }
  }
  return bytes;
}

Records SomeRecords(Format format, size_t count, size_t most, unsigned seed) {
  std::mt19937 random(seed);
  if (!format) return {RandomBytes(most, seed)};
  Records records;
  for (size_t i = 0; i < count; ++i) {
    records.push_back(std::string(random() % (most + 1), static_cast<char>('a' + i % 26)));
  }
  return records;
}

TEST(ObjectRecordReader, CutsEachObjectHoweverItComes) {
  std::mt19937 random(1);
  for (const Format format : kFormats) {
    const std::vector<Records> objects = {SomeRecords(format, 500, 3000, 1),
                                          SomeRecords(format, 1, 1, 2),
                                          SomeRecords(format, 5, 900'000, 3)};
    for (const size_t most_chunk : {777, 100'000}) {
      std::string stream;
      for (const Records& records : objects) {
        AppendObject(Encoded(format, records), most_chunk, &random, &stream);
      }
      for (const size_t chunk_records : {size_t{1}, size_t{7}, size_t{100'000}}) {
        for (const size_t chunk_bytes : {size_t{1}, size_t{10'000}, size_t{1} << 30}) {
          ScatteringSource source(stream, 200'000);
          ObjectRecordLimits limits;
          limits.chunk_records = chunk_records;
          limits.chunk_bytes = chunk_bytes;
          const std::vector<Read> read = ReadAll(&source, format, limits);
          ASSERT_EQ(read.size(), objects.size());
          for (size_t i = 0; i < objects.size(); ++i) {
            EXPECT_TRUE(read[i].records == objects[i]) << i;
            EXPECT_FALSE(read[i].failure);
          }
        }
      }
    }
  }
}

TEST(ObjectRecordReader, OffsetsAreThoseInTheObject) {
  for (const Format format : kFormats) {
    const Records records = SomeRecords(format, 20, 100, 4);
    std::mt19937 random(5);
    std::string stream;
    for (int i = 0; i < 2; ++i) AppendObject(Encoded(format, records), 50, &random, &stream);
    MemoryByteSource source(stream);
    for (const Read& object : ReadAll(&source, format)) {
      for (size_t i = 0; i < records.size(); ++i) {
        const Records before(records.begin(), records.begin() + static_cast<ptrdiff_t>(i));
        EXPECT_EQ(object.offsets[i], Encoded(format, before).size());
      }
    }
  }
}

TEST(ObjectRecordReader, ObjectsWithoutBytes) {
  for (const Format format : kFormats) {
    std::string stream;
    for (int i = 0; i < 3; ++i) AppendChunk("", true, &stream);
    MemoryByteSource source(stream);
    const std::vector<Read> read = ReadAll(&source, format);
    ASSERT_EQ(read.size(), 3u);
    for (const Read& object : read) {
      EXPECT_EQ(object.records, format ? Records{} : Records{""});
      EXPECT_FALSE(object.failure);
    }
    MemoryByteSource nothing("");
    EXPECT_TRUE(ReadAll(&nothing, format).empty());
  }
}

TEST(ObjectRecordReader, TheLastLineNeedsNoNewline) {
  std::mt19937 random(6);
  std::string stream;
  for (const char* object : {"a\nb", "c\n", "\n\nd"}) AppendObject(object, 1, &random, &stream);
  MemoryByteSource source(stream);
  const std::vector<Read> read = ReadAll(&source, RecordFormat::kTextLine);
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[0].records, (Records{"a", "b"}));
  EXPECT_EQ(read[1].records, (Records{"c"}));
  EXPECT_EQ(read[2].records, (Records{"", "", "d"}));
}

TEST(ObjectRecordReader, ACorruptRecordEndsItsObjectOnly) {
  std::mt19937 random(7);
  for (const Format format : {RecordFormat::kRecordIO, RecordFormat::kTFRecord}) {
    const Records records = SomeRecords(format, 40, 2000, 8);
    const std::string good = Encoded(format, records);
    const Records before(records.begin(), records.begin() + 10);
    const size_t at = Encoded(format, before).size();
    for (const size_t chunk_records : {1, 10, 11, 1000}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 1);  // a magic number, or a length
      std::string stream;
      for (const std::string& object : {good, bad, good}) {
        AppendObject(object, 1000, &random, &stream);
      }
      ChunkedSource source(stream, 3000);
      ObjectRecordLimits limits;
      limits.chunk_records = chunk_records;
      const std::vector<Read> read = ReadAll(&source, format, limits);
      ASSERT_EQ(read.size(), 3u);
      EXPECT_EQ(read[0].records, records);
      EXPECT_EQ(read[1].records, before);
      EXPECT_EQ(read[2].records, records);
      const auto* error = dynamic_cast<const CorruptRecordError*>(read[1].failure.get());
      ASSERT_NE(error, nullptr);
      EXPECT_EQ(error->record_index(), 10u);
      EXPECT_EQ(error->byte_offset(), at);
      EXPECT_EQ(std::string(error->what()).rfind("object 1: record 10 at byte ", 0), 0u)
          << error->what();
      EXPECT_FALSE(read[0].failure || read[2].failure);
    }
  }
}

// The reader could go on behind a record with a wrong CRC, but does not.
TEST(ObjectRecordReader, AWrongPayloadEndsItsObject) {
  const RecordFormat format = RecordFormat::kTFRecord;
  std::string bad = Encoded(format, {"first", "second", "third"});
  bad[Encoded(format, {"first"}).size() + 12] = 'X';
  std::string stream;
  AppendChunk(bad, true, &stream);
  AppendChunk(Encoded(format, {"next"}), true, &stream);
  MemoryByteSource source(stream);
  const std::vector<Read> read = ReadAll(&source, format);
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].records, Records{"first"});
  ASSERT_TRUE(read[0].failure);
  EXPECT_EQ(read[0].failure->kind(), ErrorKind::kDataLoss);
  EXPECT_EQ(read[1].records, Records{"next"});
}

TEST(ObjectRecordReader, RecordsAreBounded) {
  std::mt19937 random(9);
  for (const Format format : kFormats) {
    std::string stream;
    for (const size_t size : {1000, 1001, 50'000, 10}) {
      AppendObject(Encoded(format, {std::string(size, 'x')}), 700, &random, &stream);
    }
    ChunkedSource source(stream, 5000);
    ObjectRecordLimits limits;
    limits.max_record_bytes = 1000;
    const std::vector<Read> read = ReadAll(&source, format, limits);
    ASSERT_EQ(read.size(), 4u);
    EXPECT_EQ(read[0].records, Records{std::string(1000, 'x')});
    EXPECT_EQ(read[3].records, Records{std::string(10, 'x')});
    for (const size_t i : {1, 2}) {
      EXPECT_TRUE(read[i].records.empty());
      ASSERT_TRUE(read[i].failure);
      const auto* error = dynamic_cast<const CorruptRecordError*>(read[i].failure.get());
      ASSERT_NE(error, nullptr);
      EXPECT_EQ(error->flaw(), Flaw::kTooLong);
    }
  }
}

TEST(ObjectRecordReader, AnObjectThatCannotBeHadEndsWithWhatThePrefetcherSaid) {
  std::mt19937 random(10);
  for (const Format format : kFormats) {
    const Records records = SomeRecords(format, 10, 5000, 11);
    const std::string bytes = Encoded(format, records);
    std::string stream;
    AppendObject("", 10, &random, &stream, Error(ErrorKind::kNotFound, "gone"));
    AppendObject(bytes, 900, &random, &stream);
    // Cut off in its last record, which is not given.
    AppendObject(bytes.substr(0, bytes.size() - 1), 900, &random, &stream,
                 Error(ErrorKind::kFailedPrecondition, "replaced"));
    AppendObject(bytes, 900, &random, &stream);
    ChunkedSource source(stream, 2000);
    const std::vector<Read> read = ReadAll(&source, format);
    ASSERT_EQ(read.size(), 4u);
    ASSERT_TRUE(read[0].failure && read[2].failure);
    EXPECT_EQ(read[0].failure->kind(), ErrorKind::kNotFound);
    EXPECT_STREQ(read[0].failure->what(), "gone");
    EXPECT_TRUE(read[0].records.empty());
    EXPECT_EQ(read[2].failure->kind(), ErrorKind::kFailedPrecondition);
    EXPECT_EQ(read[2].records, Records(records.begin(), records.end() - 1));
    EXPECT_EQ(read[1].records, records);
    EXPECT_EQ(read[3].records, records);
  }
}

// What ends the stream is never taken for the end of an object.
TEST(ObjectRecordReader, ErrorsOfTheStreamAreThrown) {
  for (const Format format : kFormats) {
    std::string stream;
    AppendChunk(Encoded(format, {"whole"}), true, &stream);
    AppendChunk(Encoded(format, {"begun"}), false, &stream);
    ChunkedSource source(stream, 1000, 1, Error(ErrorKind::kUnavailable, "gone"));
    ObjectRecordReader reader(&source, format, {});
    ObjectRecords chunk;
    try {
      while (reader.Next(&chunk)) EXPECT_EQ(chunk.object, 0u);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
    }
  }
}

TEST(ObjectRecordReader, RefusesLimitsOfZero) {
  MemoryByteSource source("");
  for (const ObjectRecordLimits& limits :
       {ObjectRecordLimits{0, 1, 1}, ObjectRecordLimits{1, 0, 1}, ObjectRecordLimits{1, 1, 0}}) {
    EXPECT_THROW(ObjectRecordReader(&source, std::nullopt, limits), Error);
  }
}

}  // namespace
}  // namespace smtf
