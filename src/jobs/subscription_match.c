/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/standing.h"
#include "base/clock.h"
#include "jobs/push.h"
#include "jobs/subscription_work.h"

enum { FOLLOWED_MEMORY = 16 << 20, ACCESS_MEMORY = 64 << 20 };

/* An active subscription, read once; belongs to the consumer's thread. */
struct followed {
    struct followed *next;
    struct arena arena;           /* of what follows */
    struct subscription s;
    struct topic topic;
    int64_t rid, from_seq;
    str kept;
    struct arena access_arena;    /* of access, looked up anew every STANDING_MS */
    const struct store_access *access;
    int64_t access_at_ms;         /* monotonic; 0: never */
};

/* ---- which are followed ---- */

static struct followed **place_of(struct subscriptions *subs, int64_t rid)
{
    struct followed **at = &subs->followed;
    while (*at && (*at)->rid != rid)
        at = &(*at)->next;
    return at;
}

static void unfollow(struct subscriptions *subs, int64_t rid)
{
    struct followed **at = place_of(subs, rid), *gone = *at;
    if (!gone)
        return;
    *at = gone->next;
    arena_free(&gone->arena);
    arena_free(&gone->access_arena);
    gone->next = subs->free;
    subs->free = gone;
    subs->followed_count--;
}

void subscription_unfollow_all(struct subscriptions *subs)
{
    while (subs->followed)
        unfollow(subs, subs->followed->rid);
}

static struct followed *new_followed(struct subscriptions *subs, struct ctx *cx)
{
    struct followed *f = subs->free;
    if (f)
        subs->free = f->next;
    else
        f = arena_alloc(&subs->arena, sizeof *f);
    *f = (struct followed){ .arena = arena_make(FOLLOWED_MEMORY),
                            .access_arena = arena_make(ACCESS_MEMORY) };
    f->arena.over = f->access_arena.over = cx->arena->over; /* a failure of this batch */
    return f;
}

/* The subscription's own ctx: its memory outlives cx, its reads are cx's. */
static err compile(struct ctx *cx, struct subscriptions *subs, struct followed *f, str body)
{
    struct ctx own = ctx_make(&f->arena);
    struct json json;
    TRY(store_reader(cx, subs->options.store));
    own.db = cx->db;
    own.now_ms = cx->now_ms;
    err wrong = json_parse(&own, arena_copy(&f->arena, body), &json);
    wrong = wrong ? wrong : subscription_read(&own, json, &f->s);
    wrong = wrong ? wrong : topic_find(&own, subs->options.store, &subs->topics, f->s.topic,
                                       &f->topic);
    return wrong;
}

static err follow(struct ctx *cx, struct subscriptions *subs, const struct store_version *version,
                  const struct subscription_state *state, int64_t from_seq)
{
    unfollow(subs, version->rid);
    struct followed *f = new_followed(subs, cx);
    f->rid = version->rid;
    f->from_seq = from_seq;
    f->kept = arena_copy(&f->arena, state->kept);
    err wrong = compile(cx, subs, f, version->body);
    f->next = subs->followed;
    subs->followed = f;
    subs->followed_count++;
    if (wrong) { /* the topic went away */
        unfollow(subs, version->rid);
        ctx_release(cx);
        return subscription_put_status(cx, subs->options.store, version->id,
            &(struct subscription_status){ .status = "error",
                                           .error = S("its topic is not there any more") });
    }
    return ERR_OK;
}

