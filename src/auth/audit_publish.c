/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit_log.h"
#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <syslog.h>
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

err audit_publish(struct ctx *cx, const struct audit_log_options *options,
                  const struct audit_head *head)
{
    str line = head_line(cx, head);
    if (options->publish_syslog)
        syslog(LOG_AUTHPRIV | LOG_NOTICE, "frontline audit head %.*s", (int)(line.n - 1), line.p);
    return options->publish_file.n ? append(cx, options->publish_file, line) : ERR_OK;
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
