#include "framing/partial_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <string>

#include "errors.h"
#include "framing/file_contents.h"
#include "framing/memory_byte_source.h"
#include "temporary_directory.h"

namespace smtf {
namespace {

std::string MessageOf(ErrorKind kind, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(ErrorKindName(error.kind()), ErrorKindName(kind)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

TEST(PartialFile, IsSeenUnderItsNameOnlyOnceItIsCommitted) {
  const TemporaryDirectory directory;
  const std::string path = directory.WriteFile("whole", "of before");
  PartialFile file(directory / "partial", path);
  file.Write("some ");
  file.Write("bytes");
  EXPECT_EQ(FileContents(path), "of before");
  EXPECT_EQ(FileContents(directory / "partial"), "some bytes");
  file.Commit();
  EXPECT_EQ(FileContents(path), "some bytes");
  EXPECT_FALSE(std::filesystem::exists(directory / "partial"));
}

TEST(PartialFile, HasTheModeThatTheUmaskLeaves) {
  const TemporaryDirectory directory;
  const mode_t before = umask(027);
  PartialFile(directory / "partial", directory / "whole").Commit();
  umask(before);
  struct stat status{};
  ASSERT_EQ(stat((directory / "whole").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST(PartialFile, IsRemovedWhereItIsNotCommitted) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "folder");
  {
    PartialFile(directory / "partial", directory / "whole").Write("bytes");
  }
  EXPECT_FALSE(std::filesystem::exists(directory / "partial"));
  const std::string message = MessageOf(ErrorKind::kInternal, [&] {
    PartialFile file(directory / "partial", directory / "folder");
    file.Commit();
  });
  EXPECT_NE(message.find(directory / "folder"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(directory / "partial"));
}

TEST(PartialFile, TakesNoPlaceThatIsTaken) {
  const TemporaryDirectory directory;
  const std::string taken = directory.WriteFile("partial", "another's");
  MessageOf(ErrorKind::kInternal, [&] { PartialFile file(taken, directory / "whole"); });
  MessageOf(ErrorKind::kNotFound,
            [&] { PartialFile file(directory / "no/folder", directory / "whole"); });
  EXPECT_EQ(FileContents(taken), "another's");
}

TEST(PartialFile, TakesBytesOfAnySource) {
  const TemporaryDirectory directory;
  const std::string bytes(200'000, 'x');
  MemoryByteSource source(bytes);
  PartialFile file(directory / "partial", directory / "whole");
  EXPECT_EQ(source.MoveTo(&file, 3), 3u);
  uint64_t moved = 3;
  while (const size_t count = source.MoveTo(&file, 1'000'000)) moved += count;
  EXPECT_EQ(moved, bytes.size());
  EXPECT_TRUE(FileContents(directory / "partial") == bytes);
}

}  // namespace
}  // namespace smtf
