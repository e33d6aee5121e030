// Memory faults and code addresses, for reports. See os.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/printer.h"

namespace burrow::os {

/// A memory fault, and the registers of the code that made it.
struct Fault {
  const void* address = nullptr;
  uintptr_t pc = 0;
  uintptr_t sp = 0;
  uintptr_t frame = 0;  ///< the frame pointer's register
};

/// Calls `handler` for each memory fault (SIGSEGV, SIGBUS) of the program, on the faulting thread
/// inside the signal handler, on its signal stack where it has one. When it returns false the
/// handlers given earlier take their turn, and last what the program had installed. Not for
/// concurrent calls; up to four handlers.
void on_memory_fault(bool (*handler)(const Fault& fault));

/// Calls `handler` when the signal that asks for all stacks (SIGQUIT) comes, inside the signal
/// handler, with the registers of the interrupted code; only if the program leaves that signal to
/// the system. Once.
void on_quit_signal(void (*handler)(const Fault& interrupted));

/// Ends the process as the signal does by default, when the handler returns. For `on_quit_signal`.
void quit_by_default();

/// Sends the signal of `on_quit_signal` to a thread of this process.
void send_quit_signal(uint32_t thread_id);

/// Prints "function+0x12 (module)" as far as the dynamic symbols tell, else the number. For
/// messages of a program that is about to end: it may take the dynamic linker's lock.
void print_code_address(Printer& out, uintptr_t pc);

}  // namespace burrow::os
