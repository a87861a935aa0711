/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"

/*
 * buf: builds a text of unknown length in an arena, with its maximum set at birth.
 *
 * Errors   passing max_bytes sets `full`; later additions are ignored, so a builder is checked once
 *          at its end. What was added before stays readable.
 * Memory   the text lives in the arena; buf_str is valid until the next addition.
 */
struct buf {
    struct arena *arena;
    char *p;
    size_t n, cap, max_bytes;
    bool full;
};

struct buf buf_make(struct arena *arena, size_t max_bytes);
void buf_add(struct buf *buf, str text);
void buf_char(struct buf *buf, char c);
void buf_u64(struct buf *buf, uint64_t value);
void buf_i64(struct buf *buf, int64_t value);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for `bytes` more to be written by the caller at the returned place; NULL when full. */
char *buf_room(struct buf *buf, size_t bytes);
void buf_took(struct buf *buf, size_t bytes); /* the caller wrote this many into the room */
static inline str buf_str(const struct buf *buf) { return (str){ buf->p ? buf->p : "", buf->n }; }
