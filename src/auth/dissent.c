/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/dissent.h"
#include "base/buf.h"
#include "fhir/datetime.h"
#include "store/search.h"

enum { CONSENTS_MAX = 200000, DEPTH_MAX = 8, WORDS_BYTES = 64 << 10 };

struct loading {
    struct ctx *cx;
    struct arena *arena;
    struct dissents *out;
    size_t cap;
    int64_t pid;
};

static bool is_given(struct json provision, const char *name)
{
    return json_kind(json_get(provision, str_of(name))) != JSON_ABSENT;
}

static bool is_type(struct json provision, const char *type)
{
    return json_string_is(json_get(provision, S("type")), str_of(type));
}

static void add_word(struct buf *buf, str word)
{
    if (!str_given(word))
        return;
    if (buf->n)
        buf_char(buf, ' ');
    buf_add(buf, word);
}

static str actors_of(struct ctx *cx, struct json provision)
{
    struct buf words = buf_make(cx->arena, WORDS_BYTES);
    for (struct json_walk w = json_walk(json_get(provision, S("actor"))); json_next(&w);) {
        struct json reference = json_get(json_get(w.value, S("reference")), S("reference"));
        str text = json_string(cx->arena, reference);
        add_word(&words, str_given(text) ? text : S("-")); /* an actor we cannot name is not all */
    }
    return buf_str(&words);
}

static str codes_of(struct ctx *cx, struct json codings)
{
    struct buf words = buf_make(cx->arena, WORDS_BYTES);
    for (struct json_walk w = json_walk(codings); json_next(&w);)
        add_word(&words, json_string(cx->arena, json_get(w.value, S("code"))));
    return buf_str(&words);
}

/* Whom nested permits except from a deny. */
static str excepted_by(struct ctx *cx, struct json provision)
{
    struct buf words = buf_make(cx->arena, WORDS_BYTES);
    for (struct json_walk w = json_walk(json_get(provision, S("provision"))); json_next(&w);)
        if (is_type(w.value, "permit"))
            add_word(&words, actors_of(cx, w.value));
    return buf_str(&words);
}

static void read_period(struct ctx *cx, struct json provision, struct dissent *out)
{
    struct json period = json_get(provision, S("period"));
    str start = json_string(cx->arena, json_get(period, S("start")));
    str end = json_string(cx->arena, json_get(period, S("end")));
    struct datetime when;
    out->from_ms = INT64_MIN;
    out->until_ms = INT64_MAX;
    if (str_given(start) && datetime_parse(start, DATETIME_AS_DATE_TIME, &when))
        out->from_ms = when.low_ms;
    if (str_given(end) && datetime_parse(end, DATETIME_AS_DATE_TIME, &when))
        out->until_ms = when.high_ms;
}

static void keep(struct loading *l, struct dissent dissent, uint16_t resource)
{
    dissent.resource = resource;
    dissent.actors = arena_copy(l->arena, dissent.actors);
    dissent.purposes = arena_copy(l->arena, dissent.purposes);
    dissent.excepted = arena_copy(l->arena, dissent.excepted);
    l->out->list = arena_grow(l->arena, l->out->list, l->out->count, &l->cap,
                              sizeof *l->out->list);
    l->out->list[l->out->count++] = dissent;
}

static void add_deny(struct loading *l, struct json provision)
{
    static const char *const finer[] = { "data", "code", "securityLabel", "dataPeriod" };
    struct dissent dissent = {
        .pid = l->pid,
        .actors = actors_of(l->cx, provision),
        .purposes = codes_of(l->cx, json_get(provision, S("purpose"))),
        .excepted = excepted_by(l->cx, provision),
    };
    struct json classes = json_get(provision, S("class"));
    for (size_t i = 0; i < COUNT(finer); i++)
        if (is_given(provision, finer[i])) {
            l->out->skipped++;
            return;
        }
    read_period(l->cx, provision, &dissent);
    if (json_count(classes) == 0)
        keep(l, dissent, FHIR_NONE);
    for (struct json_walk w = json_walk(classes); json_next(&w);) {
        str code = json_string(l->cx->arena, json_get(w.value, S("code")));
        uint16_t resource = fhir_resource_find(code);
        if (resource != FHIR_NONE)
            keep(l, dissent, resource);
        else
            l->out->skipped++;
    }
}

