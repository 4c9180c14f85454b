// A feed behind a ring, of objects that are made up, and readers of it.
#ifndef SMTF_TESTS_RING_RING_FEED_TESTING_H_
#define SMTF_TESTS_RING_RING_FEED_TESTING_H_

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "pipe/pipe_testing.h"
#include "pipe/random_name.h"
#include "prefetch/fake_object_source.h"
#include "prefetch/feed.h"
#include "ring/ring_source.h"

namespace smtf {

inline void Nap() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

class RingFeedTest : public testing::Test {
 protected:
  RingFeedTest() {
    options_.channel = "train";
    options_.ring_address = "smtf-" + RandomName() + RandomName() + "/train";
    options_.queue.tuner.connections = 4;
    options_.queue.tuner.part_bytes = 64 * 1024;
    options_.queue.plan.first_part_bytes = 4096;
    options_.queue.tuner.memory_bytes = 1024 * 1024;
    options_.queue.retry = {50, 600};
    reading_.address = options_.ring_address;
    reading_.channel = "train";
  }

  void Start() {
    feed_.reset();
    source_ = std::make_shared<FakeObjectSource>(fake_);
    objects_ = std::make_shared<ObjectList>();
    feed_ = std::make_unique<Feed>(options_, source_, objects_);
    feed_->Start();
  }

  void Add(const std::string& name, uint64_t size) {
    objects_->Append(name, size, "");
    expected_ += source_->Content(name, size);
  }
  void AddSome(int count) {
    for (int i = 0; i < count; ++i) Add("object-" + std::to_string(i), 9973u * (i % 7));
    objects_->Finish();
  }

  std::unique_ptr<RingSource> Reader() { return std::make_unique<RingSource>(reading_, &cancel_); }
  std::string ReadEpoch() { return ReadAll(Reader().get()); }
  // Exactly so many bytes.
  static std::string Take(RingSource* reader, size_t size) {
    std::string bytes(size, '\0');
    for (size_t got = 0; got < size;) {
      const size_t count = reader->Read(bytes.data() + got, size - got);
      if (count == 0) return bytes.substr(0, got);
      got += count;
    }
    return bytes;
  }
  StreamPosition PositionAt(uint64_t offset) {
    const auto reader = Reader();
    Take(reader.get(), offset);
    return *reader->PositionAt(offset);
  }
  std::string ReadFrom(const StreamPosition& position) {
    const auto reader = Reader();
    reader->Resume(position);
    return ReadAll(reader.get());
  }

  FeedOptions options_;
  RingSourceOptions reading_;
  Wakeup cancel_;
  FakeObjectOptions fake_;
  std::shared_ptr<FakeObjectSource> source_;
  std::shared_ptr<ObjectList> objects_;
  std::string expected_;
  std::unique_ptr<Feed> feed_;
};

}  // namespace smtf

#endif  // SMTF_TESTS_RING_RING_FEED_TESTING_H_
