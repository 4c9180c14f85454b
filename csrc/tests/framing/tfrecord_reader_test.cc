#include "framing/tfrecord_reader.h"

#include <gtest/gtest.h>

#include "checksum/crc32c.h"
#include "framing/little_endian.h"
#include "framing/memory_byte_source.h"
#include "framing/record_writer.h"
#include "framing/test_sources.h"

namespace smtf {
namespace {

std::string Encode(const std::vector<std::string>& records) {
  std::string bytes;
  for (const std::string& record : records) AppendTFRecord(record, &bytes);
  return bytes;
}

// Twelve bytes of header, the payload, four bytes of CRC.
size_t Framed(size_t payload) { return 12 + payload + 4; }

std::string FlipByte(std::string bytes, size_t at) {
  bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
  return bytes;
}

CorruptRecordError FlawOf(const std::string& bytes, const RecordReaderOptions& options = {}) {
  MemoryByteSource source(bytes);
  TFRecordReader reader(&source, options);
  return ReadToFlaw(&reader);
}

TEST(TFRecordReader, AHeaderCutShortIsTrailingBytes) {
  for (size_t extra = 1; extra < 12; ++extra) {
    const CorruptRecordError error = FlawOf(Encode({"one", "two"}) + std::string(extra, '\0'));
    EXPECT_EQ(error.flaw(), Flaw::kTrailingBytes);
    EXPECT_EQ(error.record_index(), 2u);
    EXPECT_EQ(error.byte_offset(), 2 * Framed(3));
  }
}

TEST(TFRecordReader, APayloadCutShortIsTruncated) {
  const std::string bytes = Encode({"one", "second"});
  for (size_t size = Framed(3) + 12; size < bytes.size(); ++size) {
    const CorruptRecordError error = FlawOf(bytes.substr(0, size));
    EXPECT_EQ(error.flaw(), Flaw::kTruncated) << size;
    EXPECT_EQ(error.record_index(), 1u);
    EXPECT_EQ(error.byte_offset(), Framed(3));
    const std::string seen = "after " + std::to_string(size - Framed(3) - 12) + " of the 10 bytes";
    EXPECT_NE(std::string(error.what()).find(seen), std::string::npos) << error.what();
  }
}

TEST(TFRecordReader, ADamagedLengthIsSeenBeforeItIsBelieved) {
  for (size_t at = 0; at < 12; ++at) {
    const CorruptRecordError error = FlawOf(FlipByte(Encode({"one", "two"}), Framed(3) + at));
    EXPECT_EQ(error.flaw(), Flaw::kBadLengthCrc);
    EXPECT_EQ(error.record_index(), 1u);
    EXPECT_EQ(error.byte_offset(), Framed(3));
  }
}

TEST(TFRecordReader, TheMessageSaysWhereAndWhat) {
  const CorruptRecordError error = FlawOf(FlipByte(Encode({"one", "two"}), Framed(3) + 13));
  const std::string message = error.what();
  for (const char* part :
       {"38 bytes in memory", "record 1", "byte 19", "CRC-32C", "max_corrupted_records_to_skip"}) {
    EXPECT_NE(message.find(part), std::string::npos) << part << " in " << message;
  }
}

class DamagedPayload : public testing::TestWithParam<size_t> {
 protected:
  RecordReaderOptions options_;
  void SetUp() override { options_.buffer_bytes = GetParam(); }
};

TEST_P(DamagedPayload, IsAnErrorThatReadingGoesOnAfter) {
  const std::string long_record(40000, 'x');
  for (const std::string& damaged : {std::string("two"), long_record}) {
    const std::string bytes = FlipByte(Encode({"one", damaged, "three"}), Framed(3) + 13);
    for (const bool into : {false, true}) {
      MemoryByteSource source(bytes);
      TFRecordReader reader(&source, options_);
      EXPECT_EQ(reader.Skip(1), 1u);
      std::string_view view;
      StringSink sink;
      try {
        into ? reader.NextInto(&sink) : reader.Next(&view);
        FAIL() << "no error";
      } catch (const CorruptRecordError& error) {
        EXPECT_EQ(error.flaw(), Flaw::kBadDataCrc);
        EXPECT_EQ(error.record_index(), 1u);
        EXPECT_EQ(error.byte_offset(), Framed(3));
      }
      EXPECT_EQ(reader.record_index(), 2u);
      EXPECT_EQ(reader.byte_offset(), Framed(3) + Framed(damaged.size()));
      EXPECT_EQ(reader.corrupted_records(), 0u);
      ASSERT_TRUE(reader.Next(&view));
      EXPECT_EQ(view, "three");
      EXPECT_FALSE(reader.Next(&view));
    }
  }
}

TEST_P(DamagedPayload, IsSkippedByItsHeader) {
  const std::string bytes = FlipByte(Encode({"one", "two"}), 12);
  MemoryByteSource source(bytes);
  TFRecordReader reader(&source, options_);
  EXPECT_EQ(reader.Skip(1), 1u);
  EXPECT_EQ(ReadAll(&reader), std::vector<std::string>{"two"});
}

INSTANTIATE_TEST_SUITE_P(Buffers, DamagedPayload, testing::Values(16, 64, 262144));

// Good and bad records as a pattern of 'g' and 'b'; what is read is 'g' or, for an error, '!'.
std::string ReadPattern(const std::string& pattern, uint64_t allowed, uint64_t* left_out,
                        uint64_t* logged) {
  std::string bytes;
  for (const char kind : pattern) {
    const size_t begin = bytes.size();
    AppendTFRecord("payload", &bytes);
    if (kind == 'b') bytes[begin + 12] = 'P';
  }
  RecordReaderOptions options;
  options.max_corrupted_records_to_skip = allowed;
  *logged = 0;
  options.on_skipped = [&](const CorruptRecordError& error) {
    EXPECT_EQ(error.flaw(), Flaw::kBadDataCrc);
    EXPECT_EQ(pattern[error.record_index()], 'b');
    EXPECT_EQ(error.byte_offset(), error.record_index() * Framed(7));
    ++*logged;
  };
  MemoryByteSource source(bytes);
  TFRecordReader reader(&source, options);
  std::string seen;
  for (;;) {
    StringSink sink;
    try {
      if (!reader.NextInto(&sink)) break;
      seen += 'g';
    } catch (const CorruptRecordError&) {
      seen += '!';
    }
  }
  EXPECT_EQ(reader.record_index(), pattern.size());
  *left_out = reader.corrupted_records();
  return seen;
}

TEST(TFRecordReader, LeavesOutCorruptedRecordsUpToALimitInARow) {
  uint64_t left_out, logged;
  EXPECT_EQ(ReadPattern("gbgbbg", 0, &left_out, &logged), "g!g!!g");
  EXPECT_EQ(left_out, 0u);
  EXPECT_EQ(logged, 0u);
  EXPECT_EQ(ReadPattern("gbgbbg", 1, &left_out, &logged), "gg!g");
  EXPECT_EQ(left_out, 2u);
  EXPECT_EQ(logged, 2u);
  EXPECT_EQ(ReadPattern("bbgbbgbb", 2, &left_out, &logged), "gg");
  EXPECT_EQ(left_out, 6u);
  EXPECT_EQ(ReadPattern("bbb", 2, &left_out, &logged), "!");
  EXPECT_EQ(left_out, 2u);
}

TEST(TFRecordReader, OnlyPayloadsMayBeLeftOut) {
  RecordReaderOptions options;
  options.max_corrupted_records_to_skip = 100;
  EXPECT_EQ(FlawOf(FlipByte(Encode({"one", "two"}), Framed(3)), options).flaw(),
            Flaw::kBadLengthCrc);
}

// A header that is right about an absurd length.
TEST(TFRecordReader, AnAbsurdLengthIsTooLong) {
  for (const uint64_t length : {(uint64_t{1} << 30) + 1, uint64_t{1} << 63, ~uint64_t{0}}) {
    std::string header;
    AppendLE64(length, &header);
    AppendLE32(MaskCrc32c(Crc32c(header)), &header);
    const CorruptRecordError error = FlawOf(header);
    EXPECT_EQ(error.flaw(), Flaw::kTooLong);
    EXPECT_NE(std::string(error.what()).find(std::to_string(length)), std::string::npos);
  }
}

// scratch_test bounds what it costs.
TEST(TFRecordReader, ALongPromiseThatIsNotKeptIsTruncated) {
  std::string bytes;
  AppendLE64(uint64_t{1} << 30, &bytes);
  AppendLE32(MaskCrc32c(Crc32c(bytes)), &bytes);
  EXPECT_EQ(FlawOf(bytes + std::string(100, 'x')).flaw(), Flaw::kTruncated);
}

}  // namespace
}  // namespace smtf
