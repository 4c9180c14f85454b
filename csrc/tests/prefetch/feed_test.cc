#include "prefetch/feed.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "framing/memory_byte_source.h"
#include "framing/object_frames.h"
#include "pipe/feed_status.h"
#include "pipe/object_log.h"
#include "pipe/resume_request.h"
#include "prefetch/fake_object_source.h"
#include "temporary_directory.h"

namespace smtf {
namespace {

using State = Outcome::State;

void Nap() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

// The reading end of a FIFO, as a training script has it.
class Reader {
 public:
  // Waits for the FIFO and for its writer.
  Reader(const std::string& dir, uint64_t epoch) {
    const std::string path = FifoPath(dir, "train", epoch);
    while ((fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC)) < 0 && errno == ENOENT) Nap();
  }
  ~Reader() { Close(); }

  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  // Up to `most` bytes; fewer at the end.
  std::string Read(size_t most) {
    std::string got;
    char buffer[65536];
    while (got.size() < most) {
      const ssize_t count = read(fd_, buffer, std::min(sizeof(buffer), most - got.size()));
      if (count <= 0) break;
      got.append(buffer, static_cast<size_t>(count));
    }
    return got;
  }
  std::string ReadAll() { return Read(SIZE_MAX); }

 private:
  int fd_ = -1;
};

class FeedTest : public testing::Test {
 protected:
  FeedTest() {
    options_.channel = "train";
    options_.pipe_dir = dir_.path();
    options_.queue.tuner.connections = 4;
    options_.queue.tuner.part_bytes = 64 * 1024;
    options_.queue.plan.first_part_bytes = 4096;
    options_.queue.tuner.memory_bytes = 1024 * 1024;
    options_.queue.retry = {50, 600};
  }

  void Start() {
    source_ = std::make_shared<FakeObjectSource>(fake_);
    objects_ = std::make_shared<ObjectList>();
    feed_ = std::make_unique<Feed>(options_, source_, objects_);
    feed_->Start();
  }

  void Add(const std::string& name, uint64_t size) {
    objects_->Append(name, size, "");
    expected_ += source_->Content(name, size);
  }

  // The outcome once it is there.
  Outcome OutcomeOf(uint64_t epoch) {
    for (;;) {
      const auto outcome = ReadOutcome(dir_.path(), "train", epoch);
      if (outcome && outcome->state != State::kStreaming) return *outcome;
      Nap();
    }
  }

