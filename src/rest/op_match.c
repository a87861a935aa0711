/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/op.h"
#include "base/map.h"
#include "http/text.h"
#include "rest/names.h"

/*
 * Patient $match: who this may be, with a graded score.
 *
 * Source   hl7.org/fhir/R4/patient-operation-match.html; NHS number rules of the Personal
 *          Demographics Service: an NHS number alone never proves identity, it needs a second
 *          identifier (date of birth or name) that agrees.
 * Shapes   a searchset, best first; search.score 0 to 1 and the match-grade extension: certain
 *          (>= 0.95 and a second identifier), probable (>= 0.8), possible (>= 0.5), certainly-not.
 * Missing  an element one side lacks counts neither for nor against.
 * Hazards  H-002 wrong patient: a certain match is never given on one identifier alone.
 */
enum { CANDIDATES_MAX = 200 };
static const char nhs_system[] = "https://fhir.nhs.uk/Id/nhs-number";

struct candidate {
    struct store_version version;
    double score;
    bool certain;
};
struct match {
    const struct operation_ask *ask;
    struct json wanted;
    struct candidate *list;
    size_t count;
    struct map seen;
};

static str nhs_number(struct arena *arena, struct json patient)
{
    for (struct json_walk w = json_walk(json_get(patient, S("identifier"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("system")), str_of(nhs_system)))
            return json_string(arena, json_get(w.value, S("value")));
    return (str){ 0 };
}

static bool shares_identifier(struct json a, struct json b)
{
    for (struct json_walk x = json_walk(json_get(a, S("identifier"))); json_next(&x);)
        for (struct json_walk y = json_walk(json_get(b, S("identifier"))); json_next(&y);)
            if (json_is(json_get(x.value, S("value")), JSON_STRING) &&
                json_same(json_get(x.value, S("system")), json_get(y.value, S("system")), true) &&
                json_same(json_get(x.value, S("value")), json_get(y.value, S("value")), true))
                return true;
    return false;
}

/* Best of all pairs of names: 0 to 1; -1 when one side has none. */
static double compare_names(struct arena *arena, struct json a, struct json b)
{
    double best = -1;
    for (struct json_walk x = json_walk(json_get(a, S("name"))); json_next(&x);)
        for (struct json_walk y = json_walk(json_get(b, S("name"))); json_next(&y);) {
            double likeness = names_likeness(arena, x.value, y.value);
            best = likeness > best ? likeness : best;
        }
    return best;
}

/* 1 equal, 0.6 day and month exchanged or one digit other, 0 different, -1 unknown. */
static double compare_dates(str a, str b)
{
    if (a.n < 4 || b.n < 4)
        return -1;
    if (str_eq(a, b))
        return 1;
    if (a.n < 10 || b.n < 10)
        return str_eq(str_slice(a, 0, 4), str_slice(b, 0, 4)) ? 0.6 : 0;
    bool swapped = str_eq(str_slice(a, 0, 4), str_slice(b, 0, 4)) &&
                   str_eq(str_slice(a, 5, 7), str_slice(b, 8, 10)) &&
                   str_eq(str_slice(a, 8, 10), str_slice(b, 5, 7));
    size_t other = 0;
    for (size_t i = 0; i < 10; i++)
        other += a.p[i] != b.p[i];
    return swapped || other == 1 ? 0.6 : 0;
}

static double compare_texts(struct json a, struct json b)
{
    if (!json_is(a, JSON_STRING) || !json_is(b, JSON_STRING))
        return -1;
    return json_same(a, b, true) ? 1 : 0;
}

static struct json postcode(struct json patient)
{
    return json_get(json_at(json_get(patient, S("address")), 0), S("postalCode"));
}

/* What agrees is weighed against what could have agreed. */
static void grade(struct match *match, struct json other, struct candidate *out)
{
    struct arena *arena = match->ask->call->cx->arena;
    str mine = nhs_number(arena, match->wanted), theirs = nhs_number(arena, other);
    double nhs = mine.n && theirs.n ? (str_eq(mine, theirs) ? 1 : 0) : -1;
    double name = compare_names(arena, match->wanted, other);
    double born = compare_dates(json_string(arena, json_get(match->wanted, S("birthDate"))),
                                json_string(arena, json_get(other, S("birthDate"))));
    const struct { double likeness, weight; } parts[] = {
        { nhs, 5 }, { born, 3 }, { name, 3 },
        { compare_texts(json_get(match->wanted, S("gender")), json_get(other, S("gender"))), 0.5 },
        { compare_texts(postcode(match->wanted), postcode(other)), 1 },
        { nhs < 0 && shares_identifier(match->wanted, other) ? 1 : -1, 4 },
    };
    double sum = 0, most = 0;
    for (size_t i = 0; i < COUNT(parts); i++)
        if (parts[i].likeness >= 0) {
            sum += parts[i].likeness * parts[i].weight;
            most += parts[i].weight;
        }
    out->score = most > 0 ? sum / most : 0;
    if (most < 3) /* next to nothing could be compared */
        out->score *= 0.5;
    bool second = born >= 0.99 && name >= 0.8;
    if (nhs > 0.5 && !(born >= 0.99 || name >= 0.9) && out->score > 0.79)
        out->score = 0.79; /* the number alone proves nothing */
    if (nhs >= 0 && nhs < 0.5 && out->score > 0.6)
        out->score = 0.6; /* two valid numbers that differ are most likely two people */
    out->certain = out->score >= 0.95 && second &&
                   (nhs > 0.5 || shares_identifier(match->wanted, other));
}

static err take_candidates(struct match *match, str query)
{
    struct rest_call *call = match->ask->call;
    struct search_request request = { .resource = match->ask->resource, .query = query,
                                      .count_default = 50, .count_max = 50 };
    struct search_page page = { 0 };
    TRY(search_run(call->cx, call->store, &request, &page));
    for (size_t i = 0; i < page.entries_count && match->count < CANDIDATES_MAX; i++) {
        struct json body;
        struct store_version *version = &page.entries[i].version;
        if (page.entries[i].mode != SEARCH_MATCH ||
            !map_add(&match->seen, version->id, 1, NULL))
            continue;
        TRY(json_parse(call->cx, version->body, &body));
        struct candidate *candidate = &match->list[match->count++];
        candidate->version = *version;
        grade(match, body, candidate);
    }
    return ERR_OK;
}

static void add_param(struct buf *buf, const char *name, str value)
{
    if (buf->n)
        buf_char(buf, '&');
    buf_add(buf, str_of(name));
    buf_char(buf, '=');
    http_encode(buf, value);
}

static err by_identifiers(struct match *match)
{
    struct arena *arena = match->ask->call->cx->arena;
    for (struct json_walk w = json_walk(json_get(match->wanted, S("identifier")));
         json_next(&w);) {
        str value = json_string(arena, json_get(w.value, S("value")));
        str system = json_string(arena, json_get(w.value, S("system")));
        struct buf query = buf_make(arena, 4096);
        if (!value.n)
            continue;
        add_param(&query, "identifier", system.n ? arena_printf(arena, "%.*s|%.*s",
                                                                STR_ARG(system), STR_ARG(value))
                                                 : value);
        TRY(take_candidates(match, buf_str(&query)));
    }
    return ERR_OK;
}

static err by_person(struct match *match)
{
    struct arena *arena = match->ask->call->cx->arena;
    str born = json_string(arena, json_get(match->wanted, S("birthDate")));
    if (born.n) {
        struct buf query = buf_make(arena, 4096);
        add_param(&query, "birthdate", born);
        TRY(take_candidates(match, buf_str(&query)));
        if (born.n == 10) { /* day and month exchanged; no such day is no such patient */
            str swapped = arena_printf(arena, "%.4s-%.2s-%.2s", born.p, born.p + 8, born.p + 5);
            struct buf other = buf_make(arena, 4096);
            add_param(&other, "birthdate", swapped);
            bool is_day = born.p[8] == '0' || (born.p[8] == '1' && born.p[9] <= '2');
            if (is_day && !str_eq(swapped, born))
                TRY(take_candidates(match, buf_str(&other)));
        }
    }
    for (struct json_walk w = json_walk(json_get(match->wanted, S("name"))); json_next(&w);) {
        str family = json_string(arena, json_get(w.value, S("family")));
        str given = json_string(arena, json_at(json_get(w.value, S("given")), 0));
        struct buf query = buf_make(arena, 4096);
        if (!family.n)
            continue;
        add_param(&query, "family", family);
        if (given.n)
            add_param(&query, "given", str_slice(given, 0, 1));
        TRY(take_candidates(match, buf_str(&query)));
    }
    return ERR_OK;
}

static int by_score(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return str_cmp(x->version.id, y->version.id);
}

static const char *grade_word(const struct candidate *candidate)
{
    if (candidate->certain)
        return "certain";
    return candidate->score >= 0.8 ? "probable" : candidate->score >= 0.5 ? "possible"
                                                                          : "certainly-not";
}

static void write_entry(struct match *match, struct json_writer *w,
                        const struct candidate *candidate)
{
    struct ctx *cx = match->ask->call->cx;
    json_open(w, '{');
    json_put_str(w, "fullUrl", arena_printf(cx->arena, "%.*s/Patient/%.*s",
                                            STR_ARG(match->ask->call->base),
                                            STR_ARG(candidate->version.id)));
    json_put_raw(w, "resource", candidate->version.body);
    json_put_raw(w, "search",
                 arena_printf(cx->arena, "{\"extension\":[{\"url\":\"http://hl7.org/fhir/"
                              "StructureDefinition/match-grade\",\"valueCode\":\"%s\"}],"
                              "\"mode\":\"match\",\"score\":%.3f}", grade_word(candidate),
                              candidate->score));
    json_close(w, '}');
}

static err find_wanted(const struct operation_ask *ask, struct json *out)
{
    *out = operation_resource(ask, "resource");
    if (json_string_is(json_get(ask->parameters, S("resourceType")), S("Patient")))
        *out = ask->parameters;
    if (json_string_is(json_get(*out, S("resourceType")), S("Patient")))
        return ERR_OK;
    return ctx_fail(ask->call->cx, ERR_INVALID, S("resource"),
                    S("send Parameters with a parameter resource that is a Patient"));
}

err op_match(const struct operation_ask *ask, struct operation_answer *out)
{
    struct ctx *cx = ask->call->cx;
    struct match match = { .ask = ask, .seen = map_make(cx->arena) };
    struct buf buf = buf_make(cx->arena, REST_TEXT_MAX), whole = buf;
    struct json_writer w = json_writer(&buf), top = json_writer(&whole);
    size_t most, written = 0;
    bool certain_only, single;
    TRY(operation_count(ask, "count", 20, &most));
    TRY(operation_flag(ask, "onlyCertainMatches", false, &certain_only));
    TRY(operation_flag(ask, "onlySingleMatch", false, &single));
    TRY(find_wanted(ask, &match.wanted));
    match.list = arena_array(cx->arena, CANDIDATES_MAX, sizeof *match.list);
    TRY(store_reader(cx, ask->call->store));
    TRY(by_identifiers(&match));
    TRY(by_person(&match));
    qsort(match.list, match.count, sizeof *match.list, by_score);
    json_open(&w, '[');
    for (size_t i = 0; i < match.count && written < (single ? 1 : most); i++)
        if (match.list[i].score >= 0.5 && (!certain_only || match.list[i].certain)) {
            write_entry(&match, &w, &match.list[i]);
            written++;
        }
    json_close(&w, ']');
    json_open(&top, '{');
    json_put_str(&top, "resourceType", S("Bundle"));
    json_put_str(&top, "type", S("searchset"));
    json_put_u64(&top, "total", written);
    if (written)
        json_put_raw(&top, "entry", buf_str(&buf));
    json_close(&top, '}');
    out->body = buf_str(&whole);
    return ERR_OK;
}
