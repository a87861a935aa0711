/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/follow.h"
#include "systems/obs/person.h"

#define HOUR_MS INT64_C(3600000)
#define CHECK_ID "urn:frontline:news2-check"

/* A score that was sent counts for what it says or what its values say, whichever is more. */
static struct obs_point point_of(const struct obs_set *set)
{
    struct obs_result own = obs_set_result(set);
    bool sent = set->sent_total != OBS_NONE;
    int total = sent && set->sent_total > own.total ? set->sent_total : own.total;
    bool red = own.highest == 3;
    for (size_t i = 0; i < NEWS2_PARTS; i++)
        red |= set->sent_parts[i] == 3;
    return (struct obs_point){ .at_ms = set->at_ms, .total = total, .red = red,
                               .complete = own.complete || sent, .excluded = own.excluded };
}

size_t obs_points_of(struct ctx *cx, const struct obs_sets *sets, struct obs_point **out)
{
    size_t count = 0;
    *out = arena_array(cx->arena, sets->count + 1, sizeof **out);
    for (size_t i = 0; i < sets->count; i++)
        if (!sets->list[i].in_error && sets->list[i].id.n)
            (*out)[count++] = point_of(&sets->list[i]);
    return count;
}

static err do_all(struct ctx *cx, struct store *store, struct commit_op *ops, size_t count,
                  const char *why)
{
    struct commit commit = { .ops = ops, .ops_count = count, .cx = cx, .who = S("obs"),
                             .why = str_of(why) };
    return count ? commit_run(cx, store, &commit) : ERR_OK;
}

/* ---- calling somebody ---- */

struct call {
    struct ctx *cx;
    struct store *store;
    str patient;
    struct obs_sets sets;
    struct obs_alert *alerts; /* of the patient, newest first */
    size_t alerts_count;
    struct commit_op ops[OBS_OPS_MAX];
    size_t ops_count;
};

static struct obs_alert *alert_of_set(struct call *call, str set)
{
    for (size_t i = 0; i < call->alerts_count; i++)
        if (str_eq(call->alerts[i].set, set))
            return &call->alerts[i];
    return NULL;
}

static err end_alert(struct call *call, struct obs_alert *alert, str reason)
{
    alert->state = OBS_ENDED;
    alert->status = S("cancelled");
    alert->reason = reason;
    return obs_alert_op(call->cx, alert, &call->ops[call->ops_count++]);
}

/* Lower calls for earlier sets are taken over by the new one. */
static err take_over(struct call *call, str set, int rank)
{
    for (size_t i = 0; i < call->alerts_count; i++) {
        struct obs_alert *other = &call->alerts[i];
        if (other->state != OBS_ENDED && !str_eq(other->set, set) &&
            obs_rank(other->response) < rank && call->ops_count < OBS_OPS_MAX - 3)
            TRY(end_alert(call, other, S("a later set asks for more: see its escalation")));
    }
    return ERR_OK;
}

static str alert_id(struct ctx *cx, str set)
{
    return arena_printf(cx->arena, "esc-%.*s", STR_ARG(str_slice(set, 0, OBS_ID_MAX - 10)));
}

/* Tells from the bottom of the ladder: anew, or because a correction changed what is asked for. */
static err raise(struct call *call, const struct obs_set *set, const struct obs_point *points,
                 size_t count, struct obs_alert *alert)
{
    struct ctx *cx = call->cx;
    struct obs_person person;
    const struct news2_response *asked = obs_asked(points, count);
    TRY(obs_person_read(cx, call->store, call->patient, &person));
    struct obs_alert new_one = { .id = alert_id(cx, set->id), .raised_ms = cx->now_ms };
    if (alert) { /* a correction: the clock starts again, what happened stays in the versions */
        new_one.vid = alert->vid;
        new_one.round = alert->round;
    }
    new_one.patient = call->patient;
    new_one.encounter = person.encounter;
    new_one.ward = person.ward;
    new_one.set = set->id;
    new_one.state = OBS_TOLD;
    new_one.response = asked;
    new_one.total = points[0].total;
    new_one.red = points[0].red;
    new_one.complete = points[0].complete;
    if (asked->review_within_min)
        new_one.review_by_ms = cx->now_ms + asked->review_within_min * OBS_MINUTE_MS;
    TRY(take_over(call, set->id, obs_rank(asked)));
    TRY(obs_alert_tell(cx, call->store, &new_one, call->ops, &call->ops_count));
    return obs_alert_op(cx, &new_one, &call->ops[call->ops_count++]);
}

