/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path.h"
#include "store/test_same.h"
#include "store/value.h"
#include <math.h>

static str text_at(struct ctx *cx, struct json value, const char *name)
{
    str text = json_string(cx->arena, json_get(value, str_of(name)));
    return text.p ? text : S("");
}

static str type_of(struct ctx *cx, struct json doc)
{
    return text_at(cx, doc, "resourceType");
}

/* --- tokens --- */

/* The asked "system|code" against a system and a code. */
static bool pair_same(str system, str code, str asked)
{
    size_t bar = str_find_char(asked, '|');
    if (bar == STR_NONE)
        return code.n && str_eq(code, asked);
    str wanted = str_slice(asked, bar + 1, asked.n), from = str_slice(asked, 0, bar);
    return code.n && str_eq(system, from) && (!wanted.n || str_eq(code, wanted));
}

/* What the terminology put into the record says: a > b, c; the value set has a and c. */
static bool in_terms(const char *modifier, str system, str code, str asked)
{
    static const struct { const char *modifier, *asked, *codes; } rows[] = {
        { ":below", "l|a", "ab" }, { ":below", "l|b", "b" }, { ":above", "l|b", "ab" },
        { ":above", "l|c", "c" }, { ":in", "http://x.org/vs", "ac" },
        { ":not-in", "http://x.org/vs", "ac" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!strcmp(rows[i].modifier, modifier) && str_eq(asked, str_of(rows[i].asked)))
            return str_eq(system, S("l")) && code.n == 1 && strchr(rows[i].codes, code.p[0]);
    return false;
}

static bool begins_folded(struct ctx *cx, str text, str asked)
{
    return text.n && str_starts(value_fold(cx->arena, text), value_fold(cx->arena, asked));
}

static bool code_same(struct ctx *cx, struct json coding, const char *modifier, str asked)
{
    str system = text_at(cx, coding, "system"), code = text_at(cx, coding, "code");
    if (!strcmp(modifier, ":text"))
        return code.n && begins_folded(cx, text_at(cx, coding, "display"), asked);
    if (!strcmp(modifier, ":code-text"))
        return code.n && str_starts(code, asked);
    if (!*modifier || !strcmp(modifier, ":not"))
        return pair_same(system, code, asked);
    return in_terms(modifier, system, code, asked);
}

static bool concept_same(struct ctx *cx, struct json concept, const char *modifier, str asked)
{
    if (!strcmp(modifier, ":text") && begins_folded(cx, text_at(cx, concept, "text"), asked))
        return true;
    for (struct json_walk w = json_walk(json_get(concept, S("coding"))); json_next(&w);)
        if (code_same(cx, w.value, modifier, asked))
            return true;
    return false;
}

static bool identifier_same(struct ctx *cx, struct json identifier, const char *modifier,
                            str asked)
{
    str value = text_at(cx, identifier, "value");
    if (strcmp(modifier, ":of-type"))
        return pair_same(text_at(cx, identifier, "system"), value, asked);
    str rest = asked, system, code;
    struct json coding = json_at(json_get(json_get(identifier, S("type")), S("coding")), 0);
    str_next(&rest, '|', &system);
    str_next(&rest, '|', &code);
    return str_eq(text_at(cx, coding, "system"), system) &&
           str_eq(text_at(cx, coding, "code"), code) && str_eq(value, rest);
}

static bool plain_code_same(struct ctx *cx, struct json value, str asked)
{
    str code = json_string(cx->arena, value);
    size_t bar = str_find_char(asked, '|');
    if (bar != STR_NONE && bar > 0)
        return str_eq(str_slice(asked, 0, bar), S("http://hl7.org/fhir/administrative-gender")) &&
               str_eq(code, str_slice(asked, bar + 1, asked.n));
    return pair_same(S(""), code, asked);
}

static bool token_same(struct ctx *cx, const struct path_item *item, const char *modifier,
                       str asked)
{
    str type = item->type == FHIR_NONE ? S("") : fhir_types[item->type].name;
    if (item->kind == PATH_BOOLEAN)
        return str_eq(asked, item->boolean ? S("true") : S("false"));
    if (str_eq(type, S("CodeableConcept")))
        return concept_same(cx, item->node, modifier, asked);
    if (str_eq(type, S("Coding")))
        return code_same(cx, item->node, modifier, asked);
    if (str_eq(type, S("Identifier")))
        return identifier_same(cx, item->node, modifier, asked);
    return plain_code_same(cx, item->node, asked);
}

/* --- strings, dates --- */

static bool string_same(struct ctx *cx, struct json value, const char *modifier, str asked)
{
    if (json_is(value, JSON_OBJECT) || json_is(value, JSON_ARRAY)) {
        for (struct json_walk w = json_walk(value); json_next(&w);)
            if (string_same(cx, w.value, modifier, asked))
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

static int take_prefix(str *asked)
{
    static const char *const names[] = { "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap" };
    for (int i = 0; i < 9; i++)
        if (str_starts(*asked, str_of(names[i]))) {
            *asked = str_slice(*asked, 2, asked->n);
            return i;
        }
    return 0;
}

/* The span of a dateTime, a Period or a Timing. */
static struct value_span span_of(struct ctx *cx, struct json value)
{
    struct value_span lo = { .lo = INT64_MIN }, hi = { .hi = INT64_MAX }, one = { 0 };
    if (json_is(value, JSON_STRING)) {
        value_date(json_string(cx->arena, value), &one);
        return one;
    }
    if (json_is(json_get(value, S("event")), JSON_ARRAY)) {
        struct value_span all = { INT64_MAX, INT64_MIN, 0 };
        for (struct json_walk w = json_walk(json_get(value, S("event"))); json_next(&w);) {
            one = span_of(cx, w.value);
            all.lo = one.lo < all.lo ? one.lo : all.lo;
            all.hi = one.hi > all.hi ? one.hi : all.hi;
        }
        return all;
    }
    value_date(text_at(cx, value, "start"), &lo);
    value_date(text_at(cx, value, "end"), &hi);
    return (struct value_span){ lo.lo, hi.hi, 0 };
}

static bool date_same(struct ctx *cx, struct json value, str asked)
{
    struct value_span have = span_of(cx, value), want = { 0 };
    int prefix = take_prefix(&asked);
    value_date(asked, &want);
    bool inside = want.lo <= have.lo && have.hi <= want.hi;
    int64_t from_now = want.lo > cx->now_ms ? want.lo - cx->now_ms : cx->now_ms - want.hi;
    int64_t slack = from_now > 0 ? from_now / 10 : 0;
    const bool answers[] = { inside, !inside, have.hi > want.hi, have.lo < want.lo,
                             have.hi >= want.lo, have.lo <= want.hi, have.lo > want.hi,
                             have.hi < want.lo,
                             have.hi >= want.lo - slack && have.lo <= want.hi + slack };
    return answers[prefix];
}

/* --- quantities, in whole billionths, so that no bound is rounded --- */

static int64_t billionths(str text, int64_t *half)
{
    int64_t value = 0, unit = 1000000000;
    bool after = false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '.') {
            after = true;
            continue;
        }
        value = value * 10 + (text.p[i] - '0');
        unit = after ? unit / 10 : unit;
    }
    *half = unit / 2;
    return value * unit;
}

#define UCUM_SYSTEM S("http://unitsofmeasure.org")

static int64_t factor_of(str code)
{
    return str_eq(code, S("g")) ? 1000 : str_eq(code, S("mg")) ? 1 : 0;
}

/* By what the stored and the asked number are to be multiplied; false: not to be compared. */
static bool factors(struct ctx *cx, struct json value, str system, str unit, int64_t *have,
                    int64_t *want)
{
    str code = text_at(cx, value, "code"), of = text_at(cx, value, "system");
    *have = *want = 1;
    if (!unit.n && !system.n)
        return true;
    if (system.n ? str_eq(of, system) && str_eq(code, unit)
                 : str_eq(code, unit) || str_eq(text_at(cx, value, "unit"), unit))
        return true;
    *have = factor_of(code);
    *want = factor_of(unit);
    return (!system.n || str_eq(system, UCUM_SYSTEM)) && str_eq(of, UCUM_SYSTEM) && *have && *want;
}

static bool quantity_same(struct ctx *cx, struct json value, str asked)
{
    int prefix = take_prefix(&asked);
    int64_t half, ignored, by_have, by_want;
    str number, system = S(""), unit = asked, text = text_at(cx, value, "value");
    str_next(&unit, '|', &number);
    if (unit.p)
        str_next(&unit, '|', &system);
    if (!text.n || !factors(cx, value, system, unit.p ? unit : S(""), &by_have, &by_want))
        return false;
    int64_t w = billionths(number, &half) * by_want, v = billionths(text, &ignored) * by_have;
    half *= by_want;
    const bool answers[] = { v >= w - half && v < w + half, v < w - half || v >= w + half, v > w,
                             v < w, v >= w, v <= w, v > w, v < w,
                             v >= w - w / 10 && v <= w + w / 10 };
    return answers[prefix];
}

/* --- references --- */

static bool reference_same(struct ctx *cx, struct json value, const char *modifier, str asked)
{
    str reference = text_at(cx, value, "reference");
    if (!strcmp(modifier, ":identifier"))
        return identifier_same(cx, json_get(value, S("identifier")), "", asked);
    if (!reference.n)
        return false;
    size_t version = str_find(reference, S("/_history/"));
    str plain = version == STR_NONE ? reference : str_slice(reference, 0, version);
    if (*modifier) { /* :Patient=p1 */
        str typed = arena_printf(cx->arena, "%s/%.*s", modifier + 1, STR_ARG(asked));
        return str_eq(plain, typed);
    }
    if (str_find(asked, S("/_history/")) != STR_NONE)
        return str_eq(reference, asked);
    if (str_find_char(asked, '/') != STR_NONE || str_starts(asked, S("urn:")))
        return str_eq(plain, asked);
    size_t slash = str_find_char(plain, '/');
    bool elsewhere = str_find(plain, S("://")) != STR_NONE || str_starts(plain, S("urn:"));
    return !elsewhere && slash != STR_NONE &&
           str_eq(str_slice(plain, slash + 1, plain.n), asked);
}

struct json same_follow(struct same_world *w, str reference)
{
    for (size_t i = 0; i < SAME_DOCS; i++) {
        const struct same_doc *doc = &w->docs[i];
        str here = arena_printf(w->cx->arena, "%s/%.*s", doc->type, STR_ARG(doc->id));
        if (!json_is(doc->body, JSON_ABSENT) && str_eq(here, reference))
            return doc->body;
    }
    return (struct json){ 0 };
}

/* --- FHIRPath over one resource --- */

static struct json resolve(struct ctx *cx, const struct path_host *host, str reference)
{
    (void)host;
    size_t slash = str_find_char(reference, '/');
    str type = slash == STR_NONE ? S("Basic") : str_slice(reference, 0, slash);
    return record_json(cx, arena_printf(cx->arena, "{\"resourceType\":\"%.*s\"}",
                                        STR_ARG(type)).p);
}

static void evaluate(struct ctx *cx, struct json doc, str expression, struct path_result *out)
{
    struct path_host host = { .resolve = resolve };
    struct path_run run = { .input = doc, .input_type = FHIR_NONE, .host = &host };
    const struct path *path;
    cr_assert(path_compile(cx, expression, &path) == ERR_OK, "%.*s", STR_ARG(expression));
    cr_assert(path_eval(cx, path, &run, out) == ERR_OK, "%.*s", STR_ARG(expression));
}

static bool item_same(struct ctx *cx, enum fhir_search_kind kind, const char *modifier,
                      const struct path_item *item, str asked)
{
    switch (kind) {
    case FHIR_SEARCH_TOKEN: return token_same(cx, item, modifier, asked);
    case FHIR_SEARCH_STRING: return string_same(cx, item->node, modifier, asked);
    case FHIR_SEARCH_DATE: return date_same(cx, item->node, asked);
    case FHIR_SEARCH_QUANTITY: return quantity_same(cx, item->node, asked);
    case FHIR_SEARCH_REFERENCE: return reference_same(cx, item->node, modifier, asked);
    default: return false;
    }
}

/* A parameter's kind and expression; the record's own one, too. */
static bool parameter(struct ctx *cx, struct json doc, str code, enum fhir_search_kind *kind,
                      str *expression)
{
    const struct fhir_param *def = fhir_param_find(fhir_resource_find(type_of(cx, doc)), code);
    *kind = FHIR_SEARCH_STRING;
    *expression = S("Patient.address.city");
    if (def) {
        *kind = def->kind;
        *expression = def->expression;
    }
    return def || (str_eq(code, S("town")) && str_eq(type_of(cx, doc), S("Patient")));
}

static bool matches(struct same_world *w, struct json doc, str name, str value);

/* --- composites --- */

static bool pair_answers(struct ctx *cx, struct json part, str value)
{
    str rest = value, code;
    str_next(&rest, '$', &code);
    return concept_same(cx, json_get(part, S("code")), "", code) &&
           quantity_same(cx, json_get(part, S("valueQuantity")), rest);
}

static bool composite(struct ctx *cx, struct json doc, str name, str value)
{
    bool root = !str_starts(name, S("component")), parts = !str_starts(name, S("code"));
    if (root && pair_answers(cx, doc, value))
        return true;
    for (struct json_walk w = json_walk(parts ? json_get(doc, S("component"))
                                              : (struct json){ 0 }); json_next(&w);)
        if (pair_answers(cx, w.value, value))
            return true;
    return false;
}

/* --- words --- */

/* The string's words, with a space before and after each. */
static str spaced(struct ctx *cx, str text)
{
    str folded = value_fold(cx->arena, text);
    char *p = arena_alloc(cx->arena, folded.n + 3);
    size_t n = 0;
    p[n++] = ' ';
    for (size_t i = 0; i < folded.n; i++) {
        bool letter = (folded.p[i] >= 'a' && folded.p[i] <= 'z') ||
                      (folded.p[i] >= '0' && folded.p[i] <= '9');
        if (letter || p[n - 1] != ' ')
            p[n++] = letter ? folded.p[i] : ' ';
    }
    if (p[n - 1] != ' ')
        p[n++] = ' ';
    return (str){ p, n };
}

static bool has_words(struct ctx *cx, struct json value, str sought)
{
    if (json_is(value, JSON_STRING))
        return str_find(spaced(cx, json_string(cx->arena, value)), sought) != STR_NONE;
    for (struct json_walk w = json_walk(value); json_next(&w);)
        if (has_words(cx, w.value, sought))
            return true;
    return false;
}

static bool narrative_has(struct ctx *cx, struct json doc, str sought)
{
    str div = text_at(cx, json_get(doc, S("text")), "div");
    size_t from = str_find(div, S("<b>"));
    if (from == STR_NONE)
        return false;
    div = str_slice(div, from + 3, div.n - 6);
    size_t end = str_find(div, S("</b>")), and = str_find(div, S("&amp;"));
    str plain = arena_printf(cx->arena, "%.*s %.*s %.*s", (int)end, div.p,
                             (int)(and - end - 4), div.p + end + 4,
                             (int)(div.n - and - 5), div.p + and + 5);
    return str_find(spaced(cx, plain), sought) != STR_NONE;
}

static bool term_found(struct ctx *cx, struct json doc, bool whole, str term)
{
    bool prefix = str_ends(term, S("*"));
    bool quoted = str_starts(term, S("\""));
    term = quoted ? str_slice(term, 1, term.n - 1) : prefix ? str_slice(term, 0, term.n - 1) : term;
    str sought = spaced(cx, term);
    sought = prefix ? str_slice(sought, 0, sought.n - 1) : sought;
    return narrative_has(cx, doc, sought) || (whole && has_words(cx, doc, sought));
}

/* "a", "a b", "a OR b", "a NOT b", "\"a b\"", "a*". */
static bool words(struct ctx *cx, struct json doc, bool whole, str asked)
{
    size_t or = str_find(asked, S(" OR ")), not = str_find(asked, S(" NOT "));
    if (or != STR_NONE)
        return term_found(cx, doc, whole, str_slice(asked, 0, or)) ||
               term_found(cx, doc, whole, str_slice(asked, or + 4, asked.n));
    if (not != STR_NONE)
        return term_found(cx, doc, whole, str_slice(asked, 0, not)) &&
               !term_found(cx, doc, whole, str_slice(asked, not + 5, asked.n));
    size_t space = str_find_char(asked, ' ');
    if (space == STR_NONE || asked.p[0] == '"')
        return term_found(cx, doc, whole, asked);
    return term_found(cx, doc, whole, str_slice(asked, 0, space)) &&
           term_found(cx, doc, whole, str_slice(asked, space + 1, asked.n));
}

/* --- lists, filters, places --- */

static bool listed(struct same_world *w, struct json doc, str list)
{
    struct ctx *cx = w->cx;
    str here = arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(type_of(cx, doc)),
                            STR_ARG(text_at(cx, doc, "id")));
    struct json body = same_follow(w, arena_printf(cx->arena, "List/%.*s", STR_ARG(list)));
    for (struct json_walk e = json_walk(json_get(body, S("entry"))); json_next(&e);)
        if (!json_is(json_get(e.value, S("deleted")), JSON_TRUE) &&
            str_eq(text_at(cx, json_get(e.value, S("item")), "reference"), here))
            return true;
    return false;
}

