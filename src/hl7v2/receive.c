/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/receive.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/log.h"
#include "hl7v2/mllp.h"
#include "hl7v2/watch.h"
#include "hl7v2/work.h"
#include "store/merge.h"
#include "store/search.h"

#define MESSAGE_ID "https://frontline.example/Id/hl7v2-message"
#define PERSON_ID "https://frontline.example/Id/hl7v2-patient"
#define VISIT_ID "https://frontline.example/Id/hl7v2-visit"
#define ONE_APPLICATION "one application of an HL7 message"

/* ---- what each event does ---- */

static err person(struct hl7_work *work)
{
    return hl7_map_patient(work, true);
}

static err visit(struct hl7_work *work, enum hl7_move move)
{
    bool known_only = move == HL7_CANCEL_ADMIT || move == HL7_CANCEL_TRANSFER ||
                      move == HL7_CANCEL_DISCHARGE || move == HL7_DISCHARGE;
    TRY(hl7_map_patient(work, !known_only));
    return hl7_map_visit(work, move);
}

static err admit(struct hl7_work *work) { return visit(work, HL7_ADMIT); }
static err transfer(struct hl7_work *work) { return visit(work, HL7_TRANSFER); }
static err discharge(struct hl7_work *work) { return visit(work, HL7_DISCHARGE); }
static err register_visit(struct hl7_work *work) { return visit(work, HL7_REGISTER); }
static err preadmit(struct hl7_work *work) { return visit(work, HL7_PREADMIT); }
static err update(struct hl7_work *work) { return visit(work, HL7_UPDATE); }
static err cancel_admit(struct hl7_work *work) { return visit(work, HL7_CANCEL_ADMIT); }
static err cancel_transfer(struct hl7_work *work) { return visit(work, HL7_CANCEL_TRANSFER); }
static err cancel_discharge(struct hl7_work *work) { return visit(work, HL7_CANCEL_DISCHARGE); }
static err book(struct hl7_work *work) { return hl7_map_booking(work, "booked"); }
static err unbook(struct hl7_work *work) { return hl7_map_booking(work, "cancelled"); }
static err missed(struct hl7_work *work) { return hl7_map_booking(work, "noshow"); }

static const struct {
    const char *type, *event;
    err (*map)(struct hl7_work *work);
} events[] = {
    { "ADT", "A01", admit },        { "ADT", "A02", transfer },
    { "ADT", "A03", discharge },    { "ADT", "A04", register_visit },
    { "ADT", "A05", preadmit },     { "ADT", "A08", update },
    { "ADT", "A11", cancel_admit }, { "ADT", "A12", cancel_transfer },
    { "ADT", "A13", cancel_discharge }, { "ADT", "A28", person },
    { "ADT", "A31", person },       { "ADT", "A40", hl7_map_merge },
    { "ORU", "R01", hl7_map_results }, { "MDM", "T02", hl7_map_document },
    { "SIU", "S12", book },         { "SIU", "S13", book },
    { "SIU", "S14", book },         { "SIU", "S15", unbook },
    { "SIU", "S26", missed },
};

static err (*mapping_of(const struct hl7_message *message))(struct hl7_work *)
{
    for (size_t i = 0; i < COUNT(events); i++)
        if (str_eq(message->type, str_of(events[i].type)) &&
            str_eq(message->event, str_of(events[i].event)))
            return events[i].map;
    return NULL;
}

static bool known_type(const struct hl7_message *message)
{
    for (size_t i = 0; i < COUNT(events); i++)
        if (str_eq(message->type, str_of(events[i].type)))
            return true;
    return false;
}

/* What cannot be processed at all, whoever the patient is. */
static bool is_rejected(struct hl7_work *work, struct hl7_answer *out)
{
    const struct hl7_message *m = work->message;
    str processing = hl7_field(work, m->segments, 11, 1);
    str version = hl7_field(work, m->segments, 12, 1);
    *out = (struct hl7_answer){ .outcome = HL7_REJECTED };
    if (!str_trim(m->control_id).n)
        *out = (struct hl7_answer){ HL7_REJECTED, 101, S("MSH-10"),
                                    S("the message must have a control id") };
    else if (!mapping_of(m))
        *out = (struct hl7_answer){ HL7_REJECTED, known_type(m) ? 201 : 200, S("MSH-9"),
                                    S("this type of message is not taken here") };
    else if (processing.n && !memchr("PTD", processing.p[0], 3))
        *out = (struct hl7_answer){ HL7_REJECTED, 202, S("MSH-11"),
                                    S("the processing id must be P, T or D") };
    else if (version.n && !str_starts(version, S("2.")))
        *out = (struct hl7_answer){ HL7_REJECTED, 203, S("MSH-12"),
                                    S("the version must be 2.x") };
    return out->code != 0;
}

