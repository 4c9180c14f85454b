// A channel's objects in the order in which they were listed.
#ifndef SMTF_PREFETCH_OBJECT_LIST_H_
#define SMTF_PREFETCH_OBJECT_LIST_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "errors.h"
#include "prefetch/object_source.h"

namespace smtf {

// Append-only, and shared by every feed that streams some of it. An object costs its name, its ETag
// and 26 bytes: a million keys of 60 characters with S3's ETags take about 120 MB.
//
// Thread-safe. What an ObjectRef views never moves and lives as long as the list.
//
// Order of locks: a thread that holds a lock of its own may read the list. It must not append,
// finish, fail or unsubscribe with a lock that an on_change takes.
class ObjectList {
 public:
  // Keeps its on_change called. Once it is destroyed, or assigned to, on_change is not called any
  // more and no call is under way: that is waited for, so not inside on_change itself. The list
  // must outlive it.
  class [[nodiscard]] Subscription;

  ObjectList();
  ~ObjectList();
  ObjectList(const ObjectList&) = delete;
  ObjectList& operator=(const ObjectList&) = delete;

  // An Error of kind kFailedPrecondition once the list is finished, kInvalidArgument for a name of
  // 4 GiB or an ETag of 64 KiB; then nothing was appended.
  void Append(std::string_view name, uint64_t size, std::string_view etag, uint16_t source = 0);
  // All of them or none. The text is copied.
  void Append(const std::vector<ObjectRef>& objects);
  // An entry whose bytes are given here.
  void AppendInline(std::string_view bytes);
  // The list is complete, or cannot be completed. The first call of either counts.
  void Finish();
  void Fail(ErrorKind kind, const std::string& message);

  ObjectRef operator[](size_t index) const;
  size_t size() const { return extent().size; }
  uint64_t bytes() const;
  // Whether Finish or Fail was called: nothing more will come.
  bool finished() const { return extent().finished; }
  // What Fail was given.
  std::optional<Error> failure() const;

  // How far the list has come, at one moment.
  struct Extent {
    size_t size = 0;
    bool finished = false;
    bool failed = false;  // finished, and not complete
  };
  Extent extent() const;

  // From now on `on_change` is called after every append, Finish and Fail, by the thread that did
  // it and without the list's lock. It may read the list, must not change it, and must not throw.
  // A change before the subscription is not told of: look at the list after subscribing.
  Subscription Subscribe(std::function<void()> on_change) const;

 private:
  struct Entry {
    const char* text;  // the name, then the ETag
    uint64_t size;
    uint32_t name_length;
    uint16_t etag_length;
    uint16_t source;
  };
  static_assert(sizeof(Entry) == 24, "memory per key is part of what the list promises");

  struct Subscriber;
  // Copied on write: whoever changed the list calls them without its lock.
  using Subscribers = std::vector<std::shared_ptr<Subscriber>>;

  void AppendAll(const ObjectRef* objects, size_t count);
  void End(std::optional<Error> failure);
  void RequireOpen(const ObjectRef& object) const;
  char* Room(size_t length);
  char* NewBlock(size_t length);
  void Unsubscribe(const std::shared_ptr<Subscriber>& subscriber) const;

  mutable std::mutex mutex_;
  std::deque<Entry> entries_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  size_t free_length_ = 0;
  uint64_t bytes_ = 0;
  bool finished_ = false;
  std::optional<Error> failure_;
  mutable std::shared_ptr<const Subscribers> subscribers_;
};

class ObjectList::Subscription {
 public:
  Subscription() = default;
  Subscription(Subscription&& other) noexcept;
  Subscription& operator=(Subscription&& other) noexcept;
  ~Subscription();

 private:
  friend class ObjectList;
  Subscription(const ObjectList* list, std::shared_ptr<Subscriber> subscriber);

  const ObjectList* list_ = nullptr;
  std::shared_ptr<Subscriber> subscriber_;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_OBJECT_LIST_H_