/* Those that were followed when this program, or the one before it, noted its position. */
static err load(struct ctx *cx, struct subscriptions *subs)
{
    struct store *store = subs->options.store;
    struct store_scan scan = { .resource = fhir_resource_find(S("Subscription")), .count = 100 };
    struct store_versions page = { .more = true };
    subscription_unfollow_all(subs);
    while (page.more) {
        TRY(store_scan(cx, store, &scan, &page));
        for (size_t i = 0; i < page.count; i++) {
            struct json body;
            struct subscription_state state;
            scan.after_rid = page.list[i].rid;
            TRY(json_parse(cx, page.list[i].body, &body));
            if (!json_string_is(json_get(body, S("status")), S("active")) ||
                subscription_state_find(cx, store, page.list[i].id, &state) || !state.from_seq)
                continue;
            TRY(follow(cx, subs, &page.list[i], &state, state.from_seq));
        }
    }
    subs->loaded = true;
    return ERR_OK;
}

/* ---- a Subscription changed ---- */

static err drop_deliveries(struct ctx *cx, struct db *db, void *self)
{
    const struct followed *f = self;
    TRY(due_drop(cx, db, SUBSCRIPTION_BEAT, f->s.id));
    return due_drop_target(cx, db, SUBSCRIPTION_DUE, f->s.id);
}

static err put_delivery(struct ctx *cx, struct db *db, void *self)
{
    const struct followed *f = self;
    TRY(due_put(cx, db, &(struct due_item){ .kind = SUBSCRIPTION_DUE, .key = f->s.id,
                                            .target = f->s.id, .body = S("begin"),
                                            .due_ms = cx->now_ms }));
    if (!f->s.heartbeat_s)
        return due_drop(cx, db, SUBSCRIPTION_BEAT, f->s.id);
    return due_put(cx, db, &(struct due_item){ .kind = SUBSCRIPTION_BEAT, .key = f->s.id,
                                               .due_ms = cx->now_ms + f->s.heartbeat_s * 1000 });
}

static err stop_following(struct ctx *cx, struct subscriptions *subs,
                          const struct store_version *version)
{
    struct followed gone = { .s.id = version->id };
    struct subscription_state state;
    unfollow(subs, version->rid);
    push_end(subs->push, version->id);
    TRY(store_write(cx, subs->options.store, drop_deliveries, &gone));
    if (version->method == STORE_DELETED)
        return store_write(cx, subs->options.store, subscription_forget,
                           &(int64_t){ version->rid });
    if (subscription_state_find(cx, subs->options.store, version->id, &state) || !state.from_seq)
        return ERR_OK;
    ctx_release(cx);
    return subscription_set(cx, subs->options.store,
                            &(struct subscription_set){ .rid = version->rid,
                                                        .field = SUBSCRIPTION_SET_FROM });
}

static err set_going(struct ctx *cx, struct subscriptions *subs,
                     const struct store_version *version, const struct subscription *s,
                     const struct subscription_state *state)
{
    struct followed going = { .s = *s };
    struct followed *known = *place_of(subs, version->rid);
    int64_t from_seq = known ? known->from_seq : version->seq;
    ctx_release(cx);
    if (!known)
        TRY(subscription_set(cx, subs->options.store, &(struct subscription_set){
            .rid = version->rid, .field = SUBSCRIPTION_SET_FROM, .number = from_seq }));
    TRY(follow(cx, subs, version, state, from_seq));
    ctx_release(cx);
    if (s->channel == SUBSCRIPTION_REST_HOOK)
        TRY(store_write(cx, subs->options.store, put_delivery, &going));
    due_wake(subs->due);
    return ERR_OK;
}

