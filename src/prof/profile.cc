// Snapshots, differences and estimates. See profile.h.
#include "prof/profile.h"

#include "os/os.h"
#include "prof/buckets.h"
#include "prof/math.h"
#include "prof/prof.h"

namespace burrow::prof {

HeapProfile take_heap_profile() {
  HeapProfile profile;
  profile.rate = rate();
  profile.time_ns = os::wall_ns();
  profile.records.reserve(bucket_count());
  for_each_bucket(
      [](void* raw, const BucketView& view) {
        if (view.allocs == 0) {
          return;
        }
        auto size = static_cast<int64_t>(view.size);
        auto allocs = static_cast<int64_t>(view.allocs);
        auto live = static_cast<int64_t>(view.allocs - view.frees);
        static_cast<HeapProfile*>(raw)->records.push_back(
            {view.stack, size, allocs, allocs * size, live, live * size});
      },
      &profile);
  return profile;
}

HeapProfile subtract(const HeapProfile& later, const HeapProfile& earlier) {
  // Sites keep their order and never go: those of the earlier snapshot are all among the later's.
  auto before = earlier.records.begin();
  HeapProfile delta{later.rate, later.time_ns, later.time_ns - earlier.time_ns, {}};
  for (ProfileRecord r : later.records) {
    if (before != earlier.records.end() && before->stack.data() == r.stack.data()) {
      r.alloc_objects -= before->alloc_objects;
      r.alloc_bytes -= before->alloc_bytes;
      r.inuse_objects -= before->inuse_objects;
      r.inuse_bytes -= before->inuse_bytes;
      ++before;
    }
    if (r.alloc_objects != 0 || r.inuse_objects != 0) {
      delta.records.push_back(r);
    }
  }
  return delta;
}

Scaled scale(int64_t count, int64_t bytes, int64_t rate) {
  if (count == 0 || bytes == 0) {
    return {};
  }
  if (rate <= 1) {
    return {count, bytes};
  }
  double mean_size = static_cast<double>(bytes) / static_cast<double>(count);
  double chance = one_minus_exp(mean_size / static_cast<double>(rate));
  return {static_cast<int64_t>(static_cast<double>(count) / chance),
          static_cast<int64_t>(static_cast<double>(bytes) / chance)};
}

}  // namespace burrow::prof
