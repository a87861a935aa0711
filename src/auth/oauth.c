/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/oauth.h"
#include "auth/client_proof.h"
#include "auth/gate.h"
#include "auth/secret.h"
#include "http/text.h"
#include "json/write.h"

enum { ANSWER_MAX_BYTES = 256 * 1024 };

static struct oauth *oauth_of(struct http_request *request)
{
    return gate_oauth(request->gate_self);
}

/* ---- answers ---- */

static err answer_json(struct http_response *response, const struct buf *buf)
{
    response->content_type = S("application/json");
    response->body = buf_str(buf);
    http_put_header(response, S("Cache-Control"), S("no-store"));
    return ERR_OK;
}

static err fault(struct http_request *request, struct http_response *response, int status,
                 const char *error)
{
    struct ctx *cx = request->cx;
    struct buf buf = buf_make(cx->arena, ANSWER_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    str why = cx->issues.kept ? cx->issues.list[0].text : S("");
    json_open(&w, '{');
    json_put_str(&w, "error", str_of(error));
    json_put_str(&w, "error_description", why);
    json_close(&w, '}');
    response->status = status;
    return answer_json(response, &buf);
}

static str endpoint(const struct http_request *request, const char *path)
{
    return arena_printf(request->cx->arena, "%.*s%s", STR_ARG(request->base_url), path);
}

/* ---- discovery ---- */

static void put_words(struct json_writer *w, const char *key, const char *words)
{
    str rest = str_of(words), word;
    json_key(w, key);
    json_open(w, '[');
    while (str_next(&rest, ' ', &word))
        json_str(w, word);
    json_close(w, ']');
}

static const struct {
    const char *key, *words;
} discovery[] = {
    { "grant_types_supported", "authorization_code refresh_token client_credentials" },
    { "response_types_supported", "code" },
    { "code_challenge_methods_supported", "S256" },
    { "token_endpoint_auth_methods_supported", "none client_secret_basic private_key_jwt" },
    { "token_endpoint_auth_signing_alg_values_supported", "RS384 ES384 RS256 ES256" },
    { "id_token_signing_alg_values_supported", "RS256" },
    { "subject_types_supported", "public" },
    { "scopes_supported", "openid fhirUser profile launch launch/patient launch/encounter "
                          "offline_access online_access patient/*.cruds user/*.cruds "
                          "system/*.cruds" },
    { "capabilities", "launch-standalone launch-ehr client-public client-confidential-asymmetric "
                      "client-confidential-symmetric sso-openid-connect context-standalone-patient "
                      "context-standalone-encounter context-ehr-patient context-ehr-encounter "
                      "context-banner permission-offline permission-online permission-patient "
                      "permission-user permission-v1 permission-v2 authorize-post" },
};

static const struct {
    const char *key, *path;
} endpoints[] = {
    { "authorization_endpoint", "/auth/authorize" },
    { "token_endpoint", "/auth/token" },
    { "introspection_endpoint", "/auth/introspect" },
    { "revocation_endpoint", "/auth/revoke" },
    { "registration_endpoint", "/auth/register" },
    { "jwks_uri", "/auth/jwks" },
};

static err get_configuration(struct http_request *request, struct http_response *response)
{
    struct buf buf = buf_make(request->cx->arena, ANSWER_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "issuer", request->base_url);
    for (size_t i = 0; i < COUNT(endpoints); i++)
        json_put_str(&w, endpoints[i].key, endpoint(request, endpoints[i].path));
    for (size_t i = 0; i < COUNT(discovery); i++)
        put_words(&w, discovery[i].key, discovery[i].words);
    json_close(&w, '}');
    return answer_json(response, &buf);
}

static err get_jwks(struct http_request *request, struct http_response *response)
{
    response->content_type = S("application/json");
    response->body = jwt_public(oauth_of(request)->keys);
    return ERR_OK;
}

/* ---- the person's side: what is asked, and the way back ---- */

static str value_of(struct http_request *request, str query, const char *name)
{
    return http_query_value(request->cx->arena, query, str_of(name));
}

static err ask_fault(struct ctx *cx, const char *what)
{
    return ctx_fail(cx, ERR_INVALID, S("authorize"), str_of(what));
}

err oauth_read_ask(struct http_request *request, str query, struct oauth_ask *out)
{
    struct ctx *cx = request->cx;
    struct oauth_ask ask = {
        .redirect = value_of(request, query, "redirect_uri"),
        .state = value_of(request, query, "state"),
        .scope_text = value_of(request, query, "scope"),
        .challenge = value_of(request, query, "code_challenge"),
        .nonce = value_of(request, query, "nonce"),
        .launch = value_of(request, query, "launch"),
    };
    str aud = value_of(request, query, "aud"), method = value_of(request, query,
                                                                 "code_challenge_method");
    TRY(client_find(cx, oauth_of(request)->people, value_of(request, query, "client_id"),
                    &ask.client));
    if (ask.client.disabled || !client_redirects_to(&ask.client, ask.redirect))
        return ask_fault(cx, "the redirect_uri is not one this app registered");
    if (!str_eq(value_of(request, query, "response_type"), S("code")))
        return ask_fault(cx, "response_type must be code");
    if (ask.challenge.n != 43 || !str_eq(method, S("S256")))
        return ask_fault(cx, "PKCE is required: code_challenge with code_challenge_method=S256");
    if (!str_eq(aud, endpoint(request, "/fhir")))
        return ask_fault(cx, "aud must be the address of this server's FHIR API");
    struct scope_set most;
    TRY(scope_parse(cx, ask.scope_text, &ask.scopes));
    TRY(scope_parse(cx, ask.client.scopes, &most));
    if (!scope_within(&ask.scopes, &most))
        return ask_fault(cx, "the app asks for more than it was registered for");
    if (ask.scopes.launch != (ask.launch.n > 0))
        return ask_fault(cx, "an app begun from a record asks for the scope launch and sends the "
                             "launch it was given; another does neither");
    TRY(gate_check_scopes(cx, request->store, &ask.scopes));
    *out = ask;
    return ERR_OK;
}

static struct buf back_to(struct http_request *request, const struct oauth_ask *ask)
{
    struct buf buf = buf_make(request->cx->arena, ANSWER_MAX_BYTES);
    buf_add(&buf, ask->redirect);
    buf_char(&buf, str_find_char(ask->redirect, '?') == STR_NONE ? '?' : '&');
    buf_add(&buf, S("iss="));
    http_encode(&buf, request->base_url);
    if (str_given(ask->state)) {
        buf_add(&buf, S("&state="));
        http_encode(&buf, ask->state);
    }
    return buf;
}

err oauth_allow(struct http_request *request, const struct oauth_ask *ask,
                const struct grant *grant, str *location)
{
    str code;
    TRY(grant_code(request->cx, oauth_of(request)->people, grant, &code));
    struct buf buf = back_to(request, ask);
    buf_add(&buf, S("&code="));
    http_encode(&buf, code);
    *location = buf_str(&buf);
    return ERR_OK;
}

str oauth_deny(struct http_request *request, const struct oauth_ask *ask, const char *error)
{
    struct buf buf = back_to(request, ask);
    buf_printf(&buf, "&error=%s", error);
    return buf_str(&buf);
}

/* ---- the token endpoint ---- */

static str id_token_claims(struct http_request *request, const struct grant *grant,
                           const struct people_user *user)
{
    struct ctx *cx = request->cx;
    struct buf buf = buf_make(cx->arena, ANSWER_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "iss", request->base_url);
    json_put_str(&w, "sub", user->name);
    json_put_str(&w, "aud", grant->client);
    json_put_u64(&w, "iat", (uint64_t)cx->now_ms / 1000);
    json_put_u64(&w, "exp", (uint64_t)cx->now_ms / 1000 + GRANT_ACCESS_MINUTES * 60);
    if (grant->nonce.n)
        json_put_str(&w, "nonce", grant->nonce);
    if (user->who.n)
        json_put_str(&w, "fhirUser", arena_printf(cx->arena, "%.*s/fhir/%.*s",
                                                  STR_ARG(request->base_url), STR_ARG(user->who)));
    json_close(&w, '}');
    return buf_str(&buf);
}

static err put_id_token(struct http_request *request, struct json_writer *w,
                        const struct grant *grant)
{
    struct ctx *cx = request->cx;
    struct oauth *oauth = oauth_of(request);
    struct scope_set scopes;
    struct people_user user;
    str token;
    TRY(scope_parse(cx, grant->scopes, &scopes));
    if (!scopes.openid || grant->user.n == 0)
        return ERR_OK;
    TRY(people_find(cx, oauth->people, grant->user, &user));
    TRY(jwt_sign(cx, oauth->keys, id_token_claims(request, grant, &user), &token));
    json_put_str(w, "id_token", token);
    return ERR_OK;
}

/* What was on screen besides the patient and the stay. */
static void put_context(struct json_writer *w, str context)
{
    str reference;
    if (!context.n)
        return;
    json_key(w, "fhirContext");
    json_open(w, '[');
    while (str_next(&context, ' ', &reference)) {
        json_open(w, '{');
        json_put_str(w, "reference", reference);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static err answer_tokens(struct http_request *request, struct http_response *response,
                         const struct grant *grant)
{
    struct ctx *cx = request->cx;
    struct grant_tokens tokens;
    TRY(grant_issue(cx, oauth_of(request)->people, grant, &tokens));
    struct buf buf = buf_make(cx->arena, ANSWER_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "access_token", tokens.access);
    json_put_str(&w, "token_type", S("Bearer"));
    json_put_u64(&w, "expires_in", (uint64_t)tokens.expires_s);
    json_put_str(&w, "scope", grant->scopes);
    json_put_str(&w, "refresh_token", tokens.refresh);
    if (grant->patient.n)
        json_put_str(&w, "patient", grant->patient);
    if (grant->encounter.n)
        json_put_str(&w, "encounter", grant->encounter);
    put_context(&w, grant->context);
    if (grant->patient.n) /* the app stands alone, with no banner of ours above it */
        json_put_bool(&w, "need_patient_banner", true);
    TRY(put_id_token(request, &w, grant));
    json_close(&w, '}');
    return answer_json(response, &buf);
}

static err by_code(struct http_request *request, const struct client *client, struct grant *out)
{
    struct grant_claim claim = {
        .code = value_of(request, request->body, "code"),
        .client = client->id,
        .redirect = value_of(request, request->body, "redirect_uri"),
        .verifier = value_of(request, request->body, "code_verifier"),
    };
    return grant_redeem(request->cx, oauth_of(request)->people, &claim, out);
}

static err by_refresh(struct http_request *request, const struct client *client,
                      struct grant *out)
{
    struct ctx *cx = request->cx;
    str narrower = value_of(request, request->body, "scope");
    struct scope_set wanted, granted;
    TRY(grant_refresh(cx, oauth_of(request)->people,
                      value_of(request, request->body, "refresh_token"), client->id, out));
    if (!narrower.n)
        return ERR_OK;
    TRY(scope_parse(cx, narrower, &wanted));
    TRY(scope_parse(cx, out->scopes, &granted));
    if (!scope_within(&wanted, &granted))
        return ctx_fail(cx, ERR_INVALID, S("invalid_scope"),
                        S("a refresh may narrow the scopes, not widen them"));
    out->scopes = narrower;
    return ERR_OK;
}

/* Backend services: no person, so only system/ scopes, and only for an app that proved itself. */
static err by_service(struct http_request *request, const struct client *client,
                      struct grant *out)
{
    struct ctx *cx = request->cx;
    str scopes = value_of(request, request->body, "scope");
    struct scope_set wanted, most;
    TRY(scope_parse(cx, scopes, &wanted));
    TRY(scope_parse(cx, client->scopes, &most));
    bool only_system = wanted.rules_count > 0;
    for (size_t i = 0; i < wanted.rules_count; i++)
        only_system &= wanted.rules[i].level == SCOPE_SYSTEM;
    if (client->kind == CLIENT_PUBLIC || !only_system || !scope_within(&wanted, &most))
        return ctx_fail(cx, ERR_INVALID, S("invalid_scope"),
                        S("a backend service gets system/ scopes it was registered for"));
    *out = (struct grant){ .client = client->id, .scopes = scopes,
                           .family = secret_text(cx->arena) };
    return ERR_OK;
}

static const struct {
    const char *type;
    err (*run)(struct http_request *request, const struct client *client, struct grant *out);
} grant_types[] = {
    { "authorization_code", by_code },
    { "refresh_token", by_refresh },
    { "client_credentials", by_service },
};

/* invalid_grant, invalid_scope: the issue's path names it; anything else is invalid_request. */
static const char *error_name(const struct ctx *cx)
{
    static const char *const names[] = { "invalid_grant", "invalid_scope" };
    for (size_t i = 0; i < COUNT(names) && cx->issues.kept; i++)
        if (str_eq(cx->issues.list[0].path, str_of(names[i])))
            return names[i];
    return cx->issues.kept && str_eq(cx->issues.list[0].path, S("scope")) ? "invalid_scope"
                                                                          : "invalid_request";
}

static err post_token(struct http_request *request, struct http_response *response)
{
    struct oauth *oauth = oauth_of(request);
    struct client client;
    str type = value_of(request, request->body, "grant_type");
    if (client_prove(request, oauth->people, &client) != ERR_OK)
        return fault(request, response, 401, "invalid_client");
    for (size_t i = 0; i < COUNT(grant_types); i++) {
        if (!str_eq(type, str_of(grant_types[i].type)))
            continue;
        struct grant grant = { 0 };
        err failed = grant_types[i].run(request, &client, &grant);
        if (failed == ERR_OK)
            failed = answer_tokens(request, response, &grant);
        return failed == ERR_OK ? ERR_OK : fault(request, response, 400, error_name(request->cx));
    }
    return fault(request, response, 400, "unsupported_grant_type");
}

/* ---- introspection, revocation ---- */

static err post_introspect(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct people *people = oauth_of(request)->people;
    struct client client;
    struct people_grant grant;
    if (client_prove(request, people, &client) != ERR_OK || client.kind == CLIENT_PUBLIC)
        return fault(request, response, 401, "invalid_client");
    struct buf buf = buf_make(cx->arena, ANSWER_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    bool active = people_token_find(cx, people, value_of(request, request->body, "token"),
                                    &grant) == ERR_OK;
    json_open(&w, '{');
    json_put_bool(&w, "active", active);
    if (active) {
        json_put_str(&w, "scope", grant.scope_text);
        json_put_str(&w, "client_id", grant.client);
        json_put_u64(&w, "exp", (uint64_t)grant.expires_ms / 1000);
        json_put_u64(&w, "iat", (uint64_t)grant.issued_ms / 1000);
        json_put_str(&w, "sub", grant.user.name.n ? grant.user.name : grant.client);
        if (grant.patient.n)
            json_put_str(&w, "patient", grant.patient);
    }
    json_close(&w, '}');
    return answer_json(response, &buf);
}

static err post_revoke(struct http_request *request, struct http_response *response)
{
    struct people *people = oauth_of(request)->people;
    struct client client;
    if (client_prove(request, people, &client) != ERR_OK)
        return fault(request, response, 401, "invalid_client");
    TRY(grant_revoke(request->cx, people, value_of(request, request->body, "token")));
    struct buf buf = buf_make(request->cx->arena, ANSWER_MAX_BYTES);
    buf_add(&buf, S("{}"));
    return answer_json(response, &buf);
}

/* RFC 7591, public apps only: one with keys or a secret is registered by an operator. */
static str words_of(struct ctx *cx, struct json list)
{
    struct buf buf = buf_make(cx->arena, ANSWER_MAX_BYTES);
    for (struct json_walk w = json_walk(list); json_next(&w);) {
        buf_add(&buf, buf.n ? S(" ") : S(""));
        buf_add(&buf, json_string(cx->arena, w.value));
    }
    return buf_str(&buf);
}

static err answer_registered(struct http_request *request, struct http_response *response,
                             const struct client *client, struct json redirects)
{
    struct buf buf = buf_make(request->cx->arena, ANSWER_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "client_id", client->id);
    json_put_str(&w, "client_name", client->name);
    json_put_raw(&w, "redirect_uris", json_text(redirects));
    json_put_str(&w, "scope", client->scopes);
    json_put_str(&w, "token_endpoint_auth_method", S("none"));
    json_close(&w, '}');
    response->status = 201;
    return answer_json(response, &buf);
}

static err post_register(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct json asked;
    if (!oauth_of(request)->registration)
        return fault(request, response, 403, "access_denied");
    if (json_parse(cx, request->body, &asked) != ERR_OK)
        return fault(request, response, 400, "invalid_client_metadata");
    struct json redirects = json_get(asked, S("redirect_uris"));
    struct client client = {
        .id = secret_text(cx->arena),
        .name = json_string(cx->arena, json_get(asked, S("client_name"))),
        .redirects = words_of(cx, redirects),
        .scopes = json_string(cx->arena, json_get(asked, S("scope"))),
    };
    if (client.redirects.n == 0 ||
        client_add(cx, oauth_of(request)->people, &client) != ERR_OK)
        return fault(request, response, 400, "invalid_redirect_uri");
    return answer_registered(request, response, &client, redirects);
}

#define CONFIGURATION "What this authorisation server can do"

const struct route oauth_routes[] = {
    { "GET", "/fhir/.well-known/smart-configuration", "open", get_configuration, CONFIGURATION, 0 },
    { "GET", "/.well-known/openid-configuration", "open", get_configuration, CONFIGURATION, 0 },
    { "GET", "/auth/jwks", "open", get_jwks, "Public keys of our signed tokens", 0 },
    { "POST", "/auth/token", "open", post_token, "A code, refresh token or assertion for a token",
      0 },
    { "POST", "/auth/introspect", "open", post_introspect, "What a token allows", 0 },
    { "POST", "/auth/revoke", "open", post_revoke, "End a token and its consent", 0 },
    { "POST", "/auth/register", "open", post_register, "Register a public app", 0 },
    { 0 },
};