/* One comparison of a filter as an ordinary question. */
static bool compared(struct same_world *w, struct json doc, str text)
{
    static const struct { const char *operator, *modifier, *prefix; } rows[] = {
        { "eq", "", "" }, { "ne", ":not", "" }, { "gt", "", "gt" }, { "le", "", "le" },
        { "co", ":contains", "" }, { "sw", "", "" },
    };
    struct ctx *cx = w->cx;
    str rest = text, name, operator;
    str_next(&rest, ' ', &name);
    str_next(&rest, ' ', &operator);
    if (str_eq(operator, S("pr")))
        return matches(w, doc, arena_printf(cx->arena, "%.*s:missing", STR_ARG(name)),
                       str_eq(rest, S("true")) ? S("false") : S("true"));
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_eq(operator, str_of(rows[i].operator)))
            return matches(w, doc, arena_printf(cx->arena, "%.*s%s", STR_ARG(name),
                                                rows[i].modifier),
                           arena_printf(cx->arena, "%s%.*s", rows[i].prefix, STR_ARG(rest)));
    cr_assert(false, "%.*s", STR_ARG(text));
    return false;
}

/* "A and B", "A or B", "not (A)", "A". */
static bool filtered(struct same_world *w, struct json doc, str text)
{
    size_t and = str_find(text, S(" and ")), or = str_find(text, S(" or "));
    if (and != STR_NONE)
        return filtered(w, doc, str_slice(text, 0, and)) &&
               filtered(w, doc, str_slice(text, and + 5, text.n));
    if (or != STR_NONE)
        return filtered(w, doc, str_slice(text, 0, or)) ||
               filtered(w, doc, str_slice(text, or + 4, text.n));
    if (str_starts(text, S("not (")))
        return !compared(w, doc, str_slice(text, 5, text.n - 1));
    return compared(w, doc, text);
}

