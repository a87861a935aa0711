/* SPDX-License-Identifier: Apache-2.0 */
#include "http/metrics.h"
#include "main/serve.h"
#include "base/clock.h"

/* What a browser, a load balancer and a monitor see first: /, /health, /metrics. */
enum { PAGE_MAX = 1 << 20 };

static const char page_start[] =
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Frontline</title>"
    "<meta name=\"viewport\" content=\"width=device-width\"><style>body{font:1rem/1.5 sans-serif;"
    "max-width:44rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse}td,th{padding:"
    ".2rem 1rem .2rem 0;text-align:left}td+td{text-align:right}</style></head><body><main>"
    "<h1>Frontline</h1>";

static void write_counts(struct buf *page, const int64_t *counts)
{
    int64_t all = 0;
    buf_add(page, S("<h2>Resources</h2><table><tr><th scope=\"col\">Type</th><th scope=\"col\">"
                    "Count</th></tr>"));
    for (uint16_t i = 0; i < fhir_resources_count; i++) {
        all += counts[i];
        if (counts[i])
            buf_printf(page, "<tr><td><a href=\"/fhir/%.*s\">%.*s</a></td><td>%lld</td></tr>",
                       STR_ARG(fhir_resource_name(i)), STR_ARG(fhir_resource_name(i)),
                       (long long)counts[i]);
    }
    buf_printf(page, "<tr><td>All</td><td>%lld</td></tr></table>", (long long)all);
}

static err show_front(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    int64_t *counts = arena_array(cx->arena, fhir_resources_count, sizeof *counts);
    TRY(store_reader(cx, request->store));
    TRY(store_counts(cx, request->store, counts));
    struct buf page = buf_make(cx->arena, PAGE_MAX);
    buf_add(&page, str_of(page_start));
    buf_printf(&page, "<p>Version %s. FHIR R4 (4.0.1) at <a href=\"/fhir/metadata\">/fhir</a>; "
               "<a href=\"/health\">health</a>, <a href=\"/metrics\">metrics</a>. The log stands "
               "at %lld.</p>", FRONTLINE_VERSION, (long long)store_seq(request->store));
    write_counts(&page, counts);
    buf_add(&page, S("</main></body></html>"));
    http_put_header(response, S("Content-Security-Policy"),
                    S("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"));
    response->content_type = S("text/html; charset=utf-8");
    response->body = buf_str(&page);
    return ERR_OK;
}

/* 200 while the record can be read; a load balancer asks no more. */
static err show_health(struct http_request *request, struct http_response *response)
{
    TRY(store_reader(request->cx, request->store));
    response->content_type = S("application/json");
    response->body = arena_printf(request->cx->arena,
                                  "{\"status\":\"ok\",\"version\":\"%s\",\"seq\":%lld}\n",
                                  FRONTLINE_VERSION, (long long)store_seq(request->store));
    return ERR_OK;
}

static err show_metrics(struct http_request *request, struct http_response *response)
{
    struct buf text = buf_make(request->cx->arena, PAGE_MAX);
    http_metrics_write(&text);
    buf_printf(&text, "# HELP frontline_store_seq Versions committed.\n"
                      "# TYPE frontline_store_seq counter\nfrontline_store_seq %lld\n",
               (long long)store_seq(request->store));
    response->content_type = S("text/plain; version=0.0.4; charset=utf-8");
    response->body = buf_str(&text);
    return ERR_OK;
}

const struct route front_routes[] = {
    { "GET", "/", "open", show_front, "What is running: counts by type, links", 0 },
    { "GET", "/health", "open", show_health, "200 while the record can be read", 0 },
    { "GET", "/metrics", "open", show_metrics, "Counters in Prometheus form", 0 },
    { 0 },
};
