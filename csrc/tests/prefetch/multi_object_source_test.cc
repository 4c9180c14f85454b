#include "prefetch/multi_object_source.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <string>
#include <thread>

#include "prefetch/fake_object_source.h"

namespace smtf {
namespace {

std::shared_ptr<FakeObjectSource> Fake(uint64_t seed) {
  FakeObjectOptions options;
  options.seed = seed;
  return std::make_shared<FakeObjectSource>(options);
}

// Its fetches last until they are stopped and nudged.
class EndlessSource : public ObjectSource {
 public:
  class Fetcher : public ObjectFetcher {
   public:
    explicit Fetcher(EndlessSource* source) : source_(*source) {}
    FetchResult Fetch(const FetchRequest&, const std::atomic<bool>& stop) override {
      std::unique_lock<std::mutex> lock(source_.mutex_);
      source_.begun_ = true;
      source_.changed_.notify_all();
      source_.changed_.wait(lock, [&] { return stop && source_.nudged_; });
      FetchResult result;
      result.status = FetchResult::Status::kStopped;
      return result;
    }
    void Nudge() noexcept override {
      std::lock_guard<std::mutex> lock(source_.mutex_);
      source_.nudged_ = true;
      source_.changed_.notify_all();
    }

   private:
    EndlessSource& source_;
  };

  std::unique_ptr<ObjectFetcher> MakeFetcher(const FetchLimits&) override {
    return std::make_unique<Fetcher>(this);
  }
  std::string Describe(const ObjectRef&) const override { return "endless"; }
  void WaitUntilBegun() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return begun_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool begun_ = false;
  bool nudged_ = false;
};

std::string Fetch(ObjectFetcher* fetcher, uint16_t source) {
  std::string got(100, '?');
  const std::atomic<bool> stop{false};
  const FetchResult result =
      fetcher->Fetch({{"name", 100, "", source}, 0, got.data(), got.size(), 1, 0}, stop);
  EXPECT_EQ(result.status, FetchResult::Status::kDone);
  return got;
}

TEST(MultiObjectSourceTest, FetchesFromTheObjectsSource) {
  MultiObjectSource sources;
  EXPECT_EQ(sources.Add(Fake(1)), 0);
  EXPECT_EQ(sources.Add(Fake(2)), 1);
  const auto fetcher = sources.MakeFetcher({});
  EXPECT_EQ(Fetch(fetcher.get(), 1), Fake(2)->Content("name", 100));
  EXPECT_EQ(Fetch(fetcher.get(), 0), Fake(1)->Content("name", 100));
  // Also from one that came later.
  EXPECT_EQ(sources.Add(Fake(3)), 2);
  EXPECT_EQ(Fetch(fetcher.get(), 2), Fake(3)->Content("name", 100));
}

TEST(MultiObjectSourceTest, DescribesAsTheSourceDoes) {
  MultiObjectSource sources;
  sources.Add(Fake(1));
  sources.Add(std::make_shared<EndlessSource>());
  EXPECT_EQ(sources.Describe({"a", 1, "", 0}), "fake://a");
  EXPECT_EQ(sources.Describe({"a", 1, "", 1}), "endless");
}

TEST(MultiObjectSourceTest, RefusesASourceThatIsNotThere) {
  MultiObjectSource sources;
  const auto fetcher = sources.MakeFetcher({});
  char byte = 0;
  const std::atomic<bool> stop{false};
  EXPECT_THROW(fetcher->Fetch({{"a", 1, "", 0}, 0, &byte, 1, 1, 0}, stop), Error);
  EXPECT_THROW(sources.Describe({"a", 1, "", 7}), Error);
}

TEST(MultiObjectSourceTest, HoldsAThousand) {
  MultiObjectSource sources;
  const auto fake = Fake(1);
  for (size_t i = 0; i < MultiObjectSource::kMostSources; ++i) EXPECT_EQ(sources.Add(fake), i);
  EXPECT_THROW(sources.Add(fake), Error);
}

TEST(MultiObjectSourceTest, ANudgeReachesTheFetchUnderWay) {
  MultiObjectSource sources;
  sources.Add(Fake(1));
  const auto endless = std::make_shared<EndlessSource>();
  sources.Add(endless);
  const auto fetcher = sources.MakeFetcher({});
  fetcher->Nudge();  // of nothing
  Fetch(fetcher.get(), 0);
  std::atomic<bool> stop{false};
  std::thread stopper([&] {
    endless->WaitUntilBegun();
    stop = true;
    fetcher->Nudge();
  });
  char byte = 0;
  EXPECT_EQ(fetcher->Fetch({{"a", 1, "", 1}, 0, &byte, 1, 1, 0}, stop).status,
            FetchResult::Status::kStopped);
  stopper.join();
}

TEST(MultiObjectSourceTest, SourcesAreAddedWhileOthersFetch) {
  MultiObjectSource sources;
  sources.Add(Fake(0));
  std::thread adder([&] {
    for (int i = 1; i < 200; ++i) sources.Add(Fake(static_cast<uint64_t>(i)));
  });
  const auto fetcher = sources.MakeFetcher({});
  for (int i = 0; i < 200; ++i) EXPECT_EQ(Fetch(fetcher.get(), 0), Fake(0)->Content("name", 100));
  adder.join();
  EXPECT_EQ(Fetch(fetcher.get(), 199), Fake(199)->Content("name", 100));
}

}  // namespace
}  // namespace smtf
