// Exceptions that leave a goroutine. Compiled with exceptions, as it has to look at one.
//
// Nothing catches at the end of a goroutine: the search for a handler ends at its outermost frame,
// and the C++ runtime calls the terminate handler with the whole stack still there.
#include <cxxabi.h>

#include <exception>
#include <string_view>

#include "base/printer.h"
#include "sched/blocking.h"
#include "sched/panic.h"
#include "sched/park.h"
#include "sched/scheduler.h"

namespace burrow::sched {
namespace {

std::terminate_handler g_former = nullptr;

void print_type(Printer& out) {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) {
    out << "terminate called without an exception";
    return;
  }
  out << "exception of type " << type->name();
}

[[noreturn]] void on_terminate() {
  const Worker* w = this_worker();
  if (w == nullptr || w->here() == nullptr) {
    if (g_former != nullptr) {
      g_former();
    }
    std::abort();
  }
  FixedPrinter<1024> out;
  std::exception_ptr exception = std::current_exception();
  try {
    if (exception != nullptr) {
      std::rethrow_exception(exception);
    }
    print_type(out);
  } catch (const std::exception& e) {
    out << e.what();
  } catch (...) {
    print_type(out);
  }
  panic(out.text());
}

}  // namespace

void catch_exceptions() {
  g_former = std::set_terminate(on_terminate);
}

}  // namespace burrow::sched
