/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/move_call.h"

/* What is planned for a stay: when it ends, how, and whether it is still needed. */

static err put_extension(struct beds_call *call, str name, str more)
{
    TRY(beds_need_stay(call, "encounter", &call->stay));
    beds_change(call, "Encounter", call->encounter,
         (struct beds_edit){ .write = beds_edit_extension, .text = name, .more = more });
    return ERR_OK;
}

/* The date before stays beside it: a delay is not hidden by moving the date on. */
err beds_move_edd(struct beds_call *call)
{
    struct ctx *cx = call->cx;
    str date;
    TRY(beds_need_date(call, "date", &date));
    TRY(beds_need_stay(call, "encounter", &call->stay));
    str came = str_slice(beds_when(cx, call->stay.admitted_ms), 0, 10);
    if (call->stay.admitted_ms && str_cmp(date, came) < 0)
        return ctx_failf(cx, ERR_INVALID, S("date"), "the stay began on %.*s: nobody can be "
                         "expected to leave before that", STR_ARG(came));
    struct beds_extra *extras = arena_array(cx->arena, 2, sizeof *extras);
    extras[0] = (struct beds_extra){ .name = "estimated-discharge-date",
        .more = arena_printf(cx->arena, "\"valueDate\":\"%.*s\"", STR_ARG(date)) };
    extras[1] = (struct beds_extra){ .name = "edd-change", .append = true,
        .more = arena_printf(cx->arena, "\"extension\":[{\"url\":\"day\",\"valueDate\":\"%.*s\"},"
                             "{\"url\":\"to\",\"valueDate\":\"%.*s\"}]",
                             STR_ARG(str_slice(beds_when(cx, cx->now_ms), 0, 10)),
                             STR_ARG(date)) };
    beds_change(call, "Encounter", call->encounter, (struct beds_edit){
        .write = beds_edit_extras, .extras = extras, .extras_count = 2 });
    return ERR_OK;
}

err beds_move_pathway(struct beds_call *call)
{
    str pathway;
    TRY(beds_need(call, "pathway", &pathway));
    for (size_t i = 0; i < COUNT(beds_pathways); i++)
        if (str_eq(pathway, str_of(beds_pathways[i].code)))
            return put_extension(call, S("discharge-pathway"),
                                 arena_printf(call->cx->arena, "\"valueCode\":\"%.*s\"",
                                              STR_ARG(pathway)));
    return ctx_fail(call->cx, ERR_INVALID, S("pathway"), S("pathway must be P0, P1, P2 or P3"));
}

static bool is_criterion(str code)
{
    for (size_t i = 0; i < beds_criteria_count; i++)
        if (str_eq(code, str_of(beds_criteria[i].code)))
            return true;
    return false;
}

/* criteria: codes met, comma between; none: no longer meets the criteria to reside. */
err beds_move_round(struct beds_call *call)
{
    struct ctx *cx = call->cx;
    str criteria = str_trim(beds_input(call, "criteria")), code;
    bool meets = criteria.n > 0 && !str_eq(criteria, S("none"));
    struct buf buf = buf_make(cx->arena, BEDS_INPUT_MAX);
    if (criteria.n == 0)
        return ctx_fail(cx, ERR_INVALID, S("criteria"),
                        S("give the codes of the criteria met, or none"));
    buf_printf(&buf, "\"extension\":[{\"url\":\"day\",\"valueDate\":\"%.*s\"},"
               "{\"url\":\"answer\",\"valueCode\":\"%s\"}",
               STR_ARG(str_slice(beds_when(cx, cx->now_ms), 0, 10)), meets ? "meets" : "not");
    for (str rest = criteria; meets && str_next(&rest, ',', &code);) {
        if (!is_criterion(str_trim(code)))
            return ctx_failf(cx, ERR_INVALID, S("criteria"), "there is no criterion %.*s",
                             STR_ARG(code));
        buf_printf(&buf, ",{\"url\":\"criterion\",\"valueCode\":\"%.*s\"}",
                   STR_ARG(str_trim(code)));
    }
    buf_char(&buf, ']');
    return put_extension(call, S("reside-round"), buf_str(&buf));
}