  TemporaryDirectory dir_;
  FeedOptions options_;
  FakeObjectOptions fake_;
  std::shared_ptr<FakeObjectSource> source_;
  std::shared_ptr<ObjectList> objects_ = std::make_shared<ObjectList>();
  std::string expected_;
  std::unique_ptr<Feed> feed_;
};

TEST_F(FeedTest, StreamsEveryEpochWhole) {
  fake_.transient_rate = 0.05;
  fake_.truncate_rate = 0.1;
  Start();
  for (int i = 0; i < 40; ++i) Add("object-" + std::to_string(i), 9973u * i % 150000);
  objects_->Finish();
  for (uint64_t epoch = 0; epoch < 3; ++epoch) {
    EXPECT_EQ(Reader(dir_.path(), epoch).ReadAll(), expected_);
    const Outcome outcome = OutcomeOf(epoch);
    EXPECT_EQ(outcome.state, State::kDone);
    EXPECT_EQ(outcome.bytes, expected_.size());
    EXPECT_EQ(outcome.objects, 40u);
  }
  const Stats stats = feed_->stats();
  EXPECT_EQ(stats.epochs_done, 3u);
  EXPECT_EQ(stats.objects, 120u);
  EXPECT_EQ(stats.bytes_written, 3 * expected_.size());
  EXPECT_GT(stats.retries, 0u);
  EXPECT_LE(stats.memory_bytes, options_.queue.tuner.memory_bytes);
  EXPECT_EQ(stats.listed_bytes, expected_.size());
}

TEST_F(FeedTest, StreamsThroughTheSmallestMemory) {
  options_.queue.tuner.part_bytes = 256 * 1024;
  options_.queue.tuner.memory_bytes = 256 * 1024;
  Start();
  for (const char* name : {"a", "b", "c"}) Add(name, 1000000);
  objects_->Finish();
  EXPECT_EQ(Reader(dir_.path(), 0).ReadAll(), expected_);
}

TEST_F(FeedTest, StreamsManyTinyObjectsInLittleMemory) {
  options_.queue.tuner.part_bytes = 8 * 1024 * 1024;
  options_.queue.tuner.memory_bytes = 8 * 1024 * 1024;
  Start();
  for (int i = 0; i < 10000; ++i) Add("tiny-" + std::to_string(i), 1 + i % 50);
  objects_->Finish();
  Reader reader(dir_.path(), 0);
  EXPECT_EQ(reader.ReadAll(), expected_);
  EXPECT_LE(feed_->stats().memory_bytes, 8u * 1024 * 1024);
}

TEST_F(FeedTest, BytesComeBeforeTheListIsComplete) {
  Start();
  Add("a", 5000);
  Reader reader(dir_.path(), 0);
  EXPECT_EQ(reader.Read(5000), expected_);
  Add("b", 5000);
  objects_->Finish();
  EXPECT_EQ(reader.ReadAll(), expected_.substr(5000));
}

TEST_F(FeedTest, AReaderThatClosesEarlyEndsItsEpochOnly) {
  Start();
  Add("a", 8 * 1024 * 1024);
  objects_->Finish();
  EXPECT_EQ(Reader(dir_.path(), 0).Read(100), expected_.substr(0, 100));
  EXPECT_EQ(Reader(dir_.path(), 1).ReadAll(), expected_);
  const Outcome outcome = OutcomeOf(0);
  EXPECT_EQ(outcome.state, State::kAbandoned);
  EXPECT_LT(outcome.bytes, expected_.size());
  EXPECT_EQ(OutcomeOf(1).state, State::kDone);
}

TEST_F(FeedTest, AReaderThatClosesWhileEveryBufferIsInThePipeEndsItsEpoch) {
  options_.queue.tuner.part_bytes = options_.queue.plan.first_part_bytes = 256 * 1024;
  options_.queue.tuner.memory_bytes = 2 * 256 * 1024;
  Start();
  Add("a", 4 * 1024 * 1024);
  objects_->Finish();
  {
    Reader reader(dir_.path(), 0);
    EXPECT_EQ(reader.Read(100), expected_.substr(0, 100));
    // The pipe holds more than the memory does: nothing is left to fetch into.
    while (feed_->stats().bytes_written < 2 * 256 * 1024) Nap();
    for (int i = 0; i < 20; ++i) Nap();
  }
  EXPECT_EQ(Reader(dir_.path(), 1).ReadAll(), expected_);
  EXPECT_EQ(OutcomeOf(0).state, State::kAbandoned);
}

TEST_F(FeedTest, AnObjectsErrorComesAfterTheBytesBeforeItInEachEpoch) {
  fake_.fail_name = "bad";
  fake_.fail_kind = ErrorKind::kPermissionDenied;
  Start();
  Add("good", 300000);
  objects_->Append("bad", 100000, "");
  objects_->Append("after", 100, "");
  objects_->Finish();
  for (uint64_t epoch = 0; epoch < 2; ++epoch) {
    EXPECT_EQ(Reader(dir_.path(), epoch).ReadAll(), expected_);
    const Outcome outcome = OutcomeOf(epoch);
    EXPECT_EQ(outcome.state, State::kError);
    EXPECT_EQ(outcome.error_kind, ErrorKind::kPermissionDenied);
    EXPECT_EQ(outcome.error_message, "fake://bad bytes 0-65535: a fault of the fake source");
    EXPECT_EQ(outcome.bytes, expected_.size());
  }
  EXPECT_EQ(feed_->stats().error, OutcomeOf(1).error_message);
  EXPECT_EQ(feed_->stats().epochs_done, 0u);
}

// Objects in the middle, the first and the last, small ones and one of many parts.
TEST_F(FeedTest, AFramedObjectThatCannotBeHadIsFollowedByTheNext) {
  options_.encoding.frame_objects = true;
  options_.queue.plan.keep_empty = true;
  options_.queue.plan_next_epoch = false;
  fake_.fail_name = "bad";
  Start();
  const std::vector<std::pair<std::string, uint64_t>> listed = {
      {"bad", 10},  {"a", 300'000}, {"bad", 900'000}, {"bad", 20}, {"b", 0},
      {"c", 5'000}, {"bad", 1},     {"d", 100'000},   {"bad", 7}};
  for (const auto& [name, size] : listed) objects_->Append(name, size, "");
  objects_->Finish();
  for (uint64_t epoch = 0; epoch < 2; ++epoch) {
    const std::string stream = Reader(dir_.path(), epoch).ReadAll();
    MemoryByteSource source(stream);
    ObjectFrames frames(&source);
    std::string buffer(1'000'000, '\0');
    for (const auto& [name, size] : listed) {
      ASSERT_TRUE(frames.NextObject());
      std::string got;
      try {
        while (const size_t count = frames.Read(buffer.data(), buffer.size())) {
          got.append(buffer, 0, count);
        }
        EXPECT_NE(name, "bad");
        EXPECT_TRUE(got == source_->Content(name, size));
      } catch (const ObjectFailure& failure) {
        EXPECT_EQ(name, "bad");
        EXPECT_EQ(failure.kind(), ErrorKind::kNotFound);
        EXPECT_EQ(std::string(failure.what()).rfind("fake://bad bytes 0-", 0), 0u);
      }
    }
    EXPECT_FALSE(frames.NextObject());
    const Outcome outcome = OutcomeOf(epoch);
    EXPECT_EQ(outcome.state, State::kDone);
    EXPECT_EQ(outcome.bytes, stream.size());
    EXPECT_EQ(outcome.objects, listed.size());
  }
  EXPECT_EQ(feed_->stats().error, "");
  EXPECT_EQ(feed_->stats().epochs_done, 2u);
}

TEST_F(FeedTest, SaysHowOftenItTried) {
  fake_.transient_rate = 1;
  options_.queue.retry = {3, 600};
  Start();
  objects_->Append("a", 100, "");
  objects_->Finish();
  EXPECT_EQ(Reader(dir_.path(), 0).ReadAll(), "");
  const std::string message = OutcomeOf(0).error_message;
  EXPECT_EQ(message.rfind("fake://a bytes 0-99: a transient fault after 3 tries in ", 0), 0u)
      << message;
}

// The listing may fail, and be found to be empty, after the reader came or before.
TEST_F(FeedTest, AListThatFailsIsEachEpochsError) {
  Start();
  Add("a", 100);
  objects_->Fail(ErrorKind::kUnavailable, "listing s3://b/p: 503");
  for (uint64_t epoch = 0; epoch < 2; ++epoch) {
    EXPECT_EQ(Reader(dir_.path(), epoch).ReadAll(), expected_);
    EXPECT_EQ(OutcomeOf(epoch).error_kind, ErrorKind::kUnavailable);
    EXPECT_EQ(OutcomeOf(epoch).error_message, "listing s3://b/p: 503");
  }
}

TEST_F(FeedTest, AnEmptyListIsNotFound) {
  Start();
  Reader reader(dir_.path(), 0);
  objects_->Finish();
  EXPECT_EQ(reader.ReadAll(), "");
  EXPECT_EQ(OutcomeOf(0).error_kind, ErrorKind::kNotFound);
}

TEST_F(FeedTest, ObjectsWithoutBytesAreAnEmptyEpoch) {
  Start();
  objects_->Append("a", 0, "");
  objects_->Append("b", 0, "");
  objects_->Finish();
  EXPECT_EQ(Reader(dir_.path(), 0).ReadAll(), "");
  EXPECT_EQ(OutcomeOf(0).state, State::kDone);
  EXPECT_EQ(OutcomeOf(0).objects, 2u);
}

TEST_F(FeedTest, FetchesBeforeTheReaderComes) {
  Start();
  Add("a", 300000);
  objects_->Finish();
  while (feed_->stats().queue_bytes < 300000) Nap();
  EXPECT_EQ(feed_->stats().bytes_written, 0u);
  EXPECT_EQ(Reader(dir_.path(), 0).ReadAll(), expected_);
}

// A source whose first fetches fail for good and that is well afterwards.
class MendedSource : public ObjectSource {
 public:
  MendedSource() : good_(FakeObjectOptions()) {}
  std::unique_ptr<ObjectFetcher> MakeFetcher(const FetchLimits& limits) override {
    struct Fetcher : ObjectFetcher {
      FetchResult Fetch(const FetchRequest& request, const std::atomic<bool>& stop) override {
        if (source->mended) return good->Fetch(request, stop);
        FetchResult result;
        result.status = FetchResult::Status::kFailed;
        result.what = "ill";
        return result;
      }
      void Nudge() noexcept override { good->Nudge(); }
      MendedSource* source;
      std::unique_ptr<ObjectFetcher> good;
    };
    auto fetcher = std::make_unique<Fetcher>();
    fetcher->source = this;
    fetcher->good = good_.MakeFetcher(limits);
    return fetcher;
  }
  std::string Describe(const ObjectRef& object) const override { return std::string(object.name); }

