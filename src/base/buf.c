/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct buf buf_make(struct arena *arena, size_t max_bytes)
{
    return (struct buf){ .arena = arena, .max_bytes = max_bytes };
}

char *buf_room(struct buf *buf, size_t bytes)
{
    if (buf->full || bytes > buf->max_bytes - buf->n) {
        buf->full = true;
        return NULL;
    }
    if (bytes > buf->cap - buf->n) {
        size_t wanted = buf->cap ? buf->cap * 2 : 256;
        wanted = wanted < buf->n + bytes ? buf->n + bytes : wanted;
        wanted = wanted > buf->max_bytes ? buf->max_bytes : wanted;
        char *moved = arena_alloc(buf->arena, wanted);
        if (buf->n)
            memcpy(moved, buf->p, buf->n);
        buf->p = moved;
        buf->cap = wanted;
    }
    return buf->p + buf->n;
}

void buf_took(struct buf *buf, size_t bytes)
{
    assert(bytes <= buf->cap - buf->n);
    buf->n += bytes;
}

void buf_add(struct buf *buf, str text)
{
    char *room = text.n ? buf_room(buf, text.n) : NULL;
    if (room) {
        memcpy(room, text.p, text.n);
        buf->n += text.n;
    }
}

void buf_char(struct buf *buf, char c)
{
    char *room = buf_room(buf, 1);
    if (room) {
        *room = c;
        buf->n++;
    }
}

void buf_u64(struct buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    buf_add(buf, (str){ digits + at, sizeof digits - at });
}

void buf_i64(struct buf *buf, int64_t value)
{
    if (value < 0)
        buf_char(buf, '-');
    buf_u64(buf, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(length >= 0);
    char *room = buf_room(buf, (size_t)length + 1);
    if (room) {
        vsnprintf(room, (size_t)length + 1, format, again);
        buf->n += (size_t)length;
    }
    va_end(again);
}
