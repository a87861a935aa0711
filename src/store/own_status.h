/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "json/json.h"
#include "store/store.h"

/*
 * own_status: how far the server's own search parameters are (own.h).
 *
 * Shapes   one for each type a SearchParameter is for. WAITING: rows of an earlier definition are
 *          being taken out first; BUILDING: resources from before it are being indexed; ACTIVE:
 *          searched by its index; DROPPING: no longer a parameter, its rows are being taken out.
 * Units    done and total in resources.
 * Memory   in cx's arena.
 */
enum own_state { OWN_WAITING, OWN_BUILDING, OWN_ACTIVE, OWN_DROPPING };
struct own_status {
    str code, url, kind; /* kind: SearchParameter.type */
    uint16_t resource;
    int64_t source;      /* rid of its SearchParameter */
    int64_t done, total;
    enum own_state state;
};
err own_list(struct ctx *cx, struct store *store, struct own_status **out,
             size_t *count) MUST_USE;
const char *own_state_name(enum own_state state);
/* Why a SearchParameter has no effect, in one sentence; not given: it has. */
err own_explain(struct ctx *cx, struct store *store, struct json body, int64_t source,
                str *out) MUST_USE;
