/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/topic_read.h"
#include "fhir/path.h"
#include <dirent.h>
#include <stdio.h>

/*
 * The two shapes are read by one walk: each() calls a function for every element of a name, be it a
 * member of a resource or an extension whose url is, or ends in, that name.
 */
typedef err each_fn(struct ctx *cx, struct json element, void *self);

static bool url_names(struct ctx *cx, struct json extension, const char *name)
{
    str url = json_string(cx->arena, json_get(extension, S("url")));
    size_t dot = url.n;
    while (dot > 0 && url.p[dot - 1] != '.' && url.p[dot - 1] != '/')
        dot--;
    return str_eq(str_slice(url, dot, url.n), str_of(name));
}

static err each(struct ctx *cx, struct json of, const char *name, each_fn *fn, void *self)
{
    struct json member = json_get(of, str_of(name));
    static const str holders[] = { { "extension", 9 }, { "modifierExtension", 17 } };
    if (json_is(member, JSON_ARRAY)) {
        for (struct json_walk w = json_walk(member); json_next(&w);)
            TRY(fn(cx, w.value, self));
    } else if (json_kind(member) != JSON_ABSENT) {
        TRY(fn(cx, member, self));
    }
    for (size_t h = 0; h < COUNT(holders); h++)
        for (struct json_walk w = json_walk(json_get(of, holders[h])); json_next(&w);)
            if (url_names(cx, w.value, name))
                TRY(fn(cx, w.value, self));
    return ERR_OK;
}

/* A primitive as it stands, or the value[x] of an extension. */
static str value_of(struct ctx *cx, struct json element)
{
    if (!json_is(element, JSON_OBJECT))
        return json_string(cx->arena, element);
    for (struct json_walk w = json_walk(element); json_next(&w);)
        if (str_starts(str_slice(json_text(w.key), 1, json_text(w.key).n), S("value")))
            return json_string(cx->arena, w.value);
    return (str){ 0 };
}

static err keep_text(struct ctx *cx, struct json element, void *self)
{
    *(str *)self = value_of(cx, element);
    return ERR_OK;
}

static str text(struct ctx *cx, struct json of, const char *name)
{
    str found = { 0 };
    if (each(cx, of, name, keep_text, &found))
        return (str){ 0 };
    return found;
}

str topic_url(struct ctx *cx, struct json source)
{
    return text(cx, source, "url");
}

uint16_t topic_resource(str name)
{
    size_t slash = name.n;
    while (slash > 0 && name.p[slash - 1] != '/')
        slash--;
    return fhir_resource_find(str_slice(name, slash, name.n));
}

struct reading {
    struct store *store;
    struct topic *topic;
    struct topic_trigger *trigger;
    uint16_t resource; /* of the filter being read */
};

static err add_interaction(struct ctx *cx, struct json element, void *self)
{
    static const struct { const char *code; unsigned change; } codes[] = {
        { "create", TOPIC_CREATE }, { "update", TOPIC_UPDATE }, { "delete", TOPIC_DELETE },
    };
    struct topic_trigger *trigger = self;
    str code = value_of(cx, element);
    for (size_t i = 0; i < COUNT(codes); i++)
        if (str_eq(code, str_of(codes[i].code))) {
            trigger->changes |= codes[i].change;
            return ERR_OK;
        }
    return ctx_failf(cx, ERR_RULE, S("resourceTrigger.supportedInteraction"),
                     "%.*s is not create, update or delete", STR_ARG(code));
}

/* "Encounter?status=x" and "status=x" both are the query alone. */
static str query_alone(str query)
{
    size_t mark = str_find_char(query, '?');
    return mark == STR_NONE ? query : str_slice(query, mark + 1, query.n);
}

static err read_query(struct ctx *cx, struct json element, void *self)
{
    struct reading *reading = self;
    struct topic_trigger *trigger = reading->trigger;
    str previous = text(cx, element, "previous"), current = text(cx, element, "current");
    str on_create = text(cx, element, "resultForCreate");
    trigger->previous = str_given(previous) ? query_alone(previous) : previous;
    trigger->current = str_given(current) ? query_alone(current) : current;
    trigger->create_passes = !str_eq(on_create, S("test-fails"));
    trigger->delete_passes = str_eq(text(cx, element, "resultForDelete"), S("test-passes"));
    trigger->both = str_eq(text(cx, element, "requireBoth"), S("true"));
    if (str_given(previous))
        TRY(search_body_check(cx, reading->store, trigger->resource, trigger->previous));
    if (str_given(current))
        TRY(search_body_check(cx, reading->store, trigger->resource, trigger->current));
    return ERR_OK;
}

static err read_path(struct ctx *cx, struct json element, void *self)
{
    static const str names[] = { { "previous", 8 }, { "current", 7 } };
    struct topic_trigger *trigger = self;
    TRY(path_compile(cx, value_of(cx, element), &trigger->path));
    return path_check_variables(cx, trigger->path, names, COUNT(names));
}

