// Keeps signals away from threads of the engine.
#ifndef SMTF_PREFETCH_SIGNALS_BLOCKED_H_
#define SMTF_PREFETCH_SIGNALS_BLOCKED_H_

#include <pthread.h>
#include <signal.h>

namespace smtf {

// Blocks every signal in the calling thread, and so in the threads that it starts meanwhile.
// Signals are for the threads of the program: a handler that runs in one of ours would not wake
// them.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_SIGNALS_BLOCKED_H_