/* ---- the message itself, kept ---- */

static str message_key(struct hl7_work *work)
{
    const struct hl7_message *m = work->message;
    return arena_printf(work->cx->arena, "%.*s|%.*s|%.*s", STR_ARG(m->application),
                        STR_ARG(m->facility), STR_ARG(m->control_id));
}

static void put_identifier(struct json_writer *w, const char *system, str value)
{
    if (!value.n)
        return;
    json_open(w, '{');
    json_put_str(w, "system", str_of(system));
    json_put_str(w, "value", value);
    json_close(w, '}');
}

/* On hold, it is found again by whom it is about. */
static str identifiers(struct hl7_work *work, bool held)
{
    struct buf buf = hl7_buf(work);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '[');
    put_identifier(&w, MESSAGE_ID, message_key(work));
    put_identifier(&w, VISIT_ID, work->visit);
    for (size_t i = 0; held && i < work->people_count; i++)
        put_identifier(&w, PERSON_ID, work->people[i]);
    if (held && work->taken && work->waits_count)
        put_identifier(&w, HL7_WAITS_ID, S("bed"));
    for (size_t i = 0; held && work->taken && i < work->waits_count; i++)
        put_identifier(&w, HL7_WAITS_ID, work->waits[i]);
    json_close(&w, ']');
    return buf_str(&buf);
}

static str payload(struct hl7_work *work, str bytes)
{
    return arena_printf(work->cx->arena,
                        "[{\"contentAttachment\":{\"contentType\":\"x-application/hl7-v2+er7\","
                        "\"data\":\"%.*s\"}}]", STR_ARG(base64_encode(work->cx->arena, bytes)));
}

static str now_text(struct hl7_work *work)
{
    char now[CLOCK_TEXT];
    clock_write(work->cx->now_ms, now);
    return arena_copy(work->cx->arena, (str){ now, CLOCK_TEXT });
}

/* `reason` given: put on hold for it, or, when it was rejected, kept as not done. An earlier one on
 * hold for the same message is taken on. */
static err keep_message(struct hl7_work *work, str bytes, str reason)
{
    bool rejected = work->answer.outcome == HL7_REJECTED;
    struct arena *arena = work->cx->arena;
    struct hl7_found found;
    str coding = hl7_json_code(work, "http://terminology.hl7.org/CodeSystem/v2-0003",
                               work->message->event);
    str text = hl7_json_text(work, reason);
    TRY(hl7_find(work, "Communication", S(MESSAGE_ID), message_key(work), &found));
    struct hl7_change changes[] = {
        { "identifier", identifiers(work, reason.n > 0), NULL },
        { "status", !reason.n  ? S("\"completed\"")
                    : rejected ? S("\"not-done\"") : S("\"on-hold\""), NULL },
        { "statusReason", text.n ? arena_printf(arena, "{\"text\":%.*s}", STR_ARG(text)) : S(""),
          NULL },
        { "category", arena_printf(arena, "[{\"coding\":[%.*s]}]", STR_ARG(coding)), NULL },
        { "subject", hl7_json_subject(work), NULL },
        { "encounter", hl7_json_reference(work, work->encounter), NULL },
        { "sent", hl7_json_text(work, work->event_time), NULL },
        { "received", found.found ? (str){ 0 } : hl7_json_text(work, now_text(work)), NULL },
        { "payload", payload(work, bytes), NULL },
        { 0 },
    };
    return hl7_put(work, "Communication", S(MESSAGE_ID), message_key(work), changes, &found);
}