/* By the law of cosines, where the program uses the haversine. */
static bool is_near(struct ctx *cx, struct json doc, str asked)
{
    const double radian = acos(-1) / 180;
    double number[5];
    str word, text[5] = { { 0 } };
    for (size_t i = 0; i < 3 && str_next(&asked, '|', &word); i++)
        text[i] = word;
    text[3] = text_at(cx, json_get(doc, S("position")), "latitude");
    text[4] = text_at(cx, json_get(doc, S("position")), "longitude");
    for (size_t i = 0; i < 5; i++)
        number[i] = strtod(arena_cstr(cx->arena, text[i]), NULL);
    double a = number[0] * radian, b = number[3] * radian;
    double c = sin(a) * sin(b) + cos(a) * cos(b) * cos((number[1] - number[4]) * radian);
    return 6371.009 * acos(c > 1 ? 1 : c) <= number[2];
}

/* --- one criterion --- */

static bool linked(struct same_world *w, struct json doc, str name, str value)
{
    struct ctx *cx = w->cx;
    str rest = name, word, type, code;
    str_next(&rest, ':', &word);
    str_next(&rest, ':', &type);
    str_next(&rest, ':', &code);
    str here = arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(type_of(cx, doc)),
                            STR_ARG(text_at(cx, doc, "id")));
    for (size_t i = 0; i < SAME_DOCS; i++) {
        struct json from = w->docs[i].body;
        if (json_string_is(json_get(from, S("resourceType")), type) &&
            matches(w, from, code, here) && matches(w, from, rest, value))
            return true;
    }
    return false;
}

