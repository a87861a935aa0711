/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"
#include "http/internal.h"
#include "http/text.h"

/* FHIR's searches and OAuth have rules of their own for what comes several times. */
static bool may_repeat(const struct http_request *request, const char *const *repeats)
{
    if (!request->route || request->route->flags & ROUTE_REPEATS)
        return true;
    for (; repeats && *repeats; repeats++)
        if (str_starts(request->path, str_of(*repeats)))
            return true;
    return false;
}

static bool is_form(const struct http_request *request)
{
    str type = http_header(request, "Content-Type"), kind = type;
    str_next(&type, ';', &kind);
    return str_eq_nocase(str_trim(kind), S("application/x-www-form-urlencoded"));
}

static err check_once(struct ctx *cx, str text)
{
    struct map seen = map_make(cx->arena);
    struct http_param param;
    while (http_next_param(&text, &param)) {
        if (!param.name.n || map_add(&seen, param.name, 1, NULL))
            continue;
        str name;
        if (!http_decode(cx->arena, str_slice(param.name, 0, 60), true, &name))
            name = S("a field");
        return ctx_failf(cx, ERR_INVALID, (str){ 0 }, "\"%.*s\" came twice, and only one of them "
                         "can be meant. Nothing was changed: go back, reload the page and send it "
                         "again", STR_ARG(name));
    }
    return ERR_OK;
}

err fields_check(struct http_request *request, const char *const *repeats)
{
    if (may_repeat(request, repeats))
        return ERR_OK;
    TRY(check_once(request->cx, request->query));
    return is_form(request) ? check_once(request->cx, request->body) : ERR_OK;
}