static err claims(struct ctx *cx, struct store *store, struct json communication,
                  struct claim *out, size_t *count)
{
    (void)store;
    if (!json_string_is(json_get(communication, S("status")), S("completed")))
        return ERR_OK;
    struct json list = json_get(communication, S("identifier"));
    for (struct json_walk w = json_walk(list); json_next(&w) && *count < CLAIMS_MAX;)
        if (json_string_is(json_get(w.value, S("system")), S(MESSAGE_ID)))
            out[(*count)++] = (struct claim){
                .key = json_string(cx->arena, json_get(w.value, S("value")))
            };
    return ERR_OK;
}

static const struct claim_rule one_application = {
    .kind = ONE_APPLICATION,
    .resource = "Communication",
    .claims = claims,
    .refusal = "the message %s was applied already: %s",
};
const struct claim_rule *const hl7_claims[] = { &one_application, NULL };

/* ---- one try ---- */

static err kept_bytes(struct ctx *cx, struct json body, str *out)
{
    struct json payload = json_at(json_get(body, S("payload")), 0);
    struct json data = json_get(json_get(payload, S("contentAttachment")), S("data"));
    bool read = base64_decode(cx->arena, json_string(cx->arena, data), out);
    return read ? ERR_OK : ERR_NOT_FOUND;
}

/* After the header, whose time may be that of the sending. */
static str after_header(str bytes)
{
    size_t end = 0;
    while (end < bytes.n && bytes.p[end] != '\r' && bytes.p[end] != '\n')
        end++;
    return str_slice(bytes, end, bytes.n);
}

/* As it was taken, or, when somebody mended it, as it came first. */
static bool is_same(struct hl7_work *work, const struct hl7_found *found, str bytes)
{
    struct store_version version = found->version;
    struct json body = found->body;
    for (int64_t vid = version.vid;; vid--) {
        str kept;
        if (!kept_bytes(work->cx, body, &kept) && str_eq(after_header(kept), after_header(bytes)))
            return true;
        if (vid <= 1 ||
            store_vread(work->cx, work->store, version.resource, version.id, vid - 1, &version) ||
            json_parse(work->cx, version.body, &body))
            return false;
    }
}

/* A control id that comes with other content must not pass for the message it was given to. */
static err applied_already(struct hl7_work *work, str bytes, bool *out)
{
    struct hl7_found found;
    TRY(hl7_find(work, "Communication", S(MESSAGE_ID), message_key(work), &found));
    *out = json_string_is(json_get(found.body, S("status")), S("completed"));
    if (!*out || is_same(work, &found, bytes))
        return ERR_OK;
    work->spent = true;
    return hl7_refuse(work, 205, "MSH-10", "the control id %.*s was given to another message, "
                      "which was applied: send this one with an id of its own",
                      STR_ARG(work->message->control_id));
}

static err commit_work(struct hl7_work *work)
{
    struct commit commit = { .ops = work->ops, .ops_count = work->ops_count, .cx = work->cx,
                             .holds = work->merge ? merge_holds : NULL,
                             .holds_self = work->merge,
                             .who = S("hl7v2"), .why = S("HL7 feed") };
    err wrong = commit_run(work->cx, work->store, &commit);
    /* The message itself is the last operation: its claim is held, so a twin was quicker. What that
     * one left is looked at, and only then answered for. */
    if (wrong == ERR_CONFLICT && commit.failed + 1 == work->ops_count)
        return ERR_BUSY;
    /* Once: with the stays that hold the bed and the patient looked at. */
    if (wrong == ERR_CONFLICT && !work->taken &&
        work->ops[commit.failed].resource == fhir_resource_find(S("Encounter"))) {
        work->taken = true;
        return ERR_BUSY;
    }
    return wrong;
}

static void begin(struct hl7_work *work)
{
    const struct hl7_segment *evn = hl7_segment(work->message, "EVN");
    str at = hl7_field(work, evn, 2, 1), sent = hl7_field(work, work->message->segments, 7, 1);
    int zone = work->sender->zone_minutes;
    str text = hl7_to_instant(at, zone, &work->event_ms)     ? at
               : hl7_to_instant(sent, zone, &work->event_ms) ? sent
                                                             : (str){ 0 };
    work->event_time = text.n >= 12 ? hl7_time(work, text) : (str){ 0 };
    if (!text.n)
        work->event_ms = work->cx->now_ms;
    if (!str_given(work->event_time)) {
        char when[CLOCK_TEXT];
        clock_write(work->event_ms, when);
        work->event_time = arena_copy(work->cx->arena, (str){ when, CLOCK_TEXT });
    }
    work->pid = hl7_segment(work->message, "PID");
    work->pv1 = hl7_segment(work->message, "PV1");
    work->visit = hl7_field(work, work->pv1, 19, 1);
    work->people_count = 0;
    work->new_patient = work->moved = false;
    work->patient = work->encounter = (str){ 0 };
    work->way.count = work->waits_count = 0;
    work->subject = (struct hl7_found){ 0 };
    work->merge = NULL;
}

