/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/op.h"
#include "store/commit.h"
#include "store/labels.h"

/*
 * $meta, $meta-add, $meta-delete: profiles, tags and security labels of a resource.
 *
 * Source   hl7.org/fhir/R4/resource-operation-meta.html, -meta-add.html, -meta-delete.html. Every
 *          change is a version here, this one too.
 */
static const char *const lists[] = { "profile", "security", "tag" };

/* Two labels are one when system and code are; two profiles when the text is. */
static bool is_same(struct json a, struct json b)
{
    if (json_is(a, JSON_STRING) || json_is(b, JSON_STRING))
        return json_same(a, b, true);
    return json_same(json_get(a, S("system")), json_get(b, S("system")), true) &&
           json_same(json_get(a, S("code")), json_get(b, S("code")), true);
}

static bool holds(struct json list, struct json item)
{
    for (struct json_walk w = json_walk(list); json_next(&w);)
        if (is_same(w.value, item))
            return true;
    return false;
}

static void write_list(struct json_writer *w, const char *name, struct json have,
                       struct json change, bool add)
{
    bool any = false;
    for (int pass = 0; pass < 2; pass++)
        for (struct json_walk walk = json_walk(pass ? change : have); json_next(&walk);) {
            bool keep = pass ? add && !holds(have, walk.value)
                             : add || !holds(change, walk.value);
            if (keep && !any) {
                json_key(w, name);
                json_open(w, '[');
                any = true;
            }
            if (keep)
                json_raw(w, json_text(walk.value));
        }
    if (any)
        json_close(w, ']');
}

static void write_meta(struct json_writer *w, struct json meta, struct json change, bool add)
{
    json_open(w, '{');
    for (struct json_walk walk = json_walk(meta); json_next(&walk);) {
        bool listed = false;
        for (size_t i = 0; i < COUNT(lists); i++)
            listed = listed || json_string_is(walk.key, str_of(lists[i]));
        if (!listed)
            json_put_raw(w, arena_cstr(w->buf->arena, json_string(w->buf->arena, walk.key)),
                         json_text(walk.value));
    }
    for (size_t i = 0; i < COUNT(lists); i++)
        write_list(w, lists[i], json_get(meta, str_of(lists[i])),
                   json_get(change, str_of(lists[i])), add);
    json_close(w, '}');
}

struct meta_change {
    struct json meta;
    bool add;
};

static err change_meta(struct ctx *cx, const struct commit_op *op, struct json before,
                       struct json *after)
{
    const struct meta_change *change = op->patch_self;
    struct buf buf = buf_make(cx->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    bool written = false;
    json_open(&w, '{');
    for (struct json_walk walk = json_walk(before); json_next(&walk);) {
        json_key_str(&w, json_string(cx->arena, walk.key));
        if (json_string_is(walk.key, S("meta"))) {
            write_meta(&w, walk.value, change->meta, change->add);
            written = true;
        } else {
            json_raw(&w, json_text(walk.value));
        }
    }
    if (!written) {
        json_key(&w, "meta");
        write_meta(&w, (struct json){ 0 }, change->meta, change->add);
    }
    json_close(&w, '}');
    return json_parse(cx, buf_str(&buf), after);
}

static err answer_meta(const struct operation_ask *ask, str body, struct operation_answer *out)
{
    struct json resource;
    TRY(json_parse(ask->call->cx, body, &resource));
    struct buf buf = buf_make(ask->call->cx->arena, REST_TEXT_MAX);
    buf_add(&buf, S("{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"return\","
                    "\"valueMeta\":"));
    struct json meta = json_get(resource, S("meta"));
    buf_add(&buf, json_is(meta, JSON_OBJECT) ? json_text(meta) : S("{}"));
    buf_add(&buf, S("}]}"));
    out->body = buf_str(&buf);
    return ERR_OK;
}

/* ---- of a type, or of the whole record: every profile, label and tag in use ---- */

static void put_labels(struct json_writer *w, const char *name, const struct labels *labels)
{
    if (!labels->count)
        return;
    json_key(w, name);
    json_open(w, '[');
    for (size_t i = 0; i < labels->count; i++) {
        if (strcmp(name, "profile") == 0) {
            json_str(w, labels->list[i].code);
            continue;
        }
        json_open(w, '{');
        if (labels->list[i].system.n)
            json_put_str(w, "system", labels->list[i].system);
        json_put_str(w, "code", labels->list[i].code);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static err add_labels(const struct operation_ask *ask, const char *param, struct labels *labels)
{
    struct rest_call *call = ask->call;
    int64_t *live = arena_array(call->cx->arena, fhir_resources_count, sizeof *live);
    TRY(store_counts(call->cx, call->store, live));
    for (uint16_t r = 0; r < fhir_resources_count; r++)
        if (live[r] && (ask->resource == FHIR_NONE || ask->resource == r))
            TRY(labels_add(call->cx, call->store, r, str_of(param), labels));
    if (labels->more)
        issues_note(&call->cx->issues, (struct issue){ .severity = ISSUE_WARNING,
                    .code = "incomplete", .text = S("there are more than are listed") });
    return ERR_OK;
}

static err meta_of_many(const struct operation_ask *ask, struct operation_answer *out)
{
    static const char *const params[] = { "_profile", "_security", "_tag" }; /* as in lists */
    struct buf buf = buf_make(ask->call->cx->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Parameters"));
    json_key(&w, "parameter");
    json_open(&w, '[');
    json_open(&w, '{');
    json_put_str(&w, "name", S("return"));
    json_key(&w, "valueMeta");
    json_open(&w, '{');
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct labels labels = { 0 };
        TRY(add_labels(ask, params[i], &labels));
        put_labels(&w, lists[i], &labels);
    }
    for (const char *c = "}}]}"; *c; c++)
        json_close(&w, *c);
    out->body = buf_str(&buf);
    return ERR_OK;
}

err op_meta(const struct operation_ask *ask, struct operation_answer *out)
{
    struct store_version version;
    TRY(store_reader(ask->call->cx, ask->call->store));
    if (!str_given(ask->id))
        return meta_of_many(ask, out);
    TRY(store_read(ask->call->cx, ask->call->store, ask->resource, ask->id, &version));
    return answer_meta(ask, version.body, out);
}

static err change(const struct operation_ask *ask, bool add, struct operation_answer *out)
{
    struct meta_change wanted = { operation_value(ask, "meta"), add };
    if (!json_is(wanted.meta, JSON_OBJECT))
        return ctx_fail(ask->call->cx, ERR_INVALID, S("meta"),
                        S("send Parameters with a parameter meta that has a valueMeta"));
    struct commit_op op = { .verb = COMMIT_PATCH, .resource = ask->resource, .id = ask->id,
                            .patch = change_meta, .patch_self = &wanted };
    TRY(op_change(ask, &op));
    return answer_meta(ask, op.version.body, out);
}

err op_meta_add(const struct operation_ask *ask, struct operation_answer *out)
{
    return change(ask, true, out);
}

err op_meta_delete(const struct operation_ask *ask, struct operation_answer *out)
{
    return change(ask, false, out);
}
