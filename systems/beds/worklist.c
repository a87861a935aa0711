/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/worklist.h"
#include "systems/beds/claim.h"
#include "systems/beds/edit.h"
#include "systems/beds/picture_read.h"

enum { TASK_BYTES = 16 << 10 };
#define MESSAGE "https://frontline.example/Id/bed-exception"
#define RESERVATION "beds-reservation"
#define NOT_GIVEN_BACK "beds-not-given-back"

/* ---- exceptions ---- */

static err write_task(struct ctx *cx, const struct beds_trouble *trouble, struct json *out)
{
    struct buf buf = buf_make(cx->arena, TASK_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Task"));
    if (trouble->message.n)
        json_put_raw(&w, "identifier", arena_printf(cx->arena, "[{\"system\":\"" MESSAGE
                     "\",\"value\":\"%.*s\"}]", STR_ARG(trouble->message)));
    json_put_str(&w, "status", S("requested"));
    json_put_str(&w, "intent", S("order"));
    json_put_str(&w, "priority", S("urgent"));
    json_put_raw(&w, "code", S("{\"text\":\"" BEDS_EXCEPTION "\"}"));
    json_put_str(&w, "description", trouble->what);
    if (trouble->encounter.n)
        json_put_raw(&w, "focus", arena_printf(cx->arena, "{\"reference\":\"Encounter/%.*s\"}",
                                               STR_ARG(trouble->encounter)));
    json_put_str(&w, "authoredOn", beds_when(cx, cx->now_ms));
    json_close(&w, '}');
    return json_parse(cx, buf_str(&buf), out);
}

err beds_worklist_add(struct ctx *cx, struct store *store, const struct beds_trouble *trouble)
{
    struct commit_op op = { .verb = COMMIT_CREATE, .resource = fhir_resource_find(S("Task")),
                            .granted = true };
    struct commit commit = { .ops = &op, .ops_count = 1, .cx = cx, .why = S("beds: exception") };
    if (trouble->message.n)
        op.condition = arena_printf(cx->arena, "identifier=" MESSAGE "|%.*s",
                                    STR_ARG(trouble->message));
    TRY(write_task(cx, trouble, &op.body));
    TRY(commit_run(cx, store, &commit));
    issues_note(&cx->issues, (struct issue){ .kind = ERR_CONFLICT, .path = S("worklist"),
        .severity = ISSUE_INFORMATION, .text = arena_printf(cx->arena,
            "put on the bed manager's worklist as Task/%.*s", STR_ARG(op.version.id)) });
    return ERR_OK;
}

err beds_worklist_note(struct ctx *cx, struct db *db, str encounter, int64_t vid, str what)
{
    struct due_item item = { .kind = S(NOT_GIVEN_BACK), .due_ms = cx->now_ms, .body = what,
                             .key = arena_printf(cx->arena, "%.*s/%lld", STR_ARG(encounter),
                                                 (long long)vid) };
    TRY(due_put(cx, db, &item));
    issues_note(&cx->issues, (struct issue){ .kind = ERR_CONFLICT, .path = S("worklist"),
        .severity = ISSUE_INFORMATION, .text = S("put on the bed manager's worklist") });
    return ERR_OK;
}

static err make_noted(struct ctx *cx, struct store *store, const struct due_item *item, void *self)
{
    (void)self;
    return beds_worklist_add(cx, store, &(struct beds_trouble){
        .encounter = str_slice(item->key, 0, str_find_char(item->key, '/')),
        .message = item->key,
        .what = arena_printf(cx->arena, "A stay was to be opened again in the bed it left, and it "
                             "was taken: %.*s", STR_ARG(item->body)) });
}

static err close_task(struct ctx *cx, const struct commit_op *op, struct json before,
                      struct json *after)
{
    struct buf buf = buf_make(cx->arena, TASK_BYTES);
    struct json_writer w = json_writer(&buf);
    (void)op;
    json_open(&w, '{');
    for (struct json_walk walk = json_walk(before); json_next(&walk);) {
        bool open = json_string_is(walk.key, S("status")) &&
                    json_string_is(walk.value, S("requested"));
        json_key_str(&w, json_string(cx->arena, walk.key));
        json_raw(&w, open ? S("\"completed\"") : json_text(walk.value));
    }
    json_close(&w, '}');
    return json_parse(cx, buf_str(&buf), after);
}

/* The message was applied after all, or set aside: nothing is left to do about it. */
static err end_message(struct ctx *cx, struct store *store, str message)
{
    struct commit_op op = { .verb = COMMIT_PATCH, .resource = fhir_resource_find(S("Task")),
                            .granted = true, .skip_unchanged = true, .patch = close_task };
    struct commit commit = { .ops = &op, .ops_count = 1, .cx = cx,
                             .why = S("beds: the message was applied or set aside") };
    op.condition = arena_printf(cx->arena, "identifier=" MESSAGE "|%.*s", STR_ARG(message));
    err wrong = commit_run(cx, store, &commit);
    return wrong == ERR_NOT_FOUND ? ERR_OK : wrong;
}

/* A message that a claim of ours refused is on hold, and somebody's work. */
static err take_message(struct ctx *cx, struct store *store, const struct store_version *version)
{
    struct json body;
    TRY(json_parse(cx, version->body, &body));
    str reason = json_string(cx->arena, json_get(json_get(body, S("statusReason")), S("text")));
    bool ours = str_find(reason, S(BEDS_ONE_STAY)) != STR_NONE ||
                str_find(reason, S(BEDS_ONE_BED)) != STR_NONE;
    bool held = json_string_is(json_get(body, S("status")), S("on-hold"));
    if (!held && version->vid > 1)
        return end_message(cx, store, version->id);
    if (!ours || !held)
        return ERR_OK;
    return beds_worklist_add(cx, store, &(struct beds_trouble){
        .encounter = beds_read_reference(cx, json_get(body, S("encounter")), "Encounter"),
        .message = version->id,
        .what = arena_printf(cx->arena, "A message from another system could not be applied: "
                             "%.*s", STR_ARG(reason)) });
}

/* ---- reservations ---- */

static err put_due(struct ctx *cx, struct db *db, void *self)
{
    return due_put(cx, db, self);
}

static err take_stay(struct ctx *cx, struct store *store, const struct store_version *version)
{
    struct json body;
    if (version->method == STORE_DELETED ||
        str_find(version->body, S("\"reserved\"")) == STR_NONE)
        return ERR_OK;
    TRY(json_parse(cx, version->body, &body));
    int at = beds_held_place(body);
    if (at < 0)
        return ERR_OK;
    struct json place = json_at(json_get(body, S("location")), (size_t)at);
    int64_t until_ms = beds_read_instant(cx, json_get(json_get(place, S("period")), S("end")));
    if (until_ms == 0 || !json_string_is(json_get(place, S("status")), S("reserved")))
        return ERR_OK;
    struct due_item item = { .kind = S(RESERVATION), .key = version->id, .due_ms = until_ms };
    return store_write(cx, store, put_due, &item);
}

static err watch(struct ctx *cx, struct store *store, const struct store_version *version,
                 void *self)
{
    (void)self;
    return fhir_resource_name(version->resource).p[0] == 'E' ? take_stay(cx, store, version)
                                                             : take_message(cx, store, version);
}

/* Looked at again where it is written: a patient who was admitted a moment ago stays. */
static err run_out(struct ctx *cx, struct store *store, const struct due_item *item, void *self)
{
    struct beds_edit edit = { .write = beds_edit_expire };
    struct commit_op op = beds_edit_op(cx, "Encounter", item->key, &edit);
    struct commit commit = { .ops = &op, .ops_count = 1, .cx = cx,
                             .why = S("beds: the reservation ran out") };
    (void)self;
    err wrong = commit_run(cx, store, &commit);
    return wrong == ERR_RULE || wrong == ERR_GONE || wrong == ERR_NOT_FOUND ? ERR_OK : wrong;
}

static const char *const watched[] = { "Encounter", "Communication", NULL };
const struct consumer beds_watch = {
    .name = "beds",
    .about = "ends reservations, and puts what another system could not move on the worklist",
    .types = watched,
    .from_now = true,
    .consume = watch,
};
const struct due_kind beds_reservation = { .name = RESERVATION, .run = run_out };
const struct due_kind beds_not_given_back = { .name = NOT_GIVEN_BACK, .run = make_noted };