  std::atomic<bool> mended{false};

 private:
  FakeObjectSource good_;
};

TEST_F(FeedTest, AnErrorFromBeforeTheReaderCameIsForgotten) {
  auto source = std::make_shared<MendedSource>();
  feed_ = std::make_unique<Feed>(options_, source, objects_);
  objects_->Append("a", 5000, "");
  objects_->Finish();
  feed_->Start();
  while (feed_->stats().connections > 0 || feed_->stats().memory_bytes == 0) Nap();
  source->mended = true;
  EXPECT_EQ(Reader(dir_.path(), 0).ReadAll().size(), 5000u);
  EXPECT_EQ(OutcomeOf(0).state, State::kDone);
}

TEST_F(FeedTest, StopIsAnErrorForTheReaderInMidEpoch) {
  Start();
  Add("a", 64 * 1024 * 1024);
  Reader reader(dir_.path(), 0);
  EXPECT_EQ(reader.Read(5000), expected_.substr(0, 5000));
  feed_->Stop();
  const Outcome outcome = OutcomeOf(0);
  EXPECT_EQ(outcome.state, State::kError);
  EXPECT_EQ(outcome.error_kind, ErrorKind::kUnavailable);
  EXPECT_EQ(outcome.error_message, "the prefetcher was stopped after " +
                                       std::to_string(outcome.bytes) +
                                       " bytes of epoch 0 of channel 'train'");
  EXPECT_FALSE(std::filesystem::exists(FifoPath(dir_.path(), "train", 0)));
}

TEST_F(FeedTest, StopsInEveryState) {
  fake_.bytes_per_second = 1000;  // a part takes a minute
  {
    Feed never_started(options_, std::make_shared<FakeObjectSource>(fake_), objects_);
  }
  Start();
  feed_->Stop();  // awaiting objects and a reader
  feed_->Stop();
  Start();
  objects_->Append("a", 1000000, "");
  while (feed_->stats().connections == 0) Nap();
  feed_.reset();  // fetching, awaiting a reader
  Start();
  objects_->Append("a", 1000000, "");
  Reader reader(dir_.path(), 0);
  feed_.reset();  // the reader awaits its first part
  EXPECT_EQ(reader.ReadAll(), "");
  EXPECT_EQ(OutcomeOf(0).error_kind, ErrorKind::kUnavailable);
}

TEST_F(FeedTest, StopsWhilePartsWaitForTheirRetry) {
  fake_.transient_rate = 1;
  options_.queue.retry = {1000, 1e6};
  Start();
  objects_->Append("a", 1000000, "");
  while (feed_->stats().retries < 10) Nap();
  feed_->Stop();
  EXPECT_EQ(feed_->stats().connections, 0u);
}

TEST_F(FeedTest, AChannelHasOneLiveFeed) {
  Start();
  try {
    Feed second(options_, source_, objects_);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailedPrecondition);
  }
  feed_->Stop();
  Feed third(options_, source_, objects_);
  third.Start();
  EXPECT_THROW(third.Start(), Error);
}

