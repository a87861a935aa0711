/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/passkey_check.h"
#include "auth/upstream.h"
#include "http/http.h"

/*
 * entrance: the ways in that this server was set up with.
 *
 * Shapes   read from the configuration once, at start. Browsers give passkeys to a domain, never to
 *          an address of numbers: on this machine that is http://localhost:PORT, not 127.0.0.1.
 * Missing  rp_id empty: the host of http.base_url, or localhost; elsewhere there are no passkeys.
 * Memory   program.
 */
struct entrance {
    str rp_id, origins;  /* auth.rp_id, auth.origins */
    str base_url;        /* http.base_url; empty: not configured */
    str attestation;     /* auth.attestation: "none" or "direct" */
    struct provider *staff, *patients; /* [upstream], [patients]; NULL: not configured */
    struct upstream_rules rules;
    int64_t badge_grace_ms; /* how long after a full sign-in a badge opens a screen again */
};
/* Where passkeys used on this request's page belong; false: this page cannot use any. */
bool entrance_site(const struct entrance *entrance, const struct http_request *request,
                   struct passkey_site *out);
