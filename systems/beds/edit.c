/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/edit.h"
#include "clinical/london.h"
#include "fhir/validate.h"
#include "json/patch.h"
#include "systems/beds/picture_read.h"

enum { PATCH_BYTES = 64 << 10, BODY_BYTES = 1 << 20 };
#define PHYSICAL_BED                                                                               \
    "{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/location-physical-type\","   \
    "\"code\":\"bd\"}]}"

str beds_when(struct ctx *cx, int64_t at_ms)
{
    char *text = arena_alloc(cx->arena, LONDON_TEXT);
    london_write(at_ms, text);
    return (str){ text, LONDON_TEXT };
}

static err apply(struct ctx *cx, const struct commit_op *op, struct json before,
                 struct json *after)
{
    const struct beds_edit *edit = op->patch_self;
    struct buf buf = buf_make(cx->arena, PATCH_BYTES);
    struct json_writer w = json_writer(&buf);
    struct json patch;
    json_open(&w, '[');
    TRY(edit->write(cx, edit, before, &w));
    json_close(&w, ']');
    TRY(json_parse(cx, buf_str(&buf), &patch));
    TRY(json_patch(cx, before, patch, after));
    return validate_resource(cx, *after);
}

struct commit_op beds_edit_op(struct ctx *cx, const char *type, str id,
                              const struct beds_edit *edit)
{
    struct beds_edit *kept = arena_alloc(cx->arena, sizeof *kept);
    *kept = *edit;
    return (struct commit_op){ .verb = COMMIT_PATCH, .id = id, .patch = apply, .patch_self = kept,
                               .resource = fhir_resource_find(str_of(type)) };
}

/* ---- single operations ---- */

/* {"op":"add","path":PATH,"value": ; the caller writes the value and calls done. "add" also
 * replaces a member that is there. */
static void put(struct json_writer *w, str path)
{
    json_open(w, '{');
    json_put_str(w, "op", S("add"));
    json_put_str(w, "path", path);
    json_key(w, "value");
}

static void put_text(struct json_writer *w, str path, str value)
{
    put(w, path);
    json_str(w, value);
    json_close(w, '}');
}

static void drop(struct json_writer *w, str path)
{
    json_open(w, '{');
    json_put_str(w, "op", S("remove"));
    json_put_str(w, "path", path);
    json_close(w, '}');
}

static bool has(struct json object, const char *key)
{
    return !json_is(json_get(object, str_of(key)), JSON_ABSENT);
}

/* Adds one item to a list that may not be there yet. */
static void put_item(struct json_writer *w, struct json before, const char *list, str item,
                     struct arena *arena)
{
    bool there = has(before, list);
    put(w, arena_printf(arena, there ? "/%s/-" : "/%s", list));
    if (!there)
        json_open(w, '[');
    json_raw(w, item);
    if (!there)
        json_close(w, ']');
    json_close(w, '}');
}

static void put_end(struct ctx *cx, struct json_writer *w, struct json element, str path)
{
    str now = beds_when(cx, cx->now_ms);
    if (has(element, "period")) {
        put_text(w, arena_printf(cx->arena, "%.*s/period/end", STR_ARG(path)), now);
        return;
    }
    put(w, arena_printf(cx->arena, "%.*s/period", STR_ARG(path)));
    json_open(w, '{');
    json_put_str(w, "end", now);
    json_close(w, '}');
    json_close(w, '}');
}

static err held(struct ctx *cx, struct json before, int *out)
{
    *out = beds_held_place(before);
    if (*out >= 0)
        return ERR_OK;
    return ctx_failf(cx, ERR_RULE, S("Encounter.location"),
                     "this stay holds no bed now: somebody has moved or ended it");
}

static void leave(struct ctx *cx, struct json_writer *w, struct json before, int at)
{
    struct json place = json_at(json_get(before, S("location")), (size_t)at);
    str path = arena_printf(cx->arena, "/location/%d", at);
    put_text(w, arena_printf(cx->arena, "/location/%d/status", at), S("completed"));
    put_end(cx, w, place, path);
}

