/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/audit_event.h"
#include "auth/audit_find.h"
#include "auth/audit_log.h"
#include "fhir/datetime.h"
#include "http/text.h"
#include "rest/find.h"
#include "rest/read.h"
#include "rest/rest.h"

struct asking {
    struct rest_call *call;
    struct audit_query query;
    int64_t id;              /* _id; 0: any */
    bool none, total, count_only;
};

static err name_patient(struct ctx *cx, void *self, int64_t pid, str *id)
{
    struct store_version version;
    size_t kept = cx->issues.kept, count = cx->issues.count;
    err found = store_read_rid(cx, self, pid, &version);
    cx->issues.kept = kept;
    cx->issues.count = count;
    *id = found == ERR_OK ? version.id : (str){ 0 };
    return found == ERR_NOT_FOUND || found == ERR_GONE ? ERR_OK : found;
}

/* ---- what is asked ---- */

static err take_patient(struct asking *ask, str value)
{
    struct store_version version;
    struct ctx *cx = ask->call->cx;
    str id = str_starts(value, S("Patient/")) ? str_slice(value, 8, value.n) : value;
    size_t kept = cx->issues.kept, count = cx->issues.count;
    TRY(rest_check_id(cx, id));
    err found = store_read(cx, ask->call->store, fhir_resource_find(S("Patient")), id, &version);
    cx->issues.kept = kept;
    cx->issues.count = count;
    ask->none = ask->none || found != ERR_OK;
    ask->query.pid = found == ERR_OK ? version.rid : 0;
    return ERR_OK;
}

static err take_date(struct asking *ask, str value)
{
    static const char *const prefixes[] = { "ge", "gt", "le", "lt", "eq", "sa", "eb" };
    str prefix = S("eq"), text = value;
    struct datetime when;
    for (size_t i = 0; i < COUNT(prefixes); i++)
        if (str_starts(value, str_of(prefixes[i]))) {
            prefix = str_of(prefixes[i]);
            text = str_slice(value, 2, value.n);
        }
    if (!datetime_parse(text, DATETIME_AS_SEARCH, &when))
        return ctx_fail(ask->call->cx, ERR_INVALID, S("date"),
                        S("date takes an instant or a day, as ge2026-11-22"));
    struct audit_query *query = &ask->query;
    bool after = str_eq(prefix, S("ge")) || str_eq(prefix, S("eq"));
    bool before = str_eq(prefix, S("le")) || str_eq(prefix, S("eq"));
    if (after)
        query->from_ms = when.low_ms;
    if (before)
        query->until_ms = when.high_ms;
    if (str_eq(prefix, S("gt")) || str_eq(prefix, S("sa")))
        query->from_ms = when.high_ms + 1;
    if (str_eq(prefix, S("lt")) || str_eq(prefix, S("eb")))
        query->until_ms = when.low_ms - 1;
    return ERR_OK;
}

