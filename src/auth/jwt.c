/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/jwt.h"
#include "auth/secret.h"
#include <fcntl.h>
#include <jose/jose.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nothing here includes json/json.h: the library behind libjose uses some of the same names. */

struct jwt_keys {
    json_t *signing;
    str public_text;
};

/* RFC 8725 3.1: what may be accepted is listed, never taken from the token. */
static const char *const algorithms[] = { "RS256", "RS384", "RS512", "ES256", "ES384", "PS256" };

static bool algorithm_ok(const char *alg)
{
    for (size_t i = 0; alg && i < COUNT(algorithms); i++)
        if (strcmp(alg, algorithms[i]) == 0)
            return true;
    return false;
}

static json_t *make_key(void)
{
    json_t *key = json_pack("{s:s, s:s}", "alg", "RS256", "use", "sig");
    if (!key || !jose_jwk_gen(NULL, key)) {
        json_decref(key);
        return NULL;
    }
    json_t *name = jose_jwk_thp(NULL, key, "S256");
    json_object_set_new(key, "kid", name);
    return key;
}

/* Written whole under another name and moved into place: a cut leaves the old file or the new. */
static bool save_key(struct ctx *cx, const json_t *key, const char *path)
{
    const char *part = arena_printf(cx->arena, "%s.part%c", path, 0).p;
    int file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return false;
    bool written = json_dumpfd(key, file, JSON_COMPACT) == 0 && fsync(file) == 0;
    written = close(file) == 0 && written;
    return written && rename(part, path) == 0;
}

/* Not given when the library could not make it. */
static str public_text(struct ctx *cx, const json_t *key)
{
    json_t *copy = json_deep_copy(key);
    str text = { 0 };
    if (copy && jose_jwk_pub(NULL, copy)) {
        json_t *set = json_pack("{s:[O]}", "keys", copy);
        size_t bytes = json_dumpb(set, NULL, 0, JSON_COMPACT);
        char *room = arena_alloc(cx->arena, bytes);
        if (bytes && json_dumpb(set, room, bytes, JSON_COMPACT) == bytes)
            text = (str){ room, bytes };
        json_decref(set);
    }
    json_decref(copy);
    return text;
}

static err no_key(struct ctx *cx, const char *path)
{
    return ctx_failf(cx, ERR_IO, (str){ 0 },
                     "the signing key %s cannot be read or made; can its folder be written?", path);
}

err jwt_open(struct ctx *cx, str folder, struct jwt_keys **out)
{
    const char *path = arena_printf(cx->arena, "%.*s/keys.json%c", STR_ARG(folder), 0).p;
    json_t *key = json_load_file(path, 0, NULL);
    if (!key && access(path, F_OK) != 0) {
        key = make_key();
        if (key && !save_key(cx, key, path)) {
            json_decref(key);
            key = NULL;
        }
    }
    str text = key ? public_text(cx, key) : (str){ 0 };
    if (!str_given(text)) {
        json_decref(key);
        return no_key(cx, path);
    }
    struct jwt_keys *keys = arena_alloc(cx->arena, sizeof *keys);
    *keys = (struct jwt_keys){ key, text };
    *out = keys;
    return ERR_OK;
}

void jwt_close(struct jwt_keys *keys)
{
    if (keys)
        json_decref(keys->signing);
}

str jwt_public(const struct jwt_keys *keys)
{
    return keys->public_text;
}

static json_t *signed_parts(const struct jwt_keys *keys, const char *payload)
{
    json_t *jws = json_pack("{s:s}", "payload", payload);
    json_t *kid = json_object_get(keys->signing, "kid");
    json_t *sig = json_pack("{s:{s:s, s:s, s:O}}", "protected", "alg", "RS256", "typ", "JWT", "kid",
                            kid);
    bool done = jws && sig && jose_jws_sig(NULL, jws, sig, keys->signing);
    json_decref(sig);
    if (!done) {
        json_decref(jws);
        return NULL;
    }
    return jws;
}

