/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/client.h"
#include "http/reach.h"

/*
 * client_keys: the public keys an app signs its assertions with, as registered or as it shows them.
 *
 * Source   SMART App Launch 2.2, "client-confidential-asymmetric": a JWKS URL is preferred to keys
 *          given once, for the app can change them there.
 * Shapes   what an app shows is kept CLIENT_KEYS_KEEP_MS; a signature that no kept key fits makes
 *          it be fetched again, at most every CLIENT_KEYS_AGAIN_MS.
 * Errors   those of http_call, ERR_INVALID when what is shown is no JSON object.
 * Memory   cx's arena. Blocks on the network for up to CLIENT_KEYS_ANSWER_MS: ROUTE_SLOW.
 */
enum {
    CLIENT_KEYS_KEEP_MS = 3600000, CLIENT_KEYS_AGAIN_MS = 1000, CLIENT_KEYS_ANSWER_MS = 5000,
    CLIENT_KEYS_MAX_BYTES = 256 << 10
};
struct client_keys_ask {
    const struct client *client;
    const struct reach *reach; /* what the operator lists; NULL: nothing */
    int64_t max_age_ms;
};
err client_keys(struct ctx *cx, struct people *people, const struct client_keys_ask *ask,
                str *jwks) MUST_USE;
