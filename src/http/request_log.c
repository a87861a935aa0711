/* SPDX-License-Identifier: Apache-2.0 */
#include "http/internal.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/text.h"
#include <unistd.h>

/* Lines are gathered and written once a turn of the loop: a write each costs a tenth of a read. */
enum { LOG_BUFFER_BYTES = 65536, LOG_LINE_BYTES = 1024, LOG_PATH_MAX = 300 };

void request_log_flush(struct http_loop *loop)
{
    size_t at = 0;
    while (at < loop->log_bytes) {
        ssize_t n = write(STDERR_FILENO, loop->log + at, loop->log_bytes - at);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    loop->log_bytes = 0;
}

/* The query stays out of the log: it may name a patient. */
void request_log(struct http_connection *c)
{
    struct http_loop *loop = c->loop;
    if (!loop->server->options->log_requests || !log_wants(LOG_INFO))
        return;
    if (!loop->log)
        loop->log = malloc(LOG_BUFFER_BYTES);
    if (!loop->log)
        return;
    if (loop->log_bytes + LOG_LINE_BYTES > LOG_BUFFER_BYTES)
        request_log_flush(loop);
    char path[LOG_PATH_MAX * 6], when[CLOCK_TEXT], *at = loop->log + loop->log_bytes;
    str target = str_slice(c->target, 0, str_find_char(c->target, '?'));
    size_t n = log_escape(path, LOG_PATH_MAX, target);
    clock_write(c->cx.now_ms, when);
    int length = snprintf(at, LOG_LINE_BYTES,
                          "{\"time\":\"%.*s\",\"level\":\"info\",\"id\":\"%.*s\","
                          "\"method\":\"%.*s\",\"path\":\"%.*s\",\"status\":%d,"
                          "\"ms\":%.3f,\"in\":%zu,\"out\":%llu}\n",
                          CLOCK_TEXT, when, STR_ARG(c->cx.request_id),
                          STR_ARG(http_method_name(c->request.method)), (int)n, path,
                          c->response.status,
                          (double)(clock_monotonic_ns() - c->started_ns) / 1e6, c->body_bytes,
                          (unsigned long long)c->sent_bytes);
    if (length > 0 && length < LOG_LINE_BYTES)
        loop->log_bytes += (size_t)length;
}
