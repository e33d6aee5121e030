// A range of addresses, as lists of them hold it.
#pragma once

#include "base/units.h"

namespace burrow::gc {

struct AddressRange {
  Address from;
  Address to;
};

}  // namespace burrow::gc
