// Descriptors that the program closes under the server, and takes for itself. See fd_table.h.
#include "debug/fd_table.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace burrow::debug {
namespace {

bool is_open(int fd) {
  return fcntl(fd, F_GETFD) >= 0;
}

int open_nothing() {
  return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int open_socket_of_the_program() {
  return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

// Puts a file of the program's in the place of the server's descriptor, as close and open do.
void replace(int server_fd, int (*open_another)()) {
  int another = open_another();
  ASSERT_GE(another, 0);
  ASSERT_EQ(dup3(another, server_fd, O_CLOEXEC), server_fd);
  close(another);
}

TEST(FdTable, ClosesItsOwn) {
  OwnFd own = g_fds.open_socket(AF_UNIX);
  ASSERT_GE(own.fd, 0);
  EXPECT_TRUE(FdTable::is_ours(own));
  g_fds.close(own);
  EXPECT_FALSE(is_open(own.fd));
  EXPECT_FALSE(FdTable::is_ours(own));
}

TEST(FdTable, LeavesWhatTheProgramHasPutInItsPlace) {
  for (auto* open_another : {open_nothing, open_socket_of_the_program}) {
    OwnFd own = g_fds.open_socket(AF_UNIX);
    ASSERT_GE(own.fd, 0);
    replace(own.fd, open_another);
    EXPECT_FALSE(FdTable::is_ours(own));
    g_fds.close(own);
    EXPECT_TRUE(is_open(own.fd)) << "it was the program's";
    close(own.fd);
  }
}

TEST(FdTable, AChildLeavesThemToo) {
  OwnFd kept = g_fds.open_socket(AF_UNIX);
  OwnFd replaced = g_fds.open_socket(AF_UNIX);
  ASSERT_GE(kept.fd, 0);
  ASSERT_GE(replaced.fd, 0);
  replace(replaced.fd, open_socket_of_the_program);
  g_fds.close_all_in_child();
  EXPECT_FALSE(is_open(kept.fd));
  EXPECT_TRUE(is_open(replaced.fd));
  close(replaced.fd);
}

TEST(FdTable, WhatTheProgramClosedIsForgotten) {
  for (size_t i = 0; i < 4 * kMaxConnections; ++i) {
    OwnFd own = g_fds.open_socket(AF_UNIX);
    ASSERT_GE(own.fd, 0) << "the table is full after " << i;
    close(own.fd);
    g_fds.close(own);
  }
}

}  // namespace
}  // namespace burrow::debug
