#include "encoding/output_buffers.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace smtf {
namespace {

OutputBuffers::Piece Fill(OutputBuffers* buffers, size_t size, char with) {
  const OutputBuffers::Room room = buffers->Reserve(size);
  EXPECT_GE(room.size, size);
  std::memset(room.data, with, size);
  return buffers->Give(size);
}

bool IsAll(const OutputBuffers::Piece& piece, char with) {
  return piece.bytes == std::string(piece.bytes.size(), with);
}

TEST(OutputBuffersTest, PiecesShareABufferThatBeginsAtAPage) {
  OutputBuffers buffers;
  const OutputBuffers::Piece first = Fill(&buffers, 100, 'a');
  const OutputBuffers::Piece second = Fill(&buffers, 200, 'b');
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first.bytes.data()) % 4096, 0u);
  EXPECT_EQ(second.bytes.data(), first.bytes.data() + 100);
  EXPECT_TRUE(IsAll(first, 'a'));
  EXPECT_TRUE(IsAll(second, 'b'));
}

TEST(OutputBuffersTest, WhatIsNotGivenIsReservedAgain) {
  OutputBuffers buffers;
  char* data = buffers.Reserve(10).data;
  EXPECT_EQ(buffers.Reserve(20).data, data);
}

TEST(OutputBuffersTest, ReusesABufferThatNobodyHolds) {
  OutputBuffers buffers;
  std::set<const char*> seen;
  for (int i = 0; i < 50; ++i) {
    seen.insert(Fill(&buffers, OutputBuffers::kBufferBytes, 'x').bytes.data());
  }
  EXPECT_EQ(seen.size(), 1u);
}

TEST(OutputBuffersTest, WhatIsHeldIsNeverWrittenTo) {
  OutputBuffers buffers;
  std::vector<OutputBuffers::Piece> held;
  for (int i = 0; i < 40; ++i) {
    held.push_back(Fill(&buffers, 700 * 1000, static_cast<char>('a' + i)));
  }
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(IsAll(held[i], static_cast<char>('a' + i)));
}

TEST(OutputBuffersTest, OwnersMayOutliveTheBuffersAndEndOnAnotherThread) {
  std::vector<OutputBuffers::Piece> held;
  {
    OutputBuffers buffers;
    for (int i = 0; i < 12; ++i) held.push_back(Fill(&buffers, 600 * 1000, 'y'));
  }
  for (const OutputBuffers::Piece& piece : held) EXPECT_TRUE(IsAll(piece, 'y'));
  std::thread([&held] { held.clear(); }).join();
}

}  // namespace
}  // namespace smtf
