#include "protobuf/record_message.h"

#include <gtest/gtest.h>

#include "errors.h"
#include "protobuf/messages.h"

namespace smtf {
namespace {

const std::string kOne = Floats({1});
const std::string kTwo = Floats({2});

// The bytes of the tensor in a Value.
std::string TensorIn(const std::string& value) { return value.substr(2); }

const std::vector<RecordFinder::Name> kNames = {
    {RecordMap::kLabel, "values"}, {RecordMap::kFeatures, "values"}, {RecordMap::kFeatures, ""}};

// What is found points into `record`.
std::vector<TensorMessage> Find(const std::string& record) {
  std::vector<TensorMessage> found(kNames.size());
  RecordFinder(kNames).Find(record, found.data());
  return found;
}

TEST(RecordFinder, FindsByMapAndName) {
  const std::string record = Entry(1, "other", kTwo) + Entry(1, "values", kOne) + Field(3, "uid") +
                             Entry(2, "values", kTwo) + Field(77, "unknown");
  const auto found = Find(record);
  EXPECT_TRUE(found[0].present());
  EXPECT_EQ(found[0].bytes(), TensorIn(kTwo));
  EXPECT_EQ(found[1].kind(), TensorKind::kFloat32);
  EXPECT_EQ(found[1].bytes(), TensorIn(kOne));
  EXPECT_FALSE(found[2].present());
}

TEST(RecordFinder, FindsEachOfManyNames) {
  std::vector<RecordFinder::Name> names;
  std::string record;
  for (int i = 0; i < 100; ++i) {
    const std::string name(1 + static_cast<size_t>(i) % 3, static_cast<char>('0' + i));
    names.push_back({i % 2 == 0 ? RecordMap::kFeatures : RecordMap::kLabel, name});
    record = Entry(i % 2 == 0 ? 1 : 2, name, Floats({static_cast<float>(i)})) + record;
  }
  std::vector<TensorMessage> found(names.size());
  RecordFinder(names).Find(record, found.data());
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(found[i].bytes(), TensorIn(Floats({static_cast<float>(i)}))) << i;
  }
}

TEST(RecordFinder, TheLastEntryOfAKeyCounts) {
  const std::string record = Entry(1, "values", kOne) + Entry(1, "values", kTwo);
  EXPECT_EQ(Find(record)[1].bytes(), TensorIn(kTwo));
  const auto emptied = Find(Entry(1, "values", kOne) + Entry(1, "values", ""));
  EXPECT_TRUE(emptied[1].present());
  EXPECT_EQ(emptied[1].kind(), TensorKind::kNone);
}

TEST(RecordFinder, AnEntryMayBeInAnyOrderAndWithoutItsParts) {
  EXPECT_EQ(Find(Field(1, Field(2, kOne) + Field(1, "values")))[1].bytes(), TensorIn(kOne));
  EXPECT_EQ(Find(Field(1, Field(2, kOne)))[2].bytes(), TensorIn(kOne));
  EXPECT_TRUE(Find(Field(1, Field(1, "values")))[1].present());
  EXPECT_TRUE(Find(Field(1, ""))[2].present());
}

TEST(RecordFinder, PiecesOfATensorAreJoinedAndAnotherKindReplacesIt) {
  const std::string pieces = Field(1, Field(1, "values") + Field(2, kOne) + Field(2, kTwo + kOne));
  EXPECT_EQ(Find(pieces)[1].bytes(), TensorIn(kOne) + TensorIn(kTwo) + TensorIn(kOne));
  const std::string other = Field(3, "float64");
  const std::string two_kinds = Entry(1, "values", kOne + kOne + other);
  const auto replaced = Find(two_kinds);
  EXPECT_EQ(replaced[1].kind(), TensorKind::kFloat64);
  EXPECT_EQ(replaced[1].bytes(), "float64");
  EXPECT_EQ(Find(Entry(1, "values", other + kOne))[1].bytes(), TensorIn(kOne));
}

TEST(RecordFinder, FieldsOfAnotherTypeAreUnknownFields) {
  EXPECT_FALSE(Find(Tag(1, 0) + "x" + Tag(2, 5) + "1234")[1].present());
  EXPECT_EQ(Find(Entry(1, "values", Tag(2, 0) + "x"))[1].kind(), TensorKind::kNone);
  EXPECT_EQ(Find(Entry(1, "values", Field(2 + 256, "x")))[1].kind(), TensorKind::kNone);
}

TEST(RecordFinder, ForgetsTheRecordBefore) {
  std::vector<TensorMessage> found(kNames.size());
  const RecordFinder finder(kNames);
  finder.Find(Entry(1, "values", kOne), found.data());
  finder.Find("", found.data());
  EXPECT_FALSE(found[1].present());
}

TEST(RecordFinder, SaysWhatIsNoRecord) {
  for (const std::string& record : {std::string("text"), Field(1, "\x0a\x7f"),
                                    Field(1, Field(1, "values") + Field(2, "\x12\x7f"))}) {
    try {
      Find(record);
      FAIL() << "no error";
    } catch (const Error& error) {
      const std::string what = error.what();
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
      EXPECT_NE(what.find("its " + std::to_string(record.size()) + " bytes are no aialgs.data.Rec"),
                std::string::npos)
          << what;
    }
  }
  // Nobody asked for this one.
  EXPECT_NO_THROW(Find(Entry(1, "other", "\x12\x7f")));
}

TEST(NamesIn, ListsAFew) {
  EXPECT_EQ(NamesIn(""), "no features; no labels");
  std::string record = Entry(2, "y", kOne);
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) record += Entry(1, name, kOne);
  EXPECT_EQ(NamesIn(record), "features 'a', 'b', 'c', 'd', 'e', ...; labels 'y'");
}

}  // namespace
}  // namespace smtf
