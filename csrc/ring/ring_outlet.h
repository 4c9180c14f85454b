// A channel's ring in shared memory, as its feed writes it.
#ifndef SMTF_RING_RING_OUTLET_H_
#define SMTF_RING_RING_OUTLET_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "errors.h"
#include "pipe/epoch_outlet.h"
#include "pipe/wakeup.h"
#include "ring/lent_memory.h"
#include "ring/ring_memory.h"
#include "ring/ring_server.h"
#include "ring/ring_signal.h"
#include "ring/ring_writer.h"

namespace smtf {

// Each reader gets a ring of its own, so that nothing of one epoch is in another's memory.
class RingOutlet : public EpochOutlet {
 public:
  // Listens from now on, with ListenAtRing's errors. `count_units` is RingServer's, and no more
  // than `memory_bytes` of memory() will be in use.
  RingOutlet(const std::string& address, size_t memory_bytes,
             std::function<std::optional<uint64_t>()> count_units);

  void Stop() noexcept override;
  void Announce(uint64_t number, const EpochHead& next) override;
  void AwaitReader() override;
  ReaderWish TakeWish() override { return {peer_->hello.resume, peer_->hello.objects}; }
  void Admit(const EpochHead& head) override;
  void BeginObject(LoggedObject object) override;
  bool Write(std::string_view bytes, std::shared_ptr<const void> owner) override;
  bool Drain() override;
  bool Touched() const override { return writer_->Touched(); }
  bool ReaderGone() const override { return peer_->Gone(); }
  std::optional<Error> ReaderFault() const override;
  void Record(const Outcome& outcome) override;
  void EndEpoch(uint64_t next_number, const EpochHead& next) override;
  void Leave() noexcept override;
  std::shared_ptr<BufferMemory> memory() const override { return lent_; }
  int connections() const override { return server_.connections(); }
  uint64_t bytes_written() const override { return bytes_written_; }
  double seconds_blocked() const override { return seconds_blocked_; }

 private:
  // Lent, and not given back yet.
  struct Loan {
    uint64_t end;  // its frame's in the ring
    size_t size;
    std::shared_ptr<const void> owner;
  };

  void MakeRing();
  bool PutObjects();
  bool Copy(std::string_view bytes);
  bool Lend(std::string_view bytes, const std::shared_ptr<const void>& owner);
  bool AwaitRoom();
  bool AwaitLoans(size_t most);
  bool AwaitTaken(uint64_t position);
  void TakeBack();
  bool Wait();
  void Publish();
  void Close() noexcept;

  const std::shared_ptr<LentMemory> lent_;  // null where the system has none
  RingServer server_;
  Wakeup stop_;
  uint64_t number_ = 0;

  // Of the reader that has come.
  std::shared_ptr<const RingPeer> peer_;
  std::optional<RingMemory> memory_;
  mutable std::optional<RingWriter> writer_;
  std::optional<RingSignal> data_;  // wakes the reader
  std::optional<RingSignal> room_;  // wakes this
  bool positions_ = true;
  std::deque<Loan> loans_;
  size_t lent_bytes_ = 0;
  std::deque<std::string> objects_;  // begun, to be put before the next byte
  uint64_t bytes_written_ = 0;
  double seconds_blocked_ = 0;
};

}  // namespace smtf

#endif  // SMTF_RING_RING_OUTLET_H_
