/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/op.h"
#include "base/map.h"
#include "fhir/validate.h"
#include "store/commit.h"

void op_open_bundle(struct json_writer *w, const char *type)
{
    json_open(w, '{');
    json_put_str(w, "resourceType", S("Bundle"));
    json_put_str(w, "type", str_of(type));
    json_key(w, "entry");
    json_open(w, '[');
}

void op_close_bundle(struct json_writer *w)
{
    json_close(w, ']');
    json_close(w, '}');
}

void op_write_entry(const struct operation_ask *ask, struct json_writer *w,
                    const struct store_version *version, const char *mode)
{
    json_open(w, '{');
    json_put_str(w, "fullUrl",
                 arena_printf(ask->call->cx->arena, "%.*s/%.*s/%.*s", STR_ARG(ask->call->base),
                              STR_ARG(fhir_resource_name(version->resource)),
                              STR_ARG(version->id)));
    json_put_raw(w, "resource", version->body);
    if (mode) {
        json_key(w, "search");
        json_open(w, '{');
        json_put_str(w, "mode", str_of(mode));
        json_close(w, '}');
    }
    json_close(w, '}');
}

bool op_read_reference(const struct operation_ask *ask, str text, struct op_reference *out)
{
    struct validate_reference reference;
    if (!validate_read_reference(text, &reference) || reference.is_conditional ||
        !reference.id.n || reference.resource == FHIR_NONE)
        return false;
    str base = reference.base;
    if (base.n && base.p[base.n - 1] == '/')
        base.n--;
    if (base.n && !str_eq(base, ask->call->base))
        return false;
    *out = (struct op_reference){ reference.resource, reference.id };
    return true;
}

struct op_seen op_seen_make(struct arena *arena)
{
    struct op_seen seen = { arena_alloc(arena, sizeof *seen.map), arena };
    *seen.map = map_make(arena);
    return seen;
}

bool op_seen_add(struct op_seen *seen, uint16_t resource, str id)
{
    return map_add(seen->map, arena_printf(seen->arena, "%u/%.*s", resource, STR_ARG(id)), 1, NULL);
}

err op_each_reference(struct json value, err (*fn)(void *self, struct json reference), void *self)
{
    for (struct json_walk w = json_walk(value); json_next(&w);) {
        if (json_is(w.value, JSON_STRING) && json_string_is(w.key, S("reference")))
            TRY(fn(self, w.value));
        else if (json_is(w.value, JSON_OBJECT) || json_is(w.value, JSON_ARRAY))
            TRY(op_each_reference(w.value, fn, self));
    }
    return ERR_OK;
}

err op_change(const struct operation_ask *ask, struct commit_op *op)
{
    struct commit commit = { .ops = op, .ops_count = 1, .cx = ask->call->cx };
    return commit_run(ask->call->cx, ask->call->store, &commit);
}
