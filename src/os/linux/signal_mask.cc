// The signal mask on Linux. See os/signal_mask.h.
#include "os/signal_mask.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace burrow::os {

SignalMask change_signal_mask(MaskChange how, SignalMask mask) {
  constexpr int kHow[] = {SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK};
  SignalMask former;
  syscall(SYS_rt_sigprocmask, kHow[static_cast<int>(how)], &mask.bits, &former.bits,
          sizeof(mask.bits));
  return former;
}

}  // namespace burrow::os