static str place_json(struct ctx *cx, str bed, const char *status, int64_t until_ms)
{
    struct buf buf = buf_make(cx->arena, PATCH_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_key(&w, "location");
    json_open(&w, '{');
    json_put_str(&w, "reference", arena_printf(cx->arena, "Location/%.*s", STR_ARG(bed)));
    json_close(&w, '}');
    json_put_str(&w, "status", str_of(status));
    json_put_raw(&w, "physicalType", S(PHYSICAL_BED));
    json_key(&w, "period");
    json_open(&w, '{');
    json_put_str(&w, "start", beds_when(cx, cx->now_ms));
    if (until_ms)
        json_put_str(&w, "end", beds_when(cx, until_ms));
    json_close(&w, '}');
    json_close(&w, '}');
    return buf_str(&buf);
}

/* Where our extension of this name stands; the count of extensions when it does not. */
static size_t extension_at(struct json before, str url)
{
    size_t at = 0;
    for (struct json_walk w = json_walk(json_get(before, S("extension"))); json_next(&w); at++)
        if (json_string_is(json_get(w.value, S("url")), url))
            break;
    return at;
}

/* Rounds are kept one after another; every other extension of ours stands once. */
err beds_edit_extension(struct ctx *cx, const struct beds_edit *e, struct json before,
                        struct json_writer *w)
{
    str url = arena_printf(cx->arena, BEDS_URL "%.*s", STR_ARG(e->text));
    size_t at = extension_at(before, url), count = json_count(json_get(before, S("extension")));
    str item = arena_printf(cx->arena, "{\"url\":\"%.*s\",%.*s}", STR_ARG(url), STR_ARG(e->more));
    if (at == count || str_eq(e->text, S("reside-round"))) {
        put_item(w, before, "extension", item, cx->arena);
        return ERR_OK;
    }
    put(w, arena_printf(cx->arena, "/extension/%zu", at));
    json_raw(w, item);
    json_close(w, '}');
    drop(w, arena_printf(cx->arena, "/extension/%zu", at + 1)); /* "add" moved the old one on */
    return ERR_OK;
}

static bool is_replaced(const struct beds_edit *e, struct json extension)
{
    str url = json_text(json_get(extension, S("url"))); /* with its quotes */
    str name = url.n > 2 ? str_slice(url, 1, url.n - 1) : S("");
    if (!str_starts(name, S(BEDS_URL)))
        return false;
    name = str_slice(name, sizeof(BEDS_URL) - 1, name.n);
    for (size_t i = 0; i < e->extras_count; i++)
        if (!e->extras[i].append && str_eq(name, str_of(e->extras[i].name)))
            return true;
    return false;
}

/* The list is written anew: what is replaced left out, what is new at its end. */
err beds_edit_extras(struct ctx *cx, const struct beds_edit *e, struct json before,
                     struct json_writer *w)
{
    size_t count = 0, had = json_count(json_get(before, S("extension")));
    struct buf buf = buf_make(cx->arena, BODY_BYTES);
    for (struct json_walk walk = json_walk(json_get(before, S("extension"))); json_next(&walk);)
        if (!is_replaced(e, walk.value)) {
            buf_add(&buf, count++ ? S(",") : S(""));
            buf_add(&buf, json_text(walk.value));
        }
    for (size_t i = 0; i < e->extras_count; i++)
        if (e->extras[i].more.n)
            buf_printf(&buf, "%s{\"url\":\"" BEDS_URL "%s\",%.*s}", count++ ? "," : "",
                       e->extras[i].name, STR_ARG(e->extras[i].more));
    if (count) {
        put(w, S("/extension"));
        json_raw(w, arena_printf(cx->arena, "[%.*s]", STR_ARG(buf_str(&buf))));
        json_close(w, '}');
    } else if (had) {
        drop(w, S("/extension"));
    }
    return ERR_OK;
}

err beds_edit_set_status(struct ctx *cx, const struct beds_edit *e, struct json before,
                         struct json_writer *w)
{
    (void)cx, (void)before;
    put_text(w, S("/status"), e->text);
    return ERR_OK;
}

/* Which rule was set aside, and why, goes with the move itself. */
static err put_override(struct ctx *cx, const struct beds_edit *e, struct json before,
                        struct json_writer *w)
{
    struct beds_edit override = { .text = S("rule-override"), .more = e->more };
    return e->more.n ? beds_edit_extension(cx, &override, before, w) : ERR_OK;
}

/* ---- Encounter ---- */

err beds_edit_enter(struct ctx *cx, const struct beds_edit *e, struct json before,
                    struct json_writer *w)
{
    int at = beds_held_place(before);
    static const char *const may[] = { "planned", "arrived", "triaged", "in-progress" };
    bool ready = false;
    for (size_t i = 0; i < COUNT(may); i++)
        ready |= json_string_is(json_get(before, S("status")), str_of(may[i]));
    if (!ready)
        return ctx_fail(cx, ERR_RULE, S("Encounter.status"),
                        S("only a planned or arrived stay can be admitted"));
    if (at >= 0)
        leave(cx, w, before, at); /* its reservation, or the place it waited in */
    put_text(w, S("/status"), S("in-progress"));
    if (!has(before, "period")) {
        put(w, S("/period"));
        json_open(w, '{');
        json_put_str(w, "start", beds_when(cx, cx->now_ms));
        json_close(w, '}');
        json_close(w, '}');
    }
    put_item(w, before, "location", place_json(cx, e->bed, "active", 0), cx->arena);
    return put_override(cx, e, before, w);
}

err beds_edit_move(struct ctx *cx, const struct beds_edit *e, struct json before,
                   struct json_writer *w)
{
    int at;
    TRY(held(cx, before, &at));
    leave(cx, w, before, at);
    put_item(w, before, "location", place_json(cx, e->bed, "active", 0), cx->arena);
    return put_override(cx, e, before, w);
}

err beds_edit_finish(struct ctx *cx, const struct beds_edit *e, struct json before,
                     struct json_writer *w)
{
    int at;
    TRY(held(cx, before, &at));
    leave(cx, w, before, at);
    put_text(w, S("/status"), e->text);
    put_end(cx, w, before, S(""));
    return ERR_OK;
}

static size_t places(struct json before)
{
    return json_count(json_get(before, S("location")));
}

/* The place with this index is held again. */
static void retake(struct ctx *cx, struct json_writer *w, struct json before, size_t at)
{
    struct json place = json_at(json_get(before, S("location")), at);
    put_text(w, arena_printf(cx->arena, "/location/%zu/status", at), S("active"));
    if (has(json_get(place, S("period")), "end"))
        drop(w, arena_printf(cx->arena, "/location/%zu/period/end", at));
}

err beds_edit_reopen(struct ctx *cx, const struct beds_edit *e, struct json before,
                     struct json_writer *w)
{
    (void)e;
    if (!json_string_is(json_get(before, S("status")), S("finished")) || places(before) == 0)
        return ctx_fail(cx, ERR_RULE, S("Encounter.status"),
                        S("only a finished stay that had a bed can be reopened"));
    put_text(w, S("/status"), S("in-progress"));
    if (has(json_get(before, S("period")), "end"))
        drop(w, S("/period/end"));
    retake(cx, w, before, places(before) - 1);
    return ERR_OK;
}

err beds_edit_back(struct ctx *cx, const struct beds_edit *e, struct json before,
                   struct json_writer *w)
{
    int at;
    (void)e;
    TRY(held(cx, before, &at));
    if (at == 0)
        return ctx_fail(cx, ERR_RULE, S("Encounter.location"),
                        S("this stay has not been transferred: there is nothing to undo"));
    /* The wrong place is taken out, as if it had not been; the versions keep it. */
    retake(cx, w, before, (size_t)at - 1);
    drop(w, arena_printf(cx->arena, "/location/%d", at));
    return ERR_OK;
}

/* The instant the present status began: where the status before it ended. */
static str status_since(struct ctx *cx, struct json before)
{
    str since = json_string(cx->arena, json_get(json_get(before, S("period")), S("start")));
    for (struct json_walk w = json_walk(json_get(before, S("statusHistory"))); json_next(&w);) {
        str end = json_string(cx->arena, json_get(json_get(w.value, S("period")), S("end")));
        since = end.n ? end : since;
    }
    return since;
}

err beds_edit_leave(struct ctx *cx, const struct beds_edit *e, struct json before,
                    struct json_writer *w)
{
    int at;
    TRY(held(cx, before, &at));
    if (!json_string_is(json_get(before, S("status")), e->more))
        return ctx_failf(cx, ERR_RULE, S("Encounter.status"), str_eq(e->more, S("onleave"))
                         ? "this patient is not on leave" : "only a patient who is in may go on "
                         "leave");
    str since = status_since(cx, before), now = beds_when(cx, cx->now_ms);
    put_text(w, S("/status"), e->text);
    put_item(w, before, "statusHistory",
             arena_printf(cx->arena, "{\"status\":\"%.*s\",\"period\":{%s%.*s%s\"end\":\"%.*s\"}}",
                          STR_ARG(e->more), since.n ? "\"start\":\"" : "", STR_ARG(since),
                          since.n ? "\"," : "", STR_ARG(now)), cx->arena);
    return ERR_OK;
}

err beds_edit_lounge(struct ctx *cx, const struct beds_edit *e, struct json before,
                     struct json_writer *w)
{
    int at;
    TRY(held(cx, before, &at));
    leave(cx, w, before, at);
    put_item(w, before, "location",
             arena_printf(cx->arena, "{\"location\":{\"reference\":\"Location/%.*s\"},\"status\":"
                          "\"active\",\"period\":{\"start\":\"%.*s\"}}", STR_ARG(e->bed),
                          STR_ARG(beds_when(cx, cx->now_ms))), cx->arena);
    return ERR_OK;
}

err beds_edit_expire(struct ctx *cx, const struct beds_edit *e, struct json before,
                     struct json_writer *w)
{
    int at = beds_held_place(before);
    (void)e;
    struct json place = json_at(json_get(before, S("location")), (size_t)(at < 0 ? 0 : at));
    int64_t until_ms = beds_read_instant(cx, json_get(json_get(place, S("period")), S("end")));
    if (at < 0 || !json_string_is(json_get(place, S("status")), S("reserved")) ||
        until_ms == 0 || until_ms > cx->now_ms)
        return ctx_fail(cx, ERR_RULE, S("Encounter.location"), S("not a reservation that ran out"));
    put_text(w, S("/status"), S("cancelled"));
    put_text(w, arena_printf(cx->arena, "/location/%d/status", at), S("completed"));
    return ERR_OK;
}

/* ---- ServiceRequest, Task ---- */

err beds_edit_request(struct ctx *cx, const struct beds_edit *e, struct json before,
                      struct json_writer *w)
{
    if (!json_string_is(json_get(before, S("status")), S("active")))
        return ctx_fail(cx, ERR_CONFLICT, S("ServiceRequest.status"),
                        S("this request is no longer open: somebody has met or cancelled it"));
    put_text(w, S("/status"), e->text);
    if (e->more.n)
        put_item(w, before, "note", arena_printf(cx->arena, "{\"text\":%.*s}", STR_ARG(e->more)),
                 cx->arena);
    return ERR_OK;
}

err beds_edit_resolve(struct ctx *cx, const struct beds_edit *e, struct json before,
                      struct json_writer *w)
{
    struct buf note = buf_make(cx->arena, PATCH_BYTES);
    if (!json_string_is(json_get(before, S("status")), S("requested")))
        return ctx_fail(cx, ERR_RULE, S("Task.status"), S("this task is not open any more"));
    put_text(w, S("/status"), S("completed"));
    buf_add(&note, S("{\"text\":\""));
    json_escape(&note, e->text);
    buf_add(&note, S("\"}"));
    put_item(w, before, "note", buf_str(&note), cx->arena);
    return ERR_OK;
}

/* ---- Location ---- */

/* Those this edit writes anew. */
static bool is_of_state(str url)
{
    static const char *const names[] = { "bed-note", "bed-clean", "bed-since", "bed-due" };
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_starts(url, S(BEDS_URL)) &&
            str_eq(str_slice(url, sizeof BEDS_URL - 1, url.n), str_of(names[i])))
            return true;
    return false;
}

