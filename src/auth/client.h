/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/people.h"

/*
 * client: the apps that may ask for tokens.
 *
 * Source   SMART App Launch 2.2, "Client authentication"; RFC 7591 for registration.
 * Shapes   a public client proves nothing but its redirect; a confidential one signs an assertion
 *          with a key of its JWKS (private_key_jwt) or shows a secret. Scopes are the most it may
 *          get.
 * Errors   ERR_NOT_FOUND: no such app; ERR_CONFLICT: the id is taken; ERR_INVALID: a redirect that
 *          is no https URL (http only on loopback), malformed keys or scopes, without_pkce for a
 *          public app, which has nothing else to prove itself by.
 * Limits   CLIENT_URL_MAX bytes an address, CLIENT_TITLE_MAX of a name.
 * Memory   cx's arena.
 */
enum { CLIENT_URL_MAX = 2000, CLIENT_TITLE_MAX = 200 };
enum client_kind { CLIENT_PUBLIC, CLIENT_SECRET, CLIENT_KEYS };
struct client {
    str id, name;
    str redirects;   /* URLs separated by spaces; compared whole */
    str scopes;
    str jwks;        /* CLIENT_KEYS: JSON text */
    str launch;      /* URL that begins it within a patient's record; empty: it begins by itself */
    str jwks_uri;    /* CLIENT_KEYS: where its keys are shown instead; or empty */
    str secret_hash; /* CLIENT_SECRET */
    enum client_kind kind;
    bool disabled;
    bool without_pkce; /* an older app that has a secret or keys: see client_add */
    bool introspects;  /* a resource server: may ask about tokens of other apps */
};
err client_add(struct ctx *cx, struct people *people, const struct client *client) MUST_USE;
err client_find(struct ctx *cx, struct people *people, str id, struct client *out) MUST_USE;
err client_list(struct ctx *cx, struct people *people, struct client **out, size_t *count) MUST_USE;
/* It may ask for nothing any more, and what it holds opens nothing. */
err client_end(struct ctx *cx, struct people *people, str id) MUST_USE;
/* How many registered themselves. */
err client_registered(struct ctx *cx, struct people *people, int64_t *count) MUST_USE;
bool client_redirects_to(const struct client *client, str uri);

/* True the first time, false ever after until `until_ms`: against replayed assertions. */
err client_use_once(struct ctx *cx, struct people *people, str what, int64_t until_ms,
                    bool *first) MUST_USE;
