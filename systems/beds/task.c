/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/task.h"
#include "clinical/london.h"
#include "fhir/datetime.h"
#include "fhir/validate.h"
#include "store/search.h"
#include "systems/beds/edit.h"
#include <stdlib.h>

enum { TASKS_MAX = 1000, BODY_BYTES = 16 << 10 };
#define OPEN "requested,received,accepted,ready,in-progress,on-hold"

struct json beds_extension_of(struct json resource, const char *name)
{
    struct json found = { 0 };
    for (struct json_walk w = json_walk(json_get(resource, S("extension"))); json_next(&w);) {
        str url = json_text(json_get(w.value, S("url"))); /* with its quotes */
        if (url.n > 2 && str_starts(str_slice(url, 1, url.n), S(BEDS_URL)) &&
            str_eq(str_slice(url, 1 + sizeof(BEDS_URL) - 1, url.n - 1), str_of(name)))
            found = w.value;
    }
    return found;
}

str beds_reference_id(struct ctx *cx, struct json reference, const char *type)
{
    struct validate_reference read;
    str text = json_string(cx->arena, json_get(reference, S("reference")));
    if (!str_given(text) || !validate_read_reference(text, &read) ||
        !str_eq(read.type, str_of(type)))
        return (str){ 0 };
    return read.id;
}

/* A display, else the name the record has for who is referred to. */
static str owner_of(struct ctx *cx, struct store *store, struct json task)
{
    struct json owner = json_get(task, S("owner"));
    str text = json_string(cx->arena, json_get(owner, S("display")));
    str id = beds_reference_id(cx, owner, "Practitioner");
    struct store_version version;
    struct json body;
    if (text.n || !id.n)
        return text.n ? text : S("nobody yet");
    size_t kept = cx->issues.kept, count = cx->issues.count;
    bool known = store_read(cx, store, fhir_resource_find(S("Practitioner")), id, &version) ==
                     ERR_OK && json_parse(cx, version.body, &body) == ERR_OK;
    cx->issues.kept = kept; /* somebody who cannot be read is still somebody */
    cx->issues.count = count;
    if (!known)
        return id;
    struct json name = json_at(json_get(body, S("name")), 0);
    str family = json_string(cx->arena, json_get(name, S("family")));
    str prefix = json_string(cx->arena, json_at(json_get(name, S("prefix")), 0));
    return arena_printf(cx->arena, "%.*s%s%.*s", STR_ARG(prefix), prefix.n ? " " : "",
                        STR_ARG(family));
}

static struct beds_todo todo_of(struct ctx *cx, struct store *store, str id, struct json task)
{
    struct datetime when;
    str due = json_string(cx->arena, json_get(json_get(json_get(task, S("restriction")),
                                                       S("period")), S("end")));
    str text = json_string(cx->arena, json_get(task, S("description")));
    struct beds_todo todo = {
        .id = id, .text = text.n ? text : S("Discharge task"), .due_ms = INT64_MAX,
        .encounter = beds_reference_id(cx, json_get(task, S("encounter")), "Encounter"),
        .owner = owner_of(cx, store, task), .due = S("no time given") };
    if (!todo.encounter.n)
        todo.encounter = beds_reference_id(cx, json_get(task, S("focus")), "Encounter");
    if (due.n && datetime_parse(due, DATETIME_AS_DATE_TIME, &when)) {
        todo.due_ms = when.low_ms;
        todo.due = arena_printf(cx->arena, "due %.*s", STR_ARG(ui_time(cx, when.low_ms)));
        todo.late = when.low_ms < cx->now_ms;
    }
    return todo;
}

static int by_due(const void *a, const void *b)
{
    const struct beds_todo *x = a, *y = b;
    return (x->due_ms > y->due_ms) - (x->due_ms < y->due_ms);
}

static err read_todos(struct ctx *cx, struct store *store, str query,
                      const struct beds_todo **out, size_t *count)
{
    struct search_page page = { 0 };
    struct search_request search = { .resource = fhir_resource_find(S("Task")), .query = query,
                                     .count_default = TASKS_MAX, .count_max = TASKS_MAX };
    TRY(search_run(cx, store, &search, &page));
    struct beds_todo *list = arena_array(cx->arena, page.entries_count + 1, sizeof *list);
    *count = 0;
    for (size_t i = 0; i < page.entries_count; i++) {
        struct json body;
        TRY(json_parse(cx, page.entries[i].version.body, &body));
        if (json_string_is(json_get(json_get(body, S("code")), S("text")), S("Discharge task")))
            list[(*count)++] = todo_of(cx, store, page.entries[i].version.id, body);
    }
    qsort(list, *count, sizeof *list, by_due);
    *out = list;
    return ERR_OK;
}

err beds_todos_of(struct ctx *cx, struct store *store, str encounter,
                  const struct beds_todo **out, size_t *count)
{
    return read_todos(cx, store, arena_printf(cx->arena, "encounter=%.*s&status=" OPEN,
                                              STR_ARG(encounter)), out, count);
}

err beds_todos_all(struct ctx *cx, struct store *store, const struct beds_todo **out,
                   size_t *count)
{
    return read_todos(cx, store, S("status=" OPEN), out, count);
}

err beds_todo_make(struct ctx *cx, const struct beds_new_todo *todo, struct commit_op *out)
{
    struct datetime due;
    struct buf buf = buf_make(cx->arena, BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    /* A form's local time has neither seconds nor offset: the wall's clock is meant. */
    str when = todo->due.n == 16 ? arena_printf(cx->arena, "%.*s:00Z", STR_ARG(todo->due))
                                 : todo->due;
    if (todo->due.n && !datetime_parse(when, DATETIME_AS_DATE_TIME, &due))
        return ctx_fail(cx, ERR_INVALID, S("due"), S("give a day and a time"));
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Task"));
    json_put_str(&w, "status", S("requested"));
    json_put_str(&w, "intent", S("order"));
    json_put_raw(&w, "code", S("{\"text\":\"Discharge task\"}"));
    json_put_str(&w, "description", todo->text);
    str stay = arena_printf(cx->arena, "{\"reference\":\"Encounter/%.*s\"}",
                            STR_ARG(todo->encounter));
    json_put_raw(&w, "focus", stay);
    if (todo->patient.n)
        json_put_raw(&w, "for", arena_printf(cx->arena, "{\"reference\":\"Patient/%.*s\"}",
                                             STR_ARG(todo->patient)));
    json_put_raw(&w, "encounter", stay);
    json_put_str(&w, "authoredOn", beds_when(cx, cx->now_ms));
    json_key(&w, "owner");
    json_open(&w, '{');
    json_put_str(&w, "display", todo->owner);
    json_close(&w, '}');
    if (todo->due.n) {
        int64_t due_ms = todo->due.n == 16 ? london_instant(clock_to_civil(due.low_ms))
                                           : due.low_ms;
        json_put_raw(&w, "restriction", arena_printf(cx->arena, "{\"period\":{\"end\":\"%.*s\"}}",
                                                     STR_ARG(beds_when(cx, due_ms))));
    }
    json_close(&w, '}');
    *out = (struct commit_op){ .verb = COMMIT_CREATE, .resource = fhir_resource_find(S("Task")) };
    TRY(json_parse(cx, buf_str(&buf), &out->body));
    return validate_resource(cx, out->body);
}

struct commit_op beds_todo_done(struct ctx *cx, str id)
{
    struct beds_edit done = { .write = beds_edit_set_status, .text = S("completed") };
    return beds_edit_op(cx, "Task", id, &done);
}
