/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/topic.h"
#include "fhir/path.h"
#include "jobs/topic_read.h"

static unsigned change_of(const struct store_version *version)
{
    static const unsigned changes[] = {
        [STORE_CREATED] = TOPIC_CREATE, [STORE_UPDATED] = TOPIC_UPDATE,
        [STORE_DELETED] = TOPIC_DELETE,
    };
    return changes[version->method];
}

/* An absent body answers as the topic says, one in hand as a search would. */
static err side_passes(struct ctx *cx, struct store *store, const struct topic_event *event,
                       struct json body, str query, bool *out)
{
    struct search_body on = { event->version->resource, event->version->id, event->version->at_ms,
                              body };
    return search_body_matches(cx, store, &on, query, out);
}

static err queries_pass(struct ctx *cx, struct store *store, const struct topic_trigger *trigger,
                        const struct topic_event *event, bool *out)
{
    bool has_previous = str_given(trigger->previous), has_current = str_given(trigger->current);
    bool before = trigger->create_passes, now = trigger->delete_passes;
    *out = true;
    if (!has_previous && !has_current)
        return ERR_OK;
    if (has_previous && json_kind(event->before) != JSON_ABSENT)
        TRY(side_passes(cx, store, event, event->before, trigger->previous, &before));
    if (has_current && json_kind(event->body) != JSON_ABSENT)
        TRY(side_passes(cx, store, event, event->body, trigger->current, &now));
    if (has_previous && has_current)
        *out = trigger->both ? before && now : before || now;
    else
        *out = has_previous ? before : now;
    return ERR_OK;
}

static struct path_result result_of(struct ctx *cx, struct json body)
{
    struct path_result result = { 0 };
    if (json_kind(body) == JSON_ABSENT)
        return result;
    result.items = arena_alloc(cx->arena, sizeof *result.items);
    result.items[0] = path_item_of(body, FHIR_NONE);
    result.count = 1;
    return result;
}

static err path_passes(struct ctx *cx, const struct topic_trigger *trigger,
                       const struct topic_event *event, bool *out)
{
    struct path_variable variables[] = { { S("previous"), result_of(cx, event->before) },
                                         { S("current"), result_of(cx, event->body) } };
    bool deleted = json_kind(event->body) == JSON_ABSENT;
    struct path_run run = { .input = deleted ? event->before : event->body,
                            .variables = variables, .variables_count = COUNT(variables) };
    struct path_result result;
    TRY(path_eval(cx, trigger->path, &run, &result));
    return path_truth(cx, &result, false, out);
}

static err trigger_fires(struct ctx *cx, struct store *store, const struct topic_trigger *trigger,
                         const struct topic_event *event, bool *out)
{
    *out = false;
    if (trigger->resource != event->version->resource ||
        !(trigger->changes & change_of(event->version)))
        return ERR_OK;
    TRY(queries_pass(cx, store, trigger, event, out));
    if (!*out || !trigger->path)
        return ERR_OK;
    /* A criterion that cannot be answered for this resource is not met: no event. */
    size_t issues = cx->issues.kept;
    if (path_passes(cx, trigger, event, out)) {
        cx->issues.kept = cx->issues.count = issues;
        *out = false;
    }
    return ERR_OK;
}

err topic_fires(struct ctx *cx, struct store *store, const struct topic *topic,
                const struct topic_event *event, bool *out)
{
    *out = false;
    for (size_t i = 0; i < topic->triggers_count && !*out; i++)
        TRY(trigger_fires(cx, store, &topic->triggers[i], event, out));
    return ERR_OK;
}

/* ---- the built-in ones ---- */

static const struct { const char *ending; unsigned changes; } endings[] = {
    { "", TOPIC_CREATE | TOPIC_UPDATE | TOPIC_DELETE },
    { "-create", TOPIC_CREATE }, { "-update", TOPIC_UPDATE }, { "-delete", TOPIC_DELETE },
};
/* An encounter starts when it comes to be in progress, however it was made. */
static const struct { const char *name, *title, *previous, *current; } encounters[] = {
    { "encounter-start", "An encounter starts", "status:not=in-progress", "status=in-progress" },
    { "encounter-end", "An encounter ends", "status:not=finished", "status=finished" },
};

