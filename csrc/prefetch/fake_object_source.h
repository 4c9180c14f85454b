// Objects made up from a seed, with faults on demand: what tests stream.
#ifndef SMTF_PREFETCH_FAKE_OBJECT_SOURCE_H_
#define SMTF_PREFETCH_FAKE_OBJECT_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "prefetch/object_source.h"

namespace smtf {

struct FakeObjectOptions {
  uint64_t seed = 0;
  double bytes_per_second = 0;  // of each fetcher; 0 for no limit
  // The share of fetches, in [0, 1], that fail before the first byte, and that end after some of
  // them. Which ones those are depends on the seed and on what is fetched, not on the threads.
  double transient_rate = 0;
  double truncate_rate = 0;
  // Fetches of this object fail for good, with that kind.
  std::string fail_name;
  ErrorKind fail_kind = ErrorKind::kNotFound;
};

// The bytes of an object depend on its name and the seed only. Any name exists, in any size.
class FakeObjectSource : public ObjectSource {
 public:
  explicit FakeObjectSource(FakeObjectOptions options);

  std::unique_ptr<ObjectFetcher> MakeFetcher(const FetchLimits& limits) override;
  std::string Describe(const ObjectRef& object) const override {
    return "fake://" + std::string(object.name);
  }

  // What fetching the bytes from `offset` on gives.
  void Fill(std::string_view name, uint64_t offset, char* dst, size_t size) const;
  std::string Content(std::string_view name, uint64_t size) const;

  const FakeObjectOptions& options() const { return options_; }

 private:
  const FakeObjectOptions options_;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_FAKE_OBJECT_SOURCE_H_
