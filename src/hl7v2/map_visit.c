/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/work.h"

#define STATUS_AT "https://frontline.example/StructureDefinition/hl7v2-status"
#define PLACE_TYPE "http://terminology.hl7.org/CodeSystem/location-physical-type"
#define ACT_CODE "http://terminology.hl7.org/CodeSystem/v3-ActCode"

/*
 * A visit is where the patient was when: moves in order of time, each ending where the next begins.
 * Admission and transfer add a move, their cancelling takes it away; status is what the latest
 * event about it says. So the order in which messages arrive makes no difference.
 */
enum { MOVES_MAX = 500 };
struct place_move {
    str location;      /* reference */
    bool is_bed;
    str start;
    int64_t start_ms;
};
struct visit {
    struct hl7_found found;
    str status, start, end; /* of the whole stay */
    int64_t status_ms;      /* of the event that said the status */
    struct place_move moves[MOVES_MAX];
    size_t moves_count;
};

/* ---- places ---- */

/* PV1-3: ward ^ room ^ bed ^ facility. Found by these together, made when it is new. */
static err find_place(struct hl7_work *work, int field, struct place_move *out)
{
    struct arena *arena = work->cx->arena;
    str ward = hl7_field(work, work->pv1, field, 1), room = hl7_field(work, work->pv1, field, 2);
    str bed = hl7_field(work, work->pv1, field, 3);
    *out = (struct place_move){ .is_bed = bed.n > 0 };
    if (!ward.n && !bed.n)
        return ERR_OK;
    str value = arena_printf(arena, "%.*s-%.*s-%.*s", STR_ARG(ward), STR_ARG(room), STR_ARG(bed));
    while (str_ends(value, S("-")))
        value.n--;
    str system = hl7_own(work, "place");
    struct hl7_found found;
    TRY(hl7_find(work, "Location", system, value, &found));
    if (!found.found) {
        str coding = hl7_json_code(work, PLACE_TYPE, bed.n ? S("bd") : room.n ? S("ro") : S("wa"));
        struct hl7_change changes[] = {
            { "identifier", hl7_json_identifier(work, system, value) },
            { "status", S("\"active\"") },
            { "name", hl7_json_text(work, value) },
            { "physicalType", arena_printf(arena, "{\"coding\":[%.*s]}", STR_ARG(coding)) },
            { 0 },
        };
        TRY(hl7_put(work, "Location", system, value, changes, &found));
    }
    out->location = found.reference;
    return ERR_OK;
}

/* ---- reading the visit as it is ---- */

static str member_text(struct hl7_work *work, struct json object, str key)
{
    return json_string(work->cx->arena, json_get(object, key));
}

static bool is_bed(struct json place)
{
    struct json coding = json_get(json_get(place, S("physicalType")), S("coding"));
    return json_string_is(json_get(json_at(coding, 0), S("code")), S("bd"));
}

