#include "pipe/small_file.h"

#include "pipe/pipe_testing.h"
#include "temporary_directory.h"

namespace smtf {
namespace {

TEST(SmallFileTest, WhatIsReplacedOrUpdatedIsRead) {
  const TemporaryDirectory directory;
  const std::string path = directory / "file";
  EXPECT_FALSE(ReadSmallFile(path).has_value());
  ReplaceSmallFile(path, "longer than what follows\n");
  EXPECT_EQ(*ReadSmallFile(path), "longer than what follows\n");
  UpdateSmallFile(path, "short\n");
  EXPECT_EQ(*ReadSmallFile(path), "short\n");
}

// A name so long that there can be no temporary one beside it stands for a full disk.
TEST(SmallFileTest, WithoutRoomForAnotherTheFileThatIsThereIsWrittenOver) {
  const TemporaryDirectory directory;
  const std::string name(254, 'f');
  const std::string path = directory / name;
  EXPECT_THROW(UpdateSmallFile(path, "new\n"), Error);
  EXPECT_FALSE(ReadSmallFile(path).has_value());
  directory.WriteFile(name, "old and long\n");
  EXPECT_THROW(ReplaceSmallFile(path, "new\n"), Error);
  EXPECT_EQ(*ReadSmallFile(path), "old and long\n");
  UpdateSmallFile(path, "new\n");
  EXPECT_EQ(*ReadSmallFile(path), "new\n         ");
  UpdateSmallFile(path, "new and longer\n");
  EXPECT_EQ(*ReadSmallFile(path), "new and longer\n");
}

}  // namespace
}  // namespace smtf
