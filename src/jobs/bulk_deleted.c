/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"
#include "jobs/bulk_work.h"
#include "json/write.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/*
 * What was deleted since an instant, for whoever keeps a copy: without it a copy keeps what the
 * record has let go.
 *
 * Source   Bulk Data Access 2, "deleted" of the manifest: transaction Bundles with request.method
 *          DELETE and request.url.
 */
enum { HISTORY_PAGE = 2000, BUNDLE_ENTRIES = 100 };
#define LINE_BYTES_MAX ((size_t)1 << 20)
#define SEEN_BYTES_MAX ((size_t)512 << 20)

struct deleted {
    struct arena kept;       /* what outlives a page: the ids seen, the line being written */
    FILE *file;
    struct buf buf;
    struct json_writer w;
    size_t entries;          /* of the bundle being written */
    int64_t count;
};

static void end_bundle(struct deleted *d)
{
    if (!d->entries)
        return;
    json_close(&d->w, ']');
    json_close(&d->w, '}');
    buf_char(&d->buf, '\n');
    fwrite(d->buf.p, 1, d->buf.n, d->file); /* a fault shows when the file is closed */
    d->buf.n = 0;
    d->entries = 0;
}

static void add(struct deleted *d, const struct store_version *version, struct arena *arena)
{
    if (!d->entries++) {
        d->w = json_writer(&d->buf);
        json_raw(&d->w, S("{\"resourceType\":\"Bundle\",\"type\":\"transaction\","
                          "\"entry\":["));
        d->w.comma = false;
    }
    json_open(&d->w, '{');
    json_key(&d->w, "request");
    json_open(&d->w, '{');
    json_put_str(&d->w, "method", S("DELETE"));
    json_put_str(&d->w, "url", arena_printf(arena, "%.*s/%.*s",
                                            STR_ARG(fhir_resource_name(version->resource)),
                                            STR_ARG(version->id)));
    json_close(&d->w, '}');
    json_close(&d->w, '}');
    d->count++;
    if (d->entries == BUNDLE_ENTRIES)
        end_bundle(d);
}

/* History comes newest first: the first version met of a resource says whether it is there. */
static err add_type(struct ctx *cx, struct bulk *bulk, uint16_t resource, int64_t since_ms,
                    struct deleted *d)
{
    struct store_history query = { .resource = resource, .since_ms = since_ms,
                                   .count = HISTORY_PAGE };
    struct store_versions page = { .more = true };
    struct map seen = map_make(&d->kept);
    while (page.more && !bulk->closing && !bulk->cancel) {
        struct arena_mark mark = arena_mark(cx->arena);
        TRY(store_history(cx, bulk->store, &query, &page));
        for (size_t i = 0; i < page.count; i++) {
            const struct store_version *version = &page.list[i];
            query.before_seq = version->seq;
            if (map_add(&seen, arena_copy(&d->kept, version->id), 1, NULL) &&
                version->method == STORE_DELETED)
                add(d, version, cx->arena);
        }
        page.more = page.more && page.count;
        arena_rewind(cx->arena, mark);
    }
    return ERR_OK;
}

static err add_types(struct ctx *cx, struct bulk *bulk, const uint64_t *types, int64_t since_ms,
                     struct deleted *d)
{
    for (uint16_t r = 0; r < fhir_resources_count; r++)
        if (types[r / 64] >> (r % 64) & 1)
            TRY(add_type(cx, bulk, r, since_ms, d));
    end_bundle(d);
    return bulk->closing || bulk->cancel ? ERR_BUSY : ERR_OK;
}

err bulk_write_deleted(struct ctx *cx, struct bulk *bulk, str id, const uint64_t *types,
                       int64_t since_ms, int64_t *count)
{
    str path = arena_printf(cx->arena, "%.*s/deleted.ndjson", STR_ARG(bulk_folder(cx, bulk, id)));
    struct deleted d = { .file = fopen(path.p, "w"), .kept = arena_make(SEEN_BYTES_MAX) };
    d.kept.over = cx->arena->over;
    d.buf = buf_make(&d.kept, LINE_BYTES_MAX);
    if (!d.file)
        return ctx_failf(cx, ERR_IO, (str){ 0 }, "%s cannot be written: %s", path.p,
                         strerror(errno));
    err wrong = add_types(cx, bulk, types, since_ms, &d);
    bool whole = !ferror(d.file);
    whole = fclose(d.file) == 0 && whole;
    *count = d.count;
    arena_free(&d.kept);
    if (wrong || !d.count)
        unlink(path.p);
    if (!wrong && !whole)
        return ctx_failf(cx, ERR_IO, (str){ 0 }, "%s cannot be written", path.p);
    return wrong;
}
