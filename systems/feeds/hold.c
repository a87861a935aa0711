/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/feeds/hold.h"
#include "auth/gate.h"
#include "base/base64.h"
#include "base/clock.h"
#include "feeds_feeds.html.h"
#include "fhir/datetime.h"
#include "hl7v2/again.h"
#include "http/text.h"
#include "jobs/once.h"
#include "json/write.h"
#include "store/search.h"

#define MESSAGE_ID S("https://frontline.example/Id/hl7v2-message")
#define EVENTS "http://terminology.hl7.org/CodeSystem/v2-0003"
#define TAKE_MEMORY_BYTES ((size_t)256 << 20)

static const struct hl7_receiver *used;

void feeds_use(const struct hl7_receiver *receiver)
{
    used = receiver;
}

str feeds_name(const struct hl7_watched *sender)
{
    return (str){ sender->name, sender->name_bytes };
}

str feeds_last_taken(struct ctx *cx, const struct feeds_destination *one)
{
    return one->last_ms ? ui_time(cx, one->last_ms) : S("Nothing since the start");
}

str feeds_last(struct ctx *cx, const struct hl7_watched *sender)
{
    return sender->last_ms ? ui_time(cx, sender->last_ms) : S("No message since the start");
}

static err see_again(struct ctx *cx, struct store *store, const struct store_version *version,
                     void *self)
{
    (void)store;
    (void)self;
    return used ? hl7_again(cx, used, version) : ERR_OK;
}

static const char *const stays[] = { "Encounter", NULL };
const struct consumer feeds_again = {
    .name = "hl7-again", .about = "gives a bed that was left to the stay that waits for it",
    .types = stays, .from_now = true, .consume = see_again,
};

/* ---- reading one ---- */

static struct feeds_held held_of(struct ctx *cx, const struct store_version *version,
                                 struct json body)
{
    struct feeds_held held = { .id = version->id, .received = ui_time(cx, version->at_ms) };
    struct json category = json_at(json_get(json_at(json_get(body, S("category")), 0),
                                            S("coding")), 0);
    held.event = json_string(cx->arena, json_get(category, S("code")));
    held.reason = json_string(cx->arena, json_get(json_get(body, S("statusReason")), S("text")));
    for (struct json_walk w = json_walk(json_get(body, S("identifier"))); json_next(&w);) {
        str key = json_string(cx->arena, json_get(w.value, S("value"))), application, facility;
        if (!json_string_is(json_get(w.value, S("system")), MESSAGE_ID) ||
            !str_next(&key, '|', &application) || !str_next(&key, '|', &facility))
            continue;
        held.from = arena_printf(cx->arena, "%.*s|%.*s", STR_ARG(application), STR_ARG(facility));
        held.control = key;
    }
    return held;
}

static str bytes_of(struct ctx *cx, struct json body)
{
    struct json payload = json_at(json_get(body, S("payload")), 0);
    struct json data = json_get(json_get(payload, S("contentAttachment")), S("data"));
    str bytes = { 0 };
    if (!base64_decode(cx->arena, json_string(cx->arena, data), &bytes))
        return S("");
    return bytes;
}

/* Segments a line each, as people read them; the feed ends them by a carriage return. */
static str with_ends(struct ctx *cx, str text, char from, char to)
{
    char *out = arena_alloc(cx->arena, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\r' && i + 1 < text.n && text.p[i + 1] == '\n')
            continue; /* a form sends both */
        out[n++] = text.p[i] == from ? to : text.p[i];
    }
    return (str){ out, n };
}

static err read_one(struct http_request *request, struct json *body, struct feeds_message *out)
{
    struct ctx *cx = request->cx;
    struct store_version version;
    TRY(store_read(cx, request->store, fhir_resource_find(S("Communication")),
                   request->captures[0], &version));
    TRY(json_parse(cx, version.body, body));
    out->held = held_of(cx, &version, *body);
    out->open = json_string_is(json_get(*body, S("status")), S("on-hold"));
    if (!out->held.control.n)
        return ctx_fail(cx, ERR_NOT_FOUND, (str){ 0 }, S("this is no message of a feed"));
    return ERR_OK;
}

