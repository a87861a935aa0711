/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE search_same
#include "store/compile.h"
#include "store/sort_key.h"
#include "store/test_same.h"
#include <stdio.h>

/*
 * Goal: whatever is asked of whatever is stored, the index answers as a plain reader would who
 * walks every resource with FHIRPath (test_same_plain.c). Queries and data are random, from small
 * worlds, so that they meet; resources change and go between queries, and between pages.
 */
enum { QUERIES = 500, PAGED = 160 };

static str dated(struct ctx *cx)
{
    str date = same_date(cx);
    return arena_printf(cx->arena, "%s%.*s",
                        PICK(cx, "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"),
                        STR_ARG(date));
}

static str amount(struct ctx *cx)
{
    return arena_printf(cx->arena, "%s%u%s%s", PICK(cx, "", "ne", "gt", "lt", "ge", "le", "ap"),
                        (unsigned)same_below(cx, 4), PICK(cx, "", ".5", ".0", ".25"),
                        PICK(cx, "", "||mg", "|u|mg", "||milligram", "||g",
                             "|http://unitsofmeasure.org|g", "|http://unitsofmeasure.org|mg"));
}

static str code(struct ctx *cx)
{
    return str_of(PICK(cx, "a", "b", "l|a", "s|b", "s|", "|c", "a,l|b", "nowhere", "l|zz"));
}

static str coded(struct ctx *cx)
{
    switch (same_below(cx, 6)) {
    case 0: return str_of(PICK(cx, "code:text=heart", "code:text=HEART S", "code:text=\xc3\xa9tat",
                               "code:text=rate", "code:text=heart a"));
    case 1: return str_of(PICK(cx, "code:code-text=a", "code:code-text=ab", "code:code-text=z"));
    case 2: return str_of(PICK(cx, "code:below=l|a", "code:below=l|b", "code:above=l|b",
                               "code:above=l|c"));
    case 3: return str_of(PICK(cx, "code:in=http://x.org/vs", "code:not-in=http://x.org/vs"));
    default: {
        str value = code(cx);
        return arena_printf(cx->arena, "%s%.*s", PICK(cx, "code=", "code:not=", "combo-code="),
                            STR_ARG(value));
    }
    }
}

static str worded(struct ctx *cx)
{
    return arena_printf(cx->arena, "%s=%s", PICK(cx, "_text", "_content"),
                        PICK(cx, "acute", "ACUTE ward", "pain OR care", "pain NOT acute",
                             "\"acute pain\"", "\"ward pain\"", "acu*", "\xc3\xa9tat", "home",
                             "leeds", "york OR abel", "\"east york\"", "nothing"));
}

static str patient_part(struct ctx *cx)
{
    switch (same_below(cx, 12)) {
    case 0: return str_of(PICK(cx, "gender=male", "gender:not=male", "gender:missing=true",
                               "gender=http://hl7.org/fhir/administrative-gender|female"));
    case 1: return str_of(PICK(cx, "name=ab", "name=AL", "name:exact=Abel", "family=zo",
                               "name:contains=be", "given=zo,al", "family:exact=abel",
                               "address-city=york", "address-city:contains=york"));
    case 2: {
        str date = dated(cx);
        return arena_printf(cx->arena, "birthdate=%.*s", STR_ARG(date));
    }
    case 3: return str_of(PICK(cx, "identifier=3", "identifier=n|3", "identifier=h|", "active=true",
                               "identifier=n|1,h|2", "active:missing=false", "active:not=false",
                               "identifier:of-type=v2|MR|3", "identifier:of-type=v2|NH|1"));
    case 4: {
        str value = code(cx);
        return arena_printf(cx->arena, "_has:Observation:%s:code=%.*s",
                            PICK(cx, "patient", "subject"), STR_ARG(value));
    }
    case 5: {
        str date = dated(cx);
        return arena_printf(cx->arena, "_has:Observation:subject:date=%.*s", STR_ARG(date));
    }
    case 6: return str_of(PICK(cx, "_has:Encounter:patient:_has:Observation:encounter:code=a",
                               "_has:Observation:patient:encounter.class=IMP",
                               "_has:Encounter:subject:location.name=ward a",
                               "_has:Observation:subject:encounter.subject:Patient.gender=male",
                               "_has:Encounter:patient:_has:Observation:encounter:status=final"));
    case 7: return str_of(PICK(cx, "organization=g1", "organization=Organization/g1",
                               "organization=http://else.org/fhir/Organization/g1",
                               "organization=urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0",
                               "organization:identifier=ods|RR8", "organization:missing=true",
                               "organization:Organization=g1", "organization=g2"));
    case 8: return str_of(PICK(cx, "_list=l0", "_list=l1", "_id=p1,p2,p7", "_id:not=p3",
                               "_list=l9"));
    case 9: return str_of(PICK(cx, "_filter=gender eq male and name co be",
                               "_filter=gender ne male or active eq true",
                               "_filter=not (family sw zo)", "_filter=birthdate gt 2020",
                               "_filter=active pr true and birthdate le 2020"));
    case 10: return str_of(PICK(cx, "town=york", "town=leeds", "town:exact=York",
                                "town:contains=york", "town:missing=true"));
    default: return worded(cx);
    }
}

