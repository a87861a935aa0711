/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/returns.h"
#include "systems/beds/board.h"
#include "auth/gate.h"
#include "clinical/london.h"
#include "fhir/datetime.h"
#include "fhir/validate.h"
#include "http/text.h"
#include "json/patch.h"
#include "systems/beds/edit.h"
#include "systems/beds/sql.h"

enum { JSON_BYTES = 16 << 20, BODY_BYTES = 256 << 10, TEXT_MAX = 200, INPUT_MAX = 64 << 10 };

static str date_text(struct ctx *cx, int64_t day)
{
    struct clock_civil d = clock_to_civil(day * LONDON_DAY_MS);
    return arena_printf(cx->arena, "%04d-%02d-%02d", d.year, d.month, d.day);
}

static err read_day(struct ctx *cx, str text, const char *name, int64_t fallback, int64_t *out)
{
    struct datetime when;
    *out = fallback;
    if (text.n == 0)
        return ERR_OK;
    if (!datetime_parse(text, DATETIME_AS_DATE, &when) || when.precision != DATETIME_DAY)
        return ctx_failf(cx, ERR_INVALID, str_of(name), "%s must be a date such as 2026-11-22",
                         name);
    *out = when.low_ms / LONDON_DAY_MS;
    return ERR_OK;
}

static err read_past(struct http_request *request, int64_t from_day, struct beds_past *out)
{
    struct beds_picture *picture;
    TRY(beds_picture_whole(request->cx, request->store, BEDS_PLACES, &picture));
    return beds_past_read(request->cx, request->store, picture, from_day, out);
}

static const struct beds_field *field_of(str code)
{
    for (size_t i = 0; i < beds_fields_count; i++)
        if (str_eq(code, str_of(beds_fields[i].code)))
            return &beds_fields[i];
    return NULL;
}

/* ---- rows ---- */

static void write_part(struct json_writer *w, const char *name, const struct beds_part *part)
{
    json_key(w, name);
    json_open(w, '{');
    json_put_u64(w, "core_open", part->core_open);
    json_put_u64(w, "escalation_open", part->escalation_open);
    json_put_u64(w, "occupied", part->occupied);
    json_close(w, '}');
}

static void write_computed(struct ctx *cx, struct json_writer *w, const struct beds_sitrep *row)
{
    json_put_str(w, "day", date_text(cx, row->day));
    write_part(w, "adult", &row->adult);
    write_part(w, "child", &row->child);
    json_put_u64(w, "critical_open", row->critical.available);
    json_put_u64(w, "critical_occupied", row->critical.occupied);
    json_put_u64(w, "admissions", row->admissions);
    json_put_u64(w, "discharges", row->discharges);
    json_put_u64(w, "stays_7_days", row->long_stays.days_7);
    json_put_u64(w, "stays_14_days", row->long_stays.days_14);
    json_put_u64(w, "stays_21_days", row->long_stays.days_21);
    json_put_str(w, "due", beds_when(cx, beds_sitrep_due_ms(row->day)));
    json_put_bool(w, "open_to_amendment", beds_sitrep_is_open(row->day, cx->now_ms));
}

/* As it was submitted, each number as last amended. */
static err write_submitted(struct ctx *cx, struct json_writer *w, str day)
{
    struct db_stmt *row = db_use(cx, cx->db, beds_sql, BEDS_SQL_RETURN);
    bool any = false;
    db_bind_text(row, 1, day);
    for (bool more = true;;) {
        TRY(db_step(cx, row, &more));
        if (!more)
            break;
        if (!any) {
            json_key(w, "submitted");
            json_open(w, '{');
            json_put_str(w, "at", db_text(row, 0));
            json_put_str(w, "by", db_text(row, 1));
        }
        any = true;
        json_put_u64(w, arena_cstr(cx->arena, db_text(row, 2)), (uint64_t)db_int(row, 3));
    }
    if (any)
        json_close(w, '}');
    return ERR_OK;
}

