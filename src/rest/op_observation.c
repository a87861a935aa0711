/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/op.h"
#include "base/clock.h"
#include "base/map.h"
#include "http/text.h"
#include "rest/rest.h"
#include <math.h>

/*
 * Observation $lastn and $stats.
 *
 * Source   hl7.org/fhir/R4/observation-operation-lastn.html, observation-operation-stats.html.
 * Limits   OBSERVATIONS_MAX observations are looked at; more is ERR_LIMIT, never a wrong answer.
 */
enum { OBSERVATIONS_MAX = 100000 };

typedef err each_observation(void *self, const struct store_version *version);

/* Newest first, page by page. */
static err each(const struct operation_ask *ask, str query, each_observation *fn, void *self)
{
    struct rest_call *call = ask->call;
    struct search_request request = { .resource = fhir_resource_find(S("Observation")),
                                      .query = query, .count_default = rest_limits()->page_max,
                                      .count_max = rest_limits()->page_max };
    size_t count = 0;
    while (str_given(request.query)) {
        struct search_page page = { 0 };
        TRY(search_run(call->cx, call->store, &request, &page));
        for (size_t i = 0; i < page.entries_count; i++)
            if (page.entries[i].mode == SEARCH_MATCH)
                TRY(fn(self, &page.entries[i].version));
        count += page.entries_count;
        if (count > OBSERVATIONS_MAX)
            return ctx_failf(call->cx, ERR_LIMIT, (str){ 0 },
                             "more than %d observations fit; narrow the question",
                             OBSERVATIONS_MAX);
        request.query = page.next_query;
    }
    return ERR_OK;
}

static struct json reference_of(struct json value)
{
    struct json reference = json_get(value, S("reference"));
    return reference.doc ? reference : value;
}

/* The parameters of the operation that are search parameters, passed on. */
static str search_query(const struct operation_ask *ask, const char *const *own)
{
    struct buf buf = buf_make(ask->call->cx->arena, REST_TEXT_MAX);
    struct http_param param;
    str query = ask->query;
    buf_add(&buf, S("_sort=-date"));
    while (http_next_param(&query, &param)) {
        bool skip = str_starts(param.name, S("_"));
        for (const char *const *name = own; *name; name++)
            skip = skip || str_eq(param.name, str_of(*name));
        if (skip)
            continue;
        buf_char(&buf, '&');
        buf_add(&buf, param.name);
        buf_char(&buf, '=');
        buf_add(&buf, param.value);
    }
    static const char *const given[] = { "subject", "patient", "code", "category", NULL };
    for (const char *const *name = given; *name; name++) {
        str value = json_string(ask->call->cx->arena, reference_of(operation_value(ask, *name)));
        bool skip = false;
        for (const char *const *mine = own; *mine; mine++)
            skip = skip || strcmp(*mine, *name) == 0;
        if (!str_given(value) || skip)
            continue;
        buf_char(&buf, '&');
        buf_add(&buf, str_of(*name));
        buf_char(&buf, '=');
        http_encode(&buf, value);
    }
    return buf_str(&buf);
}

/* ---- $lastn ------------------------------------------------------------------------------ */

struct lastn {
    const struct operation_ask *ask;
    struct json_writer w;
    struct map counts;  /* by code */
    size_t most, written;
};

/* "system|code" of each coding, or the text: observations that share one are of one kind. */
static str code_key(struct arena *arena, struct json code)
{
    struct json coding = json_at(json_get(code, S("coding")), 0);
    if (!json_is(coding, JSON_OBJECT))
        return json_string(arena, json_get(code, S("text")));
    str system = json_string(arena, json_get(coding, S("system")));
    str value = json_string(arena, json_get(coding, S("code")));
    return arena_printf(arena, "%.*s|%.*s", STR_ARG(system), STR_ARG(value));
}

static err keep_last(void *self, const struct store_version *version)
{
    struct lastn *last = self;
    struct ctx *cx = last->ask->call->cx;
    struct json body;
    uint64_t seen = 0;
    TRY(json_parse(cx, version->body, &body));
    str key = code_key(cx->arena, json_get(body, S("code")));
    map_get(&last->counts, key, &seen);
    map_set(&last->counts, key, seen + 1);
    if (seen < last->most) {
        op_write_entry(last->ask, &last->w, version, "match");
        last->written++;
    }
    return ERR_OK;
}

