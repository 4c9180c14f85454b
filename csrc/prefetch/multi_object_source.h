// Several sources as one.
#ifndef SMTF_PREFETCH_MULTI_OBJECT_SOURCE_H_
#define SMTF_PREFETCH_MULTI_OBJECT_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "prefetch/object_source.h"

namespace smtf {

// An object's `source` is an index into these. A fetcher makes one of a source when it first meets
// an object of it. Thread-safe.
class MultiObjectSource : public ObjectSource {
 public:
  static constexpr size_t kMostSources = 1000;

  // Also while objects are fetched. Returns the index. An Error of kind kInvalidArgument when there
  // are as many as there may be.
  uint16_t Add(std::shared_ptr<ObjectSource> source);

  std::unique_ptr<ObjectFetcher> MakeFetcher(const FetchLimits& limits) override;
  std::string Describe(const ObjectRef& object) const override;

  // An Error of kind kInvalidArgument for an index that Add has not returned.
  ObjectSource& at(size_t index) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<ObjectSource>> sources_;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_MULTI_OBJECT_SOURCE_H_