TEST_F(FeedTest, StatsThrowWhatEndedTheFeedingThread) {
  Start();
  Add("a", 100);
  objects_->Finish();
  std::filesystem::remove(FifoPath(dir_.path(), "train", 0));
  for (;;) {
    try {
      feed_->stats();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
      break;
    }
    Nap();
  }
  EXPECT_EQ(OutcomeOf(0).error_kind, ErrorKind::kNotFound);
  EXPECT_FALSE(ReadFeeder(dir_.path(), "train").value_or(Feeder()).alive);
}

// What a reader finds out and asks for.
class ResumeTest : public FeedTest {
 protected:
  // The position of an offset in the pipe's stream. The log goes when the next pipe but one comes.
  StreamPosition PositionAt(uint64_t pipe, uint64_t offset) {
    return ObjectLogReader(ObjectLogPath(dir_.path(), "train", pipe)).PositionAt(offset);
  }
  std::vector<StreamPosition> PositionsAt(uint64_t pipe, const std::vector<uint64_t>& offsets) {
    std::vector<StreamPosition> positions;
    for (const uint64_t offset : offsets) positions.push_back(PositionAt(pipe, offset));
    return positions;
  }

  std::string ReadFrom(uint64_t pipe, const StreamPosition& position) {
    WriteResumeRequest(dir_.path(), "train", {"me", pipe, position});
    return Reader(dir_.path(), pipe).ReadAll();
  }

