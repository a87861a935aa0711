/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/op.h"
#include "store/own_status.h"

/*
 * SearchParameter/$status: how far the server's own search parameters are. Ours; FHIR R4 leaves it
 * to the server when a SearchParameter posted to it takes effect.
 */
static void open_part(struct json_writer *w, const char *name)
{
    json_open(w, '{');
    json_put_str(w, "name", str_of(name));
}

static void put_part(struct json_writer *w, const char *name, const char *type, str value)
{
    open_part(w, name);
    json_put_str(w, type, value);
    json_close(w, '}');
}

static void put_number(struct json_writer *w, const char *name, int64_t value)
{
    open_part(w, name);
    json_put_u64(w, "valueInteger", (uint64_t)(value < INT32_MAX ? value : INT32_MAX));
    json_close(w, '}');
}

static err write_one(const struct operation_ask *ask, struct json_writer *w,
                     const struct own_status *status)
{
    struct store_version source;
    bool whole = status->state == OWN_ACTIVE || status->total == 0;
    int64_t percent = whole ? 100 : status->done * 100 / status->total;
    size_t issues = ask->call->cx->issues.count;
    if (store_read_rid(ask->call->cx, ask->call->store, status->source, &source)) {
        ask->call->cx->issues.count = ask->call->cx->issues.kept = issues; /* deleted just now */
        source.id = S("?");
    }
    open_part(w, "parameter");
    json_key(w, "part");
    json_open(w, '[');
    put_part(w, "code", "valueCode", status->code);
    put_part(w, "base", "valueCode", fhir_resource_name(status->resource));
    if (status->url.n)
        put_part(w, "url", "valueUri", status->url);
    put_part(w, "definition", "valueString",
             arena_printf(ask->call->cx->arena, "SearchParameter/%.*s", STR_ARG(source.id)));
    put_part(w, "state", "valueCode", str_of(own_state_name(status->state)));
    put_number(w, "percent", percent < 100 || whole ? percent : 99);
    put_number(w, "done", status->done);
    put_number(w, "total", status->total);
    json_close(w, ']');
    json_close(w, '}');
    return ERR_OK;
}

/* One asked for by id that is not in the list: why. */
static err write_reason(const struct operation_ask *ask, struct json_writer *w,
                        const struct store_version *version)
{
    struct json body;
    str reason;
    TRY(json_parse(ask->call->cx, version->body, &body));
    TRY(own_explain(ask->call->cx, ask->call->store, body, version->rid, &reason));
    open_part(w, "parameter");
    json_key(w, "part");
    json_open(w, '[');
    put_part(w, "state", "valueCode", reason.p ? S("none") : S("waiting"));
    if (reason.p)
        put_part(w, "reason", "valueString", reason);
    json_close(w, ']');
    json_close(w, '}');
    return ERR_OK;
}

err op_status(const struct operation_ask *ask, struct operation_answer *out)
{
    struct ctx *cx = ask->call->cx;
    struct own_status *list;
    struct store_version version = { 0 };
    struct buf buf = buf_make(cx->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    size_t count, shown = 0;
    TRY(own_list(cx, ask->call->store, &list, &count));
    if (str_given(ask->id))
        TRY(store_read(cx, ask->call->store, ask->resource, ask->id, &version));
    for (size_t i = 0; i < count; i++)
        if (list[i].state != OWN_DROPPING && (!version.rid || list[i].source == version.rid))
            list[shown++] = list[i];
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Parameters"));
    if (shown || version.rid) {
        json_key(&w, "parameter");
        json_open(&w, '[');
    }
    for (size_t i = 0; i < shown; i++)
        TRY(write_one(ask, &w, &list[i]));
    if (version.rid && !shown)
        TRY(write_reason(ask, &w, &version));
    if (shown || version.rid)
        json_close(&w, ']');
    json_close(&w, '}');
    out->body = buf_str(&buf);
    return ERR_OK;
}
