/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/picture_read.h"
#include "clinical/london.h"
#include "fhir/datetime.h"
#include "fhir/validate.h"
#include "systems/beds/sql.h"

enum { ROUNDS_MAX = 200 };

#define COPY(to, text) snprintf((to), sizeof(to), "%.*s", STR_ARG(text))

int64_t beds_instant_of(str text)
{
    struct datetime when;
    return datetime_parse(text, DATETIME_AS_DATE_TIME, &when) ? when.low_ms : 0;
}

static int64_t day_of(str text)
{
    struct datetime when;
    return datetime_parse(text, DATETIME_AS_DATE, &when) ? when.low_ms / LONDON_DAY_MS
                                                         : BEDS_NO_DAY;
}

/* ---- places ---- */

static unsigned attribute_of(str code)
{
    static const struct { const char *code; unsigned bit; } rows[] = {
        { "female", BEDS_A_FEMALE }, { "male", BEDS_A_MALE }, { "side-room", BEDS_A_SIDE_ROOM },
        { "negative-pressure", BEDS_A_PRESSURE }, { "monitored", BEDS_A_MONITORED },
        { "oxygen", BEDS_A_OXYGEN }, { "paediatric", BEDS_A_PAEDIATRIC },
        { "escalation", BEDS_A_ESCALATION }, { "bariatric", BEDS_A_BARIATRIC },
        { "critical", BEDS_A_CRITICAL },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_eq(code, str_of(rows[i].code)))
            return rows[i].bit;
    return 0;
}

bool beds_next_item(str *rest, str *out)
{
    size_t from = str_find_char(*rest, '"');
    if (from == STR_NONE)
        return false;
    *rest = str_slice(*rest, from + 1, rest->n);
    size_t to = str_find_char(*rest, '"');
    if (to == STR_NONE)
        return false;
    *out = str_slice(*rest, 0, to);
    *rest = str_slice(*rest, to + 1, rest->n);
    return true;
}

void beds_row_spot(struct ctx *cx, struct db_stmt *row, struct beds_spot *out)
{
    str codes = db_text(row, 4), v2 = db_text(row, 5), code;
    (void)cx;
    *out = (struct beds_spot){ .parent = BEDS_NONE, .ward = BEDS_NONE, .site = BEDS_NONE,
                               .stay = BEDS_NONE };
    COPY(out->id, db_text(row, 0));
    COPY(out->name, db_text(row, 1));
    COPY(out->part_of, db_text(row, 2));
    COPY(out->kind, db_text(row, 3));
    out->v2 = v2.n == 1 ? v2.p[0] : str_eq(db_text(row, 6), S("suspended")) ? 'C' : 0;
    while (beds_next_item(&codes, &code)) {
        unsigned bit = attribute_of(code);
        out->attributes |= bit;
        if (!bit && strcmp(out->kind, "wa") == 0)
            COPY(out->specialty, code);
    }
    COPY(out->why, db_text(row, 7));
    COPY(out->clean, db_text(row, 8));
    out->since_ms = beds_instant_of(db_text(row, 9));
    out->due_ms = beds_instant_of(db_text(row, 10));
}

/* ---- stays ---- */

/* Each round is a day and an answer; the discharge ready date follows from all of them. */
static void read_rounds(struct ctx *cx, str days, str answers, struct beds_stay *out)
{
    struct beds_round rounds[ROUNDS_MAX];
    struct beds_ready ready;
    size_t count = 0, kept = cx->issues.kept, issues = cx->issues.count;
    str day, answer;
    while (count < ROUNDS_MAX && beds_next_item(&days, &day) && beds_next_item(&answers, &answer)) {
        rounds[count].day = day_of(day);
        rounds[count].answer = str_eq(answer, S("meets")) ? BEDS_RESIDE_MEETS
                               : str_eq(answer, S("not")) ? BEDS_RESIDE_NOT
                                                          : BEDS_RESIDE_UNKNOWN;
        count += rounds[count].day != BEDS_NO_DAY;
    }
    out->reside = count ? rounds[count - 1].answer : BEDS_RESIDE_UNKNOWN;
    out->ready_day = BEDS_NO_DAY;
    if (count == 0)
        return;
    struct beds_dates dates = { london_day(out->admitted_ms), BEDS_NO_DAY,
                                london_day(cx->now_ms) };
    if (beds_ready(&cx->issues, &dates, rounds, count, &ready) == ERR_OK)
        out->ready_day = ready.day;
    cx->issues.kept = kept; /* rounds out of order: no date, and the round screen says why */
    cx->issues.count = issues;
}