static void read_visit(struct hl7_work *work, struct visit *visit)
{
    struct json body = visit->found.body, period = json_get(body, S("period"));
    visit->status = member_text(work, body, S("status"));
    visit->start = member_text(work, period, S("start"));
    visit->end = member_text(work, period, S("end"));
    visit->status_ms = INT64_MIN;
    for (struct json_walk w = json_walk(json_get(body, S("extension"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("url")), S(STATUS_AT)))
            hl7_instant(member_text(work, w.value, S("valueInstant")), &visit->status_ms);
    for (struct json_walk w = json_walk(json_get(body, S("location"))); json_next(&w);) {
        str start = member_text(work, json_get(w.value, S("period")), S("start"));
        struct place_move move = { .is_bed = is_bed(w.value), .start = start };
        move.location = member_text(work, json_get(w.value, S("location")), S("reference"));
        hl7_instant(start, &move.start_ms);
        if (visit->moves_count < MOVES_MAX)
            visit->moves[visit->moves_count++] = move;
    }
}

static err find_visit(struct hl7_work *work, struct visit *visit)
{
    str system = hl7_own(work, "visit");
    *visit = (struct visit){ .status_ms = INT64_MIN };
    if (!work->visit.n)
        return hl7_refuse(work, 101, "PV1-19", "the visit number must be given");
    TRY(hl7_find(work, "Encounter", system, work->visit, &visit->found));
    read_visit(work, visit);
    return ERR_OK;
}

/* ---- changing it ---- */

/* The same moment twice is the same move, told again. */
static void add_move(struct visit *visit, struct place_move move)
{
    size_t at = visit->moves_count;
    while (at > 0 && visit->moves[at - 1].start_ms > move.start_ms)
        at--;
    if (at > 0 && visit->moves[at - 1].start_ms == move.start_ms) {
        visit->moves[at - 1] = move;
        return;
    }
    if (visit->moves_count == MOVES_MAX)
        return;
    memmove(&visit->moves[at + 1], &visit->moves[at],
            (visit->moves_count - at) * sizeof visit->moves[0]);
    visit->moves[at] = move;
    visit->moves_count++;
}

static void set_status(struct hl7_work *work, struct visit *visit, const char *status)
{
    if (work->event_ms < visit->status_ms)
        return; /* a later event has said already */
    visit->status = str_of(status);
    visit->status_ms = work->event_ms;
}

static str time_or_event(struct hl7_work *work, int field)
{
    str time = hl7_time(work, hl7_field(work, work->pv1, field, 1));
    return str_given(time) ? time : work->event_time;
}

static err move_in(struct hl7_work *work, struct visit *visit, str start)
{
    struct place_move move;
    TRY(find_place(work, 3, &move));
    move.start = start;
    if (move.location.n && hl7_instant(start, &move.start_ms))
        add_move(visit, move);
    return ERR_OK;
}

static err cancel_transfer(struct hl7_work *work, struct visit *visit)
{
    if (visit->moves_count < 2)
        return hl7_refuse(work, 207, "PV1-3", "the visit has no transfer to cancel");
    visit->moves_count--;
    return ERR_OK;
}

static err cancel_discharge(struct hl7_work *work, struct visit *visit)
{
    if (!str_eq(visit->status, S("finished")))
        return hl7_refuse(work, 207, "PV1", "the visit has no discharge to cancel");
    if (work->event_ms >= visit->status_ms)
        visit->end = (str){ 0 };
    set_status(work, visit, "in-progress");
    return ERR_OK;
}

static void discharge(struct hl7_work *work, struct visit *visit)
{
    if (work->event_ms >= visit->status_ms)
        visit->end = time_or_event(work, 45);
    set_status(work, visit, "finished");
}

static err apply_move(struct hl7_work *work, struct visit *visit, enum hl7_move move)
{
    bool knows_place = visit->moves_count > 0;
    switch (move) {
    case HL7_ADMIT:
    case HL7_REGISTER:
        visit->start = time_or_event(work, 44);
        set_status(work, visit, "in-progress");
        return move_in(work, visit, visit->start);
    case HL7_PREADMIT:
        set_status(work, visit, "planned");
        return ERR_OK;
    case HL7_TRANSFER:
        if (!visit->found.found)
            set_status(work, visit, "in-progress");
        return move_in(work, visit, work->event_time);
    case HL7_DISCHARGE:
        discharge(work, visit);
        return ERR_OK;
    case HL7_UPDATE:
        if (!visit->found.found)
            set_status(work, visit, "in-progress");
        return knows_place ? ERR_OK : move_in(work, visit, time_or_event(work, 44));
    case HL7_CANCEL_ADMIT:
        set_status(work, visit, "cancelled");
        return ERR_OK;
    case HL7_CANCEL_TRANSFER: return cancel_transfer(work, visit);
    case HL7_CANCEL_DISCHARGE: return cancel_discharge(work, visit);
    }
    return ERR_OK;
}

/* ---- writing it ---- */

static str period(struct hl7_work *work, str start, str end)
{
    struct buf buf = hl7_buf(work);
    struct json_writer w = json_writer(&buf);
    if (!start.n && !end.n)
        return (str){ 0 };
    json_open(&w, '{');
    if (start.n)
        json_put_str(&w, "start", start);
    if (end.n)
        json_put_str(&w, "end", end);
    json_close(&w, '}');
    return buf_str(&buf);
}

static str locations(struct hl7_work *work, const struct visit *visit)
{
    struct buf buf = hl7_buf(work);
    struct json_writer w = json_writer(&buf);
    bool over = str_eq(visit->status, S("finished")) || str_eq(visit->status, S("cancelled"));
    json_open(&w, '[');
    for (size_t i = 0; i < visit->moves_count; i++) {
        const struct place_move *move = &visit->moves[i];
        bool last = i + 1 == visit->moves_count;
        str end = last ? over && visit->end.n ? visit->end : (str){ 0 } : visit->moves[i + 1].start;
        json_open(&w, '{');
        json_put_raw(&w, "location", hl7_json_reference(work, move->location));
        json_put_str(&w, "status", last && !over ? S("active") : S("completed"));
        if (move->is_bed)
            json_put_raw(&w, "physicalType",
                         S("{\"coding\":[{\"system\":\"" PLACE_TYPE "\",\"code\":\"bd\"}]}"));
        json_put_raw(&w, "period", period(work, move->start, end));
        json_close(&w, '}');
    }
    json_close(&w, ']');
    return visit->moves_count ? buf_str(&buf) : (str){ 0 };
}

static str status_extension(struct hl7_work *work, const struct visit *visit)
{
    struct buf buf = hl7_buf(work);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '[');
    for (struct json_walk old = json_walk(json_get(visit->found.body, S("extension")));
         json_next(&old);)
        if (visit->status_ms != work->event_ms ||
            !json_string_is(json_get(old.value, S("url")), S(STATUS_AT)))
            json_raw(&w, json_text(old.value));
    if (visit->status_ms == work->event_ms) {
        json_open(&w, '{');
        json_put_str(&w, "url", S(STATUS_AT));
        json_put_str(&w, "valueInstant", work->event_time);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    return buf.n > 2 ? buf_str(&buf) : (str){ 0 };
}

/* PV1-36, as the sender codes it. */
static str hospitalization(struct hl7_work *work)
{
    str code = hl7_field(work, work->pv1, 36, 1);
    if (!code.n)
        return (str){ 0 };
    str concept = hl7_json_concept(work, work->pv1, (struct hl7_place){ 36, 0, 1, 0 });
    return arena_printf(work->cx->arena, "{\"dischargeDisposition\":%.*s}", STR_ARG(concept));
}

static err write_visit(struct hl7_work *work, struct visit *visit, enum hl7_move move)
{
    struct arena *arena = work->cx->arena;
    str system = hl7_own(work, "visit");
    str class = hl7_sender_code(arena, work->sender, "class", hl7_field(work, work->pv1, 2, 1));
    struct hl7_change changes[] = {
        { "extension", status_extension(work, visit) },
        { "identifier", visit->found.found ? (str){ 0 }
                                           : hl7_json_identifier(work, system, work->visit) },
        { "status", hl7_json_text(work, visit->status.n ? visit->status : S("unknown")) },
        { "class", class.n ? hl7_json_code(work, ACT_CODE, class) : (str){ 0 } },
        { "subject", hl7_json_reference(work, work->patient) },
        { "period", period(work, visit->start, visit->end) },
        { "hospitalization", move == HL7_DISCHARGE ? hospitalization(work) : (str){ 0 } },
        { "location", locations(work, visit) },
        { 0 },
    };
    TRY(hl7_put(work, "Encounter", system, work->visit, changes, &visit->found));
    work->encounter = visit->found.reference;
    return ERR_OK;
}

static bool needs_visit(enum hl7_move move)
{
    return move == HL7_DISCHARGE || move == HL7_CANCEL_ADMIT || move == HL7_CANCEL_TRANSFER ||
           move == HL7_CANCEL_DISCHARGE;
}

err hl7_map_visit(struct hl7_work *work, enum hl7_move move)
{
    struct visit *visit = arena_alloc(work->cx->arena, sizeof *visit);
    if (!work->pv1 && move != HL7_UPDATE)
        return hl7_refuse(work, 100, "PV1", "the message must have a PV1 segment");
    if (move == HL7_UPDATE && !work->visit.n)
        return ERR_OK; /* about the person alone */
    TRY(find_visit(work, visit));
    if (!visit->found.found && needs_visit(move))
        return hl7_refuse(work, 204, "PV1-19", "no visit %.*s is known: its admission has not come",
                          STR_ARG(work->visit));
    TRY(apply_move(work, visit, move));
    work->new_visit = !visit->found.found;
    return write_visit(work, visit, move);
}
