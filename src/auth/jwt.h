/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * jwt: signs and checks JSON Web Tokens with the server's own keys and with the keys of others.
 *
 * Source   RFC 7515, 7517, 7519 through libjose; RFC 8725 for what to refuse.
 * Shapes   claims go in and out as JSON text; what they mean (exp, aud, jti) is the caller's to
 *          check. The header's alg must be one of a fixed list: never "none", never a shared
 *          secret.
 * Errors   ERR_INVALID: not a token, a wrong signature, an algorithm not allowed, no key fits;
 *          ERR_IO: the key file cannot be read or made.
 * Memory   a key ring lives in cx's arena until jwt_close. Thread-safe.
 * Limits   tokens up to JWT_MAX_BYTES. Keys are in `keys.json`, mode 0600, made at first use: a
 *          JWKS, the newest first. Rotated while a server runs, it signs with the new key within a
 *          second; the JWT_KEYS_KEPT keys before stay published, so what they signed still holds.
 */
enum { JWT_MAX_BYTES = 64 * 1024, JWT_KEYS_KEPT = 2 };
struct jwt_keys;

err jwt_open(struct ctx *cx, str folder, struct jwt_keys **out) MUST_USE;
void jwt_close(struct jwt_keys *keys);
str jwt_public(struct jwt_keys *keys); /* JWKS JSON, as long as the ring lives */
/* A new key in front; those past JWT_KEYS_KEPT are forgotten. */
err jwt_rotate(struct ctx *cx, str folder) MUST_USE;

/* Signed with RS256 by the newest key. `claims` is a JSON object. */
err jwt_sign(struct ctx *cx, struct jwt_keys *keys, str claims, str *out) MUST_USE;

/* The same by RS256, RS384 or RS512, for who asks for it. */
err jwt_sign_as(struct ctx *cx, struct jwt_keys *keys, const char *alg, str claims,
                str *out) MUST_USE;

/* Checks `token` against a JWKS (JSON text) and gives its claims and header, both JSON text. */
struct jwt_claims {
    str header, payload;
};
err jwt_check(struct ctx *cx, str jwks, str token, struct jwt_claims *out) MUST_USE;
