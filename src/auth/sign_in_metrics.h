/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"

/*
 * sign_in_metrics: how people got in and how long it took them, for whoever watches the service.
 *
 * Source   staff-identity 4.2: time-to-login from the first human gesture to the first page, by
 *          method; targets tap 2 s, passkey 5 s; the server's share of each.
 * Shapes   Prometheus histograms. The whole time is what the person's browser measured.
 * Units    seconds in the output, milliseconds in.
 * Limits   counters are process-wide and only grow. Thread-safe.
 */
enum sign_in_method {
    SIGN_IN_BY_PASSKEY, SIGN_IN_BY_CODE, SIGN_IN_BY_OPENID, SIGN_IN_BY_BADGE, SIGN_IN_BY_DEMO,
    SIGN_IN_METHODS
};
/* SIGN_IN_METHODS when there is none of that name. */
enum sign_in_method sign_in_method_find(str name);
void sign_in_metrics_server(enum sign_in_method method, int64_t took_ns);
void sign_in_metrics_whole(enum sign_in_method method, int64_t took_ms);
void sign_in_metrics_refused(enum sign_in_method method);
void sign_in_metrics_write(struct buf *out);
