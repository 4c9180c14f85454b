#include "s3/s3_listing.h"

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

#include "errors.h"
#include "prefetch/signals_blocked.h"
#include "s3/keys_ahead.h"

namespace smtf {
namespace {

// Folders in folders that are looked into for one cut, each with a request.
constexpr int kDeepestFolder = 16;
constexpr size_t kGuesses = 64;

bool StartsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

bool IsDirectoryMarker(const ObjectRef& object) {
  return object.size == 0 && !object.name.empty() && object.name.back() == '/';
}

std::string_view CommonPrefix(std::string_view a, std::string_view b) {
  const size_t most = std::min(a.size(), b.size());
  size_t length = 0;
  while (length < most && a[length] == b[length]) ++length;
  return a.substr(0, length);
}

}  // namespace

S3Listing::S3Listing(std::shared_ptr<S3ObjectSource> source, std::string prefix,
                     std::string start_after, int connections, const FetchLimits& limits,
                     const RetryLimits& retry)
    : source_(std::move(source)),
      prefix_(std::move(prefix)),
      start_after_(std::move(start_after)),
      retry_(retry),
      doing_("listing " + source_->bucket().Describe(prefix_)) {
  if (connections < 1) {
    throw Error(ErrorKind::kInvalidArgument, doing_ + ": it needs at least one connection");
  }
  for (int i = 0; i < connections; ++i) {
    connections_.push_back(std::make_unique<S3Connection>(&source_->bucket(), limits));
  }
}

S3Listing::~S3Listing() = default;

void S3Listing::Stop() noexcept {
  {
    // Nobody may be between looking at it and waiting.
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  for (const auto& connection : connections_) connection->Nudge();
}

uint64_t S3Listing::Run(const Emit& emit) {
  S3ListRequest request;
  request.prefix = prefix_;
  request.start_after = start_after_;
  S3ListPage first = Ask(connections_[0].get(), request);
  EmitObjects(first, 0, first.size(), emit);
  if (!first.truncated()) return emitted_;
  if (connections_.size() > 1 && first.size() > 0 && first.Ascending()) {
    RunInParallel(std::move(first), emit);
  } else {
    RunInTurn(std::move(first), emit);
  }
  return emitted_;
}

S3ListPage S3Listing::Ask(S3Connection* connection, const S3ListRequest& request) {
  const std::string query = ListQuery(request);
  S3Request http;
  http.query = query;
  const S3Answer answer = connection->Ask(http, doing_, retry_, stopped_);
  S3ListPage page = S3ListPage::Parse(answer.body, doing_);
  for (size_t i = 0; i < page.size(); ++i) {
    if (StartsWith(page[i].name, request.prefix)) continue;
    throw Error(ErrorKind::kUnavailable,
                doing_ + ": the endpoint does not answer as S3 does: it lists '" +
                    std::string(page[i].name) + "'; check the endpoint's URL");
  }
  return page;
}

void S3Listing::EmitObjects(const S3ListPage& page, size_t begin, size_t end, const Emit& emit) {
  if (stopped_) throw Error(ErrorKind::kCancelled, doing_ + " was stopped");
  std::vector<ObjectRef> objects;
  objects.reserve(end - begin);
  for (size_t i = begin; i < end; ++i) {
    const ObjectRef object = page[i];
    if (!IsDirectoryMarker(object)) objects.push_back(object);
  }
  if (objects.empty()) return;
  emitted_ += objects.size();
  emit(std::move(objects));
}

void S3Listing::RunInTurn(S3ListPage page, const Emit& emit) {
  S3ListRequest request;
  request.prefix = prefix_;
  while (page.truncated()) {
    if (page.next_token().empty() ? page.size() == 0 : page.next_token() == request.token) {
      throw Error(ErrorKind::kUnavailable,
                  doing_ +
                      ": the endpoint does not answer as S3 does: a page that is not the last "
                      "one does not say how to go on; check the endpoint's URL");
    }
    request.token = page.next_token();
    if (page.size() > 0) request.start_after = page[page.size() - 1].name;
    page = Ask(connections_[0].get(), request);
    EmitObjects(page, 0, page.size(), emit);
  }
}

void S3Listing::RunInParallel(S3ListPage first, const Emit& emit) {
  ranges_.emplace(std::make_shared<const S3ListPage>(std::move(first)));
  // Ends the workers, whatever ends the listing.
  struct Workers {
    S3Listing* listing;
    std::vector<std::thread> threads;
    ~Workers() {
      listing->Stop();
      for (std::thread& thread : threads) thread.join();
    }
  } workers{this, {}};
  {
    const SignalsBlocked blocked;
    for (const auto& connection : connections_) {
      workers.threads.emplace_back([this, c = connection.get()] { Work(c); });
    }
  }
  EmitRanges(emit);
}

void S3Listing::EmitRanges(const Emit& emit) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!ranges_->done()) {
    if (stopped_) throw Error(ErrorKind::kCancelled, doing_ + " was stopped");
    const std::optional<KeyRanges::Slice> slice = ranges_->Take();
    if (slice) {
      lock.unlock();
      // There is room for another page.
      changed_.notify_all();
      EmitObjects(*slice->page, slice->begin, slice->end, emit);
      lock.lock();
    } else if (!ranges_->done()) {
      changed_.wait(lock);
    }
  }
}

