#include "prefetch/file_object_source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "temporary_directory.h"

namespace smtf {
namespace {

using Status = FetchResult::Status;

class FileObjectSourceTest : public testing::Test {
 protected:
  FetchResult Fetch(const std::string& path, uint64_t listed, uint64_t offset, size_t size,
                    bool stopped = false, const std::string& etag = "") {
    got_.assign(size, '?');
    const std::atomic<bool> stop{stopped};
    const FetchRequest request{{path, listed, etag}, offset, got_.data(), size, 1};
    return source_.MakeFetcher({})->Fetch(request, stop);
  }

  TemporaryDirectory dir_;
  FileObjectSource source_;
  std::string got_;
};

TEST_F(FileObjectSourceTest, ReadsTheRange) {
  const std::string path = dir_.WriteFile("f", "0123456789");
  const FetchResult result = Fetch(path, 10, 3, 4);
  EXPECT_EQ(result.status, Status::kDone);
  EXPECT_EQ(result.bytes, 4u);
  EXPECT_EQ(got_, "3456");
}

TEST_F(FileObjectSourceTest, AMissingFileIsNotFound) {
  const FetchResult result = Fetch(dir_.path() + "/none", 10, 0, 10);
  EXPECT_EQ(result.status, Status::kFailed);
  EXPECT_EQ(result.kind, ErrorKind::kNotFound);
}

TEST_F(FileObjectSourceTest, AnotherSizeIsDataLoss) {
  const std::string path = dir_.WriteFile("f", "0123456789");
  for (const uint64_t listed : {9u, 11u}) {
    const FetchResult result = Fetch(path, listed, 0, 5);
    EXPECT_EQ(result.status, Status::kFailed);
    EXPECT_EQ(result.kind, ErrorKind::kDataLoss);
    EXPECT_EQ(result.bytes, 0u);
    EXPECT_NE(result.what.find("10 bytes"), std::string::npos) << result.what;
  }
}

TEST_F(FileObjectSourceTest, AFileThatWasWrittenToIsNotTheListedOne) {
  const std::string path = dir_.WriteFile("f", "0123456789");
  const timespec times[2] = {{0, UTIME_OMIT}, {0x65, 0x0bc}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  // 0x65 * 10**9 + 0xbc
  EXPECT_EQ(Fetch(path, 10, 0, 10, false, "\"178411b2bc-a\"").status, Status::kDone);
  for (const char* other : {"\"178411b2bd-a\"", "\"178411b2bc-b\"", "178411b2bc-a"}) {
    const FetchResult result = Fetch(path, 10, 0, 10, false, other);
    EXPECT_EQ(result.status, Status::kFailed);
    EXPECT_EQ(result.kind, ErrorKind::kFailedPrecondition);
    EXPECT_EQ(result.bytes, 0u);
  }
}

TEST_F(FileObjectSourceTest, AFolderIsAnError) {
  struct stat status{};
  ASSERT_EQ(stat(dir_.path().c_str(), &status), 0);
  const auto size = static_cast<uint64_t>(status.st_size);
  EXPECT_EQ(Fetch(dir_.path(), size, 0, 1).status, Status::kFailed);
}

TEST_F(FileObjectSourceTest, SeesTheStopFlag) {
  const std::string path = dir_.WriteFile("f", "0123456789");
  EXPECT_EQ(Fetch(path, 10, 0, 10, true).status, Status::kStopped);
}

}  // namespace
}  // namespace smtf
