#include "encoding/gzip_inflater.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "encoding/gzip_data.h"
#include "errors.h"

namespace smtf {
namespace {

// What came out, and the error that ended it.
struct Inflated {
  std::string bytes;
  std::optional<Error> error;
};

class GzipInflaterTest : public testing::Test {
 protected:
  // A file that comes in `pieces`, decompressed into memory of `room` bytes at a time.
  Inflated Inflate(const std::vector<std::string_view>& pieces, size_t room = 1000) {
    Inflated inflated;
    std::string out(room, '\0');
    inflater_.Begin();
    try {
      for (std::string_view piece : pieces) {
        while (const size_t made = inflater_.Inflate(&piece, &out[0], room)) {
          inflated.bytes.append(out, 0, made);
        }
        EXPECT_TRUE(piece.empty());
      }
      inflater_.End();
    } catch (const Error& error) {
      inflated.error = error;
      EXPECT_EQ(error.kind(), ErrorKind::kDataLoss) << error.what();
    }
    return inflated;
  }

  void ExpectGives(const std::vector<std::string_view>& pieces, std::string_view expected,
                   size_t room = 1000) {
    const Inflated inflated = Inflate(pieces, room);
    EXPECT_FALSE(inflated.error.has_value()) << inflated.error->what();
    EXPECT_EQ(inflated.bytes, expected);
  }

  // Everything in `expected` is there before the error, which says `what`.
  void ExpectFails(std::string_view file, std::string_view expected, const std::string& what) {
    const Inflated inflated = Inflate({file});
    EXPECT_EQ(inflated.bytes, expected);
    ASSERT_TRUE(inflated.error.has_value());
    EXPECT_NE(std::string(inflated.error->what()).find(what), std::string::npos)
        << inflated.error->what();
  }