static str observation_part(struct ctx *cx)
{
    str first, second;
    switch (same_below(cx, 12)) {
    case 0:
    case 1: return coded(cx);
    case 2:
        first = dated(cx);
        return arena_printf(cx->arena, "date=%.*s", STR_ARG(first));
    case 3:
        first = dated(cx), second = dated(cx);
        return arena_printf(cx->arena, "date=%.*s,%.*s", STR_ARG(first), STR_ARG(second));
    case 4:
        first = amount(cx);
        return arena_printf(cx->arena, "%s=%.*s",
                            PICK(cx, "value-quantity", "combo-value-quantity",
                                 "component-value-quantity"), STR_ARG(first));
    case 5: return arena_printf(cx->arena, "%s=%sp%u%s",
                                PICK(cx, "subject", "patient", "subject"),
                                PICK(cx, "Patient/", "Patient/"),
                                (unsigned)same_below(cx, SAME_PATIENTS),
                                PICK(cx, "", "", "/_history/1"));
    case 6: return arena_printf(cx->arena, "%s=p%u", PICK(cx, "subject", "patient",
                                                          "subject:Patient", "subject:Group"),
                                (unsigned)same_below(cx, SAME_PATIENTS));
    case 7:
        first = patient_part(cx);
        return arena_printf(cx->arena, "%s.%.*s", PICK(cx, "subject:Patient", "patient",
                                                       "encounter.subject:Patient",
                                                       "encounter:Encounter.patient"),
                            STR_ARG(first));
    case 8: return str_of(PICK(cx, "encounter.class=IMP", "encounter.class=k|AMB",
                               "encounter.location.name=ward b", "encounter:missing=true",
                               "encounter.location:Location.name=ward a",
                               "encounter._has:Observation:encounter:status=final"));
    case 9:
        first = code(cx), second = amount(cx);
        return arena_printf(cx->arena, "%s=%.*s$%.*s",
                            PICK(cx, "code-value-quantity", "component-code-value-quantity",
                                 "combo-code-value-quantity"),
                            (int)(str_find_char(first, ',') == STR_NONE ? first.n : 1), first.p,
                            STR_ARG(second));
    case 10: return worded(cx);
    default: return str_of(PICK(cx, "status=final", "status:not=final", "date:missing=true",
                                "status=amended,registered", "code:missing=false"));
    }
}

static str location_part(struct ctx *cx)
{
    if (same_below(cx, 4) == 0)
        return str_of(PICK(cx, "name=ward a", "name:exact=Ward B",
                           "_has:Encounter:location:class=IMP",
                           "_has:Encounter:location:subject:Patient.gender=female"));
    return arena_printf(cx->arena, "near=5%u.%u|-1.%u|%u|km", (unsigned)same_below(cx, 3),
                        (unsigned)same_below(cx, 10), (unsigned)same_below(cx, 10),
                        5 + 40 * (unsigned)same_below(cx, 4));
}

