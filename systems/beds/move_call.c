/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/move_call.h"
#include "clinical/london.h"
#include "fhir/datetime.h"
#include "http/text.h"
#include "systems/beds/picture_read.h"
#include "ui/page.h"
#include <assert.h>

/* ---- inputs ---- */

str beds_input(const struct beds_call *call, const char *name)
{
    if (call->body.doc)
        return json_string(call->cx->arena, json_get(call->body, str_of(name)));
    return http_query_value(call->cx->arena, call->request->body, str_of(name));
}

err beds_need(const struct beds_call *call, const char *name, str *out)
{
    *out = str_trim(beds_input(call, name));
    if (out->n > 0 && out->n < BEDS_ID_BYTES)
        return ERR_OK;
    return ctx_failf(call->cx, ERR_INVALID, str_of(name), "%s must be given", name);
}

/* An id, or a reference of the type. */
err beds_need_id(const struct beds_call *call, const char *name, const char *type, str *out)
{
    TRY(beds_need(call, name, out));
    size_t slash = str_find_char(*out, '/');
    if (slash != STR_NONE && str_eq(str_slice(*out, 0, slash), str_of(type)))
        *out = str_slice(*out, slash + 1, out->n);
    return ERR_OK;
}

err beds_need_bed(struct beds_call *call, const char *name, int32_t *out)
{
    str id;
    TRY(beds_need_id(call, name, "Location", &id));
    TRY(beds_picture_add_bed(call->cx, call->picture, id));
    *out = beds_find_spot(call->picture, id);
    if (*out != BEDS_NONE && strcmp(call->picture->spots[*out].kind, "bd") == 0)
        return ERR_OK;
    return ctx_failf(call->cx, ERR_NOT_FOUND, str_of(name), "there is no bed %.*s", STR_ARG(id));
}

/* A stay that holds a bed. */
err beds_need_stay(struct beds_call *call, const char *name, struct beds_stay *out)
{
    str id;
    TRY(beds_need_id(call, name, "Encounter", &id));
    TRY(beds_picture_add_stay(call->cx, call->picture, id));
    int32_t at = beds_find_stay(call->picture, id);
    if (at == BEDS_NONE)
        return ctx_failf(call->cx, ERR_NOT_FOUND, str_of(name), "no stay %.*s holds a bed",
                         STR_ARG(id));
    *out = call->picture->stays[at];
    call->encounter = id;
    return ERR_OK;
}

/* The record says whether this person may see the patient; the view, who it is. */
err beds_need_patient(struct beds_call *call, str id, struct beds_stay *out)
{
    struct store_version version;
    TRY(store_read(call->cx, call->request->store, fhir_resource_find(S("Patient")), id, &version));
    TRY(beds_read_person(call->cx, id, out));
    snprintf(out->patient, sizeof out->patient, "%.*s", STR_ARG(id));
    return ERR_OK;
}

/* A stay that may not have a bed yet: a planned admission, somebody in the emergency department. */
err beds_need_arrival(struct beds_call *call, struct beds_stay *out)
{
    struct store_version version;
    struct json body;
    str id;
    TRY(beds_need_id(call, "encounter", "Encounter", &id));
    TRY(beds_picture_add_stay(call->cx, call->picture, id));
    if (beds_find_stay(call->picture, id) != BEDS_NONE)
        return beds_need_stay(call, "encounter", out);
    TRY(store_read(call->cx, call->request->store, fhir_resource_find(S("Encounter")), id,
                   &version));
    TRY(json_parse(call->cx, version.body, &body));
    str patient = beds_read_reference(call->cx, json_get(body, S("subject")), "Patient");
    call->encounter = id;
    *out = (struct beds_stay){ .bed = BEDS_NONE };
    snprintf(out->id, sizeof out->id, "%.*s", STR_ARG(id));
    return str_given(patient) ? beds_need_patient(call, patient, out) : ERR_OK;
}

err beds_need_date(struct beds_call *call, const char *name, str *out)
{
    TRY(beds_need(call, name, out));
    struct datetime when;
    bool is_day = datetime_parse(*out, DATETIME_AS_DATE, &when) && when.precision == DATETIME_DAY;
    return is_day ? ERR_OK : ctx_failf(call->cx, ERR_INVALID, str_of(name),
                                       "%s must be a date such as 2026-11-22", name);
}