static bool chained(struct same_world *w, struct json doc, str head, str rest, str value)
{
    struct ctx *cx = w->cx;
    str code, wanted = head, leaf = rest, leaf_code;
    enum fhir_search_kind kind;
    str_next(&wanted, ':', &code);
    size_t dot = str_find_char(rest, '.');
    leaf = dot == STR_NONE ? rest : str_slice(rest, 0, dot);
    str_next(&leaf, ':', &leaf_code);
    for (size_t i = 0; i < SAME_DOCS; i++) {
        struct json to = w->docs[i].body;
        str ignored, there = arena_printf(cx->arena, "%s/%.*s", w->docs[i].type,
                                          STR_ARG(w->docs[i].id));
        bool known = !json_is(to, JSON_ABSENT) && (str_eq(leaf_code, S("_has")) ||
                     str_starts(leaf_code, S("_")) ||
                     parameter(cx, to, leaf_code, &kind, &ignored));
        if (known && (!wanted.p || str_eq(wanted, str_of(w->docs[i].type))) &&
            matches(w, doc, code, there) && matches(w, to, rest, value))
            return true;
    }
    return false;
}

static bool special(struct same_world *w, struct json doc, str name, str one, bool *known)
{
    struct ctx *cx = w->cx;
    *known = true;
    if (str_eq(name, S("_id")))
        return str_eq(text_at(cx, doc, "id"), one);
    if (str_eq(name, S("_list")))
        return listed(w, doc, one);
    if (str_eq(name, S("_filter")))
        return filtered(w, doc, one);
    if (str_eq(name, S("near")))
        return is_near(cx, doc, one);
    if (str_eq(name, S("_text")) || str_eq(name, S("_content")))
        return words(cx, doc, str_eq(name, S("_content")), one);
    if (str_ends(name, S("-value-quantity")) && str_find(name, S("code")) != STR_NONE)
        return composite(cx, doc, name, one);
    *known = false;
    return false;
}