static struct obs_situation situation_of(struct call *call, const struct obs_set *set,
                                         const struct obs_point *points, size_t count)
{
    struct obs_alert *own = alert_of_set(call, set->id);
    bool recent = set->at_ms > call->cx->now_ms - OBS_RECENT_H * HOUR_MS;
    struct obs_situation now = {
        .wanted = set->in_error || !count ? 0 : obs_rank(obs_asked(points, count)),
        .latest = recent && obs_sets_latest(&call->sets) == set,
        .own_open = own && own->state != OBS_ENDED,
        .own_rank = own ? obs_rank(own->response) : 0,
        .own_closed = own && own->state == OBS_ENDED && own->reviewed_ms,
        .total = count ? points[0].total : 0, .at_ms = set->at_ms,
    };
    for (size_t i = 0; i < call->alerts_count; i++) {
        const struct obs_alert *other = &call->alerts[i];
        int rank = obs_rank(other->response);
        if (other->state != OBS_ENDED && other != own && rank > now.other_rank)
            now.other_rank = rank;
        if (other->reviewed_ms > now.reviewed_ms) {
            now.reviewed_ms = other->reviewed_ms;
            now.reviewed_total = other->total;
        }
    }
    return now;
}

/* The sets from this one back: what was known when it was taken. */
static size_t points_from(struct ctx *cx, const struct obs_sets *sets, size_t at,
                          struct obs_point **out)
{
    struct obs_sets older = { .list = sets->list + at, .count = sets->count - at };
    return obs_points_of(cx, &older, out);
}

/* A call that is open for as much already shows the highest score since, and keeps its clock. */
static err keep_up(struct call *call, const struct obs_situation *now,
                   const struct obs_point *point)
{
    if (!now->latest || !now->wanted || now->other_rank < now->wanted)
        return ERR_OK;
    for (size_t i = 0; i < call->alerts_count; i++) {
        struct obs_alert *other = &call->alerts[i];
        if (other->state == OBS_ENDED || obs_rank(other->response) != now->other_rank ||
            other->total >= point->total)
            continue;
        other->total = point->total;
        other->red |= point->red;
        other->complete = point->complete;
        return obs_alert_op(call->cx, other, &call->ops[call->ops_count++]);
    }
    return ERR_OK;
}

static err decide_for(struct call *call, size_t at)
{
    const struct obs_set *set = &call->sets.list[at];
    struct obs_point *points;
    size_t count = points_from(call->cx, &call->sets, at, &points);
    struct obs_situation now = situation_of(call, set, points, count);
    struct obs_alert *own = alert_of_set(call, set->id);
    switch (obs_decide(&now)) {
    case OBS_LEAVE: return now.own_open || !count ? ERR_OK : keep_up(call, &now, &points[0]);
    case OBS_RAISE: return raise(call, set, points, count, own);
    case OBS_RESTART: return raise(call, set, points, count, own);
    case OBS_CANCEL: break;
    }
    return end_alert(call, own, set->in_error ? S("the set was entered in error")
                                : arena_printf(call->cx->arena, "the set was corrected: it now "
                                               "scores %d", points[0].total));
}

/* The set itself and, when a correction ended its call, the set that is now the latest. */
static err call_for(struct call *call, str id)
{
    size_t at = 0;
    while (at < call->sets.count && !str_eq(call->sets.list[at].id, id))
        at++;
    struct obs_alert *own = alert_of_set(call, id);
    bool gone = at == call->sets.count;
    if (gone && (!own || own->state == OBS_ENDED))
        return ERR_OK;
    TRY(gone ? end_alert(call, own, S("the set was deleted")) : decide_for(call, at));
    const struct obs_set *latest = obs_sets_latest(&call->sets);
    bool ended = call->ops_count > 0 && (gone || call->sets.list[at].in_error);
    if (ended && latest)
        TRY(decide_for(call, (size_t)(latest - call->sets.list)));
    return do_all(call->cx, call->store, call->ops, call->ops_count, "obs: escalation");
}

/* ---- a score that does not add up ---- */