/* ---- who was heard before ---- */

enum { RECALL_MAX = 500 };

static void recall_one(struct ctx *cx, const struct search_entry *entry, struct json body)
{
    struct feeds_held held = held_of(cx, &entry->version, body);
    struct datetime heard;
    str application, facility = held.from;
    if (str_next(&facility, '|', &application) &&
        datetime_parse(json_string(cx->arena, json_get(body, S("received"))),
                       DATETIME_AS_INSTANT, &heard))
        hl7_watch_recall(application, facility, heard.low_ms);
}

err feeds_recall(struct ctx *cx, struct store *store)
{
    struct search_request ask = { .resource = fhir_resource_find(S("Communication")),
        .query = S("category=" EVENTS "%7C&_sort=-_lastUpdated"),
        .count_default = RECALL_MAX, .count_max = RECALL_MAX };
    struct search_page page;
    TRY(store_reader(cx, store));
    TRY(search_run(cx, store, &ask, &page));
    for (size_t i = 0; i < page.entries_count; i++) {
        struct json body;
        TRY(json_parse(cx, page.entries[i].version.body, &body));
        recall_one(cx, &page.entries[i], body);
    }
    store_reader_end(cx);
    return ERR_OK;
}

/* ---- the list ---- */

static err read_held(struct http_request *request, struct feeds_page *out)
{
    struct ctx *cx = request->cx;
    struct search_request ask = { .resource = fhir_resource_find(S("Communication")),
        .query = S("status=on-hold&category=" EVENTS "%7C&_sort=-_lastUpdated"),
        .count_default = FEEDS_LIST, .count_max = FEEDS_LIST };
    struct search_page page;
    TRY(search_run(cx, request->store, &ask, &page));
    out->held = arena_array(cx->arena, page.entries_count + 1, sizeof *out->held);
    for (size_t i = 0; i < page.entries_count; i++) {
        struct json body;
        TRY(json_parse(cx, page.entries[i].version.body, &body));
        out->held[out->held_count++] = held_of(cx, &page.entries[i].version, body);
    }
    out->more = str_given(page.next_query);
    return ERR_OK;
}

err feeds_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct feeds_page feeds = { .page = ui_page_for(request, S("Feeds")) };
    feeds.page.section = "/feeds";
    feeds.page.as_of = ui_time(cx, cx->now_ms);
    feeds.senders = arena_array(cx->arena, HL7_WATCH_MAX, sizeof *feeds.senders);
    feeds.senders_count = hl7_watch_list(feeds.senders);
    for (size_t i = 0; i < feeds.senders_count; i++)
        feeds.silent += feeds.senders[i].silent;
    TRY(read_held(request, &feeds));
    TRY(feeds_outbox_read(cx, request->store, &feeds.outbox));
    struct buf out = ui_page_buf(request);
    feeds_list_draw(&out, cx, &feeds);
    return ui_page_send(request, response, &out);
}

/* ---- one message ---- */

static err show_one(struct http_request *request, struct http_response *response, str text,
                    str fault)
{
    struct ctx *cx = request->cx;
    struct json body;
    struct feeds_message one = { .page = ui_page_for(request, S("A message on hold")) };
    TRY(read_one(request, &body, &one));
    one.page.section = "/feeds";
    one.page.back_href = S("/feeds");
    one.page.back_text = S("Feeds");
    one.text = str_given(text) ? text : with_ends(cx, bytes_of(cx, body), '\r', '\n');
    one.fault = fault;
    struct buf out = ui_page_buf(request);
    feeds_message_draw(&out, &one);
    TRY(ui_page_send(request, response, &out));
    response->status = fault.n ? 422 : 200;
    return ERR_OK;
}

err feeds_message_get(struct http_request *request, struct http_response *response)
{
    return show_one(request, response, (str){ 0 }, S(""));
}

/* The feed's own work, not that of whoever pressed the button: with the feed's rights, and kept as
 * the feed's. The request itself is in the audit. */
struct taking {
    str bytes, answer;
    struct arena *arena; /* of the request */
};

