/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE search_same
#include "fhir/path.h"
#include "store/compile.h"
#include "store/test_record.h"
#include "store/value.h"
#include <stdio.h>

/*
 * Goal: whatever is asked of whatever is stored, the index answers as a plain reader would who
 * walks every resource with FHIRPath. Queries and data are random, from small worlds, so that they
 * meet; resources change and go between queries.
 */
enum { PATIENTS = 25, OTHERS = 120, QUERIES = 400 };

struct world {
    struct ctx *cx;
    struct store *store;
    struct json docs[PATIENTS + OTHERS]; /* absent: deleted */
    size_t count;
};

static uint64_t below(struct ctx *cx, uint64_t limit)
{
    return random_below(cx->random, limit);
}
static const char *one_of(struct ctx *cx, const char *const *words, size_t count)
{
    return words[below(cx, count)];
}
#define PICK(cx, ...)                                                                              \
    one_of((cx), (const char *const[]){ __VA_ARGS__ },                                             \
           COUNT(((const char *const[]){ __VA_ARGS__ })))

static str date_text(struct ctx *cx)
{
    unsigned year = 2019 + (unsigned)below(cx, 3), month = 1 + (unsigned)below(cx, 12);
    unsigned day = 1 + (unsigned)below(cx, 28), hour = (unsigned)below(cx, 24);
    switch (below(cx, 4)) {
    case 0: return arena_printf(cx->arena, "%u", year);
    case 1: return arena_printf(cx->arena, "%u-%02u", year, month);
    case 2: return arena_printf(cx->arena, "%u-%02u-%02u", year, month, day);
    default:
        return arena_printf(cx->arena, "%u-%02u-%02uT%02u:00:00%s", year, month, day, hour,
                            PICK(cx, "Z", "-01:00"));
    }
}

static str coding(struct ctx *cx)
{
    const char *system = PICK(cx, "\"system\":\"l\",", "\"system\":\"s\",", "");
    return arena_printf(cx->arena, "{%s\"code\":\"%s\"}", system, PICK(cx, "a", "b", "c"));
}

static str concept(struct ctx *cx)
{
    str first = coding(cx), second = coding(cx);
    if (below(cx, 3))
        return arena_printf(cx->arena, "{\"coding\":[%.*s]}", STR_ARG(first));
    return arena_printf(cx->arena, "{\"coding\":[%.*s,%.*s]}", STR_ARG(first), STR_ARG(second));
}

static str quantity(struct ctx *cx)
{
    return arena_printf(cx->arena, "{\"value\":%u.%u%s}", (unsigned)below(cx, 4),
                        (unsigned)below(cx, 10),
                        PICK(cx, "", ",\"unit\":\"mg\"",
                             ",\"unit\":\"milligram\",\"system\":\"u\",\"code\":\"mg\""));
}

static str patient_body(struct ctx *cx, size_t number)
{
    str born = date_text(cx);
    const char *gender = PICK(cx, "", "\"gender\":\"male\",", "\"gender\":\"female\",");
    const char *active = PICK(cx, "", "\"active\":true,", "\"active\":false,");
    return arena_printf(cx->arena,
        "{\"resourceType\":\"Patient\",\"id\":\"p%zu\",%s%s\"identifier\":[{\"system\":\"%s\","
        "\"value\":\"%u\"}],\"name\":[{\"family\":\"%s\",\"given\":[\"%s\"]}],"
        "\"birthDate\":\"%.*s\"}", number, gender, active, PICK(cx, "n", "h"),
        (unsigned)below(cx, 6), PICK(cx, "Abel", "\xc3\x81" "bel", "Zoe", "abc d"),
        PICK(cx, "Al", "ABE", "Zo"), (int)(born.n < 10 ? born.n : 10), born.p);
}