static err read_trigger(struct ctx *cx, struct json element, void *self)
{
    struct reading *reading = self;
    struct topic *topic = reading->topic;
    if (topic->triggers_count == TOPIC_TRIGGERS_MAX)
        return ctx_fail(cx, ERR_LIMIT, S("resourceTrigger"), S("too many triggers"));
    struct topic_trigger *trigger = &topic->triggers[topic->triggers_count++];
    str name = text(cx, element, "resource");
    *trigger = (struct topic_trigger){ .resource = topic_resource(name), .create_passes = true };
    if (trigger->resource == FHIR_NONE)
        return ctx_failf(cx, ERR_RULE, S("resourceTrigger.resource"), "%.*s is not a resource type",
                         STR_ARG(name));
    TRY(each(cx, element, "supportedInteraction", add_interaction, trigger));
    if (!trigger->changes)
        trigger->changes = TOPIC_CREATE | TOPIC_UPDATE | TOPIC_DELETE;
    reading->trigger = trigger;
    TRY(each(cx, element, "queryCriteria", read_query, reading));
    return each(cx, element, "fhirPathCriteria", read_path, trigger);
}

static err add_filter(struct ctx *cx, struct json element, void *self)
{
    struct reading *reading = self;
    struct topic *topic = reading->topic;
    if (topic->filters_count == TOPIC_FILTERS_MAX)
        return ctx_fail(cx, ERR_LIMIT, S("canFilterBy"), S("too many filters"));
    topic->filters[topic->filters_count++] =
        (struct topic_filter){ reading->resource, value_of(cx, element) };
    return ERR_OK;
}

static err read_filter(struct ctx *cx, struct json element, void *self)
{
    struct reading *reading = self;
    str name = text(cx, element, "resource");
    reading->resource = str_given(name) ? topic_resource(name) : FHIR_NONE;
    return each(cx, element, "filterParameter", add_filter, reading);
}

err topic_read(struct ctx *cx, struct store *store, struct json source, struct topic *out)
{
    struct reading reading = { .store = store, .topic = out };
    *out = (struct topic){ .url = topic_url(cx, source), .title = text(cx, source, "title") };
    if (str_eq(text(cx, source, "status"), S("retired")))
        return ctx_failf(cx, ERR_RULE, S("Subscription.criteria"), "the topic %.*s is retired",
                         STR_ARG(out->url));
    TRY(each(cx, source, "resourceTrigger", read_trigger, &reading));
    TRY(each(cx, source, "canFilterBy", read_filter, &reading));
    if (out->triggers_count)
        return ERR_OK;
    return ctx_failf(cx, ERR_RULE, S("Subscription.criteria"), "the topic %.*s has no "
                     "resourceTrigger: nothing can set it off here", STR_ARG(out->url));
}

/* ---- the operator's folder ---- */

static err read_file(struct ctx *cx, str path, struct json *out)
{
    FILE *file = fopen(arena_cstr(cx->arena, path), "rb");
    if (!file)
        return ctx_failf(cx, ERR_IO, (str){ 0 }, "%.*s cannot be read", STR_ARG(path));
    char *bytes = arena_alloc(cx->arena, TOPIC_FILE_BYTES);
    size_t n = fread(bytes, 1, TOPIC_FILE_BYTES, file);
    fclose(file);
    if (n == TOPIC_FILE_BYTES)
        return ctx_failf(cx, ERR_LIMIT, (str){ 0 }, "%.*s is too long for a topic", STR_ARG(path));
    err wrong = json_parse(cx, (str){ bytes, n }, out);
    if (!wrong && topic_url(cx, *out).n)
        return ERR_OK;
    return ctx_failf(cx, ERR_INVALID, (str){ 0 }, "%.*s is no SubscriptionTopic with a url",
                     STR_ARG(path));
}

err topic_files_read(struct ctx *cx, str folder, struct topic_files *out)
{
    size_t cap = 0;
    *out = (struct topic_files){ 0 };
    if (!folder.n)
        return ERR_OK;
    DIR *dir = opendir(arena_cstr(cx->arena, folder));
    if (!dir)
        return ctx_failf(cx, ERR_IO, S("subscriptions.topics"), "the folder %.*s cannot be read",
                         STR_ARG(folder));
    err wrong = ERR_OK;
    for (struct dirent *entry; !wrong && (entry = readdir(dir));) {
        str name = str_of(entry->d_name);
        if (!str_ends(name, S(".json")))
            continue;
        out->list = arena_grow(cx->arena, out->list, out->count, &cap, sizeof *out->list);
        wrong = read_file(cx, arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(name)),
                          &out->list[out->count++]);
    }
    closedir(dir);
    return wrong;
}
