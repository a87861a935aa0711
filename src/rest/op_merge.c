/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/op.h"
#include "fhir/validate.h"
#include "http/outcome.h"
#include "rest/merge_conflict.h"
#include "rest/rest.h"
#include "store/commit.h"
#include "store/layout.h"

/*
 * Patient $merge and $unmerge: two records of one person become one, and can become two again.
 *
 * Source   hl7.org/fhir/R4/patient-definitions.html#Patient.link; HL7 v2 A40. Parameters
 *          source-patient (retired), target-patient (survivor), preview.
 * Shapes   one transaction: the retired patient becomes inactive with a link replaced-by, the
 *          survivor gets a link replaces, and every reference to the retired one
 *          is turned to the survivor, with an extension on it that says where it came from. That
 *          extension is what $unmerge follows back, so entries made after the merge stay put.
 * Errors   ERR_RULE: the same patient, one that is retired already, or none that was merged.
 * Limits   MERGE_MAX resources in one merge.
 * Hazards  H-003 wrong merge: reversible, nothing is deleted, every change is a version.
 */
enum { MERGE_MAX = 50000 };
static const char from_url[] = "https://frontline.example/fhir/StructureDefinition/merged-from";

struct merge {
    const struct operation_ask *ask;
    str source, target;          /* "Patient/1" */
    bool undo;
    struct commit_op *ops;
    size_t count, cap;
};

/* ---- references ------------------------------------------------------------------------- */

