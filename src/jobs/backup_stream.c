/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/backup_stream.h"
#include "jobs/backup.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum {
    FRAME_BYTES = 64 << 10,
    SEALED_BYTES = FRAME_BYTES + crypto_secretstream_xchacha20poly1305_ABYTES,
    HEADER_BYTES = crypto_secretstream_xchacha20poly1305_HEADERBYTES,
    ZSTD_LEVEL = 3
};
static const char magic[] = "FRONTLINE-BACKUP-1\n";

struct backup_stream {
    FILE *file;
    str path, part;         /* part given while it is written */
    crypto_secretstream_xchacha20poly1305_state seal;
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
    unsigned char plain[FRAME_BYTES], sealed[SEALED_BYTES];
    size_t plain_count, plain_at; /* bytes of `plain`; unpacked up to plain_at */
    bool ended;             /* the frame with the end mark was read */
    int64_t file_bytes;
};

static err fail_file(struct ctx *cx, str path, const char *what)
{
    return ctx_failf(cx, ERR_IO, (str){ 0 }, "%.*s cannot be %s: %s", STR_ARG(path), what,
                     strerror(errno));
}

static err fail_content(struct ctx *cx, const struct backup_stream *stream, const char *why)
{
    return ctx_failf(cx, ERR_INVALID, (str){ 0 }, "%.*s %s", STR_ARG(stream->path), why);
}

static const unsigned char *key_or_none(const unsigned char *key)
{
    static const unsigned char none[BACKUP_KEY_BYTES];
    return key ? key : none;
}

static err make(struct ctx *cx, str file, struct backup_stream **out)
{
    struct backup_stream *stream = arena_zero(cx->arena, sizeof *stream);
    *out = stream;
    stream->path = file;
    if (sodium_init() < 0)
        return ctx_fail(cx, ERR_IO, (str){ 0 }, S("the cipher library cannot start"));
    return ERR_OK;
}

void backup_stream_free(struct backup_stream *stream)
{
    if (!stream)
        return;
    if (stream->file)
        fclose(stream->file);
    if (str_given(stream->part))
        unlink(stream->part.p);
    ZSTD_freeCCtx(stream->pack);
    ZSTD_freeDCtx(stream->unpack);
    sodium_memzero(&stream->seal, sizeof stream->seal);
}

/* ---- writing ---- */

static err write_bytes(struct ctx *cx, struct backup_stream *stream, const void *bytes,
                       size_t count)
{
    stream->file_bytes += (int64_t)count;
    return fwrite(bytes, 1, count, stream->file) == count
               ? ERR_OK : fail_file(cx, stream->part, "written");
}

static err write_frame(struct ctx *cx, struct backup_stream *stream, bool last)
{
    unsigned long long count = 0;
    unsigned char tag = last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                             : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    crypto_secretstream_xchacha20poly1305_push(&stream->seal, stream->sealed, &count, stream->plain,
                                               stream->plain_count, NULL, 0, tag);
    unsigned char length[4];
    for (size_t i = 0; i < sizeof length; i++)
        length[i] = (unsigned char)(count >> (8 * i));
    stream->plain_count = 0;
    TRY(write_bytes(cx, stream, length, sizeof length));
    return write_bytes(cx, stream, stream->sealed, (size_t)count);
}

static err pack(struct ctx *cx, struct backup_stream *stream, str bytes, ZSTD_EndDirective how)
{
    ZSTD_inBuffer in = { bytes.p, bytes.n, 0 };
    for (;;) {
        ZSTD_outBuffer out = { stream->plain, FRAME_BYTES, stream->plain_count };
        size_t left = ZSTD_compressStream2(stream->pack, &out, &in, how);
        if (ZSTD_isError(left))
            return fail_content(cx, stream, ZSTD_getErrorName(left));
        stream->plain_count = out.pos;
        if (how == ZSTD_e_end ? left == 0 : in.pos == in.size)
            return ERR_OK;
        TRY(write_frame(cx, stream, false));
    }
}

