// A channel's named pipes and the files beside them, as its feed writes them.
#ifndef SMTF_PIPE_PIPE_OUTLET_H_
#define SMTF_PIPE_PIPE_OUTLET_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "pipe/epoch_outlet.h"
#include "pipe/feed_claim.h"
#include "pipe/fifo_writer.h"
#include "pipe/object_log.h"
#include "pipe/wakeup.h"

namespace smtf {

class PipeOutlet : public EpochOutlet {
 public:
  // Claims the channel, with FeedClaim's errors.
  PipeOutlet(std::string pipe_dir, std::string channel);

  void Stop() noexcept override { stop_.Signal(); }
  void Announce(uint64_t number, const EpochHead& next) override;
  void AwaitReader() override;
  ReaderWish TakeWish() override;
  void Admit(const EpochHead& head) override;
  void BeginObject(LoggedObject object) override;
  bool Write(std::string_view bytes, std::shared_ptr<const void> owner) override;
  bool Drain() override { return writer_->Drain(); }
  // FifoWriter forgets readers that have not.
  bool Touched() const override { return true; }
  bool ReaderGone() const override { return writer_ && writer_->ReaderLeft(); }
  void Record(const Outcome& outcome) override;
  void EndEpoch(uint64_t next_number, const EpochHead& next) override;
  void Leave() noexcept override;
  uint64_t bytes_written() const override { return writer_ ? writer_->bytes_written() : 0; }
  double seconds_blocked() const override { return writer_ ? writer_->seconds_blocked() : 0; }

 private:
  Wakeup stop_;
  std::optional<FeedClaim> claim_;
  uint64_t pipe_ = 0;
  std::string path_;
  std::string request_;                   // the id of what the reader asked for, or empty
  std::unique_ptr<ObjectLogWriter> log_;  // null where nothing is logged, or no more
  std::unique_ptr<FifoWriter> writer_;    // of this epoch's pipe
};

}  // namespace smtf

#endif  // SMTF_PIPE_PIPE_OUTLET_H_