static bool answers_one(struct same_world *w, struct json doc, str name, str modifier,
                        const struct path_result *items, str one)
{
    struct ctx *cx = w->cx;
    enum fhir_search_kind kind;
    str expression;
    const char *colon = modifier.p ? arena_printf(cx->arena, ":%.*s", STR_ARG(modifier)).p : "";
    (void)parameter(cx, doc, name, &kind, &expression);
    for (size_t i = 0; i < items->count; i++)
        if (item_same(cx, kind, colon, &items->items[i], one))
            return true;
    return false;
}

/* A reference that is only words for people refers to nothing. */
static bool any_value(struct ctx *cx, enum fhir_search_kind kind, const struct path_result *items)
{
    for (size_t i = 0; i < items->count; i++) {
        struct json node = items->items[i].node;
        if (kind != FHIR_SEARCH_REFERENCE || text_at(cx, node, "reference").n ||
            text_at(cx, json_get(node, S("identifier")), "value").n)
            return true;
    }
    return false;
}

static bool matches(struct same_world *w, struct json doc, str name, str value)
{
    struct ctx *cx = w->cx;
    struct path_result items = { 0 };
    enum fhir_search_kind kind;
    str expression, code, modifier = name, one;
    bool known = false, found = false;
    if (str_starts(name, S("_has:")))
        return linked(w, doc, name, value);
    size_t dot = str_find_char(name, '.');
    if (dot != STR_NONE)
        return chained(w, doc, str_slice(name, 0, dot), str_slice(name, dot + 1, name.n), value);
    str_next(&modifier, ':', &code);
    if (parameter(cx, doc, code, &kind, &expression) && kind != FHIR_SEARCH_COMPOSITE &&
        kind != FHIR_SEARCH_SPECIAL && expression.n && code.p[0] != '_')
        evaluate(cx, doc, expression, &items);
    if (str_eq(modifier, S("missing")))
        return !any_value(cx, kind, &items) == str_eq(value, S("true"));
    while (str_next(&value, ',', &one)) {
        bool hit = special(w, doc, code, one, &known);
        found = found || (known ? hit : answers_one(w, doc, code, modifier, &items, one));
    }
    bool negated = str_eq(modifier, S("not")) || str_eq(modifier, S("not-in"));
    return negated ? !found : found;
}

