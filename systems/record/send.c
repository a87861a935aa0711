/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/send.h"
#include "base/base64.h"
#include "http/client.h"
#include "store/commit.h"
#include "systems/record/entry.h"
#include "systems/record/home.h"

enum { VERSIONS_LOOKED = 30, WHY_SHOWN = 300 };
static const char kind_name[] = "gp-out", document_prefix[] = "doc-";

static struct {
    str destinations;
    struct reach reach;
} config;

err send_to(struct ctx *cx, str destinations, str allow)
{
    config.destinations = destinations;
    return reach_read(cx, allow, &config.reach);
}

/* ---- where ---- */

static bool is_called(struct ctx *cx, str id, struct json organization, str name)
{
    if (str_eq(name, id) || str_eq(name, S("*")))
        return true;
    for (struct json_walk w = json_walk(json_get(organization, S("identifier"))); json_next(&w);)
        if (str_eq_nocase(record_text(cx, w.value, "value"), name))
            return true;
    return false;
}

str send_url(struct ctx *cx, str id, struct json organization)
{
    str rest = config.destinations, word, name;
    while (str_next(&rest, ' ', &word))
        if (str_next(&word, '=', &name) && id.n && is_called(cx, id, organization, name))
            return word;
    return S("");
}

static str url_for(struct ctx *cx, struct store *store, struct json communication, str *practice)
{
    struct record_item item;
    str id = record_reference_id(cx, communication, "recipient", "Organization");
    *practice = S("the practice");
    if (!id.n || record_read(cx, store, "Organization", id, &item) != ERR_OK)
        return S("");
    str name = record_text(cx, item.body, "name");
    *practice = name.n ? name : id;
    return send_url(cx, id, item.body);
}

/* ---- what became of it ---- */

struct outcome {
    const char *status;
    str why;     /* of a refusal */
    str answer;  /* of a receipt */
};

static err patch_outcome(struct ctx *cx, const struct commit_op *op, struct json before,
                         struct json *after)
{
    const struct outcome *outcome = op->patch_self;
    struct entry_change change = { .cx = cx, .before = before };
    bool received = outcome->answer.n > 0;
    entry_put_text(&change, "status", str_of(outcome->status));
    entry_put(&change, "statusReason", outcome->why.n
              ? arena_printf(cx->arena, "{\"text\":%.*s}",
                             STR_ARG(record_json_text(cx, outcome->why))) : (str){ 0 });
    entry_put_text(&change, "received", received ? entry_now(cx) : (str){ 0 });
    entry_put(&change, "note", received
              ? arena_printf(cx->arena, "[{\"text\":%.*s}]",
                             STR_ARG(record_json_text(cx, outcome->answer))) : (str){ 0 });
    return entry_made(&change, "Communication", after);
}

static err note_outcome(struct ctx *cx, struct store *store, str id, const struct outcome *outcome)
{
    struct commit_op op = { .verb = COMMIT_PATCH, .id = id, .skip_unchanged = true,
                            .resource = fhir_resource_find(S("Communication")), .granted = true,
                            .patch = patch_outcome, .patch_self = outcome };
    struct commit commit = { .ops = &op, .ops_count = 1, .cx = cx, .who = S("outbox"),
                             .why = S("record: discharge summary on its way") };
    return commit_run(cx, store, &commit);
}

static err put_due(struct ctx *cx, struct db *db, void *self)
{
    return due_put(cx, db, self);
}

err send_again(struct ctx *cx, struct store *store, str id)
{
    struct outcome outcome = { .status = "in-progress" };
    struct due_item item = { .kind = S(kind_name), .key = id, .due_ms = cx->now_ms };
    TRY(note_outcome(cx, store, id, &outcome));
    return store_write(cx, store, put_due, &item);
}

/* ---- into the outbox ---- */

static err add_due(struct ctx *cx, struct db *db, void *self)
{
    return due_add(cx, db, self);
}

static err follow(struct ctx *cx, struct store *store, const struct store_version *version,
                  void *self)
{
    struct json body;
    (void)self;
    if (version->method == STORE_DELETED || !str_starts(version->id, S(document_prefix)))
        return ERR_OK;
    TRY(json_parse(cx, version->body, &body));
    if (!json_string_is(json_get(body, S("status")), S("in-progress")))
        return ERR_OK;
    struct due_item item = { .kind = S(kind_name), .key = version->id, .due_ms = cx->now_ms };
    return store_write(cx, store, add_due, &item);
}

