/* SPDX-License-Identifier: Apache-2.0 */
#include "main/views.h"
#include "base/clock.h"
#include <stdio.h>
#include <unistd.h>

void views_show(void *self, str name, int64_t done, int64_t total)
{
    enum { EVERY_MS = 200, WIDTH = 30 };
    int64_t *shown_ms = self, now = clock_monotonic_ms();
    bool last = done >= total;
    if (!isatty(STDERR_FILENO) || (now - *shown_ms < EVERY_MS && !last))
        return;
    *shown_ms = now;
    int filled = total > 0 ? (int)(done * WIDTH / total) : WIDTH;
    filled = filled > WIDTH ? WIDTH : filled;
    fprintf(stderr, "\rview %.*s [%.*s%*s] %lld of %lld%s", STR_ARG(name), filled,
            "##############################", WIDTH - filled, "", (long long)done,
            (long long)total, last ? "\n" : "");
}

err views_open(struct ctx *cx, struct store *store, str folder)
{
    struct view_tables *tables;
    int64_t shown_ms = 0;
    struct view_rebuild how = { .store = store, .folder = folder, .progress = views_show,
                                .self = &shown_ms };
    TRY(view_tables_make(cx, view_files, &tables));
    return view_tables_open(cx, tables, &how);
}