static err take_word(struct asking *ask, str name, str value)
{
    struct audit_query *query = &ask->query;
    const struct { const char *name; str *place; } texts[] = {
        { "altid", &query->who }, { "agent", &query->person }, { "agent-role", &query->role },
        { "entity", &query->what },
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        if (str_eq(name, str_of(texts[i].name))) {
            *texts[i].place = value;
            return ERR_OK;
        }
    return ctx_failf(ask->call->cx, ERR_INVALID, name, "AuditEvents are not searched by %.*s; "
                     "there are _id, date, patient, agent, altid, agent-role, action, outcome, "
                     "subtype and entity", STR_ARG(str_slice(name, 0, 100)));
}

static err take_code(struct asking *ask, str name, str value)
{
    static const struct { const char *name, *code; int act, outcome; } codes[] = {
        { "outcome", "0", -1, AUDIT_DONE },   { "outcome", "4", -1, AUDIT_FAILED },
        { "outcome", "8", -1, AUDIT_REFUSED },
        { "subtype", "read", AUDIT_READ, -1 },     { "subtype", "search-type", AUDIT_SEARCH, -1 },
        { "subtype", "create", AUDIT_CREATE, -1 }, { "subtype", "update", AUDIT_UPDATE, -1 },
        { "subtype", "delete", AUDIT_DELETE, -1 }, { "subtype", "history", AUDIT_HISTORY, -1 },
        { "subtype", "break-glass", AUDIT_BREAK_GLASS, -1 },
        { "subtype", "110122", AUDIT_SIGN_IN, -1 }, { "subtype", "110123", AUDIT_SIGN_OUT, -1 },
        { "subtype", "110137", AUDIT_ACCOUNT, -1 },
    };
    size_t bar = str_find_char(value, '|');
    str code = bar == STR_NONE ? value : str_slice(value, bar + 1, value.n);
    if (str_eq(name, S("action")) && code.n == 1 && strchr("CRUDE", code.p[0])) {
        ask->query.action = code.p[0];
        return ERR_OK;
    }
    for (size_t i = 0; i < COUNT(codes); i++)
        if (str_eq(name, str_of(codes[i].name)) && str_eq(code, str_of(codes[i].code))) {
            ask->query.act = codes[i].act >= 0 ? codes[i].act : ask->query.act;
            ask->query.outcome = codes[i].outcome >= 0 ? codes[i].outcome : ask->query.outcome;
            return ERR_OK;
        }
    return ctx_failf(ask->call->cx, ERR_INVALID, name, "%.*s does not know %.*s here",
                     STR_ARG(name), STR_ARG(str_slice(code, 0, 50)));
}

static err take_control(struct asking *ask, str name, str value)
{
    uint64_t number = 0;
    bool numeric = str_eq(name, S("_count")) || str_eq(name, S("_page")) || str_eq(name, S("_id"));
    if (numeric && (!str_to_u64(value, &number) || number > INT64_MAX))
        return ctx_failf(ask->call->cx, ERR_INVALID, name, "%.*s takes a whole number",
                         STR_ARG(name));
    if (str_eq(name, S("_count")))
        ask->query.count = number < rest_limits()->page_max ? number : rest_limits()->page_max;
    else if (str_eq(name, S("_page")))
        ask->query.before_n = (int64_t)number;
    else if (str_eq(name, S("_id")))
        ask->id = (int64_t)number;
    else if (str_eq(name, S("_total")))
        ask->total = str_eq(value, S("accurate"));
    else if (str_eq(name, S("_summary")))
        ask->count_only = str_eq(value, S("count"));
    else if (str_eq(name, S("_sort")) && !str_eq(value, S("-date")))
        return ctx_fail(ask->call->cx, ERR_INVALID, name,
                        S("AuditEvents come newest first: _sort=-date"));
    return ERR_OK;
}

static err take_param(struct asking *ask, str name, str value)
{
    if (name.n && name.p[0] == '_')
        return take_control(ask, name, value);
    if (str_eq(name, S("patient")))
        return take_patient(ask, value);
    if (str_eq(name, S("date")))
        return take_date(ask, value);
    bool coded = str_eq(name, S("action")) || str_eq(name, S("outcome")) ||
                 str_eq(name, S("subtype"));
    return coded ? take_code(ask, name, value) : take_word(ask, name, value);
}

static err take_params(struct asking *ask, str text)
{
    struct http_param param;
    while (http_next_param(&text, &param)) {
        str value;
        if (!http_decode(ask->call->cx->arena, param.value, true, &value))
            return rest_fail(ask->call, 400, "invalid", S("the query holds a malformed %-escape"));
        if (value.n)
            TRY(take_param(ask, param.name, value));
    }
    ask->count_only = ask->count_only || ask->query.count == 0;
    return ERR_OK;
}

/* ---- what is answered ---- */

static err put_entry(struct asking *ask, struct json_writer *w, const struct audit_found *found)
{
    struct ctx *cx = ask->call->cx;
    struct audit_namer namer = { name_patient, ask->call->store };
    str event;
    TRY(audit_event(cx, found->n, &found->entry, &namer, &event));
    json_open(w, '{');
    json_put_str(w, "fullUrl", arena_printf(cx->arena, "%.*s/AuditEvent/%lld",
                                            STR_ARG(ask->call->base), (long long)found->n));
    json_put_raw(w, "resource", event);
    json_put_raw(w, "search", S("{\"mode\":\"match\"}"));
    json_close(w, '}');
    return ERR_OK;
}

/* The query without its page, and with this one. */
static str next_query(struct asking *ask, str text, int64_t next_n)
{
    struct buf buf = buf_make(ask->call->cx->arena, REST_TEXT_MAX);
    struct http_param param;
    while (http_next_param(&text, &param))
        if (!str_eq(param.name, S("_page")))
            buf_printf(&buf, "%.*s=%.*s&", STR_ARG(param.name), STR_ARG(param.value));
    buf_printf(&buf, "_page=%lld", (long long)next_n);
    return buf_str(&buf);
}

static void put_link(struct asking *ask, struct json_writer *w, const char *relation, str query)
{
    json_open(w, '{');
    json_put_str(w, "relation", str_of(relation));
    json_put_str(w, "url", arena_printf(ask->call->cx->arena, "%.*s/AuditEvent%s%.*s",
                                        STR_ARG(ask->call->base), query.n ? "?" : "",
                                        STR_ARG(query)));
    json_close(w, '}');
}

static err find_page(struct asking *ask, struct audit_page *page)
{
    struct ctx *cx = ask->call->cx;
    *page = (struct audit_page){ 0 };
    if (ask->none || ask->count_only)
        return ERR_OK;
    if (!ask->id)
        return audit_find(cx, &ask->query, page);
    page->list = arena_zero(cx->arena, sizeof *page->list);
    size_t kept = cx->issues.kept, count = cx->issues.count;
    page->count = audit_find_one(cx, ask->id, page->list) == ERR_OK;
    cx->issues.kept = kept;
    cx->issues.count = count;
    return ERR_OK;
}

static err answer(struct asking *ask, str text)
{
    struct ctx *cx = ask->call->cx;
    struct buf buf = buf_make(cx->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    struct audit_page page;
    int64_t total = 0;
    TRY(find_page(ask, &page));
    bool whole = !page.more && !ask->query.before_n && !ask->count_only;
    total = (int64_t)page.count;
    if ((ask->total || ask->count_only) && !whole && !ask->none)
        TRY(audit_count(cx, &ask->query, &total));
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Bundle"));
    json_put_str(&w, "type", S("searchset"));
    if (whole || ask->total || ask->count_only)
        json_put_u64(&w, "total", (uint64_t)total);
    json_key(&w, "link");
    json_open(&w, '[');
    put_link(ask, &w, "self", text);
    if (page.more)
        put_link(ask, &w, "next", next_query(ask, text, page.next_n));
    json_close(&w, ']');
    if (page.count) {
        json_key(&w, "entry");
        json_open(&w, '[');
        for (size_t i = 0; i < page.count; i++)
            TRY(put_entry(ask, &w, &page.list[i]));
        json_close(&w, ']');
    }
    json_close(&w, '}');
    return rest_send(ask->call, 200, buf_str(&buf));
}

static struct audit_log *log_of(const struct http_request *request)
{
    return request->gate_self ? gate_audit(request->gate_self) : NULL;
}

static err find(struct http_request *request, struct http_response *response)
{
    if (!log_of(request)) {
        request->captures[0] = S("AuditEvent");
        return rest_find(request, response);
    }
    struct asking ask = { .query = { .act = -1, .outcome = -1, .count = rest_limits()->page } };
    str text = request->method == HTTP_POST ? request->body : request->query;
    TRY(rest_begin(request, response, &ask.call));
    TRY(audit_flush(request->cx, log_of(request)));
    TRY(store_reader(request->cx, request->store));
    TRY(take_params(&ask, text));
    return answer(&ask, text);
}

/* A number is an entry of the chain; any other id is a resource somebody sent. */
static err read_one(struct http_request *request, struct http_response *response)
{
    struct rest_call *call;
    struct audit_found found;
    str id = request->captures[0], event;
    uint64_t n;
    if (!log_of(request) || !str_to_u64(id, &n)) {
        request->captures[1] = id;
        request->captures[0] = S("AuditEvent");
        return rest_read(request, response);
    }
    TRY(rest_begin(request, response, &call));
    TRY(audit_flush(request->cx, log_of(request)));
    TRY(store_reader(request->cx, request->store));
    TRY(audit_find_one(request->cx, n > INT64_MAX ? 0 : (int64_t)n, &found));
    struct audit_namer namer = { name_patient, request->store };
    TRY(audit_event(request->cx, found.n, &found.entry, &namer, &event));
    return rest_send(call, 200, event);
}

const struct route audit_event_routes[] = {
    { "GET", "/fhir/AuditEvent", "fhir.search", find, "Search the audit", ROUTE_SLOW },
    { "POST", "/fhir/AuditEvent/_search", "fhir.search", find, "Search the audit", ROUTE_SLOW },
    { "GET", "/fhir/AuditEvent/{id}", "fhir.read", read_one, "An entry of the audit", ROUTE_SLOW },
    { 0 },
};
