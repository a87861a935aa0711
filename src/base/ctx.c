/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ctx.h"
#include "base/clock.h"
#include <stdarg.h>
#include <stdio.h>

struct ctx_deferred {
    struct ctx_deferred *next;
    void (*release)(void *thing);
    void *thing;
};

struct ctx ctx_make(struct arena *arena)
{
    return (struct ctx){ .arena = arena, .issues = { .arena = arena } };
}

err ctx_fail(struct ctx *cx, err kind, str path, str text)
{
    return issues_add(&cx->issues, kind, path, text);
}

err ctx_failf(struct ctx *cx, err kind, str path, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t n = length < 0 ? 0 : (size_t)length;
    return issues_add(&cx->issues, kind, path,
                      (str){ text, n < sizeof text ? n : sizeof text - 1 });
}

void ctx_defer(struct ctx *cx, void (*release)(void *thing), void *thing)
{
    struct ctx_deferred *entry = arena_alloc(cx->arena, sizeof *entry);
    *entry = (struct ctx_deferred){ cx->deferred, release, thing };
    cx->deferred = entry;
}

void ctx_undefer(struct ctx *cx, void (*release)(void *thing))
{
    struct ctx_deferred **at = &cx->deferred;
    while (*at && (*at)->release != release)
        at = &(*at)->next;
    if (!*at)
        return;
    struct ctx_deferred *entry = *at;
    *at = entry->next;
    entry->release(entry->thing);
}

void ctx_release(struct ctx *cx)
{
    while (cx->deferred) {
        struct ctx_deferred *entry = cx->deferred;
        cx->deferred = entry->next;
        entry->release(entry->thing);
    }
}

err ctx_late(struct ctx *cx)
{
    if (!cx->deadline_ms || clock_monotonic_ms() < cx->deadline_ms)
        return ERR_OK;
    return ctx_fail(cx, ERR_BUSY, (str){ 0 },
                    S("stopped at its time limit; narrow the request and try again"));
}
