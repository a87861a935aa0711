/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/structure.h"
#include "rest/terminology.h"
#include "term/filter.h"

/*
 * CodeSystem $lookup, $validate-code, $subsumes; ValueSet $validate-code.
 *
 * Source   hl7.org/fhir/R4/codesystem-operation-lookup.html, -validate-code.html, -subsumes.html,
 *          valueset-operation-validate-code.html.
 */
enum { CODINGS_MAX = 64 };

static err missing(const struct operation_ask *ask, const char *what)
{
    return ctx_failf(ask->call->cx, ERR_INVALID, str_of(what), "the parameter %s is missing", what);
}

static str canonical(const struct operation_ask *ask, str url, str version)
{
    return version.n ? arena_printf(ask->call->cx->arena, "%.*s|%.*s", STR_ARG(url),
                                    STR_ARG(version)) : url;
}

/* ---- $lookup ---- */

static bool wants(const struct operation_ask *ask, const char *property)
{
    str wanted = operation_text(ask, "property"), one;
    if (!wanted.n)
        return true;
    while (str_next(&wanted, ',', &one))
        if (str_eq(str_trim(one), str_of(property)) || str_eq(one, S("*")))
            return true;
    return false;
}

static void put_property(struct terminology_answer *a, const char *code, const char *type,
                         str value)
{
    terminology_open_part(a, "property");
    terminology_put(a, "code", "valueCode", str_of(code));
    terminology_put(a, "value", type, value);
    terminology_close_part(a);
}

static void put_links(struct terminology_answer *a, const struct operation_ask *ask,
                      const struct term_system *system, uint32_t concept)
{
    static const char *const names[] = { "parent", "child" };
    for (size_t i = 0; i < COUNT(names); i++) {
        size_t at = 0;
        str value;
        while (wants(ask, names[i]) && term_property(ask->call->cx->arena, system, concept,
                                                     str_of(names[i]), &at, &value))
            put_property(a, names[i], "valueCode", value);
    }
}

static void put_said(struct terminology_answer *a, const struct operation_ask *ask,
                     struct json concept)
{
    struct arena *arena = ask->call->cx->arena;
    for (struct json_walk w = json_walk(json_get(concept, S("property"))); json_next(&w);) {
        str code = json_string(arena, json_get(w.value, S("code")));
        if (!wants(ask, arena_cstr(arena, code)))
            continue;
        terminology_open_part(a, "property");
        terminology_put(a, "code", "valueCode", code);
        for (struct json_walk m = json_walk(w.value); json_next(&m);) {
            str key = json_string(arena, m.key);
            if (!str_starts(key, S("value")))
                continue;
            json_open(&a->w, '{');
            json_put_str(&a->w, "name", S("value"));
            json_put_raw(&a->w, arena_cstr(arena, key), json_text(m.value));
            json_close(&a->w, '}');
        }
        terminology_close_part(a);
    }
}

static void put_use(struct terminology_answer *a, const struct term_use *use)
{
    json_open(&a->w, '{');
    json_put_str(&a->w, "name", S("use"));
    json_key(&a->w, "valueCoding");
    terminology_write_use(&a->w, use);
    json_close(&a->w, '}');
}

static void put_designations(struct terminology_answer *a, const struct term_system *system,
                             const struct term_concept *concept)
{
    for (uint32_t i = 0; i < concept->designations_count; i++) {
        const struct term_designation *d = &system->designations[concept->designations + i];
        terminology_open_part(a, "designation");
        terminology_put(a, "language", "valueCode", d->language);
        if (d->use)
            put_use(a, d->use);
        terminology_put(a, "value", "valueString", d->value);
        terminology_close_part(a);
    }
}

err op_lookup(const struct operation_ask *ask, struct operation_answer *out)
{
    struct ctx *cx = ask->call->cx;
    struct terminology_coding coding;
    const struct term_system *system;
    if (!terminology_codings(ask, &coding, 1))
        return missing(ask, "code");
    if (!coding.system.n)
        return missing(ask, "system");
    TRY(terminology_date(ask));
    str version = coding.version.n ? coding.version : operation_text(ask, "version");
    TRY(term_get_system(cx, terminology_term(), canonical(ask, coding.system, version), &system));
    uint32_t n = term_find(system, coding.code);
    if (n == TERM_NONE)
        return ctx_failf(cx, ERR_NOT_FOUND, S("code"), "%.*s has no code %.*s",
                         STR_ARG(coding.system), STR_ARG(coding.code));
    const struct term_concept *concept = &system->concepts[n];
    struct terminology_answer a;
    terminology_begin(&a, ask);
    terminology_put(&a, "name", "valueString", system->name.n ? system->name : system->url);
    terminology_put(&a, "version", "valueString", system->version);
    str display = term_display(system, n, operation_text(ask, "displayLanguage"));
    terminology_put(&a, "display", "valueString", display.n ? display : concept->code);
    terminology_put_flag(&a, "abstract", concept->abstract);
    if (concept->definition.n && wants(ask, "definition"))
        put_property(&a, "definition", "valueString", concept->definition);
    if (concept->inactive && wants(ask, "inactive"))
        put_property(&a, "inactive", "valueString", S("true"));
    if (wants(ask, "designation"))
        put_designations(&a, system, concept);
    put_links(&a, ask, system, n);
    put_said(&a, ask, concept->json);
    return terminology_end(&a, out);
}