static str observation_body(struct ctx *cx, size_t number)
{
    str code = concept(cx), value = quantity(cx), part = concept(cx), amount = quantity(cx);
    str start = date_text(cx);
    str end = arena_printf(cx->arena, "2022-0%u", 1 + (unsigned)below(cx, 5));
    str when = arena_printf(cx->arena, "\"effectiveDateTime\":\"%.*s\",", STR_ARG(start));
    if (below(cx, 4) == 0)
        when = arena_printf(cx->arena, "\"effectivePeriod\":{\"start\":\"%.*s\"%s%.*s%s},",
                            STR_ARG(start), below(cx, 2) ? ",\"end\":\"" : ",\"id\":\"",
                            STR_ARG(end), "\"");
    else if (below(cx, 8) == 0)
        when = S("");
    return arena_printf(cx->arena,
        "{\"resourceType\":\"Observation\",\"id\":\"o%zu\",\"status\":\"%s\",\"code\":%.*s,%.*s"
        "\"subject\":{\"reference\":\"%s/p%u\"},\"valueQuantity\":%.*s,\"component\":[{"
        "\"code\":%.*s,"
        "\"valueQuantity\":%.*s}]}", number, PICK(cx, "final", "amended", "registered"),
        STR_ARG(code), STR_ARG(when), PICK(cx, "Patient", "Patient", "Group"),
        (unsigned)below(cx, PATIENTS), STR_ARG(value), STR_ARG(part), STR_ARG(amount));
}

static void put(struct world *w, size_t at)
{
    struct ctx *cx = w->cx;
    str text = at < PATIENTS ? patient_body(cx, at) : observation_body(cx, at);
    struct json body = record_json(cx, arena_cstr(cx->arena, text));
    struct commit_op op = {
        .verb = COMMIT_UPDATE, .body = body, .id = json_string(cx->arena, json_get(body, S("id"))),
        .resource = fhir_resource_find(
            json_string(cx->arena, json_get(body, S("resourceType")))),
    };
    cr_assert(record_do(cx, w->store, &op) == ERR_OK, "%.*s: %.*s", STR_ARG(text),
              STR_ARG(cx->issues.kept ? cx->issues.list[0].text : S("")));
    w->docs[at] = body;
}

static void drop(struct world *w, size_t at)
{
    struct commit_op op = {
        .verb = COMMIT_DELETE, .id = json_string(w->cx->arena, json_get(w->docs[at], S("id"))),
        .resource = fhir_resource_find(at < PATIENTS ? S("Patient") : S("Observation")),
    };
    if (at < PATIENTS || json_is(w->docs[at], JSON_ABSENT))
        return;
    cr_assert(record_do(w->cx, w->store, &op) == ERR_OK);
    w->docs[at] = (struct json){ 0 };
}

/* The plain reader. */
static bool token_same(struct ctx *cx, struct json value, const char *code_name, str asked)
{
    str code = json_is(value, JSON_OBJECT)
                   ? json_string(cx->arena, json_get(value, str_of(code_name)))
                   : json_string(cx->arena, value);
    str system = json_string(cx->arena, json_get(value, S("system")));
    size_t bar = str_find_char(asked, '|');
    if (bar == STR_NONE)
        return code.n && str_eq(code, asked);
    str wanted = str_slice(asked, bar + 1, asked.n), from = str_slice(asked, 0, bar);
    if (json_is(value, JSON_STRING) && from.n)
        return str_eq(from, S("http://hl7.org/fhir/administrative-gender")) &&
               str_eq(code, wanted);
    return code.n && str_eq(system.p ? system : S(""), from) &&
           (!wanted.n || str_eq(code, wanted));
}

static bool text_same(struct ctx *cx, struct json value, const char *modifier, str asked)
{
    if (json_is(value, JSON_OBJECT) || json_is(value, JSON_ARRAY)) {
        for (struct json_walk w = json_walk(value); json_next(&w);)
            if (text_same(cx, w.value, modifier, asked))
                return true;
        return false;
    }
    str text = json_string(cx->arena, value);
    if (!strcmp(modifier, ":exact"))
        return str_eq(text, asked);
    str folded = value_fold(cx->arena, text), wanted = value_fold(cx->arena, asked);
    return !strcmp(modifier, ":contains") ? str_find(folded, wanted) != STR_NONE
                                          : str_starts(folded, wanted);
}

static int prefix_of(str *asked)
{
    static const char *const names[] = { "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb" };
    for (int i = 0; i < 8; i++)
        if (str_starts(*asked, str_of(names[i]))) {
            *asked = str_slice(*asked, 2, asked->n);
            return i;
        }
    return 0;
}

