#include "prefetch/object_list.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace smtf {
namespace {

template <typename Call>
void ExpectKind(ErrorKind kind, const Call& call) {
  try {
    call();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
  }
}

TEST(ObjectListTest, GivesBackWhatWasAppended) {
  ObjectList list;
  list.Append("a key", 7, "\"tag\"", 3);
  list.Append("", 0, "");
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].name, "a key");
  EXPECT_EQ(list[0].size, 7u);
  EXPECT_EQ(list[0].etag, "\"tag\"");
  EXPECT_EQ(list[0].source, 3);
  EXPECT_EQ(list[1].name, "");
  EXPECT_EQ(list[1].etag, "");
  EXPECT_EQ(list[1].source, 0);
  EXPECT_EQ(list.bytes(), 7u);
}

TEST(ObjectListTest, AppendsManyAtOnce) {
  ObjectList list;
  list.Append({{"a", 1, "\"1\"", 0}, {"b", 2, "", 9}, {"text", 4, "", kInlineSource}});
  list.Append(std::vector<ObjectRef>());
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].etag, "\"1\"");
  EXPECT_EQ(list[1].source, 9);
  EXPECT_EQ(list[2].name, "text");
  EXPECT_EQ(list.bytes(), 7u);
}

TEST(ObjectListTest, InlineEntriesHoldTheirBytes) {
  ObjectList list;
  const std::string bytes("\0\n\xff", 3);
  list.AppendInline(bytes);
  EXPECT_EQ(list[0].name, bytes);
  EXPECT_EQ(list[0].size, 3u);
  EXPECT_EQ(list[0].source, kInlineSource);
  ExpectKind(ErrorKind::kInvalidArgument, [&] { list.Append("abc", 4, "", kInlineSource); });
}

TEST(ObjectListTest, ReferencesStayGoodWhileTheListGrows) {
  ObjectList list;
  list.Append("first", 1, "\"1\"");
  const ObjectRef first = list[0];
  for (int i = 0; i < 20000; ++i) list.Append("key-" + std::to_string(i), 1, "\"e\"");
  EXPECT_EQ(first.name, "first");
  EXPECT_EQ(first.name.data(), list[0].name.data());
  EXPECT_EQ(list[20000].name, "key-19999");
}

TEST(ObjectListTest, TakesNamesLargerThanABlock) {
  ObjectList list;
  const std::string name(200 * 1024, 'x');
  list.Append("before", 1, "");
  list.Append(name, 2, "\"t\"");
  list.Append("after", 3, "");
  EXPECT_EQ(list[0].name, "before");
  EXPECT_EQ(list[1].name, name);
  EXPECT_EQ(list[1].etag, "\"t\"");
  EXPECT_EQ(list[2].name, "after");
}

TEST(ObjectListTest, RefusesAnETagThatIsTooLongAndAppendsNothing) {
  ObjectList list;
  const std::string longest(65535, 'e');
  const std::string etag(65536, 'e');
  ExpectKind(ErrorKind::kInvalidArgument,
             [&] { list.Append({{"good", 1, "", 0}, {"bad", 1, etag, 0}}); });
  EXPECT_EQ(list.size(), 0u);
  list.Append("good", 1, longest);
  EXPECT_EQ(list[0].etag, longest);
}

TEST(ObjectListTest, NothingCanBeAddedOnceItIsFinished) {
  ObjectList list;
  list.Append("a", 1, "");
  EXPECT_FALSE(list.finished());
  list.Finish();
  EXPECT_TRUE(list.finished());
  ExpectKind(ErrorKind::kFailedPrecondition, [&] { list.Append("b", 1, ""); });
  ExpectKind(ErrorKind::kFailedPrecondition, [&] { list.AppendInline("b"); });
  list.Fail(ErrorKind::kUnavailable, "too late");
  EXPECT_FALSE(list.failure().has_value());
  EXPECT_FALSE(list.extent().failed);
  EXPECT_EQ(list.size(), 1u);
}

