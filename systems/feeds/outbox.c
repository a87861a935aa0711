/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/feeds/outbox.h"
#include "auth/gate.h"
#include "base/log.h"
#include "db/db.h"
#include "feeds_feeds.html.h"
#include "http/text.h"
#include "store/store.h"

enum { SQL_FAILED, SQL_WAITING, SQL_ONE, SQL_AGAIN, SQL_GIVE_UP };
#define ITEM "SELECT number, key, body, failures, parked, error, due_ms FROM due WHERE "
static const struct stmt sql[] = {
    [SQL_FAILED] = { "messages that could not be sent",
        ITEM "kind = 'adt-out' AND target <> '' AND failures > 0 ORDER BY number DESC LIMIT ?1",
        "SEARCH due USING INDEX due_by_target" },
    [SQL_WAITING] = { "messages that wait for a destination",
        "SELECT count(*) FROM due WHERE kind = 'adt-out' AND target <> '' AND target >= ?1 AND "
        "target < ?2", "SEARCH due USING COVERING INDEX due_by_target" },
    [SQL_ONE] = { "a message that waits to be sent", ITEM "number = ?1 AND kind = 'adt-out'",
        "SEARCH due USING INTEGER PRIMARY KEY" },
    [SQL_AGAIN] = { "send it again",
        "UPDATE due SET failures = 0, parked = 0, due_ms = ?2 WHERE number = ?1 AND "
        "kind = 'adt-out'", "SEARCH due USING INTEGER PRIMARY KEY" },
    [SQL_GIVE_UP] = { "give it up", "DELETE FROM due WHERE number = ?1 AND kind = 'adt-out'",
        "SEARCH due USING INTEGER PRIMARY KEY" },
    { 0 },
};

static str as_lines(struct ctx *cx, str text)
{
    char *out = arena_alloc(cx->arena, text.n + 1);
    for (size_t i = 0; i < text.n; i++)
        out[i] = text.p[i] == '\r' ? '\n' : text.p[i];
    return (str){ out, text.n };
}

/* "A03" of its MSH-9. */
static str event_of(struct ctx *cx, str text)
{
    size_t at = str_find(text, S("|ADT^"));
    return at == STR_NONE ? S("") : arena_copy(cx->arena, str_slice(text, at + 5, at + 8));
}

static struct feeds_out row_of(struct ctx *cx, struct db_stmt *stmt)
{
    str destination = arena_copy(cx->arena, db_text(stmt, 1)), seq;
    str_next(&destination, ' ', &seq);
    str text = arena_copy(cx->arena, db_text(stmt, 2));
    return (struct feeds_out){
        .number = db_int(stmt, 0), .failures = db_int(stmt, 3), .parked = db_int(stmt, 4) != 0,
        .control = arena_printf(cx->arena, "FL%.*s", STR_ARG(seq)), .destination = destination,
        .event = event_of(cx, text), .text = as_lines(cx, text),
        .error = arena_copy(cx->arena, db_text(stmt, 5)), .due = ui_time(cx, db_int(stmt, 6)),
    };
}

static err count_waiting(struct ctx *cx, str name, int64_t *out)
{
    struct db_stmt *stmt = db_use(cx, cx->db, sql, SQL_WAITING);
    bool row;
    db_bind_text(stmt, 1, arena_printf(cx->arena, "%.*s ", STR_ARG(name)));
    db_bind_text(stmt, 2, arena_printf(cx->arena, "%.*s!", STR_ARG(name))); /* after the blank */
    TRY(db_step(cx, stmt, &row));
    *out = row ? db_int(stmt, 0) : 0;
    db_reset(stmt);
    return ERR_OK;
}