/* A closure that has no end yet gets one when the bed is opened. */
static void end_closure(struct ctx *cx, struct json_writer *w, struct json closure)
{
    struct json parts = json_get(closure, S("extension"));
    bool ended = false;
    for (struct json_walk walk = json_walk(parts); json_next(&walk);)
        ended |= json_string_is(json_get(walk.value, S("url")), S("to"));
    if (ended || json_count(parts) == 0)
        json_raw(w, json_text(closure));
    else
        json_raw(w, arena_printf(cx->arena, "{\"url\":\"" BEDS_URL "bed-closure\",\"extension\":"
                                 "[%.*s,{\"url\":\"to\",\"valueDateTime\":\"%.*s\"}]}",
                                 STR_ARG(str_slice(json_text(parts), 1, json_text(parts).n - 1)),
                                 STR_ARG(beds_when(cx, cx->now_ms))));
}

static void begin_closure(struct ctx *cx, const struct beds_edit *e, struct json_writer *w)
{
    struct buf buf = buf_make(cx->arena, PATCH_BYTES);
    buf_printf(&buf, "{\"url\":\"" BEDS_URL "bed-closure\",\"extension\":[{\"url\":\"from\","
               "\"valueDateTime\":\"%.*s\"},{\"url\":\"why\",\"valueString\":\"",
               STR_ARG(beds_when(cx, cx->now_ms)));
    json_escape(&buf, e->text);
    buf_add(&buf, S("\"}]}"));
    json_raw(w, buf_str(&buf));
}

