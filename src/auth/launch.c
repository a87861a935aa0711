/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/launch.h"
#include "auth/gate.h"
#include "auth/secret.h"
#include "json/write.h"

enum { CLAIMS_MAX_BYTES = 8192 };
static const char type[] = "launch"; /* so that no other token of ours passes for one */

static err refuse(struct ctx *cx)
{
    cx->issues.kept = cx->issues.count = 0;
    return ctx_fail(cx, ERR_INVALID, S("launch"),
                    S("this launch is too old, was used, or is for another app or person; begin "
                      "the app again from the record"));
}

err launch_make(struct http_request *request, const struct launch *launch, str *handle)
{
    struct ctx *cx = request->cx;
    struct buf buf = buf_make(cx->arena, CLAIMS_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    const struct { const char *name; str value; } claims[] = {
        { "typ", S(type) },           { "aud", launch->client },    { "sub", launch->user },
        { "patient", launch->patient }, { "encounter", launch->encounter },
        { "context", launch->context }, { "jti", secret_text(cx->arena) },
    };
    json_open(&w, '{');
    for (size_t i = 0; i < COUNT(claims); i++)
        json_put_str(&w, claims[i].name, claims[i].value.p ? claims[i].value : S(""));
    json_put_u64(&w, "exp", (uint64_t)cx->now_ms / 1000 + LAUNCH_S);
    json_close(&w, '}');
    if (buf.full)
        return ctx_fail(cx, ERR_LIMIT, S("context"), S("too many things on screen"));
    return jwt_sign(cx, gate_oauth(request->gate_self)->keys, buf_str(&buf), handle);
}

static str claim(struct ctx *cx, struct json claims, const char *name)
{
    return json_string(cx->arena, json_get(claims, str_of(name)));
}

err launch_read(struct http_request *request, str handle, const struct launch *expected,
                struct launch *out)
{
    struct ctx *cx = request->cx;
    struct jwt_claims token;
    struct json claims;
    uint64_t until_s = 0;
    if (jwt_check(cx, jwt_public(gate_oauth(request->gate_self)->keys), handle, &token) ||
        json_parse(cx, token.payload, &claims))
        return refuse(cx);
    struct launch launch = {
        .client = claim(cx, claims, "aud"), .user = claim(cx, claims, "sub"),
        .patient = claim(cx, claims, "patient"), .encounter = claim(cx, claims, "encounter"),
        .context = claim(cx, claims, "context"), .id = claim(cx, claims, "jti"),
    };
    bool fits = str_eq(claim(cx, claims, "typ"), S(type)) &&
                str_to_u64(json_text(json_get(claims, S("exp"))), &until_s) &&
                until_s > (uint64_t)cx->now_ms / 1000 && str_eq(launch.client, expected->client) &&
                str_eq(launch.user, expected->user);
    if (!fits)
        return refuse(cx);
    *out = launch;
    return ERR_OK;
}

err launch_use(struct http_request *request, const struct launch *launch)
{
    struct ctx *cx = request->cx;
    bool first = false;
    TRY(client_use_once(cx, gate_people(request->gate_self), launch->id,
                        cx->now_ms + LAUNCH_S * 1000, &first));
    return first ? ERR_OK : refuse(cx);
}
