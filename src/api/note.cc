// A note in every program and library that has Burrow in it, which `burrow run` reads: such a
// program needs no preload. It stays in stripped files.
#include "api/api.h"

namespace burrow {
namespace {

struct Note {
  unsigned name_bytes = 8;
  unsigned content_bytes = 4;
  unsigned type = 1;
  char name[8] = "Burrow";
  unsigned content = 0;
};

__attribute__((used, retain, section(".note.burrow"), aligned(4))) const Note kNote;

}  // namespace
}  // namespace burrow
