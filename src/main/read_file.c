/* SPDX-License-Identifier: Apache-2.0 */
#include "main/read_file.h"
#include "base/buf.h"
#include <errno.h>

enum { STEP = 1 << 16 };

err read_file(struct ctx *cx, str path, str *out)
{
    bool standard = str_eq(path, S("-"));
    FILE *file = standard ? stdin : fopen(arena_cstr(cx->arena, path), "rb");
    if (!file)
        return ctx_failf(cx, ERR_NOT_FOUND, S(""), "%.*s: %s", STR_ARG(path), strerror(errno));
    struct buf buf = buf_make(cx->arena, READ_FILE_MAX);
    for (char *room; (room = buf_room(&buf, STEP)) && !feof(file) && !ferror(file);)
        buf_took(&buf, fread(room, 1, STEP, file));
    bool broken = ferror(file);
    if (!standard)
        fclose(file);
    if (broken)
        return ctx_failf(cx, ERR_IO, S(""), "%.*s cannot be read", STR_ARG(path));
    if (buf.full)
        return ctx_failf(cx, ERR_LIMIT, S(""), "%.*s is too large", STR_ARG(path));
    *out = buf_str(&buf);
    return ERR_OK;
}
