// Memory faults and code addresses, for reports. See os.h.
#pragma once

#include <cstdint>

#include "base/printer.h"

namespace burrow::os {

/// Calls `handler` with the address of each memory fault (SIGSEGV, SIGBUS) of the program, on the
/// faulting thread inside the signal handler. When it returns false, what was installed before
/// takes its turn. Once a process.
void on_memory_fault(bool (*handler)(const void* address));

/// Prints "function+0x12 (module)" as far as the dynamic symbols tell, else the number. For
/// messages of a program that is about to end: it may take the dynamic linker's lock.
void print_code_address(Printer& out, uintptr_t pc);

}  // namespace burrow::os
