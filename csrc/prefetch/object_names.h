// What tells a channel's objects apart, and from what they were when a checkpoint was saved.
#ifndef SMTF_PREFETCH_OBJECT_NAMES_H_
#define SMTF_PREFETCH_OBJECT_NAMES_H_

#include <memory>
#include <optional>
#include <string>

#include "errors.h"
#include "pipe/stream_position.h"
#include "prefetch/epoch_order.h"
#include "prefetch/object_list.h"
#include "prefetch/object_source.h"

namespace smtf {

// Thread-safe.
class ObjectNames {
 public:
  ObjectNames(std::shared_ptr<const ObjectSource> source, std::shared_ptr<const ObjectList> objects,
              const OrderOptions& order);

  // "s3://bucket/key", or a file's path.
  std::string NameOf(const ObjectRef& object) const;
  // What tells an object from what was there before under its name.
  std::string VersionOf(const ObjectRef& object) const;
  // Of all objects, where the order of an epoch depends on all of them and all are known; else
  // empty. Reads all of the list.
  std::string Fingerprint() const;

  // Why this object is not the one that the position is in; `what` is being tried with it.
  std::optional<Error> Compare(const StreamPosition& position, const ObjectRef& object,
                               const std::string& what) const;

 private:
  const std::shared_ptr<const ObjectSource> source_;
  const std::shared_ptr<const ObjectList> objects_;
  const bool order_depends_on_all_;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_OBJECT_NAMES_H_