/* ---- $validate-code ---- */

struct verdict {
    bool result;
    str message, display, system, code;
};

/* A synonym or another language is a right display, too. */
static void judge_display(struct arena *arena, const struct terminology_coding *coding,
                          const struct term_system *system, uint32_t concept, struct verdict *v)
{
    if (!v->result || !coding->display.n || !v->display.n ||
        str_eq(term_fold(arena, coding->display), term_fold(arena, v->display)) ||
        (system && concept != TERM_NONE &&
         term_is_called(arena, system, concept, coding->display)))
        return;
    v->result = false;
    v->message = arena_printf(arena, "the display is \"%.*s\", not \"%.*s\"", STR_ARG(v->display),
                              STR_ARG(coding->display));
}

static void judge_set(struct arena *arena, const struct term_set *set,
                      const struct terminology_coding *coding, struct verdict *v)
{
    const struct term_entry *entry = term_set_find(set, coding->system, coding->code);
    *v = (struct verdict){ .result = entry != NULL, .code = coding->code,
                           .system = entry ? entry->system : coding->system };
    if (entry)
        v->display = entry->display;
    else if (term_set_is_open(set, coding->system))
        v->message = arena_printf(arena, "not known: the code system %.*s is not loaded here, or "
                                         "only in part", STR_ARG(coding->system.n ? coding->system
                                                                                  : set->open[0]));
    else
        v->message = arena_printf(arena, "the code \"%.*s\" of %.*s is not in the value set %.*s",
                                  STR_ARG(coding->code),
                                  STR_ARG(coding->system.n ? coding->system : S("any system")),
                                  STR_ARG(set->url.n ? set->url : S("given")));
    judge_display(arena, coding, entry ? entry->from : NULL, entry ? entry->concept : TERM_NONE,
                  v);
}

/* abstract=false: a code that only groups others is not one to record. */
static err judge_abstract(const struct operation_ask *ask, const struct term_concept *concept,
                          struct verdict *v)
{
    bool allowed;
    TRY(operation_flag(ask, "abstract", true, &allowed));
    if (allowed || !v->result || !concept || !concept->abstract)
        return ERR_OK;
    v->result = false;
    v->message = arena_printf(ask->call->cx->arena, "\"%.*s\" is abstract: it groups codes and is "
                              "not to be recorded itself", STR_ARG(v->code));
    return ERR_OK;
}

static void judge_system(struct arena *arena, const struct term_system *system,
                         const struct terminology_coding *coding, struct verdict *v)
{
    uint32_t n = term_find(system, coding->code);
    *v = (struct verdict){ .result = n != TERM_NONE, .code = coding->code, .system = system->url };
    if (n != TERM_NONE)
        v->display = system->concepts[n].display;
    else if (!system->complete)
        v->message = S("not known: only a part of this code system is loaded here");
    else
        v->message = arena_printf(arena, "%.*s has no code \"%.*s\"", STR_ARG(system->url),
                                  STR_ARG(coding->code));
    judge_display(arena, coding, system, n, v);
}

static err stored_text(const struct operation_ask *ask, str *out)
{
    struct store_version stored;
    TRY(store_read(ask->call->cx, ask->call->store, ask->resource, ask->id, &stored));
    *out = stored.body;
    return ERR_OK;
}

static err find_set(const struct operation_ask *ask, const struct term_set **out)
{
    struct ctx *cx = ask->call->cx;
    struct json given = operation_resource(ask, "valueSet");
    str url = operation_text(ask, "url"), text;
    if (json_is(given, JSON_OBJECT))
        return term_make_set(cx, terminology_term(), json_text(given), out);
    if (str_given(ask->id)) {
        TRY(stored_text(ask, &text));
        return term_make_set(cx, terminology_term(), text, out);
    }
    str context = operation_text(ask, "context");
    if (!url.n && context.n)
        TRY(structure_binding(cx, ask->call->store, context, &url));
    if (!url.n)
        return missing(ask, "url");
    return term_get_set(cx, terminology_term(),
                        canonical(ask, url, operation_text(ask, "valueSetVersion")), out);
}