static const char *const followed[] = { "Communication", NULL };
const struct consumer send_outbox = {
    .name = kind_name, .about = "takes discharge summaries to practices", .types = followed,
    .from_now = true, .consume = follow,
};

/* ---- one try ---- */

static err read_bundle(struct ctx *cx, struct store *store, str id, str *out)
{
    struct record_item document;
    TRY(record_read(cx, store, "DocumentReference", id, &document));
    struct json attachment = json_get(json_at(json_get(document.body, S("content")), 0),
                                      S("attachment"));
    if (!base64_decode(cx->arena, record_text(cx, attachment, "data"), out))
        return ctx_fail(cx, ERR_INVALID, S(""), S("the document cannot be read"));
    return ERR_OK;
}

static bool is_refusal(err wrong, int status)
{
    return wrong == ERR_FORBIDDEN || wrong == ERR_INVALID ||
           (wrong == ERR_OK && status >= 300 && status < 500 && status != 408 && status != 429);
}

/* ERR_IO: to be tried again. */
static err judge(struct ctx *cx, struct store *store, str id, str url, err wrong,
                 const struct http_answer *answer)
{
    if (wrong == ERR_OK && answer->status >= 200 && answer->status < 300)
        return note_outcome(cx, store, id, &(struct outcome){ .status = "completed",
                            .answer = arena_printf(cx->arena, "%.*s answered %d", STR_ARG(url),
                                                   answer->status) });
    if (!is_refusal(wrong, answer->status))
        return wrong ? wrong : ctx_failf(cx, ERR_IO, S(""), "%.*s answered %d", STR_ARG(url),
                                         answer->status);
    str why = wrong ? arena_copy(cx->arena, cx->issues.list[cx->issues.kept - 1].text)
                    : arena_printf(cx->arena, "%.*s answered %d: %.*s", STR_ARG(url),
                                   answer->status,
                                   STR_ARG(str_slice(answer->body, 0, WHY_SHOWN)));
    cx->issues.count = cx->issues.kept = 0;
    return note_outcome(cx, store, id, &(struct outcome){ .status = "stopped", .why = why });
}

static err try_to_send(struct ctx *cx, struct store *store, const struct due_item *item,
                       void *self)
{
    struct record_item communication;
    struct http_answer answer = { 0 };
    str bundle, practice;
    (void)self;
    TRY(record_read(cx, store, "Communication", item->key, &communication));
    if (!json_string_is(json_get(communication.body, S("status")), S("in-progress")))
        return ERR_OK; /* sent, refused or taken back meanwhile */
    str url = url_for(cx, store, communication.body, &practice);
    if (!url.n)
        return ctx_failf(cx, ERR_BUSY, S(""), "record.send_to names no destination for %.*s",
                         STR_ARG(practice));
    TRY(read_bundle(cx, store, item->key, &bundle));
    ctx_release(cx); /* nothing of the record is held while the other side thinks */
    struct http_param key = { S("Idempotency-Key"), item->key };
    struct http_call ask = { .method = "POST", .url = url, .body = bundle,
                             .content_type = S("application/fhir+json"), .headers = &key,
                             .headers_count = 1, .timeout_ms = SEND_ANSWER_MS,
                             .answer_bytes = SEND_ANSWER_BYTES, .reach = &config.reach };
    err wrong = http_call(cx, &ask, &answer);
    return judge(cx, store, item->key, url, wrong, &answer);
}

const struct due_kind send_due = { .name = kind_name, .run = try_to_send, .away = true };

/* ---- for people ---- */

str send_id(struct ctx *cx, const struct record_item *note, int64_t vid)
{
    return arena_printf(cx->arena, "%s%.*s-%lld", document_prefix,
                        STR_ARG(str_slice(note->id, 0, 48)), (long long)vid);
}

