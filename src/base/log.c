/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/clock.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static const char *const names[] = { "error", "warning", "info", "debug" };
static _Atomic int wanted = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store(&wanted, (int)level);
}

bool log_wants(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&wanted, memory_order_relaxed);
}

bool log_level_find(str name, enum log_level *out)
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(name, str_of(names[i]))) {
            *out = (enum log_level)i;
            return true;
        }
    return false;
}

size_t log_escape(char *out, size_t room, str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n && n + 6 <= room; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\')
            out[n++] = '\\';
        if (c >= 0x20 && c != 0x7f) {
            out[n++] = (char)c;
        } else {
            snprintf(out + n, 7, "\\u%04x", c);
            n += 6;
        }
    }
    return n;
}

void log_line(enum log_level level, str request_id, const char *format, ...)
{
    if (!log_wants(level))
        return;
    char text[LOG_LINE_MAX / 2], line[LOG_LINE_MAX], when[CLOCK_TEXT];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t n = length < 0 ? 0 : (size_t)length;
    n = n < sizeof text ? n : sizeof text - 1;
    clock_write(clock_now_ms(), when);
    size_t at = (size_t)snprintf(line, sizeof line, "{\"time\":\"%.*s\",\"level\":\"%s\",",
                                 CLOCK_TEXT, when, names[level]);
    if (request_id.n && request_id.n < 200) {
        at += (size_t)snprintf(line + at, sizeof line - at, "\"id\":\"");
        at += log_escape(line + at, 256, request_id);
        at += (size_t)snprintf(line + at, sizeof line - at, "\",");
    }
    at += (size_t)snprintf(line + at, sizeof line - at, "\"text\":\"");
    at += log_escape(line + at, sizeof line - at - 4, (str){ text, n });
    at += (size_t)snprintf(line + at, sizeof line - at, "\"}\n");
    ssize_t written = write(STDERR_FILENO, line, at);
    (void)written; /* nowhere left to say that standard error is closed */
}
