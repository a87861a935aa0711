/* SPDX-License-Identifier: Apache-2.0 */
#include "main/sandbox.h"
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* By name, so that one list serves every machine; a name the machine does not know is left out. */
static const char *const allowed[] = {
    /* files of the data folder */
    "access", "chmod", "close", "close_range", "dup", "dup2", "dup3", "faccessat", "faccessat2",
    "fadvise64", "fallocate", "fchmod", "fchmodat", "fchown", "fcntl", "fdatasync", "flock",
    "fstat", "fstatfs", "fsync", "ftruncate", "getcwd", "getdents", "getdents64", "ioctl", "link",
    "linkat", "lseek", "lstat", "mkdir", "mkdirat", "newfstatat", "open", "openat", "pread64",
    "preadv", "pwrite64", "pwritev", "read", "readlink", "readlinkat", "readv", "rename",
    "renameat", "renameat2", "rmdir", "sendfile", "stat", "statfs", "statx", "sync_file_range",
    "truncate", "umask", "unlink", "unlinkat", "utimensat", "write", "writev",
    /* the network */
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen",
    "recvfrom", "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
    "socketpair",
    /* waiting, time, signals to itself */
    "clock_getres", "clock_gettime", "clock_nanosleep", "epoll_create", "epoll_create1",
    "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2", "futex", "gettimeofday",
    "nanosleep", "pipe", "pipe2", "poll", "ppoll", "pselect6", "restart_syscall", "rt_sigaction",
    "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "select", "sigaltstack",
    "tgkill", "time", "timerfd_create", "timerfd_gettime", "timerfd_settime",
    /* memory and threads */
    "arch_prctl", "brk", "exit", "exit_group", "get_robust_list", "getrandom", "madvise",
    "membarrier", "mincore", "mlock", "mremap", "munlock", "munmap", "prctl", "rseq",
    "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_setaffinity",
    "sched_yield", "set_robust_list", "set_tid_address",
    /* who and where it is */
    "getegid", "geteuid", "getgid", "getgroups", "getpid", "getppid", "getrlimit", "getrusage",
    "gettid", "getuid", "prlimit64", "setrlimit", "sysinfo", "uname",
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    /* the leak check stops the world from a process of its own */
    "clone", "clone3", "personality", "process_vm_readv", "ptrace", "wait4",
#endif
};

static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK /* address lookup */ };

static int allow_listed(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < COUNT(allowed); i++) {
        int number = seccomp_syscall_resolve_name(allowed[i]);
        int wrong = number == __NR_SCMP_ERROR ? 0
                                              : seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
        if (wrong)
            return wrong;
    }
    return 0;
}

static int allow_sockets(scmp_filter_ctx filter)
{
    int wrong = 0;
    for (size_t i = 0; i < COUNT(families) && !wrong; i++)
        wrong = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                                 SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
    return wrong;
}

/* Memory may be written or run, not both, and does not become runnable later. */
static int allow_memory(scmp_filter_ctx filter)
{
    int wrong = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                                 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_WRITE, 0));
    if (!wrong)
        wrong = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                                 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (!wrong)
        wrong = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    return wrong;
}

/* Threads, but no processes. What clone3 asks for cannot be seen, so the library is made to fall
 * back to clone. */
static int allow_threads(scmp_filter_ctx filter)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    (void)filter;
    return 0;
#else
    int wrong = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (!wrong)
        wrong = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                 SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    return wrong;
#endif
}

err sandbox_enter(struct ctx *cx)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int wrong = filter ? allow_listed(filter) : -ENOMEM;
    if (!wrong)
        wrong = allow_sockets(filter);
    if (!wrong)
        wrong = allow_memory(filter);
    if (!wrong)
        wrong = allow_threads(filter);
    if (!wrong)
        wrong = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    if (!wrong)
        return ERR_OK;
    return ctx_failf(cx, ERR_IO, S("process.sandbox"),
                     "the sandbox cannot be entered: %s; --set process.sandbox=no does without",
                     strerror(-wrong));
}
