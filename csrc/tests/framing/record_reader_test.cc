// What holds for all three formats, swept over buffer sizes and chunkings.
#include "framing/record_reader.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <tuple>

#include "framing/memory_byte_source.h"
#include "framing/record_writer.h"
#include "framing/test_sources.h"

namespace smtf {
namespace {

constexpr RecordFormat kFormats[] = {RecordFormat::kRecordIO, RecordFormat::kTFRecord,
                                     RecordFormat::kTextLine};

// Lengths around every limit that a reader has; RecordIO gets its magic number in some of them.
std::vector<std::string> MakeRecords(RecordFormat format) {
  std::vector<std::string> records;
  unsigned seed = 0;
  for (size_t size : {0,     1,     3,     4,   11,  12,     15,   16,    17,     31,
                      0,     100,   255,   256, 257, 1000,   4095, 5000,  16383,  16384,
                      16385, 20000, 70000, 2,   0,   300000, 7,    65536, 150000, 1}) {
    std::string record = RandomBytes(size, ++seed);
    if (format == RecordFormat::kTextLine) {
      std::replace(record.begin(), record.end(), '\n', 'n');
    } else {
      for (size_t at = seed % 5; at + 4 <= size; at += 1 + size / 3) {
        record.replace(at, 4, "\x0a\x23\xd7\xce");
      }
    }
    records.push_back(record);
  }
  return records;
}

// The same, made once for all tests: it takes longer than most of them.
const std::vector<std::string>& Records(RecordFormat format) {
  static auto* made = new std::map<RecordFormat, std::vector<std::string>>;
  std::vector<std::string>& records = (*made)[format];
  if (records.empty()) records = MakeRecords(format);
  return records;
}

std::string Encode(RecordFormat format, const std::vector<std::string>& records) {
  std::string bytes;
  for (const std::string& record : records) AppendRecord(format, record, &bytes);
  return bytes;
}

class RecordReaderTest
    : public testing::TestWithParam<std::tuple<RecordFormat, size_t, size_t, bool>> {
 protected:
  RecordReaderTest() : records_(Records(format())), bytes_(Encode(format(), records_)) {}

  static RecordFormat format() { return std::get<0>(GetParam()); }

  std::unique_ptr<RecordReader> Reader() {
    const auto [format, buffer, chunk, scatter] = GetParam();
    RecordReaderOptions options;
    options.buffer_bytes = buffer;
    source_ = scatter ? std::make_unique<ScatteringSource>(bytes_, chunk)
                      : std::make_unique<ChunkedSource>(bytes_, chunk);
    return MakeRecordReader(format, source_.get(), options);
  }

  const std::vector<std::string>& records_;
  std::string bytes_;
  std::unique_ptr<ByteSource> source_;
};

TEST_P(RecordReaderTest, NextReadsWhatWasWritten) {
  const auto reader = Reader();
  EXPECT_TRUE(ReadAll(reader.get()) == records_);
  EXPECT_EQ(reader->record_index(), records_.size());
  EXPECT_EQ(reader->byte_offset(), bytes_.size());
  std::string_view record;
  EXPECT_FALSE(reader->Next(&record));
}

TEST_P(RecordReaderTest, NextIntoReadsWhatWasWritten) {
  const auto reader = Reader();
  EXPECT_TRUE(ReadAllInto(reader.get()) == records_);
  EXPECT_EQ(reader->record_index(), records_.size());
  EXPECT_EQ(reader->byte_offset(), bytes_.size());
  StringSink sink;
  EXPECT_FALSE(reader->NextInto(&sink));
}

TEST_P(RecordReaderTest, SkipMovesLikeNext) {
  const auto next = Reader();
  std::vector<uint64_t> offsets = {0};
  for (std::string_view record; next->Next(&record);) offsets.push_back(next->byte_offset());
  for (uint64_t count = 0; count <= records_.size(); count += 1 + count / 2) {
    const auto reader = Reader();
    ASSERT_EQ(reader->Skip(count), count);
    EXPECT_EQ(reader->record_index(), count);
    EXPECT_EQ(reader->byte_offset(), offsets[count]);
    const std::vector<std::string> rest(records_.begin() + static_cast<ptrdiff_t>(count),
                                        records_.end());
    ASSERT_TRUE(ReadAll(reader.get()) == rest) << count;
  }
  const auto reader = Reader();
  EXPECT_EQ(reader->Skip(records_.size() + 5), records_.size());
  EXPECT_EQ(reader->Skip(1), 0u);
}

TEST_P(RecordReaderTest, TheThreeWaysOfMovingMix) {
  const auto reader = Reader();
  StringSink sink;
  std::string_view view;
  for (size_t i = 0; i < records_.size(); ++i) {
    if (i % 3 == 0) {
      ASSERT_TRUE(reader->Next(&view));
      ASSERT_TRUE(view == records_[i]) << i;
    } else if (i % 3 == 1) {
      ASSERT_TRUE(reader->NextInto(&sink));
      ASSERT_TRUE(sink.record == records_[i]) << i;
    } else {
      ASSERT_EQ(reader->Skip(1), 1u);
    }
  }
  EXPECT_FALSE(reader->Next(&view));
}

INSTANTIATE_TEST_SUITE_P(Sweep, RecordReaderTest,
                         testing::Combine(testing::ValuesIn(kFormats),
                                          testing::Values(16, 17, 256, 4096, 262144),
                                          testing::Values(7, 5000, 1 << 30), testing::Bool()));

class EveryFormat : public testing::TestWithParam<RecordFormat> {};
class BinaryFormat : public testing::TestWithParam<RecordFormat> {};

TEST_P(EveryFormat, AnEmptyStreamHasNoRecords) {
  MemoryByteSource source("");
  const auto reader = MakeRecordReader(GetParam(), &source, {});
  std::string_view record;
  EXPECT_FALSE(reader->Next(&record));
  EXPECT_EQ(reader->Skip(1), 0u);
  EXPECT_EQ(reader->record_index(), 0u);
}

// Cut anywhere, a stream gives a prefix of its records and then either a clean end, on a boundary,
// or an error that names the record under way. A text's last line cannot be told from a part of it.
TEST_P(BinaryFormat, EveryTruncationIsSeen) {
  const std::vector<std::string> records = {"abcde", "", std::string("xy\x0a\x23\xd7\xce..", 8),
                                            "\x0a\x23\xd7\xce", "z"};
  std::vector<size_t> boundaries = {0};
  std::string bytes;
  for (const std::string& record : records) {
    AppendRecord(GetParam(), record, &bytes);
    boundaries.push_back(bytes.size());
  }
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    const auto next = std::upper_bound(boundaries.begin(), boundaries.end(), cut);
    const size_t whole = static_cast<size_t>(next - boundaries.begin()) - 1;
    const bool clean = boundaries[whole] == cut;
    for (int way = 0; way < 3; ++way) {
      MemoryByteSource source(std::string_view(bytes).substr(0, cut));
      RecordReaderOptions options;
      options.buffer_bytes = 16;
      const auto reader = MakeRecordReader(GetParam(), &source, options);
      try {
        if (way == 0) ReadAll(reader.get());
        if (way == 1) ReadAllInto(reader.get());
        if (way == 2) reader->Skip(100);
        EXPECT_TRUE(clean) << cut;
      } catch (const CorruptRecordError& error) {
        EXPECT_FALSE(clean) << cut;
        EXPECT_TRUE(error.flaw() == Flaw::kTruncated || error.flaw() == Flaw::kTrailingBytes);
        EXPECT_EQ(error.record_index(), whole);
        EXPECT_EQ(error.byte_offset(), boundaries[whole]);
        EXPECT_EQ(reader->Skip(1), 0u) << "an end after the error";
      }
      EXPECT_EQ(reader->record_index(), whole);
    }
  }
}

TEST_P(EveryFormat, ErrorsOfTheSourcePassThrough) {
  std::string bytes;
  AppendRecord(GetParam(), "first", &bytes);
  ChunkedSource source(bytes + "\x0a", 3, 1, Error(ErrorKind::kUnavailable, "the writer is gone"));
  const auto reader = MakeRecordReader(GetParam(), &source, {});
  std::string_view record;
  ASSERT_TRUE(reader->Next(&record));
  EXPECT_EQ(record, "first");
  for (int i = 0; i < 2; ++i) {
    try {
      // TextLine has one more record, the empty line.
      while (reader->Next(&record)) {
      }
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
    }
  }
}

TEST_P(EveryFormat, LongRecordsAreRefusedBeforeTheyAreAllocated) {
  std::string bytes;
  AppendRecord(GetParam(), std::string(100, 'a'), &bytes);
  AppendRecord(GetParam(), std::string(101, 'a'), &bytes);
  for (const size_t buffer : {16, 64, 4096}) {
    RecordReaderOptions options;
    options.buffer_bytes = buffer;
    options.max_record_bytes = 100;
    MemoryByteSource source(bytes);
    const auto reader = MakeRecordReader(GetParam(), &source, options);
    StringSink sink;
    ASSERT_TRUE(reader->NextInto(&sink));
    try {
      reader->NextInto(&sink);
      FAIL() << "no error";
    } catch (const CorruptRecordError& error) {
      EXPECT_EQ(error.flaw(), Flaw::kTooLong);
      EXPECT_EQ(error.record_index(), 1u);
      EXPECT_NE(std::string(error.what()).find("max_record_bytes"), std::string::npos);
    }
    EXPECT_EQ(sink.largest, 100u);
    EXPECT_FALSE(reader->NextInto(&sink));
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, EveryFormat, testing::ValuesIn(kFormats));
INSTANTIATE_TEST_SUITE_P(Formats, BinaryFormat,
                         testing::Values(RecordFormat::kRecordIO, RecordFormat::kTFRecord));

TEST(ParseRecordFormat, KnowsThreeNames) {
  EXPECT_EQ(ParseRecordFormat("RecordIO"), RecordFormat::kRecordIO);
  EXPECT_EQ(ParseRecordFormat("TFRecord"), RecordFormat::kTFRecord);
  EXPECT_EQ(ParseRecordFormat("TextLine"), RecordFormat::kTextLine);
  try {
    ParseRecordFormat("tfrecord");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
    for (const char* word : {"RecordIO", "TFRecord", "TextLine", "tfrecord"}) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << word;
    }
  }
}

TEST(MakeRecordReader, RefusesOptionsOutOfBounds) {
  MemoryByteSource source("");
  const auto kind_of = [&](const RecordReaderOptions& options) {
    try {
      MakeRecordReader(RecordFormat::kTFRecord, &source, options);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::kInternal;
  };
  RecordReaderOptions options;
  options.buffer_bytes = 15;
  EXPECT_EQ(kind_of(options), ErrorKind::kInvalidArgument);
  options = {};
  options.max_record_bytes = 0;
  EXPECT_EQ(kind_of(options), ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace smtf
