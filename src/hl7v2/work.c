/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/work.h"
#include "base/random.h"
#include "fhir/datetime.h"
#include "fhir/validate.h"
#include "hl7v2/stamp.h"
#include "http/text.h"
#include "store/merge.h"
#include "store/search.h"
#include <stdarg.h>
#include <stdio.h>

err hl7_refuse(struct hl7_work *work, int code, const char *where, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    str copy = arena_copy(work->cx->arena, str_of(text));
    work->answer = (struct hl7_answer){ HL7_ERROR, code, str_of(where), copy };
    return ctx_fail(work->cx, ERR_RULE, str_of(where), copy);
}

struct buf hl7_buf(struct hl7_work *work)
{
    return buf_make(work->cx->arena, HL7_TEXT_MAX);
}

void hl7_wait_for(struct hl7_work *work, str reference)
{
    if (work->waits_count < HL7_WAITS_MAX && reference.n && !str_starts(reference, S("urn:")))
        work->waits[work->waits_count++] = reference;
}

/* Search reads '\', ',', '|' and '$' as its own: escaped in the value, then percent-encoded. */
str hl7_condition(struct hl7_work *work, str system, str value)
{
    struct buf escaped = hl7_buf(work), query = hl7_buf(work);
    for (size_t i = 0; i < value.n; i++) {
        if (memchr("\\,|$", value.p[i], 4))
            buf_char(&escaped, '\\');
        buf_char(&escaped, value.p[i]);
    }
    buf_add(&query, S("identifier="));
    http_encode(&query, system);
    buf_add(&query, S("%7C"));
    http_encode(&query, buf_str(&escaped));
    return buf_str(&query);
}

err hl7_find(struct hl7_work *work, const char *type, str system, str value, struct hl7_found *out)
{
    int64_t rids[2];
    struct search_rids found = { .rids = rids, .max = 2 };
    uint16_t resource = fhir_resource_find(str_of(type));
    *out = (struct hl7_found){ 0 };
    str query = hl7_condition(work, system, value);
    TRY(search_condition(work->cx, work->store, resource, query, &found));
    if (found.count == 0)
        return ERR_OK;
    if (found.count > 1)
        return hl7_refuse(work, 205, type, "several of type %s have the identifier %.*s", type,
                          STR_ARG(value));
    TRY(store_read_rid(work->cx, work->store, rids[0], &out->version));
    TRY(json_parse(work->cx, out->version.body, &out->body));
    out->found = true;
    out->reference = arena_printf(work->cx->arena, "%s/%.*s", type, STR_ARG(out->version.id));
    return ERR_OK;
}

static const struct hl7_change *change_of(const struct hl7_change *changes, str key)
{
    for (; changes->key; changes++)
        if (str_eq(key, str_of(changes->key)) && str_given(changes->json))
            return changes;
    return NULL;
}

/* The body with its changed members in their places and the new ones last. */
static str merged(struct hl7_work *work, const char *type, struct json before,
                  const struct hl7_change *changes)
{
    struct buf buf = hl7_buf(work);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    if (!before.doc)
        json_put_str(&w, "resourceType", str_of(type));
    for (struct json_walk walk = json_walk(before); json_next(&walk);) {
        str key = json_string(work->cx->arena, walk.key);
        const struct hl7_change *change = change_of(changes, key);
        if (change && !change->json.n)
            continue;
        json_key_str(&w, key);
        json_raw(&w, change ? change->json : json_text(walk.value));
    }
    for (const struct hl7_change *at = changes; at->key; at++)
        if (at->json.n && !json_get(before, str_of(at->key)).doc)
            json_put_raw(&w, at->key, at->json);
    json_close(&w, '}');
    return buf_str(&buf);
}