static str encounter_part(struct ctx *cx)
{
    str inner;
    switch (same_below(cx, 4)) {
    case 0: return str_of(PICK(cx, "class=IMP", "status:not=finished", "class=k|"));
    case 1:
        inner = patient_part(cx);
        return arena_printf(cx->arena, "patient.%.*s", STR_ARG(inner));
    case 2:
        inner = observation_part(cx);
        return arena_printf(cx->arena, "_has:Observation:encounter:%.*s", STR_ARG(inner));
    default:
        inner = dated(cx);
        return arena_printf(cx->arena, "date=%.*s", STR_ARG(inner));
    }
}

static const struct kind {
    const char *type;
    str (*part)(struct ctx *cx);
    const char *sorts[10];
} kinds[] = {
    { "Patient", patient_part,
      { "name", "-birthdate", "gender,-family", "-given", "-_id", "-town", "address-city",
        "_lastUpdated", "-_lastUpdated", "organization.name" } },
    { "Observation", observation_part,
      { "date", "-date", "status,-date", "patient.family", "-subject:Patient.birthdate",
        "encounter.subject:Patient.family,_id", "-encounter.date", "status,patient.gender",
        "-_lastUpdated", "_id" } },
    { "Encounter", encounter_part,
      { "-date", "date", "patient.family", "status,-patient.birthdate", "location.name",
        "-subject.gender", "_id", "status", "patient._id", "date,_id" } },
    { "Location", location_part, { "name", "-name", "_id" } },
};

static str question(struct ctx *cx, const struct kind *kind)
{
    str query = kind->part(cx);
    for (uint64_t more = same_below(cx, 3); more > 0; more--) {
        str part = kind->part(cx);
        query = arena_printf(cx->arena, "%.*s&%.*s", STR_ARG(query), STR_ARG(part));
    }
    return query;
}

static bool is_type(const struct same_doc *doc, const char *type)
{
    return !strcmp(doc->type, type) && !json_is(doc->body, JSON_ABSENT);
}

struct asked {
    struct ctx one;
    struct search_page page;
};

static void ask(struct same_world *w, const struct search_request *request, struct asked *out)
{
    out->one = ctx_make(w->cx->arena);
    out->one.now_ms = w->cx->now_ms;
    err wrong = search_run(&out->one, w->store, request, &out->page);
    cr_assert(wrong == ERR_OK, "%.*s: %.*s", STR_ARG(request->query),
              STR_ARG(out->one.issues.kept ? out->one.issues.list[0].text : S("")));
}

static size_t times_in(const struct search_page *page, str id)
{
    size_t times = 0;
    for (size_t e = 0; e < page->entries_count; e++)
        times += str_eq(page->entries[e].version.id, id);
    return times;
}

/* Every id of the type that the plain reader finds is in the answer once, and nothing else; the
 * exact count says the same. */
static void compare(struct same_world *w, const char *type, str query)
{
    struct arena_mark mark = arena_mark(w->cx->arena);
    struct search_request request = { .resource = fhir_resource_find(str_of(type)),
                                      .query = query, .count_default = 1000 };
    struct asked asked, counted;
    size_t expected = 0;
    ask(w, &request, &asked);
    for (size_t i = 0; i < SAME_DOCS; i++) {
        const struct same_doc *doc = &w->docs[i];
        if (!is_type(doc, type))
            continue;
        bool answers = same_answers(w, doc->body, query);
        expected += answers;
        cr_expect(times_in(&asked.page, doc->id) == (size_t)answers, "%s?%.*s: %zu times %.*s",
                  type, STR_ARG(query), times_in(&asked.page, doc->id),
                  STR_ARG(json_text(doc->body)));
    }
    cr_expect(asked.page.entries_count == expected, "%s?%.*s: %zu entries, expected %zu", type,
              STR_ARG(query), asked.page.entries_count, expected);
    ctx_release(&asked.one);
    request.query = arena_printf(w->cx->arena, "%.*s&_summary=count", STR_ARG(query));
    ask(w, &request, &counted);
    cr_expect(counted.page.total == (int64_t)expected, "%s?%.*s: counts %lld, expected %zu", type,
              STR_ARG(query), (long long)counted.page.total, expected);
    ctx_release(&counted.one);
    arena_rewind(w->cx->arena, mark);
}

