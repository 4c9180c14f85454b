#include "protobuf/wire_reader.h"

#include <gtest/gtest.h>

#include <memory>

#include "protobuf/messages.h"

namespace smtf {
namespace {

// In memory of its own size, so that a sanitizer sees every byte that is read beyond it.
class Exact {
 public:
  explicit Exact(const std::string& bytes) : memory_(new char[bytes.size()]), size_(bytes.size()) {
    if (size_ > 0) std::memcpy(memory_.get(), bytes.data(), size_);
  }
  std::string_view view() const { return {memory_.get(), size_}; }

 private:
  std::unique_ptr<char[]> memory_;
  size_t size_;
};

std::string ErrorOf(const std::string& message) {
  const Exact exact(message);
  WireReader reader(exact.view());
  WireField field;
  try {
    while (reader.Next(&field)) {
    }
  } catch (const WireError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
    return error.what();
  }
  return "";
}

TEST(WireReader, GivesFieldsOfEveryType) {
  const std::string message = Tag(1, 0) + Varint(300) + Tag(2, 1) + "12345678" +
                              Field(70'000, "content") + Tag(4, 5) + "1234" + Field(5, "");
  WireReader reader(message);
  WireField field;
  ASSERT_TRUE(reader.Next(&field));
  EXPECT_EQ(field.number, 1u);
  EXPECT_EQ(field.varint, 300u);
  ASSERT_TRUE(reader.Next(&field));
  EXPECT_EQ(field.type, WireType::kFixed64);
  EXPECT_EQ(field.bytes, "12345678");
  ASSERT_TRUE(reader.Next(&field));
  EXPECT_EQ(field.number, 70'000u);
  EXPECT_EQ(field.type, WireType::kBytes);
  EXPECT_EQ(field.bytes, "content");
  ASSERT_TRUE(reader.Next(&field));
  EXPECT_EQ(field.type, WireType::kFixed32);
  EXPECT_EQ(field.bytes, "1234");
  ASSERT_TRUE(reader.Next(&field));
  EXPECT_EQ(field.bytes, "");
  EXPECT_FALSE(reader.Next(&field));
  EXPECT_FALSE(reader.Next(&field));
}

TEST(WireReader, VarintsOfEveryLength) {
  for (int bits = 0; bits <= 64; ++bits) {
    const uint64_t number = bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
    const std::string encoded = Varint(number);
    std::string_view bytes = encoded;
    EXPECT_EQ(TakeVarint(&bytes), number);
    EXPECT_TRUE(bytes.empty());
    // What is longer than it has to be is a number all the same.
    std::string padded = encoded;
    if (padded.size() < 9) {
      padded.back() = static_cast<char>(padded.back() | 128);
      padded += '\0';
      bytes = padded;
      EXPECT_EQ(TakeVarint(&bytes), number);
    }
  }
}

TEST(WireReader, EveryCutIsAnError) {
  const std::string message = Tag(1, 0) + Varint(300);
  const std::string fixed = Tag(2, 1) + "12345678";
  const std::string content = Field(200, std::string(300, 'x'));
  for (const std::string& whole : {message, fixed, content}) {
    EXPECT_EQ(ErrorOf(whole), "");
    for (size_t size = 1; size < whole.size(); ++size)
      EXPECT_NE(ErrorOf(whole.substr(0, size)), "");
  }
  EXPECT_EQ(ErrorOf(fixed.substr(0, 5)), "a field takes 8 bytes and 4 are left");
  EXPECT_EQ(ErrorOf(Tag(1, 2) + Varint(~uint64_t{0}) + "abc"),
            "a field takes 18446744073709551615 bytes and 3 are left");
}

TEST(WireReader, WhatIsNoField) {
  EXPECT_EQ(ErrorOf(std::string("\0\0", 2)), "there is no field of number 0");
  EXPECT_EQ(ErrorOf(Varint(uint64_t{1} << 32) + "x"), "there is no field of number 536870912");
  EXPECT_EQ(ErrorOf(Tag((1 << 29) - 1, 0) + "x"), "");
  EXPECT_EQ(ErrorOf(Tag(1, 3) + Tag(1, 4)),
            "field 1 has wire type 3, which is none of 0, 1, 2 and 5");
  EXPECT_EQ(ErrorOf(Tag(1, 0) + std::string(9, '\xff') + "\x01"), "");
  EXPECT_EQ(ErrorOf(Tag(1, 0) + std::string(9, '\xff') + "\x02"),
            "a varint is longer than 64 bits");
  EXPECT_EQ(ErrorOf(Tag(1, 0) + std::string(20, '\xff')), "a varint is longer than 64 bits");
}

}  // namespace
}  // namespace smtf
