// Local files as objects: the source that needs no server.
#ifndef SMTF_PREFETCH_FILE_OBJECT_SOURCE_H_
#define SMTF_PREFETCH_FILE_OBJECT_SOURCE_H_

#include <memory>
#include <string>
#include <string_view>

#include "prefetch/object_source.h"

namespace smtf {

// An object's name is its path; ETags are ignored. A file whose size is not the listed one is
// DataLoss.
class FileObjectSource : public ObjectSource {
 public:
  std::unique_ptr<ObjectFetcher> MakeFetcher(const FetchLimits& limits) override;
  std::string Describe(const ObjectRef& object) const override { return std::string(object.name); }
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_FILE_OBJECT_SOURCE_H_
