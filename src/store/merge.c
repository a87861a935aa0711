/* SPDX-License-Identifier: Apache-2.0 */
#include "store/merge.h"
#include "base/map.h"
#include "json/write.h"
#include "store/layout.h"
#include "store/state.h"

enum { TEXT_MAX = 64 << 20 };

/* ---- references ------------------------------------------------------------------------- */

/* By its last merge. */
static bool came_from(const struct merge *merge, struct json reference)
{
    struct json last = { 0 };
    for (struct json_walk w = json_walk(json_get(reference, S("extension"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("url")), S(MERGE_FROM_URL)))
            last = json_get(w.value, S("valueString"));
    return last.doc && json_string_is(last, merge->source) &&
           json_string_is(json_get(reference, S("reference")), merge->target);
}

static bool turns(const struct merge *merge, struct json value)
{
    struct json reference = json_get(value, S("reference"));
    return merge->undo ? came_from(merge, value) : json_string_is(reference, merge->source);
}

static bool any_turns(const struct merge *merge, struct json value)
{
    if (json_is(value, JSON_OBJECT) && turns(merge, value))
        return true;
    for (struct json_walk w = json_walk(value); json_next(&w);)
        if ((json_is(w.value, JSON_OBJECT) || json_is(w.value, JSON_ARRAY)) &&
            any_turns(merge, w.value))
            return true;
    return false;
}

static void write_from(struct json_writer *w, str from)
{
    json_open(w, '{');
    json_put_str(w, "url", S(MERGE_FROM_URL));
    json_put_str(w, "valueString", from);
    json_close(w, '}');
}

/* Those there are, but for the merge that is taken back; and the merge's own. */
static void write_extensions(const struct merge *merge, struct json_writer *w, struct json list)
{
    size_t last = 0, i = 0;
    for (struct json_walk walk = json_walk(list); json_next(&walk); i++)
        if (json_string_is(json_get(walk.value, S("url")), S(MERGE_FROM_URL)))
            last = i;
    json_key(w, "extension");
    json_open(w, '[');
    i = 0;
    for (struct json_walk walk = json_walk(list); json_next(&walk); i++)
        if (!merge->undo || i != last)
            json_raw(w, json_text(walk.value));
    if (!merge->undo) {
        write_from(w, merge->source);
        for (size_t k = 0; k < merge->onward_count; k++)
            write_from(w, k ? merge->onward[k - 1] : merge->target);
    }
    json_close(w, ']');
}

static str new_owner(const struct merge *merge)
{
    return merge->undo           ? merge->source
           : merge->onward_count ? merge->onward[merge->onward_count - 1]
                                 : merge->target;
}

static void write_turned(const struct merge *merge, struct json_writer *w, struct json value)
{
    struct json extensions = json_get(value, S("extension"));
    json_open(w, '{');
    if (!merge->undo || json_count(extensions) > 1)
        write_extensions(merge, w, extensions);
    for (struct json_walk walk = json_walk(value); json_next(&walk);) {
        if (json_string_is(walk.key, S("extension")))
            continue;
        json_key_str(w, json_string(w->buf->arena, walk.key));
        if (json_string_is(walk.key, S("reference")))
            json_str(w, new_owner(merge));
        else
            json_raw(w, json_text(walk.value));
    }
    json_close(w, '}');
}

static void write_value(const struct merge *merge, struct json_writer *w, struct json value)
{
    bool object = json_is(value, JSON_OBJECT);
    if (object && turns(merge, value)) {
        write_turned(merge, w, value);
    } else if (object || json_is(value, JSON_ARRAY)) {
        json_open(w, object ? '{' : '[');
        for (struct json_walk walk = json_walk(value); json_next(&walk);) {
            if (object)
                json_key_str(w, json_string(w->buf->arena, walk.key));
            write_value(merge, w, walk.value);
        }
        json_close(w, object ? '}' : ']');
    } else {
        json_raw(w, json_text(value));
    }
}

static err turn_references(struct ctx *cx, const struct commit_op *op, struct json before,
                           struct json *after)
{
    struct buf buf = buf_make(cx->arena, TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    write_value(op->patch_self, &w, before);
    return json_parse(cx, buf_str(&buf), after);
}

/* ---- the two patients ------------------------------------------------------------------- */

static bool is_link(struct json link, const char *type, str other)
{
    return json_string_is(json_get(link, S("type")), str_of(type)) &&
           json_string_is(json_get(json_get(link, S("other")), S("reference")), other);
}

static str link_of(const struct merge *merge, struct arena *arena, const char *type, str other)
{
    str said = merge->said_at.n
                   ? arena_printf(arena, "\"extension\":[{\"url\":\"" MERGE_AT_URL "\","
                                  "\"valueInstant\":\"%.*s\"}],", STR_ARG(merge->said_at))
                   : S("");
    return arena_printf(arena, "{%.*s\"other\":{\"reference\":\"%.*s\"},\"type\":\"%s\"}",
                        STR_ARG(said), STR_ARG(other), type);
}

static void write_links(const struct merge *merge, struct json_writer *w, struct json links,
                        const char *type, str other)
{
    bool any = false;
    for (struct json_walk walk = json_walk(links); json_next(&walk);) {
        if (is_link(walk.value, type, other))
            continue;
        if (!any) {
            json_key(w, "link");
            json_open(w, '[');
        }
        any = true;
        json_raw(w, json_text(walk.value));
    }
    if (!merge->undo) {
        if (!any) {
            json_key(w, "link");
            json_open(w, '[');
        }
        any = true;
        json_raw(w, link_of(merge, w->buf->arena, type, other));
    }
    if (any)
        json_close(w, ']');
}

static err change_patient(struct ctx *cx, const struct merge *merge, struct json before,
                          bool retired, struct json *after)
{
    struct buf buf = buf_make(cx->arena, TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    for (struct json_walk walk = json_walk(before); json_next(&walk);) {
        if (json_string_is(walk.key, S("link")) ||
            (retired && json_string_is(walk.key, S("active"))))
            continue;
        json_key_str(&w, json_string(cx->arena, walk.key));
        json_raw(&w, json_text(walk.value));
    }
    if (retired)
        json_put_bool(&w, "active", merge->undo);
    write_links(merge, &w, json_get(before, S("link")), retired ? "replaced-by" : "replaces",
                retired ? merge->target : merge->source);
    json_close(&w, '}');
    return json_parse(cx, buf_str(&buf), after);
}

static err retire(struct ctx *cx, const struct commit_op *op, struct json before,
                  struct json *after)
{
    return change_patient(cx, op->patch_self, before, true, after);
}

static err survive(struct ctx *cx, const struct commit_op *op, struct json before,
                   struct json *after)
{
    return change_patient(cx, op->patch_self, before, false, after);
}

/* ---- what points to them --------------------------------------------------------------- */

static struct commit_op *add_op(struct ctx *cx, struct merge *merge, uint16_t resource, str id)
{
    merge->ops = arena_grow(cx->arena, merge->ops, merge->count, &merge->cap, sizeof *merge->ops);
    struct commit_op *op = &merge->ops[merge->count++];
    *op = (struct commit_op){ .verb = COMMIT_PATCH, .resource = resource, .id = id,
                              .patch = turn_references, .patch_self = merge };
    return op;
}

static const struct stmt sql[] = {
    { "what refers to a patient", "SELECT rid FROM ref WHERE slot = ?1 AND target = ?2",
      "SEARCH ref USING PRIMARY KEY" },
    { 0 },
};

struct merge_pointing {
    struct merge *merge;
    struct map seen;         /* rids that are in ops, or do not turn */
    int64_t owner;           /* whom the references point to now */
    bool *slots;             /* looked at */
    int64_t *rids;
};

static err find_pointing(struct ctx *cx, struct merge_pointing *p, uint16_t slot, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, cx->db, sql, 0);
    bool row = true;
    *count = 0;
    db_bind_int(stmt, 1, slot);
    db_bind_int(stmt, 2, p->owner);
    for (;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        if (*count == MERGE_MAX) {
            db_reset(stmt);
            return ctx_failf(cx, ERR_LIMIT, (str){ 0 }, "a merge may turn %d resources", MERGE_MAX);
        }
        p->rids[(*count)++] = db_int(stmt, 0);
    }
}

/* What the asker may not see stays hidden, and as it is. */
static err add_one(struct ctx *cx, struct store *store, struct merge_pointing *p, int64_t rid)
{
    struct store_version version;
    struct json body;
    size_t issues = cx->issues.kept;
    str key = arena_printf(cx->arena, "%lld", (long long)rid);
    if (!map_add(&p->seen, key, 1, NULL))
        return ERR_OK;
    err wrong = store_read_rid(cx, store, rid, &version);
    if (wrong == ERR_NOT_FOUND || wrong == ERR_GONE) {
        cx->issues.kept = cx->issues.count = issues;
        return ERR_OK;
    }
    TRY(wrong);
    TRY(json_parse(cx, version.body, &body));
    if (any_turns(p->merge, body))
        add_op(cx, p->merge, version.resource, version.id);
    if (p->merge->count > MERGE_MAX)
        return ctx_failf(cx, ERR_LIMIT, (str){ 0 }, "a merge may turn %d resources", MERGE_MAX);
    return ERR_OK;
}

static err add_slot(struct ctx *cx, struct store *store, struct merge_pointing *p, uint16_t slot)
{
    size_t count;
    if (p->slots[slot])
        return ERR_OK;
    p->slots[slot] = true;
    TRY(find_pointing(cx, p, slot, &count));
    for (size_t i = 0; i < count; i++)
        TRY(add_one(cx, store, p, p->rids[i]));
    return ERR_OK;
}

static bool points_to(const struct layout_param *param, uint16_t patient)
{
    const uint16_t *types;
    if (param->kind != FHIR_SEARCH_REFERENCE || !param->def)
        return false;
    uint16_t count = layout_targets(param, &types);
    for (uint16_t i = 0; i < count; i++)
        if (layout_target(types[i]) == patient)
            return true;
    return count == 0;
}

/* Everything whose references turn, in the compartment or not: the retired one's, or back from the
 * survivor. Patients linked to them stay: the links tell what happened. */
static err add_all_pointing(struct ctx *cx, struct store *store, struct merge *merge,
                            uint16_t patient, int64_t owner)
{
    const struct index_layout *layout = store_layout(store);
    struct merge_pointing *p = arena_zero(cx->arena, sizeof *p);
    *p = (struct merge_pointing){ .merge = merge, .seen = map_make(cx->arena), .owner = owner,
        .slots = arena_array(cx->arena, layout->slots_count, 1),
        .rids = arena_array(cx->arena, MERGE_MAX, sizeof *p->rids) };
    merge->pointing = p;
    for (uint16_t r = 0; r < fhir_resources_count; r++)
        for (uint16_t i = 0; r != patient && i < layout->types[r].params_count; i++) {
            const struct layout_param *param = &layout->types[r].params[i];
            for (uint16_t s = 0; points_to(param, patient) && s < param->slots_count; s++)
                TRY(add_slot(cx, store, p, param->slots[s].slot));
        }
    return ERR_OK;
}

err merge_holds(struct ctx *cx, struct store *store, const struct commit *commit)
{
    const struct merge *merge = commit->holds_self;
    struct merge_pointing *p = merge->pointing;
    const struct index_layout *layout = store_layout(store);
    for (uint16_t slot = 0; slot < layout->slots_count; slot++) {
        size_t count = 0;
        if (p->slots[slot])
            TRY(find_pointing(cx, p, slot, &count));
        for (size_t i = 0; i < count; i++) {
            str key = arena_printf(cx->arena, "%lld", (long long)p->rids[i]);
            uint64_t seen;
            if (!map_get(&p->seen, key, &seen))
                return ctx_fail(cx, ERR_PRECONDITION, S("source-patient"),
                                S("somebody wrote about this patient meanwhile: repeat the merge"));
        }
    }
    return ERR_OK;
}

err merge_prepare(struct ctx *cx, struct store *store, struct merge *merge)
{
    uint16_t patient = fhir_resource_find(S("Patient"));
    struct store_version owner;
    str of = merge->undo ? merge->target : merge->source;
    TRY(store_reader(cx, store));
    TRY(store_read(cx, store, patient, str_slice(of, 8, of.n), &owner));
    merge->count = 0;
    struct commit_op *op = add_op(cx, merge, patient, str_slice(merge->source, 8, merge->source.n));
    op->patch = retire;
    op->if_match_vid = merge->source_vid;
    op = add_op(cx, merge, patient, str_slice(merge->target, 8, merge->target.n));
    op->patch = survive;
    op->if_match_vid = merge->target_vid;
    return add_all_pointing(cx, store, merge, patient, owner.rid);
}
