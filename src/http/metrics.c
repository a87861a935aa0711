/* SPDX-License-Identifier: Apache-2.0 */
#include "http/metrics.h"
#include "http/text.h"
#include <stdatomic.h>

/* Upper edges of the latency buckets, in microseconds. */
static const int64_t edges_us[] = { 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000,
                                    100000, 250000, 500000, 1000000, 2500000, 10000000 };
enum { EDGES = COUNT(edges_us), STATUS_MAX = 600 };

static struct {
    _Atomic uint64_t buckets[EDGES + 1], sum_ns;
} latency[HTTP_METHODS];
static _Atomic uint64_t requests[HTTP_METHODS][STATUS_MAX];
static _Atomic uint64_t in_bytes, out_bytes, events[HTTP_EVENTS];
static _Atomic int64_t gauges[HTTP_GAUGES];

static void add(_Atomic uint64_t *counter, uint64_t by)
{
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

void http_metrics_request(const struct http_done *done)
{
    int status = done->status > 0 && done->status < STATUS_MAX ? done->status : 0;
    size_t bucket = 0;
    while (bucket < EDGES && done->took_ns > edges_us[bucket] * 1000)
        bucket++;
    add(&requests[done->method][status], 1);
    add(&latency[done->method].buckets[bucket], 1);
    add(&latency[done->method].sum_ns, (uint64_t)done->took_ns);
    add(&in_bytes, done->in_bytes);
    add(&out_bytes, done->out_bytes);
}

void http_gauge_add(enum http_gauge gauge, int64_t by)
{
    atomic_fetch_add_explicit(&gauges[gauge], by, memory_order_relaxed);
}

int64_t http_gauge(enum http_gauge gauge)
{
    return atomic_load_explicit(&gauges[gauge], memory_order_relaxed);
}

void http_event(enum http_event event)
{
    add(&events[event], 1);
}

static void head(struct buf *out, const char *name, const char *kind, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void write_requests(struct buf *out)
{
    head(out, "frontline_http_requests_total", "counter", "Requests answered.");
    for (int m = 0; m < HTTP_METHODS; m++)
        for (int s = 0; s < STATUS_MAX; s++) {
            uint64_t n = atomic_load_explicit(&requests[m][s], memory_order_relaxed);
            if (n)
                buf_printf(out,
                           "frontline_http_requests_total{method=\"%.*s\",status=\"%d\"} %llu\n",
                           STR_ARG(http_method_name((enum http_method)m)), s,
                           (unsigned long long)n);
        }
}

static void write_latency(struct buf *out, int m)
{
    static const char name[] = "frontline_http_request_seconds";
    str method = http_method_name((enum http_method)m);
    uint64_t count = 0;
    for (size_t i = 0; i <= EDGES; i++) {
        count += atomic_load_explicit(&latency[m].buckets[i], memory_order_relaxed);
        buf_printf(out, "%s_bucket{method=\"%.*s\",le=\"", name, STR_ARG(method));
        if (i < EDGES)
            buf_printf(out, "%g\"} %llu\n", (double)edges_us[i] / 1e6, (unsigned long long)count);
        else
            buf_printf(out, "+Inf\"} %llu\n", (unsigned long long)count);
    }
    double sum = (double)atomic_load_explicit(&latency[m].sum_ns, memory_order_relaxed) / 1e9;
    buf_printf(out, "%s_sum{method=\"%.*s\"} %.6f\n%s_count{method=\"%.*s\"} %llu\n", name,
               STR_ARG(method), sum, name, STR_ARG(method), (unsigned long long)count);
}

/* clang-format off */
static const struct { const char *name, *help; } gauge_texts[HTTP_GAUGES] = {
    [HTTP_GAUGE_CONNECTIONS] = { "frontline_http_connections", "Open connections." },
    [HTTP_GAUGE_REQUESTS]    = { "frontline_http_requests_active", "Requests being worked on." },
    [HTTP_GAUGE_STREAMS]     = { "frontline_http_streams", "Answers being streamed." },
    [HTTP_GAUGE_QUEUE]       = { "frontline_http_queue", "Requests waiting for a worker." },
    [HTTP_GAUGE_BODY_BYTES]  = { "frontline_http_body_bytes", "Memory held by request bodies." },
};
static const struct { const char *name, *help; } event_texts[HTTP_EVENTS] = {
    [HTTP_EVENT_REFUSED]     = { "frontline_http_refused_total", "Connections over the limit." },
    [HTTP_EVENT_CUT]         = { "frontline_http_cut_total", "Connections closed as too slow." },
    [HTTP_EVENT_OVER_MEMORY] = { "frontline_http_over_memory_total",
                                 "Requests that passed their memory limit." },
};
/* clang-format on */

void http_metrics_write(struct buf *out)
{
    write_requests(out);
    head(out, "frontline_http_request_seconds", "histogram", "Time to the start of the answer.");
    for (int m = 0; m < HTTP_METHODS; m++)
        write_latency(out, m);
    head(out, "frontline_http_received_bytes_total", "counter", "Bytes of request bodies.");
    buf_printf(out, "frontline_http_received_bytes_total %llu\n", (unsigned long long)in_bytes);
    head(out, "frontline_http_sent_bytes_total", "counter", "Bytes of response bodies.");
    buf_printf(out, "frontline_http_sent_bytes_total %llu\n", (unsigned long long)out_bytes);
    for (int i = 0; i < HTTP_GAUGES; i++) {
        head(out, gauge_texts[i].name, "gauge", gauge_texts[i].help);
        buf_printf(out, "%s %lld\n", gauge_texts[i].name,
                   (long long)http_gauge((enum http_gauge)i));
    }
    for (int i = 0; i < HTTP_EVENTS; i++) {
        head(out, event_texts[i].name, "counter", event_texts[i].help);
        buf_printf(out, "%s %llu\n", event_texts[i].name, (unsigned long long)events[i]);
    }
}
