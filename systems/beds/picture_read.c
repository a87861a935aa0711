/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/picture_read.h"
#include "clinical/decimal.h"
#include "clinical/london.h"
#include "fhir/datetime.h"
#include "fhir/validate.h"

enum { ROUNDS_MAX = 200 };

#define COPY(to, text) snprintf((to), sizeof(to), "%.*s", STR_ARG(text))

static str text_at(struct ctx *cx, struct json object, const char *key)
{
    return json_string(cx->arena, json_get(object, str_of(key)));
}

str beds_read_reference(struct ctx *cx, struct json element, const char *type)
{
    struct validate_reference reference;
    str text = text_at(cx, element, "reference");
    if (!str_given(text) || !validate_read_reference(text, &reference) ||
        !str_eq(reference.type, str_of(type)) || reference.id.n >= BEDS_ID_BYTES)
        return (str){ 0 };
    return reference.id;
}

int64_t beds_read_instant(struct ctx *cx, struct json text)
{
    struct datetime when;
    return datetime_parse(json_string(cx->arena, text), DATETIME_AS_DATE_TIME, &when)
               ? when.low_ms : 0;
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

static struct json first_code(struct json concept)
{
    return json_get(json_at(json_get(concept, S("coding")), 0), S("code"));
}

/* ---- Location ---- */

static unsigned attribute_of(struct json code)
{
    static const struct { const char *code; unsigned bit; } rows[] = {
        { "female", BEDS_A_FEMALE }, { "male", BEDS_A_MALE }, { "side-room", BEDS_A_SIDE_ROOM },
        { "negative-pressure", BEDS_A_PRESSURE }, { "monitored", BEDS_A_MONITORED },
        { "oxygen", BEDS_A_OXYGEN }, { "paediatric", BEDS_A_PAEDIATRIC },
        { "escalation", BEDS_A_ESCALATION }, { "bariatric", BEDS_A_BARIATRIC },
        { "critical", BEDS_A_CRITICAL },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (json_string_is(code, str_of(rows[i].code)))
            return rows[i].bit;
    return 0;
}

void beds_read_location(struct ctx *cx, struct json body, struct beds_spot *out)
{
    str v2 = text_at(cx, json_get(body, S("operationalStatus")), "code");
    str kind = json_string(cx->arena, first_code(json_get(body, S("physicalType"))));
    COPY(out->kind, kind);
    COPY(out->name, text_at(cx, body, "name"));
    COPY(out->part_of, beds_read_reference(cx, json_get(body, S("partOf")), "Location"));
    out->v2 = v2.n == 1 ? v2.p[0] : json_string_is(json_get(body, S("status")), S("suspended"))
              ? 'C' : 0;
    out->attributes = 0;
    out->specialty[0] = 0;
    for (struct json_walk w = json_walk(json_get(body, S("type"))); json_next(&w);) {
        struct json code = first_code(w.value);
        unsigned bit = attribute_of(code);
        out->attributes |= bit;
        if (!bit && kind.n == 2 && kind.p[0] == 'w')
            COPY(out->specialty, json_string(cx->arena, code));
    }
    COPY(out->why, text_at(cx, beds_extension(body, "bed-note"), "valueString"));
}

/* ---- Encounter ---- */

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

static int64_t read_day(struct ctx *cx, struct json date)
{
    struct datetime when;
    return datetime_parse(json_string(cx->arena, date), DATETIME_AS_DATE, &when)
               ? when.low_ms / LONDON_DAY_MS : BEDS_NO_DAY;
}

static struct json part_of(struct json extension, const char *url)
{
    for (struct json_walk w = json_walk(json_get(extension, S("extension"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("url")), str_of(url)))
            return w.value;
    return (struct json){ 0 };
}

/* Each round is an extension of the Encounter: day and answer; the discharge ready date follows. */
static void read_rounds(struct ctx *cx, struct json body, struct beds_stay *out)
{
    struct beds_round rounds[ROUNDS_MAX];
    struct beds_ready ready;
    size_t count = 0, kept = cx->issues.kept, issues = cx->issues.count;
    for (struct json_walk w = json_walk(json_get(body, S("extension"))); json_next(&w);) {
        if (count == ROUNDS_MAX ||
            !json_string_is(json_get(w.value, S("url")), S(BEDS_URL "reside-round")))
            continue;
        struct json answer = json_get(part_of(w.value, "answer"), S("valueCode"));
        rounds[count].day = read_day(cx, json_get(part_of(w.value, "day"), S("valueDate")));
        rounds[count].answer = json_string_is(answer, S("meets")) ? BEDS_RESIDE_MEETS
                               : json_string_is(answer, S("not")) ? BEDS_RESIDE_NOT
                                                                  : BEDS_RESIDE_UNKNOWN;
        count += rounds[count].day != BEDS_NO_DAY;
    }
    struct beds_dates dates = { london_day(out->admitted_ms), BEDS_NO_DAY, london_day(cx->now_ms) };
    out->reside = count ? rounds[count - 1].answer : BEDS_RESIDE_UNKNOWN;
    out->ready_day = BEDS_NO_DAY;
    if (beds_ready(&cx->issues, &dates, rounds, count, &ready) == ERR_OK)
        out->ready_day = ready.day;
    cx->issues.kept = kept; /* rounds out of order: no date, and the round screen says why */
    cx->issues.count = issues;
}

bool beds_read_encounter(struct ctx *cx, struct json body, struct beds_stay *out,
                         char bed[BEDS_ID_BYTES])
{
    int at = beds_held_place(body);
    if (at < 0)
        return false;
    struct json place = json_at(json_get(body, S("location")), (size_t)at);
    str location = beds_read_reference(cx, json_get(place, S("location")), "Location");
    if (!str_given(location))
        return false;
    snprintf(bed, BEDS_ID_BYTES, "%.*s", STR_ARG(location));
    struct json period = json_get(place, S("period"));
    COPY(out->patient, beds_read_reference(cx, json_get(body, S("subject")), "Patient"));
    COPY(out->specialty, json_string(cx->arena, first_code(json_get(body, S("serviceType")))));
    out->reserved = json_string_is(json_get(place, S("status")), S("reserved"));
    out->on_leave = json_string_is(json_get(body, S("status")), S("onleave"));
    out->bed_ms = beds_read_instant(cx, json_get(period, S("start")));
    out->until_ms = out->reserved ? beds_read_instant(cx, json_get(period, S("end"))) : 0;
    out->admitted_ms = beds_read_instant(cx, json_get(json_get(body, S("period")), S("start")));
    out->edd_day = read_day(cx, json_get(beds_extension(body, "estimated-discharge-date"),
                                         S("valueDate")));
    str pathway = text_at(cx, beds_extension(body, "discharge-pathway"), "valueCode");
    out->pathway = pathway.n == 2 && pathway.p[1] >= '0' && pathway.p[1] <= '3'
                       ? pathway.p[1] - '0' : -1;
    read_rounds(cx, body, out);
    return true;
}

/* ---- Patient, Observation, Flag ---- */

void beds_read_patient(struct ctx *cx, struct json body, struct beds_stay *out)
{
    struct json name = json_at(json_get(body, S("name")), 0);
    str family = text_at(cx, name, "family");
    str given = json_string(cx->arena, json_at(json_get(name, S("given")), 0));
    str sex = text_at(cx, body, "gender");
    size_t n = 0;
    for (; n < family.n && n + 1 < sizeof out->name; n++)
        out->name[n] = family.p[n] >= 'a' && family.p[n] <= 'z' ? (char)(family.p[n] - 32)
                                                                 : family.p[n];
    snprintf(out->name + n, sizeof out->name - n, "%s%.*s", n && given.n ? ", " : "",
             STR_ARG(given));
    out->sex = sex.n ? sex.p[0] == 'u' ? 0 : sex.p[0] : 0;
    COPY(out->born, text_at(cx, body, "birthDate"));
    out->nhs[0] = 0;
    for (struct json_walk w = json_walk(json_get(body, S("identifier"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("system")), S("https://fhir.nhs.uk/Id/nhs-number")))
            COPY(out->nhs, text_at(cx, w.value, "value"));
}

bool beds_read_news2(struct ctx *cx, struct json body, str *patient, int *total, int64_t *at_ms)
{
    int64_t value;
    struct json coding = json_at(json_get(json_get(body, S("code")), S("coding")), 0);
    if (!json_string_is(json_get(coding, S("code")), S(BEDS_NEWS2_CODE)) ||
        !json_string_is(json_get(body, S("status")), S("final")))
        return false;
    *patient = beds_read_reference(cx, json_get(body, S("subject")), "Patient");
    *at_ms = beds_read_instant(cx, json_get(body, S("effectiveDateTime")));
    struct json integer = json_get(body, S("valueInteger"));
    struct json quantity = json_get(json_get(body, S("valueQuantity")), S("value"));
    str text = json_text(json_is(integer, JSON_ABSENT) ? quantity : integer);
    if (!str_given(*patient) || *at_ms == 0 || !decimal_scaled(text, 0, &value) || value < 0 ||
        value > 20)
        return false;
    *total = (int)value;
    return true;
}

bool beds_read_flag(struct ctx *cx, struct json body, str *patient, str *text)
{
    if (!json_string_is(json_get(body, S("status")), S("active")))
        return false;
    *patient = beds_read_reference(cx, json_get(body, S("subject")), "Patient");
    *text = text_at(cx, json_get(body, S("code")), "text");
    return str_given(*patient) && text->n > 0 && text->n < BEDS_TEXT_BYTES / 2;
}