bool same_answers(struct same_world *w, struct json doc, str query)
{
    str part;
    while (str_next(&query, '&', &part)) {
        str value = part, name;
        str_next(&value, '=', &name);
        if (!matches(w, doc, name, value))
            return false;
    }
    return true;
}

/* --- sorting --- */

struct plain_key {
    bool given;
    int64_t number;
    str text;
};

static int compare_keys(const struct plain_key *a, const struct plain_key *b, bool descending)
{
    if (!a->given || !b->given)
        return (int)b->given - (int)a->given;
    int order = (a->number > b->number) - (a->number < b->number);
    order = order ? order : str_cmp(a->text, b->text);
    return descending ? -order : order;
}

static void offer(struct plain_key *key, struct plain_key one, bool descending)
{
    if (one.given && (!key->given || compare_keys(&one, key, descending) < 0))
        *key = one;
}

static struct plain_key key_of(struct ctx *cx, enum fhir_search_kind kind, struct json node)
{
    if (kind == FHIR_SEARCH_DATE) {
        int64_t lo = span_of(cx, node).lo;
        return (struct plain_key){ true, lo == INT64_MIN ? INT64_MIN : lo, { 0 } };
    }
    str text = json_is(node, JSON_STRING) ? json_string(cx->arena, node) : S("");
    return (struct plain_key){ text.n > 0, 0,
                               kind == FHIR_SEARCH_STRING ? value_fold(cx->arena, text) : text };
}

