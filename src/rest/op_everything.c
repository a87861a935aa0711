/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/op.h"
#include "fhir/datetime.h"
#include "http/text.h"
#include "rest/read.h"
#include "rest/rest.h"
#include "store/index.h"

/*
 * $everything of a Patient or an Encounter: it, its compartment, and what those refer to.
 *
 * Source   hl7.org/fhir/R4/patient-operation-everything.html, encounter-operation-everything.html.
 * Shapes   a searchset, page by page; `next` carries the cursor of the compartment search. start
 *          and end leave out what has its clinical date elsewhere; the patient and what is undated
 *          stay.
 */
struct everything {
    const struct operation_ask *ask;
    struct json_writer w;
    struct op_seen seen;
    str types;          /* _type; not given: all */
    int64_t from_ms, to_ms; /* start and end; DAY_MIN and DAY_MAX when not given */
    int64_t since_ms;   /* _since; 0: none */
    size_t total;
};

static bool wants(const struct everything *all, uint16_t resource)
{
    str types = all->types, item;
    if (!str_given(types))
        return true;
    while (str_next(&types, ',', &item))
        if (str_eq(str_trim(item), fhir_resource_name(resource)))
            return true;
    return false;
}

static void add(struct everything *all, const struct store_version *version, const char *mode)
{
    if (!op_seen_add(&all->seen, version->resource, version->id))
        return;
    op_write_entry(all->ask, &all->w, version, mode);
    all->total++;
}

/* What a resource refers to and is not in the compartment: who did it, where, with what. */
static err add_referred(void *self, struct json reference)
{
    struct everything *all = self;
    struct ctx *cx = all->ask->call->cx;
    struct op_reference found;
    struct store_version version;
    if (!op_read_reference(all->ask, json_string(cx->arena, reference), &found))
        return ERR_OK;
    bool patient = str_eq(fhir_resource_name(found.resource), S("Patient"));
    bool outside = !fhir_compartment_params(S("Patient"), found.resource) ||
                   (patient && found.resource != all->ask->resource); /* whose encounter it is */
    if (!outside || !wants(all, found.resource))
        return ERR_OK;
    size_t kept = cx->issues.kept, count = cx->issues.count;
    err wrong = store_read(cx, all->ask->call->store, found.resource, found.id, &version);
    cx->issues.kept = kept; /* a reference that leads nowhere is no fault here */
    cx->issues.count = count;
    if (wrong == ERR_OK && version.at_ms >= all->since_ms)
        add(all, &version, "include");
    return wrong == ERR_NOT_FOUND || wrong == ERR_GONE ? ERR_OK : wrong;
}

