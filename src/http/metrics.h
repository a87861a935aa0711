/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"

/*
 * http_metrics: counts what the server does, in the text form Prometheus reads.
 *
 * Source   Prometheus exposition format 0.0.4.
 * Units    durations in seconds from the request's last header byte to the start of its answer.
 * Limits   counters are process-wide and only grow. Thread-safe.
 */
struct http_done {
    int method, status;
    int64_t took_ns;
    uint64_t in_bytes, out_bytes;
};
void http_metrics_request(const struct http_done *done);

enum http_gauge {
    HTTP_GAUGE_CONNECTIONS, HTTP_GAUGE_REQUESTS, HTTP_GAUGE_STREAMS, HTTP_GAUGE_QUEUE,
    HTTP_GAUGE_BODY_BYTES, HTTP_GAUGES
};
void http_gauge_add(enum http_gauge gauge, int64_t by);
int64_t http_gauge(enum http_gauge gauge);

enum http_event { HTTP_EVENT_REFUSED, HTTP_EVENT_CUT, HTTP_EVENT_OVER_MEMORY, HTTP_EVENTS };
void http_event(enum http_event event);

void http_metrics_write(struct buf *out);
