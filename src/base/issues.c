/* SPDX-License-Identifier: Apache-2.0 */
#include "base/issues.h"
#include <assert.h>

/* clang-format off */
static const struct { int status; const char *code, *name; } kinds[ERR_COUNT] = {
    [ERR_OK]           = { 200, "informational", "ok" },
    [ERR_INVALID]      = { 400, "invalid",       "invalid" },
    [ERR_RULE]         = { 422, "business-rule", "rule" },
    [ERR_NOT_FOUND]    = { 404, "not-found",     "not_found" },
    [ERR_GONE]         = { 410, "deleted",       "gone" },
    [ERR_CONFLICT]     = { 409, "conflict",      "conflict" },
    [ERR_PRECONDITION] = { 412, "conflict",      "precondition" },
    [ERR_LOGIN]        = { 401, "login",         "login" },
    [ERR_FORBIDDEN]    = { 403, "forbidden",     "forbidden" },
    [ERR_LIMIT]        = { 413, "too-costly",    "limit" },
    [ERR_BUSY]         = { 503, "transient",     "busy" },
    [ERR_IO]           = { 503, "no-store",      "io" },
    [ERR_BUG]          = { 500, "exception",     "bug" },
};
/* clang-format on */

int err_http_status(err kind)
{
    assert(kind < ERR_COUNT);
    return kinds[kind].status;
}

const char *err_fhir_code(err kind)
{
    assert(kind < ERR_COUNT);
    return kinds[kind].code;
}

const char *err_name(err kind)
{
    assert(kind < ERR_COUNT);
    return kinds[kind].name;
}

void issues_note(struct issues *issues, struct issue issue)
{
    issues->count++;
    if (issues->kept == ISSUES_MAX)
        return;
    issues->list = arena_grow(issues->arena, issues->list, issues->kept, &issues->cap,
                              sizeof issue);
    issue.path = arena_copy(issues->arena, issue.path);
    issue.text = arena_copy(issues->arena, issue.text);
    issues->list[issues->kept++] = issue;
}

err issues_add(struct issues *issues, err kind, str path, str text)
{
    issues_note(issues, (struct issue){ .kind = kind, .path = path, .text = text });
    return kind;
}

bool issues_has_error(const struct issues *issues)
{
    for (size_t i = 0; i < issues->kept; i++)
        if (issues->list[i].severity == ISSUE_ERROR)
            return true;
    return false;
}
