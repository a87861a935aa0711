/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/terminology.h"
#include "fhir/datetime.h"
#include "http/text.h"
#include "store/terms.h"
#include "term/load.h"
#include <pthread.h>
#include <stdatomic.h>

#define WARM_BYTES_MAX ((size_t)1 << 30)

struct terminology {
    struct term_source source;
    struct term *term;
    struct store *store;
    struct profile_live *profiles;
    struct term_files *files;
    pthread_t thread;
    bool warming;
    _Atomic bool closing;
};

static struct terminology *in_use;

static const char *const types[] = {
    [TERM_CODE_SYSTEM] = "CodeSystem", [TERM_VALUE_SET] = "ValueSet",
    [TERM_CONCEPT_MAP] = "ConceptMap",
};

/* Is this loaded definition of the kind, and of the version asked for? */
static bool fits(struct ctx *cx, str text, enum term_kind kind, str version)
{
    struct json json;
    str head = arena_printf(cx->arena, "\"resourceType\":\"%s\"", types[kind]);
    if (str_find(str_slice(text, 0, 200), head) == STR_NONE && str_find(text, head) == STR_NONE)
        return false;
    if (!version.n)
        return true;
    return json_parse(cx, text, &json) == ERR_OK &&
           json_string_is(json_get(json, S("version")), version);
}

static err find(struct ctx *cx, const struct term_source *source, enum term_kind kind, str url,
                str version, str *out)
{
    struct terminology *terminology = source->self;
    if (!url.n)
        return ERR_NOT_FOUND;
    err posted = store_find_definition(cx, terminology->store, kind, url, version, out);
    if (posted != ERR_NOT_FOUND)
        return posted;
    str text = profile_set_definition(profile_live_use(cx, terminology->profiles), url);
    if (!str_given(text) || !fits(cx, text, kind, version))
        return ERR_NOT_FOUND;
    *out = text;
    return ERR_OK;
}

static const struct term_system *loaded(struct ctx *cx, const struct term_source *source, str url,
                                        str version)
{
    struct terminology *terminology = source->self;
    return term_files_system(cx, terminology->files, url, version);
}

err terminology_make(struct ctx *cx, struct store *store, struct profile_live *profiles, str folder,
                     struct terminology **out)
{
    struct terminology *terminology = arena_zero(cx->arena, sizeof *terminology);
    terminology->store = store;
    terminology->profiles = profiles;
    terminology->source = (struct term_source){ .find = find, .loaded = loaded,
                                                .self = terminology };
    TRY(term_files_open(cx, folder, &terminology->files));
    terminology->term = term_make(cx->arena, &terminology->source);
    store_use_terms(store, terminology->term);
    *out = terminology;
    return ERR_OK;
}

/* What was loaded is taken into memory before anybody types: half a million concepts need
 * seconds. */
static void *warm(void *self)
{
    struct terminology *terminology = self;
    struct arena arena = arena_make(WARM_BYTES_MAX);
    struct ctx cx = ctx_make(&arena);
    struct term_release *releases;
    size_t count;
    if (term_files_list(&cx, terminology->files, &releases, &count) == ERR_OK)
        for (size_t i = 0; i < count && !atomic_load(&terminology->closing); i++)
            term_files_system(&cx, terminology->files, releases[i].url, (str){ 0 });
    ctx_release(&cx);
    arena_free(&arena);
    return NULL;
}

void terminology_use(struct terminology *terminology)
{
    in_use = terminology;
    terminology->warming = pthread_create(&terminology->thread, NULL, warm, terminology) == 0;
}

void terminology_close(struct terminology *terminology)
{
    if (!terminology)
        return;
    atomic_store(&terminology->closing, true);
    if (terminology->warming)
        pthread_join(terminology->thread, NULL);
    term_free(terminology->term);
    term_files_close(terminology->files);
}

struct term *terminology_term(void)
{
    return in_use ? in_use->term : NULL;
}

struct profile_set *terminology_profiles(struct ctx *cx)
{
    return in_use && in_use->profiles ? profile_live_use(cx, in_use->profiles) : NULL;
}

/* ---- what is asked about ---- */

