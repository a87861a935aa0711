/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit_log.h"
#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A chain can be made anew from its first entry on by who may write the file. What was said
 * elsewhere cannot be unsaid: so the head goes where the record's keeper cannot reach. */
static str head_line(struct ctx *cx, const struct audit_head *head)
{
    char at[CLOCK_TEXT];
    clock_write(cx->now_ms, at);
    return arena_printf(cx->arena, "%.*s %lld %.*s\n", CLOCK_TEXT, at, (long long)head->n,
                        STR_ARG(audit_head_hex(cx->arena, head)));
}

static err append(struct ctx *cx, str path, str line)
{
    int fd = open(arena_cstr(cx->arena, path), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    bool written = fd >= 0 && write(fd, line.p, line.n) == (ssize_t)line.n && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    return written ? ERR_OK
                   : ctx_failf(cx, ERR_IO, S("audit.publish_file"),
                               "the head of the audit cannot be added to %.*s: %s", STR_ARG(path),
                               strerror(why));
}

/* RFC 3164 as the local syslog takes it, in one datagram: authpriv (10), notice (5). Our own rather
 * than syslog(3), which says nothing when nobody listens. */
enum { SYSLOG_PRIORITY = 10 * 8 + 5 };

static err say(struct ctx *cx, str path, str line)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    str text = arena_printf(cx->arena, "<%d>frontline[%d]: audit head %.*s", SYSLOG_PRIORITY,
                            (int)getpid(), (int)(line.n - 1), line.p);
    bool fits = path.n < sizeof to.sun_path;
    int fd = fits ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
    if (fits)
        memcpy(to.sun_path, path.p, path.n);
    bool said = fd >= 0 && sendto(fd, text.p, text.n, MSG_NOSIGNAL, (struct sockaddr *)(void *)&to,
                                  sizeof to) == (ssize_t)text.n;
    int why = fits ? errno : ENAMETOOLONG;
    if (fd >= 0)
        close(fd);
    return said ? ERR_OK
                : ctx_failf(cx, ERR_IO, S("audit.syslog_socket"), "the head of the audit cannot be "
                            "said to syslog at %.*s: %s", STR_ARG(path), strerror(why));
}

err audit_publish(struct ctx *cx, const struct audit_log_options *options,
                  const struct audit_head *head)
{
    str line = head_line(cx, head);
    err said = options->publish_syslog ? say(cx, options->syslog_socket, line) : ERR_OK;
    err kept = options->publish_file.n ? append(cx, options->publish_file, line) : ERR_OK;
    return kept != ERR_OK ? kept : said;
}

static bool read_line(str line, struct audit_head *out)
{
    str at, number, hash;
    size_t bytes = 0;
    if (!str_next(&line, ' ', &at) || !str_next(&line, ' ', &number) ||
        !str_next(&line, ' ', &hash) || !str_to_i64(number, &out->n))
        return false;
    return sodium_hex2bin(out->hash, sizeof out->hash, hash.p, hash.n, NULL, &bytes, NULL) == 0 &&
           bytes == sizeof out->hash;
}

err audit_publish_check(struct ctx *cx, struct db *db, str file_text, size_t *count)
{
    str line;
    *count = 0;
    while (str_next(&file_text, '\n', &line)) {
        struct audit_head head;
        if (!str_trim(line).n)
            continue;
        if (!read_line(str_trim(line), &head))
            return ctx_failf(cx, ERR_INVALID, S("--heads"), "line %zu is no published head: "
                             "\"INSTANT N HASH\"", *count + 1);
        TRY(audit_verify_head(cx, db, &head));
        (*count)++;
    }
    return ERR_OK;
}
