/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/move_call.h"
#include "systems/beds/picture_read.h"
#include "systems/beds/sql.h"

enum { RESERVE_MINUTES = 60, RESERVE_MINUTES_MAX = 7 * 24 * 60 };

/* ---- into a bed ---- */

static err new_stay(struct beds_call *call, bool reserved, int64_t until_ms)
{
    str patient, why;
    int32_t bed;
    TRY(beds_take_request(call));
    TRY(beds_need_bed(call, "bed", &bed));
    if (!call->stay.patient[0]) {
        TRY(beds_need_id(call, "patient", "Patient", &patient));
        TRY(beds_need_patient(call, patient, &call->stay));
    }
    /* Somebody who lies in a bed may have the next one kept. */
    call->keeps = reserved;
    if (!reserved)
        TRY(beds_check_not_in(call, &call->stay));
    beds_wants(call);
    TRY(beds_take(call, bed));
    why = beds_override(call);
    if (why.n)
        why = arena_printf(call->cx->arena, "{\"url\":\"" BEDS_URL "rule-override\",%.*s}",
                           STR_ARG(why));
    struct commit_op *op = beds_add_op(call);
    *op = (struct commit_op){ .verb = COMMIT_CREATE,
                              .resource = fhir_resource_find(S("Encounter")) };
    if (call->service_request.n && !reserved)
        beds_change(call, "ServiceRequest", call->service_request,
                    (struct beds_edit){ .write = beds_edit_request, .text = S("completed") });
    return beds_new_stay(call->cx, &(struct beds_new_stay){
        .bed = call->to, .patient = str_of(call->stay.patient),
        .specialty = call->wanted.specialty, .reserved = reserved, .until_ms = until_ms,
        .request = call->service_request, .extension = why }, &op->body);
}

err beds_move_admit(struct beds_call *call)
{
    int32_t bed;
    if (beds_input(call, "encounter").n == 0)
        return new_stay(call, false, 0);
    TRY(beds_need_bed(call, "bed", &bed));
    TRY(beds_need_arrival(call, &call->stay));
    TRY(beds_check_not_in(call, &call->stay));
    TRY(beds_take_request(call));
    beds_wants(call);
    TRY(beds_take(call, bed));
    beds_change(call, "Encounter", call->encounter,
                (struct beds_edit){ .write = beds_edit_enter, .more = beds_override(call),
                                    .bed = call->to });
    if (call->service_request.n)
        beds_change(call, "ServiceRequest", call->service_request,
                    (struct beds_edit){ .write = beds_edit_request, .text = S("completed") });
    return ERR_OK;
}

err beds_move_reserve(struct beds_call *call)
{
    uint64_t minutes = RESERVE_MINUTES;
    str text = beds_input(call, "minutes");
    if (text.n && (!str_to_u64(text, &minutes) || minutes < 1 || minutes > RESERVE_MINUTES_MAX))
        return ctx_failf(call->cx, ERR_INVALID, S("minutes"), "minutes must be 1 to %d",
                         RESERVE_MINUTES_MAX);
    return new_stay(call, true, call->cx->now_ms + (int64_t)minutes * 60000);
}

err beds_move_transfer(struct beds_call *call)
{
    int32_t bed;
    TRY(beds_need_bed(call, "bed", &bed));
    TRY(beds_need_stay(call, "encounter", &call->stay));
    if (call->stay.reserved)
        return ctx_fail(call->cx, ERR_RULE, S("encounter"),
                        S("a bed is only kept for this stay: admit it, or cancel the reservation"));
    if (call->stay.bed == bed)
        return ctx_fail(call->cx, ERR_INVALID, S("bed"), S("the patient is in this bed already"));
    beds_wants(call);
    TRY(beds_take(call, bed));
    beds_vacate(call, &call->stay);
    beds_change(call, "Encounter", call->encounter,
                (struct beds_edit){ .write = beds_edit_move, .more = beds_override(call),
                                    .bed = call->to });
    return ERR_OK;
}

