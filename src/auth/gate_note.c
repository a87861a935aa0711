/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit_log.h"
#include "auth/tries.h"
#include "http/text.h"

/* What was given out or refused, noted when the answer is ready. */

static bool reads(const struct http_request *request)
{
    return request->method == HTTP_GET || request->method == HTTP_HEAD;
}

static enum audit_act act_of(const struct http_request *request)
{
    str path = request->path;
    static const enum audit_act writes[HTTP_METHODS] = {
        [HTTP_POST] = AUDIT_CREATE, [HTTP_PUT] = AUDIT_UPDATE, [HTTP_PATCH] = AUDIT_UPDATE,
        [HTTP_DELETE] = AUDIT_DELETE,
    };
    if (!str_starts(path, S("/fhir")))
        return AUDIT_PAGE;
    if (str_find(path, S("$export")) != STR_NONE || str_find(path, S("$bulk")) != STR_NONE)
        return AUDIT_EXPORT;
    if (str_find_char(path, '$') != STR_NONE || str_eq(path, S("/fhir")) ||
        str_eq(path, S("/fhir/")))
        return reads(request) && str_find_char(path, '$') == STR_NONE ? AUDIT_SEARCH
                                                                      : AUDIT_OPERATION;
    if (str_ends(path, S("/_search")))
        return AUDIT_SEARCH;
    if (!reads(request))
        return writes[request->method];
    if (str_find(path, S("/_history")) != STR_NONE && !str_given(request->captures[2]))
        return AUDIT_HISTORY;
    return str_given(request->captures[1]) && !str_given(request->captures[2]) ? AUDIT_READ
           : str_find(path, S("/_history/")) != STR_NONE                       ? AUDIT_READ
                                                                               : AUDIT_SEARCH;
}

static str what_of(const struct http_request *request)
{
    str path = str_starts(request->path, S("/fhir/"))
                   ? str_slice(request->path, 6, request->path.n) : request->path;
    str query = request->query;
    if (str_ends(path, S("/_search")))
        query = str_slice(request->body, 0, 2000);
    return query.n ? arena_printf(request->cx->arena, "%.*s?%.*s", STR_ARG(path), STR_ARG(query))
                   : path;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void add_pids(struct access_seen *seen, struct audit_entry *entry)
{
    size_t kept = 0;
    if (seen->count > 1)
        qsort(seen->pids, seen->count, sizeof *seen->pids, by_value);
    for (size_t i = 0; i < seen->count; i++)
        if (!kept || seen->pids[kept - 1] != seen->pids[i])
            seen->pids[kept++] = seen->pids[i];
    entry->pids = seen->pids;
    entry->pids_count = kept;
    entry->more = seen->more;
}

static enum audit_outcome outcome_of(int status, const struct access_seen *seen)
{
    if (status == 401 || status == 403 || (status == 404 && seen && seen->refused))
        return AUDIT_REFUSED;
    return status < 400 ? AUDIT_DONE : AUDIT_FAILED;
}

/* A write that was made has its entries already, in its own transaction. */
static bool is_noted(const struct http_request *request, enum audit_act act, int status)
{
    bool writes = act == AUDIT_CREATE || act == AUDIT_UPDATE || act == AUDIT_DELETE ||
                  (act == AUDIT_PAGE && !reads(request));
    return writes && status < 400;
}

static bool emergency(const struct user *user, const struct audit_entry *entry)
{
    for (size_t i = 0; i < entry->pids_count; i++)
        for (size_t k = 0; k < user->patients.lifted_count; k++)
            if (user->patients.lifted[k] == entry->pids[i])
                return true;
    return false;
}

/* An answer that waits for the disk holds no read connection meanwhile: there are fewer of those
 * than answers that wait. */
static err note(struct http_request *request, struct audit_log *log,
                const struct audit_entry *entry)
{
    uint64_t ticket;
    TRY(audit_note(request->cx, log, entry, &ticket));
    if (ticket) {
        store_reader_end(request->cx);
        http_hold(request, ticket);
    }
    return ERR_OK;
}

err gate_settle(struct http_request *request, uint64_t ticket)
{
    return audit_settle(request->cx, gate_audit(request->gate_self), ticket);
}

/* Credentials that were shown and are not good. */
static err note_stranger(struct http_request *request, struct audit_log *log, int status)
{
    struct ctx *cx = request->cx;
    if (!gate_shows_credentials(request) || status != 401)
        return ERR_OK;
    tries_note(gate_tries(request->gate_self), http_address(request), cx->now_ms);
    struct audit_entry entry = {
        .at_ms = cx->now_ms, .who = S("unknown"), .act = act_of(request),
        .what = what_of(request), .outcome = AUDIT_REFUSED, .request_id = cx->request_id,
        .address = http_address(request),
    };
    return note(request, log, &entry);
}

/* What looking for a hidden thing takes, and looking for one that never was, is less than this: so
 * the time until the answer is the same. A request that asks for many things waits for each. */
static void hide_time(struct http_request *request, int status)
{
    const struct store_access *access = request->cx->access;
    if (!access_hides(access) || !access->seen || (status < 400 && !access->seen->missed))
        return;
    bool many = strcmp(request->route->permission, "fhir.batch") == 0 ||
                str_ends(request->path, S("/$graphql"));
    size_t times = many && access->seen->missed ? access->seen->missed : 1;
    int64_t us = gate_nothing_after_us(request->gate_self);
    if (us)
        http_not_before(request, us * (int64_t)times);
}

err gate_done(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct audit_log *log = gate_audit(request->gate_self);
    int status = response->status ? response->status : 200;
    if (!log || !request->route)
        return ERR_OK;
    bool open = strcmp(request->route->permission, "open") == 0;
    if (open && !cx->user) {
        if (status == 401 && str_starts(request->path, S("/auth/")))
            tries_note(gate_tries(request->gate_self), http_address(request), cx->now_ms);
        return ERR_OK;
    }
    if (!cx->user)
        return note_stranger(request, log, status);
    hide_time(request, status);
    struct access_seen *seen = cx->access ? cx->access->seen : NULL;
    enum audit_act act = act_of(request);
    if (!open && is_noted(request, act, status))
        return ERR_OK;
    struct audit_entry entry = audit_entry_of(cx, cx->user);
    entry.act = act;
    entry.what = what_of(request);
    entry.outcome = outcome_of(status, seen);
    if (seen)
        add_pids(seen, &entry);
    if (seen && !entry.pids_count && seen->refused && seen->refused_pid) {
        entry.pids = &seen->refused_pid;
        entry.pids_count = 1;
    }
    if (emergency(cx->user, &entry))
        entry.purpose = S("BTG");
    return note(request, log, &entry);
}