static str query_of(const struct operation_ask *ask)
{
    struct buf buf = buf_make(ask->call->cx->arena, REST_TEXT_MAX);
    static const struct { const char *param, *prefix; } rows[] = {
        { "_since", "&_lastUpdated=ge" }, { "_type", "&_type=" }, { "_count", "&_count=" },
        { "_page", "&_page=" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str value = operation_text(ask, rows[i].param);
        if (!str_given(value))
            continue;
        buf_add(&buf, str_of(rows[i].prefix + (buf.n == 0)));
        http_encode(&buf, value);
    }
    return buf_str(&buf);
}

/* The cursor, and what the search did not carry. */
static void write_next(const struct operation_ask *ask, struct json_writer *w, str next)
{
    struct buf url = buf_make(ask->call->cx->arena, REST_TEXT_MAX);
    const char *const own[] = { "start", "end" };
    buf_add(&url, arena_printf(ask->call->cx->arena, "%.*s/%.*s/%.*s/$everything?%.*s",
                               STR_ARG(ask->call->base), STR_ARG(fhir_resource_name(ask->resource)),
                               STR_ARG(ask->id), STR_ARG(next)));
    for (size_t i = 0; i < COUNT(own); i++) {
        str value = operation_text(ask, own[i]);
        if (!str_given(value))
            continue;
        buf_add(&url, arena_printf(ask->call->cx->arena, "&%s=", own[i]));
        http_encode(&url, value);
    }
    json_open(w, '{');
    json_put_str(w, "relation", S("next"));
    json_put_str(w, "url", buf_str(&url));
    json_close(w, '}');
}

static bool is_dated(const struct everything *all)
{
    return all->from_ms != DAY_MIN || all->to_ms != DAY_MAX;
}

static err is_within(struct everything *all, const struct store_version *version, bool *out)
{
    struct rest_call *call = all->ask->call;
    struct json body;
    *out = true;
    if (!is_dated(all) || version->resource == all->ask->resource)
        return ERR_OK;
    TRY(json_parse(call->cx, version->body, &body));
    *out = index_is_within(call->cx, store_layout(call->store), version->resource, body,
                           (struct index_span){ all->from_ms, all->to_ms });
    return ERR_OK;
}

static err add_page(struct everything *all, const struct search_page *page)
{
    struct ctx *cx = all->ask->call->cx;
    bool *within = arena_array(cx->arena, page->entries_count + 1, sizeof *within);
    for (size_t i = 0; i < page->entries_count; i++) {
        TRY(is_within(all, &page->entries[i].version, &within[i]));
        if (within[i] && page->entries[i].mode != SEARCH_OUTCOME &&
            wants(all, page->entries[i].version.resource))
            add(all, &page->entries[i].version, "match");
    }
    for (size_t i = 0; i < page->entries_count; i++) {
        struct json body;
        if (!within[i])
            continue;
        TRY(json_parse(cx, page->entries[i].version.body, &body));
        TRY(op_each_reference(body, add_referred, all));
    }
    return ERR_OK;
}

static err add_first(struct everything *all)
{
    const struct operation_ask *ask = all->ask;
    struct store_version self;
    struct json body;
    TRY(store_read(ask->call->cx, ask->call->store, ask->resource, ask->id, &self));
    if (all->ask->query.n && str_find(all->ask->query, S("_page=")) != STR_NONE) {
        op_seen_add(&all->seen, self.resource, self.id);
        return ERR_OK;
    }
    if (wants(all, ask->resource) && self.at_ms >= all->since_ms)
        add(all, &self, "match");
    TRY(json_parse(ask->call->cx, self.body, &body));
    return op_each_reference(body, add_referred, all);
}

static err write_answer(const struct everything *all, str entries, str next,
                        struct operation_answer *out)
{
    struct buf buf = buf_make(all->ask->call->cx->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    bool whole = !str_given(next) && str_find(all->ask->query, S("_page=")) == STR_NONE;
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Bundle"));
    json_put_str(&w, "type", S("searchset"));
    if (whole)
        json_put_u64(&w, "total", all->total);
    if (str_given(next)) {
        json_key(&w, "link");
        json_open(&w, '[');
        write_next(all->ask, &w, next);
        json_close(&w, ']');
    }
    if (all->total)
        json_put_raw(&w, "entry", entries);
    json_close(&w, '}');
    out->body = buf_str(&buf);
    return ERR_OK;
}

/* A date as the first, or last, instant it may mean; not given: unchanged. */
static err read_bound(const struct operation_ask *ask, const char *name, int64_t *out)
{
    str text = operation_text(ask, name);
    struct datetime date;
    if (!str_given(text))
        return ERR_OK;
    if (!datetime_parse(text, DATETIME_AS_DATE_TIME, &date))
        return ctx_failf(ask->call->cx, ERR_INVALID, str_of(name), "%s takes a date such as "
                         "2026-01-31", name);
    *out = strcmp(name, "start") == 0 ? date.low_ms : date.high_ms;
    return ERR_OK;
}

static err read_bounds(struct everything *all)
{
    str since = operation_text(all->ask, "_since");
    all->since_ms = str_given(since) ? read_instant(since) : 0;
    if (str_given(since) && !all->since_ms)
        return ctx_fail(all->ask->call->cx, ERR_INVALID, S("_since"),
                        S("_since takes an instant such as 2026-01-31T08:00:00Z"));
    all->from_ms = DAY_MIN;
    all->to_ms = DAY_MAX;
    TRY(read_bound(all->ask, "start", &all->from_ms));
    TRY(read_bound(all->ask, "end", &all->to_ms));
    if (all->from_ms > all->to_ms)
        return ctx_fail(all->ask->call->cx, ERR_INVALID, S("start"), S("start is after end"));
    return ERR_OK;
}

err op_everything(const struct operation_ask *ask, struct operation_answer *out)
{
    struct rest_call *call = ask->call;
    struct buf buf = buf_make(call->cx->arena, REST_TEXT_MAX);
    struct everything all = { .ask = ask, .w = json_writer(&buf),
                              .seen = op_seen_make(call->cx->arena),
                              .types = operation_text(ask, "_type") };
    struct search_request request = {
        .resource = FHIR_NONE, .query = query_of(ask),
        .compartment = fhir_resource_name(ask->resource), .compartment_id = ask->id,
        .count_default = rest_limits()->page_max, .count_max = rest_limits()->page_max,
    };
    struct search_page page = { 0 };
    TRY(read_bounds(&all));
    TRY(store_reader(call->cx, call->store));
    json_open(&all.w, '[');
    TRY(add_first(&all));
    TRY(search_run(call->cx, call->store, &request, &page));
    TRY(add_page(&all, &page));
    json_close(&all.w, ']');
    return write_answer(&all, buf_str(&buf), page.next_query, out);
}