  std::string Head(uint64_t pipe) {
    const auto head = ObjectLogReader::Head(ObjectLogPath(dir_.path(), "train", pipe));
    return head ? std::to_string(head->epoch) + " " + head->request : "none";
  }

  void AddSome(int count) {
    for (int i = 0; i < count; ++i) Add("object-" + std::to_string(i), 9973u * (i % 7));
    objects_->Finish();
  }
};

TEST_F(ResumeTest, GoesOnAtAnyByteOfAnEpochAndWithTheEpochsBehindIt) {
  options_.queue.plan.order.shuffle_seed = 5;
  Start();
  AddSome(20);
  const std::string first = Reader(dir_.path(), 0).ReadAll();
  const std::vector<uint64_t> offsets = {0, 1, first.size() / 2, first.size()};
  const std::vector<StreamPosition> positions = PositionsAt(0, offsets);
  const std::string second = Reader(dir_.path(), 1).ReadAll();
  EXPECT_NE(first, second);
  for (size_t i = 0; i < offsets.size(); ++i) {
    const uint64_t pipe = 2 + 2 * i;
    EXPECT_EQ(positions[i].epoch, 0u);
    EXPECT_EQ(ReadFrom(pipe, positions[i]), first.substr(offsets[i]));
    EXPECT_EQ(Head(pipe), "0 me");
    EXPECT_EQ(Reader(dir_.path(), pipe + 1).ReadAll(), second);
    EXPECT_EQ(Head(pipe + 1), "1 ");
  }
}

TEST_F(ResumeTest, ATwiceResumedEpochKeepsItsPlaces) {
  Start();
  AddSome(10);
  Reader(dir_.path(), 0).ReadAll();
  const uint64_t first = expected_.size() / 3;
  EXPECT_EQ(ReadFrom(1, PositionAt(0, first)), expected_.substr(first));
  // Counted from where the second pipe begins.
  const std::vector<StreamPosition> positions = PositionsAt(1, {5, 70000});
  EXPECT_EQ(ReadFrom(2, positions[0]), expected_.substr(first + 5));
  EXPECT_EQ(ReadFrom(3, positions[1]), expected_.substr(first + 70000));
}

TEST_F(ResumeTest, AnotherPrefetcherGoesOnToo) {
  Start();
  AddSome(10);
  StreamPosition position;
  {
    Reader reader(dir_.path(), 0);
    reader.Read(100000);
    position = PositionAt(0, 100000);
  }
  feed_->Stop();
  Feed second(options_, source_, objects_);
  second.Start();
  EXPECT_EQ(ReadFrom(0, position), expected_.substr(100000));
}

TEST_F(ResumeTest, WrappedObjectsGoOnInsideTheirRecords) {
  options_.encoding.wrap_recordio = true;
  Start();
  AddSome(10);
  const std::string whole = Reader(dir_.path(), 0).ReadAll();
  const std::vector<uint64_t> offsets = {3, whole.size() / 2, whole.size()};
  const std::vector<StreamPosition> positions = PositionsAt(0, offsets);
  for (size_t i = 0; i < offsets.size(); ++i) {
    EXPECT_EQ(ReadFrom(1 + i, positions[i]), whole.substr(offsets[i]));
  }
}

TEST_F(ResumeTest, InlineEntriesGoOnToo) {
  Start();
  for (int i = 0; i < 20; ++i) {
    const std::string bytes = "inline entry number " + std::to_string(i);
    objects_->AppendInline(bytes);
    expected_ += bytes;
    Add("object-" + std::to_string(i), 1000);
  }
  objects_->Finish();
  EXPECT_EQ(Reader(dir_.path(), 0).ReadAll(), expected_);
  const uint64_t offset = 3 * 1000 + 70;  // within the fourth inline entry
  EXPECT_EQ(PositionAt(0, offset).name, "an inline entry");
  EXPECT_EQ(ReadFrom(1, PositionAt(0, offset)), expected_.substr(offset));
}

