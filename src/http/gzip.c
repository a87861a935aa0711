/* SPDX-License-Identifier: Apache-2.0 */
#include "http/gzip.h"
#include "http/text.h"
#include <zlib.h>

/* Level 1: on FHIR JSON it saves 80 % against 85 % at level 6, for a quarter of the time. */
enum { LEVEL = 1, WINDOW_GZIP = 15 + 16, MEMORY_LEVEL = 8 };

struct packer {
    z_stream stream;
    bool ready;
};

static struct packer *of_thread(void)
{
    static _Thread_local struct packer packer;
    return &packer;
}

static z_stream *thread_stream(void)
{
    struct packer *packer = of_thread();
    if (packer->ready)
        return deflateReset(&packer->stream) == Z_OK ? &packer->stream : NULL;
    packer->ready = deflateInit2(&packer->stream, LEVEL, Z_DEFLATED, WINDOW_GZIP, MEMORY_LEVEL,
                                 Z_DEFAULT_STRATEGY) == Z_OK;
    return packer->ready ? &packer->stream : NULL;
}

void http_gzip_end(void)
{
    struct packer *packer = of_thread();
    if (packer->ready)
        deflateEnd(&packer->stream);
    packer->ready = false;
}

str http_gzip(struct arena *arena, str body)
{
    z_stream *stream = thread_stream();
    if (!stream || body.n > UINT32_MAX / 2)
        return (str){ 0 };
    char *out = arena_alloc(arena, body.n);
    stream->next_in = (Bytef *)(uintptr_t)body.p;
    stream->avail_in = (uInt)body.n;
    stream->next_out = (Bytef *)out;
    stream->avail_out = (uInt)body.n;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END)
        return (str){ 0 };
    return (str){ out, body.n - stream->avail_out };
}

bool http_gzip_wanted(str accept_encoding)
{
    struct http_accept item;
    bool any = false;
    while (http_next_accept(&accept_encoding, &item)) {
        if (str_eq_nocase(item.media, S("gzip")) || str_eq_nocase(item.media, S("x-gzip")))
            return item.q_milli > 0;
        any = any || (str_eq(item.media, S("*")) && item.q_milli > 0);
    }
    return any;
}