/* Patient/x/Observation, and Patient/x/ with a star. */
static void compare_compartment(struct same_world *w, size_t patient)
{
    struct ctx *cx = w->cx;
    struct search_request request = { .resource = fhir_resource_find(S("Observation")),
                                      .query = S("status=final"), .count_default = 1000,
                                      .compartment = S("Patient"),
                                      .compartment_id = w->docs[patient].id };
    str here = arena_printf(cx->arena, "subject=Patient/%.*s&status=final",
                            STR_ARG(w->docs[patient].id));
    struct asked asked;
    ask(w, &request, &asked);
    for (size_t i = 0; i < SAME_DOCS; i++)
        if (is_type(&w->docs[i], "Observation"))
            cr_expect(times_in(&asked.page, w->docs[i].id) ==
                          (size_t)same_answers(w, w->docs[i].body, here),
                      "compartment: %.*s of %.*s", STR_ARG(w->docs[i].id), STR_ARG(here));
    ctx_release(&asked.one);
    request.resource = FHIR_NONE;
    request.query = S("_type=Encounter,Observation");
    here = arena_printf(cx->arena, "subject=Patient/%.*s", STR_ARG(w->docs[patient].id));
    ask(w, &request, &asked);
    for (size_t i = 0; i < SAME_DOCS; i++)
        if (is_type(&w->docs[i], "Observation") || is_type(&w->docs[i], "Encounter"))
            cr_expect(times_in(&asked.page, w->docs[i].id) ==
                          (size_t)same_answers(w, w->docs[i].body, here),
                      "whole compartment: %.*s of %.*s", STR_ARG(w->docs[i].id), STR_ARG(here));
    ctx_release(&asked.one);
}

/* Medications within requests: each that answers by itself, with its own id. */
static void compare_contained(struct same_world *w)
{
    struct ctx *cx = w->cx;
    str value = code(cx);
    str query = same_below(cx, 3) ? arena_printf(cx->arena, "code=%.*s", STR_ARG(value))
                                  : str_of(PICK(cx, "status=active", "code:text=heart",
                                                "status:not=active", "code:missing=true"));
    str whole = arena_printf(cx->arena, "%.*s&_contained=true&_containedType=contained",
                             STR_ARG(query));
    struct search_request request = { .resource = fhir_resource_find(S("Medication")),
                                      .query = whole, .count_default = 1000 };
    struct asked asked;
    size_t expected = 0;
    ask(w, &request, &asked);
    for (size_t i = 0; i < SAME_DOCS; i++)
        for (struct json_walk c = json_walk(json_get(w->docs[i].body, S("contained")));
             json_next(&c);) {
            bool medication = json_string_is(json_get(c.value, S("resourceType")),
                                             S("Medication"));
            if (!medication || !same_answers(w, c.value, query))
                continue;
            str id = json_string(cx->arena, json_get(c.value, S("id")));
            size_t times = 0;
            for (size_t e = 0; e < asked.page.entries_count; e++)
                times += str_eq(asked.page.entries[e].version.id, w->docs[i].id) &&
                         str_eq(asked.page.entries[e].contained_id, id);
            expected++;
            cr_expect(times == 1, "%.*s: %zu times %.*s#%.*s", STR_ARG(whole), times,
                      STR_ARG(w->docs[i].id), STR_ARG(id));
        }
    cr_expect(asked.page.entries_count == expected, "%.*s: %zu entries, expected %zu",
              STR_ARG(whole), asked.page.entries_count, expected);
    ctx_release(&asked.one);
}