err beds_take_instant(struct beds_call *call, const char *name, int64_t fallback, int64_t *out)
{
    struct datetime when;
    str text = str_trim(beds_input(call, name));
    *out = fallback;
    if (text.n == 0)
        return ERR_OK;
    if (!datetime_parse(text, DATETIME_AS_SEARCH, &when))
        return ctx_failf(call->cx, ERR_INVALID, str_of(name),
                         "%s must be a date and time such as 2026-11-22T09:30", name);
    *out = when.has_zone ? when.low_ms : london_instant(clock_to_civil(when.low_ms));
    return ERR_OK;
}

struct commit_op *beds_add_op(struct beds_call *call)
{
    assert(call->ops_count < BEDS_OPS_MAX);
    return &call->ops[call->ops_count++];
}

void beds_change(struct beds_call *call, const char *type, str id, struct beds_edit what)
{
    what.bed = arena_copy(call->cx->arena, what.bed);
    what.text = arena_copy(call->cx->arena, what.text);
    what.more = arena_copy(call->cx->arena, what.more);
    *beds_add_op(call) = beds_edit_op(call->cx, type, arena_copy(call->cx->arena, id), &what);
}

/* The state of a bed is the route's to change, though the directory of places is not. */
static void change_spot(struct beds_call *call, int32_t spot, struct beds_edit what)
{
    what.write = beds_edit_spot;
    beds_change(call, "Location", str_of(call->picture->spots[spot].id), what);
    call->ops[call->ops_count - 1].granted = true;
}

void beds_set_spot(struct beds_call *call, int32_t spot, char v2, str note)
{
    change_spot(call, spot, (struct beds_edit){ .v2 = v2, .text = note });
}

void beds_keep_clean(struct beds_call *call, int32_t spot, char v2, str note)
{
    struct ctx *cx = call->cx;
    const struct beds_spot *bed = &call->picture->spots[spot];
    str clean = !bed->clean[0] ? (str){ 0 }
                : arena_printf(cx->arena, "{\"url\":\"" BEDS_URL "bed-clean\",\"valueCode\":"
                               "\"%s\"}", bed->clean);
    str due = bed->due_ms == 0 || !clean.n ? S("")
              : arena_printf(cx->arena, ",{\"url\":\"" BEDS_URL "bed-due\",\"valueDateTime\":"
                             "\"%.*s\"}", STR_ARG(beds_when(cx, bed->due_ms)));
    change_spot(call, spot, (struct beds_edit){ .v2 = v2, .text = note,
        .more = arena_printf(cx->arena, "%.*s%.*s", STR_ARG(clean), STR_ARG(due)) });
}

enum beds_clean beds_clean_of(const struct beds_spot *bed)
{
    enum beds_clean clean = BEDS_CLEANS - 1;
    while (clean > BEDS_CLEAN_STANDARD && strcmp(bed->clean, beds_cleans[clean].code) != 0)
        clean--;
    return clean;
}

void beds_soil(struct beds_call *call, int32_t spot, enum beds_clean clean)
{
    struct ctx *cx = call->cx;
    const struct beds_clean_kind *kind = &beds_cleans[clean];
    int64_t by_ms = cx->now_ms + (int64_t)kind->minutes * 60000;
    str more = arena_printf(cx->arena, "{\"url\":\"" BEDS_URL "bed-clean\",\"valueCode\":"
                            "\"%s\"},{\"url\":\"" BEDS_URL "bed-due\",\"valueDateTime\":\"%.*s\"}",
                            kind->code, STR_ARG(beds_when(cx, by_ms)));
    str note = arena_printf(cx->arena, "%s by %.*s", kind->name, STR_ARG(ui_clock(cx, by_ms)));
    change_spot(call, spot, (struct beds_edit){ .v2 = 'K', .text = note, .more = more });
}

void beds_vacate(struct beds_call *call, const struct beds_stay *stay)
{
    const struct beds_spot *bed = &call->picture->spots[stay->bed];
    char bay = bed->parent == BEDS_NONE ? 0 : call->picture->spots[bed->parent].v2;
    beds_soil(call, stay->bed, beds_clean_after(stay->isolation, bay == 'I' || bay == 'C'));
}
