/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"
#include "http/outcome.h"
#include "rest/bundle.h"
#include "rest/read.h"
#include "rest/target.h"
#include "store/commit.h"

/* One entry's work, in the order of the specification. */
static const enum http_method order[] = { HTTP_DELETE, HTTP_POST, HTTP_PUT, HTTP_PATCH };

struct transaction {
    struct rest_call *call;
    struct bundle_entry *entries;
    size_t count;
    struct bundle_entry **writers; /* entry of each operation */
    struct commit commit;
};

static err read_entries(struct transaction *t, struct json list)
{
    err result = ERR_OK;
    for (struct json_walk w = json_walk(list); json_next(&w);) {
        struct bundle_entry *entry = &t->entries[t->count];
        size_t before = t->call->cx->issues.kept;
        entry->at = t->count++;
        err one = bundle_read_entry(t->call, w.value, entry);
        bundle_place_issues(t->call, before, entry);
        result = result ? result : one;
    }
    return result;
}

/* Faults of all entries are told at once. */
static err make_ops(struct transaction *t)
{
    err result = ERR_OK;
    for (size_t m = 0; m < COUNT(order); m++)
        for (size_t i = 0; i < t->count; i++) {
            struct bundle_entry *entry = &t->entries[i];
            if (entry->method != order[m])
                continue;
            size_t before = t->call->cx->issues.kept, at = t->commit.ops_count;
            err one = bundle_make_op(t->call, entry, &t->commit.ops[at]);
            bundle_place_issues(t->call, before, entry);
            result = result ? result : one;
            entry->op = &t->commit.ops[at];
            t->writers[at] = entry;
            t->commit.ops_count++;
        }
    return result;
}

/* A transaction may touch a resource once. */
static err check_once(struct transaction *t)
{
    struct ctx *cx = t->call->cx;
    struct map ids = map_make(cx->arena), urls = map_make(cx->arena);
    for (size_t i = 0; i < t->commit.ops_count; i++) {
        const struct commit_op *op = &t->commit.ops[i];
        struct bundle_entry *entry = t->writers[i];
        uint64_t other;
        str key = op->id.n ? arena_printf(cx->arena, "%.*s/%.*s",
                                          STR_ARG(fhir_resource_name(op->resource)),
                                          STR_ARG(op->id)) : (str){ 0 };
        if (key.n && !map_add(&ids, key, entry->at, &other))
            return ctx_failf(cx, ERR_INVALID,
                             arena_printf(cx->arena, "Bundle.entry[%zu]", entry->at),
                             "%.*s is written by entry %llu already; once is enough", STR_ARG(key),
                             (unsigned long long)other);
        if (entry->full_url.n && !map_add(&urls, entry->full_url, entry->at, &other) &&
            op->verb == COMMIT_CREATE)
            return ctx_failf(cx, ERR_INVALID, arena_printf(cx->arena, "Bundle.entry[%zu].fullUrl",
                                                           entry->at),
                             "entry %llu has the same fullUrl", (unsigned long long)other);
    }
    return ERR_OK;
}

static err read_one(struct transaction *t, struct bundle_entry *entry)
{
    struct target target;
    struct target_answer answer = { 0 };
    TRY(target_read(t->call, entry->url, &target));
    TRY(target_get(t->call, &target, &answer));
    entry->status = answer.status;
    entry->version = answer.version;
    if (entry->method == HTTP_GET)
        entry->body = answer.body;
    return ERR_OK;
}

/* Reads come last and see what the transaction wrote. One that finds nothing does not undo it. */
static err read_after(struct transaction *t, struct bundle_entry *entry)
{
    struct issues before = t->call->cx->issues;
    struct rest_format format = t->call->format;
    t->call->cx->issues = (struct issues){ .arena = t->call->cx->arena };
    t->call->response->status = 0;
    err wrong = read_one(t, entry);
    if (wrong) {
        struct buf buf = buf_make(t->call->cx->arena, REST_TEXT_MAX);
        http_outcome_write(&buf, &t->call->cx->issues);
        entry->outcome = buf_str(&buf);
        entry->status = t->call->response->status >= 400 ? t->call->response->status
                                                          : err_http_status(wrong);
    }
    t->call->cx->issues = before;
    t->call->format = format;
    return bundle_note_read(t->call, entry);
}

static err finish(struct http_request *request, struct http_response *response)
{
    struct transaction *t = request->self;
    (void)response;
    if (t->commit.error) {
        if (t->commit.failed < t->commit.ops_count)
            bundle_place_issues(t->call, 0, t->writers[t->commit.failed]);
        return t->commit.error;
    }
    for (size_t i = 0; i < t->count; i++) {
        struct bundle_entry *entry = &t->entries[i];
        if (entry->op)
            TRY(bundle_take_op(t->call, entry));
        else
            TRY(read_after(t, entry));
    }
    return bundle_answer(t->call, "transaction-response", t->entries, t->count);
}

static void wake(struct commit *commit)
{
    http_wake(commit->self);
}

err transaction_run(struct rest_call *call, struct json entries)
{
    struct ctx *cx = call->cx;
    struct transaction *t = arena_zero(cx->arena, sizeof *t);
    size_t most = json_count(entries);
    bool waiting = false;
    t->call = call;
    t->entries = arena_array(cx->arena, most, sizeof *t->entries);
    t->writers = arena_array(cx->arena, most, sizeof *t->writers);
    t->commit = (struct commit){ .ops = arena_array(cx->arena, most, sizeof *t->commit.ops),
                                 .done = wake, .self = call->request, .cx = cx };
    TRY(read_entries(t, entries));
    TRY(make_ops(t));
    TRY(check_once(t));
    call->request->self = t;
    if (t->commit.ops_count == 0)
        return finish(call->request, call->response);
    t->commit.failed = SIZE_MAX;
    err wrong = commit_submit(cx, call->store, &t->commit, &waiting);
    if (waiting) { /* the commit is the writer's now */
        http_wait(call->request, finish);
        return ERR_OK;
    }
    t->commit.error = wrong;
    return finish(call->request, call->response);
}
