/* SPDX-License-Identifier: Apache-2.0 */
#include "main/serve.h"
#include "module/module.h"
#include "rest/bulk.h"

static const struct consumer *const *all_consumers(struct arena *arena)
{
    size_t count = 0;
    for (size_t i = 0; modules[i]; i++)
        for (size_t k = 0; modules[i]->consumers && modules[i]->consumers[k]; k++)
            count++;
    const struct consumer **list = arena_array(arena, count + 1, sizeof *list);
    count = 0;
    for (size_t i = 0; modules[i]; i++)
        for (size_t k = 0; modules[i]->consumers && modules[i]->consumers[k]; k++)
            list[count++] = modules[i]->consumers[k];
    return list;
}

static const struct due_kind *const *all_kinds(struct arena *arena)
{
    size_t count = 0;
    for (size_t i = 0; modules[i]; i++)
        for (size_t k = 0; modules[i]->due && modules[i]->due[k]; k++)
            count++;
    const struct due_kind **list = arena_array(arena, count + 1, sizeof *list);
    count = 0;
    for (size_t i = 0; modules[i]; i++)
        for (size_t k = 0; modules[i]->due && modules[i]->due[k]; k++)
            list[count++] = modules[i]->due[k];
    return list;
}

err serve_start_background(struct ctx *cx, struct serve *serve, str folder)
{
    TRY(bulk_start(cx, serve->store, folder, &serve->bulk));
    rest_bulk_use(serve->bulk);
    TRY(due_start(cx, serve->store, all_kinds(cx->arena), &serve->due));
    return consumers_start(cx, serve->store, all_consumers(cx->arena), &serve->consumers);
}

void serve_stop_background(struct serve *serve)
{
    if (serve->consumers)
        consumers_stop(serve->consumers);
    if (serve->due)
        due_stop(serve->due);
    if (serve->bulk)
        bulk_stop(serve->bulk);
}