static err write_amendments(struct ctx *cx, struct json_writer *w, str day)
{
    struct db_stmt *row = db_use(cx, cx->db, beds_sql, BEDS_SQL_AMENDMENTS);
    db_bind_text(row, 1, day);
    json_key(w, "amendments");
    json_open(w, '[');
    for (bool more = true;;) {
        TRY(db_step(cx, row, &more));
        if (!more)
            break;
        json_open(w, '{');
        json_put_str(w, "field", db_text(row, 0));
        json_put_u64(w, "old", (uint64_t)db_int(row, 1));
        json_put_u64(w, "new", (uint64_t)db_int(row, 2));
        json_put_str(w, "reason", db_text(row, 3));
        json_put_str(w, "who", db_text(row, 4));
        json_put_str(w, "at", db_text(row, 5));
        json_close(w, '}');
    }
    json_close(w, ']');
    return ERR_OK;
}

static err write_row(struct ctx *cx, struct json_writer *w, const struct beds_sitrep *row)
{
    write_computed(cx, w, row);
    TRY(write_submitted(cx, w, date_text(cx, row->day)));
    return write_amendments(cx, w, date_text(cx, row->day));
}

err beds_sitrep_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    int64_t today = london_day(cx->now_ms), from, to;
    struct beds_past past;
    TRY(read_day(cx, http_query_value(cx->arena, request->query, S("to")), "to", today, &to));
    TRY(read_day(cx, http_query_value(cx->arena, request->query, S("from")), "from", to, &from));
    if (from > to || to - from >= BEDS_DAYS_MAX)
        return ctx_failf(cx, ERR_INVALID, S("from"), "from 1 to %d days may be asked for",
                         BEDS_DAYS_MAX);
    TRY(read_past(request, from - 1, &past));
    struct buf buf = buf_make(cx->arena, JSON_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_key(&w, "rows");
    json_open(&w, '[');
    for (int64_t day = from; day <= to; day++) {
        struct beds_sitrep row = beds_sitrep(&past.hospital, day);
        json_open(&w, '{');
        TRY(write_row(cx, &w, &row));
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return beds_send_json(response, &buf);
}

/* The stays that a number counts. */
static void write_behind(struct json_writer *w, const char *name, const struct beds_past *past,
                         const struct beds_field *field, int64_t day)
{
    json_key(w, name);
    json_open(w, '[');
    for (size_t i = 0; i < past->hospital.spans_count; i++)
        if (field->counts(&past->hospital, &past->hospital.spans[i], day))
            json_str(w, past->stays[past->hospital.spans[i].stay]);
    json_close(w, ']');
}

/* Everybody in at 08:00, whatever their bed counts as. */
static void write_in(struct json_writer *w, const struct beds_past *past, int64_t at_ms)
{
    json_key(w, "in_at_08");
    json_open(w, '[');
    for (size_t i = 0; i < past->hospital.spans_count; i++) {
        const struct beds_span *span = &past->hospital.spans[i];
        if (span->from_ms <= at_ms && at_ms < span->to_ms && !span->on_leave)
            json_str(w, past->stays[span->stay]);
    }
    json_close(w, ']');
}

err beds_sitrep_day_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct beds_past past;
    int64_t day;
    TRY(read_day(cx, request->captures[0], "day", 0, &day));
    if (day > london_day(cx->now_ms))
        return ctx_fail(cx, ERR_INVALID, S("day"),
                        S("this day has not come yet: there is nothing to report of it"));
    TRY(read_past(request, day - 1, &past));
    struct beds_sitrep row = beds_sitrep(&past.hospital, day);
    struct buf buf = buf_make(cx->arena, JSON_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    TRY(write_row(cx, &w, &row));
    write_in(&w, &past, london_at(day, 8, 0));
    write_behind(&w, "admitted_the_day_before", &past, field_of(S("admissions")), day);
    write_behind(&w, "discharged_the_day_before", &past, field_of(S("discharges")), day);
    json_key(&w, "behind");
    json_open(&w, '{');
    for (size_t i = 0; i < beds_fields_count; i++)
        if (beds_fields[i].counts)
            write_behind(&w, beds_fields[i].code, &past, &beds_fields[i], day);
    json_close(&w, '}');
    json_close(&w, '}');
    return beds_send_json(response, &buf);
}

/* ---- bed days and the midnight census ---- */

static const char *const sector_names[BEDS_SECTORS] = {
    [BEDS_GENERAL_ACUTE] = "general_and_acute", [BEDS_CRITICAL] = "critical_care",
    [BEDS_MATERNITY] = "maternity", [BEDS_MENTAL] = "mental_illness",
    [BEDS_LEARNING] = "learning_disability",
};

/* Occupied bed days of a sector by the main specialty of the stay. */
static void write_specialties(struct ctx *cx, struct json_writer *w, const struct beds_past *past,
                              enum beds_sector sector, const int64_t days[2])
{
    struct map codes = map_make(cx->arena);
    str *names = arena_array(cx->arena, past->stays_count + 1, sizeof *names);
    size_t *sums = arena_array(cx->arena, past->stays_count + 1, sizeof *sums), count = 0;
    for (size_t i = 0; i < past->hospital.spans_count; i++) {
        const struct beds_span *span = &past->hospital.spans[i];
        uint64_t at = count;
        str code = past->specialties[span->stay];
        if (past->hospital.places[span->bed].sector != sector)
            continue;
        if (map_add(&codes, code.n ? code : S("not given"), count, &at))
            names[count++] = code.n ? code : S("not given");
        sums[at] += beds_span_days(span, days[0], days[1]);
    }
    json_key(w, "by_specialty");
    json_open(w, '{');
    for (size_t i = 0; i < count; i++)
        if (sums[i])
            json_put_u64(w, arena_cstr(cx->arena, names[i]), sums[i]);
    json_close(w, '}');
}

err beds_kh03_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    int64_t today = london_day(cx->now_ms), days[2];
    struct clock_civil now = clock_to_civil(today * LONDON_DAY_MS);
    struct clock_civil first = { now.year, (now.month - 1) / 3 * 3 + 1, 1, 12, 0, 0, 0 };
    struct beds_past past;
    TRY(read_day(cx, http_query_value(cx->arena, request->query, S("from")), "from",
                 london_day(london_instant(first)), &days[0]));
    TRY(read_day(cx, http_query_value(cx->arena, request->query, S("to")), "to", today, &days[1]));
    if (days[0] > days[1] || days[1] - days[0] > BEDS_DAYS_MAX)
        return ctx_failf(cx, ERR_INVALID, S("from"), "up to %d days may be asked for; `to` is the "
                         "day after the last", BEDS_DAYS_MAX);
    TRY(read_past(request, days[0] - 1, &past));
    struct buf buf = buf_make(cx->arena, JSON_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "from", date_text(cx, days[0]));
    json_put_str(&w, "to", date_text(cx, days[1]));
    for (enum beds_sector sector = 0; sector < BEDS_SECTORS; sector++) {
        struct beds_count count = beds_bed_days(&past.hospital, sector, days[0], days[1]);
        json_key(&w, sector_names[sector]);
        json_open(&w, '{');
        json_put_u64(&w, "available", count.available);
        json_put_u64(&w, "occupied", count.occupied);
        json_put_bool(&w, "in_return", sector != BEDS_CRITICAL);
        write_specialties(cx, &w, &past, sector, days);
        json_close(&w, '}');
    }
    json_close(&w, '}');
    return beds_send_json(response, &buf);
}

