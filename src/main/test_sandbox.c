/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE sandbox
#include "base/test.h"
#include "main/sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void *run_thread(void *self)
{
    *(int *)self = 1;
    return NULL;
}

/* Each returns true when things are as they should be inside. */
static bool starts_no_program(void)
{
    char *const words[] = { (char *)"true", NULL }, *const none[] = { NULL };
    return execve("/bin/true", words, none) == -1 && errno == EPERM;
}

static bool opens_no_raw_socket(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0) == -1 && errno == EPERM;
}

static bool has_no_memory_to_write_and_run(void)
{
    void *both = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *plain = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return both == MAP_FAILED && plain != MAP_FAILED &&
           mprotect(plain, 4096, PROT_READ | PROT_EXEC) == -1 && errno == EPERM;
}

static bool changes_nothing_of_the_machine(void)
{
    return sethostname("x", 1) == -1 && errno == EPERM && chroot("/tmp") == -1 && errno == EPERM;
}

static bool still_works(void)
{
    pthread_t thread;
    int ran = 0, file = open("/proc/self/stat", O_RDONLY), stream = socket(AF_INET, SOCK_STREAM, 0);
    bool thread_runs = pthread_create(&thread, NULL, run_thread, &ran) == 0 &&
                       pthread_join(thread, NULL) == 0;
    return thread_runs && ran && file >= 0 && stream >= 0;
}

TEST(sandbox_lets_a_server_serve_and_nothing_else)
{
    static const struct { const char *name; bool (*holds)(void); } rows[] = {
        { "starts no program", starts_no_program },
        { "opens no raw socket", opens_no_raw_socket },
        { "has no memory to write and run", has_no_memory_to_write_and_run },
        { "changes nothing of the machine", changes_nothing_of_the_machine },
        { "still works", still_works },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0)
            _exit(sandbox_enter(cx) ? 2 : rows[i].holds() ? 0 : 1);
        EXPECT(rows[i].name, waitpid(child, &status, 0) == child);
        EXPECT_INT(rows[i].name, WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
    }
}