static void put_spot_extensions(struct ctx *cx, const struct beds_edit *e, struct json before,
                                struct json_writer *w)
{
    bool was_closed = json_string_is(json_get(json_get(before, S("operationalStatus")),
                                              S("code")), S("C"));
    put(w, S("/extension"));
    json_open(w, '[');
    for (struct json_walk walk = json_walk(json_get(before, S("extension"))); json_next(&walk);) {
        str url = json_string(cx->arena, json_get(walk.value, S("url")));
        if (str_eq(url, S(BEDS_URL "bed-closure")) && e->v2 != 'C')
            end_closure(cx, w, walk.value);
        else if (!is_of_state(url))
            json_raw(w, json_text(walk.value));
    }
    if (e->v2 == 'C' && !was_closed)
        begin_closure(cx, e, w);
    json_raw(w, arena_printf(cx->arena, "{\"url\":\"" BEDS_URL "bed-since\",\"valueDateTime\":"
                             "\"%.*s\"}", STR_ARG(beds_when(cx, cx->now_ms))));
    if (e->text.n) {
        json_open(w, '{');
        json_put_str(w, "url", S(BEDS_URL "bed-note"));
        json_put_str(w, "valueString", e->text);
        json_close(w, '}');
    }
    if (e->more.n)
        json_raw(w, e->more);
    json_close(w, ']');
    json_close(w, '}');
}

