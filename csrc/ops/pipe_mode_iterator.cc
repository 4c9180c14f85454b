#include "ops/pipe_mode_iterator.h"

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ops/error_status.h"
#include "ops/first_epoch.h"
#include "ops/interrupts.h"
#include "ops/object_splits.h"
#include "ops/read_meter.h"
#include "ops/record_tensors.h"
#include "pipe/reader_state.h"
#include "tensorflow/core/framework/cancellation.h"
#include "tensorflow/core/framework/metrics.h"
#include "tensorflow/core/framework/model.h"
#include "tensorflow/core/platform/logging.h"

namespace smtf {
namespace {

using tensorflow::DT_STRING;
using tensorflow::Tensor;
using tensorflow::TensorShape;
using tensorflow::tstring;
using tensorflow::data::DatasetBase;
using tensorflow::data::DatasetBaseIterator;
using tensorflow::data::IteratorContext;
using tensorflow::data::IteratorStateReader;
using tensorflow::data::IteratorStateWriter;
using tensorflow::data::SerializationContext;
using tensorflow::data::TraceMeMetadata;

// The name of what a checkpoint holds.
constexpr char kState[] = "position";

class Iterator : public DatasetBaseIterator {
 public:
  Iterator(const BaseParams& params, const PipeModeConfig& config, const Batching& batching,
           const Metering& metering)
      : DatasetBaseIterator(params),
        config_(config),
        one_per_element_(batching.batch_size == 0),
        batcher_(batching.batch_size, batching.drop_remainder),
        meter_(metering.totals, metering.records_interval),
        first_epoch_(config.dataset_id, config.first_epoch) {}

  ~Iterator() override {
    // Before the wakeup that the callback signals is destroyed.
    if (deregister_cancellation_) deregister_cancellation_();
  }

  absl::Status Initialize(IteratorContext* ctx) override {
    // Here and not in the constructor, which could not say that it failed.
    try {
      reader_.emplace(config_, GivenObjects(ctx));
      interruptible_.emplace(reader_->wakeup());
    } catch (const Error& error) {
      return ToStatus(error);
    } catch (const std::exception& error) {
      return absl::ResourceExhaustedError("opening channel " + channel() + ": " + error.what());
    }
    // Called when the iterator is destroyed or replaced, while another thread may be in GetNext
    // with mu_ held: so it takes no lock.
    return tensorflow::RegisterCancellationCallback(
        ctx->cancellation_manager(), [this] { reader_->wakeup()->Signal(); },
        &deregister_cancellation_);
  }

 protected:
  absl::Status GetNextInternal(IteratorContext* ctx, std::vector<Tensor>* out_tensors,
                               bool* end_of_sequence) override {
    return Call(end_of_sequence, [&] {
      std::optional<Tensor> element;
      if (ended_) {
        // Nothing follows; the pipe is not even opened where that was restored.
      } else if (source_failed_) {
        element = batcher_.TakeRemainder(ctx->allocator({}));
      } else if (one_per_element_) {
        element = NextRecord(ctx);
      } else {
        element = batcher_.Next(&reader_->records(), ctx->allocator({}));
      }
      *end_of_sequence = !element.has_value();
      if (element) out_tensors->push_back(*std::move(element));
    });
  }

  absl::Status SkipInternal(IteratorContext*, int num_to_skip, bool* end_of_sequence,
                            int* num_skipped) override {
    *num_skipped = 0;
    return Call(end_of_sequence, [&] {
      RecordReader& records = reader_->records();
      int64_t skipped = 0;
      if (!source_failed_ && !ended_) {
        skipped = one_per_element_ ? static_cast<int64_t>(records.Skip(num_to_skip))
                                   : batcher_.Skip(&records, num_to_skip);
      }
      *num_skipped = static_cast<int>(skipped);
      *end_of_sequence = skipped < num_to_skip;
    });
  }

  std::shared_ptr<tensorflow::data::model::Node> CreateNode(
      IteratorContext*, tensorflow::data::model::Node::Args args) const override {
    return tensorflow::data::model::MakeSourceNode(std::move(args));
  }

  absl::Status SaveInternal(SerializationContext*, IteratorStateWriter* writer) override {
    const std::lock_guard<std::mutex> lock(mu_);
    if (given_objects_) return NoPosition();
    try {
      return writer->WriteScalar(prefix(), kState, tstring(FormatReaderState(State())));
    } catch (const Error& error) {
      return ToStatus(error);
    }
  }

  absl::Status RestoreInternal(IteratorContext*, IteratorStateReader* reader) override {
    const std::lock_guard<std::mutex> lock(mu_);
    if (given_objects_) return NoPosition();
    tstring text;
    TF_RETURN_IF_ERROR(reader->ReadScalar(prefix(), kState, &text));
    try {
      GoOnFrom(ParseReaderState(std::string(text)));
      return absl::OkStatus();
    } catch (const Error& error) {
      return ToStatus(error);
    }
  }

  // A prefetcher is asked for the place, and what other writers send is skipped up to it.
  bool SymbolicCheckpointCompatible() const override { return true; }

