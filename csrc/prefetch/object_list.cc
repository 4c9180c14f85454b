#include "prefetch/object_list.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace smtf {
namespace {

constexpr size_t kBlockBytes = 64 * 1024;
// Longer text gets a block of its own, so that little of a block is left empty.
constexpr size_t kLongText = kBlockBytes / 16;

// For messages: an inline entry's "name" may be long, and is data.
std::string Shown(const ObjectRef& object) {
  if (object.source == kInlineSource) return "an inline entry";
  constexpr size_t kMost = 200;
  return "'" + std::string(object.name.substr(0, kMost)) +
         (object.name.size() > kMost ? "...'" : "'");
}

void RequireFits(const ObjectRef& object) {
  if (object.name.size() > std::numeric_limits<uint32_t>::max()) {
    throw Error(ErrorKind::kInvalidArgument, "cannot list " + Shown(object) + ": its name has " +
                                                 std::to_string(object.name.size()) +
                                                 " bytes, at most 2^32 - 1 are possible");
  }
  if (object.etag.size() > std::numeric_limits<uint16_t>::max()) {
    throw Error(ErrorKind::kInvalidArgument, "cannot list " + Shown(object) + ": its ETag has " +
                                                 std::to_string(object.etag.size()) +
                                                 " bytes, at most 65535 are possible");
  }
  if (object.source == kInlineSource && object.size != object.name.size()) {
    throw Error(ErrorKind::kInvalidArgument,
                "an inline entry of " + std::to_string(object.name.size()) +
                    " bytes cannot have size " + std::to_string(object.size));
  }
}

}  // namespace

// `calling` is held during a call, so that unsubscribing can wait for its end.
struct ObjectList::Subscriber {
  std::mutex calling;
  std::function<void()> on_change;  // empty once unsubscribed

  void Call() {
    std::lock_guard<std::mutex> lock(calling);
    if (on_change) on_change();
  }
};

ObjectList::ObjectList() : subscribers_(std::make_shared<Subscribers>()) {}

ObjectList::~ObjectList() = default;

void ObjectList::Append(std::string_view name, uint64_t size, std::string_view etag,
                        uint16_t source) {
  const ObjectRef object{name, size, etag, source};
  AppendAll(&object, 1);
}

void ObjectList::Append(const std::vector<ObjectRef>& objects) {
  if (!objects.empty()) AppendAll(objects.data(), objects.size());
}

void ObjectList::AppendInline(std::string_view bytes) {
  Append(bytes, bytes.size(), "", kInlineSource);
}

void ObjectList::AppendAll(const ObjectRef* objects, size_t count) {
  std::for_each(objects, objects + count, RequireFits);
  std::shared_ptr<const Subscribers> subscribers;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    RequireOpen(objects[0]);
    for (const ObjectRef* object = objects; object != objects + count; ++object) {
      char* text = Room(object->name.size() + object->etag.size());
      std::copy(object->name.begin(), object->name.end(), text);
      std::copy(object->etag.begin(), object->etag.end(), text + object->name.size());
      entries_.push_back({text, object->size, static_cast<uint32_t>(object->name.size()),
                          static_cast<uint16_t>(object->etag.size()), object->source});
      bytes_ += object->size;
    }
    subscribers = subscribers_;
  }
  for (const auto& subscriber : *subscribers) subscriber->Call();
}

void ObjectList::RequireOpen(const ObjectRef& object) const {
  if (!finished_) return;
  throw Error(ErrorKind::kFailedPrecondition,
              "cannot add " + Shown(object) + ": the list of objects is finished");
}

void ObjectList::Finish() { End(std::nullopt); }

void ObjectList::Fail(ErrorKind kind, const std::string& message) { End(Error(kind, message)); }

void ObjectList::End(std::optional<Error> failure) {
  std::shared_ptr<const Subscribers> subscribers;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (finished_) return;
    finished_ = true;
    failure_ = std::move(failure);
    subscribers = subscribers_;
  }
  for (const auto& subscriber : *subscribers) subscriber->Call();
}

ObjectRef ObjectList::operator[](size_t index) const {
  std::lock_guard<std::mutex> lock(mutex_);
  const Entry& entry = entries_[index];
  return {std::string_view(entry.text, entry.name_length), entry.size,
          std::string_view(entry.text + entry.name_length, entry.etag_length), entry.source};
}

uint64_t ObjectList::bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return bytes_;
}

std::optional<Error> ObjectList::failure() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return failure_;
}

ObjectList::Extent ObjectList::extent() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return {entries_.size(), finished_, failure_.has_value()};
}

char* ObjectList::Room(size_t length) {
  if (length > kLongText) return NewBlock(length);
  if (length > free_length_) {
    free_ = NewBlock(kBlockBytes);
    free_length_ = kBlockBytes;
  }
  char* room = free_;
  free_ += length;
  free_length_ -= length;
  return room;
}

char* ObjectList::NewBlock(size_t length) {
  // Not make_unique, which would write zeros over it first.
  blocks_.emplace_back(new char[length]);
  return blocks_.back().get();
}

ObjectList::Subscription ObjectList::Subscribe(std::function<void()> on_change) const {
  auto subscriber = std::make_shared<Subscriber>();
  subscriber->on_change = std::move(on_change);
  std::lock_guard<std::mutex> lock(mutex_);
  auto grown = std::make_shared<Subscribers>(*subscribers_);
  grown->push_back(subscriber);
  subscribers_ = std::move(grown);
  return Subscription(this, std::move(subscriber));
}

void ObjectList::Unsubscribe(const std::shared_ptr<Subscriber>& subscriber) const {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto rest = std::make_shared<Subscribers>();
    for (const auto& other : *subscribers_) {
      if (other != subscriber) rest->push_back(other);
    }
    subscribers_ = std::move(rest);
  }
  // A thread that changed the list before may still be about to call it, or be calling it.
  std::lock_guard<std::mutex> lock(subscriber->calling);
  subscriber->on_change = nullptr;
}

ObjectList::Subscription::Subscription(const ObjectList* list,
                                       std::shared_ptr<Subscriber> subscriber)
    : list_(list), subscriber_(std::move(subscriber)) {}

ObjectList::Subscription::Subscription(Subscription&& other) noexcept
    : list_(std::exchange(other.list_, nullptr)), subscriber_(std::move(other.subscriber_)) {}

ObjectList::Subscription& ObjectList::Subscription::operator=(Subscription&& other) noexcept {
  Subscription before(std::move(*this));
  list_ = std::exchange(other.list_, nullptr);
  subscriber_ = std::move(other.subscriber_);
  return *this;
}

ObjectList::Subscription::~Subscription() {
  if (list_) list_->Unsubscribe(subscriber_);
}

}  // namespace smtf
