#include "prefetch/part_fetchers.h"

#include <exception>
#include <system_error>
#include <utility>

#include "errors.h"
#include "prefetch/object_verifier.h"
#include "prefetch/signals_blocked.h"

namespace smtf {
namespace {

FetchResult Failed(ErrorKind kind, const char* what) {
  FetchResult result;
  result.status = FetchResult::Status::kFailed;
  result.kind = kind;
  result.what = what;
  return result;
}

FetchResult Fetch(ObjectFetcher* fetcher, Part* part) {
  try {
    FetchResult result = fetcher->Fetch(part->Request(), part->stop);
    VerifyPart(part, &result);
    return result;
  } catch (const Error& error) {
    return Failed(error.kind(), error.what());
  } catch (const std::exception& error) {
    return Failed(ErrorKind::kInternal, error.what());
  }
}

}  // namespace

PartFetchers::PartFetchers(PartQueue* queue, ObjectSource* source, const FetchLimits& limits)
    : queue_(queue), source_(source), limits_(limits) {}

void PartFetchers::Start() {
  std::lock_guard<std::mutex> lock(mutex_);
  const SignalsBlocked blocked;
  try {
    while (threads_.size() < static_cast<size_t>(queue_->most_fetches())) StartThread();
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::kInternal, "starting fetching thread " +
                                          std::to_string(threads_.size() + 1) + ": " +
                                          error.what() + "; lower connections");
  }
}

void PartFetchers::StartThread() {
  fetchers_.push_back(source_->MakeFetcher(limits_));
  threads_.emplace_back([this, fetcher = fetchers_.back().get()] { Work(fetcher); });
}

// Called by the threads, which have signals blocked and pass that on.
void PartFetchers::Grow() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (full_ || threads_.size() >= static_cast<size_t>(queue_->most_fetches())) return;
  try {
    StartThread();
  } catch (const std::exception&) {
    full_ = true;  // those that there are go on
  }
}

void PartFetchers::Join() {
  std::vector<std::thread> threads;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    full_ = true;
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

void PartFetchers::Work(ObjectFetcher* fetcher) {
  int known = 0;
  while (std::shared_ptr<Part> part = queue_->Take(fetcher)) {
    // Each thread that is needed starts the next one.
    const int allowed = queue_->most_fetches();
    if (allowed > known) {
      Grow();
      known = allowed;
    }
    FetchResult result = Fetch(fetcher, part.get());
    queue_->Put(std::move(part), std::move(result));
  }
}

}  // namespace smtf