  TraceMeMetadata GetTraceMeMetadata() const override {
    return {{"channel", channel()},
            {"stalled_ms", std::to_string(reader_->source().stalled().count())}};
  }

 private:
  // Of the tf.data service, which deals objects out to its workers.
  NextObject GivenObjects(IteratorContext* ctx) {
    const auto splits = ctx->split_providers();
    given_objects_ = !config_.ring_address.empty() && splits.size() == 1;
    return given_objects_ ? NextObjectOf(splits[0]) : nullptr;
  }

  absl::Status NoPosition() const {
    return absl::FailedPreconditionError(
        "the tf.data service gives the objects of channel " + channel() +
        " out to its workers as they come, so no worker's iterator can be saved or restored; use "
        "tf.data.experimental.service.ShardingPolicy.OFF");
  }

  // Runs `body` as one call of this iterator: locked, metered, interruptible, errors as a Status.
  template <typename Body>
  absl::Status Call(bool* end_of_sequence, const Body& body) {
    const std::lock_guard<std::mutex> lock(mu_);
    const Interruptible::Call call(&*interruptible_);
    *end_of_sequence = false;
    if (reader_->wakeup()->signalled()) return Cancelled();
    const uint64_t records_before = reader_->records().record_index();
    meter_.BeginRead();
    absl::Status status;
    bool given_up = false;
    try {
      if (!source_failed_ && !ended_) Begin();
      body();
      // An end that follows an error is not the epoch's.
      if (*end_of_sequence && !source_failed_) ended_ = true;
    } catch (const CorruptRecordError& error) {
      status = ToStatus(WithObject(error));
      // The reader knows that no record follows any other flaw.
      given_up = error.flaw() != Flaw::kBadDataCrc;
    } catch (const Error& error) {
      status = error.kind() == ErrorKind::kCancelled ? Cancelled() : ToStatus(error);
      source_failed_ = true;
    } catch (const std::exception& error) {
      status = absl::InternalError("reading channel " + channel() + ": " + error.what());
      source_failed_ = true;
    }
    // The iterator may live on for long, as a variable or in a traceback.
    if (given_up || source_failed_) reader_->source().GiveUp();
    CountBytes(records_before);
    if (bytes_counted_ > 0 || ended_) first_epoch_.Settle();
    // The records of a batch that is not full yet will be read again.
    if (!batcher_.pending()) NoteBoundary();
    return status;
  }

  // A stream's record and byte are little help in finding what is broken.
  Error WithObject(const CorruptRecordError& error) {
    try {
      // So that the next broken record's object is not looked for from the beginning.
      reader_->source().PositionAt(boundary_bytes_);
      const auto place = reader_->source().LookAhead(error.byte_offset() - bytes_origin_);
      if (!place || place->name.empty()) return error;
      return Error(error.kind(), std::string(error.what()) + "; that is in " + place->name +
                                     ", at byte " + std::to_string(place->offset) +
                                     " of what is streamed of it");
    } catch (const std::exception&) {
      return error;
    }
  }

  void NoteBoundary() {
    boundary_records_ = reader_->records().record_index();
    boundary_bytes_ = reader_->records().byte_offset();
    reader_->source().Forget(boundary_bytes_);
  }

  ReaderState State() {
    // Of an iterator that has read nothing others may have read the epochs since.
    if (restored_ && restored_->phase != ReaderState::Phase::kNew) return *restored_;
    AskForFirstEpoch();
    ReaderState state;
    state.channel = channel();
    state.record_format = RecordFormatName(config_.record_format);
    state.records = records_origin_ + boundary_records_;
    state.bytes = bytes_origin_ + boundary_bytes_;
    if (ended_) {
      state.phase = ReaderState::Phase::kEnded;
    } else if (reader_->source().epoch()) {
      state.phase = ReaderState::Phase::kReading;
    }
    // Also at the end: it says which epoch that was.
    state.position = reader_->source().PositionAt(boundary_bytes_);
    return state;
  }

  // What a checkpoint says; nothing is opened yet.
  void GoOnFrom(ReaderState state) {
    const std::string_view format = RecordFormatName(config_.record_format);
    if (state.channel != channel() || state.record_format != format) {
      throw Error(ErrorKind::kFailedPrecondition,
                  "the checkpoint is of channel " + state.channel + " with record_format " +
                      state.record_format + ", and this iterator reads channel " + channel() +
                      " with record_format " + std::string(format) +
                      "; restore it into the dataset that it was saved of");
    }
    if (reader_->source().epoch()) {
      throw Error(ErrorKind::kFailedPrecondition,
                  "an iterator over channel " + channel() +
                      " cannot be restored once it has read; restore a new one");
    }
    ended_ = state.phase == ReaderState::Phase::kEnded;
    if (state.position) TellSource(state.phase, *state.position);
    restored_ = std::move(state);
    first_epoch_.Settle();
  }