static err subscription_changed(struct ctx *cx, struct subscriptions *subs,
                                const struct store_version *version)
{
    struct json body;
    struct subscription s;
    struct subscription_state state;
    if (version->method == STORE_DELETED)
        return stop_following(cx, subs, version);
    TRY(json_parse(cx, version->body, &body));
    str proved;
    /* Written before there were subscriptions here, or imported: it waits to be written anew. */
    if (subscription_read(cx, body, &s) ||
        subscription_state_find(cx, subs->options.store, version->id, &state) ||
        subscription_proved(cx, subs->options.store, version->id, &proved)) {
        cx->issues = (struct issues){ .arena = cx->arena };
        return ERR_OK;
    }
    bool shakes = s.channel == SUBSCRIPTION_REST_HOOK && !s.plain;
    struct subscription_status active = { .status = "active", .from = "requested" };
    struct subscription_status again = { .status = "requested", .from = "active" };
    if (str_eq(s.status, S("active"))) {
        if (!shakes || str_eq(proved, s.endpoint))
            return set_going(cx, subs, version, &s, &state);
        return subscription_put_status(cx, subs->options.store, version->id, &again);
    }
    if (!str_eq(s.status, S("requested")))
        return stop_following(cx, subs, version);
    if (!shakes)
        return subscription_put_status(cx, subs->options.store, version->id, &active);
    struct followed asked = { .s = s };
    ctx_release(cx);
    TRY(store_write(cx, subs->options.store, put_delivery, &asked));
    due_wake(subs->due);
    return ERR_OK;
}

/* ---- whose event is it ---- */

struct matching {
    struct subscriptions *subs;
    const struct store_version *version;
    struct topic_event event;
    bool parsed;
    struct subscription_hit *hits;
    size_t hits_count, hits_cap;
};

static err parse_once(struct ctx *cx, struct matching *m)
{
    const struct store_version *v = m->version;
    if (m->parsed)
        return ERR_OK;
    m->parsed = true;
    m->event = (struct topic_event){ .version = v };
    if (v->method != STORE_DELETED)
        TRY(json_parse(cx, v->body, &m->event.body));
    if (v->vid <= 1)
        return ERR_OK;
    struct store_version before;
    size_t issues = cx->issues.kept;
    err found = store_vread(cx, m->subs->options.store, v->resource, v->id, v->vid - 1, &before);
    cx->issues.kept = cx->issues.count = issues;
    return found ? ERR_OK : json_parse(cx, before.body, &m->event.before);
}

static bool is_about(const struct topic *topic, uint16_t resource)
{
    for (size_t i = 0; i < topic->triggers_count; i++)
        if (topic->triggers[i].resource == resource)
            return true;
    return false;
}

/* What its creator may see now; ERR_LOGIN or ERR_FORBIDDEN: nothing any more. */
static err look_up_access(struct ctx *cx, struct subscriptions *subs, struct followed *f)
{
    int64_t now_ms = clock_monotonic_ms();
    struct user user;
    if (f->access_at_ms && now_ms - f->access_at_ms < STANDING_MS)
        return ERR_OK;
    arena_reset(&f->access_arena);
    f->access_at_ms = 0;
    f->access_arena.over = cx->arena->over;
    struct ctx own = ctx_make(&f->access_arena);
    own.db = cx->db;
    own.now_ms = cx->now_ms;
    TRY(gate_kept(&own, subs->options.gate, f->kept, &user, &f->access));
    f->access_at_ms = now_ms;
    return ERR_OK;
}

static err is_visible(struct ctx *cx, struct subscriptions *subs, const struct store_version *v,
                      bool *out)
{
    struct store_version seen;
    size_t issues = cx->issues.kept;
    err found = store_vread(cx, subs->options.store, v->resource, v->id, v->vid, &seen);
    cx->issues.kept = cx->issues.count = issues;
    *out = found == ERR_OK || found == ERR_GONE;
    return found == ERR_NOT_FOUND || *out ? ERR_OK : found;
}

static err filters_pass(struct ctx *cx, struct matching *m, const struct followed *f, bool *out)
{
    bool gone = json_kind(m->event.body) == JSON_ABSENT;
    struct search_body on = { m->version->resource, m->version->id, m->version->at_ms,
                              gone ? m->event.before : m->event.body };
    *out = true;
    for (size_t i = 0; i < f->s.filters_count && *out; i++) {
        const struct subscription_filter *filter = &f->s.filters[i];
        uint16_t resource = filter->resource == FHIR_NONE ? f->topic.triggers[0].resource
                                                          : filter->resource;
        if (resource == m->version->resource)
            TRY(search_body_matches(cx, m->subs->options.store, &on, filter->query, out));
    }
    return ERR_OK;
}

