#include "prefetch/range_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "checksum/object_checksum.h"
#include "errors.h"
#include "prefetch/fake_object_source.h"

namespace smtf {
namespace {

constexpr RetryLimits kPatient{100, 1e9};

// What `Read` throws.
Error ErrorOf(RangeReader* reader, const ObjectRef& object, uint64_t offset, size_t size) {
  std::string dst(size, '?');
  try {
    reader->Read(object, offset, dst.data(), size);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::kInternal, "it was read"};
}

TEST(RangeReaderTest, FaultsAreRetriedAndWhatHasArrivedIsKept) {
  FakeObjectOptions options;
  options.seed = 7;
  options.transient_rate = 0.3;
  options.truncate_rate = 0.5;
  FakeObjectSource source(options);
  RangeReader reader(&source, {}, kPatient, 1);
  const std::string whole = source.Content("o", 5000);
  for (const size_t size : {1, 100, 999, 4000}) {
    std::string got(size, '?');
    reader.Read({"o", 5000, ""}, 1000, got.data(), size);
    EXPECT_EQ(got, whole.substr(1000, size));
  }
}

TEST(RangeReaderTest, AnErrorNamesObjectRangeAndEffort) {
  FakeObjectOptions options;
  options.transient_rate = 1;
  FakeObjectSource source(options);
  RangeReader reader(&source, {}, {3, 1e9}, 1);
  const Error error = ErrorOf(&reader, {"o", 100, ""}, 10, 20);
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  const std::string message = error.what();
  EXPECT_EQ(message.rfind("fake://o bytes 10-29: a transient fault after 3 tries in ", 0), 0u)
      << message;
}

TEST(RangeReaderTest, WhatIsFinalIsNotRetried) {
  FakeObjectOptions options;
  options.fail_name = "o";
  FakeObjectSource source(options);
  RangeReader reader(&source, {}, kPatient, 1);
  const Error error = ErrorOf(&reader, {"o", 100, ""}, 0, 100);
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(std::string(error.what()).find("tries"), std::string::npos) << error.what();
}

// Announces a checksum, and gives so many damaged copies first.
class DamagingSource : public ObjectSource {
 public:
  DamagingSource(std::string content, int damaged)
      : content_(std::move(content)), damaged_(damaged) {}

  std::unique_ptr<ObjectFetcher> MakeFetcher(const FetchLimits& /*limits*/) override {
    return std::make_unique<Fetcher>(this);
  }
  std::string Describe(const ObjectRef& object) const override { return std::string(object.name); }

 private:
  struct Fetcher : ObjectFetcher {
    explicit Fetcher(DamagingSource* the_source) : source(*the_source) {}
    FetchResult Fetch(const FetchRequest& request, const std::atomic<bool>& /*stop*/) override {
      source.content_.copy(request.dst, request.size, request.offset);
      if (source.damaged_-- > 0) request.dst[request.size / 2] ^= 1;
      FetchResult result;
      result.bytes = request.size;
      result.checksum = {ChecksumKind::kCrc32c,
                         ExtendChecksum(ChecksumKind::kCrc32c, 0, source.content_)};
      return result;
    }
    void Nudge() noexcept override {}
    DamagingSource& source;
  };

  const std::string content_;
  int damaged_;
};

TEST(RangeReaderTest, ADamagedObjectIsFetchedAgain) {
  const std::string content(1000, 'c');
  DamagingSource source(content, 2);
  RangeReader reader(&source, {}, kPatient, 1);
  std::string got(content.size(), '?');
  reader.Read({"o", content.size(), ""}, 0, got.data(), got.size());
  EXPECT_EQ(got, content);
}

TEST(RangeReaderTest, OneThatStaysDamagedIsDataLoss) {
  const std::string content(1000, 'c');
  DamagingSource source(content, 1000);
  RangeReader reader(&source, {}, {2, 1e9}, 1);
  const Error error = ErrorOf(&reader, {"o", content.size(), ""}, 0, content.size());
  EXPECT_EQ(error.kind(), ErrorKind::kDataLoss);
  EXPECT_NE(std::string(error.what()).find("CRC32C"), std::string::npos) << error.what();
}

}  // namespace
}  // namespace smtf
