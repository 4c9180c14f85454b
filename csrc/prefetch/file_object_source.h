// Local files as objects: the source that needs no server.
#ifndef SMTF_PREFETCH_FILE_OBJECT_SOURCE_H_
#define SMTF_PREFETCH_FILE_OBJECT_SOURCE_H_

#include <memory>
#include <string>
#include <string_view>

#include "prefetch/object_source.h"

namespace smtf {

// An object's name is its path. A file whose size is not the listed one is DataLoss. An ETag, where
// there is one, is "<mtime>-<size>", the quotes included, in nanoseconds and bytes, both in
// hexadecimal: another one is FailedPrecondition.
class FileObjectSource : public ObjectSource {
 public:
  std::unique_ptr<ObjectFetcher> MakeFetcher(const FetchLimits& limits) override;
  std::string Describe(const ObjectRef& object) const override { return std::string(object.name); }
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_FILE_OBJECT_SOURCE_H_