err beds_census_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct beds_past past;
    int64_t day;
    TRY(read_day(cx, request->captures[0], "day", 0, &day));
    TRY(read_past(request, day, &past));
    struct buf buf = buf_make(cx->arena, JSON_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "day", date_text(cx, day));
    for (enum beds_sector sector = 0; sector < BEDS_SECTORS; sector++) {
        json_key(&w, sector_names[sector]);
        json_open(&w, '[');
        for (size_t i = 0; i < past.hospital.spans_count; i++)
            if (beds_is_in_at_midnight(&past.hospital, &past.hospital.spans[i], sector, day))
                json_str(&w, past.stays[past.hospital.spans[i].stay]);
        json_close(&w, ']');
    }
    json_close(&w, '}');
    return beds_send_json(response, &buf);
}

/* ---- submitting and amending ---- */

struct change {
    struct http_request *request;
    struct beds_sitrep row;        /* computed now */
    const struct beds_field *field; /* amended; NULL: submitted */
    uint64_t value;
    str reason, who, day;
};

static str input(struct http_request *request, struct json body, const char *name)
{
    struct arena *arena = request->cx->arena;
    return str_trim(body.doc ? json_string(arena, json_get(body, str_of(name)))
                             : http_query_value(arena, request->body, str_of(name)));
}