static bool date_same(struct ctx *cx, struct json value, str asked)
{
    struct value_span lo = { .lo = INT64_MIN }, hi = { .hi = INT64_MAX }, want = { 0 };
    int prefix = prefix_of(&asked);
    value_date(asked, &want);
    if (json_is(value, JSON_OBJECT)) {
        value_date(json_string(cx->arena, json_get(value, S("start"))), &lo);
        value_date(json_string(cx->arena, json_get(value, S("end"))), &hi);
    } else if (value_date(json_string(cx->arena, value), &lo))
        hi = lo;
    bool inside = want.lo <= lo.lo && hi.hi <= want.hi;
    const bool answers[] = { inside, !inside, hi.hi > want.hi, lo.lo < want.lo, hi.hi >= want.lo,
                             lo.lo <= want.hi, lo.lo > want.hi, hi.hi < want.lo };
    return answers[prefix];
}

static bool quantity_same(struct ctx *cx, struct json value, str asked)
{
    int prefix = prefix_of(&asked);
    str number, system = { 0 }, unit = asked;
    str_next(&unit, '|', &number);
    if (unit.p)
        str_next(&unit, '|', &system);
    struct value_number want = { 0 }, have = { 0 };
    value_number(number, &want);
    if (!value_number(json_string(cx->arena, json_get(value, S("value"))), &have))
        return false;
    if (unit.p && system.n && (!json_string_is(json_get(value, S("system")), system) ||
                               !json_string_is(json_get(value, S("code")), unit)))
        return false;
    if (unit.p && !system.n && !json_string_is(json_get(value, S("code")), unit) &&
        !json_string_is(json_get(value, S("unit")), unit))
        return false;
    double v = have.value, w = want.value;
    const bool answers[] = { v >= want.lo && v < want.hi, v < want.lo || v >= want.hi, v > w,
                             v < w, v >= w, v <= w, v > w, v < w };
    return answers[prefix];
}

static bool reference_same(struct ctx *cx, struct json value, str asked)
{
    str reference = json_string(cx->arena, json_get(value, S("reference")));
    if (str_find_char(asked, '/') != STR_NONE)
        return str_eq(reference, asked);
    size_t slash = str_find_char(reference, '/');
    return slash != STR_NONE && str_eq(str_slice(reference, slash + 1, reference.n), asked);
}

static struct json resolve(struct ctx *cx, const struct path_host *host, str reference)
{
    (void)host;
    size_t slash = str_find_char(reference, '/');
    str type = slash == STR_NONE ? S("Basic") : str_slice(reference, 0, slash);
    return record_json(cx, arena_printf(cx->arena, "{\"resourceType\":\"%.*s\"}",
                                        STR_ARG(type)).p);
}

static bool item_same(struct ctx *cx, const struct fhir_param *def, const char *modifier,
                      const struct path_item *item, str asked)
{
    str type = item->type == FHIR_NONE ? S("") : fhir_types[item->type].name;
    bool valued = str_eq(type, S("Identifier")) || str_eq(type, S("ContactPoint"));
    switch (def->kind) {
    case FHIR_SEARCH_TOKEN:
        if (str_eq(type, S("CodeableConcept"))) {
            for (struct json_walk w = json_walk(json_get(item->node, S("coding"))); json_next(&w);)
                if (token_same(cx, w.value, "code", asked))
                    return true;
            return false;
        }
        if (item->kind == PATH_BOOLEAN)
            return str_eq(asked, item->boolean ? S("true") : S("false"));
        return token_same(cx, item->node, valued ? "value" : "code", asked);
    case FHIR_SEARCH_STRING: return text_same(cx, item->node, modifier, asked);
    case FHIR_SEARCH_DATE: return date_same(cx, item->node, asked);
    case FHIR_SEARCH_QUANTITY: return quantity_same(cx, item->node, asked);
    case FHIR_SEARCH_REFERENCE: return reference_same(cx, item->node, asked);
    default: return false;
    }
}

/* One criterion "name[:modifier]=a,b" on one resource. */
static bool plainly_matches(struct world *w, struct json doc, str name, str value);

static bool linked(struct world *w, struct json doc, str type, str code, str rest, str value)
{
    struct ctx *cx = w->cx;
    for (size_t i = 0; i < w->count; i++) {
        if (!json_string_is(json_get(w->docs[i], S("resourceType")), type))
            continue;
        str here = arena_printf(cx->arena, "Patient/%.*s",
                                STR_ARG(json_string(cx->arena, json_get(doc, S("id")))));
        if (plainly_matches(w, w->docs[i], code, here) &&
            plainly_matches(w, w->docs[i], rest, value))
            return true;
    }
    return false;
}

