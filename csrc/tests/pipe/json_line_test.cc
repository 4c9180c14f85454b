#include "pipe/json_line.h"

#include <nlohmann/json.hpp>

#include "pipe/pipe_testing.h"

namespace smtf {
namespace {

TEST(JsonLineTest, IsWhatAParserReads) {
  const std::string nasty = "s3://b/\"\\\n\x01\x7f\xc3\xa9";
  const std::string line = JsonLine()
                               .Add("none", uint64_t{0})
                               .Add("most", UINT64_MAX)
                               .Add("plain", "part-00/a b")
                               .Add("nasty", nasty)
                               .AddJson("json", "{\"a\":null}")
                               .Take();
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const nlohmann::json parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed.at("none").get<uint64_t>(), 0u);
  EXPECT_EQ(parsed.at("most").get<uint64_t>(), UINT64_MAX);
  EXPECT_EQ(parsed.at("plain").get<std::string>(), "part-00/a b");
  EXPECT_EQ(parsed.at("nasty").get<std::string>(), nasty);
  EXPECT_TRUE(parsed.at("json").at("a").is_null());
}

TEST(JsonLineTest, BytesThatAreNoUtf8AreReplaced) {
  const nlohmann::json parsed = nlohmann::json::parse(JsonLine().Add("name", "a\xff").Take());
  EXPECT_EQ(parsed.at("name").get<std::string>(), "a\xef\xbf\xbd");
}

}  // namespace
}  // namespace smtf
