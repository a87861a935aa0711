/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/op.h"
#include "http/outcome.h"
#include "rest/merge_conflict.h"
#include "rest/rest.h"
#include "store/commit.h"
#include "store/merge.h"

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

enum { TRIES = 8 };

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

/* What went on to a third record would stay there unseen, or be left with one that is retired. */
static err check_target(struct ctx *cx, const struct merge *merge, str target)
{
    struct json body;
    TRY(json_parse(cx, target, &body));
    for (struct json_walk w = json_walk(json_get(body, S("link"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("type")), S("replaced-by")))
            return ctx_failf(cx, ERR_RULE, S("target-patient"),
                             "this record was itself merged into %.*s: %s",
                             STR_ARG(json_string(cx->arena, json_get(json_get(w.value, S("other")),
                                                                     S("reference")))),
                             merge->undo ? "take that merge back first" : "merge into that one");
    return ERR_OK;
}

static err check_patients(const struct operation_ask *ask, struct merge *merge)
{
    struct rest_call *call = ask->call;
    struct store_version source, target;
    struct json body;
    uint16_t patient = ask->resource;
    bool linked = false;
    if (str_eq(merge->source, merge->target))
        return ctx_fail(call->cx, ERR_RULE, S("source-patient"),
                        S("source and target are the same patient"));
    TRY(store_read(call->cx, call->store, patient, str_slice(merge->source, 8, merge->source.n),
                   &source));
    TRY(store_read(call->cx, call->store, patient, str_slice(merge->target, 8, merge->target.n),
                   &target));
    TRY(check_target(call->cx, merge, target.body));
    TRY(json_parse(call->cx, source.body, &body));
    for (struct json_walk w = json_walk(json_get(body, S("link"))); json_next(&w);) {
        if (!merge->undo && json_string_is(json_get(w.value, S("type")), S("replaced-by")))
            return ctx_fail(call->cx, ERR_RULE, S("source-patient"),
                            S("this patient was merged into another already"));
        linked = linked || (json_string_is(json_get(w.value, S("type")), S("replaced-by")) &&
                            json_string_is(json_get(json_get(w.value, S("other")), S("reference")),
                                           merge->target));
    }
    if (merge->undo && !linked)
        return ctx_fail(call->cx, ERR_RULE, S("source-patient"),
                        S("these two were not merged, so there is nothing to take back"));
    if (!merge->undo)
        TRY(merge_conflicts(ask, &source, &target));
    merge->source_vid = source.vid;
    merge->target_vid = target.vid;
    return ERR_OK;
}

static err answer(struct ctx *cx, struct merge *merge, bool preview,
                  struct operation_answer *out)
{
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

/* Of the two as they are now. */
static err try_once(const struct operation_ask *ask, struct merge *merge, bool preview)
{
    struct ctx *cx = ask->call->cx;
    TRY(store_reader(cx, ask->call->store));
    TRY(check_patients(ask, merge));
    TRY(merge_prepare(cx, ask->call->store, merge));
    struct commit commit = { .ops = merge->ops, .ops_count = merge->count, .cx = cx,
                             .holds = merge_holds, .holds_self = merge };
    return preview ? ERR_OK : commit_run(cx, ask->call->store, &commit);
}

static err run(const struct operation_ask *ask, bool undo, struct operation_answer *out)
{
    struct ctx *cx = ask->call->cx;
    struct merge *merge = arena_zero(cx->arena, sizeof *merge);
    bool preview;
    merge->undo = undo;
    TRY(take_patient(ask, "source-patient", &merge->source));
    TRY(take_patient(ask, "target-patient", &merge->target));
    TRY(operation_flag(ask, "preview", false, &preview));
    err wrong = ERR_PRECONDITION;
    for (int i = 0; i < TRIES && wrong == ERR_PRECONDITION; i++) {
        store_reader_end(cx);
        cx->issues.count = cx->issues.kept = 0;
        wrong = try_once(ask, merge, preview); /* again when a feed wrote about them meanwhile */
    }
    TRY(wrong);
    return answer(cx, merge, preview, out);
}

err op_merge(const struct operation_ask *ask, struct operation_answer *out)
{
    return run(ask, false, out);
}

err op_unmerge(const struct operation_ask *ask, struct operation_answer *out)
{
    return run(ask, true, out);
}
