/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/demo.h"
#include "clinical/london.h"
#include "systems/obs/board.h"
#include "systems/obs/entry.h"
#include "systems/obs/fluids.h"

enum { WARDS_MAX = 64, OPEN_MAX = 40, DAY_HOUR = 8, NIGHT_HOUR = 20 };
#define ANSWERS_AN_HOUR 1.2
#define VIEWS_AN_HOUR 0.8
#define FLUIDS_AN_HOUR 24.0
#define WORSE_AN_HOUR 0.8
#define LOOK_BACK_MS (24 * INT64_C(3600000))

static err put(struct play_hand *hand, struct commit_op *op)
{
    struct commit commit = { .ops = op, .ops_count = 1, .cx = hand->cx, .who = S("demonstration"),
                             .why = S("demonstration: observations") };
    return commit_run(hand->cx, hand->store, &commit);
}

static err wards_of(struct ctx *cx, str *wards, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, cx->db, obs_sql, OBS_SQL_WARDS);
    bool row;
    *count = 0;
    for (;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row || *count == WARDS_MAX)
            break;
        str id = db_text(stmt, 0);
        if (str_starts(id, S("ward-"))) /* of the invented hospital */
            wards[(*count)++] = arena_copy(cx->arena, id);
    }
    if (row)
        db_reset(stmt);
    return ERR_OK;
}

/* ---- the rota ---- */

struct block {
    int64_t from_ms, to_ms, number;
};

/* The shift now: 08:00 to 20:00 by the wall, or the night. */
static struct block block_at(int64_t now_ms)
{
    int64_t day = london_day(now_ms), morning = london_at(day, DAY_HOUR, 0);
    int64_t evening = london_at(day, NIGHT_HOUR, 0);
    if (now_ms < morning)
        return (struct block){ london_at(day - 1, NIGHT_HOUR, 0), morning, day * 2 - 1 };
    if (now_ms < evening)
        return (struct block){ morning, evening, day * 2 };
    return (struct block){ evening, london_at(day + 1, DAY_HOUR, 0), day * 2 + 1 };
}

static err put_shift(struct play_hand *hand, const struct block *block, const char *role,
                     str practitioner, str ward)
{
    struct ctx *cx = hand->cx;
    struct store_version version;
    struct json body;
    struct commit_op op;
    str id = arena_printf(cx->arena, "rota-%lld-%s-%.*s", (long long)block->number,
                          strcmp(role, "nurse_in_charge") == 0 ? "charge" : role, STR_ARG(ward));
    if (store_read(cx, hand->store, fhir_resource_find(S("Schedule")), id, &version) == ERR_OK ||
        obs_read(cx, hand->store, "Practitioner", practitioner, &version, &body) != ERR_OK)
        return ERR_OK;
    str place = ward.n ? arena_printf(cx->arena, ",{\"reference\":\"Location/%.*s\"}",
                                      STR_ARG(ward)) : S("");
    str text = arena_printf(cx->arena, "{\"resourceType\":\"Schedule\",\"id\":\"%.*s\",\"active\":"
        "true,\"serviceCategory\":[{\"coding\":[{\"system\":\"" OBS_CODES "rota\",\"code\":"
        "\"escalation-rota\"}]}],\"serviceType\":[{\"coding\":[{\"system\":\"" OBS_CODES "rota\","
        "\"code\":\"%s\"}]}],\"actor\":[{\"reference\":\"Practitioner/%.*s\",\"display\":\"%.*s\"}"
        "%.*s],\"planningHorizon\":{\"start\":\"%.*s\",\"end\":\"%.*s\"}}", STR_ARG(id), role,
        STR_ARG(practitioner), STR_ARG(ui_resource_text(cx, body)), STR_ARG(place),
        STR_ARG(obs_when(cx, block->from_ms)), STR_ARG(obs_when(cx, block->to_ms)));
    TRY(obs_fhir_op(cx, "Schedule", id, 0, text, &op));
    return put(hand, &op);
}