static bool find_encounter(str name, struct topic *out)
{
    for (size_t i = 0; i < COUNT(encounters); i++) {
        if (!str_eq(name, str_of(encounters[i].name)))
            continue;
        out->title = str_of(encounters[i].title);
        out->triggers_count = 1;
        out->triggers[0] = (struct topic_trigger){
            .resource = fhir_resource_find(S("Encounter")), .changes = TOPIC_CREATE | TOPIC_UPDATE,
            .previous = str_of(encounters[i].previous), .current = str_of(encounters[i].current),
            .create_passes = true, .both = true };
        return true;
    }
    return false;
}

static bool find_built_in(str url, struct topic *out)
{
    str base = S(TOPIC_BASE);
    *out = (struct topic){ .url = url };
    if (!str_starts(url, base))
        return false;
    str name = str_slice(url, base.n, url.n);
    if (find_encounter(name, out))
        return true;
    for (size_t i = 0; i < COUNT(endings); i++) {
        str ending = str_of(endings[i].ending);
        if (!str_ends(name, ending))
            continue;
        uint16_t resource = fhir_resource_find(str_slice(name, 0, name.n - ending.n));
        if (resource == FHIR_NONE)
            continue;
        out->title = name;
        out->triggers_count = 1;
        out->triggers[0] = (struct topic_trigger){ .resource = resource,
                                                   .changes = endings[i].changes };
        return true;
    }
    return false;
}

/* ---- finding one ---- */

struct search {
    str url;
    struct json found;
    void (*fn)(void *self, str url);
    void *self;
};

/* "url|version" names a version; the topics here are known by url alone. */
static str without_version(str url)
{
    return str_slice(url, 0, str_find_char(url, '|'));
}

static void look_at(struct ctx *cx, struct json topic, struct search *search)
{
    str url = topic_url(cx, topic);
    if (search->fn && url.n)
        search->fn(search->self, url);
    else if (!search->fn && str_eq(url, search->url))
        search->found = topic;
}

static err look_in_record(struct ctx *cx, struct store *store, struct search *search)
{
    uint16_t basic = fhir_resource_find(S("Basic"));
    int64_t rids[256];
    struct search_rids found = { .rids = rids, .max = COUNT(rids) };
    TRY(search_condition(cx, store, basic,
                         S("code=http://hl7.org/fhir/fhir-types%7CSubscriptionTopic"), &found));
    for (size_t i = 0; i < found.count; i++) {
        struct store_version version;
        struct json body;
        TRY(store_read_rid(cx, store, rids[i], &version));
        TRY(json_parse(cx, version.body, &body));
        look_at(cx, body, search);
    }
    return ERR_OK;
}

err topic_find(struct ctx *cx, struct store *store, const struct topic_files *files, str url,
               struct topic *out)
{
    struct search search = { .url = without_version(url) };
    for (size_t i = 0; files && i < files->count; i++)
        look_at(cx, files->list[i], &search);
    if (json_kind(search.found) == JSON_ABSENT)
        TRY(look_in_record(cx, store, &search));
    if (json_kind(search.found) != JSON_ABSENT)
        return topic_read(cx, store, search.found, out);
    if (find_built_in(search.url, out))
        return ERR_OK;
    return ctx_failf(cx, ERR_RULE, S("Subscription.criteria"), "there is no topic %.*s here; "
                     "Subscription/$topics lists them: such as " TOPIC_BASE "Observation-create",
                     STR_ARG(str_slice(url, 0, 200)));
}

err topic_each(struct ctx *cx, struct store *store, const struct topic_files *files,
               void (*fn)(void *self, str url), void *self)
{
    struct search search = { .fn = fn, .self = self };
    for (size_t i = 0; files && i < files->count; i++)
        look_at(cx, files->list[i], &search);
    TRY(look_in_record(cx, store, &search));
    for (size_t i = 0; i < COUNT(encounters); i++)
        fn(self, arena_printf(cx->arena, TOPIC_BASE "%s", encounters[i].name));
    for (uint16_t r = 0; r < fhir_resources_count; r++)
        for (size_t e = 0; e < COUNT(endings); e++)
            fn(self, arena_printf(cx->arena, TOPIC_BASE "%.*s%s", STR_ARG(fhir_resource_name(r)),
                                  endings[e].ending));
    return ERR_OK;
}
