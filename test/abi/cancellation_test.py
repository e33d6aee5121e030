#!/usr/bin/env python3
"""cancellation_test.py BUILD: nothing below malloc and free is a cancellation point, by the undefined
symbols of the objects: libc's functions that are one are replaced by system calls, for a thread that
is cancelled there would leave the heap locked."""
import pathlib
import re
import subprocess
import sys
import unittest

BUILD = pathlib.Path(sys.argv.pop(1))

# What POSIX.1-2017 (2.9.5.2) and glibc call cancellation points, of both lists: that are ones, and
# that may be.
POINTS = set("""
    accept accept4 aio_suspend clock_nanosleep close connect copy_file_range creat dprintf epoll_pwait
    epoll_wait eventfd_read eventfd_write fclose fcntl fdatasync fflush fgetc fgets fopen fprintf fputc
    fputs fread fscanf fseek fsync fwrite getc getchar getdelim getline getmsg getpwnam_r getpwuid_r
    getrandom glob lockf mq_receive mq_send msgrcv msgsnd msync nanosleep open open64 openat openat64
    opendir pause perror poll ppoll pread pread64 preadv printf pselect pthread_barrier_wait
    pthread_cond_timedwait pthread_cond_wait pthread_join pthread_testcancel pwrite pwrite64 pwritev
    puts putc read readdir readv recv recvfrom recvmsg rewinddir select sem_timedwait sem_wait send
    sendfile sendmmsg sendmsg sendto sigpause sigsuspend sigtimedwait sigwait sigwaitinfo sleep
    splice sync_file_range syslog system tcdrain tee usleep vfprintf vmsplice vsyslog wait wait3
    wait4 waitid waitpid write writev
    """.split())

# Objects that are not below malloc and free, or whose functions there are POSIX's own points.
APART = {
    "os/linux/poll.cc.o": "the poller's thread",
    "os/linux/dirty.cc.o": "the collector's, which has its own check",
    "os/linux/task_list.cc.o": "the collector's",
    "os/linux/mappings.cc.o": "the collector's",
    "os/linux/thread.cc.o": "pthread_join, where the first thread ends: see end_scavenger",
    "shim/info.cc.o": "malloc_info writes to a FILE",
    "prof/helper.cc.o": "asks a process for names",
    "prof/profile_file.cc.o": "writes the profile at the end",
}


def undefined(path):
    done = subprocess.run(["nm", "-u", path], capture_output=True, text=True, check=True, timeout=60)
    return {re.sub("@.*", "", line.split()[-1]) for line in done.stdout.splitlines() if line.strip()}


class Cancellation(unittest.TestCase):
    def objects(self):
        for layer in "base", "os", "heap", "shim", "prof":
            for path in (BUILD / "src" / layer).rglob("*.o"):
                target = re.search(r"CMakeFiles/(\w+)\.dir/(.*)", str(path))
                if target[1].startswith("burrow_"):
                    yield f"{layer}/{target[2]}", path

    def test_no_point_below_malloc(self):
        seen = set()
        for name, path in self.objects():
            seen.add(name)
            points = undefined(path) & POINTS
            if name in APART:
                self.assertTrue(points, f"{name} needs no exception any more")
            else:
                self.assertEqual(points, set(), name)
        self.assertGreater(len(seen), 50)
        self.assertEqual(set(APART) - seen, set())


if __name__ == "__main__":
    unittest.main()
