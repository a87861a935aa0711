/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * source: reads a file, plain or packed by gzip or zstd, from its beginning to its end.
 *
 * Shapes   "-" is standard input. How a file is packed is found from its first bytes, not its name.
 * Errors   ERR_NOT_FOUND, ERR_IO with the reason; ERR_INVALID: the packed data are damaged or cut
 *          off.
 * Memory   in the ctx's arena; the open file is closed by source_close or, at the latest, with the
 *          ctx.
 */
struct source;
err source_open(struct ctx *cx, str path, struct source **out) MUST_USE;
/* Up to `room` bytes; *got 0 at the end. */
err source_read(struct ctx *cx, struct source *source, char *to, size_t room, size_t *got) MUST_USE;
int64_t source_taken(const struct source *source); /* bytes of the file as it lies on disk */
void source_close(struct source *source);