static bool chained(struct world *w, struct json doc, str code, str rest, str value)
{
    struct ctx *cx = w->cx;
    for (size_t i = 0; i < PATIENTS; i++) {
        str there = arena_printf(cx->arena, "Patient/p%zu", i);
        if (plainly_matches(w, doc, code, there) && plainly_matches(w, w->docs[i], rest, value))
            return true;
    }
    return false;
}

static bool plainly_matches(struct world *w, struct json doc, str name, str value)
{
    struct ctx *cx = w->cx;
    str rest = name, head, type, code;
    if (str_starts(name, S("_has:"))) {
        str_next(&rest, ':', &head);
        str_next(&rest, ':', &type);
        str_next(&rest, ':', &code);
        return linked(w, doc, type, code, rest, value);
    }
    size_t dot = str_find_char(name, '.');
    if (dot != STR_NONE) {
        rest = str_slice(name, 0, dot);
        str_next(&rest, ':', &code);
        return chained(w, doc, code, str_slice(name, dot + 1, name.n), value);
    }
    str_next(&rest, ':', &code);
    const char *modifier = rest.p ? arena_printf(cx->arena, ":%.*s", STR_ARG(rest)).p : "";
    uint16_t resource =
        fhir_resource_find(json_string(cx->arena, json_get(doc, S("resourceType"))));
    const struct fhir_param *def = fhir_param_find(resource, code);
    struct path_host host = { .resolve = resolve };
    struct path_run run = { .input = doc, .input_type = FHIR_NONE, .host = &host };
    const struct path *path;
    struct path_result result;
    cr_assert(def && path_compile(cx, def->expression, &path) == ERR_OK, "%.*s", STR_ARG(code));
    cr_assert(path_eval(cx, path, &run, &result) == ERR_OK, "%.*s", STR_ARG(def->expression));
    if (!strcmp(modifier, ":missing"))
        return (result.count == 0) == str_eq(value, S("true"));
    bool found = false;
    str one;
    while (str_next(&value, ',', &one))
        for (size_t i = 0; i < result.count; i++)
            found = found || item_same(cx, def, modifier, &result.items[i], one);
    return !strcmp(modifier, ":not") ? !found : found;
}

/* Random questions. */
static str random_date(struct ctx *cx)
{
    str date = date_text(cx);
    return arena_printf(cx->arena, "%s%.*s",
                        PICK(cx, "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"),
                        STR_ARG(date));
}

static str random_amount(struct ctx *cx)
{
    return arena_printf(cx->arena, "%s%u%s%s", PICK(cx, "", "ne", "gt", "lt", "ge", "le"),
                        (unsigned)below(cx, 4), PICK(cx, "", ".5", ".0", ".25"),
                        PICK(cx, "", "||mg", "|u|mg", "||milligram"));
}

static str random_code(struct ctx *cx)
{
    return str_of(PICK(cx, "a", "b", "l|a", "s|b", "s|", "|c", "a,l|b", "nowhere", "l|zz"));
}

/* "name=value" with a value made once: STR_ARG would make it anew. */
static str ask_for(struct ctx *cx, const char *name, str value)
{
    return arena_printf(cx->arena, "%s%.*s", name, STR_ARG(value));
}

static str patient_part(struct ctx *cx)
{
    switch (below(cx, 7)) {
    case 0: return str_of(PICK(cx, "gender=male", "gender:not=male", "gender:missing=true",
                               "gender=http://hl7.org/fhir/administrative-gender|female"));
    case 1: return str_of(PICK(cx, "name=ab", "name=AL", "name:exact=Abel", "family=zo",
                               "name:contains=be", "given=zo,al", "family:exact=abel"));
    case 2: return ask_for(cx, "birthdate=", random_date(cx));
    case 3: return str_of(PICK(cx, "identifier=3", "identifier=n|3", "identifier=h|", "active=true",
                               "identifier=n|1,h|2", "active:missing=false", "active:not=false"));
    case 4: return ask_for(cx, "_has:Observation:patient:code=", random_code(cx));
    case 5: return ask_for(cx, "_has:Observation:subject:date=", random_date(cx));
    default: return str_of(PICK(cx, "deceased=false", "deceased=true", "address:missing=true"));
    }
}

