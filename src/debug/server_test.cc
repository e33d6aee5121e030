// The server in this process: start, stop, fork, sockets that the program closes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "debug/debug_server.h"
#include "debug/fd_table.h"
#include "debug/listener.h"

// ThreadSanitizer refuses threads in children of fork otherwise. Unused without it.
// NOLINTNEXTLINE(bugprone-reserved-identifier): its name
extern "C" __attribute__((visibility("default"))) const char* __tsan_default_options() {
  return "die_after_fork=0";
}

namespace burrow::debug {
namespace {

class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "burrow_server_XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    path_ = folder + "/s";
  }

  void TearDown() override {
    stop_server();
    unlink(path_.c_str());
    EXPECT_EQ(rmdir(folder_.c_str()), 0) << "something was left in " << folder_;
  }

  // A connected client, or -1.
  [[nodiscard]] int connect_client() const {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un a{};
    a.sun_family = AF_UNIX;
    std::memcpy(a.sun_path, path_.c_str(), path_.size());
    if (connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) != 0) {
      close(fd);
      return -1;
    }
    return fd;
  }

  static std::string read_to_end(int fd) {
    std::string text;
    char buffer[4096];
    for (ssize_t n = 0; (n = read(fd, buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<size_t>(n));
    }
    close(fd);
    return text;
  }

  [[nodiscard]] std::string get(const std::string& path) const {
    int fd = connect_client();
    if (fd < 0) {
      return "no connection";
    }
    std::string request = "GET " + path + " HTTP/1.1\r\nHost: anything.example\r\n\r\n";
    EXPECT_EQ(write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
    return read_to_end(fd);
  }

  [[nodiscard]] StartResult start() const { return start_server("unix:" + path_); }

  std::string folder_;
  std::string path_;
};

TEST_F(ServerTest, StartsServesAndStops) {
  for (int round = 0; round < 3; ++round) {
    StartResult result = start();
    ASSERT_TRUE(result.started) << result.error;
    EXPECT_EQ(result.url, "unix:" + path_);
    EXPECT_TRUE(get("/metrics").starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_NE(start().error.find("already serving"), std::string::npos);
    stop_server();
    EXPECT_EQ(connect_client(), -1);
    EXPECT_NE(access(path_.c_str(), F_OK), 0) << "the socket's file was left";
  }
}

TEST_F(ServerTest, SocketFileIsPrivateAndStaleOnesAreReplaced) {
  OwnFd stale = g_fds.open_socket(AF_UNIX);
  Address address = parse_address("unix:" + path_);
  ASSERT_EQ(bind(stale.fd, &address.socket.generic, address.length), 0);
  g_fds.close(stale);
  ASSERT_EQ(access(path_.c_str(), F_OK), 0);
  StartResult result = start();
  ASSERT_TRUE(result.started) << result.error;
  struct stat status{};
  ASSERT_EQ(lstat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(ServerTest, OtherFilesAreNotReplaced) {
  FILE* file = fopen(path_.c_str(), "we");
  ASSERT_NE(file, nullptr);
  fclose(file);
  StartResult result = start();
  EXPECT_FALSE(result.started);
  EXPECT_NE(result.error.find("in use"), std::string::npos) << result.error;
  EXPECT_EQ(access(path_.c_str(), F_OK), 0);
}

TEST_F(ServerTest, SaysWhyAPathCannotBeServed) {
  StartResult result = start_server("unix:/nowhere/socket");
  EXPECT_FALSE(result.started);
  EXPECT_NE(result.error.find("No such file"), std::string::npos) << result.error;
}

TEST_F(ServerTest, ASocketInUseIsNotReplaced) {
  OwnFd other = g_fds.open_socket(AF_UNIX);
  Address address = parse_address("unix:" + path_);
  ASSERT_EQ(bind(other.fd, &address.socket.generic, address.length), 0);
  ASSERT_EQ(listen(other.fd, 1), 0);
  EXPECT_FALSE(start().started);
  g_fds.close(other);
}

TEST_F(ServerTest, ChildHoldsNothingAndMayServeItself) {
  ASSERT_TRUE(start().started);
  int waiting = connect_client();  // accepted or not: the child must not keep it
  ASSERT_GE(waiting, 0);
  EXPECT_TRUE(get("/metrics").starts_with("HTTP/1.1 200"));
  pid_t child = fork();
  if (child == 0) {
    int open_sockets = 0;
    for (int fd = 0; fd < 1024; ++fd) {
      struct stat status{};
      open_sockets += fd != waiting && fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) ? 1 : 0;
    }
    bool own = start_server("unix:" + path_ + "2").started;
    stop_server();
    _exit(open_sockets == 0 && own ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(get("/metrics").starts_with("HTTP/1.1 200")) << "the parent still serves";
  close(waiting);
}

TEST_F(ServerTest, DescriptorsAreHighAndCloseOnExec) {
  OwnFd fd = g_fds.open_socket(AF_UNIX);
  EXPECT_GE(fd.fd, 100);
  EXPECT_EQ(fcntl(fd.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EXPECT_TRUE(FdTable::is_ours(fd));
  // The program closes it and has a socket of its own under the number.
  int other = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(dup2(other, fd.fd), fd.fd);
  EXPECT_FALSE(FdTable::is_ours(fd));
  g_fds.close(fd);
  EXPECT_EQ(fcntl(fd.fd, F_GETFD), 0) << "what is not ours was closed";
  close(fd.fd);
  close(other);
}

TEST_F(ServerTest, EndsWhenTheProgramClosesItsSocket) {
  ASSERT_TRUE(start().started);
  EXPECT_TRUE(get("/metrics").starts_with("HTTP/1.1 200"));
  close_range(100, 1023, 0);      // as a daemon does
  int client = connect_client();  // wakes the poll if anything does
  if (client >= 0) {
    close(client);
  }
  stop_server();  // does not hang
  EXPECT_TRUE(start().started);
  EXPECT_TRUE(get("/metrics").starts_with("HTTP/1.1 200"));
}

}  // namespace
}  // namespace burrow::debug
