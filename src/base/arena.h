/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/str.h"
#include <setjmp.h>

/*
 * arena: the memory of one request or job, given back all at once.
 *
 * Memory   arena_alloc never returns NULL. When the cap would be passed it jumps to `over` (set by
 *          the request loop, which answers 413); with no `over` it ends the process, so long-lived
 *          loops always set one. Allocations are 16-byte aligned and not cleared.
 * Limits   not thread-safe: one arena, one thread at a time. Never allocate from an arena inside a
 *          callback of another library: the jump would pass over its frames.
 */
struct arena_block;
struct arena {
    char *p;            /* current block */
    size_t used, size;  /* of the current block */
    struct arena_block *blocks;
    size_t total_bytes, cap_bytes;
    jmp_buf *over;
};

struct arena arena_make(size_t cap_bytes);
/* Starts in memory the caller owns (a test's stack, say); grows past it up to cap_bytes. */
struct arena arena_in(void *memory, size_t size, size_t cap_bytes);
void *arena_alloc(struct arena *arena, size_t bytes);
void *arena_zero(struct arena *arena, size_t bytes);
void *arena_array(struct arena *arena, size_t count, size_t item_bytes); /* cleared; overflow-safe */
/* Makes room for one more of `count` items: returns the array, moved and doubled when full. */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t *cap, size_t item_bytes);
str arena_copy(struct arena *arena, str text);
const char *arena_cstr(struct arena *arena, str text); /* NUL-terminated copy */
str arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void arena_reset(struct arena *arena); /* everything given back but one block; cap and over kept */
void arena_free(struct arena *arena);

/* A place to return to: everything allocated after the mark is given back by arena_rewind. */
struct arena_mark {
    struct arena_block *blocks;
    char *p;
    size_t used, size, total_bytes;
};
struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);