/* R4 lets a place's status be left out: then one that was not left is where the patient is, once
 * the patient is here at all. */
static bool is_held(str status, str place_status, str until)
{
    if (place_status.n)
        return true; /* the view has active and reserved ones alone */
    return until.n == 0 && str_eq(status, S("in-progress"));
}

bool beds_row_stay(struct ctx *cx, struct db_stmt *row, struct beds_stay *out,
                   char bed[BEDS_ID_BYTES])
{
    str status = db_text(row, 2), location = db_text(row, 9), place_status = db_text(row, 10);
    str pathway = db_text(row, 6);
    if (location.n == 0 || location.n >= BEDS_ID_BYTES ||
        !is_held(status, place_status, db_text(row, 12)))
        return false;
    snprintf(bed, BEDS_ID_BYTES, "%.*s", STR_ARG(location));
    *out = (struct beds_stay){ .bed = BEDS_NONE, .news2 = -1 };
    COPY(out->id, db_text(row, 0));
    COPY(out->patient, db_text(row, 1));
    out->on_leave = str_eq(status, S("onleave"));
    out->admitted_ms = beds_instant_of(db_text(row, 3));
    COPY(out->specialty, db_text(row, 4));
    out->edd_day = day_of(db_text(row, 5));
    out->pathway = pathway.n == 2 && pathway.p[1] >= '0' && pathway.p[1] <= '3'
                       ? pathway.p[1] - '0' : -1;
    out->reserved = str_eq(place_status, S("reserved"));
    out->bed_ms = beds_instant_of(db_text(row, 11));
    out->until_ms = out->reserved ? beds_instant_of(db_text(row, 12)) : 0;
    COPY(out->delay, db_text(row, 13));
    read_rounds(cx, db_text(row, 7), db_text(row, 8), out);
    return true;
}

/* ---- people ---- */

static void take_name(struct db_stmt *row, struct beds_stay *out)
{
    str family = db_text(row, 0), given = db_text(row, 1);
    size_t n = 0;
    for (; n < family.n && n + 1 < sizeof out->name; n++)
        out->name[n] = family.p[n] >= 'a' && family.p[n] <= 'z' ? (char)(family.p[n] - 32)
                                                                 : family.p[n];
    snprintf(out->name + n, sizeof out->name - n, "%s%.*s", n && given.n ? ", " : "",
             STR_ARG(given));
}

/* A flag that does not fit the board's cell still isolates. */
static err read_flags(struct ctx *cx, str patient, struct beds_stay *out)
{
    struct db_stmt *row = db_use(cx, cx->db, beds_sql, BEDS_SQL_FLAGS);
    size_t used = 0;
    out->flags[0] = 0;
    out->isolation = false;
    db_bind_text(row, 1, patient);
    for (bool more = true;;) {
        TRY(db_step(cx, row, &more));
        if (!more)
            return ERR_OK;
        str text = db_text(row, 0);
        out->isolation |= str_find(text, S("solation")) != STR_NONE;
        if (text.n == 0 || used + text.n + 3 > sizeof out->flags ||
            str_find((str){ out->flags, used }, text) != STR_NONE)
            continue;
        used += (size_t)snprintf(out->flags + used, sizeof out->flags - used, "%s%.*s",
                                 used ? "; " : "", STR_ARG(text));
    }
}

