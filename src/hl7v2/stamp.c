/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/stamp.h"

#define SNAPSHOT "https://frontline.example/StructureDefinition/hl7v2-snapshot"

static bool is_snapshot(struct json extension)
{
    return json_string_is(json_get(extension, S("url")), S(SNAPSHOT));
}

static void add(struct hl7_stamps *stamps, str part, str at)
{
    struct hl7_stamp stamp = { part, at, 0 };
    if (stamps->count < HL7_STAMPS_MAX && part.n && hl7_instant(at, &stamp.at_ms))
        stamps->list[stamps->count++] = stamp;
}

static void read_one(struct hl7_work *work, struct json extension, struct hl7_stamps *out)
{
    struct arena *arena = work->cx->arena;
    str alone = json_string(arena, json_get(extension, S("valueInstant")));
    str at = { 0 }, parts = { 0 }, part;
    if (alone.n)
        add(out, S("*"), alone);
    for (struct json_walk w = json_walk(json_get(extension, S("extension"))); json_next(&w);) {
        if (json_string_is(json_get(w.value, S("url")), S("at")))
            at = json_string(arena, json_get(w.value, S("valueInstant")));
        else
            parts = json_string(arena, json_get(w.value, S("valueString")));
    }
    while (str_next(&parts, ' ', &part))
        add(out, part, at);
}

void hl7_stamps_read(struct hl7_work *work, struct json body, struct hl7_stamps *out)
{
    out->count = 0;
    for (struct json_walk w = json_walk(json_get(body, S("extension"))); json_next(&w);)
        if (is_snapshot(w.value))
            read_one(work, w.value, out);
}

bool hl7_stamps_take(struct hl7_work *work, struct hl7_stamps *stamps, const char *part)
{
    struct hl7_stamp now = { str_of(part), work->event_time, work->event_ms }, *mine = NULL;
    for (size_t i = 0; i < stamps->count; i++) {
        bool same = str_eq(stamps->list[i].part, now.part);
        if ((same || str_eq(stamps->list[i].part, S("*"))) && stamps->list[i].at_ms > now.at_ms)
            return false;
        mine = same ? &stamps->list[i] : mine;
    }
    if (!mine && stamps->count < HL7_STAMPS_MAX)
        mine = &stamps->list[stamps->count++];
    if (mine)
        *mine = now;
    return true;
}

/* One extension for all that was said at the instant of stamp `first`. */
static void write_instant(struct hl7_work *work, struct json_writer *w,
                          const struct hl7_stamps *stamps, size_t first)
{
    struct buf parts = hl7_buf(work);
    for (size_t i = first; i < stamps->count; i++)
        if (stamps->list[i].at_ms == stamps->list[first].at_ms)
            buf_printf(&parts, "%s%.*s", parts.n ? " " : "", STR_ARG(stamps->list[i].part));
    json_open(w, '{');
    json_put_str(w, "url", S(SNAPSHOT));
    json_key(w, "extension");
    json_open(w, '[');
    json_open(w, '{');
    json_put_str(w, "url", S("at"));
    json_put_str(w, "valueInstant", stamps->list[first].at);
    json_close(w, '}');
    json_open(w, '{');
    json_put_str(w, "url", S("of"));
    json_put_str(w, "valueString", buf_str(&parts));
    json_close(w, '}');
    json_close(w, ']');
    json_close(w, '}');
}

static bool is_first(const struct hl7_stamps *stamps, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (stamps->list[i].at_ms == stamps->list[at].at_ms)
            return false;
    return true;
}

/* By instant, then by name: the same things said are the same text, in whatever order they came. */
static int in_order(const void *a, const void *b)
{
    const struct hl7_stamp *x = a, *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return str_cmp(x->part, y->part);
}

str hl7_stamps_write(struct hl7_work *work, struct hl7_stamps *stamps, struct json before)
{
    struct buf buf = hl7_buf(work);
    qsort(stamps->list, stamps->count, sizeof stamps->list[0], in_order);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '[');
    for (struct json_walk old = json_walk(json_get(before, S("extension"))); json_next(&old);)
        if (!is_snapshot(old.value))
            json_raw(&w, json_text(old.value));
    for (size_t i = 0; i < stamps->count; i++)
        if (is_first(stamps, i))
            write_instant(work, &w, stamps, i);
    json_close(&w, ']');
    return buf_str(&buf);
}
