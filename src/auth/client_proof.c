/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/client_proof.h"
#include "auth/client_keys.h"
#include "auth/gate.h"
#include "auth/jwt.h"
#include "auth/oauth.h"
#include "auth/secret.h"
#include "http/text.h"
#include "json/json.h"

#define JWT_BEARER "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

static err refuse(struct ctx *cx)
{
    cx->issues.kept = cx->issues.count = 0; /* why exactly is not told to whoever tries */
    return ctx_fail(cx, ERR_LOGIN, S("invalid_client"), S("the app is unknown or did not prove "
                                                          "who it is"));
}

static str form(struct http_request *request, const char *name)
{
    return http_query_value(request->cx->arena, request->body, str_of(name));
}

/* "Basic base64(id:secret)", both parts percent-encoded as RFC 6749 asks. */
static bool read_basic(struct http_request *request, str *id, str *secret)
{
    str header = http_header(request, "Authorization"), text;
    if (!str_starts(header, S("Basic ")))
        return false;
    str base64 = str_trim(str_slice(header, 6, header.n));
    while (str_ends(base64, S("=")))
        base64.n--;
    char *url_safe = (char *)arena_copy(request->cx->arena, base64).p;
    for (size_t i = 0; i < base64.n; i++)
        url_safe[i] = url_safe[i] == '+' ? '-' : url_safe[i] == '/' ? '_' : url_safe[i];
    if (!secret_from_base64url(request->cx->arena, (str){ url_safe, base64.n }, &text))
        return false;
    size_t colon = str_find_char(text, ':');
    return colon != STR_NONE &&
           http_decode(request->cx->arena, str_slice(text, 0, colon), true, id) &&
           http_decode(request->cx->arena, str_slice(text, colon + 1, text.n), true, secret);
}

static bool audience_fits(struct http_request *request, struct json aud)
{
    str endpoint = arena_printf(request->cx->arena, "%.*s/auth/token",
                                STR_ARG(request->base_url));
    if (json_string_is(aud, endpoint) || json_string_is(aud, request->base_url))
        return true;
    for (struct json_walk w = json_walk(aud); !w.object && json_next(&w);)
        if (json_string_is(w.value, endpoint) || json_string_is(w.value, request->base_url))
            return true;
    return false;
}

static bool whole_number(struct ctx *cx, struct json v, int64_t *out)
{
    return json_is(v, JSON_NUMBER) && str_to_i64(json_string(cx->arena, v), out);
}

/* nbf and iat, when given, are not in the future by more than a clock may be ahead. */
static bool begun(struct ctx *cx, struct json claims, int64_t now_s)
{
    static const char *const names[] = { "nbf", "iat" };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct json claim = json_get(claims, str_of(names[i]));
        int64_t at_s = 0;
        if (claim.doc && (!whole_number(cx, claim, &at_s) ||
                                        at_s > now_s + OAUTH_SKEW_S))
            return false;
    }
    return true;
}

/* iss = sub = the app, for us, not long-lived, not seen before. */
static bool claims_fit(struct http_request *request, struct people *people, str payload, str id)
{
    struct ctx *cx = request->cx;
    struct json claims;
    int64_t exp_s = 0, now_s = cx->now_ms / 1000;
    bool first = false;
    if (json_parse(cx, payload, &claims) != ERR_OK)
        return false;
    str jti = json_string(cx->arena, json_get(claims, S("jti")));
    if (!json_string_is(json_get(claims, S("iss")), id) ||
        !json_string_is(json_get(claims, S("sub")), id) || !jti.n ||
        !audience_fits(request, json_get(claims, S("aud"))) ||
        !whole_number(cx, json_get(claims, S("exp")), &exp_s) || exp_s <= now_s ||
        exp_s > now_s + OAUTH_ASSERTION_S + OAUTH_SKEW_S || !begun(cx, claims, now_s))
        return false;
    str once = arena_printf(cx->arena, "%.*s %.*s", STR_ARG(id), STR_ARG(jti));
    return client_use_once(cx, people, once, exp_s * 1000, &first) == ERR_OK && first;
}

/* The app an assertion says it is from; it proves nothing until the signature is checked. */
static str issuer_of(struct ctx *cx, str assertion)
{
    struct json claims;
    str rest = assertion, part, payload;
    if (!str_next(&rest, '.', &part) || !str_next(&rest, '.', &part) ||
        !secret_from_base64url(cx->arena, part, &payload) ||
        json_parse(cx, payload, &claims) != ERR_OK)
        return (str){ 0 };
    return json_string(cx->arena, json_get(claims, S("iss")));
}

static bool proves_by_keys(struct http_request *request, struct people *people,
                           const struct client *client, str assertion)
{
    static const int64_t ages_ms[] = { CLIENT_KEYS_KEEP_MS, CLIENT_KEYS_AGAIN_MS };
    struct ctx *cx = request->cx;
    struct jwt_claims claims;
    str jwks;
    for (size_t i = 0; i < COUNT(ages_ms) && client->kind == CLIENT_KEYS; i++) {
        struct client_keys_ask ask = { client, gate_oauth(request->gate_self)->reach, ages_ms[i] };
        if (client_keys(cx, people, &ask, &jwks) != ERR_OK)
            return false;
        if (jwt_check(cx, jwks, assertion, &claims) == ERR_OK)
            return claims_fit(request, people, claims.payload, client->id);
        if (client->jwks.n)
            return false;
    }
    return false;
}

err client_prove(struct http_request *request, struct people *people, struct client *out)
{
    struct ctx *cx = request->cx;
    struct client client;
    str assertion = form(request, "client_assertion"), named = form(request, "client_id");
    str id = named, secret = { 0 };
    bool by_keys = assertion.n > 0, by_secret = read_basic(request, &id, &secret);
    if (by_keys)
        id = issuer_of(cx, assertion);
    /* RFC 6749 2.3: one way of proving, and one name. */
    bool of_kind = str_eq(form(request, "client_assertion_type"), S(JWT_BEARER));
    if ((by_keys && (by_secret || !of_kind)) ||
        (named.n && str_given(id) && !str_eq(named, id)))
        return refuse(cx);
    if (!str_given(id) || client_find(cx, people, id, &client) != ERR_OK || client.disabled)
        return refuse(cx);
    bool proved = client.kind == CLIENT_PUBLIC && !by_keys && !by_secret;
    if (by_keys)
        proved = proves_by_keys(request, people, &client, assertion);
    if (by_secret && client.kind == CLIENT_SECRET)
        proved = secret_same(secret_hash(cx->arena, secret), client.secret_hash);
    if (!proved)
        return refuse(cx);
    *out = client;
    return ERR_OK;
}