/* The Communication of this version, else of the latest one before it that was sent. */
static bool find_sent(struct record_look *look, const struct record_item *note, int64_t *vid,
                      struct record_item *out)
{
    struct ctx *cx = look->cx;
    size_t count = cx->issues.count, kept = cx->issues.kept;
    bool found = false;
    for (*vid = note->vid; !found && *vid > 0 && *vid > note->vid - VERSIONS_LOOKED; --*vid)
        found = record_read(cx, look->store, "Communication", send_id(cx, note, *vid),
                            out) == ERR_OK;
    *vid += found;
    cx->issues.count = count;
    cx->issues.kept = kept;
    return found;
}

static err say_waiting(struct record_look *look, const struct record_item *item,
                       struct send_view *out)
{
    struct ctx *cx = look->cx;
    struct due_state due = { 0 };
    bool found;
    TRY(due_find(cx, look->store, S(kind_name), item->id, &due, &found));
    out->chip = "Waiting to be sent";
    out->tone = UI_LOW;
    out->state = S("It leaves in a moment.");
    if (!found || !due.failures)
        return ERR_OK;
    out->state = arena_printf(cx->arena, "Tried %lld times; the last time: %.*s",
                              (long long)due.failures, STR_ARG(due.error));
    out->todo = due.parked
        ? S("Try again, or print it and send it by hand. Whoever runs this server sees it too.")
        : S("It is tried again by itself. When it cannot wait, print it.");
    out->chip = due.parked ? "Stands still" : "Not received yet";
    out->tone = due.parked ? UI_HIGH : UI_MEDIUM;
    out->again = out->may_send = due.parked;
    return ERR_OK;
}

static err say_sent(struct record_look *look, const struct record_item *item, struct send_view *out)
{
    struct ctx *cx = look->cx;
    str status = record_text(cx, item->body, "status");
    out->may_send = false;
    if (str_eq(status, S("in-progress")))
        return say_waiting(look, item, out);
    if (str_eq(status, S("completed"))) {
        out->chip = "Received";
        out->tone = UI_GOOD;
        out->state = arena_printf(cx->arena, "%.*s confirmed it on %.*s", STR_ARG(out->practice),
                                  STR_ARG(record_shown_when(cx, record_text(cx, item->body,
                                                                            "received"))));
        return ERR_OK;
    }
    out->chip = "Refused";
    out->tone = UI_HIGH;
    out->state = record_text(cx, json_get(item->body, S("statusReason")), "text");
    out->todo = S("Mend what it names and send it again, or print it and send it by hand.");
    out->again = out->may_send = true;
    return ERR_OK;
}

static void find_practice(struct record_look *look, struct send_view *out)
{
    struct ctx *cx = look->cx;
    struct record_item patient, practice;
    size_t count = cx->issues.count, kept = cx->issues.kept;
    out->practice = S("the GP practice");
    out->url = S("");
    if (record_read(cx, look->store, "Patient", look->patient, &patient) == ERR_OK) {
        str id = record_reference_id(cx, patient.body, "generalPractitioner", "Organization");
        if (id.n && record_read(cx, look->store, "Organization", id, &practice) == ERR_OK) {
            str name = record_text(cx, practice.body, "name");
            out->practice = name.n ? name : id;
            out->url = send_url(cx, id, practice.body);
        }
    }
    cx->issues.count = count;
    cx->issues.kept = kept;
}

err send_look(struct record_look *look, const struct record_item *note, struct send_view *out)
{
    struct record_item sent;
    int64_t vid = 0;
    *out = (struct send_view){ .shown = true, .chip = "Not sent", .tone = UI_LOW };
    find_practice(look, out);
    bool found = find_sent(look, note, &vid, &sent);
    if (found && vid == note->vid)
        return say_sent(look, &sent, out);
    out->may_send = out->url.n > 0;
    out->state = out->may_send
        ? arena_printf(look->cx->arena, "It goes to %.*s when you send it.", STR_ARG(out->practice))
        : arena_printf(look->cx->arena, "Nothing is sent from here: this server knows no address "
                       "for %.*s.", STR_ARG(out->practice));
    if (!out->may_send)
        out->todo = S("Print it and send it by hand.");
    out->before = found ? vid : 0;
    if (found)
        out->todo = arena_printf(look->cx->arena, "Version %lld was sent. What was changed since "
                                 "has not been.", (long long)vid);
    return ERR_OK;
}
