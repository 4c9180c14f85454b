// Which way a feed's bytes take to their readers.
#ifndef SMTF_PREFETCH_FEED_OUTLET_H_
#define SMTF_PREFETCH_FEED_OUTLET_H_

#include <memory>

#include "pipe/epoch_outlet.h"
#include "prefetch/feed_options.h"
#include "prefetch/object_list.h"

namespace smtf {

// Named pipes or a ring, as the options say, with the errors of either.
std::unique_ptr<EpochOutlet> MakeOutlet(const FeedOptions& options,
                                        std::shared_ptr<const ObjectList> objects);

}  // namespace smtf

#endif  // SMTF_PREFETCH_FEED_OUTLET_H_
