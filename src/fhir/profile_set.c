/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/profile_in.h"
#include "fhir/package.h"

enum { SET_BYTES_MAX = INT32_MAX };

str profile_without_version(str url)
{
    return str_slice(url, 0, str_find_char(url, '|'));
}

static struct profile_definition *add(struct profile_set *set, str url, str text)
{
    struct profile_definition *definition = arena_zero(&set->arena, sizeof *definition);
    definition->url = url;
    definition->text = text;
    set->definitions = arena_grow(&set->arena, set->definitions, set->count, &set->cap,
                                  sizeof *set->definitions);
    map_set(&set->by_url, url, set->count);
    set->definitions[set->count++] = definition;
    return definition;
}

struct profile_definition *profile_definition_find(struct profile_set *set, str url)
{
    uint64_t at;
    url = profile_without_version(url);
    if (map_get(&set->by_url, url, &at))
        return set->definitions[at];
    str text = fhir_definition(url);
    return str_given(text) ? add(set, arena_copy(&set->arena, url), text) : NULL;
}

bool profile_definition_read(struct profile_set *set, struct profile_definition *definition)
{
    if (definition->json.doc)
        return true;
    struct ctx inner = ctx_make(&set->arena);
    if (json_parse(&inner, definition->text, &definition->json) != ERR_OK)
        return false;
    definition->kind =
        json_string(&set->arena, json_get(definition->json, S("resourceType")));
    return true;
}

str profile_set_definition(struct profile_set *set, str url)
{
    pthread_mutex_lock(&set->lock);
    const struct profile_definition *definition = profile_definition_find(set, url);
    str text = definition ? definition->text : (str){ 0 };
    pthread_mutex_unlock(&set->lock);
    return text;
}

str profile_set_definition_at(struct profile_set *set, size_t index)
{
    pthread_mutex_lock(&set->lock);
    size_t count = set->count;
    str text = index < count ? set->definitions[index]->text : (str){ 0 };
    pthread_mutex_unlock(&set->lock);
    return index < count ? text : fhir_definition_at((uint32_t)(index - count));
}

const struct profile *profile_find(struct profile_set *set, str url)
{
    pthread_mutex_lock(&set->lock);
    struct profile_definition *definition = profile_definition_find(set, url);
    if (definition && definition->state == PROFILE_UNREAD) {
        struct ctx inner = ctx_make(&set->arena);
        if (profile_build(&inner, set, definition) != ERR_OK)
            definition->state = PROFILE_FAILED;
    }
    const struct profile *found =
        definition && definition->state == PROFILE_READY ? definition->profile : NULL;
    pthread_mutex_unlock(&set->lock);
    return found;
}

bool profile_set_has(struct profile_set *set, str profile)
{
    return profile_find(set, profile) != NULL;
}

/* ---- Loading ---- */

static void count_one(struct profile_counts *counts, str kind, struct json resource)
{
    if (str_eq(kind, S("StructureDefinition")))
        json_string_is(json_get(resource, S("type")), S("Extension")) ? counts->extensions++
                                                                     : counts->profiles++;
    else if (str_eq(kind, S("ValueSet")))
        counts->value_sets++;
    else if (str_eq(kind, S("CodeSystem")))
        counts->code_systems++;
    else
        counts->others++;
}

static err take_line(struct ctx *cx, struct profile_set *set, str file, str line)
{
    struct ctx inner = ctx_make(&set->arena);
    struct json json;
    if (json_parse(&inner, line, &json) != ERR_OK)
        return ctx_failf(cx, ERR_IO, file, "is damaged: add the package again");
    str url = json_string(&set->arena, json_get(json, S("url")));
    str kind = json_string(&set->arena, json_get(json, S("resourceType")));
    if (!str_given(url) || !str_given(kind))
        return ERR_OK; /* the first line, which names the package */
    struct profile_definition *definition = add(set, url, line);
    definition->json = json;
    definition->kind = kind;
    count_one(&set->counts, kind, json);
    return ERR_OK;
}

static err take_file(struct ctx *cx, struct profile_set *set, str path)
{
    str text, line;
    TRY(package_read_file(cx, &set->arena, path, &text));
    while (str_next(&text, '\n', &line))
        if (line.n)
            TRY(take_line(cx, set, path, line));
    set->counts.packages++;
    return ERR_OK;
}

static bool is_profile(struct profile_definition *definition)
{
    struct json derivation = json_get(definition->json, S("derivation"));
    return str_eq(definition->kind, S("StructureDefinition")) &&
           json_string_is(derivation, S("constraint"));
}

/* Every profile of the packages is built at once: one that cannot be is found now, not when a
 * patient's record is waiting for it. */
static err build_all(struct ctx *cx, struct profile_set *set)
{
    size_t failed = 0, loaded = set->count;
    for (size_t i = 0; i < loaded; i++) {
        struct profile_definition *definition = set->definitions[i];
        if (!is_profile(definition) || definition->state != PROFILE_UNREAD)
            continue;
        if (profile_build(cx, set, definition) != ERR_OK) {
            definition->state = PROFILE_FAILED;
            failed++;
        }
    }
    return failed ? ERR_RULE : ERR_OK;
}

static void compile_rules(struct profile_set *set)
{
    set->rules = arena_array(&set->arena, fhir_rules_count, sizeof *set->rules);
    struct ctx inner = ctx_make(&set->arena);
    for (uint16_t i = 0; i < fhir_rules_count; i++)
        if (path_compile(&inner, fhir_rules[i].expression, &set->rules[i]) != ERR_OK)
            set->rules[i] = NULL;
}

static struct profile_set *make(void)
{
    struct arena arena = arena_make(SET_BYTES_MAX);
    struct profile_set *set = arena_zero(&arena, sizeof *set);
    set->arena = arena;
    set->by_url = map_make(&set->arena);
    set->missing_urls = map_make(&set->arena);
    pthread_mutex_init(&set->lock, NULL);
    compile_rules(set);
    return set;
}

static err fill(struct ctx *cx, struct profile_set *set, str data_dir, str candidate)
{
    str *files = NULL;
    size_t count = 0;
    if (str_given(data_dir))
        TRY(package_list(cx, data_dir, &files, &count));
    for (size_t i = 0; i < count; i++)
        if (!str_given(candidate) || !package_same(files[i], candidate))
            TRY(take_file(cx, set, files[i]));
    if (str_given(candidate))
        TRY(take_file(cx, set, candidate));
    return build_all(cx, set);
}

err profile_set_try(struct ctx *cx, str data_dir, str candidate, struct profile_set **out)
{
    struct profile_set *set = make();
    err got = fill(cx, set, data_dir, candidate);
    if (got != ERR_OK) {
        profile_set_free(set);
        return got;
    }
    *out = set;
    return ERR_OK;
}

err profile_set_load(struct ctx *cx, str data_dir, struct profile_set **out)
{
    return profile_set_try(cx, data_dir, (str){ 0 }, out);
}

void profile_set_free(struct profile_set *set)
{
    if (!set)
        return;
    pthread_mutex_destroy(&set->lock);
    struct arena arena = set->arena; /* the set itself lies in it */
    arena_free(&arena);
}

struct profile_counts profile_set_counts(const struct profile_set *set)
{
    return set->counts;
}

const str *profile_set_not_loaded(const struct profile_set *set, size_t *count)
{
    *count = set->counts.not_loaded;
    return set->missing;
}