static str who(const struct ctx *cx)
{
    if (!cx->user)
        return S("not signed in");
    return cx->user->person.name.n ? cx->user->person.name : cx->user->client;
}

static void put_group(struct json_writer *w, const struct beds_field *field, uint64_t value)
{
    json_open(w, '{');
    json_put_raw(w, "code", arena_printf(w->buf->arena, "{\"coding\":[{\"system\":"
                 "\"https://frontline.example/CodeSystem/sitrep\",\"code\":\"%s\"}],\"text\":"
                 "\"%s\"}", field->code, field->text));
    json_put_raw(w, "measureScore", arena_printf(w->buf->arena, "{\"value\":%llu}",
                                                 (unsigned long long)value));
    json_close(w, '}');
}

static uint64_t stored(struct json before, const struct beds_field *field,
                       const struct beds_sitrep *row)
{
    for (struct json_walk w = json_walk(json_get(before, S("group"))); json_next(&w);) {
        struct json code = json_get(json_at(json_get(json_get(w.value, S("code")), S("coding")), 0),
                                    S("code"));
        uint64_t value;
        str text = json_text(json_get(json_get(w.value, S("measureScore")), S("value")));
        if (json_string_is(code, str_of(field->code)) && str_to_u64(text, &value))
            return value;
    }
    return field->get(row);
}

static void put_amendment(struct ctx *cx, struct json_writer *w, const struct change *change,
                          uint64_t old)
{
    struct buf buf = buf_make(cx->arena, BODY_BYTES);
    buf_printf(&buf, "{\"url\":\"" BEDS_URL "sitrep-amendment\",\"extension\":[{\"url\":\"field\","
               "\"valueCode\":\"%s\"},{\"url\":\"old\",\"valueInteger\":%llu},{\"url\":\"new\","
               "\"valueInteger\":%llu},{\"url\":\"at\",\"valueDateTime\":\"%.*s\"},{\"url\":"
               "\"reason\",\"valueString\":\"", change->field->code, (unsigned long long)old,
               (unsigned long long)change->value, STR_ARG(beds_when(cx, cx->now_ms)));
    json_escape(&buf, change->reason);
    buf_add(&buf, S("\"},{\"url\":\"who\",\"valueString\":\""));
    json_escape(&buf, change->who);
    buf_add(&buf, S("\"}]}"));
    json_raw(w, buf_str(&buf));
}

/* The whole report anew: what was there, with one number changed and the change added. */
static err write_report(struct ctx *cx, const struct change *change, struct json before,
                        struct json *out)
{
    struct buf buf = buf_make(cx->arena, BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    str signed_at = json_string(cx->arena, json_get(before, S("date")));
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("MeasureReport"));
    json_put_str(&w, "id", arena_printf(cx->arena, "sitrep-%.*s", STR_ARG(change->day)));
    json_key(&w, "extension");
    json_open(&w, '[');
    for (struct json_walk walk = json_walk(json_get(before, S("extension"))); json_next(&walk);)
        json_raw(&w, json_text(walk.value));
    if (!before.doc) {
        json_open(&w, '{');
        json_put_str(&w, "url", S(BEDS_URL "signed-off-by"));
        json_put_str(&w, "valueString", change->who);
        json_close(&w, '}');
    }
    if (change->field)
        put_amendment(cx, &w, change, stored(before, change->field, &change->row));
    json_close(&w, ']');
    json_put_str(&w, "status", S("complete"));
    json_put_str(&w, "type", S("summary"));
    json_put_str(&w, "measure", S(BEDS_SITREP));
    json_put_str(&w, "date", signed_at.n ? signed_at : beds_when(cx, cx->now_ms));
    json_put_raw(&w, "period", arena_printf(cx->arena, "{\"start\":\"%.*s\",\"end\":\"%.*s\"}",
                                            STR_ARG(change->day), STR_ARG(change->day)));
    json_key(&w, "group");
    json_open(&w, '[');
    for (size_t i = 0; i < beds_fields_count; i++)
        put_group(&w, &beds_fields[i], change->field == &beds_fields[i]
                                           ? change->value
                                           : stored(before, &beds_fields[i], &change->row));
    json_close(&w, ']');
    json_close(&w, '}');
    TRY(json_parse(cx, buf_str(&buf), out));
    return validate_resource(cx, *out);
}