static str observation_part(struct ctx *cx)
{
    switch (below(cx, 8)) {
    case 0: return ask_for(cx, PICK(cx, "code=", "code:not="), random_code(cx));
    case 1: return ask_for(cx, "combo-code=", random_code(cx));
    case 2: return ask_for(cx, "date=", random_date(cx));
    case 3: return ask_for(cx, ask_for(cx, ask_for(cx, "date=", random_date(cx)).p, S(",")).p,
                           random_date(cx));
    case 4: return ask_for(cx, PICK(cx, "value-quantity=", "combo-value-quantity=",
                                    "component-value-quantity="), random_amount(cx));
    case 5: return arena_printf(cx->arena, "%s=%sp%u", PICK(cx, "subject", "patient"),
                                PICK(cx, "", "Patient/"), (unsigned)below(cx, PATIENTS));
    case 6: return ask_for(cx, "subject:Patient.", patient_part(cx));
    default: return str_of(PICK(cx, "status=final", "status:not=final", "date:missing=true",
                                "status=amended,registered", "code:missing=false"));
    }
}

static bool in_query(struct world *w, struct json doc, str query)
{
    str part;
    while (str_next(&query, '&', &part)) {
        str value = part, name;
        str_next(&value, '=', &name);
        if (!plainly_matches(w, doc, name, value))
            return false;
    }
    return true;
}

/* Every id of the type that the plain reader finds is in the answer once, and nothing else. */
static void compare(struct world *w, str type, str query)
{
    struct arena_mark mark = arena_mark(w->cx->arena);
    struct ctx one = ctx_make(w->cx->arena);
    one.now_ms = w->cx->now_ms;
    struct search_request request = { .resource = fhir_resource_find(type), .query = query,
                                      .count_default = 1000 };
    struct search_page page;
    err wrong = search_run(&one, w->store, &request, &page);
    cr_assert(wrong == ERR_OK, "%.*s?%.*s: %.*s", STR_ARG(type), STR_ARG(query),
              STR_ARG(one.issues.kept ? one.issues.list[0].text : S("")));
    size_t expected = 0;
    for (size_t i = 0; i < w->count; i++) {
        struct json doc = w->docs[i];
        if (!json_string_is(json_get(doc, S("resourceType")), type))
            continue;
        bool answers = in_query(w, doc, query);
        expected += answers;
        str id = json_string(w->cx->arena, json_get(doc, S("id")));
        size_t times = 0;
        for (size_t e = 0; e < page.entries_count; e++)
            times += str_eq(page.entries[e].version.id, id);
        cr_expect(times == (size_t)answers, "%.*s?%.*s: %zu times %.*s", STR_ARG(type),
                  STR_ARG(query), times, STR_ARG(json_text(doc)));
    }
    cr_expect(page.entries_count == expected, "%.*s?%.*s: %zu entries, expected %zu",
              STR_ARG(type), STR_ARG(query), page.entries_count, expected);
    ctx_release(&one);
    arena_rewind(w->cx->arena, mark);
}

TEST(the_index_answers_as_a_plain_reader_would)
{
    str folder = record_folder(cx);
    struct world *w = arena_zero(cx->arena, sizeof *w);
    w->cx = cx;
    w->store = record_open(cx, folder);
    w->count = COUNT(w->docs);
    for (size_t i = 0; i < w->count; i++)
        put(w, i);
    for (int i = 0; i < QUERIES; i++) {
        bool patients = below(cx, 3) == 0;
        chain_listed_most = i % 2 ? 1000 : i % 4 ? 2 : 0; /* both ways a link is followed */
        str query = patients ? patient_part(cx) : observation_part(cx);
        for (uint64_t more = below(cx, 3); more > 0; more--) {
            str part = patients ? patient_part(cx) : observation_part(cx);
            query = arena_printf(cx->arena, "%.*s&%.*s", STR_ARG(query), STR_ARG(part));
        }
        compare(w, patients ? S("Patient") : S("Observation"), query);
        size_t at = below(cx, w->count);
        if (i % 10 == 0)
            put(w, at);
        else if (i % 35 == 0)
            drop(w, at);
    }
    store_close(w->store);
    record_remove(cx, folder);
}
