/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/source.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum packing { PLAIN, GZIP, ZSTD };
enum { INPUT_BYTES = 128 * 1024 };

struct source {
    int file;
    enum packing packing;
    str path;
    char *input;
    size_t at, filled; /* of the input */
    int64_t taken;
    bool over;         /* the file has ended */
    bool whole;        /* the packed data ended where a frame ends */
    z_stream gzip;
    ZSTD_DStream *zstd;
};

static void release(void *thing)
{
    struct source *source = thing;
    if (source->file > 0)
        close(source->file);
    source->file = -1;
    if (source->packing == GZIP)
        inflateEnd(&source->gzip);
    ZSTD_freeDStream(source->zstd);
    source->zstd = NULL;
    source->packing = PLAIN;
}

void source_close(struct source *source)
{
    release(source);
}

static err fill(struct ctx *cx, struct source *source)
{
    if (source->at < source->filled || source->over)
        return ERR_OK;
    ssize_t got;
    do
        got = read(source->file, source->input, INPUT_BYTES);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return ctx_failf(cx, ERR_IO, (str){ 0 }, "%.*s cannot be read: %s", STR_ARG(source->path),
                         strerror(errno));
    source->at = 0;
    source->filled = (size_t)got;
    source->taken += got;
    source->over = got == 0;
    return ERR_OK;
}

static err damaged(struct ctx *cx, const struct source *source)
{
    return ctx_failf(cx, ERR_INVALID, (str){ 0 }, "%.*s: the packed data are damaged or cut off",
                     STR_ARG(source->path));
}

static err start_unpacking(struct ctx *cx, struct source *source)
{
    const unsigned char *head = (const unsigned char *)source->input;
    if (source->filled >= 2 && head[0] == 0x1f && head[1] == 0x8b) {
        if (inflateInit2(&source->gzip, 15 + 32) != Z_OK)
            return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("out of memory"));
        source->packing = GZIP;
    }
    if (source->filled >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0) {
        source->zstd = ZSTD_createDStream();
        if (!source->zstd)
            return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("out of memory"));
        source->packing = ZSTD;
    }
    source->whole = source->packing == PLAIN;
    return ERR_OK;
}

err source_open(struct ctx *cx, str path, struct source **out)
{
    struct source *source = arena_zero(cx->arena, sizeof *source);
    source->path = path;
    source->input = arena_alloc(cx->arena, INPUT_BYTES);
    source->file = str_eq(path, S("-")) ? 0 : open(arena_cstr(cx->arena, path),
                                                   O_RDONLY | O_CLOEXEC);
    if (source->file < 0)
        return ctx_failf(cx, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, (str){ 0 },
                         "%.*s cannot be opened: %s", STR_ARG(path), strerror(errno));
    ctx_defer(cx, release, source);
    TRY(fill(cx, source));
    TRY(start_unpacking(cx, source));
    *out = source;
    return ERR_OK;
}

static err read_gzip(struct ctx *cx, struct source *source, char *to, size_t room, size_t *got)
{
    z_stream *z = &source->gzip;
    z->next_in = (Bytef *)source->input + source->at;
    z->avail_in = (uInt)(source->filled - source->at);
    z->next_out = (Bytef *)to;
    z->avail_out = (uInt)room;
    if (source->whole && z->avail_in) /* another member follows */
        inflateReset(z);
    int code = z->avail_in ? inflate(z, Z_NO_FLUSH) : Z_BUF_ERROR;
    source->at = source->filled - z->avail_in;
    *got = room - z->avail_out;
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return damaged(cx, source);
    if (code != Z_BUF_ERROR)
        source->whole = code == Z_STREAM_END;
    return ERR_OK;
}

static err read_zstd(struct ctx *cx, struct source *source, char *to, size_t room, size_t *got)
{
    ZSTD_inBuffer in = { source->input, source->filled, source->at };
    ZSTD_outBuffer to_buffer = { to, room, 0 };
    size_t code = ZSTD_decompressStream(source->zstd, &to_buffer, &in);
    if (ZSTD_isError(code))
        return damaged(cx, source);
    source->whole = code == 0 || (source->whole && in.pos == source->at && !to_buffer.pos);
    source->at = in.pos;
    *got = to_buffer.pos;
    return ERR_OK;
}

static err read_some(struct ctx *cx, struct source *source, char *to, size_t room, size_t *got)
{
    if (source->packing == GZIP)
        return read_gzip(cx, source, to, room, got);
    if (source->packing == ZSTD)
        return read_zstd(cx, source, to, room, got);
    size_t here = source->filled - source->at;
    *got = here < room ? here : room;
    memcpy(to, source->input + source->at, *got);
    source->at += *got;
    return ERR_OK;
}

err source_read(struct ctx *cx, struct source *source, char *to, size_t room, size_t *got)
{
    *got = 0;
    while (!*got) {
        TRY(fill(cx, source));
        bool ended = source->over;
        TRY(read_some(cx, source, to, room > 1 << 30 ? 1 << 30 : room, got));
        if (ended && !*got)
            return source->whole ? ERR_OK : damaged(cx, source);
    }
    return ERR_OK;
}

int64_t source_taken(const struct source *source)
{
    return source->taken - (int64_t)(source->filled - source->at);
}
