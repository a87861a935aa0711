/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/feeds/out.h"
#include "base/clock.h"
#include "db/db.h"
#include "hl7v2/message.h"
#include "json/json.h"
#include "store/store.h"
#include "systems/feeds/send.h"

/* ---- whose doing was it ---- */

static const struct stmt sql[] = {
    { "who wrote a version", "SELECT who, count, seq FROM act WHERE seq <= ?1 "
                             "ORDER BY seq DESC LIMIT 1", "SEARCH act USING INTEGER PRIMARY KEY" },
    { 0 },
};

static err came_by_feed(struct ctx *cx, int64_t seq, bool *out)
{
    bool row;
    struct db_stmt *stmt = db_use(cx, cx->db, sql, 0);
    db_bind_int(stmt, 1, seq);
    TRY(db_step(cx, stmt, &row));
    *out = row && str_eq(db_text(stmt, 0), S("hl7v2")) && seq < db_int(stmt, 2) + db_int(stmt, 1);
    db_reset(stmt);
    return ERR_OK;
}

/* ---- which event ---- */

static bool is_under_way(str status)
{
    return str_eq(status, S("in-progress")) || str_eq(status, S("onleave"));
}

/* The reference of the location the patient is in: the active one, else the last. */
static str place_of(struct ctx *cx, struct json encounter)
{
    str place = { 0 };
    for (struct json_walk w = json_walk(json_get(encounter, S("location"))); json_next(&w);) {
        struct json status = json_get(w.value, S("status"));
        str here = json_string(cx->arena, json_get(json_get(w.value, S("location")),
                                                   S("reference")));
        if (json_string_is(status, S("active")))
            return here;
        place = here;
    }
    return place;
}

static const char *event_of(struct ctx *cx, struct json before, struct json after)
{
    str was = json_string(cx->arena, json_get(before, S("status")));
    str is = json_string(cx->arena, json_get(after, S("status")));
    bool stayed = is_under_way(was), stays = is_under_way(is);
    if (stays && str_eq(was, S("finished")))
        return "A13";
    if (stays && !stayed)
        return "A01";
    if (stayed && str_eq(is, S("finished")))
        return "A03";
    if (stayed && !stays)
        return "A11";
    if (!stays)
        return NULL;
    return str_eq(place_of(cx, before), place_of(cx, after)) ? "A08" : "A02";
}

/* ---- the message ---- */

static err read_reference(struct ctx *cx, struct store *store, str reference, struct json *out)
{
    struct store_version version;
    str type, id = reference;
    *out = (struct json){ 0 };
    if (!reference.n || !str_next(&id, '/', &type) || fhir_resource_find(type) == FHIR_NONE)
        return ERR_OK;
    size_t issues = cx->issues.kept;
    if (store_read(cx, store, fhir_resource_find(type), id, &version)) {
        cx->issues.kept = cx->issues.count = issues; /* gone meanwhile: told without it */
        return ERR_OK;
    }
    return json_parse(cx, version.body, out);
}

static str text_of(struct ctx *cx, struct json object, const char *key)
{
    str text = json_string(cx->arena, json_get(object, str_of(key)));
    return text.p ? text : S("");
}

/* 20261122103000+0000 of an instant; only the digits of a date. */
static void add_time(struct buf *out, int64_t at_ms)
{
    struct clock_civil t = clock_to_civil(at_ms);
    buf_printf(out, "%04d%02d%02d%02d%02d%02d+0000", t.year, t.month, t.day, t.hour, t.minute,
               t.second);
}

static void add_digits(struct buf *out, str date)
{
    for (size_t i = 0; i < date.n && i < 10; i++)
        if (date.p[i] >= '0' && date.p[i] <= '9')
            buf_char(out, date.p[i]);
}

static void add_name(struct buf *out, str name)
{
    str application;
    str_next(&name, '|', &application);
    hl7_add(out, application.p ? application : S(""));
    buf_char(out, '|');
    hl7_add(out, name.p ? name : S(""));
}

static void add_identifiers(struct ctx *cx, struct json patient, struct buf *out)
{
    bool any = false;
    for (struct json_walk w = json_walk(json_get(patient, S("identifier"))); json_next(&w);) {
        str system = text_of(cx, w.value, "system"), value = text_of(cx, w.value, "value");
        bool nhs = str_eq(system, S("https://fhir.nhs.uk/Id/nhs-number"));
        if (!value.n)
            continue;
        if (any)
            buf_char(out, '~');
        hl7_add(out, value);
        buf_add(out, nhs ? S("^^^NHS^NH") : S("^^^"));
        if (!nhs) {
            hl7_add(out, system);
            buf_add(out, S("^MR"));
        }
        any = true;
    }
}

static void add_patient(struct ctx *cx, struct json patient, struct buf *out)
{
    static const struct { const char *fhir, *hl7; } sexes[] = {
        { "male", "M" }, { "female", "F" }, { "other", "O" }, { "unknown", "U" },
    };
    struct json name = json_at(json_get(patient, S("name")), 0);
    buf_add(out, S("PID|1||"));
    add_identifiers(cx, patient, out);
    buf_add(out, S("||"));
    hl7_add(out, text_of(cx, name, "family"));
    buf_char(out, '^');
    str given = json_string(cx->arena, json_at(json_get(name, S("given")), 0));
    hl7_add(out, given.p ? given : S(""));
    buf_add(out, S("||"));
    add_digits(out, text_of(cx, patient, "birthDate"));
    buf_char(out, '|');
    for (size_t i = 0; i < COUNT(sexes); i++)
        if (str_eq(text_of(cx, patient, "gender"), str_of(sexes[i].fhir)))
            buf_add(out, str_of(sexes[i].hl7));
    buf_char(out, '\r');
}