static str last_issue(const struct ctx *cx)
{
    return cx->issues.kept ? cx->issues.list[cx->issues.kept - 1].text : S("it cannot be applied");
}

/* A second commit of its own, since the first left nothing. */
static err quarantine(struct hl7_work *work, str bytes, str reason)
{
    work->ops_count = 0;
    work->merge = NULL;
    work->patient = work->encounter = (str){ 0 };
    work->way.count = 0;
    TRY(keep_message(work, bytes, reason));
    return commit_work(work);
}

/* What is filed under a patient is filed under the one who is the survivor then. */
static void hold_subject(struct hl7_work *work)
{
    const struct store_version *version = &work->subject.version;
    for (size_t i = 0; i < work->ops_count; i++)
        if (work->ops[i].resource == version->resource && str_eq(work->ops[i].id, version->id))
            return;
    if (!work->subject.found)
        return;
    work->ops = arena_grow(work->cx->arena, work->ops, work->ops_count, &work->ops_cap,
                           sizeof *work->ops);
    work->ops[work->ops_count++] = (struct commit_op){
        .verb = COMMIT_UPDATE, .resource = version->resource, .id = version->id,
        .body = work->subject.body, .if_match_vid = version->vid, .skip_unchanged = true };
}

static err try_once(struct hl7_work *work, str bytes)
{
    TRY(store_reader(work->cx, work->store));
    bool applied;
    begin(work);
    TRY(applied_already(work, bytes, &applied));
    if (applied) { /* by a server that was killed, perhaps, before what was on hold for it */
        work->new_patient = work->moved = hl7_map_people(work) == ERR_OK;
        return ERR_OK;
    }
    TRY(mapping_of(work->message)(work));
    hold_subject(work);
    TRY(keep_message(work, bytes, (str){ 0 }));
    return commit_work(work);
}

/* Somebody changed the same records meanwhile: look again. */
static bool is_worth_another(err wrong)
{
    return wrong == ERR_PRECONDITION || wrong == ERR_BUSY;
}

static err settle(struct hl7_work *work, str bytes, err wrong)
{
    if (!work->answer.text.n)
        work->answer = (struct hl7_answer){ HL7_ERROR, 207, { 0 }, last_issue(work->cx) };
    if (wrong == ERR_IO || wrong == ERR_BUG || wrong == ERR_BUSY || wrong == ERR_LIMIT)
        return wrong; /* ours, not the message's: the sender is to send it again */
    if (work->spent)
        return wrong; /* its name is another's: there is no place to keep it under */
    return quarantine(work, bytes, work->answer.text);
}

/* Kept, too, with the reason: what a sender was told to be no message of ours may be missed. Under
 * a name that was another's already, it is only answered. */
static void keep_rejected(struct hl7_work *work, const struct hl7_answer *answer, str bytes)
{
    struct hl7_found found;
    if (!str_trim(work->message->control_id).n || store_reader(work->cx, work->store) ||
        hl7_find(work, "Communication", S(MESSAGE_ID), message_key(work), &found) || found.found)
        return;
    begin(work);
    work->answer = *answer;
    if (quarantine(work, bytes, answer->text))
        log_line(LOG_WARNING, (str){ 0 }, "hl7v2: a rejected message could not be kept");
}