static void walk_provision(struct loading *l, struct json provision, int depth)
{
    if (depth > DEPTH_MAX)
        return;
    if (is_type(provision, "deny"))
        add_deny(l, provision);
    for (struct json_walk w = json_walk(json_get(provision, S("provision"))); json_next(&w);)
        walk_provision(l, w.value, depth + 1);
}

static int by_pid(const void *a, const void *b)
{
    const struct dissent *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

static err load(struct loading *l, struct store *store)
{
    struct ctx *cx = l->cx;
    struct search_rids hits = {
        .rids = arena_array(cx->arena, CONSENTS_MAX, sizeof *hits.rids), .max = CONSENTS_MAX,
    };
    TRY(search_condition(cx, store, fhir_resource_find(S("Consent")),
                         S("status=active&scope=patient-privacy"), &hits));
    for (size_t i = 0; i < hits.count; i++) {
        struct arena_mark mark = arena_mark(cx->arena);
        struct store_version version;
        struct json body;
        TRY(store_read_rid(cx, store, hits.rids[i], &version));
        TRY(json_parse(cx, version.body, &body));
        l->pid = version.pid;
        walk_provision(l, json_get(body, S("provision")), 0);
        arena_rewind(cx->arena, mark);
    }
    if (l->out->count)
        qsort(l->out->list, l->out->count, sizeof *l->out->list, by_pid);
    return ERR_OK;
}

err dissent_load(struct ctx *cx, struct arena *arena, struct store *store, struct dissents *out)
{
    const struct store_access *before = cx->access;
    struct loading loading = { .cx = cx, .arena = arena, .out = out };
    *out = (struct dissents){ 0 };
    cx->access = NULL;
    err result = load(&loading, store);
    cx->access = before;
    return result;
}

static bool has_word(str words, str wanted)
{
    str word;
    while (wanted.n && str_next(&words, ' ', &word))
        if (str_eq(word, wanted))
            return true;
    return false;
}

static bool names(str actors, const struct dissent_asker *asker)
{
    str lists[] = { asker->team->services, asker->team->organisations }, word;
    if (has_word(actors, asker->who))
        return true;
    for (size_t i = 0; i < COUNT(lists); i++)
        for (str rest = lists[i]; str_next(&rest, ' ', &word);)
            if (has_word(actors, word))
                return true;
    return false;
}

static bool applies(const struct dissent *dissent, const struct dissent_asker *asker,
                    int64_t now_ms)
{
    return now_ms >= dissent->from_ms && now_ms <= dissent->until_ms &&
           (!dissent->purposes.n || has_word(dissent->purposes, asker->purpose)) &&
           (!dissent->actors.n || names(dissent->actors, asker)) &&
           !names(dissent->excepted, asker);
}

static bool is_among(const int64_t *pids, size_t count, int64_t pid)
{
    for (size_t i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

struct dissent_found dissent_apply(struct ctx *cx, const struct dissents *dissents,
                                   const struct dissent_asker *asker,
                                   const int64_t *lifted, size_t lifted_count)
{
    struct dissent_found found = {
        .list = arena_array(cx->arena, dissents->count + 1, sizeof *found.list),
    };
    for (size_t i = 0; i < dissents->count; i++) {
        const struct dissent *dissent = &dissents->list[i];
        if (applies(dissent, asker, cx->now_ms) &&
            !is_among(lifted, lifted_count, dissent->pid))
            found.list[found.count++] = (struct access_dissent){ dissent->pid, dissent->resource };
    }
    return found;
}
