/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/consent.h"
#include "clinical/nhsno.h"
#include "http/text.h"
#include "store/search.h"
#include "ui/browse.h"

enum { QUERY_MAX_BYTES = 8192, WORDS_MAX = 6 };
#define NHS_NUMBER "https://fhir.nhs.uk/Id/nhs-number"

static struct consent_one one_of(struct ctx *cx, str id, struct json body)
{
    struct ui_patient patient = ui_patient_of(cx, body);
    char spaced[NHSNO_SPACED];
    struct consent_one one = { .id = id, .name = ui_patient_name(cx, &patient),
                               .born = ui_patient_born(cx, &patient), .number = S("Not known") };
    if (patient.nhs_number.n == 10) {
        nhsno_spaced(patient.nhs_number, spaced);
        one.number = arena_copy(cx->arena, (str){ spaced, NHSNO_SPACED });
    }
    return one;
}

err consent_patient(struct http_request *request, str id, struct consent_page *page)
{
    struct ctx *cx = request->cx;
    struct store_version version;
    struct json body;
    size_t kept = cx->issues.kept, count = cx->issues.count;
    err found = store_read(cx, request->store, fhir_resource_find(S("Patient")), id, &version);
    if (found == ERR_IO || found == ERR_BUG)
        return found;
    cx->issues.kept = kept;
    cx->issues.count = count;
    if (found != ERR_OK)
        return ERR_OK; /* as if nobody had been chosen */
    TRY(json_parse(cx, version.body, &body));
    page->who = one_of(cx, version.id, body);
    page->chosen = true;
    return ERR_OK;
}

/* ---- whom was meant ---- */

/* Ten digits, however they are spaced. */
static bool nhs_number_of(struct arena *arena, str typed, str *out)
{
    struct buf digits = buf_make(arena, 16);
    for (size_t i = 0; i < typed.n; i++) {
        if (typed.p[i] >= '0' && typed.p[i] <= '9')
            buf_char(&digits, typed.p[i]);
        else if (typed.p[i] != ' ' && typed.p[i] != '-')
            return false;
    }
    *out = buf_str(&digits);
    return !digits.full && out->n == 10;
}

static bool all_digits(str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n > 0;
}

/* "14/07/1945", "14-7-1945" and "1945-07-14" as the last. */
static bool date_of(struct arena *arena, str word, str *out)
{
    char mark = str_find_char(word, '/') == STR_NONE ? '-' : '/';
    str rest = word, parts[3] = { { 0 } };
    for (size_t i = 0; i < COUNT(parts); i++)
        if (!str_next(&rest, mark, &parts[i]) || !all_digits(parts[i]))
            return false;
    bool year_first = parts[0].n == 4;
    str year = parts[year_first ? 0 : 2], day = parts[year_first ? 2 : 0];
    if (rest.n || year.n != 4 || parts[1].n > 2 || day.n > 2)
        return false;
    *out = arena_printf(arena, "%.*s-%s%.*s-%s%.*s", STR_ARG(year), parts[1].n < 2 ? "0" : "",
                        STR_ARG(parts[1]), day.n < 2 ? "0" : "", STR_ARG(day));
    return true;
}

static str query_of(struct arena *arena, str typed)
{
    struct buf query = buf_make(arena, QUERY_MAX_BYTES);
    str value, rest = typed, word;
    if (nhs_number_of(arena, typed, &value)) {
        buf_add(&query, S("identifier="));
        http_encode(&query, S(NHS_NUMBER "|"));
        http_encode(&query, value);
        return buf_str(&query);
    }
    for (size_t count = 0; str_next(&rest, ' ', &word) && count < WORDS_MAX;) {
        if (str_ends(word, S(",")))
            word.n--;
        if (!word.n)
            continue;
        bool date = date_of(arena, word, &value);
        buf_printf(&query, "%s%s=", count++ ? "&" : "", date ? "birthdate" : "name");
        http_encode(&query, date ? value : word);
    }
    buf_printf(&query, "&_sort=family&_count=%d", CONSENT_FOUND + 1);
    return buf_str(&query);
}

