/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit_log.h"
#include "auth/tries.h"
#include "http/text.h"

/* What was given out or refused, noted when the answer is ready. */

static bool reads(const struct http_request *request)
{
    return request->method == HTTP_GET || request->method == HTTP_HEAD;
}

static const enum audit_act write_acts[HTTP_METHODS] = {
    [HTTP_POST] = AUDIT_CREATE, [HTTP_PUT] = AUDIT_UPDATE, [HTTP_PATCH] = AUDIT_UPDATE,
    [HTTP_DELETE] = AUDIT_DELETE,
};

static enum audit_act act_of(const struct http_request *request)
{
    str path = request->path;
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
        return write_acts[request->method];
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

static void sort_pids(struct access_seen *seen)
{
    size_t kept = 0;
    if (seen->count > 1)
        qsort(seen->pids, seen->count, sizeof *seen->pids, by_value);
    for (size_t i = 0; i < seen->count; i++)
        if (!kept || seen->pids[kept - 1] != seen->pids[i])
            seen->pids[kept++] = seen->pids[i];
    seen->count = kept;
}

err audit_note_seen(struct ctx *cx, struct audit_log *log, struct audit_entry *entry,
                   struct access_seen *seen, uint64_t *ticket)
{
    size_t at = 0, count = 0;
    sort_pids(seen);
    do {
        count = seen->count - at < AUDIT_PIDS_MAX ? seen->count - at : AUDIT_PIDS_MAX;
        entry->pids = seen->pids + at;
        entry->pids_count = count;
        entry->more = seen->more && at + count == seen->count;
        TRY(audit_note(cx, log, entry, ticket));
        at += count;
    } while (at < seen->count);
    seen->count = 0;
    seen->more = false;
    return ERR_OK;
}

static enum audit_outcome outcome_of(int status, const struct access_seen *seen)
{
    if (status == 401 || status == 403 || (status == 404 && seen && seen->refused))
        return AUDIT_REFUSED;
    return status < 400 ? AUDIT_DONE : AUDIT_FAILED;
}

/* A write that was made has its entries already, in its own transaction; a form that only leads on
 * gives nothing out. */
static bool is_noted(const struct http_request *request, enum audit_act act,
                     const struct access_seen *seen, int status)
{
    bool writes = act == AUDIT_CREATE || act == AUDIT_UPDATE || act == AUDIT_DELETE;
    bool form = act == AUDIT_PAGE && !reads(request);
    return status < 400 && (((writes || form) && seen->changed) || (form && status == 303));
}

/* One that found that there is nothing to write has only looked. */
static enum audit_act act_unchanged(enum audit_act act, int status)
{
    if (status >= 400)
        return act;
    return act == AUDIT_CREATE ? AUDIT_SEARCH : act == AUDIT_UPDATE ? AUDIT_READ : act;
}

static bool emergency(const struct user *user, const struct access_seen *seen)
{
    for (size_t i = 0; i < seen->count; i++)
        for (size_t k = 0; k < user->patients.lifted_count; k++)
            if (user->patients.lifted[k] == seen->pids[i])
                return true;
    return false;
}

/* An answer that waits for the disk holds no read connection meanwhile: there are fewer of those
 * than answers that wait. */
static err note(struct http_request *request, struct audit_log *log, struct audit_entry *entry,
                struct access_seen *seen)
{
    uint64_t ticket;
    struct access_seen nothing = { .arena = request->cx->arena };
    TRY(audit_note_seen(request->cx, log, entry, seen ? seen : &nothing, &ticket));
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

/* Nobody we know: no credentials, such as are not good, a page of elsewhere behind them, or an
 * address that is held up. Whoever floods us does not fill the disk with it. */
static err note_stranger(struct http_request *request, struct audit_log *log, int status)
{
    struct ctx *cx = request->cx;
    struct tries *strangers = gate_strangers(request->gate_self);
    str address = http_address(request);
    bool guessed = status == 401 && gate_shows_credentials(request);
    struct audit_entry entry = {
        .at_ms = cx->now_ms, .who = S("unknown"), .act = act_of(request),
        .what = what_of(request), .outcome = AUDIT_REFUSED, .request_id = cx->request_id,
        .address = address,
    };
    if (guessed)
        tries_note(gate_tries(request->gate_self), address, cx->now_ms);
    else if (tries_over(strangers, address, cx->now_ms))
        return ERR_OK;
    else if (tries_note(strangers, address, cx->now_ms) == GATE_STRANGERS_PER_MINUTE)
        entry.reason = S("more of this address in this minute are not listed");
    return note(request, log, &entry, NULL);
}

/* Sign-in and tokens have entries of their own; what is held up does not come that far. */
static err note_open(struct http_request *request, struct audit_log *log, int status)
{
    if (status == 401 && str_starts(request->path, S("/auth/")))
        tries_note(gate_tries(request->gate_self), http_address(request), request->cx->now_ms);
    return status == 429 && !request->cx->user ? note_stranger(request, log, status) : ERR_OK;
}

/* What was asked for by its id within an answer that holds other things. */
static err note_refused(struct http_request *request, struct audit_log *log,
                        struct audit_entry *entry, struct access_seen *seen)
{
    if (!seen->refused || entry->outcome == AUDIT_REFUSED || entry->act == AUDIT_PAGE)
        return ERR_OK;
    struct access_seen other = { .arena = request->cx->arena, .pids = &seen->refused_pid,
                                 .count = seen->refused_pid != 0 };
    entry->outcome = AUDIT_REFUSED;
    seen->refused = false;
    return note(request, log, entry, &other);
}

static enum audit_act act_of_part(enum http_method method, str what)
{
    str path = what;
    str_next(&what, '?', &path);
    if (str_find_char(path, '$') != STR_NONE)
        return AUDIT_OPERATION;
    if (method != HTTP_GET && method != HTTP_HEAD)
        return write_acts[method];
    if (str_ends(path, S("/_history")))
        return AUDIT_HISTORY;
    return what.n || str_find_char(path, '/') == STR_NONE ? AUDIT_SEARCH : AUDIT_READ;
}

err gate_note_part(struct http_request *request, enum http_method method, str what, int status)
{
    struct ctx *cx = request->cx;
    struct audit_log *log = gate_audit(request->gate_self);
    struct access_seen *seen = cx->access ? cx->access->seen : NULL;
    uint64_t ticket;
    if (!log || !cx->user || !seen)
        return ERR_OK;
    struct audit_entry entry = audit_entry_of(cx, cx->user);
    entry.act = act_of_part(method, what);
    entry.what = what;
    entry.outcome = outcome_of(status, seen);
    if (emergency(cx->user, seen))
        entry.purpose = S("BTG");
    if (entry.outcome == AUDIT_REFUSED && seen->refused_pid)
        access_see(cx->access, seen->refused_pid);
    TRY(audit_note_seen(cx, log, &entry, seen, &ticket));
    TRY(note_refused(request, log, &entry, seen));
    seen->refused = false;
    return ERR_OK;
}

/* What looking for a hidden thing takes, and looking for one that never was, is less than this: so
 * the time until the answer is the same. A request that asks for many things waits for each. */
static void hide_time(struct http_request *request, const struct http_response *response,
                      int status)
{
    const struct store_access *access = request->cx->access;
    if (!access_hides(access) || !access->seen || (status < 400 && !access->seen->missed))
        return;
    bool many = strcmp(request->route->permission, "fhir.batch") == 0 ||
                str_ends(request->path, S("/$graphql"));
    size_t times = many && access->seen->missed ? access->seen->missed : 1;
    if (str_starts(response->content_type, S("text/html")))
        times++; /* a page is written after the looking */
    int64_t us = gate_nothing_after_us(request->gate_self, request);
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
    if (open && !cx->user)
        return note_open(request, log, status);
    if (!cx->user)
        return note_stranger(request, log, status);
    hide_time(request, response, status);
    struct access_seen none = { .arena = cx->arena };
    struct access_seen *seen = cx->access && cx->access->seen ? cx->access->seen : &none;
    enum audit_act act = act_of(request);
    if (!open && is_noted(request, act, seen, status))
        return ERR_OK;
    struct audit_entry entry = audit_entry_of(cx, cx->user);
    entry.act = act_unchanged(act, status);
    entry.what = what_of(request);
    entry.outcome = outcome_of(status, seen);
    if (!seen->count && seen->refused && entry.outcome == AUDIT_REFUSED)
        access_see(cx->access, seen->refused_pid);
    if (emergency(cx->user, seen))
        entry.purpose = S("BTG");
    TRY(note(request, log, &entry, seen));
    return note_refused(request, log, &entry, seen);
}