static bool came_from(const struct merge *merge, struct json reference)
{
    for (struct json_walk w = json_walk(json_get(reference, S("extension"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("url")), str_of(from_url)))
            return json_string_is(json_get(w.value, S("valueString")), merge->source);
    return false;
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

static void write_extensions(const struct merge *merge, struct json_writer *w, struct json list)
{
    json_key(w, "extension");
    json_open(w, '[');
    for (struct json_walk walk = json_walk(list); json_next(&walk);)
        if (!json_string_is(json_get(walk.value, S("url")), str_of(from_url)))
            json_raw(w, json_text(walk.value));
    if (!merge->undo) {
        json_open(w, '{');
        json_put_str(w, "url", str_of(from_url));
        json_put_str(w, "valueString", merge->source);
        json_close(w, '}');
    }
    json_close(w, ']');
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
            json_str(w, merge->undo ? merge->source : merge->target);
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
    struct buf buf = buf_make(cx->arena, REST_TEXT_MAX);
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
        json_raw(w, arena_printf(w->buf->arena, "{\"other\":{\"reference\":\"%.*s\"},\"type\":"
                                 "\"%s\"}", STR_ARG(other), type));
    }
    if (any)
        json_close(w, ']');
}

static err change_patient(struct ctx *cx, const struct merge *merge, struct json before,
                          bool retired, struct json *after)
{
    struct buf buf = buf_make(cx->arena, REST_TEXT_MAX);
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

/* ---- the whole -------------------------------------------------------------------------- */

static struct commit_op *add_op(struct merge *merge, uint16_t resource, str id)
{
    merge->ops = arena_grow(merge->ask->call->cx->arena, merge->ops, merge->count, &merge->cap,
                            sizeof *merge->ops);
    struct commit_op *op = &merge->ops[merge->count++];
    *op = (struct commit_op){ .verb = COMMIT_PATCH, .resource = resource, .id = id,
                              .patch = turn_references, .patch_self = merge };
    return op;
}

struct pointing {
    struct merge *merge;
    struct map seen;         /* "Observation/1": what is in ops */
    str owner;               /* whom the references point to now */
    int64_t *rids;
};

/* The resources of one type that point to the owner by one search parameter. */
static err add_pointing(struct pointing *p, uint16_t resource, str param)
{
    struct rest_call *call = p->merge->ask->call;
    struct search_rids found = { p->rids, MERGE_MAX, 0 };
    TRY(search_condition(call->cx, call->store, resource,
                         arena_printf(call->cx->arena, "%.*s=%.*s", STR_ARG(param),
                                      STR_ARG(p->owner)), &found));
    for (size_t i = 0; i < found.count; i++) {
        struct store_version version;
        struct json body;
        TRY(store_read_rid(call->cx, call->store, found.rids[i], &version));
        str name = arena_printf(call->cx->arena, "%.*s/%.*s",
                                STR_ARG(fhir_resource_name(version.resource)), STR_ARG(version.id));
        TRY(json_parse(call->cx, version.body, &body));
        if (map_add(&p->seen, name, 1, NULL) && any_turns(p->merge, body))
            add_op(p->merge, version.resource, version.id);
    }
    if (p->merge->count > MERGE_MAX)
        return ctx_failf(call->cx, ERR_LIMIT, (str){ 0 }, "a merge may turn %d resources",
                         MERGE_MAX);
    return ERR_OK;
}

static bool points_to(const struct layout_param *param, uint16_t patient)
{
    const uint16_t *types;
    uint16_t count = param->kind == FHIR_SEARCH_REFERENCE ? layout_targets(param, &types) : 0;
    if (param->kind != FHIR_SEARCH_REFERENCE || !param->def)
        return false;
    for (uint16_t i = 0; i < count; i++)
        if (layout_target(types[i]) == patient)
            return true;
    return count == 0;
}

/* Everything whose references turn, in the compartment or not: the retired one's, or back from the
 * survivor. Patients linked to them stay: the links tell what happened. */
static err add_all_pointing(struct merge *merge)
{
    struct ctx *cx = merge->ask->call->cx;
    const struct index_layout *layout = store_layout(merge->ask->call->store);
    struct pointing p = { .merge = merge, .seen = map_make(cx->arena),
                          .owner = merge->undo ? merge->target : merge->source,
                          .rids = arena_array(cx->arena, MERGE_MAX, sizeof *p.rids) };
    for (uint16_t r = 0; r < fhir_resources_count; r++)
        for (uint16_t i = 0; i < layout->types[r].params_count; i++)
            if (r != merge->ask->resource &&
                points_to(&layout->types[r].params[i], merge->ask->resource))
                TRY(add_pointing(&p, r, layout->types[r].params[i].code));
    return ERR_OK;
}

static err take_patient(const struct operation_ask *ask, const char *name, str *out)
{
    struct json value = operation_value(ask, name);
    str text = json_is(value, JSON_OBJECT)
                   ? json_string(ask->call->cx->arena, json_get(value, S("reference")))
                   : operation_text(ask, name);
    struct op_reference found;
    if (!op_read_reference(ask, text, &found) || found.resource != ask->resource)
        return ctx_failf(ask->call->cx, ERR_INVALID, str_of(name), "give %s, a reference to a "
                         "Patient of this server", name);
    *out = arena_printf(ask->call->cx->arena, "Patient/%.*s", STR_ARG(found.id));
    return ERR_OK;
}

static err check_patients(struct merge *merge)
{
    struct rest_call *call = merge->ask->call;
    struct store_version source, target;
    struct json body;
    uint16_t patient = merge->ask->resource;
    bool linked = false;
    if (str_eq(merge->source, merge->target))
        return ctx_fail(call->cx, ERR_RULE, S("source-patient"),
                        S("source and target are the same patient"));
    TRY(store_read(call->cx, call->store, patient, str_slice(merge->source, 8, merge->source.n),
                   &source));
    TRY(store_read(call->cx, call->store, patient, str_slice(merge->target, 8, merge->target.n),
                   &target));
    TRY(json_parse(call->cx, source.body, &body));
    for (struct json_walk w = json_walk(json_get(body, S("link"))); json_next(&w);) {
        if (!merge->undo && json_string_is(json_get(w.value, S("type")), S("replaced-by")))
            return ctx_fail(call->cx, ERR_RULE, S("source-patient"),
                            S("this patient was merged into another already"));
        linked = linked || is_link(w.value, "replaced-by", merge->target);
    }
    if (merge->undo && !linked)
        return ctx_fail(call->cx, ERR_RULE, S("source-patient"),
                        S("these two were not merged, so there is nothing to take back"));
    if (!merge->undo)
        TRY(merge_conflicts(merge->ask, &source, &target));
    struct commit_op *op = add_op(merge, patient, source.id);
    op->patch = retire;
    op->if_match_vid = source.vid;
    op = add_op(merge, patient, target.id);
    op->patch = survive;
    op->if_match_vid = target.vid;
    return ERR_OK;
}

static err answer(struct merge *merge, bool preview, struct operation_answer *out)
{
    struct ctx *cx = merge->ask->call->cx;
    struct buf buf = buf_make(cx->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    issues_note(&cx->issues,
                (struct issue){ .severity = ISSUE_INFORMATION, .code = "informational",
                                .text = arena_printf(cx->arena, "%zu resources %s from %.*s to "
                                                     "%.*s", merge->count - 2,
                                                     preview ? "would move" : "moved",
                                                     STR_ARG(merge->undo ? merge->target
                                                                         : merge->source),
                                                     STR_ARG(merge->undo ? merge->source
                                                                         : merge->target)) });
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Parameters"));
    json_key(&w, "parameter");
    json_open(&w, '[');
    json_open(&w, '{');
    json_put_str(&w, "name", S("outcome"));
    json_key(&w, "resource");
    http_outcome_write(&buf, &cx->issues);
    w.comma = true;
    json_close(&w, '}');
    if (!preview) {
        json_open(&w, '{');
        json_put_str(&w, "name", S("result"));
        json_put_raw(&w, "resource", merge->ops[1].version.body);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    out->body = buf_str(&buf);
    return ERR_OK;
}

static err run(const struct operation_ask *ask, bool undo, struct operation_answer *out)
{
    struct ctx *cx = ask->call->cx;
    struct merge *merge = arena_zero(cx->arena, sizeof *merge);
    bool preview;
    *merge = (struct merge){ .ask = ask, .undo = undo };
    TRY(take_patient(ask, "source-patient", &merge->source));
    TRY(take_patient(ask, "target-patient", &merge->target));
    TRY(operation_flag(ask, "preview", false, &preview));
    TRY(store_reader(cx, ask->call->store));
    TRY(check_patients(merge));
    TRY(add_all_pointing(merge));
    struct commit commit = { .ops = merge->ops, .ops_count = merge->count, .cx = cx };
    if (!preview)
        TRY(commit_run(cx, ask->call->store, &commit));
    return answer(merge, preview, out);
}

err op_merge(const struct operation_ask *ask, struct operation_answer *out)
{
    return run(ask, false, out);
}

err op_unmerge(const struct operation_ask *ask, struct operation_answer *out)
{
    return run(ask, true, out);
}