/* A search that cannot be asked (a day no calendar has) finds nobody. */
static err search(struct http_request *request, const char *type, str query,
                  struct search_page *out)
{
    struct ctx *cx = request->cx;
    struct search_request ask = { .resource = fhir_resource_find(str_of(type)), .query = query,
                                  .count_default = CONSENT_STAYS, .count_max = CONSENT_STAYS };
    size_t kept = cx->issues.kept, count = cx->issues.count;
    *out = (struct search_page){ 0 };
    TRY(store_reader(cx, request->store));
    err found = search_run(cx, request->store, &ask, out);
    if (found != ERR_INVALID && found != ERR_LIMIT)
        return found;
    cx->issues.kept = kept;
    cx->issues.count = count;
    *out = (struct search_page){ 0 };
    return ERR_OK;
}

err consent_find(struct http_request *request, struct consent_page *page)
{
    struct ctx *cx = request->cx;
    struct search_page people;
    if (!page->find.n)
        return ERR_OK;
    TRY(search(request, "Patient", query_of(cx->arena, page->find), &people));
    page->found = arena_array(cx->arena, CONSENT_FOUND, sizeof *page->found);
    for (size_t i = 0; i < people.entries_count && !page->more; i++) {
        struct json body;
        page->more = page->found_count == CONSENT_FOUND;
        if (page->more || people.entries[i].mode != SEARCH_MATCH)
            continue;
        TRY(json_parse(cx, people.entries[i].version.body, &body));
        page->found[page->found_count++] = one_of(cx, people.entries[i].version.id, body);
    }
    return ERR_OK;
}

/* ---- and which of their stays ---- */

static const struct {
    const char *code, *words;
} states[] = {
    { "planned", "Planned" }, { "arrived", "Arrived" }, { "triaged", "Triaged" },
    { "in-progress", "Now" }, { "onleave", "On leave" }, { "finished", "Over" },
};

static str stay_words(struct ctx *cx, struct json body)
{
    str status = json_string(cx->arena, json_get(body, S("status")));
    struct json class = json_get(body, S("class"));
    str kind = json_string(cx->arena, json_get(class, S("display")));
    str start = json_string(cx->arena, json_get(json_get(body, S("period")), S("start")));
    for (size_t i = 0; i < COUNT(states); i++)
        if (str_eq(status, str_of(states[i].code)))
            status = str_of(states[i].words);
    if (!kind.n)
        kind = json_string(cx->arena, json_get(class, S("code")));
    return arena_printf(cx->arena, "%.*s%s%.*s%s%.*s", STR_ARG(status), kind.n ? ": " : "",
                        STR_ARG(kind), start.n ? ", from " : "",
                        STR_ARG(start.n ? ui_date(cx, str_slice(start, 0, 10)) : S("")));
}

err consent_stays(struct http_request *request, struct consent_page *page)
{
    struct ctx *cx = request->cx;
    struct search_page stays;
    TRY(search(request, "Encounter",
               arena_printf(cx->arena, "patient=%.*s&_sort=-date&_count=%d",
                            STR_ARG(page->who.id), CONSENT_STAYS), &stays));
    struct ui_option *options = arena_array(cx->arena, CONSENT_STAYS, sizeof *options);
    size_t count = 0;
    for (size_t i = 0; i < stays.entries_count && count < CONSENT_STAYS; i++) {
        struct json body;
        if (stays.entries[i].mode != SEARCH_MATCH)
            continue;
        TRY(json_parse(cx, stays.entries[i].version.body, &body));
        options[count++] = (struct ui_option){ .value = stays.entries[i].version.id,
                                               .text = stay_words(cx, body) };
    }
    page->stays = (struct ui_field){
        .name = "encounter", .label = "For which stay or visit", .kind = UI_RADIOS,
        .required = true, .options = options, .options_count = count,
        .value = count == 1 ? options[0].value : S(""),
    };
    return ERR_OK;
}
