/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/again.h"
#include "hl7v2/work.h"
#include "store/search.h"

struct change {
    struct ctx *cx;
    const struct hl7_receiver *receiver;
    str now, before; /* the stay that changed, as text */
};
struct waiting {
    struct store_version version;
    struct json body;
    str since; /* UTC, as FHIR writes it */
};
struct waitings {
    struct waiting *list;
    size_t count;
};

static str text_of(struct ctx *cx, struct json object, const char *key)
{
    return json_string(cx->arena, json_get(object, str_of(key)));
}

/* Does what changed speak of it? As a whole string: the id may be the beginning of another. */
static bool speaks_of(const struct change *change, str reference)
{
    str quoted = arena_printf(change->cx->arena, "\"%.*s\"", STR_ARG(reference));
    return reference.n && (str_find(change->now, quoted) != STR_NONE ||
                           str_find(change->before, quoted) != STR_NONE);
}

static struct json last_place(struct json stay)
{
    struct json places = json_get(stay, S("location"));
    size_t count = json_count(places);
    return count ? json_at(places, count - 1) : (struct json){ 0 };
}

static bool stay_concerned(const struct change *change, struct waiting *one)
{
    struct ctx *cx = change->cx;
    struct json place = last_place(one->body);
    one->since = text_of(cx, json_get(place, S("period")), "start");
    return speaks_of(change, text_of(cx, json_get(place, S("location")), "reference")) ||
           speaks_of(change, text_of(cx, json_get(one->body, S("subject")), "reference"));
}

static bool message_concerned(const struct change *change, struct waiting *one)
{
    struct json list = json_get(one->body, S("identifier"));
    one->since = text_of(change->cx, one->body, "sent");
    for (struct json_walk w = json_walk(list); json_next(&w);)
        if (json_string_is(json_get(w.value, S("system")), S(HL7_WAITS_ID)) &&
            speaks_of(change, text_of(change->cx, w.value, "value")))
            return true;
    return false;
}

/* A stay takes its bed back before an earlier one does; a message comes after one before it. */
static int latest_first(const void *a, const void *b)
{
    return str_cmp(((const struct waiting *)b)->since, ((const struct waiting *)a)->since);
}

static int earliest_first(const void *a, const void *b)
{
    return latest_first(b, a);
}

static err find(const struct change *change, const char *type, const char *query,
                bool (*is_concerned)(const struct change *, struct waiting *),
                struct waitings *out)
{
    struct ctx *cx = change->cx;
    struct store *store = change->receiver->store;
    int64_t rids[HL7_AGAIN_MAX];
    struct search_rids found = { .rids = rids, .max = HL7_AGAIN_MAX };
    *out = (struct waitings){ 0 };
    TRY(search_condition(cx, store, fhir_resource_find(str_of(type)), str_of(query), &found));
    out->list = arena_array(cx->arena, found.count + 1, sizeof *out->list);
    for (size_t i = 0; i < found.count; i++) {
        struct waiting *one = &out->list[out->count];
        TRY(store_read_rid(cx, store, rids[i], &one->version));
        TRY(json_parse(cx, one->version.body, &one->body));
        out->count += is_concerned(change, one);
    }
    return ERR_OK;
}

/* ---- a stay ---- */

static void write_places(struct ctx *cx, struct json_writer *w, struct json places)
{
    size_t left = json_count(places);
    json_open(w, '[');
    for (struct json_walk place = json_walk(places); json_next(&place); left--) {
        if (left > 1) {
            json_raw(w, json_text(place.value));
            continue;
        }
        json_open(w, '{');
        for (struct json_walk part = json_walk(place.value); json_next(&part);) {
            str key = json_string(cx->arena, part.key);
            json_key_str(w, key);
            json_raw(w, str_eq(key, S("status")) ? S("\"active\"") : json_text(part.value));
        }
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void write_meta(struct ctx *cx, struct json_writer *w, struct json meta)
{
    json_open(w, '{');
    for (struct json_walk part = json_walk(meta); json_next(&part);) {
        str key = json_string(cx->arena, part.key);
        size_t others = json_count(part.value) - 1;
        if (str_eq(key, S("tag")) && others == 0)
            continue;
        json_key_str(w, key);
        if (!str_eq(key, S("tag"))) {
            json_raw(w, json_text(part.value));
            continue;
        }
        json_open(w, '[');
        for (struct json_walk tag = json_walk(part.value); json_next(&tag);)
            if (!json_string_is(json_get(tag.value, S("system")), S(HL7_TAGS)))
                json_raw(w, json_text(tag.value));
        json_close(w, ']');
    }
    json_close(w, '}');
}

/* In its last place, without the tag. */
static str in_bed(struct ctx *cx, struct json stay)
{
    struct buf buf = buf_make(cx->arena, HL7_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    for (struct json_walk walk = json_walk(stay); json_next(&walk);) {
        str key = json_string(cx->arena, walk.key);
        json_key_str(&w, key);
        if (str_eq(key, S("location")))
            write_places(cx, &w, walk.value);
        else if (str_eq(key, S("meta")))
            write_meta(cx, &w, walk.value);
        else
            json_raw(&w, json_text(walk.value));
    }
    json_close(&w, '}');
    return buf_str(&buf);
}

/* When it changed meanwhile its new version is in the log, and comes here, too. */
static err place_stay(const struct change *change, const struct waiting *one)
{
    struct ctx *cx = change->cx;
    struct commit_op op = { .verb = COMMIT_UPDATE, .id = one->version.id,
                            .resource = one->version.resource,
                            .if_match_vid = one->version.vid, .skip_unchanged = true };
    struct commit commit = { .ops = &op, .ops_count = 1, .cx = cx, .who = S("hl7v2"),
                             .why = S("HL7 feed") };
    TRY(json_parse(cx, in_bed(cx, one->body), &op.body));
    ctx_release(cx);
    err wrong = commit_run(cx, change->receiver->store, &commit);
    cx->issues.count = cx->issues.kept = 0;
    return wrong == ERR_CONFLICT || wrong == ERR_PRECONDITION ? ERR_OK : wrong;
}

static err place_stays(const struct change *change)
{
    struct waitings stays;
    TRY(find(change, "Encounter", "_tag=" HL7_TAGS "%7C" HL7_BED_TAKEN, stay_concerned, &stays));
    qsort(stays.list, stays.count, sizeof *stays.list, latest_first);
    for (size_t i = 0; i < stays.count; i++)
        TRY(place_stay(change, &stays.list[i]));
    return ERR_OK;
}

/* ---- a message ---- */

static err take_messages(const struct change *change)
{
    struct waitings messages;
    TRY(find(change, "Communication", "identifier=" HL7_WAITS_ID "%7Cbed&status=on-hold",
             message_concerned, &messages));
    qsort(messages.list, messages.count, sizeof *messages.list, earliest_first);
    for (size_t i = 0; i < messages.count; i++)
        hl7_take_held(change->cx, change->receiver, messages.list[i].body);
    return ERR_OK;
}

err hl7_again(struct ctx *cx, const struct hl7_receiver *receiver,
              const struct store_version *version)
{
    struct change change = { .cx = cx, .receiver = receiver, .now = version->body };
    struct store_version earlier;
    TRY(store_reader(cx, receiver->store));
    if (version->vid > 1 && store_vread(cx, receiver->store, version->resource, version->id,
                                        version->vid - 1, &earlier) == ERR_OK)
        change.before = earlier.body;
    TRY(place_stays(&change));
    TRY(store_reader(cx, receiver->store));
    TRY(take_messages(&change));
    ctx_release(cx);
    return ERR_OK;
}