/* What is included: the subjects of the matches, and what refers to them, each once. */
static void compare_includes(struct same_world *w)
{
    struct ctx *cx = w->cx;
    struct search_request request = {
        .resource = fhir_resource_find(S("Encounter")), .count_default = 1000,
        .query = S("class=IMP&_include=Encounter:subject&_revinclude=Observation:encounter"
                   "&_include:iterate=Patient:organization") };
    struct asked asked;
    ask(w, &request, &asked);
    for (size_t i = 0; i < SAME_DOCS; i++) {
        const struct same_doc *doc = &w->docs[i];
        bool wanted = is_type(doc, "Encounter") && same_answers(w, doc->body, S("class=IMP"));
        if (is_type(doc, "Patient"))
            wanted = same_answers(w, doc->body, S("_has:Encounter:subject:class=IMP"));
        if (is_type(doc, "Observation"))
            wanted = same_answers(w, doc->body, S("encounter.class=IMP"));
        cr_expect(times_in(&asked.page, doc->id) == (size_t)wanted, "included %.*s",
                  STR_ARG(doc->id));
    }
    (void)cx;
    ctx_release(&asked.one);
}

static void change_something(struct same_world *w)
{
    size_t at = same_below(w->cx, SAME_DOCS);
    bool gone = same_below(w->cx, 6) == 0 && w->docs[at].type[0] != 'P';
    if (gone)
        same_drop(w, at);
    else
        same_put(w, at);
}

/* Each way of answering is taken in turn: as with much data, and as with little. */
static void other_ways(int turn)
{
    plan_limits.probes = turn % 3 ? 16 : 0;
    plan_limits.texts = turn % 5 ? 64 : 1;
    plan_limits.first_try = turn % 7 < 3 ? 6000 : 1;
    plan_limits.few = turn % 2 ? PLAN_ESTIMATE_MOST : 0;
}

static struct same_world *make_world(struct ctx *cx, str folder)
{
    struct same_world *w = arena_zero(cx->arena, sizeof *w);
    cx->now_ms = 1640995200000; /* 2022: what approximate dates are far from */
    w->cx = cx;
    w->store = record_open(cx, folder);
    same_fill(w);
    return w;
}

TEST(the_index_answers_as_a_plain_reader_would)
{
    str folder = record_folder(cx);
    struct same_world *w = make_world(cx, folder);
    for (int i = 0; i < QUERIES; i++) {
        const struct kind *kind = &kinds[same_below(cx, 10) * 4 / 10];
        chain_listed_most = i % 2 ? 1000 : i % 4 ? 2 : 0; /* both ways a link is followed */
        other_ways(i / 2);
        compare(w, kind->type, question(cx, kind));
        if (i % 10 == 1)
            compare_contained(w);
        if (i % 25 == 2)
            compare_compartment(w, same_below(cx, SAME_PATIENTS));
        if (i % 50 == 3)
            compare_includes(w);
        if (i % 8 == 0)
            change_something(w);
    }
    store_close(w->store);
    record_remove(cx, folder);
}

/* --- pages --- */

struct paged {
    struct same_world *w;
    const struct kind *kind;
    str criteria, sort;
    bool was[SAME_DOCS];   /* an answer since the search began, after every change */
    bool given[SAME_DOCS];
    struct json bodies[SAME_DOCS]; /* then */
};

static size_t doc_of(const struct paged *p, str id)
{
    size_t at = 0;
    while (at < SAME_DOCS && (!str_eq(p->w->docs[at].id, id) ||
                              strcmp(p->w->docs[at].type, p->kind->type)))
        at++;
    return at;
}

/* In the order of the keys, as they were when the search began. */
static void expect_order(struct paged *p, str before, str after)
{
    struct same_world then = *p->w;
    size_t a = doc_of(p, before), b = doc_of(p, after);
    str keys = p->sort, key;
    for (size_t i = 0; i < SAME_DOCS; i++)
        then.docs[i].body = p->bodies[i];
    while (str_next(&keys, ',', &key)) {
        int order = same_order(&then, p->bodies[a], p->bodies[b], key);
        cr_expect(order <= 0, "%s?%.*s&_sort=%.*s: %.*s before %.*s", p->kind->type,
                  STR_ARG(p->criteria), STR_ARG(p->sort), STR_ARG(json_text(p->bodies[a])),
                  STR_ARG(json_text(p->bodies[b])));
        if (order)
            return;
    }
}

