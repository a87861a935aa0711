/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/stamp.h"
#include "store/search.h"

#define STATUS_AT "https://frontline.example/StructureDefinition/hl7v2-status"
#define CANCELLED_AT "https://frontline.example/StructureDefinition/hl7v2-transfer-cancelled"
#define CANCELLED_MOVE "https://frontline.example/StructureDefinition/hl7v2-cancelled-move"
#define PLACE_TYPE "http://terminology.hl7.org/CodeSystem/location-physical-type"
#define ACT_CODE "http://terminology.hl7.org/CodeSystem/v3-ActCode"

/*
 * A visit is where the patient was when: moves in order of time, each ending where the next begins.
 * Admission and transfer add a move; a cancelling takes away the latest transfer before it,
 * whenever that becomes known, so both are kept; status is what the latest event about it says. So
 * the order in which messages arrive makes no difference.
 */
enum { MOVES_MAX = 500, CANCELS_MAX = 100 };
struct place_move {
    str location;      /* reference */
    bool is_bed;
    str start;
    int64_t start_ms;
    bool cancelled;
};
struct cancelling {
    str at;
    int64_t at_ms;
};
struct visit {
    struct hl7_found found;
    str status, start, end; /* of the whole stay */
    int64_t status_ms;      /* of the event that said the status */
    struct place_move moves[MOVES_MAX];
    size_t moves_count;
    struct cancelling cancels[CANCELS_MAX]; /* of transfers, in order of time */
    size_t cancels_count;
};

/* ---- places ---- */

/* `within`: the reference of the place it is part of; not given: none. What a place is part of is
 * said once: somebody may have put it elsewhere since. */
static err put_place(struct hl7_work *work, str value, const char *type, str within, str *reference)
{
    struct arena *arena = work->cx->arena;
    str system = hl7_own(work, "place"), coding = hl7_json_code(work, PLACE_TYPE, str_of(type));
    struct hl7_found found;
    TRY(hl7_find(work, "Location", system, value, &found));
    bool whole = found.found && (!within.n || json_get(found.body, S("partOf")).doc);
    struct hl7_change changes[] = {
        { "identifier", hl7_json_identifier(work, system, value), NULL },
        { "status", found.found ? (str){ 0 } : S("\"active\""), NULL },
        { "name", found.found ? (str){ 0 } : hl7_json_text(work, value), NULL },
        { "physicalType", found.found ? (str){ 0 }
                                      : arena_printf(arena, "{\"coding\":[%.*s]}",
                                                     STR_ARG(coding)), NULL },
        { "partOf", hl7_json_reference(work, within), NULL },
        { 0 },
    };
    if (!whole)
        TRY(hl7_put(work, "Location", system, value, changes, &found));
    *reference = found.reference;
    return ERR_OK;
}

/* PV1-3: ward ^ room ^ bed ^ facility. Found by these together, made when it is new; a bed or room
 * is part of its ward, so that the ward's board shows it. */
