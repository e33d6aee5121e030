// A pipe that tests wait at.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

namespace burrow {

struct Pipe {
  Pipe() { EXPECT_EQ(pipe(ends), 0); }

  ~Pipe() {
    close(ends[0]);
    close(ends[1]);
  }

  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void give() const { EXPECT_EQ(write(ends[1], "x", 1), 1); }

  int ends[2];
};

}  // namespace burrow
