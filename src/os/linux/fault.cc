// Memory faults and code addresses on Linux. See os/fault.h.
#include "os/fault.h"

#include <dlfcn.h>
#include <signal.h>

namespace burrow::os {
namespace {

using FaultHandler = bool (*)(const void*);
constinit FaultHandler g_handler = nullptr;
struct sigaction g_old_segv;
struct sigaction g_old_bus;

void on_signal(int number, siginfo_t* info, void* context) {
  if (g_handler != nullptr && g_handler(info->si_addr)) {
    return;
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

}  // namespace

void on_memory_fault(bool (*handler)(const void* address)) {
  g_handler = handler;
  struct sigaction action{};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGSEGV, &action, &g_old_segv);
  sigaction(SIGBUS, &action, &g_old_bus);
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