TEST(ObjectListTest, TheFirstFailureCounts) {
  ObjectList list;
  list.Fail(ErrorKind::kPermissionDenied, "listing: 403");
  list.Fail(ErrorKind::kUnavailable, "later");
  list.Finish();
  EXPECT_TRUE(list.finished());
  EXPECT_TRUE(list.extent().failed);
  ASSERT_TRUE(list.failure().has_value());
  EXPECT_EQ(list.failure()->kind(), ErrorKind::kPermissionDenied);
  EXPECT_STREQ(list.failure()->what(), "listing: 403");
  ExpectKind(ErrorKind::kFailedPrecondition, [&] { list.Append("b", 1, ""); });
}

TEST(ObjectListTest, TellsSubscribersOfEachChange) {
  ObjectList list;
  std::vector<size_t> sizes;
  int others = 0;
  list.Append("before", 1, "");
  const ObjectList::Subscription subscription =
      list.Subscribe([&] { sizes.push_back(list.size()); });
  {
    const ObjectList::Subscription other = list.Subscribe([&others] { ++others; });
    list.Append("a", 1, "");
    list.Append({{"b", 1, "", 0}, {"c", 1, "", 0}});
  }
  list.Append(std::vector<ObjectRef>());
  list.AppendInline("d");
  list.Finish();
  list.Finish();
  EXPECT_EQ(sizes, (std::vector<size_t>{2, 4, 5, 5}));
  EXPECT_EQ(others, 2);
}

TEST(ObjectListTest, SubscriptionsMove) {
  ObjectList list;
  int first = 0;
  int second = 0;
  ObjectList::Subscription subscription = list.Subscribe([&first] { ++first; });
  list.Append("a", 1, "");
  subscription = list.Subscribe([&second] { ++second; });
  list.Append("b", 1, "");
  ObjectList::Subscription moved = std::move(subscription);
  list.Append("c", 1, "");
  moved = ObjectList::Subscription();
  list.Append("d", 1, "");
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
}

TEST(ObjectListTest, UnsubscribingWaitsForTheCallUnderWay) {
  ObjectList list;
  std::atomic<bool> inside{false};
  std::atomic<bool> let_go{false};
  std::atomic<bool> called{false};
  auto subscription = std::make_unique<ObjectList::Subscription>(list.Subscribe([&] {
    inside = true;
    while (!let_go) std::this_thread::yield();
    called = true;
  }));
  std::thread appender([&list] { list.Append("a", 1, ""); });
  while (!inside) std::this_thread::yield();
  std::thread releaser([&let_go] { let_go = true; });
  subscription.reset();
  EXPECT_TRUE(called);
  releaser.join();
  appender.join();
}

// What the part queue does: its own lock around reading the list, and inside the callback.
TEST(ObjectListTest, SubscribersMayReadWithTheirOwnLock) {
  constexpr int kAppends = 20000;
  ObjectList list;
  std::mutex mutex;
  std::condition_variable changed;
  const auto subscription = list.Subscribe([&] {
    std::lock_guard<std::mutex> lock(mutex);
    changed.notify_one();
  });
  std::thread appender([&list] {
    for (int i = 0; i < kAppends; ++i) list.Append(std::to_string(i), 1, "");
    list.Finish();
  });
  std::unique_lock<std::mutex> lock(mutex);
  size_t seen = 0;
  for (ObjectList::Extent extent; seen < extent.size || !extent.finished;) {
    extent = list.extent();
    if (seen == extent.size && !extent.finished) changed.wait(lock);
    for (; seen < extent.size; ++seen) ASSERT_EQ(list[seen].name, std::to_string(seen));
  }
  EXPECT_EQ(seen, static_cast<size_t>(kAppends));
  lock.unlock();
  appender.join();
}

TEST(ObjectListTest, ManyThreadsAppendReadAndSubscribe) {
  constexpr int kThreads = 4;
  constexpr int kAppends = 3000;
  ObjectList list;
  std::atomic<int> calls{0};
  const auto subscription = list.Subscribe([&calls] { ++calls; });
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&list] {
      for (int i = 0; i < kAppends; ++i) {
        int mine = 0;
        const auto own = list.Subscribe([&mine] { ++mine; });
        const std::string name = "name-" + std::to_string(i);
        list.Append(name, name.size(), "\"e\"");
        const ObjectRef last = list[list.size() - 1];
        ASSERT_EQ(last.name.size(), last.size);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(calls, kThreads * kAppends);
  EXPECT_EQ(list.size(), static_cast<size_t>(kThreads * kAppends));
}

}  // namespace
}  // namespace smtf