static err flag_op(struct call *call, const struct obs_set *set, str why, struct commit_op *op)
{
    struct ctx *cx = call->cx;
    struct buf buf = buf_make(cx->arena, OBS_BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("DetectedIssue"));
    json_put_raw(&w, "identifier", arena_printf(cx->arena,
                 "[{\"system\":\"" CHECK_ID "\",\"value\":\"%.*s\"}]", STR_ARG(set->id)));
    json_put_str(&w, "status", S("final"));
    json_put_raw(&w, "code", S("{\"coding\":[{\"system\":\"" OBS_CODES "issue\",\"code\":"
                               "\"score-disagrees\"}],\"text\":\"Score does not match its own "
                               "parts\"}"));
    json_put_str(&w, "severity", S("high"));
    obs_put_reference(cx, &w, "patient", "Patient", call->patient);
    json_put_str(&w, "identifiedDateTime", obs_when(cx, cx->now_ms));
    json_key(&w, "implicated");
    json_open(&w, '[');
    obs_put_reference(cx, &w, NULL, "Observation", set->id);
    json_close(&w, ']');
    json_put_str(&w, "detail", why);
    json_close(&w, '}');
    TRY(obs_fhir_op(cx, "DetectedIssue", S(""), 0, buf_str(&buf), op));
    op->condition = arena_printf(cx->arena, "identifier=" CHECK_ID "%%7C%.*s", STR_ARG(set->id));
    return ERR_OK;
}

static err check_score(struct call *call, str id)
{
    for (size_t i = 0; i < call->sets.count; i++) {
        const struct obs_set *set = &call->sets.list[i];
        str why = str_eq(set->id, id) && !set->own && !set->in_error
                      ? obs_set_disagreement(call->cx, set) : (str){ 0 };
        struct commit_op op;
        if (!why.n)
            continue;
        TRY(flag_op(call, set, why, &op));
        TRY(do_all(call->cx, call->store, &op, 1, "obs: a score that does not add up"));
    }
    return ERR_OK;
}

/* ---- the consumers ---- */

static void release(void *thing)
{
    ctx_release(thing);
}

/*
 * A look at the record as it is now: the one a consumer or timer holds is as old as its batch, and
 * would not show what the version before this one led to.
 */
static struct ctx *look_anew(struct ctx *cx)
{
    struct ctx *own = arena_alloc(cx->arena, sizeof *own);
    *own = *cx;
    own->db = NULL;
    own->deferred = NULL;
    ctx_defer(cx, release, own);
    return own;
}

static err look_end(struct ctx *cx, struct ctx *own, err result)
{
    cx->issues = own->issues;
    ctx_undefer(cx, release);
    return result;
}

/* A new set of long ago calls nobody: only whether it adds up is looked at. An import of years is
 * then one look a set. */
static err follow_old(struct call *call, str id, struct json body)
{
    struct obs_set set = obs_set_of(call->cx, body);
    call->sets = (struct obs_sets){ .list = &set, .count = 1 };
    return check_score(call, id);
}

static err look_and_call(struct call *call, str id, int64_t at_ms)
{
    TRY(obs_sets_read(call->cx, call->store, call->patient, at_ms - OBS_LOOK_BACK_H * HOUR_MS,
                      &call->sets));
    TRY(check_score(call, id));
    TRY(obs_alerts_read(call->cx, call->store, call->patient, false, &call->alerts,
                        &call->alerts_count));
    return call_for(call, id);
}

static err follow_score(struct ctx *cx, struct store *store, const struct store_version *version,
                        struct json body)
{
    struct call call = { .cx = cx, .store = store };
    int64_t at_ms = obs_taken_at(cx, body);
    call.patient = obs_reference(cx, json_get(body, S("subject")), "Patient");
    if (!call.patient.n || !at_ms)
        return ERR_OK;
    if (version->vid == 1 && at_ms < cx->now_ms - OBS_RECENT_H * HOUR_MS)
        return follow_old(&call, version->id, body);
    return look_and_call(&call, version->id, at_ms);
}

/* A new value or part: one that comes after another system's score may show that it does not add
 * up, or that it asks for somebody. Ours comes together with its score. */
static err follow_new(struct ctx *cx, struct store *store, struct json body)
{
    struct call call = { .cx = cx, .store = store };
    struct obs_sets sets;
    int64_t at_ms = obs_taken_at(cx, body);
    call.patient = obs_reference(cx, json_get(body, S("subject")), "Patient");
    if (!call.patient.n || at_ms < cx->now_ms - OBS_RECENT_H * HOUR_MS)
        return ERR_OK;
    TRY(obs_sets_read(cx, store, call.patient, at_ms, &sets));
    for (size_t i = 0; i < sets.count; i++)
        if (sets.list[i].at_ms == at_ms && sets.list[i].id.n && !sets.list[i].own)
            return look_and_call(&call, sets.list[i].id, at_ms);
    return ERR_OK;
}

/* A value that was changed or deleted after it was scored. Our own corrections change both at
 * once. */