static err find_system(const struct operation_ask *ask, const struct terminology_coding *coding,
                       const struct term_system **out)
{
    struct ctx *cx = ask->call->cx;
    str url = operation_text(ask, "url"), text;
    struct json given = operation_resource(ask, "codeSystem");
    if (json_is(given, JSON_OBJECT)) {
        struct term_system *made;
        TRY(term_system_from_json(cx, cx->arena, given, &made));
        *out = made;
        return ERR_OK;
    }
    if (str_given(ask->id)) {
        struct json json;
        TRY(stored_text(ask, &text));
        TRY(json_parse(cx, text, &json));
        url = json_string(cx->arena, json_get(json, S("url")));
    }
    if (!url.n)
        url = coding->system;
    if (!url.n)
        return missing(ask, "url");
    return term_get_system(cx, terminology_term(),
                           canonical(ask, url, operation_text(ask, "version")), out);
}

static err judge(const struct operation_ask *ask, const struct terminology_coding *coding,
                 struct verdict *v)
{
    struct arena *arena = ask->call->cx->arena;
    if (str_eq(fhir_resource_name(ask->resource), S("CodeSystem"))) {
        const struct term_system *system;
        TRY(find_system(ask, coding, &system));
        judge_system(arena, system, coding, v);
        uint32_t n = term_find(system, coding->code);
        return judge_abstract(ask, n == TERM_NONE ? NULL : &system->concepts[n], v);
    }
    const struct term_set *set;
    TRY(find_set(ask, &set));
    judge_set(arena, set, coding, v);
    const struct term_entry *entry = term_set_find(set, coding->system, coding->code);
    return judge_abstract(ask, entry ? term_entry_concept(entry) : NULL, v);
}

/* A CodeableConcept is valid when one of its codings is. */
err op_validate_code(const struct operation_ask *ask, struct operation_answer *out)
{
    struct terminology_coding codings[CODINGS_MAX];
    size_t count = terminology_codings(ask, codings, CODINGS_MAX);
    struct verdict v = { 0 };
    if (!count)
        return missing(ask, "code");
    TRY(terminology_date(ask));
    for (size_t i = 0; i < count && !v.result; i++)
        TRY(judge(ask, &codings[i], &v));
    struct terminology_answer a;
    terminology_begin(&a, ask);
    terminology_put_flag(&a, "result", v.result);
    terminology_put(&a, "message", "valueString", v.message);
    terminology_put(&a, "display", "valueString", v.display);
    terminology_put(&a, "code", "valueCode", v.code);
    terminology_put(&a, "system", "valueUri", v.system);
    return terminology_end(&a, out);
}

/* ---- $subsumes ---- */

static str code_of(const struct operation_ask *ask, const char *code, const char *coding,
                   str *system)
{
    struct arena *arena = ask->call->cx->arena;
    struct json given = operation_value(ask, coding);
    if (json_is(given, JSON_OBJECT)) {
        *system = json_string(arena, json_get(given, S("system")));
        return json_string(arena, json_get(given, S("code")));
    }
    return operation_text(ask, code);
}

err op_subsumes(const struct operation_ask *ask, struct operation_answer *out)
{
    struct ctx *cx = ask->call->cx;
    const struct term_system *system;
    str url = operation_text(ask, "system");
    str a_code = code_of(ask, "codeA", "codingA", &url);
    str b_code = code_of(ask, "codeB", "codingB", &url);
    if (!a_code.n || !b_code.n)
        return missing(ask, a_code.n ? "codeB" : "codeA");
    struct terminology_coding coding = { .system = url };
    TRY(find_system(ask, &coding, &system));
    uint32_t a = term_find(system, a_code), b = term_find(system, b_code);
    if (a == TERM_NONE || b == TERM_NONE)
        return ctx_failf(cx, ERR_NOT_FOUND, S("code"), "%.*s has no code %.*s",
                         STR_ARG(system->url), STR_ARG(a == TERM_NONE ? a_code : b_code));
    const char *outcome = a == b                          ? "equivalent"
                          : term_is_below(system, b, a)   ? "subsumes"
                          : term_is_below(system, a, b)   ? "subsumed-by"
                                                          : "not-subsumed";
    struct terminology_answer answer;
    terminology_begin(&answer, ask);
    terminology_put(&answer, "outcome", "valueCode", str_of(outcome));
    return terminology_end(&answer, out);
}