/* One of two into the bed of the other: the rules look at the bed as if it were empty. */
static err judge_swap(struct beds_call *call, const struct beds_stay *who, int32_t bed)
{
    struct beds_spot *spot = &call->picture->spots[bed];
    struct beds_spot *left = &call->picture->spots[who->bed];
    int32_t in_bed = spot->stay, in_left = left->stay;
    char v2 = spot->v2;
    call->stay = *who;
    call->wanted = (struct beds_request){ 0 };
    beds_wants(call);
    spot->stay = left->stay = BEDS_NONE;
    spot->v2 = 'U'; /* a bed somebody lies in is not waiting to be cleaned */
    err wrong = beds_take(call, bed);
    spot = &call->picture->spots[bed];
    spot->stay = in_bed;
    spot->v2 = v2;
    call->picture->spots[who->bed].stay = in_left;
    return wrong;
}

err beds_move_swap(struct beds_call *call)
{
    struct beds_stay a, b;
    str override;
    TRY(beds_need_stay(call, "encounter", &a));
    TRY(beds_need_stay(call, "with", &b));
    if (a.bed == b.bed)
        return ctx_fail(call->cx, ERR_INVALID, S("with"), S("a stay cannot swap with itself"));
    if (a.reserved || b.reserved)
        return ctx_fail(call->cx, ERR_RULE, S("with"), S("both patients must be in their beds"));
    TRY(judge_swap(call, &a, b.bed));
    TRY(judge_swap(call, &b, a.bed));
    override = beds_override(call);
    call->to = (str){ 0 };
    beds_change(call, "Encounter", str_of(a.id), (struct beds_edit){ .write = beds_edit_move,
                .bed = str_of(call->picture->spots[b.bed].id), .more = override });
    beds_change(call, "Encounter", str_of(b.id), (struct beds_edit){ .write = beds_edit_move,
                .bed = str_of(call->picture->spots[a.bed].id), .more = override });
    return ERR_OK;
}

/* ---- out of it ---- */

/* A stay without a bed, in the discharge lounge or a corridor, ends like any other. */
static err end_stay(struct beds_call *call, const char *status)
{
    str id;
    TRY(beds_need_id(call, "encounter", "Encounter", &id));
    TRY(beds_need_arrival(call, &call->stay));
    beds_change(call, "Encounter", call->encounter,
                (struct beds_edit){ .write = beds_edit_finish, .text = str_of(status) });
    if (beds_find_stay(call->picture, id) != BEDS_NONE && !call->stay.reserved)
        beds_vacate(call, &call->stay);
    return ERR_OK;
}

err beds_move_discharge(struct beds_call *call)
{
    TRY(end_stay(call, "finished"));
    if (call->stay.reserved)
        return ctx_fail(call->cx, ERR_RULE, S("encounter"),
                        S("nobody has come yet: cancel the reservation"));
    return ERR_OK;
}

err beds_move_cancel(struct beds_call *call)
{
    return end_stay(call, "cancelled");
}

/* The place a stay would go back to: its last one, or the one before the one it is in. */
static err place_before(struct beds_call *call, bool discharged, str *out)
{
    struct ctx *cx = call->cx;
    struct store_version version;
    struct json body;
    TRY(store_read(cx, call->request->store, fhir_resource_find(S("Encounter")), call->encounter,
                   &version));
    TRY(json_parse(cx, version.body, &body));
    struct json places = json_get(body, S("location"));
    int at = discharged ? (int)json_count(places) - 1 : beds_held_place(body) - 1;
    str patient = beds_read_reference(cx, json_get(body, S("subject")), "Patient");
    *out = at < 0 ? (str){ 0 } : beds_read_reference(
        cx, json_get(json_at(places, (size_t)at), S("location")), "Location");
    return str_given(patient) ? beds_need_patient(call, patient, &call->stay) : ERR_OK;
}

