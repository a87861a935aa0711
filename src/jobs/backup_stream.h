/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * backup_stream: bytes into and out of the packed, sealed frames of a backup. Private to backup.
 *
 * Errors   as backup.h.
 */
struct backup_stream;

/* Writes FILE.part; backup_stream_finish gives it its name. */
err backup_stream_create(struct ctx *cx, str file, const unsigned char *key,
                         struct backup_stream **out) MUST_USE;
err backup_stream_put(struct ctx *cx, struct backup_stream *stream, str bytes) MUST_USE;
err backup_stream_finish(struct ctx *cx, struct backup_stream *stream, int64_t *file_bytes)
    MUST_USE;

err backup_stream_open(struct ctx *cx, str file, const unsigned char *key,
                       struct backup_stream **out) MUST_USE;
/* Exactly `count` bytes, or ERR_INVALID. */
err backup_stream_take(struct ctx *cx, struct backup_stream *stream, char *bytes, size_t count)
    MUST_USE;
/* ERR_INVALID when there is more, or the end mark is missing. */
err backup_stream_end(struct ctx *cx, struct backup_stream *stream, int64_t *file_bytes) MUST_USE;
/* Gives back memory and files; an unfinished FILE.part is removed. */
void backup_stream_free(struct backup_stream *stream);