void S3Listing::Work(S3Connection* connection) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopped_ && !ranges_->done()) {
    if (const std::optional<KeyRanges::Task> task = ranges_->Next()) {
      List(connection, *task, &lock);
    } else if (const std::optional<KeyRanges::Cut> cut = ranges_->NextCut()) {
      lock.unlock();
      std::vector<std::string> cuts = FindCuts(connection, *cut);
      lock.lock();
      ranges_->Apply(*cut, std::move(cuts));
    } else {
      changed_.wait(lock);
      continue;
    }
    changed_.notify_all();
  }
}

void S3Listing::List(S3Connection* connection, const KeyRanges::Task& task,
                     std::unique_lock<std::mutex>* lock) {
  S3ListRequest request;
  request.prefix = prefix_;
  request.start_after = task.start_after;
  request.token = task.token;
  lock->unlock();
  try {
    S3ListPage page = Ask(connection, request);
    lock->lock();
    ranges_->Add(task, std::move(page), doing_);
  } catch (...) {
    if (!lock->owns_lock()) lock->lock();
    ranges_->Fail(task, std::current_exception());
  }
}

// Whatever goes wrong here is no error: then there are no cuts.
std::vector<std::string> S3Listing::FindCuts(S3Connection* connection, const KeyRanges::Cut& cut) {
  try {
    std::vector<std::string> folders = FoldersBehind(connection, cut.begin, cut.end);
    if (!folders.empty()) return folders;
    std::vector<std::string> keys =
        KeysAhead(*cut.page, KeyRanges::kPiecePages * cut.page->size(), kGuesses);
    const auto other = [this](const std::string& key) { return !StartsWith(key, prefix_); };
    keys.erase(std::remove_if(keys.begin(), keys.end(), other), keys.end());
    return keys;
  } catch (const std::exception&) {
    return {};
  }
}

// The folders between two keys, of the highest level that has any: first those beside the folders
// that both keys are in, then further down along the path to the first one.
std::vector<std::string> S3Listing::FoldersBehind(S3Connection* connection,
                                                  const std::string& begin,
                                                  const std::optional<std::string>& end) {
  S3ListRequest request;
  request.prefix = prefix_;
  request.delimiter = "/";
  request.start_after = begin;
  if (end) {
    const std::string_view common = CommonPrefix(begin, *end);
    const size_t length = common.rfind('/') + 1;  // 0 without one
    if (length > prefix_.size()) request.prefix = common.substr(0, length);
  }
  for (int level = 0; level < kDeepestFolder; ++level) {
    std::vector<std::string> folders = Ask(connection, request).folders();
    const auto outside = [&](const std::string& folder) {
      return folder <= begin || (end && folder >= *end);
    };
    folders.erase(std::remove_if(folders.begin(), folders.end(), outside), folders.end());
    if (!folders.empty()) return folders;
    const size_t slash = begin.find('/', request.prefix.size());
    if (slash == std::string::npos) break;
    request.prefix = begin.substr(0, slash + 1);
  }
  return {};
}

}  // namespace smtf