static err keep_rota(struct play_hand *hand)
{
    static const struct { const char *role, *who; } everywhere[] = {
        { "registrar", "cons-res" }, { "consultant", "cons-med" },
        { "outreach", "nurse-icu-1" } };
    struct ctx *cx = hand->cx;
    struct block block = block_at(cx->now_ms);
    str wards[WARDS_MAX];
    size_t count;
    int turn = (int)(block.number % 2) + 1;
    TRY(wards_of(cx, wards, &count));
    for (size_t i = 0; i < COUNT(everywhere) && count; i++)
        TRY(put_shift(hand, &block, everywhere[i].role,
                      arena_printf(cx->arena, "%s-%d", everywhere[i].who, turn), S("")));
    for (size_t i = 0; i < count; i++) { /* ward-amu-1: cons-amu-1, nurse-amu-1-2 */
        str rest = str_slice(wards[i], 5, wards[i].n), key = rest;
        size_t dash = str_find_char(rest, '-');
        key = str_slice(rest, 0, dash == STR_NONE ? rest.n : dash);
        TRY(put_shift(hand, &block, "doctor", arena_printf(cx->arena, "cons-%.*s-%d",
                      STR_ARG(key), turn), wards[i]));
        TRY(put_shift(hand, &block, "nurse_in_charge", arena_printf(cx->arena, "nurse-%.*s-%d",
                      STR_ARG(rest), turn), wards[i]));
    }
    return ERR_OK;
}

/* ---- answering ---- */

static err open_alerts(struct ctx *cx, const char *status, str *ids, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, cx->db, obs_sql, OBS_SQL_OPEN);
    bool row;
    *count = 0;
    db_bind_text(stmt, 1, str_of(status));
    for (;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row || *count == OPEN_MAX)
            break;
        ids[(*count)++] = arena_copy(cx->arena, db_text(stmt, 0));
    }
    if (row)
        db_reset(stmt);
    return ERR_OK;
}

/* The first of those who were told. */
static str who_was_told(const struct obs_alert *alert)
{
    str told = alert->told;
    for (size_t at; (at = str_find(told, S("; "))) != STR_NONE;)
        told = str_slice(told, at + 2, told.n);
    size_t end = str_find(told, S(" ("));
    return end == STR_NONE ? S("Ward doctor") : str_slice(told, 0, end);
}

static err act_on_one(struct play_hand *hand, str id, bool answer)
{
    struct obs_alert alert;
    struct commit_op op;
    TRY(obs_alert_read(hand->cx, hand->store, id, &alert));
    if (answer) {
        alert.state = OBS_ANSWERED;
        alert.answered_ms = hand->cx->now_ms;
        alert.answered_by = who_was_told(&alert);
        alert.note = S("On my way");
    } else {
        alert.state = OBS_ENDED;
        alert.status = S("completed");
        alert.reviewed_ms = hand->cx->now_ms;
        alert.reviewed_by = alert.answered_by;
        alert.note = S("Seen, plan written, observations hourly");
    }
    TRY(obs_alert_op(hand->cx, &alert, &op));
    return put(hand, &op);
}

static err answer_calls(struct play_hand *hand)
{
    str ids[OPEN_MAX];
    size_t count;
    for (int answer = 0; answer < 2; answer++) {
        TRY(open_alerts(hand->cx, answer ? "requested" : "accepted", ids, &count));
        for (size_t i = 0; i < count; i++)
            if (play_happens(hand, answer ? ANSWERS_AN_HOUR : VIEWS_AN_HOUR))
                return act_on_one(hand, ids[i], answer);
    }
    return ERR_OK;
}

/* ---- getting worse ---- */

static str patient_by_chance(struct play_hand *hand)
{
    struct ctx *cx = hand->cx;
    str wards[WARDS_MAX];
    size_t count, beds_count;
    struct obs_in_bed *beds = arena_array(cx->arena, OBS_WARD_MAX, sizeof *beds);
    if (wards_of(cx, wards, &count) != ERR_OK || !count ||
        obs_in_beds(cx, wards[play_pick(hand, count)], beds, &beds_count) != ERR_OK || !beds_count)
        return (str){ 0 };
    str patient = beds[play_pick(hand, beds_count)].patient;
    return str_starts(patient, S("p")) ? patient : (str){ 0 };
}