static str new_urn(struct hl7_work *work)
{
    uint64_t a = random_next(work->cx->random), b = random_next(work->cx->random);
    return arena_printf(work->cx->arena, "urn:uuid:%08x-%04x-4%03x-8%03x-%012llx",
                        (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
                        (unsigned)(b >> 48 & 0xfff), (unsigned long long)(b & 0xffffffffffff));
}

str hl7_own(struct hl7_work *work, const char *what)
{
    return hl7_sender_own(work->cx->arena, work->sender, work->message->facility, what);
}

static err check_subject(struct hl7_work *work, const char *type, str value,
                         const struct hl7_found *found)
{
    struct json member = json_get(json_get(found->body, S("subject")), S("reference"));
    str subject = json_string(work->cx->arena, member), id = subject, kind = { 0 };
    struct hl7_found patient = { .reference = subject };
    if (!subject.n || !work->patient.n || str_eq(subject, work->patient))
        return ERR_OK;
    str_next(&id, '/', &kind);
    TRY(store_read(work->cx, work->store, fhir_resource_find(S("Patient")), id,
                   &patient.version));
    TRY(json_parse(work->cx, patient.version.body, &patient.body));
    TRY(hl7_follow(work, &patient, NULL, NULL));
    if (str_eq(patient.reference, work->patient))
        return ERR_OK;
    return hl7_refuse(work, 204, "PID-3", "the %s %.*s is another patient's", type,
                      STR_ARG(value));
}

static bool is_whose(const char *key)
{
    return strcmp(key, "subject") == 0 || strcmp(key, "participant") == 0;
}

/* The first of a list with parts is the place for them. */
static void set_stamps(struct hl7_change *changes, str json)
{
    if (strcmp(changes[0].key, "extension") == 0)
        changes[0].json = json;
}

/* Takes out what is not to change. Two members of one part are taken or left together. */
static void take_out(struct hl7_work *work, struct hl7_change *changes,
                     const struct hl7_found *found, struct hl7_stamps *stamps)
{
    for (struct hl7_change *at = changes; at->key; at++) {
        bool there = json_get(found->body, str_of(at->key)).doc != NULL;
        if (!str_given(at->json))
            continue;
        bool whose = found->found && there && is_whose(at->key);
        if (whose || (at->part && !hl7_stamps_take(work, stamps, at->part)))
            at->json = (str){ 0 };
    }
}

err hl7_put_stamped(struct hl7_work *work, const char *type, struct hl7_name name,
                    struct hl7_change *changes, struct hl7_stamps *stamps,
                    struct hl7_found *found)
{
    struct ctx *cx = work->cx;
    struct commit_op op = { .verb = COMMIT_UPDATE, .resource = fhir_resource_find(str_of(type)),
                            .skip_unchanged = true };
    if (work->ops_count == HL7_OPS_MAX)
        return hl7_refuse(work, 207, "", "the message makes more than %d changes", HL7_OPS_MAX);
    TRY(check_subject(work, type, name.value, found));
    take_out(work, changes, found, stamps);
    if (stamps->count)
        set_stamps(changes, hl7_stamps_write(work, stamps, found->body));
    TRY(json_parse(cx, merged(work, type, found->body, changes), &op.body));
    if (validate_resource(cx, op.body))
        return hl7_refuse(work, 207, type, "as %s: %.*s", type,
                          STR_ARG(cx->issues.list[cx->issues.kept - 1].text));
    if (found->found) {
        op.id = found->version.id;
        op.if_match_vid = found->version.vid;
    } else {
        /* Made by another message meanwhile, it is looked at again; a place is the same anyway. */
        op.if_none_match = strcmp(type, "Location") != 0;
        op.verb = op.if_none_match ? COMMIT_UPDATE : COMMIT_CREATE;
        op.condition = hl7_condition(work, name.system, name.value);
        op.full_url = found->reference = new_urn(work);
    }
    found->body = op.body;
    work->ops = arena_grow(cx->arena, work->ops, work->ops_count, &work->ops_cap,
                           sizeof *work->ops);
    work->ops[work->ops_count++] = op;
    return ERR_OK;
}

err hl7_put(struct hl7_work *work, const char *type, str system, str value,
            struct hl7_change *changes, struct hl7_found *found)
{
    struct hl7_stamps stamps;
    hl7_stamps_read(work, found->body, &stamps);
    return hl7_put_stamped(work, type, (struct hl7_name){ system, value }, changes, &stamps, found);
}

str hl7_field(struct hl7_work *work, const struct hl7_segment *segment, int field, int component)
{
    return hl7_get(work->cx->arena, work->message, segment, field, component);
}

str hl7_json_text(struct hl7_work *work, str text)
{
    if (!text.n)
        return text;
    struct buf buf = hl7_buf(work);
    struct json_writer w = json_writer(&buf);
    json_str(&w, text);
    return buf_str(&buf);
}

str hl7_json_identifier(struct hl7_work *work, str system, str value)
{
    struct buf buf = hl7_buf(work);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '[');
    json_open(&w, '{');
    json_put_str(&w, "system", system);
    json_put_str(&w, "value", value);
    json_close(&w, '}');
    json_close(&w, ']');
    return buf_str(&buf);
}

