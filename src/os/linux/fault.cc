// Memory faults and code addresses on Linux. See os/fault.h.
#include "os/fault.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "base/errno_scope.h"

namespace burrow::os {
namespace {

using FaultHandler = bool (*)(const Fault&);
// Filled before `g_handler_count` says so; read by signal handlers.
constinit std::array<FaultHandler, 4> g_handlers{};
constinit std::atomic<size_t> g_handler_count{0};
struct sigaction g_old_segv;
struct sigaction g_old_bus;
using QuitHandler = void (*)(const Fault& fault);
constinit QuitHandler g_quit_handler = nullptr;

Fault describe(const siginfo_t* info, const void* raw) {
  const auto* context = static_cast<const ucontext_t*>(raw);
  Fault fault;
  fault.address = info->si_addr;
#if defined(__x86_64__)
  fault.pc = static_cast<uintptr_t>(context->uc_mcontext.gregs[REG_RIP]);
  fault.sp = static_cast<uintptr_t>(context->uc_mcontext.gregs[REG_RSP]);
  fault.frame = static_cast<uintptr_t>(context->uc_mcontext.gregs[REG_RBP]);
#endif
  return fault;
}

void on_signal(int number, siginfo_t* info, void* context) {
  Fault fault = describe(info, context);
  // Acquire: pairs with the release in on_memory_fault.
  for (size_t i = g_handler_count.load(std::memory_order_acquire); i-- > 0;) {
    if (g_handlers[i](fault)) {
      return;
    }
  }
  const struct sigaction& old = number == SIGSEGV ? g_old_segv : g_old_bus;
  if ((old.sa_flags & SA_SIGINFO) != 0) {
    old.sa_sigaction(number, info, context);
  } else if (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN) {
    old.sa_handler(number);
  } else {
    // Back to the default; the instruction faults again and the system ends the program.
    signal(number, SIG_DFL);
  }
}

void on_quit(int number, siginfo_t* info, void* context) {
  ErrnoScope keep;
  g_quit_handler(describe(info, context));
}

}  // namespace

void on_memory_fault(bool (*handler)(const Fault& fault)) {
  size_t count = g_handler_count.load(std::memory_order_relaxed);
  if (count == g_handlers.size()) {
    return;
  }
  g_handlers[count] = handler;
  // Release: pairs with the acquire in on_signal.
  g_handler_count.store(count + 1, std::memory_order_release);
  if (count == 0) {
    struct sigaction action{};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &g_old_segv);
    sigaction(SIGBUS, &action, &g_old_bus);
  }
}

void on_quit_signal(void (*handler)(const Fault& interrupted)) {
  struct sigaction now{};
  if (sigaction(SIGQUIT, nullptr, &now) != 0 || (now.sa_flags & SA_SIGINFO) != 0 ||
      now.sa_handler != SIG_DFL) {
    return;
  }
  g_quit_handler = handler;
  struct sigaction action{};
  action.sa_sigaction = on_quit;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGQUIT, &action, nullptr);
}

void quit_by_default() {
  ::signal(SIGQUIT, SIG_DFL);
  ::raise(SIGQUIT);
}

void send_quit_signal(uint32_t thread_id) {
  ::syscall(SYS_tgkill, ::getpid(), static_cast<pid_t>(thread_id), SIGQUIT);
}

void print_code_address(Printer& out, uintptr_t pc) {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(pc), &info) == 0) {
    out << Hex(pc);
    return;
  }
  if (info.dli_sname != nullptr) {
    out << info.dli_sname << "+" << Hex(pc - reinterpret_cast<uintptr_t>(info.dli_saddr));
  } else {
    out << Hex(pc);
  }
  if (info.dli_fname != nullptr) {
    out << " (" << info.dli_fname << "+" << Hex(pc - reinterpret_cast<uintptr_t>(info.dli_fbase))
        << ")";
  }
}

}  // namespace burrow::os