err backup_stream_create(struct ctx *cx, str file, const unsigned char *key,
                         struct backup_stream **out)
{
    unsigned char header[HEADER_BYTES];
    TRY(make(cx, file, out));
    struct backup_stream *stream = *out;
    str part = arena_printf(cx->arena, "%.*s.part", STR_ARG(file));
    int descriptor = open(part.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return fail_file(cx, part, "made");
    stream->part = part;
    stream->file = fdopen(descriptor, "wb");
    stream->pack = ZSTD_createCCtx();
    if (!stream->file || !stream->pack)
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("out of memory"));
    ZSTD_CCtx_setParameter(stream->pack, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    crypto_secretstream_xchacha20poly1305_init_push(&stream->seal, header, key_or_none(key));
    TRY(write_bytes(cx, stream, magic, sizeof magic - 1));
    TRY(write_bytes(cx, stream, key ? "e" : "p", 1));
    return write_bytes(cx, stream, header, sizeof header);
}

err backup_stream_put(struct ctx *cx, struct backup_stream *stream, str bytes)
{
    return pack(cx, stream, bytes, ZSTD_e_continue);
}

err backup_stream_finish(struct ctx *cx, struct backup_stream *stream, int64_t *file_bytes)
{
    TRY(pack(cx, stream, S(""), ZSTD_e_end));
    TRY(write_frame(cx, stream, true));
    bool whole = fflush(stream->file) == 0 && fsync(fileno(stream->file)) == 0;
    whole = fclose(stream->file) == 0 && whole;
    stream->file = NULL;
    /* link, not rename: a backup that is there already is never written over */
    if (!whole || link(stream->part.p, arena_cstr(cx->arena, stream->path)))
        return fail_file(cx, stream->path, "written");
    *file_bytes = stream->file_bytes;
    return ERR_OK;
}

/* ---- reading ---- */

static err read_bytes(struct ctx *cx, struct backup_stream *stream, void *bytes, size_t count)
{
    stream->file_bytes += (int64_t)count;
    if (fread(bytes, 1, count, stream->file) == count)
        return ERR_OK;
    return ferror(stream->file) ? fail_file(cx, stream->path, "read")
                                : fail_content(cx, stream, "is cut short");
}

err backup_stream_open(struct ctx *cx, str file, const unsigned char *key,
                       struct backup_stream **out)
{
    char start[sizeof magic];
    unsigned char header[HEADER_BYTES];
    TRY(make(cx, file, out));
    struct backup_stream *stream = *out;
    stream->file = fopen(arena_cstr(cx->arena, file), "rbe");
    stream->unpack = ZSTD_createDCtx();
    if (!stream->file)
        return fail_file(cx, file, "read");
    if (fread(start, 1, sizeof start, stream->file) != sizeof start ||
        memcmp(start, magic, sizeof magic - 1) != 0)
        return fail_content(cx, stream, "is not a backup of Frontline");
    stream->file_bytes = sizeof start;
    bool encrypted = start[sizeof magic - 1] == 'e';
    if (encrypted != (key != NULL))
        return fail_content(cx, stream, encrypted ? "is encrypted: give its key by --key-file"
                                                  : "is not encrypted: leave --key-file out");
    TRY(read_bytes(cx, stream, header, sizeof header));
    if (crypto_secretstream_xchacha20poly1305_init_pull(&stream->seal, header, key_or_none(key)))
        return fail_content(cx, stream, "is damaged");
    return ERR_OK;
}

static err read_frame(struct ctx *cx, struct backup_stream *stream)
{
    unsigned char length[4], tag = 0;
    unsigned long long opened = 0;
    size_t count = 0;
    TRY(read_bytes(cx, stream, length, sizeof length));
    for (size_t i = 0; i < sizeof length; i++)
        count |= (size_t)length[i] << (8 * i);
    if (count > SEALED_BYTES)
        return fail_content(cx, stream, "is damaged");
    TRY(read_bytes(cx, stream, stream->sealed, count));
    if (crypto_secretstream_xchacha20poly1305_pull(&stream->seal, stream->plain, &opened, &tag,
                                                   stream->sealed, count, NULL, 0))
        return fail_content(cx, stream, "is damaged, or sealed with another key");
    stream->plain_count = (size_t)opened;
    stream->plain_at = 0;
    stream->ended = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    return ERR_OK;
}

err backup_stream_take(struct ctx *cx, struct backup_stream *stream, char *bytes, size_t count)
{
    ZSTD_outBuffer out = { bytes, count, 0 };
    while (out.pos < out.size) {
        ZSTD_inBuffer in = { stream->plain, stream->plain_count, stream->plain_at };
        size_t before = out.pos;
        size_t left = ZSTD_decompressStream(stream->unpack, &out, &in);
        if (ZSTD_isError(left))
            return fail_content(cx, stream, "is damaged");
        stream->plain_at = in.pos;
        if (out.pos == out.size || out.pos > before)
            continue;
        if (stream->ended)
            return fail_content(cx, stream, "ends too early");
        TRY(read_frame(cx, stream));
    }
    return ERR_OK;
}

err backup_stream_end(struct ctx *cx, struct backup_stream *stream, int64_t *file_bytes)
{
    while (!stream->ended)
        TRY(read_frame(cx, stream));
    if (fgetc(stream->file) != EOF)
        return fail_content(cx, stream, "has something after its end");
    *file_bytes = stream->file_bytes;
    return ERR_OK;
}