static void take_page(struct paged *p, const struct search_page *page, str *last)
{
    for (size_t e = 0; e < page->entries_count; e++) {
        str id = page->entries[e].version.id;
        size_t at = doc_of(p, id);
        cr_assert(at < SAME_DOCS);
        cr_expect(!p->given[at], "%s?%.*s&_sort=%.*s repeats %.*s", p->kind->type,
                  STR_ARG(p->criteria), STR_ARG(p->sort), STR_ARG(id));
        p->given[at] = true;
        if (json_is(p->bodies[at], JSON_ABSENT))
            continue; /* made since: it may stand anywhere */
        if (p->sort.n && last->n)
            expect_order(p, *last, id);
        *last = arena_copy(p->w->cx->arena, id);
    }
}

static bool answers_now(const struct paged *p, size_t at)
{
    const struct same_doc *doc = &p->w->docs[at];
    return is_type(doc, p->kind->type) && same_answers(p->w, doc->body, p->criteria);
}

static void read_pages(struct paged *p, bool changing)
{
    struct same_world *w = p->w;
    struct ctx *cx = w->cx;
    str last = { 0 };
    struct search_request request = {
        .resource = fhir_resource_find(str_of(p->kind->type)),
        .query = arena_printf(cx->arena, "%.*s%s%.*s&_count=%u", STR_ARG(p->criteria),
                              p->sort.n ? "&_sort=" : "", STR_ARG(p->sort),
                              1 + (unsigned)same_below(cx, 6)) };
    for (int pages = 0; pages < 200; pages++) {
        struct asked asked;
        ask(w, &request, &asked);
        take_page(p, &asked.page, &last);
        request.query = asked.page.next_query;
        ctx_release(&asked.one);
        if (!request.query.p)
            return;
        if (!changing || same_below(cx, 2))
            continue;
        change_something(w);
        for (size_t i = 0; i < SAME_DOCS; i++)
            p->was[i] = p->was[i] && answers_now(p, i);
    }
    cr_expect(false, "%s?%.*s has no end", p->kind->type, STR_ARG(p->criteria));
}

static void page_through(struct same_world *w, bool changing)
{
    struct ctx *cx = w->cx;
    struct paged *p = arena_zero(cx->arena, sizeof *p);
    p->w = w;
    p->kind = &kinds[same_below(cx, COUNT(kinds))];
    p->criteria = same_below(cx, 3) ? p->kind->part(cx) : S("_id:not=none");
    const char *sort = p->kind->sorts[same_below(cx, 10)];
    p->sort = sort && same_below(cx, 4) ? str_of(sort) : S("");
    for (size_t i = 0; i < SAME_DOCS; i++) {
        p->bodies[i] = w->docs[i].body;
        p->was[i] = answers_now(p, i);
    }
    read_pages(p, changing);
    for (size_t i = 0; i < SAME_DOCS; i++) {
        bool is = answers_now(p, i);
        cr_expect(p->given[i] || !p->was[i], "%s?%.*s&_sort=%.*s loses %.*s",
                  p->kind->type, STR_ARG(p->criteria), STR_ARG(p->sort), STR_ARG(w->docs[i].id));
        cr_expect(changing || p->given[i] == is, "%s?%.*s: %.*s", p->kind->type,
                  STR_ARG(p->criteria), STR_ARG(w->docs[i].id));
    }
}

TEST(pages_hold_each_answer_once_in_order_whatever_changes_between_them)
{
    str folder = record_folder(cx);
    struct same_world *w = make_world(cx, folder);
    for (int i = 0; i < PAGED; i++) {
        sort_by_rows_most = i % 4 < 2 ? 400 : 0; /* keys by bodies, and by the index */
        chain_listed_most = i % 3 ? 1000 : 2;
        other_ways(i);
        page_through(w, i % 2);
    }
    store_close(w->store);
    record_remove(cx, folder);
}
