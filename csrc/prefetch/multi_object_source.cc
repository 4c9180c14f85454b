#include "prefetch/multi_object_source.h"

#include <atomic>
#include <utility>

namespace smtf {
namespace {

class MultiFetcher : public ObjectFetcher {
 public:
  MultiFetcher(const MultiObjectSource* sources, const FetchLimits& limits)
      : sources_(*sources), limits_(limits) {}

  // Whoever stops it sets the flag, then reads who is in use; here that is written, then the flag
  // is read. So either Nudge finds the fetcher or the fetcher finds the flag.
  FetchResult Fetch(const FetchRequest& request, const std::atomic<bool>& stop) override {
    ObjectFetcher& fetcher = FetcherOf(request.object.source);
    in_use_ = &fetcher;
    return fetcher.Fetch(request, stop);
  }

  // None is destroyed before this one is.
  void Nudge() noexcept override {
    if (ObjectFetcher* fetcher = in_use_) fetcher->Nudge();
  }

 private:
  ObjectFetcher& FetcherOf(size_t source) {
    ObjectSource& maker = sources_.at(source);
    if (source >= fetchers_.size()) fetchers_.resize(source + 1);
    if (!fetchers_[source]) fetchers_[source] = maker.MakeFetcher(limits_);
    return *fetchers_[source];
  }

  const MultiObjectSource& sources_;
  const FetchLimits limits_;
  std::vector<std::unique_ptr<ObjectFetcher>> fetchers_;
  std::atomic<ObjectFetcher*> in_use_{nullptr};
};

}  // namespace

uint16_t MultiObjectSource::Add(std::shared_ptr<ObjectSource> source) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (sources_.size() >= kMostSources) {
    throw Error(ErrorKind::kInvalidArgument, "a channel reads from at most " +
                                                 std::to_string(kMostSources) +
                                                 " sources (buckets); put its objects into fewer");
  }
  sources_.push_back(std::move(source));
  return static_cast<uint16_t>(sources_.size() - 1);
}

ObjectSource& MultiObjectSource::at(size_t index) const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (index >= sources_.size()) {
    throw Error(ErrorKind::kInvalidArgument, "an object of source " + std::to_string(index) +
                                                 ", and there are " +
                                                 std::to_string(sources_.size()));
  }
  return *sources_[index];
}

std::unique_ptr<ObjectFetcher> MultiObjectSource::MakeFetcher(const FetchLimits& limits) {
  return std::make_unique<MultiFetcher>(this, limits);
}

std::string MultiObjectSource::Describe(const ObjectRef& object) const {
  return at(object.source).Describe(object);
}

}  // namespace smtf