err beds_edit_spot(struct ctx *cx, const struct beds_edit *e, struct json before,
                   struct json_writer *w)
{
    static const char names[] = "U Unoccupied,K Contaminated,H Housekeeping,C Closed,O Occupied";
    str rest = str_of(names), row, name = S("Unoccupied");
    while (str_next(&rest, ',', &row))
        if (row.p[0] == e->v2)
            name = str_slice(row, 2, row.n);
    put(w, S("/operationalStatus"));
    json_open(w, '{');
    json_put_str(w, "system", S("http://terminology.hl7.org/CodeSystem/v2-0116"));
    json_put_str(w, "code", (str){ &e->v2, 1 });
    json_put_str(w, "display", name);
    json_close(w, '}');
    json_close(w, '}');
    put_text(w, S("/status"), e->v2 == 'C' ? S("suspended") : S("active"));
    put_spot_extensions(cx, e, before, w);
    return ERR_OK;
}

/* ---- a new stay ---- */

err beds_new_stay(struct ctx *cx, const struct beds_new_stay *stay, struct json *out)
{
    struct buf buf = buf_make(cx->arena, BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Encounter"));
    if (stay->extension.n)
        json_put_raw(&w, "extension", arena_printf(cx->arena, "[%.*s]", STR_ARG(stay->extension)));
    json_put_str(&w, "status", stay->reserved ? S("planned") : S("in-progress"));
    json_put_raw(&w, "class", S("{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActCode\","
                                "\"code\":\"IMP\",\"display\":\"inpatient encounter\"}"));
    if (stay->specialty.n) {
        json_put_raw(&w, "serviceType", arena_printf(cx->arena,
            "{\"coding\":[{\"system\":\"https://fhir.hl7.org.uk/CodeSystem/"
            "UKCore-PracticeSettingCodeEngland\",\"code\":\"%.*s\"}]}", STR_ARG(stay->specialty)));
    }
    json_put_raw(&w, "subject", arena_printf(cx->arena, "{\"reference\":\"Patient/%.*s\"}",
                                             STR_ARG(stay->patient)));
    if (stay->request.n)
        json_put_raw(&w, "basedOn", arena_printf(cx->arena, "[{\"reference\":"
            "\"ServiceRequest/%.*s\"}]", STR_ARG(stay->request)));
    if (!stay->reserved)
        json_put_raw(&w, "period", arena_printf(cx->arena, "{\"start\":\"%.*s\"}",
                                                STR_ARG(beds_when(cx, cx->now_ms))));
    json_put_raw(&w, "location", arena_printf(cx->arena, "[%.*s]",
        STR_ARG(place_json(cx, stay->bed, stay->reserved ? "reserved" : "active",
                           stay->until_ms))));
    json_close(&w, '}');
    TRY(json_parse(cx, buf_str(&buf), out));
    return validate_resource(cx, *out);
}
