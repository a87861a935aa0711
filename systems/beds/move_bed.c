/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/move_call.h"

/* What is done with an empty bed, and with what could not be done. */

/* *bed may be changed so; *next is the state after. */
static err may_change(struct beds_call *call, enum beds_event event, int32_t *bed,
                      enum beds_state *next)
{
    TRY(beds_need_bed(call, "bed", bed));
    return beds_next(&call->cx->issues, beds_state_at(call->picture, *bed, call->cx->now_ms),
                     event, next);
}

err beds_move_clean(struct beds_call *call)
{
    int32_t bed;
    enum beds_state next;
    TRY(may_change(call, BEDS_CLEAN_BEGIN, &bed, &next));
    const struct beds_spot *spot = &call->picture->spots[bed];
    beds_keep_clean(call, bed, 'H', str_of(spot->why));
    return ERR_OK;
}

err beds_move_cleaned(struct beds_call *call)
{
    int32_t bed;
    enum beds_state next;
    TRY(may_change(call, BEDS_CLEAN_END, &bed, &next));
    beds_set_spot(call, bed, 'U', S(""));
    return ERR_OK;
}

static err need_clean(struct beds_call *call, enum beds_clean *out)
{
    str code = str_trim(beds_input(call, "clean"));
    for (*out = 0; code.n && *out < BEDS_CLEANS; ++*out)
        if (str_eq(code, str_of(beds_cleans[*out].code)))
            return ERR_OK;
    *out = BEDS_CLEAN_STANDARD;
    return code.n == 0 ? ERR_OK : ctx_fail(call->cx, ERR_INVALID, S("clean"),
                                           S("clean must be standard, infection or deep"));
}

/* Also the way back from "cleaned" pressed too early. */
err beds_move_dirty(struct beds_call *call)
{
    int32_t bed;
    enum beds_state next;
    enum beds_clean clean;
    TRY(may_change(call, BEDS_FIND_DIRTY, &bed, &next));
    TRY(need_clean(call, &clean));
    beds_soil(call, bed, clean);
    return ERR_OK;
}

err beds_move_close(struct beds_call *call)
{
    int32_t bed;
    enum beds_state next;
    str why = str_trim(beds_input(call, "why")), until = str_trim(beds_input(call, "until"));
    if (why.n < 3)
        return ctx_fail(call->cx, ERR_INVALID, S("why"),
                        S("say why the bed is closed: staffing, infection, maintenance ..."));
    TRY(may_change(call, BEDS_CLOSE, &bed, &next));
    beds_keep_clean(call, bed, 'C', arena_printf(call->cx->arena, "%.*s%s%.*s",
        STR_ARG(str_slice(why, 0, BEDS_NOTE_MAX)), until.n ? " until " : "", STR_ARG(until)));
    return ERR_OK;
}

err beds_move_open(struct beds_call *call)
{
    int32_t bed;
    enum beds_state next;
    TRY(may_change(call, BEDS_OPEN, &bed, &next));
    beds_soil(call, bed, beds_clean_of(&call->picture->spots[bed]));
    return ERR_OK;
}

/* An exception of the worklist that somebody has dealt with. */
err beds_move_resolve(struct beds_call *call)
{
    str task, note = str_trim(beds_input(call, "note"));
    TRY(beds_need_id(call, "task", "Task", &task));
    if (note.n < 3)
        return ctx_fail(call->cx, ERR_INVALID, S("note"), S("say what was done about it"));
    beds_change(call, "Task", task, (struct beds_edit){ .write = beds_edit_resolve,
                                                        .text = note });
    return ERR_OK;
}