err feeds_outbox_read(struct ctx *cx, struct store *store, struct feeds_outbox *out)
{
    size_t n = feeds_destinations_count();
    *out = (struct feeds_outbox){ .destinations_count = n };
    out->unsent = arena_array(cx->arena, FEEDS_OUT_LIST, sizeof *out->unsent);
    out->waiting = arena_array(cx->arena, n + 1, sizeof *out->waiting);
    out->destinations = arena_array(cx->arena, n + 1, sizeof *out->destinations);
    TRY(store_reader(cx, store));
    struct db_stmt *stmt = db_use(cx, cx->db, sql, SQL_FAILED);
    bool row = true;
    db_bind_int(stmt, 1, FEEDS_OUT_LIST);
    for (;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            break;
        out->unsent[out->unsent_count++] = row_of(cx, stmt);
    }
    for (size_t i = 0; i < n; i++) {
        out->destinations[i] = feeds_destination_at(cx, i);
        out->stuck += out->destinations[i].stuck;
        TRY(count_waiting(cx, out->destinations[i].name, &out->waiting[i]));
    }
    return ERR_OK;
}

int64_t feeds_waiting(const struct feeds_outbox *outbox, const struct feeds_destination *one)
{
    return outbox->waiting[one - outbox->destinations];
}

/* ---- one message ---- */

static err read_one(struct http_request *request, struct feeds_out *out)
{
    struct ctx *cx = request->cx;
    int64_t number = 0;
    bool row = false;
    TRY(store_reader(cx, request->store));
    if (str_to_i64(request->captures[0], &number)) {
        struct db_stmt *stmt = db_use(cx, cx->db, sql, SQL_ONE);
        db_bind_int(stmt, 1, number);
        TRY(db_step(cx, stmt, &row));
        if (row)
            *out = row_of(cx, stmt);
        db_reset(stmt);
    }
    return row ? ERR_OK : ctx_fail(cx, ERR_NOT_FOUND, (str){ 0 },
                                   S("this message does not wait any more: it was sent, or given "
                                     "up; look at the list again"));
}

static err show(struct http_request *request, struct http_response *response, str fault)
{
    struct feeds_out_page one = { .page = ui_page_for(request, S("A message to be sent")),
                                  .fault = fault };
    TRY(read_one(request, &one.one));
    one.page.section = "/feeds";
    one.page.back_href = S("/feeds");
    one.page.back_text = S("Feeds");
    struct buf out = ui_page_buf(request);
    feeds_out_draw(&out, &one);
    TRY(ui_page_send(request, response, &out));
    response->status = fault.n ? 422 : 200;
    return ERR_OK;
}

err feeds_out_get(struct http_request *request, struct http_response *response)
{
    return show(request, response, S(""));
}

struct change {
    int64_t number, now_ms;
    size_t how;
};

static err change_item(struct ctx *cx, struct db *db, void *self)
{
    const struct change *change = self;
    struct db_stmt *stmt = db_use(cx, db, sql, change->how);
    db_bind_int(stmt, 1, change->number);
    if (change->how == SQL_AGAIN)
        db_bind_int(stmt, 2, change->now_ms);
    return db_run(cx, stmt);
}

err feeds_out_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct feeds_out one;
    str act = http_query_value(cx->arena, request->body, S("act"));
    str reason = str_trim(http_query_value(cx->arena, request->body, S("reason")));
    bool gives_up = str_eq(act, S("give-up"));
    TRY(read_one(request, &one));
    if (!gives_up && !str_eq(act, S("again")))
        return ctx_fail(cx, ERR_INVALID, S("act"), S("choose what to do with the message"));
    if (gives_up && reason.n < 3)
        return show(request, response, S("say why it is given up: the other system will never be "
                                         "told of it"));
    struct change change = { one.number, cx->now_ms, gives_up ? SQL_GIVE_UP : SQL_AGAIN };
    ctx_release(cx);
    TRY(store_write(cx, request->store, change_item, &change));
    if (gives_up)
        log_line(LOG_WARNING, (str){ 0 }, "hl7v2: %.*s for %.*s is given up by %.*s: %.*s",
                 STR_ARG(one.control), STR_ARG(one.destination),
                 STR_ARG(cx->user ? cx->user->person.name : S("operator")),
                 STR_ARG(str_slice(reason, 0, 200)));
    response->status = 303;
    http_put_header(response, S("Location"), S("/feeds"));
    return ERR_OK;
}