static err take_again(struct ctx *cx, void *self)
{
    struct taking *taking = self;
    struct buf answer = buf_make(cx->arena, FEEDS_TEXT_MAX);
    hl7_receive(cx, used, taking->bytes, &answer);
    taking->answer = arena_copy(taking->arena, buf_str(&answer));
    return ERR_OK;
}

/* "AA" or "CA" is well; else the text of the first MSA. */
static bool is_taken(str answer, str *why)
{
    str rest = answer, line;
    *why = S("it could not be read");
    while (str_next(&rest, '\r', &line)) {
        if (!str_starts(line, S("MSA|")) || line.n < 6)
            continue;
        str code = str_slice(line, 4, 6);
        if (str_eq(code, S("AA")) || str_eq(code, S("CA")))
            return true;
        size_t bar = str_find_char(str_slice(line, 7, line.n), '|');
        if (bar != STR_NONE)
            *why = str_slice(line, 7 + bar + 1, line.n);
        return false;
    }
    return false;
}

struct aside {
    str status, reason;
};

static err put_aside(struct ctx *cx, const struct commit_op *op, struct json before,
                     struct json *after)
{
    const struct aside *aside = op->patch_self;
    struct buf buf = buf_make(cx->arena, (size_t)32 << 20);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    for (struct json_walk walk = json_walk(before); json_next(&walk);) {
        str key = json_string(cx->arena, walk.key);
        if (str_eq(key, S("statusReason")))
            continue;
        json_key_str(&w, key);
        if (str_eq(key, S("status")))
            json_str(&w, aside->status);
        else
            json_raw(&w, json_text(walk.value));
    }
    json_key(&w, "statusReason");
    json_open(&w, '{');
    json_put_str(&w, "text", aside->reason);
    json_close(&w, '}');
    json_close(&w, '}');
    return json_parse(cx, buf_str(&buf), after);
}

static err set_aside(struct http_request *request, const struct feeds_message *one, str reason)
{
    struct ctx *cx = request->cx;
    str who = cx->user ? cx->user->person.name : S("");
    if (str_trim(reason).n < 3)
        return ctx_fail(cx, ERR_INVALID, S("reason"), S("say why it is set aside"));
    struct aside aside = { S("stopped"),
        arena_printf(cx->arena, "set aside%s%.*s: %.*s", who.n ? " by " : "", STR_ARG(who),
                     STR_ARG(str_slice(reason, 0, 500))) };
    struct commit_op op = { .verb = COMMIT_PATCH, .id = one->held.id, .patch = put_aside,
                            .resource = fhir_resource_find(S("Communication")),
                            .patch_self = &aside };
    struct commit commit = { .ops = &op, .ops_count = 1, .who = who.n ? who : S("operator"),
                             .why = S("a message on hold is set aside") };
    return commit_run(cx, request->store, &commit);
}

static err take_one(struct http_request *request, struct http_response *response,
                    const struct feeds_message *one, str text)
{
    struct ctx *cx = request->cx;
    struct taking taking = { .arena = cx->arena, .bytes = with_ends(cx, text, '\n', '\r') };
    str why;
    (void)one;
    ctx_release(cx);
    TRY(job_once(TAKE_MEMORY_BYTES, take_again, &taking));
    if (!is_taken(taking.answer, &why))
        return show_one(request, response, text, why);
    response->status = 303;
    http_put_header(response, S("Location"), S("/feeds"));
    return ERR_OK;
}

err feeds_message_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct json body;
    struct feeds_message one = { 0 };
    str act = http_query_value(cx->arena, request->body, S("act"));
    TRY(read_one(request, &body, &one));
    if (!one.open)
        return ctx_fail(cx, ERR_CONFLICT, (str){ 0 },
                        S("this message is not on hold any more; look at the list again"));
    if (str_eq(act, S("take")))
        return take_one(request, response, &one,
                        http_query_value(cx->arena, request->body, S("message")));
    if (!str_eq(act, S("aside")))
        return ctx_fail(cx, ERR_INVALID, S("act"), S("choose what to do with the message"));
    TRY(set_aside(request, &one, http_query_value(cx->arena, request->body, S("reason"))));
    response->status = 303;
    http_put_header(response, S("Location"), S("/feeds"));
    return ERR_OK;
}