err jwt_sign(struct ctx *cx, const struct jwt_keys *keys, str claims, str *out)
{
    const char *payload = arena_cstr(cx->arena, secret_base64url(cx->arena, claims));
    json_t *jws = signed_parts(keys, payload);
    if (!jws)
        return ctx_fail(cx, ERR_BUG, (str){ 0 }, S("the token could not be signed"));
    str token = arena_printf(cx->arena, "%s.%s.%s",
                             json_string_value(json_object_get(jws, "protected")), payload,
                             json_string_value(json_object_get(jws, "signature")));
    json_decref(jws);
    *out = token;
    return ERR_OK;
}

static err refuse(struct ctx *cx, const char *why)
{
    return ctx_failf(cx, ERR_INVALID, S("token"), "the signed token is refused: %s", why);
}

struct parts {
    str protected, payload, signature;
};

static bool split(str token, struct parts *out)
{
    str extra;
    return str_next(&token, '.', &out->protected) && str_next(&token, '.', &out->payload) &&
           str_next(&token, '.', &out->signature) && !str_next(&token, '.', &extra) &&
           out->protected.n && out->payload.n && out->signature.n;
}

static bool key_fits(const json_t *key, const json_t *header)
{
    const char *wanted = json_string_value(json_object_get(header, "kid"));
    const char *kid = json_string_value(json_object_get(key, "kid"));
    const char *use = json_string_value(json_object_get(key, "use"));
    const char *kty = json_string_value(json_object_get(key, "kty"));
    bool public_key = kty && (strcmp(kty, "RSA") == 0 || strcmp(kty, "EC") == 0);
    return public_key && (!use || strcmp(use, "sig") == 0) &&
           (!wanted || !kid || strcmp(wanted, kid) == 0);
}

/* libjose wants an algorithm in the key or takes it from the header; both were checked before. */
static bool verifies(const json_t *jwks, const json_t *header, const json_t *jws)
{
    size_t i;
    json_t *key;
    json_array_foreach(json_object_get(jwks, "keys"), i, key)
        if (key_fits(key, header) && jose_jws_ver(NULL, jws, NULL, key, false))
            return true;
    return false;
}

static err check_parts(struct ctx *cx, const json_t *jwks, const struct parts *parts,
                       struct jwt_claims *out)
{
    struct jwt_claims claims;
    if (!secret_from_base64url(cx->arena, parts->protected, &claims.header) ||
        !secret_from_base64url(cx->arena, parts->payload, &claims.payload))
        return refuse(cx, "its parts are not base64url");
    json_t *header = json_loadb(claims.header.p, claims.header.n, JSON_REJECT_DUPLICATES, NULL);
    json_t *jws = json_pack("{s:s%, s:s%, s:s%}", "protected", parts->protected.p,
                            parts->protected.n, "payload", parts->payload.p, parts->payload.n,
                            "signature", parts->signature.p, parts->signature.n);
    bool allowed = algorithm_ok(json_string_value(json_object_get(header, "alg"))) &&
                   !json_object_get(header, "crit");
    bool good = allowed && jws && verifies(jwks, header, jws);
    json_decref(header);
    json_decref(jws);
    if (!good)
        return refuse(cx, allowed ? "no key fits its signature" : "its algorithm is not allowed");
    *out = claims;
    return ERR_OK;
}

err jwt_check(struct ctx *cx, str jwks, str token, struct jwt_claims *out)
{
    struct parts parts;
    if (token.n > JWT_MAX_BYTES || !split(token, &parts))
        return refuse(cx, "it is not three parts of at most 64 KB");
    json_t *set = json_loadb(jwks.p ? jwks.p : "", jwks.n, JSON_REJECT_DUPLICATES, NULL);
    if (!set)
        return refuse(cx, "the keys to check it with cannot be read");
    err result = check_parts(cx, set, &parts, out);
    json_decref(set);
    return result;
}
