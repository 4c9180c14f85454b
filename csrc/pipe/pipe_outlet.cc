#include "pipe/pipe_outlet.h"

#include <utility>

namespace smtf {

PipeOutlet::PipeOutlet(std::string pipe_dir, std::string channel) {
  claim_.emplace(std::move(pipe_dir), std::move(channel));
}

void PipeOutlet::Announce(uint64_t number, const EpochHead& /*next*/) {
  path_ = claim_->BeginEpoch(number);
  pipe_ = number;
}

void PipeOutlet::AwaitReader() {
  writer_ = std::make_unique<FifoWriter>(path_, &stop_);
  writer_->Open();
}

ReaderWish PipeOutlet::TakeWish() {
  request_.clear();
  std::optional<ResumeRequest> request = claim_->TakeRequest(pipe_);
  if (!request) return {};
  request_ = std::move(request->id);
  return {std::move(request->position), std::nullopt};
}

void PipeOutlet::Admit(const EpochHead& head) {
  log_.reset();
  if (!head.positions) return;
  try {
    log_ = claim_->LogObjects(pipe_, {head.epoch, head.settings, request_});
  } catch (const Error& error) {
    throw Error(error.kind(), "telling the reader of " + path_ + " where in epoch " +
                                  std::to_string(head.epoch) + " it is: " + error.what() +
                                  "; the pipe directory needs room for that");
  }
}

void PipeOutlet::BeginObject(LoggedObject object) {
  if (!log_) return;
  object.at = writer_->bytes_written();
  try {
    log_->Add(object);
  } catch (const Error&) {
    log_->GiveUp();
    log_.reset();
    throw;
  }
}

bool PipeOutlet::Write(std::string_view bytes, std::shared_ptr<const void> owner) {
  return writer_->Write(bytes, std::move(owner));
}

void PipeOutlet::Record(const Outcome& outcome) { claim_->RecordOutcome(pipe_, outcome); }

void PipeOutlet::EndEpoch(uint64_t next_number, const EpochHead& next) {
  const uint64_t ended = pipe_;
  // Before the pipe is closed, so that a reader that sees its end finds the next.
  Announce(next_number, next);
  writer_.reset();
  claim_->RemoveFifo(ended);
}

void PipeOutlet::Leave() noexcept {
  log_.reset();
  writer_.reset();
  // Without a claim the channel's readers see that nobody feeds it any more.
  claim_.reset();
}

}  // namespace smtf