  void TellSource(ReaderState::Phase phase, const StreamPosition& position) {
    switch (phase) {
      case ReaderState::Phase::kNew:
        return reader_->source().BeginFrom(position);
      case ReaderState::Phase::kReading:
        return reader_->source().Resume(position);
      case ReaderState::Phase::kEnded:
        return reader_->source().EndedIn(position);
    }
  }

  // Before each read; only the first has something to do.
  void Begin() {
    if (restored_) return GoOn();
    if (reader_->source().epoch()) return;
    AskForFirstEpoch();
    if (!first_epoch_.taken()) return;
    if (given_objects_) {
      WarnOfFirstEpoch(
          "the tf.data service deals the channel's objects out to its workers, in no epoch");
    } else if (!reader_->source().Open()) {
      WarnOfFirstEpoch("the writer of " + reader_->source().Describe() +
                       " cannot be asked for an epoch of the data: this reads its next one");
    }
  }

  void WarnOfFirstEpoch(const std::string& reason) const {
    LOG(WARNING) << "channel " << channel() << ": first_epoch=" << *config_.first_epoch
                 << " is ignored, because " << reason;
  }

  void AskForFirstEpoch() {
    if (reader_->source().epoch()) return;
    first_epoch_.Take([this](uint64_t epoch) {
      StreamPosition position;
      position.epoch = epoch;
      reader_->source().Resume(std::move(position));
    });
  }

  // At the first read after that.
  void GoOn() {
    if (reader_->source().Open() && restored_->position) {
      records_origin_ = restored_->records;
      bytes_origin_ = restored_->bytes;
      reader_->records().set_origin(records_origin_, bytes_origin_);
    } else if (restored_->records > 0) {
      SkipTo(restored_->records);
    }
    restored_.reset();
  }

  // Where nobody can be asked. An interrupted call goes on with the next.
  void SkipTo(uint64_t records) {
    RecordReader& reader = reader_->records();
    LOG(WARNING) << "channel " << channel() << ": " << reader_->source().Describe()
                 << " cannot be had from the middle on, so " << records
                 << " records are skipped to get where the checkpoint was saved";
    reader.Skip(records - reader.record_index());
    if (reader.record_index() == records) return;
    throw Error(ErrorKind::kDataLoss,
                "the checkpoint was saved behind " + std::to_string(records) +
                    " records of channel " + channel() + ", and " + reader_->source().Describe() +
                    " has " + std::to_string(reader.record_index()) +
                    ": it is not what was read then; begin without the checkpoint");
  }

  absl::Status Cancelled() const {
    return absl::CancelledError(
        (interruptible_->interrupted() ? "interrupted by a signal" : "the iterator was cancelled") +
        std::string(" while reading channel ") + channel());
  }

  const std::string& channel() const { return config_.channel; }

  std::optional<Tensor> NextRecord(IteratorContext* ctx) {
    std::optional<Tensor> element;
    element.emplace(ctx->allocator({}), DT_STRING, TensorShape({}));
    StringSink sink(&element->scalar<tstring>()());
    if (!reader_->records().NextInto(&sink)) element.reset();
    return element;
  }

  void CountBytes(uint64_t records_before) {
    static tensorflow::monitoring::CounterCell* bytes_read =
        tensorflow::metrics::GetTFDataBytesReadCounter(kDatasetType);
    const uint64_t offset = reader_->records().byte_offset();
    const uint64_t bytes = offset - std::exchange(bytes_counted_, offset);
    bytes_read->IncrementBy(static_cast<int64_t>(bytes));
    meter_.EndRead(reader_->records().record_index() - records_before, bytes);
    if (!named_ && reader_->source().epoch()) {
      tensorflow::metrics::RecordTFDataFilename(kDatasetType, reader_->source().Describe());
      named_ = true;
    }
  }

  const PipeModeConfig config_;
  const bool one_per_element_;
  bool given_objects_ = false;
  // Signalled by other threads without mu_: the wakeup in reader_, and interruptible_.
  std::mutex mu_;  // for everything below
  std::optional<EpochReader> reader_;
  std::optional<Interruptible> interruptible_;
  RecordBatcher batcher_;
  ReadMeter meter_;
  FirstEpoch first_epoch_;
  uint64_t bytes_counted_ = 0;
  bool named_ = false;
  // What the source said once it would say for ever: the calls after it see the end, so that
  // ignore_errors() comes to one.
  bool source_failed_ = false;
  // It has said so.
  bool ended_ = false;
  // What it is to go on from, until the first read.
  std::optional<ReaderState> restored_;
  // What was read of the epoch before this pipe's first byte.
  uint64_t records_origin_ = 0;
  uint64_t bytes_origin_ = 0;
  // Of this pipe, behind the last element.
  uint64_t boundary_records_ = 0;
  uint64_t boundary_bytes_ = 0;
  std::function<void()> deregister_cancellation_;
};

}  // namespace

std::unique_ptr<tensorflow::data::IteratorBase> MakePipeModeIterator(
    const DatasetBaseIterator::BaseParams& params, const PipeModeConfig& config,
    const Batching& batching, const Metering& metering) {
  return std::make_unique<Iterator>(params, config, batching, metering);
}

}  // namespace smtf