static err follow_value(struct ctx *cx, struct store *store, str id)
{
    struct obs_found found;
    struct commit_op op;
    bool changed;
    TRY(obs_search(cx, store, "Observation",
                   arena_printf(cx->arena, "derived-from=Observation/%.*s&code=" OBS_SCORE,
                                STR_ARG(id)), OBS_OPS_MAX, &found));
    for (size_t i = 0; i < found.count; i++) {
        str score = json_string(cx->arena, json_get(found.bodies[i], S("id")));
        TRY(obs_set_rescore(cx, store, score, &op, &changed));
        if (changed)
            TRY(do_all(cx, store, &op, 1, "obs: scored anew"));
    }
    return ERR_OK;
}

err obs_follow_set(struct ctx *cx, struct store *store, const struct store_version *version,
                   void *self)
{
    struct store_version last = *version; /* with what it said: a deletion says nothing */
    struct json body;
    (void)self;
    if (version->method == STORE_DELETED && (version->vid == 1 ||
        store_vread(cx, store, version->resource, version->id, version->vid - 1, &last)))
        return ERR_OK;
    TRY(json_parse(cx, last.body, &body));
    bool score = obs_has_code(json_get(body, S("code")), OBS_SNOMED, OBS_SCORE);
    if (!score && version->vid == 1 && !obs_is_of_set(body))
        return ERR_OK;
    struct ctx *own = look_anew(cx);
    return look_end(cx, own, score ? follow_score(own, store, version, body)
                             : version->vid == 1 ? follow_new(own, store, body)
                                                 : follow_value(own, store, version->id));
}

struct timer {
    struct due_item item;
};

static err put_timer(struct ctx *cx, struct db *db, void *self)
{
    struct timer *timer = self;
    return timer->item.due_ms == INT64_MAX ? due_drop(cx, db, timer->item.kind, timer->item.key)
                                           : due_put(cx, db, &timer->item);
}

err obs_follow_alert(struct ctx *cx, struct store *store, const struct store_version *version,
                     void *self)
{
    struct json body;
    (void)self;
    if (version->method == STORE_DELETED)
        return ERR_OK;
    TRY(json_parse(cx, version->body, &body));
    if (!obs_is_alert(body))
        return ERR_OK;
    struct obs_alert alert = obs_alert_of(cx, body, version->vid);
    struct obs_clock clock = obs_alert_clock(&alert);
    struct timer timer = { { .kind = S("obs-answer"), .key = version->id, .target = S(""),
                             .body = S(""), .due_ms = obs_clock_next_ms(&clock) } };
    return store_write(cx, store, put_timer, &timer);
}

/* ---- the timer ---- */

static err act_on(struct ctx *cx, struct store *store, struct obs_alert *alert, enum obs_act act)
{
    struct commit_op ops[4];
    size_t count = 0;
    if (act == OBS_CLIMB || act == OBS_CHASE)
        alert->step++;
    TRY(obs_alert_tell(cx, store, alert, ops, &count));
    if (act == OBS_TELL_AGAIN) {
        alert->state = OBS_TOLD;
        alert->snooze_until_ms = 0;
    }
    if (act == OBS_CHASE) /* answered, but nobody came: asked for again, the answer stands */
        alert->review_by_ms = cx->now_ms + OBS_CHASE_MIN * OBS_MINUTE_MS;
    TRY(obs_alert_op(cx, alert, &ops[count++]));
    return do_all(cx, store, ops, count, "obs: no answer in time");
}

static err answer_due(struct ctx *cx, struct store *store, str id)
{
    struct obs_alert alert;
    err found = obs_alert_read(cx, store, id, &alert);
    if (found == ERR_NOT_FOUND || found == ERR_GONE)
        return ERR_OK;
    TRY(found);
    struct obs_clock clock = obs_alert_clock(&alert);
    enum obs_act act = obs_clock_act(&clock, cx->now_ms);
    return act == OBS_WAIT ? ERR_OK : act_on(cx, store, &alert, act);
}

err obs_answer_due(struct ctx *cx, struct store *store, const struct due_item *item, void *self)
{
    (void)self;
    struct ctx *own = look_anew(cx);
    return look_end(cx, own, answer_due(own, store, item->key));
}

static const char *const observations[] = { "Observation", NULL };
static const char *const tasks[] = { "Task", NULL };
static const struct consumer sets_consumer = {
    .name = "obs-sets", .about = "scores held against their parts; who is told of a high one",
    .types = observations, .from_now = true, .consume = obs_follow_set };
static const struct consumer clocks_consumer = {
    .name = "obs-clocks", .about = "the clocks of escalations", .types = tasks,
    .consume = obs_follow_alert };
const struct consumer *const obs_consumers[] = { &sets_consumer, &clocks_consumer, NULL };

static const struct due_kind answer_kind = { .name = "obs-answer", .run = obs_answer_due };
const struct due_kind *const obs_due_kinds[] = { &answer_kind, NULL };
