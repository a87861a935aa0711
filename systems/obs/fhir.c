/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/fhir.h"
#include "auth/gate.h"
#include "clinical/london.h"
#include "fhir/datetime.h"
#include "fhir/validate.h"
#include "store/search.h"

str obs_when(struct ctx *cx, int64_t at_ms)
{
    char *text = arena_alloc(cx->arena, LONDON_TEXT);
    london_write(at_ms, text);
    return (str){ text, LONDON_TEXT };
}

str obs_instant(struct ctx *cx, int64_t at_ms)
{
    char *text = arena_alloc(cx->arena, CLOCK_TEXT);
    clock_write(at_ms, text);
    return (str){ text, CLOCK_TEXT };
}

int64_t obs_read_instant(struct ctx *cx, struct json text)
{
    struct datetime when;
    return datetime_parse(json_string(cx->arena, text), DATETIME_AS_DATE_TIME, &when)
               ? when.low_ms : 0;
}

str obs_reference(struct ctx *cx, struct json element, const char *type)
{
    struct validate_reference reference;
    str text = json_string(cx->arena, json_get(element, S("reference")));
    if (!str_given(text) || !validate_read_reference(text, &reference) ||
        !str_eq(reference.type, str_of(type)))
        return (str){ 0 };
    return reference.id;
}

struct json obs_extension(struct json element, const char *name)
{
    for (struct json_walk w = json_walk(json_get(element, S("extension"))); json_next(&w);) {
        str url = json_text(json_get(w.value, S("url"))); /* with its quotes */
        if (url.n > 2 && str_starts(str_slice(url, 1, url.n - 1), S(OBS_URL)) &&
            str_eq(str_slice(url, 1 + sizeof(OBS_URL) - 1, url.n - 1), str_of(name)))
            return w.value;
    }
    return (struct json){ 0 };
}

struct json obs_part(struct json extension, const char *name, const char *value)
{
    for (struct json_walk w = json_walk(json_get(extension, S("extension"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("url")), str_of(name)))
            return json_get(w.value, str_of(value));
    return (struct json){ 0 };
}

bool obs_has_code(struct json concept, const char *system, const char *code)
{
    for (struct json_walk w = json_walk(json_get(concept, S("coding"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("code")), str_of(code)) &&
            json_string_is(json_get(w.value, S("system")), str_of(system)))
            return true;
    return false;
}

static void put_coding(struct json_writer *w, const char *system, const char *code,
                       const char *display)
{
    json_open(w, '{');
    json_put_str(w, "system", str_of(system));
    json_put_str(w, "code", str_of(code));
    if (display)
        json_put_str(w, "display", str_of(display));
    json_close(w, '}');
}

void obs_put_code(struct json_writer *w, const char *key, const struct obs_code *code)
{
    if (key)
        json_key(w, key);
    json_open(w, '{');
    json_key(w, "coding");
    json_open(w, '[');
    if (code->snomed)
        put_coding(w, OBS_SNOMED, code->snomed, code->display);
    if (code->loinc)
        put_coding(w, OBS_LOINC, code->loinc, NULL);
    if (code->own)
        put_coding(w, OBS_CODES "obs", code->own, code->display);
    json_close(w, ']');
    json_put_str(w, "text", str_of(code->display));
    json_close(w, '}');
}

void obs_put_reference(struct ctx *cx, struct json_writer *w, const char *key, const char *type,
                       str id)
{
    if (key)
        json_key(w, key);
    json_open(w, '{');
    json_put_str(w, "reference", arena_printf(cx->arena, "%s/%.*s", type, STR_ARG(id)));
    json_close(w, '}');
}

void obs_put_quantity(struct json_writer *w, const char *key, str value, const char *unit,
                      const char *ucum)
{
    json_key(w, key);
    json_open(w, '{');
    json_put_raw(w, "value", value);
    json_put_str(w, "unit", str_of(unit));
    json_put_str(w, "system", S("http://unitsofmeasure.org"));
    json_put_str(w, "code", str_of(ucum));
    json_close(w, '}');
}

str obs_author_name(struct ctx *cx)
{
    if (!cx->user || !cx->user->person.name.n)
        return S("Not signed in");
    return cx->user->person.display.n ? cx->user->person.display : cx->user->person.name;
}

void obs_put_author(struct ctx *cx, struct json_writer *w)
{
    json_open(w, '{');
    if (cx->user && cx->user->person.who.n)
        json_put_str(w, "reference", cx->user->person.who);
    json_put_str(w, "display", obs_author_name(cx));
    json_close(w, '}');
}

err obs_read(struct ctx *cx, struct store *store, const char *type, str id,
             struct store_version *version, struct json *out)
{
    TRY(store_read(cx, store, fhir_resource_find(str_of(type)), id, version));
    return json_parse(cx, version->body, out);
}

err obs_fhir_op(struct ctx *cx, const char *type, str id, int64_t vid, str text,
                struct commit_op *out)
{
    struct commit_op op = { .verb = vid ? COMMIT_UPDATE : COMMIT_CREATE, .id = id,
                            .resource = fhir_resource_find(str_of(type)), .if_match_vid = vid,
                            .skip_unchanged = true };
    TRY(json_parse(cx, text, &op.body));
    TRY(validate_resource(cx, op.body));
    *out = op;
    return ERR_OK;
}

err obs_search(struct ctx *cx, struct store *store, const char *type, str query, size_t max,
               struct obs_found *out)
{
    struct search_request search = { .resource = fhir_resource_find(str_of(type)), .query = query,
                                     .count_default = max, .count_max = max };
    struct search_page page = { 0 };
    TRY(search_run(cx, store, &search, &page));
    out->bodies = arena_array(cx->arena, page.entries_count + 1, sizeof *out->bodies);
    out->count = 0;
    for (size_t i = 0; i < page.entries_count; i++)
        if (page.entries[i].mode == SEARCH_MATCH)
            TRY(json_parse(cx, page.entries[i].version.body, &out->bodies[out->count++]));
    return ERR_OK;
}