static struct plain_key sort_key(struct same_world *w, struct json doc, str path, bool descending)
{
    struct ctx *cx = w->cx;
    struct plain_key key = { 0 };
    struct path_result items = { 0 };
    enum fhir_search_kind kind;
    str expression, rest = path, head, code;
    size_t dot = str_find_char(path, '.');
    if (dot == STR_NONE && str_eq(path, S("_id")))
        return (struct plain_key){ true, 0, text_at(cx, doc, "id") };
    str_next(&rest, '.', &head);
    str_next(&head, ':', &code);
    if (json_is(doc, JSON_ABSENT) || !parameter(cx, doc, code, &kind, &expression))
        return key;
    evaluate(cx, doc, expression, &items);
    for (size_t i = 0; i < items.count; i++) {
        struct json node = items.items[i].node;
        if (dot == STR_NONE) {
            offer(&key, key_of(cx, kind, node), descending);
            continue;
        }
        str reference = text_at(cx, node, "reference");
        size_t version = str_find(reference, S("/_history/"));
        reference = version == STR_NONE ? reference : str_slice(reference, 0, version);
        if (!head.p || (str_starts(reference, head) && reference.p[head.n] == '/'))
            offer(&key, sort_key(w, same_follow(w, reference), rest, descending), descending);
    }
    return key;
}

int same_order(struct same_world *w, struct json a, struct json b, str key)
{
    bool descending = str_starts(key, S("-"));
    str path = descending ? str_slice(key, 1, key.n) : key;
    struct plain_key first = sort_key(w, a, path, descending);
    struct plain_key second = sort_key(w, b, path, descending);
    return compare_keys(&first, &second, descending);
}
