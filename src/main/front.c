/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/sign_in_metrics.h"
#include "hl7v2/watch.h"
#include "systems/feeds/send.h"
#include "http/metrics.h"
#include "main/serve.h"
#include "ui/landing.h"
#include "store/own_status.h"

/* What a browser, a load balancer and a monitor see first: /, /health, /metrics. */
enum { METRICS_MAX = 1 << 20 };

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

/* Who follows the log and how far behind; nothing when it cannot be read. */
static void add_consumers(struct ctx *cx, struct store *store, struct buf *text)
{
    struct consumer_state *list;
    size_t count;
    if (consumers_list(cx, store, &list, &count))
        return;
    buf_add(text, S("# HELP frontline_consumer_lag Versions a log consumer has not seen yet.\n"
                    "# TYPE frontline_consumer_lag gauge\n"));
    for (size_t i = 0; i < count; i++)
        buf_printf(text, "frontline_consumer_lag{name=\"%.*s\"} %lld\n", STR_ARG(list[i].name),
                   (long long)list[i].lag);
    buf_add(text, S("# HELP frontline_consumer_parked 1 while a consumer stands still.\n"
                    "# TYPE frontline_consumer_parked gauge\n"));
    for (size_t i = 0; i < count; i++)
        buf_printf(text, "frontline_consumer_parked{name=\"%.*s\"} %d\n", STR_ARG(list[i].name),
                   list[i].parked);
}

/* Resources the server's own search parameters are still to be indexed for. */
static void add_own(struct ctx *cx, struct store *store, struct buf *text)
{
    struct own_status *list;
    size_t count;
    if (own_list(cx, store, &list, &count))
        return;
    buf_add(text, S("# HELP frontline_search_parameter_left Resources a search parameter of the "
                    "server's own is not indexed for yet.\n"
                    "# TYPE frontline_search_parameter_left gauge\n"));
    for (size_t i = 0; i < count; i++)
        buf_printf(text, "frontline_search_parameter_left{base=\"%.*s\",code=\"%.*s\",state=\"%s\"}"
                         " %lld\n", STR_ARG(fhir_resource_name(list[i].resource)),
                   STR_ARG(list[i].code), own_state_name(list[i].state),
                   (long long)(list[i].state == OWN_ACTIVE || list[i].total < list[i].done
                                   ? 0 : list[i].total - list[i].done));
}

static err show_metrics(struct http_request *request, struct http_response *response)
{
    struct buf text = buf_make(request->cx->arena, METRICS_MAX);
    http_metrics_write(&text);
    buf_printf(&text, "# HELP frontline_store_seq Versions committed.\n"
                      "# TYPE frontline_store_seq counter\nfrontline_store_seq %lld\n",
               (long long)store_seq(request->store));
    sign_in_metrics_write(&text);
    add_consumers(request->cx, request->store, &text);
    hl7_watch_metrics(&text, request->cx->now_ms);
    feeds_send_metrics(request->cx, &text);
    add_own(request->cx, request->store, &text);
    response->content_type = S("text/plain; version=0.0.4; charset=utf-8");
    response->body = buf_str(&text);
    return ERR_OK;
}

const struct route front_routes[] = {
    { "GET", "/", "signed-in", ui_landing_get, "What is running: counts by type, links", 0 },
    { "GET", "/live", "signed-in", ui_landing_live, "The first page's counts, as they change", 0 },
    { "GET", "/health", "open", show_health, "200 while the record can be read", 0 },
    { "GET", "/metrics", "open", show_metrics, "Counters in Prometheus form", 0 },
    { 0 },
};
