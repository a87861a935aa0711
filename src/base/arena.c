/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16, FIRST_BLOCK = 16 * 1024, LARGEST_STEP = 4 * 1024 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t size;
    _Alignas(ALIGN) char bytes[];
};

struct arena arena_make(size_t cap_bytes)
{
    return (struct arena){ .cap_bytes = cap_bytes };
}

struct arena arena_in(void *memory, size_t size, size_t cap_bytes)
{
    size_t skip = (ALIGN - (uintptr_t)memory % ALIGN) % ALIGN;
    if (skip > size)
        return arena_make(cap_bytes);
    return (struct arena){ .p = (char *)memory + skip, .size = size - skip,
                           .cap_bytes = cap_bytes };
}

static _Noreturn void pass_cap(struct arena *arena)
{
    if (arena->over)
        longjmp(*arena->over, 1);
    fprintf(stderr, "frontline: out of memory: a job needed more than %zu bytes\n",
            arena->cap_bytes);
    abort();
}

static void add_block(struct arena *arena, size_t bytes)
{
    size_t size = arena->size < FIRST_BLOCK / 2 ? FIRST_BLOCK : arena->size * 2;
    size = size > LARGEST_STEP ? LARGEST_STEP : size;
    size = size < bytes ? bytes : size;
    if (size > arena->cap_bytes - arena->total_bytes)
        size = bytes;
    if (size > arena->cap_bytes - arena->total_bytes)
        pass_cap(arena);
    struct arena_block *block = malloc(sizeof *block + size);
    if (!block)
        pass_cap(arena);
    block->next = arena->blocks;
    block->size = size;
    arena->blocks = block;
    arena->total_bytes += size;
    arena->p = block->bytes;
    arena->used = 0;
    arena->size = size;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX - ALIGN)
        pass_cap(arena);
    bytes = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (bytes > arena->size - arena->used)
        add_block(arena, bytes);
    void *at = arena->p + arena->used;
    arena->used += bytes;
    return at;
}

void *arena_zero(struct arena *arena, size_t bytes)
{
    return memset(arena_alloc(arena, bytes), 0, bytes);
}

void *arena_array(struct arena *arena, size_t count, size_t item_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, item_bytes, &bytes))
        pass_cap(arena);
    return arena_zero(arena, bytes);
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t *cap, size_t item_bytes)
{
    if (count < *cap)
        return items;
    size_t wanted = *cap ? *cap * 2 : 8, bytes;
    if (__builtin_mul_overflow(wanted, item_bytes, &bytes))
        pass_cap(arena);
    void *moved = arena_alloc(arena, bytes);
    if (count)
        memcpy(moved, items, count * item_bytes);
    *cap = wanted;
    return moved;
}

str arena_copy(struct arena *arena, str text)
{
    if (!text.p)
        return text;
    char *copy = arena_alloc(arena, text.n);
    if (text.n)
        memcpy(copy, text.p, text.n);
    return (str){ copy, text.n };
}

const char *arena_cstr(struct arena *arena, str text)
{
    char *copy = arena_alloc(arena, text.n + 1);
    if (text.n)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return copy;
}

str arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(length >= 0);
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return (str){ text, (size_t)length };
}

static void drop_blocks(struct arena *arena, struct arena_block *until)
{
    while (arena->blocks != until) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}

void arena_reset(struct arena *arena)
{
    struct arena_block *first = arena->blocks;
    while (first && first->next)
        first = first->next;
    drop_blocks(arena, first);
    arena->used = 0;
    arena->total_bytes = first ? first->size : 0;
    if (first) {
        arena->p = first->bytes;
        arena->size = first->size;
    }
}

void arena_free(struct arena *arena)
{
    drop_blocks(arena, NULL);
    arena->p = NULL;
    arena->used = arena->size = arena->total_bytes = 0;
}

struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){ arena->blocks, arena->p, arena->used, arena->size,
                                arena->total_bytes };
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    drop_blocks(arena, mark.blocks);
    arena->p = mark.p;
    arena->used = mark.used;
    arena->size = mark.size;
    arena->total_bytes = mark.total_bytes;
}