static err need_subject(const struct operation_ask *ask)
{
    if (str_given(operation_text(ask, "subject")) || str_given(operation_text(ask, "patient")) ||
        json_is(operation_value(ask, "subject"), JSON_OBJECT))
        return ERR_OK;
    return ctx_fail(ask->call->cx, ERR_INVALID, S("patient"),
                    S("give patient or subject: these operations are about one person"));
}

err op_lastn(const struct operation_ask *ask, struct operation_answer *out)
{
    static const char *const own[] = { "max", NULL };
    struct ctx *cx = ask->call->cx;
    struct buf entries = buf_make(cx->arena, REST_TEXT_MAX), buf = entries;
    struct lastn last = { .ask = ask, .w = json_writer(&entries), .counts = map_make(cx->arena) };
    TRY(operation_count(ask, "max", 1, &last.most));
    if (!last.most)
        return ctx_fail(cx, ERR_INVALID, S("max"), S("max takes a whole number from 1 on"));
    TRY(need_subject(ask));
    TRY(store_reader(cx, ask->call->store));
    json_open(&last.w, '[');
    TRY(each(ask, search_query(ask, own), keep_last, &last));
    json_close(&last.w, ']');
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Bundle"));
    json_put_str(&w, "type", S("searchset"));
    json_put_u64(&w, "total", last.written);
    if (last.written)
        json_put_raw(&w, "entry", buf_str(&entries));
    json_close(&w, '}');
    out->body = buf_str(&buf);
    return ERR_OK;
}

/* ---- $stats ------------------------------------------------------------------------------ */

struct stats {
    const struct operation_ask *ask;
    double *values;
    size_t count, cap, all;
    str unit, system, unit_code; /* of the first; others do not count */
    struct json body;
    str *sources;        /* bodies of what was counted, with include=true */
    size_t sources_count, sources_cap, sources_most;
};