err beds_read_person(struct ctx *cx, str patient, struct beds_stay *out)
{
    struct db_stmt *row = db_use(cx, cx->db, beds_sql, BEDS_SQL_PERSON);
    bool found;
    db_bind_text(row, 1, patient);
    TRY(db_step(cx, row, &found));
    if (found) {
        str sex = db_text(row, 2);
        take_name(row, out);
        out->sex = sex.n && sex.p[0] != 'u' ? sex.p[0] : 0;
        COPY(out->born, db_text(row, 3));
        COPY(out->nhs, db_text(row, 4));
        db_reset(row);
    }
    return read_flags(cx, patient, out);
}

static void add_to_trend(struct beds_stay *stay, int64_t at_ms, int total)
{
    size_t at = stay->trend_count;
    if (at == BEDS_TREND)
        return;
    for (; at > 0 && stay->trend[at - 1].at_ms > at_ms; at--)
        stay->trend[at] = stay->trend[at - 1];
    stay->trend[at].at_ms = at_ms;
    stay->trend[at].total = total;
    stay->trend_count++;
}

err beds_read_score(struct ctx *cx, struct beds_stay *stay)
{
    struct db_stmt *row = db_use(cx, cx->db, beds_sql, BEDS_SQL_SCORES);
    stay->trend_count = 0;
    db_bind_text(row, 1, str_of(stay->patient));
    for (bool more = true;;) {
        TRY(db_step(cx, row, &more));
        if (!more)
            break;
        int64_t at_ms = beds_instant_of(db_text(row, 0)), total = db_int(row, 1);
        if (at_ms && at_ms >= stay->admitted_ms && !db_is_null(row, 1) && total >= 0 &&
            total <= 20)
            add_to_trend(stay, at_ms, (int)total);
    }
    if (stay->trend_count) {
        stay->news2 = stay->trend[stay->trend_count - 1].total;
        stay->news2_ms = stay->trend[stay->trend_count - 1].at_ms;
    }
    return ERR_OK;
}

/* ---- of bodies ---- */

str beds_read_reference(struct ctx *cx, struct json element, const char *type)
{
    struct validate_reference reference;
    str text = json_string(cx->arena, json_get(element, S("reference")));
    if (!str_given(text) || !validate_read_reference(text, &reference) ||
        !str_eq(reference.type, str_of(type)) || reference.id.n >= BEDS_ID_BYTES)
        return (str){ 0 };
    return reference.id;
}

int64_t beds_read_instant(struct ctx *cx, struct json text)
{
    return beds_instant_of(json_string(cx->arena, text));
}

struct json beds_extension(struct json element, const char *name)
{
    for (struct json_walk w = json_walk(json_get(element, S("extension"))); json_next(&w);) {
        str url = json_text(json_get(w.value, S("url"))); /* with its quotes */
        if (url.n > 2 && str_ends(str_slice(url, 1, url.n - 1), str_of(name)) &&
            str_starts(str_slice(url, 1, url.n - 1), S(BEDS_URL)))
            return w.value;
    }
    return (struct json){ 0 };
}

int beds_held_place(struct json encounter)
{
    static const char *const open[] = { "planned", "arrived", "triaged", "in-progress", "onleave" };
    struct json status = json_get(encounter, S("status"));
    bool is_open = false;
    int at = 0;
    for (size_t i = 0; i < COUNT(open); i++)
        is_open |= json_string_is(status, str_of(open[i]));
    for (struct json_walk w = json_walk(json_get(encounter, S("location")));
         is_open && json_next(&w); at++) {
        struct json place = json_get(w.value, S("status"));
        bool left = json_is(place, JSON_ABSENT) &&
                    !json_is(json_get(json_get(w.value, S("period")), S("end")), JSON_ABSENT);
        if (json_string_is(place, S("active")) || json_string_is(place, S("reserved")) ||
            (json_is(place, JSON_ABSENT) && !left && json_string_is(status, S("in-progress"))))
            return at;
    }
    return -1;
}