/* Somebody's next set is worse than the last, and is entered as a nurse would. */
static err worsen(struct play_hand *hand)
{
    struct ctx *cx = hand->cx;
    struct obs_person person;
    struct obs_sets sets;
    struct commit_op ops[OBS_OPS_MAX];
    struct commit commit = { .ops = ops, .cx = cx, .who = S("demonstration"),
                             .why = S("demonstration: observations") };
    if (!play_happens(hand, WORSE_AN_HOUR))
        return ERR_OK;
    str patient = patient_by_chance(hand);
    if (!patient.n)
        return ERR_OK;
    TRY(obs_person_read(cx, hand->store, patient, &person));
    TRY(obs_sets_read(cx, hand->store, patient, cx->now_ms - LOOK_BACK_MS, &sets));
    const struct obs_set *last = obs_sets_latest(&sets);
    if (!last || person.excluded.n || obs_set_result(last).missing)
        return ERR_OK;
    struct obs_set set = { .at_ms = cx->now_ms / 1000 * 1000, .on_oxygen = 1, .acvpu = last->acvpu,
                           .scale2 = person.target.set, .device = S("Nasal cannula"),
                           .sent_total = OBS_NONE };
    memcpy(set.values, last->values, sizeof set.values);
    set.values[OBS_RESP] += 4 + (int)play_pick(hand, 5);
    set.values[OBS_SPO2] -= 3 + (int)play_pick(hand, 3);
    set.values[OBS_PULSE] += 14 + (int)play_pick(hand, 15);
    set.values[OBS_SYSTOLIC] -= 10 + (int)play_pick(hand, 12);
    set.values[OBS_TEMP] += (int)play_pick(hand, 14);
    set.values[OBS_FLOW] = 20;
    struct obs_writing what = { .set = &set, .patient = patient, .encounter = person.encounter,
                                .target = person.target.set ? person.target.id : S(""),
                                .key = obs_new_key(cx) };
    TRY(obs_set_ops(cx, hand->store, &what, ops, &commit.ops_count));
    return commit_run(cx, hand->store, &commit);
}

/* ---- fluids ---- */

/* One patient in three has a fluid chart. */
static err chart_fluid(struct play_hand *hand)
{
    static const struct { enum fluid_route route; int least, span; } kinds[] = {
        { FLUID_ORAL, 100, 200 }, { FLUID_URINE, 60, 300 }, { FLUID_IV, 100, 400 },
        { FLUID_URINE, 40, 200 } };
    struct ctx *cx = hand->cx;
    struct commit_op op;
    if (!play_happens(hand, FLUIDS_AN_HOUR))
        return ERR_OK;
    str patient = patient_by_chance(hand);
    if (!patient.n || str_hash(patient) % 3)
        return ERR_OK;
    size_t kind = play_pick(hand, COUNT(kinds));
    struct fluid_entry entry = { .at_ms = cx->now_ms / 1000 * 1000, .route = kinds[kind].route,
        .volume_ml = kinds[kind].least + (int)play_pick(hand, (size_t)kinds[kind].span / 10) * 10 };
    struct obs_person person;
    TRY(obs_person_read(cx, hand->store, patient, &person));
    str id = obs_new_key(cx);
    TRY(obs_fhir_op(cx, "Observation", id, 0, obs_fluid_text(cx, &person, &entry, id), &op));
    return put(hand, &op);
}

/* clang-format off: one row an act. */
static const struct play_act acts[] = {
    { "rota", keep_rota }, { "answering", answer_calls }, { "fluids", chart_fluid },
    { "getting worse", worsen },
};
/* clang-format on */
const struct play_act *const obs_demo[] = { &acts[0], &acts[1], &acts[2], &acts[3], NULL };