static err take_value(void *self, const struct store_version *version)
{
    struct stats *stats = self;
    struct ctx *cx = stats->ask->call->cx;
    struct json body;
    TRY(json_parse(cx, version->body, &body));
    struct json quantity = json_get(body, S("valueQuantity"));
    struct json value = json_get(quantity, S("value"));
    stats->all++;
    if (!json_is(value, JSON_NUMBER))
        return ERR_OK;
    str unit_code = json_string(cx->arena, json_get(quantity, S("code")));
    if (stats->count && !str_eq(unit_code, stats->unit_code))
        return ctx_fail(cx, ERR_RULE, S("code"),
                        S("these observations have different units; statistics need one"));
    if (!stats->count) {
        stats->unit_code = unit_code;
        stats->unit = json_string(cx->arena, json_get(quantity, S("unit")));
        stats->system = json_string(cx->arena, json_get(quantity, S("system")));
        stats->body = body;
    }
    if (stats->sources_count < stats->sources_most) {
        stats->sources = arena_grow(cx->arena, stats->sources, stats->sources_count,
                                    &stats->sources_cap, sizeof *stats->sources);
        stats->sources[stats->sources_count++] = version->body;
    }
    stats->values = arena_grow(cx->arena, stats->values, stats->count, &stats->cap,
                               sizeof *stats->values);
    stats->values[stats->count++] = strtod(arena_cstr(cx->arena, json_text(value)), NULL);
    return ERR_OK;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Linear interpolation between the two nearest of the sorted values. */
static double percentile(const struct stats *stats, double share)
{
    double at = share * (double)(stats->count - 1);
    size_t low = (size_t)at;
    double rest = at - (double)low;
    double next = low + 1 < stats->count ? stats->values[low + 1] : stats->values[low];
    return stats->values[low] + rest * (next - stats->values[low]);
}

static double sum_of(const struct stats *stats, double mean, int power)
{
    double sum = 0;
    for (size_t i = 0; i < stats->count; i++)
        sum += power == 1 ? stats->values[i] : pow(stats->values[i] - mean, 2);
    return sum;
}

static bool statistic(const struct stats *stats, str name, double *out, bool *is_count)
{
    double n = (double)stats->count, mean = n > 0 ? sum_of(stats, 0, 1) / n : 0;
    double variance = n > 1 ? sum_of(stats, mean, 2) / (n - 1) : 0;
    const struct { const char *name; double value; bool is_count; } rows[] = {
        { "average", mean, false }, { "sum", mean * n, false }, { "count", n, true },
        { "total-count", (double)stats->all, true }, { "variance", variance, false },
        { "std-dev", sqrt(variance), false },
        { "minimum", n > 0 ? stats->values[0] : 0, false },
        { "maximum", n > 0 ? stats->values[stats->count - 1] : 0, false },
        { "median", n > 0 ? percentile(stats, 0.5) : 0, false },
        { "20-percent", n > 0 ? percentile(stats, 0.2) : 0, false },
        { "80-percent", n > 0 ? percentile(stats, 0.8) : 0, false },
        { "4-lower", n > 0 ? percentile(stats, 0.25) : 0, false },
        { "4-upper", n > 0 ? percentile(stats, 0.75) : 0, false },
        { "4-dev", n > 0 ? percentile(stats, 0.75) - percentile(stats, 0.25) : 0, false },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_eq(name, str_of(rows[i].name))) {
            *out = rows[i].value;
            *is_count = rows[i].is_count;
            return true;
        }
    return false;
}

static void write_component(const struct stats *stats, struct json_writer *w, str name,
                            double value, bool is_count)
{
    char number[40];
    int n = snprintf(number, sizeof number, "%.10g", value);
    json_open(w, '{');
    json_key(w, "code");
    json_open(w, '{');
    json_key(w, "coding");
    json_open(w, '[');
    json_open(w, '{');
    json_put_str(w, "system", S("http://terminology.hl7.org/CodeSystem/observation-statistics"));
    json_put_str(w, "code", name);
    json_close(w, '}');
    json_close(w, ']');
    json_close(w, '}');
    json_key(w, "valueQuantity");
    json_open(w, '{');
    json_put_raw(w, "value", (str){ number, (size_t)n });
    if (!is_count) {
        json_put_str(w, "unit", stats->unit);
        json_put_str(w, "system", stats->system);
        json_put_str(w, "code", stats->unit_code);
    }
    json_close(w, '}');
    json_close(w, '}');
}

static err write_stats(const struct stats *stats, str names, struct buf *buf)
{
    struct json_writer w = json_writer(buf);
    str name;
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Parameters"));
    json_key(&w, "parameter");
    json_open(&w, '[');
    json_open(&w, '{');
    json_put_str(&w, "name", S("statistics"));
    json_key(&w, "resource");
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Observation"));
    json_put_str(&w, "status", S("final"));
    json_put_raw(&w, "code", json_text(json_get(stats->body, S("code"))));
    json_put_raw(&w, "subject", json_text(json_get(stats->body, S("subject"))));
    json_key(&w, "component");
    json_open(&w, '[');
    while (str_next(&names, ',', &name)) {
        double value = 0;
        bool is_count = false;
        statistic(stats, str_trim(name), &value, &is_count);
        write_component(stats, &w, str_trim(name), value, is_count);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    json_close(&w, '}');
    for (size_t i = 0; i < stats->sources_count; i++) {
        json_open(&w, '{');
        json_put_str(&w, "name", S("source"));
        json_put_raw(&w, "resource", stats->sources[i]);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return ERR_OK;
}

/* What is asked is checked before anything is counted. */
static err check_names(const struct stats *stats, str names)
{
    double value;
    bool is_count;
    str name;
    while (str_next(&names, ',', &name))
        if (!statistic(stats, str_trim(name), &value, &is_count))
            return ctx_failf(stats->ask->call->cx, ERR_INVALID, S("statistic"), "there is no "
                             "statistic %.*s here: see http://hl7.org/fhir/R4/codesystem-"
                             "observation-statistics.html", STR_ARG(str_slice(name, 0, 60)));
    return ERR_OK;
}

/* `statistic` stands once a name, or once with commas. */
static str statistic_names(const struct operation_ask *ask)
{
    struct operation_walk walk = operation_walk(ask);
    struct buf buf = buf_make(ask->call->cx->arena, REST_TEXT_MAX);
    str one;
    while (operation_next_text(&walk, "statistic", &one)) {
        if (buf.n)
            buf_char(&buf, ',');
        buf_add(&buf, one);
    }
    return buf.n ? buf_str(&buf) : S("average,maximum,minimum,count");
}

/* code and system, or coding, as the search parameter code; several are OR. */
static err add_codes(const struct operation_ask *ask, struct buf *query)
{
    struct ctx *cx = ask->call->cx;
    struct operation_walk codes = operation_walk(ask), codings = operation_walk(ask);
    str one, system = operation_text(ask, "system");
    struct json coding = operation_value(ask, "coding");
    struct buf list = buf_make(cx->arena, REST_TEXT_MAX);
    while (operation_next_text(&codes, "code", &one))
        buf_add(&list, arena_printf(cx->arena, "%s%.*s%s%.*s", list.n ? "," : "", STR_ARG(system),
                                    system.n && str_find_char(one, '|') == STR_NONE ? "|" : "",
                                    STR_ARG(one)));
    while (!json_is(coding, JSON_OBJECT) && operation_next_text(&codings, "coding", &one))
        buf_add(&list, arena_printf(cx->arena, "%s%.*s", list.n ? "," : "", STR_ARG(one)));
    if (json_is(coding, JSON_OBJECT))
        buf_add(&list, arena_printf(cx->arena, "%s%.*s|%.*s", list.n ? "," : "",
                                    STR_ARG(json_string(cx->arena, json_get(coding, S("system")))),
                                    STR_ARG(json_string(cx->arena, json_get(coding, S("code"))))));
    if (!list.n)
        return ctx_fail(cx, ERR_INVALID, S("code"),
                        S("give the code of the observations: code and system, or coding"));
    buf_add(query, S("&code="));
    http_encode(query, buf_str(&list));
    return ERR_OK;
}

static void add_date(struct buf *query, const char *prefix, str date)
{
    buf_add(query, S("&date="));
    buf_add(query, str_of(prefix));
    http_encode(query, date);
}

/* duration in hours up to now; or a period, START/END where it comes by URL. */
static err add_time(const struct operation_ask *ask, struct buf *query)
{
    struct ctx *cx = ask->call->cx;
    str hours = operation_text(ask, "duration"), end = operation_text(ask, "period");
    str start = { 0 };
    struct json period = operation_value(ask, "period");
    char text[CLOCK_TEXT];
    double value = 0;
    if (str_given(hours)) {
        char *rest;
        const char *number = arena_cstr(cx->arena, hours);
        value = strtod(number, &rest);
        if (!hours.n || *rest || !(value > 0) || value > 1e6)
            return ctx_fail(cx, ERR_INVALID, S("duration"),
                            S("duration takes a number of hours, up to now"));
        clock_write(cx->now_ms - (int64_t)(value * 3600000), text);
        add_date(query, "ge", (str){ text, CLOCK_TEXT });
    }
    if (json_is(period, JSON_OBJECT)) {
        start = json_string(cx->arena, json_get(period, S("start")));
        end = json_string(cx->arena, json_get(period, S("end")));
    } else {
        str_next(&end, '/', &start);
    }
    if (str_given(start) && start.n)
        add_date(query, "ge", start);
    if (str_given(end) && end.n)
        add_date(query, "le", end);
    return ERR_OK;
}

static err stats_query(const struct operation_ask *ask, str *out)
{
    static const char *const own[] = { "statistic", "system", "include", "limit", "duration",
                                       "code", "coding", "period", NULL };
    struct buf query = buf_make(ask->call->cx->arena, REST_TEXT_MAX);
    buf_add(&query, search_query(ask, own));
    TRY(add_codes(ask, &query));
    TRY(add_time(ask, &query));
    *out = buf_str(&query);
    return ERR_OK;
}

err op_stats(const struct operation_ask *ask, struct operation_answer *out)
{
    struct ctx *cx = ask->call->cx;
    struct buf buf = buf_make(cx->arena, REST_TEXT_MAX);
    struct stats stats = { .ask = ask };
    str names = statistic_names(ask), query;
    bool include;
    TRY(need_subject(ask));
    TRY(operation_flag(ask, "include", false, &include));
    TRY(operation_count(ask, "limit", SIZE_MAX, &stats.sources_most));
    stats.sources_most = include ? stats.sources_most : 0;
    TRY(check_names(&stats, names));
    TRY(stats_query(ask, &query));
    TRY(store_reader(cx, ask->call->store));
    TRY(each(ask, query, take_value, &stats));
    if (!stats.count)
        return ctx_fail(cx, ERR_NOT_FOUND, (str){ 0 },
                        S("there is no observation with a quantity to count"));
    qsort(stats.values, stats.count, sizeof *stats.values, by_value);
    TRY(write_stats(&stats, names, &buf));
    out->body = buf_str(&buf);
    return ERR_OK;
}
