#include "s3/s3_list_page.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "errors.h"

namespace smtf {
namespace {

S3ListPage Parse(const std::string& content) {
  return S3ListPage::Parse(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
          content + "</ListBucketResult>",
      "listing s3://bucket/");
}

std::string Object(const std::string& key, const std::string& size = "1") {
  return "<Contents><Key>" + key + "</Key><Size>" + size + "</Size></Contents>";
}

std::vector<std::string> KeysOf(const S3ListPage& page) {
  std::vector<std::string> keys;
  for (size_t i = 0; i < page.size(); ++i) keys.emplace_back(page[i].name);
  return keys;
}

std::string FlawOf(const std::string& xml) {
  try {
    S3ListPage::Parse(xml, "listing s3://bucket/");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
    const std::string what = error.what();
    const std::string begin = "listing s3://bucket/: the endpoint does not answer as S3 does: ";
    EXPECT_EQ(what.rfind(begin, 0), 0u) << what;
    return what.substr(std::min(begin.size(), what.size()));
  }
  ADD_FAILURE() << "taken for a page: " << xml;
  return "";
}

using Keys = std::vector<std::string>;

TEST(ListQueryTest, IsSortedAndEncoded) {
  S3ListRequest request;
  EXPECT_EQ(ListQuery(request), "encoding-type=url&list-type=2&max-keys=1000");
  request.prefix = "a b/\xc3\xa9&=+";
  request.delimiter = "/";
  request.start_after = "x%y";
  EXPECT_EQ(ListQuery(request),
            "delimiter=%2F&encoding-type=url&list-type=2&max-keys=1000&"
            "prefix=a%20b%2F%C3%A9%26%3D%2B&start-after=x%25y");
  request.token = "1/+==";
  EXPECT_EQ(ListQuery(request),
            "continuation-token=1%2F%2B%3D%3D&delimiter=%2F&encoding-type=url&list-type=2&"
            "max-keys=1000&prefix=a%20b%2F%C3%A9%26%3D%2B");
}

// As AWS answers: with elements that nobody asked for, in an order of its own.
TEST(S3ListPageTest, ReadsWhatS3Says) {
  const S3ListPage page = Parse(
      "<Name>bucket</Name><Prefix>photos%2F</Prefix><NextContinuationToken>1ueG+cC/Q==\n"
      "</NextContinuationToken><KeyCount>3</KeyCount><MaxKeys>1000</MaxKeys>"
      "<IsTruncated>true</IsTruncated>"
      "<Contents><Key>photos/1.jpg</Key><LastModified>2024-05-01T12:00:00.000Z</LastModified>"
      "<ETag>&quot;70ee1738b6b21e2c8a43f3a5ab0eee71&quot;</ETag>"
      "<ChecksumAlgorithm>CRC32C</ChecksumAlgorithm><Size>5368709120</Size>"
      "<Owner><ID>1</ID><DisplayName>Key</DisplayName></Owner>"
      "<StorageClass>STANDARD</StorageClass>"
      "<RestoreStatus><Size>7</Size><Key>no</Key></RestoreStatus></Contents>"
      "<Contents><ETag>\"e-2\"</ETag><Size>0</Size><Key>photos/2&amp;.jpg</Key></Contents>"
      "<CommonPrefixes><Prefix>photos/a/</Prefix></CommonPrefixes>"
      "<CommonPrefixes><Prefix>photos/b/</Prefix></CommonPrefixes>");
  ASSERT_EQ(KeysOf(page), (Keys{"photos/1.jpg", "photos/2&.jpg"}));
  EXPECT_EQ(page[0].size, 5368709120u);
  EXPECT_EQ(page[0].etag, "\"70ee1738b6b21e2c8a43f3a5ab0eee71\"");
  EXPECT_EQ(page[1].size, 0u);
  EXPECT_EQ(page[1].etag, "\"e-2\"");
  EXPECT_EQ(page.folders(), (Keys{"photos/a/", "photos/b/"}));
  EXPECT_TRUE(page.truncated());
  EXPECT_EQ(page.next_token(), "1ueG+cC/Q==\n");
}

TEST(S3ListPageTest, TheLastPageIsNotTruncated) {
  EXPECT_FALSE(Parse("").truncated());
  EXPECT_FALSE(Parse("<IsTruncated>false</IsTruncated>").truncated());
  EXPECT_EQ(Parse("").size(), 0u);
}

TEST(S3ListPageTest, DecodesWhatIsSaidToBeEncoded) {
  const std::string content = Object("a+b%20c%2Bd%252F%C3%A9%0A") + Object("100%") + Object("%4") +
                              Object("%zz%41") +
                              "<CommonPrefixes><Prefix>f+%2F</Prefix></CommonPrefixes>"
                              "<NextContinuationToken>a+%20b</NextContinuationToken>";
  // Where the answer says so, first or last.
  for (const S3ListPage& page : {Parse("<EncodingType>url</EncodingType>" + content),
                                 Parse(content + "<EncodingType>url</EncodingType>")}) {
    EXPECT_EQ(KeysOf(page), (Keys{"a b c+d%2F\xc3\xa9\n", "100%", "%4", "%zzA"}));
    EXPECT_EQ(page.folders(), Keys{"f /"});
    EXPECT_EQ(page.next_token(), "a+%20b");
  }
  const S3ListPage raw = Parse(content);
  EXPECT_EQ(KeysOf(raw), (Keys{"a+b%20c%2Bd%252F%C3%A9%0A", "100%", "%4", "%zz%41"}));
  EXPECT_EQ(raw.folders(), Keys{"f+%2F"});
}

TEST(S3ListPageTest, RawKeysKeepEveryCharacterThatXmlCanHold) {
  const S3ListPage page =
      Parse(Object("&lt;a&gt; &amp;amp; &#233;&#10;<![CDATA[<b>]]>\xe6\x97\xa5"));
  EXPECT_EQ(KeysOf(page), Keys{"<a> &amp; \xc3\xa9\n<b>\xe6\x97\xa5"});
}

TEST(S3ListPageTest, KnowsItsOrder) {
  EXPECT_TRUE(Parse("").Ascending());
  EXPECT_TRUE(Parse(Object("a") + Object("a/") + Object("a0")).Ascending());
  EXPECT_TRUE(Parse(Object("z") + Object("\xc3\xa9")).Ascending());  // as bytes
  EXPECT_FALSE(Parse(Object("b") + Object("a")).Ascending());
  EXPECT_FALSE(Parse(Object("a") + Object("a")).Ascending());
  const S3ListPage page = Parse(Object("b") + Object("d") + Object("\xc3\xa9"));
  EXPECT_EQ(page.CountUpTo("a"), 0u);
  EXPECT_EQ(page.CountUpTo("b"), 1u);
  EXPECT_EQ(page.CountUpTo("ba"), 1u);
  EXPECT_EQ(page.CountUpTo("e"), 2u);
  EXPECT_EQ(page.CountUpTo("\xff"), 3u);
}

TEST(S3ListPageTest, RefusesWhatIsNoListing) {
  const std::string root = "<ListBucketResult>";
  EXPECT_EQ(FlawOf(""), "no element found in line 1; check the endpoint's URL");
  EXPECT_EQ(FlawOf("{\"keys\": []}").rfind("not well-formed", 0), 0u);
  EXPECT_EQ(FlawOf("<html><body/></html>").rfind("it begins with <html>", 0), 0u);
  EXPECT_EQ(FlawOf("<Error><Code>InternalError</Code></Error>").rfind("it begins", 0), 0u);
  // Cut short.
  EXPECT_NE(FlawOf(root + Object("a")), "");
  EXPECT_NE(FlawOf(root + "<Contents><Key>a"), "");
  // Not UTF-8.
  EXPECT_NE(FlawOf(root + Object("a\xff") + "</ListBucketResult>"), "");
}

TEST(S3ListPageTest, RefusesObjectsThatLackSomething) {
  const auto flaw = [](const std::string& contents) {
    return FlawOf("<ListBucketResult><Contents>" + contents + "</Contents></ListBucketResult>");
  };
  for (const char* contents :
       {"", "<Key>a</Key>", "<Size>1</Size>", "<Key>a</Key><Size/>", "<Key>a</Key><Size>-1</Size>",
        "<Key>a</Key><Size>1x</Size>", "<Key>a</Key><Size>99999999999999999999</Size>",
        "<Key><b>a</b></Key><Sizes>1</Sizes>"}) {
    EXPECT_EQ(flaw(contents).rfind("it lists an object without a key or a size", 0), 0u)
        << contents;
  }
}

TEST(S3ListPageTest, EntitiesCannotGrow) {
  std::string bomb = "<!DOCTYPE x [<!ENTITY a0 \"ha\">";
  for (int i = 1; i < 40; ++i) {
    const std::string inner = "&a" + std::to_string(i - 1) + ";";
    bomb += "<!ENTITY a" + std::to_string(i) + " \"" + inner + inner + "\">";
  }
  bomb += "]><ListBucketResult>" + Object("&a39;") + "</ListBucketResult>";
  EXPECT_EQ(FlawOf(bomb).rfind("it has a DOCTYPE", 0), 0u);
  const std::string file =
      "<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><ListBucketResult>" + Object("&f;") +
      "</ListBucketResult>";
  EXPECT_EQ(FlawOf(file).rfind("it has a DOCTYPE", 0), 0u);
}

TEST(S3ListPageTest, SurvivesBeingMoved) {
  S3ListPage page = Parse(Object("a"));
  S3ListPage moved = std::move(page);
  EXPECT_EQ(KeysOf(moved), Keys{"a"});
}

}  // namespace
}  // namespace smtf
