/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit_journal.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READY_BYTES = 1 << 20, FILE_BYTES_MAX = 1 << 30 };

struct piece {
    uint64_t serial, bytes;
    unsigned char check[crypto_shorthash_BYTES];
};

/* Finds what a crash tore, not what somebody forged: the chain is for that. So the key is known. */
static void check_of(const struct piece *piece, str texts,
                     unsigned char out[crypto_shorthash_BYTES])
{
    unsigned char key[crypto_shorthash_KEYBYTES] = { 0 };
    memcpy(key, &piece->serial, sizeof piece->serial);
    memcpy(key + sizeof piece->serial, &piece->bytes, sizeof piece->bytes);
    crypto_shorthash(out, (const unsigned char *)texts.p, texts.n, key);
}

/* ---- a file that is taken away while it is memory ---- */

/* What this thread is writing to, while it does. */
struct guarded {
    char *volatile base;
    volatile size_t bytes;
    volatile sig_atomic_t lost;
};
static _Thread_local struct guarded guarded;

/* Somebody cut the file, or its disk gave way: other memory is put in its place, so that the copy
 * ends and its writer learns of it. A fault anywhere else comes again, and ends the program. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    const char *at = info->si_addr;
    bool ours = guarded.base && at >= guarded.base && at < guarded.base + guarded.bytes;
    if (ours && mmap(guarded.base, guarded.bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
        guarded.lost = 1;
    else
        signal(number, SIG_DFL);
}

static void catch_faults(void)
{
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

static void guard(struct audit_journal *journal)
{
    guarded.lost = 0;
    guarded.bytes = (size_t)journal->size;
    guarded.base = journal->base;
    atomic_signal_fence(memory_order_seq_cst);
}

/* After a write: it is in a file that has a name and still holds it. */
static bool is_kept(const struct audit_journal *journal)
{
    struct stat st;
    atomic_signal_fence(memory_order_seq_cst);
    guarded.base = NULL;
    return !guarded.lost && fstat(journal->fd, &st) == 0 && st.st_nlink > 0 &&
           st.st_size >= journal->size;
}

/* Blocks that are allocated here cannot be missing when memory is written to them: a full disk is
 * an error now, not a signal later. */
static bool make_room(struct audit_journal *journal, int64_t bytes)
{
    struct stat st;
    if (fstat(journal->fd, &st) != 0)
        return false;
    int64_t size = st.st_size > READY_BYTES ? st.st_size : READY_BYTES;
    while (size < bytes)
        size *= 2;
    int failed = posix_fallocate(journal->fd, 0, size);
    if (failed) {
        errno = failed;
        return false;
    }
    void *base = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, journal->fd, 0);
    if (base == MAP_FAILED)
        return false;
    if (journal->base)
        munmap(journal->base, (size_t)journal->size);
    journal->base = base;
    journal->size = size;
    return true;
}

/* No link is followed: it would lead the entries elsewhere. */
static int open_file(const char *path)
{
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

err audit_journal_open(struct ctx *cx, str path, struct audit_journal *out)
{
    *out = (struct audit_journal){ .path = arena_cstr(cx->arena, path) };
    out->fd = open_file(out->path);
    catch_faults();
    if (out->fd >= 0 && make_room(out, READY_BYTES))
        return ERR_OK;
    int why = errno;
    audit_journal_close(out);
    return ctx_failf(cx, ERR_IO, path, "the audit's journal cannot be written: %s", strerror(why));
}

void audit_journal_close(struct audit_journal *journal)
{
    if (journal->base)
        munmap(journal->base, (size_t)journal->size);
    if (journal->fd > 0)
        close(journal->fd);
    *journal = (struct audit_journal){ 0 };
}

/* The next whole piece of the group from *at on. */
static bool take_piece(str file, size_t *at, uint64_t *serial, str *texts)
{
    struct piece piece;
    unsigned char check[crypto_shorthash_BYTES];
    if (file.n - *at < sizeof piece)
        return false;
    memcpy(&piece, file.p + *at, sizeof piece);
    str rest = str_slice(file, *at + sizeof piece, file.n);
    if (!piece.serial || (*serial && piece.serial != *serial) || piece.bytes > rest.n)
        return false;
    *texts = str_slice(rest, 0, (size_t)piece.bytes);
    check_of(&piece, *texts, check);
    if (memcmp(check, piece.check, sizeof check) != 0)
        return false;
    *serial = piece.serial;
    *at += sizeof piece + texts->n;
    return true;
}

static err read_file(struct ctx *cx, int fd, str *out)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size > FILE_BYTES_MAX)
        return ctx_fail(cx, ERR_IO, S("audit"), S("the audit's journal cannot be read"));
    char *bytes = arena_alloc(cx->arena, (size_t)st.st_size + 1);
    size_t n = 0;
    for (ssize_t got = 1; got > 0 && n < (size_t)st.st_size; n += got > 0 ? (size_t)got : 0) {
        got = pread(fd, bytes + n, (size_t)st.st_size - n, (off_t)n);
        if (got < 0)
            return ctx_failf(cx, ERR_IO, S("audit"), "the audit's journal cannot be read: %s",
                             strerror(errno));
    }
    *out = (str){ bytes, n };
    return ERR_OK;
}

err audit_journal_read(struct ctx *cx, const struct audit_journal *journal, uint64_t *serial,
                       str *texts)
{
    str file = { 0 }, piece;
    size_t at = 0;
    *serial = 0;
    TRY(read_file(cx, journal->fd, &file));
    struct buf all = buf_make(cx->arena, FILE_BYTES_MAX);
    while (take_piece(file, &at, serial, &piece)) {
        buf_add(&all, piece);
        buf_char(&all, '\n');
    }
    *texts = buf_str(&all);
    return ERR_OK;
}

void audit_journal_begin(struct audit_journal *journal, uint64_t serial)
{
    journal->serial = serial;
    journal->at = 0;
}

bool audit_journal_add(struct audit_journal *journal, str line)
{
    struct piece piece = { .serial = journal->serial, .bytes = line.n };
    check_of(&piece, line, piece.check);
    int64_t end = journal->at + (int64_t)(sizeof piece + line.n);
    if (journal->lost || (end > journal->size && !make_room(journal, end)))
        return false;
    guard(journal);
    memcpy(journal->base + journal->at, &piece, sizeof piece);
    memcpy(journal->base + journal->at + sizeof piece, line.p, line.n);
    journal->lost = !is_kept(journal);
    journal->at = journal->lost ? journal->at : end;
    return !journal->lost;
}

/* The number of the handle stays: another thread may be syncing it. */
bool audit_journal_remake(struct audit_journal *journal)
{
    int fd = open_file(journal->path);
    bool same = fd >= 0 && dup3(fd, journal->fd, O_CLOEXEC) == journal->fd;
    if (fd >= 0)
        close(fd);
    journal->at = 0;
    journal->lost = !same || !make_room(journal, journal->size);
    return !journal->lost;
}

bool audit_journal_sync(const struct audit_journal *journal)
{
    return fdatasync(journal->fd) == 0;
}