static struct hl7_work receive(struct ctx *cx, const struct hl7_receiver *receiver,
                               const struct hl7_message *message, str bytes,
                               struct hl7_answer *out)
{
    struct hl7_work work = { .cx = cx, .store = receiver->store, .message = message,
                             .sender = hl7_sender_of(receiver->senders, message) };
    if (is_rejected(&work, out)) {
        keep_rejected(&work, out, bytes);
        return work;
    }
    err wrong = ERR_BUSY;
    for (int i = 0; i < HL7_TRIES && is_worth_another(wrong); i++) {
        ctx_release(cx); /* the snapshot of the try before */
        cx->issues.count = cx->issues.kept = 0;
        work.ops_count = 0;
        wrong = try_once(&work, bytes);
    }
    *out = (struct hl7_answer){ .outcome = HL7_ACCEPTED };
    if (wrong) {
        settle(&work, bytes, wrong);
        *out = work.answer;
    }
    return work;
}

/* ---- what was on hold for a visit that has become known ---- */

enum { HELD_MAX = 50, HELD_PASSES = 3, HELD_DEPTH = 4 };

static err held_bytes(struct hl7_work *work, int64_t rid, str *out)
{
    struct store_version version;
    struct json body;
    TRY(store_read_rid(work->cx, work->store, rid, &version));
    TRY(json_parse(work->cx, version.body, &body));
    return kept_bytes(work->cx, body, out);
}

static err find_held(struct hl7_work *work, const char *system, str value, str held[HELD_MAX],
                     size_t *count)
{
    int64_t rids[HELD_MAX];
    struct search_rids found = { .rids = rids, .max = HELD_MAX };
    struct buf query = hl7_buf(work);
    if (!value.n)
        return ERR_OK;
    buf_add(&query, hl7_condition(work, str_of(system), value));
    buf_add(&query, S("&status=on-hold"));
    TRY(search_condition(work->cx, work->store, fhir_resource_find(S("Communication")),
                         buf_str(&query), &found));
    for (size_t i = 0; i < found.count && *count < HELD_MAX; i++)
        if (held_bytes(work, rids[i], &held[*count]) == ERR_OK)
            ++*count;
    return ERR_OK;
}

/* What is on hold for the visit, and for the patient when that is new. */
static err find_all_held(struct hl7_work *work, str held[HELD_MAX], size_t *count)
{
    *count = 0;
    ctx_release(work->cx); /* for a snapshot that has what was just written */
    TRY(store_reader(work->cx, work->store));
    if (work->moved)
        TRY(find_held(work, VISIT_ID, work->visit, held, count));
    for (size_t i = 0; work->new_patient && i < work->people_count; i++)
        TRY(find_held(work, PERSON_ID, work->people[i], held, count));
    return ERR_OK;
}

static struct hl7_answer take(struct ctx *cx, const struct hl7_receiver *receiver,
                              const struct hl7_message *message, str bytes, int depth);

static void take_bytes(struct ctx *cx, const struct hl7_receiver *receiver, str bytes, int depth)
{
    struct hl7_message message;
    str text;
    if (!hl7_to_utf8(cx, bytes, &text) && !hl7_parse(cx, text, &message))
        take(cx, receiver, &message, bytes, depth);
}

void hl7_take_held(struct ctx *cx, const struct hl7_receiver *receiver, struct json communication)
{
    str bytes;
    if (kept_bytes(cx, communication, &bytes) == ERR_OK)
        take_bytes(cx, receiver, bytes, 0);
}

/* A discharge that came before its admission, and its cancelling before it: each pass may make
 * the next one's messages possible. */
static void release_held(struct hl7_work *work, const struct hl7_receiver *receiver, int depth)
{
    str held[HELD_MAX];
    size_t count, before = 0;
    for (int pass = 0; pass < HELD_PASSES; pass++) {
        if (find_all_held(work, held, &count) || count == 0 || count == before)
            return;
        for (size_t i = 0; i < count; i++)
            take_bytes(work->cx, receiver, held[i], depth);
        before = count;
    }
}

/* What waits is on hold first and looks again then; what it waits for is there first, and then
 * looks who waits: so one of the two sees the other. A lane looks again by itself. */
static struct hl7_answer take(struct ctx *cx, const struct hl7_receiver *receiver,
                              const struct hl7_message *message, str bytes, int depth)
{
    struct hl7_answer answer;
    struct hl7_work work = receive(cx, receiver, message, bytes, &answer);
    if (answer.outcome == HL7_ERROR && !receiver->tries_again)
        work = receive(cx, receiver, message, bytes, &answer);
    if (answer.outcome == HL7_ACCEPTED && (work.new_patient || work.moved) && depth < HELD_DEPTH)
        release_held(&work, receiver, depth + 1);
    return answer;
}