/* A place by its first identifier, else its name. */
static str place_name(struct ctx *cx, struct json location)
{
    str value = text_of(cx, json_at(json_get(location, S("identifier")), 0), "value");
    return value.n ? value : text_of(cx, location, "name");
}

static err add_visit(struct ctx *cx, struct store *store, struct json encounter, struct buf *out)
{
    struct json bed, ward;
    TRY(read_reference(cx, store, place_of(cx, encounter), &bed));
    TRY(read_reference(cx, store, text_of(cx, json_get(bed, S("partOf")), "reference"), &ward));
    str visit = text_of(cx, json_at(json_get(encounter, S("identifier")), 0), "value");
    str class = text_of(cx, json_get(encounter, S("class")), "code");
    buf_add(out, S("PV1|1|"));
    buf_add(out, str_eq(class, S("EMER")) ? S("E") : str_eq(class, S("AMB")) ? S("O") : S("I"));
    buf_char(out, '|');
    hl7_add(out, place_name(cx, json_kind(ward) == JSON_ABSENT ? bed : ward));
    if (json_kind(ward) != JSON_ABSENT) {
        buf_add(out, S("^^"));
        hl7_add(out, place_name(cx, bed));
    }
    for (int field = 3; field < 19; field++)
        buf_char(out, '|');
    hl7_add(out, visit.n ? visit : text_of(cx, encounter, "id"));
    buf_char(out, '\r');
    return ERR_OK;
}

static err write_message(struct ctx *cx, struct store *store, const struct store_version *version,
                         struct json encounter, const char *event, str *out)
{
    struct buf buf = buf_make(cx->arena, 1 << 20);
    struct json patient;
    str subject = text_of(cx, json_get(encounter, S("subject")), "reference");
    TRY(read_reference(cx, store, subject, &patient));
    buf_add(&buf, S("MSH|^~\\&|"));
    add_name(&buf, feeds_own_name());
    buf_add(&buf, S("|||"));
    add_time(&buf, version->at_ms);
    buf_printf(&buf, "||ADT^%s^ADT_A01|FL%lld|P|2.5.1||||||UNICODE UTF-8\r", event,
               (long long)version->seq);
    buf_printf(&buf, "EVN|%s|", event);
    add_time(&buf, version->at_ms);
    buf_char(&buf, '\r');
    add_patient(cx, patient, &buf);
    TRY(add_visit(cx, store, encounter, &buf));
    *out = buf_str(&buf);
    return ERR_OK;
}

/* ---- the consumer ---- */

/* One for each destination, in one transaction. Those about one patient keep their order. */
struct message {
    str patient, seq, text;
    int64_t due_ms;
};

static err put_message(struct ctx *cx, struct db *db, void *self)
{
    const struct message *message = self;
    for (size_t i = 0; i < feeds_destinations_count(); i++) {
        str name = feeds_destination_name(i);
        struct due_item item = { .kind = S("adt-out"), .due_ms = message->due_ms,
                                 .body = message->text };
        item.key = arena_printf(cx->arena, "%.*s %.*s", STR_ARG(message->seq), STR_ARG(name));
        item.target = arena_printf(cx->arena, "%.*s %.*s", STR_ARG(name),
                                   STR_ARG(message->patient));
        TRY(due_add(cx, db, &item));
    }
    return ERR_OK;
}

static err make_message(struct ctx *cx, struct store *store, const struct store_version *version,
                        void *self)
{
    struct json after = { 0 }, before = { 0 };
    struct store_version earlier;
    bool by_feed;
    (void)self;
    if (!feeds_destinations_count() || version->method == STORE_DELETED)
        return ERR_OK;
    TRY(store_reader(cx, store));
    TRY(came_by_feed(cx, version->seq, &by_feed));
    if (by_feed)
        return ERR_OK;
    TRY(json_parse(cx, version->body, &after));
    if (version->vid > 1 && store_vread(cx, store, version->resource, version->id,
                                        version->vid - 1, &earlier) == ERR_OK)
        TRY(json_parse(cx, earlier.body, &before));
    const char *event = event_of(cx, before, after);
    if (!event)
        return ERR_OK;
    struct message message = { .due_ms = cx->now_ms };
    message.seq = arena_printf(cx->arena, "%lld", (long long)version->seq);
    message.patient = text_of(cx, json_get(after, S("subject")), "reference");
    TRY(write_message(cx, store, version, after, event, &message.text));
    ctx_release(cx);
    return store_write(cx, store, put_message, &message);
}

static const char *const types[] = { "Encounter", NULL };
const struct consumer feeds_adt_out = {
    .name = "adt-out", .about = "tells other systems of admissions, moves and discharges",
    .types = types, .from_now = true, .consume = make_message,
};
