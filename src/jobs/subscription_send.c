/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit_log.h"
#include "auth/secret.h"
#include "base/clock.h"
#include "fhir/xml.h"
#include "http/client.h"
#include "jobs/notification.h"
#include "jobs/subscription_work.h"
#include "json/write.h"

enum { ANSWER_BYTES = 65536, ROUNDS_MOST = 200, HANDSHAKE_ATTEMPTS = 3, BODY_BYTES = 128 << 20 };

/* ---- the resource's status ---- */

/* Member by member, with status and error replaced. */
static err patch_status(struct ctx *cx, const struct commit_op *op, struct json before,
                        struct json *after)
{
    const struct subscription_status *status = op->patch_self;
    struct buf buf = buf_make(cx->arena, BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    str now = json_string(cx->arena, json_get(before, S("status")));
    *after = before;
    if (str_eq(now, S("off")) || (status->from && !str_eq(now, str_of(status->from))))
        return ERR_OK;
    json_open(&w, '{');
    for (struct json_walk walk = json_walk(before); json_next(&walk);) {
        str key = json_string(cx->arena, walk.key);
        if (str_eq(key, S("error")))
            continue;
        json_key_str(&w, key);
        if (str_eq(key, S("status")))
            json_str(&w, str_of(status->status));
        else
            json_raw(&w, json_text(walk.value));
    }
    json_put_str(&w, "error", status->error);
    json_close(&w, '}');
    return json_parse(cx, buf_str(&buf), after);
}

err subscription_put_status(struct ctx *cx, struct store *store, str id,
                            const struct subscription_status *status)
{
    struct commit_op op = { .verb = COMMIT_PATCH, .id = id, .skip_unchanged = true,
                            .resource = fhir_resource_find(S("Subscription")),
                            .patch = patch_status, .patch_self = status };
    struct commit commit = { .ops = &op, .ops_count = 1, .who = SUBSCRIPTION_WHO,
                             .why = SUBSCRIPTION_WHY };
    size_t issues = cx->issues.kept;
    err wrong = commit_run(cx, store, &commit);
    if (wrong != ERR_NOT_FOUND && wrong != ERR_GONE)
        return wrong;
    cx->issues.kept = cx->issues.count = issues; /* deleted meanwhile */
    return ERR_OK;
}

/* ---- one call ---- */

struct sending {
    struct subscriptions *subs;
    struct subscription s;
    struct subscription_state state;
    str proved;
    const struct store_access *access;
    struct user user;
};

static err as_xml(struct ctx *cx, str *body)
{
    struct json json;
    struct buf buf = buf_make(cx->arena, BODY_BYTES);
    TRY(json_parse(cx, *body, &json));
    TRY(fhir_xml_write(cx, json, false, &buf));
    *body = buf_str(&buf);
    return ERR_OK;
}

static size_t put_headers(struct ctx *cx, const struct sending *sending, str body,
                          struct http_param *out)
{
    size_t count = 0;
    for (; count < sending->s.headers_count; count++)
        out[count] = (struct http_param){ sending->s.headers[count].name,
                                          sending->s.headers[count].value };
    out[count++] = (struct http_param){ S("X-Hub-Signature-256"),
        arena_printf(cx->arena, "sha256=%.*s",
                     STR_ARG(secret_sign(cx->arena, sending->state.secret, body))) };
    out[count++] = (struct http_param){ S("X-Frontline-Subscription"), sending->s.id };
    return count;
}

/* ERR_IO unless it is answered with 2xx. Nothing of the record is held meanwhile. */
static err call(struct ctx *cx, const struct sending *sending, const char *method, str url,
                str body)
{
    struct http_param headers[SUBSCRIPTION_HEADERS_MAX + 2];
    const struct subscription *s = &sending->s;
    struct http_answer answer;
    if (s->xml && body.n)
        TRY(as_xml(cx, &body));
    ctx_release(cx);
    struct http_call ask = {
        .method = method, .url = url, .body = body,
        .content_type = s->xml ? S("application/fhir+xml") : S("application/fhir+json"),
        .headers = headers, .headers_count = put_headers(cx, sending, body, headers),
        .timeout_ms = (s->timeout_s ? s->timeout_s : SUBSCRIPTION_TIMEOUT_S) * 1000,
        .answer_bytes = ANSWER_BYTES, .reach = sending->subs->options.reach,
        .stop = &sending->subs->stop,
    };
    TRY(http_call(cx, &ask, &answer));
    if (answer.status >= 200 && answer.status < 300)
        return ERR_OK;
    return ctx_failf(cx, ERR_IO, (str){ 0 }, "%.*s answered %d", STR_ARG(str_slice(url, 0, 200)),
                     answer.status);
}

/* Before it goes out: what cannot be noted is not told. */
static err note_access(struct ctx *cx, const struct sending *sending, int64_t from, int64_t to)
{
    struct audit_log *audit = sending->subs->options.audit;
    if (!audit || !sending->user.asker.role || !to)
        return ERR_OK;
    struct audit_entry entry = {
        .at_ms = clock_now_ms(), .who = audit_who(cx->arena, &sending->user), .act = AUDIT_READ,
        .role = str_of(sending->user.asker.role->name),
        .what = arena_printf(cx->arena, "Subscription/%.*s events %lld to %lld",
                             STR_ARG(sending->s.id), (long long)from, (long long)to) };
    uint64_t ticket;
    TRY(audit_note_seen(cx, audit, &entry, sending->access->seen, &ticket));
    return audit_settle(cx, audit, ticket);
}

static err notify(struct ctx *cx, struct store *store, const struct sending *sending,
                  struct notification n)
{
    str body;
    n.subscription = &sending->s;
    n.base = sending->subs->options.base;
    n.status = sending->s.status;
    n.rid = sending->state.rid;
    n.content = n.to ? sending->s.content : SUBSCRIPTION_EMPTY;
    cx->access = sending->access;
    err wrong = notification_write(cx, store, &n, &body);
    cx->access = NULL;
    TRY(wrong);
    TRY(note_access(cx, sending, n.from, n.to));
    return call(cx, sending, "POST", sending->s.endpoint, body);
}

/* R4's own kind: an empty POST, or the resource by PUT. A deleted one is told by DELETE. */
static err send_plain(struct ctx *cx, struct store *store, const struct sending *sending,
                      const struct subscription_event *event)
{
    struct store_version version = { 0 };
    if (sending->s.content == SUBSCRIPTION_EMPTY) {
        TRY(note_access(cx, sending, event->number, event->number));
        return call(cx, sending, "POST", sending->s.endpoint, S(""));
    }
    cx->access = sending->access;
    err found = store_vread(cx, store, event->resource, event->id, event->vid, &version);
    cx->access = NULL;
    if (found && found != ERR_GONE)
        return found == ERR_NOT_FOUND ? ERR_OK : found;
    TRY(note_access(cx, sending, event->number, event->number));
    str url = sending->s.endpoint;
    url.n -= str_ends(url, S("/"));
    url = arena_printf(cx->arena, "%.*s/%.*s/%.*s", STR_ARG(url),
                       STR_ARG(fhir_resource_name(event->resource)), STR_ARG(event->id));
    return call(cx, sending, found ? "DELETE" : "PUT", url, found ? S("") : version.body);
}

/* ---- what an item of the outbox does ---- */

static err set_field(struct ctx *cx, const struct sending *sending, enum subscription_field field,
                     int64_t number, str text)
{
    ctx_release(cx);
    return subscription_set(cx, sending->subs->options.store, &(struct subscription_set){
        .rid = sending->state.rid, .number = number, .field = field, .text = text });
}

static str last_issue(const struct ctx *cx)
{
    return cx->issues.kept ? cx->issues.list[cx->issues.kept - 1].text : S("failed");
}

/* After the last attempt the subscription is in error, and its item is done with. */
static err give_up_or_wait(struct ctx *cx, const struct sending *sending,
                           const struct due_item *item, int64_t attempts, err wrong)
{
    if (atomic_load(&sending->subs->stop) || item->failures + 1 < attempts)
        return wrong;
    str why = arena_copy(cx->arena, last_issue(cx));
    ctx_release(cx);
    return subscription_put_status(cx, sending->subs->options.store, sending->s.id,
                                   &(struct subscription_status){ .status = "error",
                                                                  .error = why });
}

static err shake_hands(struct ctx *cx, struct store *store, const struct sending *sending,
                       const struct due_item *item)
{
    int64_t attempts = sending->subs->options.attempts;
    err wrong = notify(cx, store, sending, (struct notification){
        .type = "handshake", .last = sending->state.last });
    if (wrong)
        return give_up_or_wait(cx, sending, item, attempts < HANDSHAKE_ATTEMPTS ? attempts
                                                       : HANDSHAKE_ATTEMPTS, wrong);
    TRY(set_field(cx, sending, SUBSCRIPTION_SET_PROVED, clock_now_ms(), sending->s.endpoint));
    return subscription_put_status(cx, store, sending->s.id,
        &(struct subscription_status){ .status = "active", .from = "requested" });
}

/* The next events, as many as one notification takes; *to 0: there are none. */
static err next_batch(struct ctx *cx, struct store *store, const struct sending *sending,
                      int64_t *from, int64_t *to)
{
    const struct subscription *s = &sending->s;
    int64_t most = s->plain ? 1 : s->max_count ? s->max_count : SUBSCRIPTION_BATCH;
    int64_t first = sending->state.sent + 1, last = sending->state.last;
    struct subscription_events events = {
        .rid = sending->state.rid, .from = first,
        .to = last < first + most - 1 ? last : first + most - 1 };
    TRY(subscription_events(cx, store, &events));
    *from = first;
    *to = events.count ? events.list[events.count - 1].number : 0;
    if (!events.count || !s->plain)
        return ERR_OK;
    return send_plain(cx, store, sending, &events.list[0]);
}

static err send_next(struct ctx *cx, struct store *store, struct sending *sending, bool *more)
{
    int64_t from, to;
    *more = false;
    TRY(next_batch(cx, store, sending, &from, &to));
    if (!to && sending->state.sent < sending->state.last) /* so old that they are not kept */
        to = sending->state.last;
    else if (!to)
        return ERR_OK;
    else if (!sending->s.plain)
        TRY(notify(cx, store, sending, (struct notification){
            .type = "event-notification", .last = to, .from = from, .to = to }));
    TRY(set_field(cx, sending, SUBSCRIPTION_SET_SENT, to, (str){ 0 }));
    sending->state.sent = to;
    TRY(subscription_state_find(cx, store, sending->s.id, &sending->state));
    ctx_release(cx);
    *more = sending->state.sent < sending->state.last;
    return ERR_OK;
}

static err send_all(struct ctx *cx, struct store *store, struct sending *sending,
                    const struct due_item *item)
{
    bool more = true;
    err known = gate_kept(cx, sending->subs->options.gate, sending->state.kept, &sending->user,
                          &sending->access);
    if (known == ERR_LOGIN || known == ERR_FORBIDDEN || known == ERR_NOT_FOUND) {
        ctx_release(cx);
        return subscription_put_status(cx, store, sending->s.id, &(struct subscription_status){
            .status = "off", .error = S("whoever made it may not see this any more") });
    }
    TRY(known);
    for (int round = 0; more && round < ROUNDS_MOST; round++) {
        struct arena_mark mark = arena_mark(cx->arena);
        struct subscription_state state = sending->state;
        err wrong = send_next(cx, store, sending, &more);
        if (wrong)
            return give_up_or_wait(cx, sending, item, sending->subs->options.attempts, wrong);
        state.last = sending->state.last;
        state.sent = sending->state.sent;
        sending->state = state; /* its texts are older than the mark */
        ctx_release(cx);
        arena_rewind(cx->arena, mark);
    }
    return ERR_OK;
}

/* *found false: there is nothing to send to any more. */
static err read_sending(struct ctx *cx, struct store *store, str id, struct sending *out,
                        bool *found)
{
    struct store_version version;
    struct json body;
    size_t issues = cx->issues.kept;
    *found = store_read(cx, store, fhir_resource_find(S("Subscription")), id, &version) == ERR_OK &&
             subscription_state_find(cx, store, id, &out->state) == ERR_OK &&
             json_parse(cx, version.body, &body) == ERR_OK &&
             subscription_read(cx, body, &out->s) == ERR_OK &&
             subscription_proved(cx, store, id, &out->proved) == ERR_OK;
    cx->issues.kept = cx->issues.count = issues;
    ctx_release(cx);
    return ERR_OK;
}

err subscription_deliver(struct ctx *cx, struct store *store, const struct due_item *item,
                         void *self)
{
    struct sending sending = { .subs = self };
    bool found;
    TRY(read_sending(cx, store, item->key, &sending, &found));
    if (!found || sending.s.channel != SUBSCRIPTION_REST_HOOK)
        return ERR_OK;
    if (str_eq(sending.s.status, S("requested")))
        return sending.s.plain ? ERR_OK : shake_hands(cx, store, &sending, item);
    if (!str_eq(sending.s.status, S("active")))
        return ERR_OK;
    if (!sending.s.plain && !str_eq(sending.proved, sending.s.endpoint))
        return ERR_OK; /* the consumer asks for a handshake first */
    return send_all(cx, store, &sending, item);
}

struct next_beat {
    str id;
    int64_t due_ms;
};

static err put_beat(struct ctx *cx, struct db *db, void *self)
{
    const struct next_beat *beat = self;
    return due_put(cx, db, &(struct due_item){ .kind = SUBSCRIPTION_BEAT, .key = beat->id,
                                               .due_ms = beat->due_ms });
}

/* A beat that fails is not repeated: the next one, or the next event, will tell. */
err subscription_beat(struct ctx *cx, struct store *store, const struct due_item *item, void *self)
{
    struct sending sending = { .subs = self };
    bool found;
    TRY(read_sending(cx, store, item->key, &sending, &found));
    if (!found || !sending.s.heartbeat_s || sending.s.plain ||
        !str_eq(sending.s.status, S("active")))
        return ERR_OK;
    int64_t now_ms = clock_now_ms(), next_ms = sending.state.spoke_ms +
                                               sending.s.heartbeat_s * 1000;
    if (now_ms >= next_ms && sending.state.sent == sending.state.last) {
        size_t issues = cx->issues.kept;
        if (notify(cx, store, &sending, (struct notification){
                .type = "heartbeat", .last = sending.state.last }) == ERR_OK)
            TRY(set_field(cx, &sending, SUBSCRIPTION_SET_SPOKE, now_ms, (str){ 0 }));
        cx->issues.kept = cx->issues.count = issues;
    }
    if (now_ms >= next_ms)
        next_ms = now_ms + sending.s.heartbeat_s * 1000;
    struct next_beat next = { sending.s.id, next_ms };
    ctx_release(cx);
    return store_write(cx, store, put_beat, &next);
}
