/* SPDX-License-Identifier: Apache-2.0 */
#include "http/outcome.h"
#include "rest/bundle.h"
#include "rest/read.h"
#include "rest/target.h"
#include "store/commit.h"

static err write_one(struct rest_call *call, struct bundle_entry *entry)
{
    struct commit_op *op = arena_zero(call->cx->arena, sizeof *op);
    struct commit commit = { .ops = op, .ops_count = 1, .cx = call->cx };
    TRY(bundle_make_op(call, entry, op));
    TRY(commit_run(call->cx, call->store, &commit));
    entry->op = op;
    return bundle_take_op(call, entry);
}

static err read_one(struct rest_call *call, struct bundle_entry *entry)
{
    struct target target;
    struct target_answer answer = { 0 };
    TRY(target_read(call, entry->url, &target));
    TRY(target_get(call, &target, &answer));
    struct read_conditions conditions = {
        json_string(call->cx->arena, json_get(entry->request, S("ifNoneMatch"))),
        json_string(call->cx->arena, json_get(entry->request, S("ifModifiedSince"))),
    };
    entry->status = answer.status;
    entry->version = answer.version;
    if (answer.version.vid && read_is_unchanged(&conditions, &answer.version))
        entry->status = 304;
    else if (entry->method == HTTP_GET)
        entry->body = answer.body;
    return ERR_OK;
}

static err run_one(struct rest_call *call, struct json value, struct bundle_entry *entry)
{
    TRY(ctx_late(call->cx));
    TRY(bundle_read_entry(call, value, entry));
    return entry->method == HTTP_GET || entry->method == HTTP_HEAD ? read_one(call, entry)
                                                                   : write_one(call, entry);
}

/* Each entry has its own issues, format and fate. */
static err run_apart(struct rest_call *call, struct json value, struct bundle_entry *entry)
{
    struct rest_format format = call->format;
    call->cx->issues = (struct issues){ .arena = call->cx->arena };
    call->response->status = 0;
    call->response->headers_count = 0;
    err wrong = run_one(call, value, entry);
    call->format = format;
    if (!wrong)
        return bundle_note_read(call, entry);
    struct buf buf = buf_make(call->cx->arena, REST_TEXT_MAX);
    http_outcome_write(&buf, &call->cx->issues);
    entry->outcome = buf_str(&buf);
    entry->status = call->response->status >= 400 ? call->response->status
                                                  : err_http_status(wrong);
    return bundle_note_read(call, entry);
}

err batch_run(struct rest_call *call, struct json entries)
{
    size_t count = 0;
    struct bundle_entry *list = arena_array(call->cx->arena, json_count(entries), sizeof *list);
    for (struct json_walk w = json_walk(entries); json_next(&w);) {
        list[count].at = count;
        TRY(run_apart(call, w.value, &list[count++]));
    }
    call->cx->issues = (struct issues){ .arena = call->cx->arena };
    call->response->headers_count = 0;
    return bundle_answer(call, "batch-response", list, count);
}
