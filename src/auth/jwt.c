/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/jwt.h"
#include "auth/secret.h"
#include "base/clock.h"
#include <fcntl.h>
#include <jose/jose.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nothing here includes json/json.h: the library behind libjose uses some of the same names. Of
 * those (json_string) ours is the one that gets linked: call none of them. */

enum { LOOK_EVERY_MS = 1000 };
#define KEYS_BYTES_MAX ((size_t)16 << 20)

struct jwt_keys {
    pthread_mutex_t lock;     /* over what follows */
    struct arena arena;
    const char *path;
    struct timespec changed;  /* of the file, when it was read */
    int64_t looked_ms;
    json_t *ring;             /* array of private keys, the newest first */
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
static bool save_ring(struct ctx *cx, json_t *ring, const char *path)
{
    const char *part = arena_printf(cx->arena, "%s.part%c", path, 0).p;
    int file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return false;
    json_t *set = json_pack("{s:O}", "keys", ring);
    bool written = set && json_dumpfd(set, file, JSON_COMPACT) == 0 && fsync(file) == 0;
    json_decref(set);
    written = close(file) == 0 && written;
    return written && rename(part, path) == 0;
}

/* Without alg, for a key signs by several. Not given when the library could not make it. */
static str public_text(struct arena *arena, const json_t *ring)
{
    json_t *set = json_pack("{s:o}", "keys", json_deep_copy(ring)), *key;
    str text = { 0 };
    size_t i, bytes;
    bool good = set != NULL;
    json_array_foreach(json_object_get(set, "keys"), i, key)
        good = good && jose_jwk_pub(NULL, key) && json_object_del(key, "alg") == 0;
    if (good && (bytes = json_dumpb(set, NULL, 0, JSON_COMPACT)) > 0) {
        char *room = arena_alloc(arena, bytes);
        if (json_dumpb(set, room, bytes, JSON_COMPACT) == bytes)
            text = (str){ room, bytes };
    }
    json_decref(set);
    return text;
}

static err no_key(struct ctx *cx, const char *path)
{
    return ctx_failf(cx, ERR_IO, (str){ 0 },
                     "the signing keys %s cannot be read or made; can its folder be written?",
                     path);
}

/* A single key is a ring of one, as it was once written. NULL: not there, or not to be read. */
static json_t *load_ring(const char *path)
{
    json_t *file = json_load_file(path, 0, NULL), *ring = json_object_get(file, "keys");
    if (ring)
        json_incref(ring);
    else if (json_object_get(file, "kty"))
        ring = json_pack("[O]", file);
    json_decref(file);
    if (json_array_size(ring) > 0)
        return ring;
    json_decref(ring);
    return NULL;
}

static bool add_key(json_t *ring)
{
    json_t *key = make_key();
    return key && json_array_insert_new(ring, 0, key) == 0;
}

static const char *path_of(struct arena *arena, str folder)
{
    return arena_printf(arena, "%.*s/keys.json%c", STR_ARG(folder), 0).p;
}

/* True when the file is there and is newer than what was read. */
static bool is_changed(struct jwt_keys *keys)
{
    struct stat info;
    if (stat(keys->path, &info))
        return false;
    bool same = info.st_mtim.tv_sec == keys->changed.tv_sec &&
                info.st_mtim.tv_nsec == keys->changed.tv_nsec;
    keys->changed = info.st_mtim;
    return !same;
}

/* Called under the lock. A file that cannot be read leaves the ring as it was. */
static void read_again(struct jwt_keys *keys)
{
    int64_t now = clock_monotonic_ms();
    if (now - keys->looked_ms < LOOK_EVERY_MS)
        return;
    keys->looked_ms = now;
    json_t *ring = is_changed(keys) ? load_ring(keys->path) : NULL;
    str text = ring ? public_text(&keys->arena, ring) : (str){ 0 };
    if (str_given(text)) {
        json_decref(keys->ring);
        keys->ring = ring;
        keys->public_text = text;
    } else {
        json_decref(ring);
    }
}

static err make_ring(struct ctx *cx, const char *path)
{
    json_t *ring = json_array();
    bool good = ring && add_key(ring) && save_ring(cx, ring, path);
    json_decref(ring);
    return good ? ERR_OK : no_key(cx, path);
}

err jwt_open(struct ctx *cx, str folder, struct jwt_keys **out)
{
    struct jwt_keys *keys = arena_zero(cx->arena, sizeof *keys);
    keys->path = path_of(cx->arena, folder);
    keys->arena = arena_make(KEYS_BYTES_MAX);
    if (access(keys->path, F_OK) != 0)
        TRY(make_ring(cx, keys->path));
    pthread_mutex_init(&keys->lock, NULL);
    keys->looked_ms = -LOOK_EVERY_MS;
    read_again(keys);
    if (!keys->ring)
        return no_key(cx, keys->path);
    *out = keys;
    return ERR_OK;
}

void jwt_close(struct jwt_keys *keys)
{
    if (!keys)
        return;
    json_decref(keys->ring);
    arena_free(&keys->arena);
    pthread_mutex_destroy(&keys->lock);
}

err jwt_rotate(struct ctx *cx, str folder)
{
    const char *path = path_of(cx->arena, folder);
    json_t *ring = load_ring(path);
    bool good = ring && add_key(ring);
    while (json_array_size(ring) > 1 + JWT_KEYS_KEPT)
        json_array_remove(ring, json_array_size(ring) - 1);
    good = good && save_ring(cx, ring, path);
    json_decref(ring);
    return good ? ERR_OK : no_key(cx, path);
}

str jwt_public(struct jwt_keys *keys)
{
    pthread_mutex_lock(&keys->lock);
    read_again(keys);
    str text = keys->public_text;
    pthread_mutex_unlock(&keys->lock);
    return text;
}

static json_t *signed_parts(const json_t *kept, const char *alg, const char *payload)
{
    json_t *key = json_deep_copy(kept), *jws = json_pack("{s:s}", "payload", payload);
    json_t *kid = json_object_get(key, "kid");
    json_t *sig = json_pack("{s:{s:s, s:s, s:O}}", "protected", "alg", alg, "typ", "JWT", "kid",
                            kid);
    bool done = jws && sig && json_object_set_new(key, "alg", json_pack("s", alg)) == 0 &&
                jose_jws_sig(NULL, jws, sig, key);
    json_decref(sig);
    json_decref(key);
    if (!done) {
        json_decref(jws);
        return NULL;
    }
    return jws;
}

/* The newest key; to be given back. */
static json_t *signing_key(struct jwt_keys *keys)
{
    pthread_mutex_lock(&keys->lock);
    read_again(keys);
    json_t *key = json_incref(json_array_get(keys->ring, 0));
    pthread_mutex_unlock(&keys->lock);
    return key;
}

err jwt_sign(struct ctx *cx, struct jwt_keys *keys, str claims, str *out)
{
    return jwt_sign_as(cx, keys, "RS256", claims, out);
}

err jwt_sign_as(struct ctx *cx, struct jwt_keys *keys, const char *alg, str claims, str *out)
{
    const char *payload = arena_cstr(cx->arena, secret_base64url(cx->arena, claims));
    json_t *key = signing_key(keys), *jws = signed_parts(key, alg, payload);
    json_decref(key);
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