str hl7_json_reference(struct hl7_work *work, str reference)
{
    if (!reference.n)
        return (str){ 0 };
    struct buf buf = hl7_buf(work);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "reference", reference);
    json_close(&w, '}');
    return buf_str(&buf);
}

str hl7_json_subject(struct hl7_work *work)
{
    struct buf buf = hl7_buf(work);
    if (!work->way.count || !work->patient.n)
        return hl7_json_reference(work, work->patient);
    buf_add(&buf, S("{\"extension\":["));
    for (size_t i = 0; i < work->way.count; i++)
        buf_printf(&buf, "%s{\"url\":\"" MERGE_FROM_URL "\",\"valueString\":\"%.*s\"}",
                   i ? "," : "", STR_ARG(work->way.steps[i]));
    buf_printf(&buf, "],\"reference\":\"%.*s\"}", STR_ARG(work->patient));
    return buf_str(&buf);
}

str hl7_json_code(struct hl7_work *work, const char *system, str code)
{
    struct buf buf = hl7_buf(work);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "system", str_of(system));
    json_put_str(&w, "code", code);
    json_close(&w, '}');
    return buf_str(&buf);
}

static void put_coding(struct hl7_work *work, struct json_writer *w,
                       const struct hl7_segment *segment, struct hl7_place place)
{
    struct arena *arena = work->cx->arena;
    str code = hl7_text(arena, work->message, segment, place);
    place.component++;
    str display = hl7_text(arena, work->message, segment, place);
    place.component++;
    str set = hl7_text(arena, work->message, segment, place);
    str system = hl7_sender_code(arena, work->sender, "codes", set);
    if (!code.n)
        return;
    if (!str_given(system))
        system = hl7_sender_uri(arena, "CodeSystem", work->message->facility,
                                set.n ? set : S("local"));
    json_open(w, '{');
    json_put_str(w, "system", system);
    json_put_str(w, "code", code);
    if (display.n)
        json_put_str(w, "display", display);
    json_close(w, '}');
}

str hl7_json_concept(struct hl7_work *work, const struct hl7_segment *segment,
                     struct hl7_place place)
{
    struct buf buf = hl7_buf(work);
    struct json_writer w = json_writer(&buf);
    place.component = 2;
    str text = hl7_text(work->cx->arena, work->message, segment, place);
    place.component = 1;
    str code = hl7_text(work->cx->arena, work->message, segment, place);
    if (!code.n && !text.n)
        return (str){ 0 };
    json_open(&w, '{');
    if (code.n) {
        json_key(&w, "coding");
        json_open(&w, '[');
        put_coding(work, &w, segment, place);
        place.component = 4;
        put_coding(work, &w, segment, place);
        json_close(&w, ']');
    }
    json_put_str(&w, "text", text.n ? text : code);
    json_close(&w, '}');
    return buf_str(&buf);
}

str hl7_time(struct hl7_work *work, str text)
{
    return hl7_to_fhir_time(work->cx->arena, text, work->sender->zone_minutes);
}

bool hl7_instant(str fhir_time, int64_t *out_ms)
{
    struct datetime time;
    if (!datetime_parse(fhir_time, DATETIME_AS_DATE_TIME, &time))
        return false;
    *out_ms = time.low_ms;
    return true;
}