static enum hl7_outcome receive_one(struct ctx *cx, const struct hl7_receiver *receiver, str bytes,
                                    struct buf *answer)
{
    struct hl7_message message;
    str text;
    if (hl7_to_utf8(cx, bytes, &text) || hl7_parse(cx, text, &message)) {
        hl7_ack_unreadable(cx, last_issue(cx), answer);
        return HL7_REJECTED;
    }
    struct hl7_answer outcome = take(cx, receiver, &message, bytes, 0);
    hl7_ack(cx, &message, &outcome, answer);
    if (outcome.outcome != HL7_ERROR || !receiver->tries_again)
        hl7_watch_note(&message, outcome.outcome,
                       hl7_sender_of(receiver->senders, &message)->silent_ms, cx->now_ms);
    return outcome.outcome;
}

/* ---- batches: FHS, BHS, messages, BTS, FTS (chapter 2.10.3) ---- */

static bool starts_segment(str bytes, size_t at, const char *const *names)
{
    if (at > 0 && bytes.p[at - 1] != '\r' && bytes.p[at - 1] != '\n')
        return false;
    for (; *names; names++)
        if (str_starts(str_slice(bytes, at, bytes.n), str_of(*names)))
            return true;
    return false;
}

/* The next message of a batch, from its MSH to the segment before the next of the batch's own. */
static bool next_message(str *rest, str *out)
{
    static const char *const header[] = { "MSH", NULL };
    static const char *const ends[] = { "MSH", "BTS", "FTS", "BHS", "FHS", NULL };
    size_t from = 0, to;
    while (from < rest->n && !starts_segment(*rest, from, header))
        from++;
    if (from == rest->n)
        return false;
    for (to = from + 3; to < rest->n && !starts_segment(*rest, to, ends);)
        to++;
    *out = str_slice(*rest, from, to);
    *rest = str_slice(*rest, to, rest->n);
    return true;
}

/* BTS-1 as the sender counted; not given: it did not. */
static str said_count(str bytes)
{
    size_t at = str_find(bytes, S("\rBTS|"));
    str rest = at == STR_NONE ? (str){ 0 } : str_slice(bytes, at + 5, bytes.n), line, count;
    if (!str_next(&rest, '\r', &line) || !str_next(&line, '|', &count))
        return (str){ 0 };
    return str_trim(count);
}

/* The answers of its messages, in one batch: each with MLLP's own marks taken off. */
static enum hl7_outcome receive_batch(struct ctx *cx, const struct hl7_receiver *receiver,
                                      str bytes, struct buf *answer)
{
    struct buf answers = buf_make(cx->arena, answer->max_bytes);
    struct buf batch = buf_make(cx->arena, answer->max_bytes);
    str rest = bytes, message, said = said_count(bytes);
    enum hl7_outcome outcome = HL7_REJECTED;
    size_t count = 0;
    for (; next_message(&rest, &message); count++)
        outcome = receive_one(cx, receiver, message, &answers);
    buf_add(&batch, S("BHS|^~\\&|FRONTLINE\r"));
    for (size_t i = 0; i < answers.n; i++)
        if (answers.p[i] != '\x0b' && answers.p[i] != '\x1c' &&
            !(answers.p[i] == '\r' && i > 0 && answers.p[i - 1] == '\x1c'))
            buf_char(&batch, answers.p[i]);
    buf_printf(&batch, "BTS|%zu|", count);
    if (said.n && !str_eq(said, arena_printf(cx->arena, "%zu", count)))
        buf_printf(&batch, "the batch said %.*s messages", STR_ARG(str_slice(said, 0, 20)));
    buf_char(&batch, '\r');
    mllp_frame(answer, buf_str(&batch));
    return outcome;
}

enum hl7_outcome hl7_receive(struct ctx *cx, const struct hl7_receiver *receiver, str bytes,
                             struct buf *answer)
{
    if (str_starts(bytes, S("FHS")) || str_starts(bytes, S("BHS")))
        return receive_batch(cx, receiver, bytes, answer);
    return receive_one(cx, receiver, bytes, answer);
}