static err patch_report(struct ctx *cx, const struct commit_op *op, struct json before,
                        struct json *after)
{
    return write_report(cx, op->patch_self, before, after);
}

/* An amendment is made from the version that is current at the writer, so two do not overwrite each
 * other; the first of a day submits it as it is computed. */
static err commit_change_of(struct ctx *cx, const struct change *change)
{
    struct store *store = change->request->store;
    struct store_version version;
    str id = arena_printf(cx->arena, "sitrep-%.*s", STR_ARG(change->day));
    uint16_t type = fhir_resource_find(S("MeasureReport"));
    struct commit_op op = { .resource = type, .id = id, .granted = true };
    size_t count = cx->issues.count, kept = cx->issues.kept;
    err found = store_read(cx, store, type, id, &version);
    if (found == ERR_OK && !change->field)
        return ctx_fail(cx, ERR_CONFLICT, S("day"),
                        S("this day was submitted already: amend the number that is wrong"));
    if (found == ERR_OK) {
        op.verb = COMMIT_PATCH;
        op.patch = patch_report;
        op.patch_self = change;
    } else {
        cx->issues.count = count;
        cx->issues.kept = kept;
        op.verb = COMMIT_UPDATE;
        op.if_none_match = true;
        TRY(write_report(cx, change, (struct json){ 0 }, &op.body));
    }
    struct commit commit = { .ops = &op, .ops_count = 1, .cx = cx,
                             .why = change->field ? S("beds: amend") : S("beds: submit") };
    store_reader_end(cx);
    return commit_run(cx, store, &commit);
}

static err read_change(struct http_request *request, bool amends, struct change *out)
{
    struct ctx *cx = request->cx;
    struct json body = { 0 };
    int64_t day;
    TRY(read_day(cx, request->captures[0], "day", 0, &day));
    if (request->body.n > INPUT_MAX)
        return ctx_fail(cx, ERR_LIMIT, S(""), S("an amendment is a few words"));
    if (str_find(http_header(request, "Content-Type"), S("json")) != STR_NONE)
        TRY(json_parse(cx, request->body, &body));
    out->request = request;
    out->day = date_text(cx, day);
    out->who = who(cx);
    if (!beds_sitrep_is_open(day, cx->now_ms))
        return ctx_fail(cx, ERR_RULE, S("day"), S("a day may be submitted and amended from the day "
                        "itself until 14 days after; later corrections go to the national team"));
    if (!amends)
        return ERR_OK;
    out->field = field_of(input(request, body, "field"));
    out->reason = str_slice(input(request, body, "reason"), 0, TEXT_MAX);
    str value = input(request, body, "value");
    if (!value.n && body.doc)
        value = json_text(json_get(body, S("value")));
    if (!out->field)
        return ctx_failf(cx, ERR_INVALID, S("field"), "field must be a number of the report, such "
                         "as %s", beds_fields[0].code);
    if (!str_to_u64(value, &out->value) || out->value > BEDS_VALUE_MAX)
        return ctx_failf(cx, ERR_INVALID, S("value"), "value must be 0 to %d", BEDS_VALUE_MAX);
    return out->reason.n >= 3 ? ERR_OK : ctx_fail(cx, ERR_INVALID, S("reason"),
                                                  S("say why the number changes"));
}

err beds_sitrep_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct change change = { 0 };
    struct beds_past past;
    int64_t day;
    bool amends = str_eq(request->captures[1], S("amend"));
    if (!amends && !str_eq(request->captures[1], S("submit")))
        return ctx_fail(cx, ERR_NOT_FOUND, S(""), S("a day is submitted or amended"));
    TRY(read_change(request, amends, &change));
    TRY(read_day(cx, change.day, "day", 0, &day));
    TRY(read_past(request, day - 1, &past));
    change.row = beds_sitrep(&past.hospital, day);
    TRY(commit_change_of(cx, &change));
    str body = http_header(request, "Content-Type");
    if (str_find(body, S("json")) == STR_NONE) {
        response->status = 303;
        http_put_header(response, S("Location"),
                        arena_printf(cx->arena, "/beds/sitrep/%.*s", STR_ARG(change.day)));
        return ERR_OK;
    }
    return beds_sitrep_day_get(request, response);
}