static err is_hit(struct ctx *cx, struct matching *m, struct followed *f, bool *out)
{
    cx->access = f->access;
    err wrong = is_visible(cx, m->subs, m->version, out);
    if (!wrong && *out)
        wrong = topic_fires(cx, m->subs->options.store, &f->topic, &m->event, out);
    if (!wrong && *out)
        wrong = filters_pass(cx, m, f, out);
    cx->access = NULL;
    return wrong;
}

/* A subscription that is over is switched off; its last events came before. */
static err end_one(struct ctx *cx, struct subscriptions *subs, struct followed *f, const char *why)
{
    str id = arena_copy(cx->arena, f->s.id);
    unfollow(subs, f->rid);
    ctx_release(cx);
    return subscription_put_status(cx, subs->options.store, id,
        &(struct subscription_status){ .status = "off", .error = str_of(why) });
}

static err try_one(struct ctx *cx, struct matching *m, struct followed *f)
{
    bool hit;
    if (f->from_seq >= m->version->seq || !is_about(&f->topic, m->version->resource))
        return ERR_OK;
    if (f->s.end_ms && m->version->at_ms > f->s.end_ms)
        return end_one(cx, m->subs, f, "its end has passed");
    TRY(store_reader(cx, m->subs->options.store));
    err known = look_up_access(cx, m->subs, f);
    if (known == ERR_LOGIN || known == ERR_FORBIDDEN || known == ERR_NOT_FOUND)
        return end_one(cx, m->subs, f, "whoever made it may not see this any more");
    TRY(known);
    TRY(parse_once(cx, m));
    TRY(is_hit(cx, m, f, &hit));
    if (!hit)
        return ERR_OK;
    m->hits = arena_grow(cx->arena, m->hits, m->hits_count, &m->hits_cap, sizeof *m->hits);
    m->hits[m->hits_count++] = (struct subscription_hit){
        .rid = f->rid, .keep = m->subs->options.keep, .id = f->s.id,
        .outbox = f->s.channel == SUBSCRIPTION_REST_HOOK };
    return ERR_OK;
}

static err write_hits(struct ctx *cx, struct db *db, void *self)
{
    const struct matching *m = self;
    for (size_t i = 0; i < m->hits_count; i++)
        TRY(subscription_add_event(cx, db, &m->hits[i], m->version));
    return ERR_OK;
}

static err match(struct ctx *cx, struct subscriptions *subs, const struct store_version *version)
{
    struct matching m = { .subs = subs, .version = version };
    for (struct followed *f = subs->followed, *next; f; f = next) {
        next = f->next;
        TRY(try_one(cx, &m, f));
    }
    ctx_release(cx);
    if (!m.hits_count)
        return ERR_OK;
    TRY(store_write(cx, subs->options.store, write_hits, &m));
    due_wake(subs->due);
    for (size_t i = 0; i < m.hits_count; i++)
        push_wake(subs->push, m.hits[i].id);
    return ERR_OK;
}

static bool is_topic(const struct store_version *version)
{
    return version->resource == fhir_resource_find(S("Basic")) &&
           str_find(version->body, S("SubscriptionTopic")) != STR_NONE;
}

err subscription_consume(struct ctx *cx, struct store *store, const struct store_version *version,
                         void *self)
{
    struct subscriptions *subs = self;
    (void)store;
    if (!subs->loaded || is_topic(version))
        TRY(load(cx, subs));
    ctx_release(cx);
    TRY(match(cx, subs, version));
    if (version->resource != fhir_resource_find(S("Subscription")))
        return ERR_OK;
    err wrong = subscription_changed(cx, subs, version);
    ctx_release(cx);
    return wrong;
}
