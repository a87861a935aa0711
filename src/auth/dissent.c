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

/* Whom a deny can name: those the record ties a person to. */
static bool is_matched(str reference)
{
    static const char *const types[] = { "Practitioner/", "Organization/", "HealthcareService/" };
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_starts(reference, str_of(types[i])))
            return str_find_char(reference, ' ') == STR_NONE;
    return false;
}

static str actor_of(struct ctx *cx, struct json actor)
{
    struct json reference = json_get(json_get(actor, S("reference")), S("reference"));
    str text = json_string(cx->arena, reference);
    return str_given(text) && is_matched(text) ? text : S("");
}

/* *unmatched: an actor is named whom nobody here can be. */
static str actors_of(struct ctx *cx, struct json provision, bool *unmatched)
{
    struct buf words = buf_make(cx->arena, WORDS_BYTES);
    for (struct json_walk w = json_walk(json_get(provision, S("actor"))); json_next(&w);) {
        str actor = actor_of(cx, w.value);
        *unmatched = *unmatched || !actor.n;
        add_word(&words, actor);
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

/* What a rule about patients and types cannot be about. */
static const char *const finer[] = { "code", "data", "dataPeriod", "securityLabel", "action",
                                     "modifierExtension" };
/* And a permit that excepts somebody from a deny: it does so always, or not. */
static const char *const conditions[] = { "period", "purpose", "class" };

static const char *first_given(struct json provision, const char *const names[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_given(provision, names[i]))
            return names[i];
    return NULL;
}

static const char *condition_of(struct json permit)
{
    const char *finest = first_given(permit, finer, COUNT(finer));
    return finest ? finest : first_given(permit, conditions, COUNT(conditions));
}

/* Whom nested permits except from a deny. */
static str excepted_by(struct ctx *cx, struct json provision, bool *widened)
{
    struct buf words = buf_make(cx->arena, WORDS_BYTES);
    for (struct json_walk w = json_walk(json_get(provision, S("provision"))); json_next(&w);) {
        if (!is_type(w.value, "permit"))
            continue;
        if (condition_of(w.value))
            *widened = true;
        else
            add_word(&words, actors_of(cx, w.value, widened));
    }
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

static bool is_class(struct ctx *cx, struct json coding, uint16_t *resource)
{
    *resource = fhir_resource_find(json_string(cx->arena, json_get(coding, S("code"))));
    return *resource != FHIR_NONE &&
           (!is_given(coding, "system") ||
            json_string_is(json_get(coding, S("system")), S("http://hl7.org/fhir/resource-types")));
}

static void add_deny(struct loading *l, struct json provision)
{
    bool unmatched = false, widened = first_given(provision, finer, COUNT(finer)) != NULL;
    struct dissent dissent = {
        .pid = l->pid,
        .actors = actors_of(l->cx, provision, &unmatched),
        .purposes = codes_of(l->cx, json_get(provision, S("purpose"))),
        .excepted = excepted_by(l->cx, provision, &widened),
    };
    struct json classes = json_get(provision, S("class"));
    if (unmatched)
        dissent.actors = S("");
    read_period(l->cx, provision, &dissent);
    if (json_count(classes) == 0)
        keep(l, dissent, FHIR_NONE);
    for (struct json_walk w = json_walk(classes); json_next(&w);) {
        uint16_t resource;
        bool known = is_class(l->cx, w.value, &resource);
        keep(l, dissent, known ? resource : FHIR_NONE);
        widened = widened || !known;
    }
    l->out->widened += widened || unmatched;
}

/* R4 leaves out the root's type: then the policy says it. A nested rule without one keeps. */
static bool denies(struct json consent, struct json provision, int depth)
{
    if (is_given(provision, "type") || depth)
        return !is_type(provision, "permit");
    struct json codings = json_get(json_get(consent, S("policyRule")), S("coding"));
    for (struct json_walk w = json_walk(codings); json_next(&w);)
        if (json_string_is(json_get(w.value, S("code")), S("OPTOUT")))
            return true;
    return false;
}

static void walk_provision(struct loading *l, struct json consent, struct json provision, int depth)
{
    if (depth > DEPTH_MAX)
        return;
    if (denies(consent, provision, depth))
        add_deny(l, provision);
    for (struct json_walk w = json_walk(json_get(provision, S("provision"))); json_next(&w);)
        walk_provision(l, consent, w.value, depth + 1);
}

/* ---- at the write ---- */

struct checking {
    struct ctx *cx;
    struct json consent;
    str path;
};

static err refuse(struct checking *c, const char *element, const char *why)
{
    return ctx_failf(c->cx, ERR_RULE, arena_printf(c->cx->arena, "%.*s.%s", STR_ARG(c->path),
                                                   element), "%s", why);
}

static err check_deny(struct checking *c, struct json deny)
{
    const char *finest = first_given(deny, finer, COUNT(finer));
    bool unmatched = false;
    uint16_t resource;
    actors_of(c->cx, deny, &unmatched);
    if (finest)
        return refuse(c, finest, "a refusal of a part of the entries is not applied here, so it is "
                      "not taken: name their types in provision.class, or label the entries "
                      "themselves (meta.security)");
    if (unmatched)
        return refuse(c, "actor", "only a Practitioner/ID, Organization/ID or HealthcareService/ID "
                      "can be kept out: name one of those, or nobody for all");
    for (struct json_walk w = json_walk(json_get(deny, S("class"))); json_next(&w);)
        if (!is_class(c->cx, w.value, &resource))
            return refuse(c, "class", "only types of http://hl7.org/fhir/resource-types can be "
                          "kept back");
    return ERR_OK;
}

static err check_exception(struct checking *c, struct json permit)
{
    const char *condition = condition_of(permit);
    bool unmatched = json_count(json_get(permit, S("actor"))) == 0;
    actors_of(c->cx, permit, &unmatched);
    if (condition)
        return refuse(c, condition, "an exception from a refusal holds for its actors without "
                      "conditions: leave this out, or write the refusal more narrowly");
    return unmatched ? refuse(c, "actor", "an exception names each Practitioner/ID, "
                              "Organization/ID or HealthcareService/ID it is for")
                     : ERR_OK;
}

static err check_provision(struct checking *c, struct json provision, int depth, bool in_deny)
{
    str path = c->path;
    bool deny = denies(c->consent, provision, depth);
    if (depth > DEPTH_MAX)
        return refuse(c, "provision", "provisions stand within provisions too deeply");
    if (depth && !is_given(provision, "type"))
        return refuse(c, "type", "a nested provision says permit or deny");
    if (deny)
        TRY(check_deny(c, provision));
    else if (in_deny)
        TRY(check_exception(c, provision));
    c->path = arena_printf(c->cx->arena, "%.*s.provision", STR_ARG(path));
    for (struct json_walk w = json_walk(json_get(provision, S("provision"))); json_next(&w);)
        TRY(check_provision(c, w.value, depth + 1, deny));
    c->path = path;
    return ERR_OK;
}

static bool is_about_privacy(struct json consent)
{
    struct json codings = json_get(json_get(consent, S("scope")), S("coding"));
    for (struct json_walk w = json_walk(codings); json_next(&w);)
        if (json_string_is(json_get(w.value, S("code")), S("patient-privacy")))
            return json_string_is(json_get(consent, S("status")), S("active"));
    return false;
}

err dissent_check(struct ctx *cx, struct json consent)
{
    struct checking c = { cx, consent, S("Consent.provision") };
    return is_about_privacy(consent)
               ? check_provision(&c, json_get(consent, S("provision")), 0, false) : ERR_OK;
}

/* ---- all of them ---- */

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
        walk_provision(l, body, json_get(body, S("provision")), 0);
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

void dissent_take(struct ctx *cx, struct arena *arena, struct json consent, int64_t pid,
                  struct dissents *out)
{
    struct loading loading = { .cx = cx, .arena = arena, .out = out, .pid = pid };
    *out = (struct dissents){ 0 };
    walk_provision(&loading, consent, json_get(consent, S("provision")), 0);
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

static err check_change(struct ctx *cx, const struct commit_part *part,
                        const struct commit_change *change, void **prepared)
{
    (void)part;
    *prepared = NULL;
    return change->op->resource == fhir_resource_find(S("Consent"))
               ? dissent_check(cx, change->after) : ERR_OK;
}

static err write_nothing(struct ctx *cx, const struct commit_part *part, struct db *db,
                         const struct commit_change *change, void *prepared)
{
    (void)cx, (void)part, (void)db, (void)change, (void)prepared;
    return ERR_OK;
}

const struct commit_part dissent_part = { .name = "dissent", .prepare = check_change,
                                          .write = write_nothing };