static err find_place(struct hl7_work *work, int field, struct place_move *out)
{
    str ward = hl7_field(work, work->pv1, field, 1), room = hl7_field(work, work->pv1, field, 2);
    str bed = hl7_field(work, work->pv1, field, 3), within = { 0 };
    *out = (struct place_move){ .is_bed = bed.n > 0 };
    if (!ward.n && !bed.n)
        return ERR_OK;
    str value = arena_printf(work->cx->arena, "%.*s-%.*s-%.*s", STR_ARG(ward), STR_ARG(room),
                             STR_ARG(bed));
    while (str_ends(value, S("-")))
        value.n--;
    if (ward.n && !str_eq(value, ward))
        TRY(put_place(work, ward, "wa", (str){ 0 }, &within));
    return put_place(work, value, bed.n ? "bd" : room.n ? "ro" : "wa", within, &out->location);
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

/* In order of time; a second move of the same moment is the same move, told again. */
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

static void add_cancelling(struct visit *visit, str at)
{
    struct cancelling one = { at, 0 };
    size_t place = visit->cancels_count;
    if (!hl7_instant(at, &one.at_ms) || place == CANCELS_MAX)
        return;
    while (place > 0 && visit->cancels[place - 1].at_ms > one.at_ms)
        place--;
    if (place > 0 && visit->cancels[place - 1].at_ms == one.at_ms)
        return;
    memmove(&visit->cancels[place + 1], &visit->cancels[place],
            (visit->cancels_count - place) * sizeof visit->cancels[0]);
    visit->cancels[place] = one;
    visit->cancels_count++;
}

/* Its parts: start, place, and bed when it is one. */
static void read_cancelled_move(struct hl7_work *work, struct visit *visit, struct json extension)
{
    struct place_move move = { 0 };
    for (struct json_walk w = json_walk(json_get(extension, S("extension"))); json_next(&w);) {
        str url = member_text(work, w.value, S("url"));
        if (str_eq(url, S("start")))
            move.start = member_text(work, w.value, S("valueDateTime"));
        else if (str_eq(url, S("place")))
            move.location = member_text(work, json_get(w.value, S("valueReference")),
                                        S("reference"));
        else
            move.is_bed = true;
    }
    if (hl7_instant(move.start, &move.start_ms))
        add_move(visit, move);
}

static void read_extensions(struct hl7_work *work, struct visit *visit)
{
    struct json list = json_get(visit->found.body, S("extension"));
    for (struct json_walk w = json_walk(list); json_next(&w);) {
        str url = member_text(work, w.value, S("url"));
        str at = member_text(work, w.value, S("valueInstant"));
        if (str_eq(url, S(STATUS_AT)))
            hl7_instant(at, &visit->status_ms);
        else if (str_eq(url, S(CANCELLED_AT)))
            add_cancelling(visit, at);
        else if (str_eq(url, S(CANCELLED_MOVE)))
            read_cancelled_move(work, visit, w.value);
    }
}

static void read_visit(struct hl7_work *work, struct visit *visit)
{
    struct json body = visit->found.body, period = json_get(body, S("period"));
    visit->status = member_text(work, body, S("status"));
    visit->start = member_text(work, period, S("start"));
    visit->end = member_text(work, period, S("end"));
    visit->status_ms = INT64_MIN;
    for (struct json_walk w = json_walk(json_get(body, S("location"))); json_next(&w);) {
        str start = member_text(work, json_get(w.value, S("period")), S("start"));
        struct place_move move = { .is_bed = is_bed(w.value), .start = start };
        move.location = member_text(work, json_get(w.value, S("location")), S("reference"));
        hl7_instant(start, &move.start_ms);
        add_move(visit, move);
    }
    read_extensions(work, visit);
}

/* Each cancelling takes the latest transfer that was before it and is not taken yet; where the
 * patient came in cannot be cancelled so. */
static void settle_moves(struct visit *visit)
{
    for (size_t i = 0; i < visit->moves_count; i++)
        visit->moves[i].cancelled = false;
    for (size_t c = 0; c < visit->cancels_count; c++)
        for (size_t i = visit->moves_count; i-- > 1;)
            if (visit->moves[i].start_ms <= visit->cancels[c].at_ms &&
                !visit->moves[i].cancelled) {
                visit->moves[i].cancelled = true;
                break;
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

static void set_status(struct hl7_work *work, struct visit *visit, const char *status)
{
    if (work->event_ms < visit->status_ms)
        return; /* a later event has said already */
    visit->status = str_of(status);
    visit->status_ms = work->event_ms;
}

/* A visit nobody has told the beginning of: whatever tells it has the last word. */
static void guess_status(struct visit *visit)
{
    if (!visit->found.found)
        visit->status = S("in-progress");
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

static size_t cancelled_count(const struct visit *visit)
{
    size_t count = 0;
    for (size_t i = 0; i < visit->moves_count; i++)
        count += visit->moves[i].cancelled;
    return count;
}

static err cancel_transfer(struct hl7_work *work, struct visit *visit)
{
    settle_moves(visit);
    size_t before = cancelled_count(visit);
    add_cancelling(visit, work->event_time);
    settle_moves(visit);
    if (cancelled_count(visit) == before)
        return hl7_refuse(work, 207, "PV1-3",
                          "the visit has no transfer to cancel: it has not come");
    return ERR_OK;
}

static err cancel_discharge(struct hl7_work *work, struct visit *visit)
{
    if (!str_eq(visit->status, S("finished")))
        return hl7_refuse(work, 207, "PV1",
                          "the visit has no discharge to cancel: it has not come");
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
        guess_status(visit);
        return move_in(work, visit, work->event_time);
    case HL7_DISCHARGE:
        discharge(work, visit);
        return ERR_OK;
    case HL7_UPDATE:
        guess_status(visit);
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

static const struct place_move *next_move(const struct visit *visit, size_t after)
{
    for (size_t i = after + 1; i < visit->moves_count; i++)
        if (!visit->moves[i].cancelled)
            return &visit->moves[i];
    return NULL;
}

/* ---- who is in the bed ---- */

enum { RIVALS_MAX = 100 };

static const struct place_move *last_move(const struct visit *visit)
{
    const struct place_move *last = NULL;
    for (size_t i = 0; i < visit->moves_count; i++)
        last = visit->moves[i].cancelled ? last : &visit->moves[i];
    return last;
}

/* When the latest thing was said that puts a stay where it is; INT64_MIN: it is in no bed. */
static int64_t lies_since(const struct visit *visit)
{
    const struct place_move *last = last_move(visit);
    int64_t since_ms = visit->status_ms;
    if (visit->moves_count == 0)
        return INT64_MIN;
    if (last && last->start_ms > since_ms)
        since_ms = last->start_ms;
    if (visit->cancels_count && visit->cancels[visit->cancels_count - 1].at_ms > since_ms)
        since_ms = visit->cancels[visit->cancels_count - 1].at_ms;
    return since_ms;
}

/* Is the stay in a bed now, in this one? Not given: in any. */
static bool holds(struct hl7_work *work, struct json stay, str bed)
{
    for (struct json_walk w = json_walk(json_get(stay, S("location"))); json_next(&w);) {
        str there = member_text(work, json_get(w.value, S("location")), S("reference"));
        if (json_string_is(json_get(w.value, S("status")), S("active")) && is_bed(w.value) &&
            (!str_given(bed) || str_eq(there, bed)))
            return true;
    }
    return false;
}

/* A stay that holds it and was put there by something later than all that is known of this one. */
static err any_later(struct hl7_work *work, const struct visit *visit, str query, str bed,
                     bool *out)
{
    int64_t rids[RIVALS_MAX], since_ms = lies_since(visit);
    struct search_rids found = { .rids = rids, .max = RIVALS_MAX };
    struct visit *rival = arena_alloc(work->cx->arena, sizeof *rival);
    TRY(search_condition(work->cx, work->store, fhir_resource_find(S("Encounter")), query, &found));
    for (size_t i = 0; i < found.count && !*out; i++) {
        if (rids[i] == visit->found.version.rid)
            continue;
        *rival = (struct visit){ .status_ms = INT64_MIN };
        TRY(store_read_rid(work->cx, work->store, rids[i], &rival->found.version));
        TRY(json_parse(work->cx, rival->found.version.body, &rival->found.body));
        if (!holds(work, rival->found.body, bed))
            continue;
        read_visit(work, rival);
        *out = lies_since(rival) > since_ms;
    }
    return ERR_OK;
}

/* The bed is another's, or the patient in another: when that is so by something later than all
 * that is known of this stay, this one has left its bed, and how is yet to come. Else the message
 * is refused, and waits until the other has gone. */
static err has_left(struct hl7_work *work, const struct visit *visit, bool *out)
{
    static const char in_bed[] = "location=%.*s&status=in-progress,onleave,arrived,triaged,planned";
    static const char of_patient[] = "subject=%.*s&status=in-progress,onleave&"
                                     "class=IMP,ACUTE,NONAC";
    const struct place_move *last = last_move(visit);
    *out = false;
    if (!work->taken || !last)
        return ERR_OK;
    hl7_wait_for(work, last->location);
    hl7_wait_for(work, work->patient);
    TRY(any_later(work, visit, arena_printf(work->cx->arena, in_bed, STR_ARG(last->location)),
                  last->location, out));
    return any_later(work, visit,
                     arena_printf(work->cx->arena, of_patient, STR_ARG(work->patient)),
                     (str){ 0 }, out);
}

static bool is_over(const struct visit *visit)
{
    return str_eq(visit->status, S("finished")) || str_eq(visit->status, S("cancelled"));
}

static str locations(struct hl7_work *work, const struct visit *visit, bool left)
{
    struct buf buf = hl7_buf(work);
    struct json_writer w = json_writer(&buf);
    bool over = is_over(visit);
    json_open(&w, '[');
    for (size_t i = 0; i < visit->moves_count; i++) {
        const struct place_move *move = &visit->moves[i], *next = next_move(visit, i);
        if (move->cancelled)
            continue;
        str end = next ? next->start : over && visit->end.n ? visit->end : (str){ 0 };
        json_open(&w, '{');
        json_put_raw(&w, "location", hl7_json_reference(work, move->location));
        json_put_str(&w, "status", !next && !over && !left ? S("active") : S("completed"));
        if (move->is_bed)
            json_put_raw(&w, "physicalType",
                         S("{\"coding\":[{\"system\":\"" PLACE_TYPE "\",\"code\":\"bd\"}]}"));
        json_put_raw(&w, "period", period(work, move->start, end));
        json_close(&w, '}');
    }
    json_close(&w, ']');
    return visit->moves_count ? buf_str(&buf) : (str){ 0 };
}

static void put_extension(struct json_writer *w, const char *url, const char *kind, str value)
{
    json_open(w, '{');
    json_put_str(w, "url", str_of(url));
    json_put_str(w, kind, value);
    json_close(w, '}');
}

static bool is_ours(struct json extension)
{
    struct json url = json_get(extension, S("url"));
    return json_string_is(url, S(CANCELLED_AT)) || json_string_is(url, S(CANCELLED_MOVE));
}

/* The place as a reference, which a commit follows when the place is new with it. */
static void put_cancelled_move(struct hl7_work *work, struct json_writer *w,
                               const struct place_move *move)
{
    json_open(w, '{');
    json_put_str(w, "url", S(CANCELLED_MOVE));
    json_key(w, "extension");
    json_open(w, '[');
    put_extension(w, "start", "valueDateTime", move->start);
    json_open(w, '{');
    json_put_str(w, "url", S("place"));
    json_put_raw(w, "valueReference", hl7_json_reference(work, move->location));
    json_close(w, '}');
    if (move->is_bed)
        put_extension(w, "kind", "valueCode", S("bd"));
    json_close(w, ']');
    json_close(w, '}');
}

static void put_cancelled(struct hl7_work *work, struct json_writer *w, const struct visit *visit)
{
    for (size_t i = 0; i < visit->cancels_count; i++)
        put_extension(w, CANCELLED_AT, "valueInstant", visit->cancels[i].at);
    for (size_t i = 0; i < visit->moves_count; i++)
        if (visit->moves[i].cancelled)
            put_cancelled_move(work, w, &visit->moves[i]);
}

static str extensions(struct hl7_work *work, const struct visit *visit)
{
    struct buf buf = hl7_buf(work);
    struct json_writer w = json_writer(&buf);
    struct json list = json_get(visit->found.body, S("extension"));
    bool said_now = visit->status_ms == work->event_ms;
    json_open(&w, '[');
    for (struct json_walk old = json_walk(list); json_next(&old);)
        if (!is_ours(old.value) &&
            !(said_now && json_string_is(json_get(old.value, S("url")), S(STATUS_AT))))
            json_raw(&w, json_text(old.value));
    if (said_now)
        put_extension(&w, STATUS_AT, "valueInstant", work->event_time);
    put_cancelled(work, &w, visit);
    json_close(&w, ']');
    return buf.n > 2 ? buf_str(&buf) : S("");
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

/* Only what says something else is said: an update of the person alone leaves the visit be. */
static str class_of(struct hl7_work *work, const struct visit *visit)
{
    str sent = hl7_field(work, work->pv1, 2, 1);
    str code = hl7_sender_code(work->cx->arena, work->sender, "class", sent);
    struct json there = json_get(json_get(visit->found.body, S("class")), S("code"));
    bool earlier = visit->found.found && work->event_ms < visit->status_ms;
    if (!code.n || earlier || json_string_is(there, code))
        return (str){ 0 };
    str plain = hl7_json_code(work, ACT_CODE, code);
    if (!sent.n || hl7_sender_knows(work->sender, "class", sent))
        return plain;
    return arena_printf(work->cx->arena, "{\"extension\":[{\"url\":\"" HL7_AS_SENT "\","
                        "\"valueString\":%.*s}],%.*s", STR_ARG(hl7_json_text(work, sent)),
                        STR_ARG(str_slice(plain, 1, plain.n)));
}

/* The body's own with the tag of a stay whose bed is another's, or without; not given: as it is. */
static str tagged(struct hl7_work *work, struct json body, bool taken)
{
    struct json meta = json_get(body, S("meta")), tags = json_get(meta, S("tag"));
    struct buf kept = hl7_buf(work), buf = hl7_buf(work);
    struct json_writer list = json_writer(&kept), w = json_writer(&buf);
    bool was = false;
    json_open(&list, '[');
    for (struct json_walk walk = json_walk(tags); json_next(&walk);) {
        bool ours = json_string_is(json_get(walk.value, S("system")), S(HL7_TAGS));
        was = was || ours;
        if (!ours)
            json_raw(&list, json_text(walk.value));
    }
    if (taken)
        json_raw(&list, hl7_json_code(work, HL7_TAGS, S(HL7_BED_TAKEN)));
    json_close(&list, ']');
    if (was == taken)
        return (str){ 0 };
    json_open(&w, '{');
    for (struct json_walk walk = json_walk(meta); json_next(&walk);) {
        if (json_string_is(walk.key, S("tag")))
            continue;
        json_key_str(&w, json_string(work->cx->arena, walk.key));
        json_raw(&w, json_text(walk.value));
    }
    if (kept.n > 2)
        json_put_raw(&w, "tag", buf_str(&kept));
    json_close(&w, '}');
    return buf_str(&buf);
}

static err write_visit(struct hl7_work *work, struct visit *visit, enum hl7_move move)
{
    str system = hl7_own(work, "visit");
    bool known = visit->found.found;
    bool leaves = move == HL7_DISCHARGE && visit->status_ms == work->event_ms;
    bool left;
    settle_moves(visit);
    TRY(has_left(work, visit, &left));
    struct hl7_change changes[] = {
        { "extension", extensions(work, visit), NULL },
        { "identifier", known ? (str){ 0 } : hl7_json_identifier(work, system, work->visit), NULL },
        { "meta", tagged(work, visit->found.body, left && !is_over(visit)), NULL },
        { "status", hl7_json_text(work, visit->status.n ? visit->status : S("unknown")), NULL },
        { "class", class_of(work, visit), NULL },
        { "subject", hl7_json_subject(work), NULL },
        { "period", period(work, visit->start, visit->end), NULL },
        { "hospitalization", leaves ? hospitalization(work) : (str){ 0 }, NULL },
        { "location", locations(work, visit, left), NULL },
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
    work->moved = move != HL7_UPDATE || !visit->found.found;
    return write_visit(work, visit, move);
}