  GzipInflater inflater_;
};

std::vector<std::string_view> Cut(std::string_view file, size_t piece) {
  std::vector<std::string_view> pieces;
  for (size_t at = 0; at < file.size(); at += piece) pieces.push_back(file.substr(at, piece));
  return pieces;
}

TEST_F(GzipInflaterTest, GivesWhatWasCompressed) {
  for (const size_t size : {0, 1, 999, 1000, 1001, 300000}) {
    const std::string text = SomeText(size, 1);
    ExpectGives({Gzip(text)}, text);
    const std::string noise = Noise(size, 1);
    ExpectGives({Gzip(noise)}, noise);
  }
}

TEST_F(GzipInflaterTest, WhereverItIsCut) {
  const std::string text = SomeText(400, 2);
  const std::string file = Gzip(text, true) + Gzip("") + Gzip("abc") + std::string(5, '\0');
  for (size_t cut = 0; cut <= file.size(); ++cut) {
    const std::string_view view = file;
    ExpectGives({view.substr(0, cut), view.substr(cut)}, text + "abc");
  }
  for (const size_t room : {1, 2, 7, 5000}) {
    for (const size_t piece : {1, 2, 3, 50}) ExpectGives(Cut(file, piece), text + "abc", room);
  }
}

TEST_F(GzipInflaterTest, TakesManyMembers) {
  std::string file;
  std::string expected;
  for (unsigned i = 0; i < 200; ++i) {
    const std::string text = SomeText(i * 7 % 300, i);
    file += Gzip(text);
    expected += text;
  }
  ExpectGives({file}, expected);
  ExpectGives(Cut(file, 13), expected, 64);
}

TEST_F(GzipInflaterTest, FillsTheRoomAcrossMembers) {
  std::string file;
  for (int i = 0; i < 10; ++i) file += Gzip("0123456789");
  std::string out(1000, '\0');
  std::string_view in = file;
  inflater_.Begin();
  EXPECT_EQ(inflater_.Inflate(&in, &out[0], out.size()), 100u);
  EXPECT_EQ(inflater_.Inflate(&in, &out[0], out.size()), 0u);
}

TEST_F(GzipInflaterTest, SkipsZerosBehindMembers) {
  const std::string zeros(3000, '\0');
  ExpectGives({Gzip("abc") + zeros}, "abc");
  ExpectGives({Gzip("abc") + zeros + Gzip("def") + zeros}, "abcdef");
}

TEST_F(GzipInflaterTest, AFileWithoutBytesIsEmpty) {
  ExpectGives({}, "");
  ExpectGives({""}, "");
}

TEST_F(GzipInflaterTest, SaysThatItIsNotGzip) {
  ExpectFails("plain text", "", "not a gzip file: compressed byte 0 is 0x70, and not 0x1f;");
  ExpectFails("\x1f\x9d", "", "not a gzip file: compressed byte 1 is 0x9d, and not 0x8b;");
  ExpectFails(std::string(10, '\0'), "", "not a gzip file: compressed byte 0 is 0x00");
}

TEST_F(GzipInflaterTest, SaysWhereSomethingFollows) {
  const std::string file = Gzip("abc");
  const std::string at = "compressed byte " + std::to_string(file.size());
  ExpectFails(file + "rubbish", "abc", at + " is 0x72, and not 0x1f;");
  const std::string behind = "compressed byte " + std::to_string(file.size() + 512);
  ExpectFails(file + std::string(512, '\0') + "rubbish", "abc", behind + " is 0x72");
  const std::string second = "compressed byte " + std::to_string(file.size() + 1);
  ExpectFails(file + "\x1f\x1f", "abc", second + " is 0x1f, and not 0x8b;");
}

TEST_F(GzipInflaterTest, SaysWhatIsDamaged) {
  const std::string text = SomeText(500, 3);
  const std::string file = Gzip(text);
  std::string crc = file;
  crc[crc.size() - 6] ^= 1;
  ExpectFails(crc, text, "incorrect data check");
  std::string length = file;
  length[length.size() - 2] ^= 1;
  ExpectFails(Gzip("first") + length, "first" + text, "incorrect length check");
  const std::string begin =
      "the member that begins at byte " + std::to_string(Gzip("first").size());
  ExpectFails(Gzip("first") + length, "first" + text, begin);
}

// Every prefix but those that end with a member.
TEST_F(GzipInflaterTest, SaysThatItIsCutShort) {
  const std::string first = Gzip("first", true);
  const std::string file = first + Gzip(SomeText(100, 4));
  for (size_t size = 1; size < file.size(); ++size) {
    if (size == first.size()) continue;
    const Inflated inflated = Inflate({std::string_view(file).substr(0, size)});
    ASSERT_TRUE(inflated.error.has_value()) << size;
    const std::string what = "ends after compressed byte " + std::to_string(size);
    EXPECT_NE(std::string(inflated.error->what()).find(what), std::string::npos)
        << inflated.error->what();
  }
  ExpectGives({first}, "first");
}

// A header has bytes that nothing depends on, as the time; everything else is found.
TEST_F(GzipInflaterTest, NoChangedByteGoesUnseen) {
  const std::string text = SomeText(300, 5);
  const std::string file = Gzip(text);
  int seen = 0;
  for (size_t at = 0; at < file.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = file;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      const Inflated inflated = Inflate({changed});
      if (inflated.error) ++seen;
      if (!inflated.error) {
        EXPECT_EQ(inflated.bytes, text) << at;
      }
    }
  }
  EXPECT_GE(seen, static_cast<int>(file.size() - 10) * 8);
}

TEST_F(GzipInflaterTest, SurvivesGarbage) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::string garbage = Gzip("x").substr(0, 10) + Noise(seed * 11 % 3000, seed);
    EXPECT_TRUE(Inflate(Cut(garbage, seed % 100 + 1), seed % 70 + 1).error.has_value());
    EXPECT_TRUE(Inflate({Noise(1000, seed)}).error.has_value());
  }
  ExpectGives({Gzip("good again")}, "good again");
}

TEST_F(GzipInflaterTest, BeginForgetsAFileThatDidNotEnd) {
  const std::string file = Gzip(SomeText(5000, 6));
  std::string out(100, '\0');
  std::string_view in = std::string_view(file).substr(0, 600);
  inflater_.Begin();
  EXPECT_EQ(inflater_.Inflate(&in, &out[0], out.size()), 100u);
  ExpectGives({Gzip("next")}, "next");
}

}  // namespace
}  // namespace smtf
