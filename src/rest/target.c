/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/target.h"
#include "http/text.h"
#include "rest/find.h"
#include "rest/operation.h"
#include "rest/read.h"

static err bad_url(struct rest_call *call, str url)
{
    return ctx_failf(call->cx, ERR_INVALID, S("request.url"), "\"%.*s\" is not a URL this server "
                     "serves: write it relative to the base, as Patient/1 or Patient?name=x",
                     STR_ARG(str_slice(url, 0, 200)));
}

static err take_type(struct rest_call *call, str url, str name, uint16_t *out)
{
    *out = fhir_resource_find(name);
    return *out == FHIR_NONE ? bad_url(call, url) : ERR_OK;
}

static err take_tail(struct rest_call *call, str url, str part, str rest, struct target *out)
{
    uint64_t vid;
    if (str_eq(part, S("_history"))) {
        out->history = true;
        if (rest.n == 0)
            return ERR_OK;
        if (!str_to_u64(rest, &vid) || vid == 0 || vid > INT64_MAX)
            return bad_url(call, url);
        out->vid = (int64_t)vid;
        return ERR_OK;
    }
    if (rest.n)
        return bad_url(call, url);
    if (part.n && part.p[0] == '$') {
        out->operation = part;
        return ERR_OK;
    }
    out->compartment = fhir_resource_name(out->resource);
    out->resource = FHIR_NONE;
    return str_eq(part, S("*")) ? ERR_OK : take_type(call, url, part, &out->resource);
}

err target_read(struct rest_call *call, str url, struct target *out)
{
    *out = (struct target){ .resource = FHIR_NONE };
    str path = url, parts[4] = { 0 };
    if (str_starts(path, call->base))
        path = str_slice(path, call->base.n, path.n);
    path = str_starts(path, S("/")) ? str_slice(path, 1, path.n) : path;
    size_t mark = str_find_char(path, '?'), count = 0;
    out->query = mark == STR_NONE ? S("") : str_slice(path, mark + 1, path.n);
    path = str_slice(path, 0, mark);
    while (count < COUNT(parts) && str_next(&path, '/', &parts[count])) {
        if (!http_decode(call->cx->arena, parts[count], false, &parts[count]))
            return bad_url(call, url);
        count++;
    }
    if (str_given(path))
        return bad_url(call, url);
    if (parts[0].n == 0 || str_eq(parts[0], S("_history"))) {
        out->history = parts[0].n > 0;
        return ERR_OK;
    }
    if (parts[0].p[0] == '$') {
        out->operation = parts[0];
        return ERR_OK;
    }
    TRY(take_type(call, url, parts[0], &out->resource));
    if (count == 1 || parts[1].n == 0)
        return ERR_OK;
    if (parts[1].p[0] == '$' || str_eq(parts[1], S("_history")))
        return take_tail(call, url, parts[1], parts[2], out);
    out->id = parts[1];
    return count == 2 ? ERR_OK : take_tail(call, url, parts[2], parts[3], out);
}

static err get_version(struct rest_call *call, const struct target *target,
                       struct target_answer *out)
{
    struct read_target read = { target->resource, target->id, target->vid };
    TRY(read_version(call, &read, &out->version));
    struct buf shaped = buf_make(call->cx->arena, REST_TEXT_MAX);
    TRY(rest_write_shaped(call, &shaped, out->version.body));
    out->body = buf_str(&shaped);
    return ERR_OK;
}

err target_get(struct rest_call *call, const struct target *target, struct target_answer *out)
{
    *out = (struct target_answer){ .status = 200 };
    TRY(rest_read_controls(call, target->query));
    if (str_given(target->operation))
        return operation_get(call, target, out);
    if (target->history && !target->vid) {
        struct store_history query = { .resource = target->resource, .id = target->id };
        return read_history(call, query, target->query, &out->body);
    }
    if (str_given(target->id) && !str_given(target->compartment))
        return get_version(call, target, out);
    struct find_target find = { target->resource, target->compartment, target->id, target->query };
    return find_bundle(call, &find, &out->body);
}