TEST_F(ResumeTest, AnyObjectThatWasAddedChangesAShuffle) {
  for (const uint64_t seed : {1, 2, 3, 4, 5, 6}) {
    options_.queue.plan.order.shuffle_seed = seed;
    expected_.clear();
    Start();
    for (const char* name : {"a", "b", "c"}) Add(name, 50000);
    objects_->Finish();
    Reader(dir_.path(), 0).ReadAll();
    const StreamPosition position = PositionAt(0, 60000);
    feed_->Stop();
    Start();
    for (const char* name : {"a", "b", "c", "d"}) Add(name, 50000);
    objects_->Finish();
    EXPECT_EQ(ReadFrom(0, position), "");
    EXPECT_EQ(OutcomeOf(0).error_kind, ErrorKind::kFailedPrecondition);
    EXPECT_EQ(Reader(dir_.path(), 1).ReadAll().size(), 200000u);
    feed_->Stop();
  }
}

TEST_F(ResumeTest, ARequestThatCannotBeReadCostsItsEpochOnly) {
  Start();
  AddSome(3);
  std::ofstream(ResumeRequestPath(dir_.path(), "train")) << "{";
  EXPECT_EQ(Reader(dir_.path(), 0).ReadAll(), "");
  EXPECT_EQ(OutcomeOf(0).error_kind, ErrorKind::kDataLoss);
  EXPECT_EQ(Reader(dir_.path(), 1).ReadAll(), expected_);
}

TEST_F(ResumeTest, AReaderThatCannotBeToldWhereItIsIsToldWhy) {
  Start();
  AddSome(3);
  const std::string log = ObjectLogPath(dir_.path(), "train", 0);
  std::filesystem::create_directory(log);  // as good as a full disk
  StreamPosition position;
  position.epoch = 5;
  EXPECT_EQ(ReadFrom(0, position), "");
  const Outcome outcome = OutcomeOf(0);
  EXPECT_EQ(outcome.state, State::kError);
  EXPECT_NE(outcome.error_message.find("in epoch 5 it is: making " + log + ": File exists"),
            std::string::npos)
      << outcome.error_message;
  EXPECT_EQ(Reader(dir_.path(), 1).ReadAll(), expected_);
  EXPECT_EQ(Head(1), "0 ");
}

TEST_F(ResumeTest, WhatWasChangedIsAnErrorAndNotANewBeginning) {
  Start();
  AddSome(10);
  Reader(dir_.path(), 0).ReadAll();
  const StreamPosition good = PositionAt(0, 100000);
  StreamPosition other_version = good, other_name = good, other_settings = good, other_count = good;
  other_version.etag = "\"old\"";
  other_name.name = "fake://gone";
  other_settings.settings = "shuffled with seed 1, shard 0 of 1";
  other_count.object = 10;
  uint64_t pipe = 1;
  for (const auto& [position, words] : std::vector<std::pair<StreamPosition, std::string>>{
           {other_version, "which is 49865 bytes now"},
           {other_name, "in its place of the epoch is fake://object-5 now"},
           {other_settings, "and this one is in order, shard 0 of 1"},
           {other_count, "the epoch has 10 objects and should go on in number 10"}}) {
    EXPECT_EQ(ReadFrom(pipe, position), "");
    const Outcome outcome = OutcomeOf(pipe);
    EXPECT_EQ(outcome.error_kind, ErrorKind::kFailedPrecondition);
    EXPECT_NE(outcome.error_message.find(words), std::string::npos) << outcome.error_message;
    ++pipe;
  }
  EXPECT_EQ(Reader(dir_.path(), pipe).ReadAll(), expected_);
  EXPECT_EQ(Head(pipe), "1 ");  // they have used up none
}

TEST_F(FeedTest, RefusesOptionsOutOfBounds) {
  const std::vector<void (*)(FeedOptions*)> changes = {
      [](FeedOptions* o) { o->channel = ""; },
      [](FeedOptions* o) { o->channel = "a/b"; },
      [](FeedOptions* o) { o->queue.tuner.connections = -1; },
      [](FeedOptions* o) { o->queue.tuner.connections = 1025; },
      [](FeedOptions* o) { o->stall_seconds = 0; },
      [](FeedOptions* o) { o->queue.tuner.part_bytes = 1; },
      [](FeedOptions* o) { o->queue.plan.first_part_bytes = 0; },
      [](FeedOptions* o) { o->queue.tuner.memory_bytes = o->queue.tuner.part_bytes - 1; },
      [](FeedOptions* o) { o->queue.retry.tries = 0; },
      [](FeedOptions* o) { o->queue.retry.seconds = -1; },
  };
  for (const auto& change : changes) {
    FeedOptions options = options_;
    change(&options);
    try {
      Feed feed(options, std::make_shared<FakeObjectSource>(fake_), objects_);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
    }
  }
}

}  // namespace
}  // namespace smtf
