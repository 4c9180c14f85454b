#include "framing/object_file_writer.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "errors.h"
#include "framing/file_contents.h"
#include "framing/framed_objects.h"
#include "framing/memory_byte_source.h"
#include "framing/test_sources.h"
#include "temporary_directory.h"

namespace smtf {
namespace {

class ObjectFileWriterTest : public testing::Test {
 protected:
  std::string PathOf(size_t number) const { return directory_ / std::to_string(number); }
  bool HasPartial() const { return std::filesystem::exists(partial_); }

  // Writes up to `count` objects and returns how many bytes each of them had.
  std::vector<uint64_t> WriteAll(ObjectFileWriter* writer, uint64_t most, size_t count = 1000) {
    std::vector<uint64_t> sizes;
    while (sizes.size() < count) {
      uint64_t size = 0;
      for (bool ended = false; !ended;) {
        const auto written = writer->Write(PathOf(sizes.size()), most);
        if (!written) return sizes;
        EXPECT_LE(written->bytes, most);
        EXPECT_EQ(HasPartial(), !written->ended);
        size += written->bytes;
        ended = written->ended;
      }
      sizes.push_back(size);
    }
    return sizes;
  }

  TemporaryDirectory directory_;
  const std::string partial_ = directory_ / "partial";
};

TEST_F(ObjectFileWriterTest, GivesEachObjectAFileHoweverItIsCut) {
  std::mt19937 random(1);
  const std::vector<std::string> objects = {RandomBytes(700'000, 1), "", "a", "",
                                            RandomBytes(300'000, 2)};
  for (const size_t chunk : {1000, 400'000}) {
    std::string stream;
    for (const std::string& object : objects) AppendObject(object, chunk, &random, &stream);
    for (const uint64_t most : {1000, 1 << 30}) {
      ChunkedSource source(stream, 300'000);
      ObjectFileWriter writer(&source, partial_);
      const std::vector<uint64_t> sizes = WriteAll(&writer, most);
      ASSERT_EQ(sizes.size(), objects.size());
      for (size_t i = 0; i < objects.size(); ++i) {
        EXPECT_EQ(sizes[i], objects[i].size());
        EXPECT_TRUE(FileContents(PathOf(i)) == objects[i]) << i;
      }
      EXPECT_FALSE(writer.Write(PathOf(99), 1));
    }
  }
}

TEST_F(ObjectFileWriterTest, AnObjectThatFailsLeavesNoFile) {
  std::mt19937 random(2);
  std::string stream;
  AppendObject("good", 4, &random, &stream);
  AppendObject("some bytes", 4, &random, &stream, Error(ErrorKind::kNotFound, "s3://b/k: 404"));
  MemoryByteSource source(stream);
  {
    ObjectFileWriter writer(&source, partial_);
    EXPECT_EQ(WriteAll(&writer, 100, 1).size(), 1u);
    try {
      writer.Write(PathOf(1), 100);
      FAIL() << "no error was thrown";
    } catch (const ObjectFailure& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
      EXPECT_STREQ(error.what(), "s3://b/k: 404");
    }
  }
  EXPECT_FALSE(HasPartial());
  EXPECT_EQ(FileContents(PathOf(0)), "good");
  EXPECT_EQ(FileContents(PathOf(1)), "(none)");
}

TEST_F(ObjectFileWriterTest, AStreamThatIsCutLeavesNoFile) {
  std::string stream;
  AppendChunk("half", false, &stream);
  for (size_t size = 1; size <= stream.size(); ++size) {
    MemoryByteSource source(std::string_view(stream).substr(0, size));
    ObjectFileWriter writer(&source, partial_);
    try {
      while (writer.Write(PathOf(0), 2)) {
      }
      FAIL() << "no error was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kDataLoss) << error.what();
    }
  }
  EXPECT_FALSE(HasPartial());
  EXPECT_EQ(FileContents(PathOf(0)), "(none)");
}

// Holds the files that this process writes to so many bytes.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, SIG_DFL);
  }

 private:
  rlimit before_{};
};

TEST_F(ObjectFileWriterTest, AFileThatCannotBeWrittenIsNamed) {
  std::mt19937 random(3);
  std::string stream;
  AppendObject(RandomBytes(100'000, 1), 70'000, &random, &stream);
  MemoryByteSource source(stream);
  const FileSizeLimit limit(50'000);
  {
    ObjectFileWriter writer(&source, partial_);
    try {
      writer.Write(PathOf(0), 1 << 20);
      FAIL() << "no error was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInternal);
      EXPECT_NE(std::string(error.what()).find(PathOf(0)), std::string::npos) << error.what();
    }
  }
  EXPECT_FALSE(HasPartial());
  EXPECT_EQ(FileContents(PathOf(0)), "(none)");
}

}  // namespace
}  // namespace smtf