static struct terminology_coding read_coding(struct arena *arena, struct json coding)
{
    return (struct terminology_coding){
        .system = json_string(arena, json_get(coding, S("system"))),
        .version = json_string(arena, json_get(coding, S("version"))),
        .code = json_string(arena, json_get(coding, S("code"))),
        .display = json_string(arena, json_get(coding, S("display"))),
    };
}

/* GET writes a Coding as system|code. */
static struct terminology_coding split_coding(str text)
{
    struct terminology_coding coding = { 0 };
    size_t bar = str_find_char(text, '|');
    coding.code = bar == STR_NONE ? text : str_slice(text, bar + 1, text.n);
    coding.system = bar == STR_NONE ? (str){ 0 } : str_slice(text, 0, bar);
    return coding;
}

size_t terminology_codings(const struct operation_ask *ask, struct terminology_coding *out,
                           size_t max)
{
    struct arena *arena = ask->call->cx->arena;
    str code = operation_text(ask, "code"), text = operation_text(ask, "coding");
    struct json coding = operation_value(ask, "coding");
    struct json concept = operation_value(ask, "codeableConcept");
    size_t count = 0;
    if (json_is(coding, JSON_OBJECT))
        out[count++] = read_coding(arena, coding);
    else if (text.n)
        out[count++] = split_coding(text);
    else if (code.n)
        out[count++] = (struct terminology_coding){ operation_text(ask, "system"),
            operation_text(ask, "systemVersion"), code, operation_text(ask, "display") };
    struct json_walk w = json_walk(json_get(concept, S("coding")));
    while (count < max && json_next(&w))
        out[count++] = read_coding(arena, w.value);
    return count;
}

/* Definitions are kept as they are now: a date before them cannot be gone back to. */
err terminology_date(const struct operation_ask *ask)
{
    str text = operation_text(ask, "date");
    struct datetime date;
    if (!str_given(text))
        return ERR_OK;
    if (!datetime_parse(text, DATETIME_AS_DATE_TIME, &date))
        return ctx_fail(ask->call->cx, ERR_INVALID, S("date"),
                        S("date takes a date such as 2026-01-31"));
    if (date.high_ms < ask->call->cx->now_ms)
        return ctx_fail(ask->call->cx, ERR_RULE, S("date"),
                        S("definitions are used as they are now: leave date out, or name the "
                          "versions you want"));
    return ERR_OK;
}

/* ---- answers ---- */

void terminology_begin(struct terminology_answer *a, const struct operation_ask *ask)
{
    a->buf = buf_make(ask->call->cx->arena, REST_TEXT_MAX);
    a->w = json_writer(&a->buf);
    json_open(&a->w, '{');
    json_put_str(&a->w, "resourceType", S("Parameters"));
    json_key(&a->w, "parameter");
    json_open(&a->w, '[');
}

void terminology_put(struct terminology_answer *a, const char *name, const char *type, str value)
{
    if (!value.n)
        return;
    json_open(&a->w, '{');
    json_put_str(&a->w, "name", str_of(name));
    json_put_str(&a->w, type, value);
    json_close(&a->w, '}');
}

void terminology_write_use(struct json_writer *w, const struct term_use *use)
{
    const struct { const char *key; str value; } members[] = {
        { "system", use->system }, { "code", use->code }, { "display", use->display },
    };
    json_open(w, '{');
    for (size_t i = 0; i < COUNT(members); i++)
        if (members[i].value.n)
            json_put_str(w, members[i].key, members[i].value);
    json_close(w, '}');
}

void terminology_put_flag(struct terminology_answer *a, const char *name, bool value)
{
    json_open(&a->w, '{');
    json_put_str(&a->w, "name", str_of(name));
    json_put_bool(&a->w, "valueBoolean", value);
    json_close(&a->w, '}');
}

void terminology_open_part(struct terminology_answer *a, const char *name)
{
    json_open(&a->w, '{');
    json_put_str(&a->w, "name", str_of(name));
    json_key(&a->w, "part");
    json_open(&a->w, '[');
}

void terminology_close_part(struct terminology_answer *a)
{
    json_close(&a->w, ']');
    json_close(&a->w, '}');
}

err terminology_end(struct terminology_answer *a, struct operation_answer *out)
{
    json_close(&a->w, ']');
    json_close(&a->w, '}');
    out->body = buf_str(&a->buf);
    return ERR_OK;
}