/* Going back is as safe as going there: the rules are asked of the bed again. That it waits for
 * its cleaning is no matter; that somebody has it is the claim's to say. */
static err check_back(struct beds_call *call, bool discharged)
{
    str bed;
    TRY(place_before(call, discharged, &bed));
    if (!str_given(bed))
        return ERR_OK;
    TRY(beds_picture_add_bed(call->cx, call->picture, bed));
    int32_t at = beds_find_spot(call->picture, bed);
    struct beds_spot *spot = at == BEDS_NONE ? NULL : &call->picture->spots[at];
    if (!spot || strcmp(spot->kind, "bd") != 0)
        return ERR_OK;
    call->to = arena_copy(call->cx->arena, bed);
    beds_wants(call);
    /* Isolation that nobody assessed again is not asked of the bed the patient was in before. */
    call->wanted.isolation = call->stay.isolation ? BEDS_ISOLATION_NEEDED : BEDS_ISOLATION_NONE;
    if (spot->stay != BEDS_NONE)
        return ERR_OK;
    spot->v2 = spot->v2 == 'K' || spot->v2 == 'H' ? 'U' : spot->v2;
    return beds_take(call, at);
}

err beds_move_cancel_discharge(struct beds_call *call)
{
    TRY(beds_need_id(call, "encounter", "Encounter", &call->encounter));
    TRY(check_back(call, true));
    call->to_worklist = true;
    beds_change(call, "Encounter", call->encounter,
                (struct beds_edit){ .write = beds_edit_reopen });
    return ERR_OK;
}

err beds_move_cancel_transfer(struct beds_call *call)
{
    TRY(beds_need_id(call, "encounter", "Encounter", &call->encounter));
    TRY(check_back(call, false));
    call->to_worklist = true;
    beds_change(call, "Encounter", call->encounter, (struct beds_edit){ .write = beds_edit_back });
    return ERR_OK;
}

/* ---- away from it for a while ---- */

static err set_leave(struct beds_call *call, const char *from, const char *to)
{
    TRY(beds_need_stay(call, "encounter", &call->stay));
    beds_change(call, "Encounter", call->encounter,
                (struct beds_edit){ .write = beds_edit_leave, .text = str_of(to),
                                    .more = str_of(from) });
    return ERR_OK;
}

err beds_move_leave(struct beds_call *call)
{
    return set_leave(call, "in-progress", "onleave");
}

err beds_move_return(struct beds_call *call)
{
    return set_leave(call, "onleave", "in-progress");
}

/* The lounge that was named, or the only one there is. */
static err find_lounge(struct beds_call *call, str *out)
{
    struct ctx *cx = call->cx;
    bool row;
    struct db_stmt *stmt = db_use(cx, cx->db, beds_sql, BEDS_SQL_LOUNGE);
    str wanted = str_trim(beds_input(call, "lounge"));
    if (wanted.n)
        TRY(beds_need_id(call, "lounge", "Location", &wanted));
    db_bind_text(stmt, 1, wanted.n ? wanted : S(""));
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return ctx_fail(cx, ERR_NOT_FOUND, S("lounge"), S("there is no such discharge lounge: a "
                        "lounge is a Location whose type has the code discharge-lounge"));
    *out = arena_copy(cx->arena, db_text(stmt, 0));
    db_reset(stmt);
    return ERR_OK;
}

err beds_move_lounge(struct beds_call *call)
{
    str lounge;
    TRY(beds_need_stay(call, "encounter", &call->stay));
    if (call->stay.reserved)
        return ctx_fail(call->cx, ERR_RULE, S("encounter"), S("nobody has come yet"));
    TRY(find_lounge(call, &lounge));
    beds_vacate(call, &call->stay);
    beds_change(call, "Encounter", call->encounter,
                (struct beds_edit){ .write = beds_edit_lounge, .bed = lounge });
    return ERR_OK;
}
