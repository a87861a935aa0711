/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/package.h"
#include <zlib.h>

/*
 * Just as much of tar as packages use: ustar headers with a prefix, and the long names of pax and
 * GNU tar. Source: POSIX.1-2017, pax, "ustar Interchange Format".
 */
enum { BLOCK = 512, NAME_AT = 0, NAME_BYTES = 100, SIZE_AT = 124, SIZE_BYTES = 12, SUM_AT = 148,
       SUM_BYTES = 8, TYPE_AT = 156, MAGIC_AT = 257, PREFIX_AT = 345, PREFIX_BYTES = 155 };

struct tar {
    struct ctx *cx;
    gzFile file;
    str path;
    str long_name; /* said by an entry before the one it is for */
};

static void close_file(void *file) { gzclose_r(file); }

static err damaged(struct tar *tar)
{
    return ctx_fail(tar->cx, ERR_INVALID, tar->path, S("is not a gzipped tar, or is cut short"));
}

static err read_exactly(struct tar *tar, char *out, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        int got = gzread(tar->file, out + done, (unsigned)(bytes - done));
        if (got <= 0)
            return damaged(tar);
        done += (size_t)got;
    }
    return ERR_OK;
}

static bool read_octal(const char *field, size_t bytes, size_t *out)
{
    size_t value = 0, at = 0;
    while (at < bytes && field[at] == ' ')
        at++;
    for (; at < bytes && field[at] >= '0' && field[at] <= '7'; at++)
        value = value * 8 + (size_t)(field[at] - '0');
    *out = value;
    return at == bytes || field[at] == 0 || field[at] == ' ';
}

static str field_text(const char *field, size_t bytes)
{
    return (str){ field, strnlen(field, bytes) };
}

/* The sum of all bytes, its own field taken as spaces. */
static bool sum_is_right(const char *header)
{
    size_t sum = 0, expected;
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= SUM_AT && i < SUM_AT + SUM_BYTES ? ' ' : (unsigned char)header[i];
    return read_octal(header + SUM_AT, SUM_BYTES, &expected) && sum == expected;
}

static str entry_name(struct tar *tar, const char *header)
{
    str name = field_text(header + NAME_AT, NAME_BYTES);
    str prefix = field_text(header + PREFIX_AT, PREFIX_BYTES);
    bool ustar = memcmp(header + MAGIC_AT, "ustar", 5) == 0;
    if (str_given(tar->long_name))
        name = tar->long_name;
    else if (ustar && header[MAGIC_AT + 5] == 0 && prefix.n)
        name = arena_printf(tar->cx->arena, "%.*s/%.*s", STR_ARG(prefix), STR_ARG(name));
    tar->long_name = (str){ 0 };
    return arena_copy(tar->cx->arena, name);
}

/* pax: "27 path=package/some.json\n" lines. */
static str pax_path(str text)
{
    str line, length;
    while (str_next(&text, '\n', &line))
        if (str_next(&line, ' ', &length) && str_starts(line, S("path=")))
            return str_slice(line, 5, line.n);
    return (str){ 0 };
}

static err take_entry(struct tar *tar, struct package *package, const char *header)
{
    size_t size;
    if (!sum_is_right(header) || !read_octal(header + SIZE_AT, SIZE_BYTES, &size))
        return damaged(tar);
    if (size > PACKAGE_FILE_BYTES_MAX)
        return ctx_fail(tar->cx, ERR_LIMIT, tar->path, S("holds a file of more than 64 MiB"));
    char type = header[TYPE_AT];
    str name = type == 'x' || type == 'L' || type == 'g' ? (str){ 0 } : entry_name(tar, header);
    size_t padded = (size + BLOCK - 1) / BLOCK * BLOCK;
    char *text = arena_alloc(tar->cx->arena, padded + 1);
    TRY(read_exactly(tar, text, padded));
    str content = { text, size };
    if (type == 'x')
        tar->long_name = pax_path(content);
    else if (type == 'L')
        tar->long_name = field_text(text, size);
    else if (type == '0' || type == 0)
        return package_take(tar->cx, package, name, content);
    return ERR_OK;
}

err package_untar(struct ctx *cx, struct package *package, str path)
{
    struct tar tar = { .cx = cx, .path = path };
    tar.file = gzopen(arena_cstr(cx->arena, path), "rb");
    if (!tar.file)
        return ctx_fail(cx, ERR_IO, path, S("cannot be opened"));
    ctx_defer(cx, close_file, tar.file);
    for (bool any = false;; any = true) {
        char header[BLOCK];
        int got = gzread(tar.file, header, BLOCK);
        if (got != BLOCK)
            return got == 0 && any ? ERR_OK : damaged(&tar);
        if (header[0] == 0)
            return any ? ERR_OK : damaged(&tar); /* two empty blocks end the archive */
        TRY(take_entry(&tar, package, header));
    }
}
