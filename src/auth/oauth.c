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
    { "response_modes_supported", "query" },
    { "prompt_values_supported", "none" },
    { "introspection_endpoint_auth_methods_supported", "client_secret_basic private_key_jwt" },
    { "claims_supported", "iss sub aud exp iat nonce fhirUser" },
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
        if (oauth_of(request)->registration ||
            strcmp(endpoints[i].key, "registration_endpoint") != 0)
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

static err ask_fault(struct ctx *cx, const char *error, const char *what)
{
    return ctx_fail(cx, ERR_INVALID, str_of(error), str_of(what));
}

/* RFC 6749 3.1: a parameter that comes twice is refused, not picked from. */
err oauth_check_single(struct ctx *cx, str query)
{
    static const char *const names[] = {
        "client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "aud",
        "code_challenge", "code_challenge_method", "nonce", "launch", "prompt", "grant_type",
        "code", "code_verifier", "refresh_token", "client_assertion", "client_assertion_type",
        "client_secret", "token", "ask", "csrf", "answer", "patient", "encounter", "find",
    };
    unsigned seen = 0; /* bits by place in names */
    struct http_param param;
    while (http_next_param(&query, &param))
        for (unsigned i = 0; i < COUNT(names); i++) {
            if (!str_eq(param.name, str_of(names[i])))
                continue;
            if (seen & 1u << i)
                return ctx_failf(cx, ERR_INVALID, S("invalid_request"), "%s came twice; send it "
                                 "once", names[i]);
            seen |= 1u << i;
        }
    return ERR_OK;
}

/* RFC 7636: S256 alone; only an app an operator marked so may do without. */
static err check_pkce(struct http_request *request, str query, const struct oauth_ask *ask)
{
    str method = value_of(request, query, "code_challenge_method");
    if (ask->challenge.n == 0 && method.n == 0 && ask->client.without_pkce)
        return ERR_OK;
    bool fits = ask->challenge.n == 43 && str_eq(method, S("S256"));
    return fits ? ERR_OK
                : ask_fault(request->cx, "invalid_request",
                            "PKCE is required: code_challenge with code_challenge_method=S256");
}

static err check_scopes(struct http_request *request, struct oauth_ask *ask)
{
    struct ctx *cx = request->cx;
    struct scope_set most;
    TRY(scope_parse(cx, ask->scope_text, &ask->scopes));
    TRY(scope_parse(cx, ask->client.scopes, &most));
    for (size_t i = 0; i < ask->scopes.rules_count; i++)
        if (ask->scopes.rules[i].level == SCOPE_SYSTEM)
            return ask_fault(cx, "invalid_scope", "system/ scopes are for backend services, by "
                                                  "grant_type=client_credentials");
    if (!scope_within(&ask->scopes, &most))
        return ask_fault(cx, "invalid_scope", "the app asks for more than it was registered for");
    if (ask->scopes.rules_count == 0)
        return ask_fault(cx, "invalid_scope", "ask for something to do, such as "
                                              "patient/Observation.rs");
    err narrowed = gate_check_scopes(cx, request->store, &ask->scopes);
    if (narrowed == ERR_OK || narrowed == ERR_IO || narrowed == ERR_BUG)
        return narrowed;
    str why = cx->issues.kept ? cx->issues.list[0].text : S("");
    cx->issues.kept = cx->issues.count = 0;
    return ctx_fail(cx, ERR_INVALID, S("invalid_scope"), why);
}

static const struct {
    const char *name, *error, *what;
} not_taken[] = { /* parameters of OpenID Connect that would change what is asked */
    { "request", "request_not_supported", "send the parameters themselves, not a signed request" },
    { "request_uri", "request_uri_not_supported", "send the parameters, not where they are" },
};

static err check_ask(struct http_request *request, str query, struct oauth_ask *ask)
{
    struct ctx *cx = request->cx;
    str mode = value_of(request, query, "response_mode"), aud = value_of(request, query, "aud");
    while (str_ends(aud, S("/")))
        aud.n--;
    TRY(oauth_check_single(cx, query));
    for (size_t i = 0; i < COUNT(not_taken); i++)
        if (str_given(value_of(request, query, not_taken[i].name)))
            return ask_fault(cx, not_taken[i].error, not_taken[i].what);
    if (!str_eq(value_of(request, query, "response_type"), S("code")))
        return ask_fault(cx, "unsupported_response_type", "response_type must be code");
    if (mode.n && !str_eq(mode, S("query")))
        return ask_fault(cx, "invalid_request", "response_mode must be query, or left out");
    TRY(check_pkce(request, query, ask));
    if (!str_eq(aud, endpoint(request, "/fhir")))
        return ctx_failf(cx, ERR_INVALID, S("invalid_request"), "aud must be the address of this "
                         "server's FHIR API: %.*s/fhir", STR_ARG(request->base_url));
    TRY(check_scopes(request, ask));
    if (ask->scopes.launch != (ask->launch.n > 0))
        return ask_fault(cx, "invalid_request", "an app begun from a record asks for the scope "
                         "launch and sends the launch it was given; another does neither");
    return ERR_OK;
}

static const char *error_name(const struct ctx *cx);

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
        .silent = str_eq(value_of(request, query, "prompt"), S("none")),
    };
    TRY(client_find(cx, oauth_of(request)->people, value_of(request, query, "client_id"),
                    &ask.client));
    if (ask.client.disabled || !client_redirects_to(&ask.client, ask.redirect))
        return ask_fault(cx, "redirect_uri",
                         "the redirect_uri is not one this app registered; nobody was sent there");
    err wrong = check_ask(request, query, &ask);
    if (wrong == ERR_IO || wrong == ERR_BUG || wrong == ERR_BUSY)
        return wrong;
    if (wrong != ERR_OK) {
        ask.error = error_name(cx);
        ask.why = cx->issues.kept ? cx->issues.list[0].text : S("");
        cx->issues.kept = cx->issues.count = 0;
    }
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

str oauth_deny(struct http_request *request, const struct oauth_ask *ask, const char *error,
               str why)
{
    struct buf buf = back_to(request, ask);
    buf_printf(&buf, "&error=%s", error);
    if (str_given(why) && why.n) {
        buf_add(&buf, S("&error_description="));
        http_encode(&buf, why);
    }
    return buf_str(&buf);
}

/* ---- the token endpoint ---- */

static str id_token_claims(struct http_request *request, const struct grant *grant,
                           const struct people_user *user, bool names_user)
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
    if (user->who.n && names_user)
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
    TRY(jwt_sign(cx, oauth->keys, id_token_claims(request, grant, &user,
                                                         scopes.fhir_user || scopes.profile),
                 &token));
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
    json_put_str(&w, "scope", str_given(grant->narrower) && grant->narrower.n ? grant->narrower
                                                                             : grant->scopes);
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
    struct grant_renewal ask = {
        .refresh = value_of(request, request->body, "refresh_token"),
        .client = client->id,
        .scope = value_of(request, request->body, "scope"),
    };
    if (!ask.refresh.n)
        return ctx_fail(request->cx, ERR_INVALID, S("invalid_request"),
                        S("send the refresh_token"));
    return grant_refresh(request->cx, oauth_of(request)->people, &ask, out);
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
    bool only_system = wanted.rules_count > 0 && !wanted.openid && !wanted.fhir_user &&
                       !wanted.profile && !wanted.offline && !wanted.online && !wanted.launch &&
                       !wanted.launch_patient && !wanted.launch_encounter;
    for (size_t i = 0; i < wanted.rules_count; i++)
        only_system &= wanted.rules[i].level == SCOPE_SYSTEM;
    if (client->kind == CLIENT_PUBLIC || !only_system || !scope_within(&wanted, &most))
        return ctx_fail(cx, ERR_INVALID, S("invalid_scope"),
                        S("a backend service proves itself by keys or a secret, and gets system/ "
                          "scopes it was registered for, alone"));
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

/* The issue's path names the error; anything else is invalid_request. */
static const char *error_name(const struct ctx *cx)
{
    static const struct { const char *path, *name; } names[] = {
        { "invalid_grant", "invalid_grant" }, { "invalid_scope", "invalid_scope" },
        { "scope", "invalid_scope" }, { "redirect_uris", "invalid_redirect_uri" },
        { "invalid_client_metadata", "invalid_client_metadata" },
        { "unsupported_response_type", "unsupported_response_type" },
        { "request_not_supported", "request_not_supported" },
        { "request_uri_not_supported", "request_uri_not_supported" },
        { "temporarily_unavailable", "temporarily_unavailable" },
    };
    for (size_t i = 0; i < COUNT(names) && cx->issues.kept; i++)
        if (str_eq(cx->issues.list[0].path, str_of(names[i].path)))
            return names[i].name;
    return "invalid_request";
}

static err not_proved(struct http_request *request, struct http_response *response)
{
    if (str_given(http_header(request, "Authorization"))) /* RFC 6749 5.2 */
        http_put_header(response, S("WWW-Authenticate"), S("Basic realm=\"frontline\""));
    return fault(request, response, 401, "invalid_client");
}

/* What every call of an app to these endpoints is: one form, each field once. */
static err check_form(struct http_request *request)
{
    struct ctx *cx = request->cx;
    str type = http_header(request, "Content-Type"), kind = type;
    str_next(&type, ';', &kind);
    if (!str_eq_nocase(str_trim(kind), S("application/x-www-form-urlencoded")))
        return ctx_fail(cx, ERR_INVALID, S("invalid_request"),
                        S("send a form: Content-Type: application/x-www-form-urlencoded"));
    return oauth_check_single(cx, request->body);
}

/* RFC 6749 6 asks no client_id of a public app that renews: its refresh token says whose it is. */
static bool renews_namelessly(struct http_request *request, struct client *out)
{
    struct ctx *cx = request->cx;
    struct people *people = oauth_of(request)->people;
    str refresh = value_of(request, request->body, "refresh_token"), id = S("");
    bool nameless = !value_of(request, request->body, "client_id").n &&
                    !value_of(request, request->body, "client_assertion").n &&
                    !http_header(request, "Authorization").n;
    bool found = nameless && refresh.n && grant_holder(cx, people, refresh, &id) == ERR_OK &&
                 id.n && client_find(cx, people, id, out) == ERR_OK &&
                 out->kind == CLIENT_PUBLIC && !out->disabled;
    if (found)
        cx->issues.kept = cx->issues.count = 0;
    return found;
}

static err post_token(struct http_request *request, struct http_response *response)
{
    struct oauth *oauth = oauth_of(request);
    struct client client;
    if (check_form(request) != ERR_OK)
        return fault(request, response, 400, "invalid_request");
    str type = value_of(request, request->body, "grant_type");
    if (client_prove(request, oauth->people, &client) != ERR_OK &&
        !renews_namelessly(request, &client))
        return not_proved(request, response);
    for (size_t i = 0; i < COUNT(grant_types); i++) {
        if (!str_eq(type, str_of(grant_types[i].type)))
            continue;
        struct grant grant = { 0 };
        err failed = grant_types[i].run(request, &client, &grant);
        if (failed == ERR_OK)
            failed = answer_tokens(request, response, &grant);
        return failed == ERR_OK ? ERR_OK : fault(request, response, 400, error_name(request->cx));
    }
    (void)!ctx_fail(request->cx, ERR_INVALID, S("grant_type"),
                    S("grant_type is authorization_code, refresh_token or client_credentials"));
    return fault(request, response, 400, "unsupported_grant_type");
}

/* ---- introspection, revocation ---- */

/* RFC 7662 2.2, and SMART's: what the token response held, the introspection holds. */
static err put_introspected(struct http_request *request, struct json_writer *w,
                            const struct people_grant *grant)
{
    struct ctx *cx = request->cx;
    struct grant context = { 0 };
    json_put_str(w, "scope", grant->scope_text);
    json_put_str(w, "client_id", grant->client);
    json_put_str(w, "token_type", S("Bearer"));
    json_put_str(w, "iss", request->base_url);
    json_put_u64(w, "exp", (uint64_t)grant->expires_ms / 1000);
    json_put_u64(w, "iat", (uint64_t)grant->issued_ms / 1000);
    json_put_str(w, "sub", grant->user.name.n ? grant->user.name : grant->client);
    if (grant->scopes.fhir_user && grant->user.who.n)
        json_put_str(w, "fhirUser", arena_printf(cx->arena, "%.*s/fhir/%.*s",
                                                 STR_ARG(request->base_url),
                                                 STR_ARG(grant->user.who)));
    if (grant->patient.n)
        json_put_str(w, "patient", grant->patient);
    if (!grant->family.n)
        return ERR_OK;
    TRY(grant_context(cx, oauth_of(request)->people, grant->family, &context));
    if (context.encounter.n)
        json_put_str(w, "encounter", context.encounter);
    put_context(w, context.context);
    return ERR_OK;
}

/* An app learns about its own tokens; about others', a resource server that was registered so. */
static err post_introspect(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct people *people = oauth_of(request)->people;
    struct client client;
    struct people_grant grant = { .client = S("") };
    if (check_form(request) != ERR_OK)
        return fault(request, response, 400, "invalid_request");
    if (client_prove(request, people, &client) != ERR_OK || client.kind == CLIENT_PUBLIC)
        return not_proved(request, response);
    struct buf buf = buf_make(cx->arena, ANSWER_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    bool active = people_token_find(cx, people, value_of(request, request->body, "token"),
                                    &grant) == ERR_OK &&
                  (client.introspects || str_eq(grant.client, client.id));
    cx->issues.kept = cx->issues.count = 0;
    json_open(&w, '{');
    json_put_bool(&w, "active", active);
    if (active)
        TRY(put_introspected(request, &w, &grant));
    json_close(&w, '}');
    return answer_json(response, &buf);
}

/* RFC 7009: 200 whatever the token was, so that nobody learns which ones are good. */
static err post_revoke(struct http_request *request, struct http_response *response)
{
    struct people *people = oauth_of(request)->people;
    struct client client;
    if (check_form(request) != ERR_OK)
        return fault(request, response, 400, "invalid_request");
    if (client_prove(request, people, &client) != ERR_OK)
        return not_proved(request, response);
    TRY(grant_revoke(request->cx, people, client.id, value_of(request, request->body, "token")));
    struct buf buf = buf_make(request->cx->arena, ANSWER_MAX_BYTES);
    buf_add(&buf, S("{}"));
    return answer_json(response, &buf);
}

/* RFC 7591, public apps only: one with keys or a secret is registered by an operator. */
static err read_redirects(struct ctx *cx, struct json list, str *out)
{
    struct buf buf = buf_make(cx->arena, ANSWER_MAX_BYTES);
    for (struct json_walk w = json_walk(list); json_is(list, JSON_ARRAY) && json_next(&w);) {
        str uri = json_is(w.value, JSON_STRING) ? json_string(cx->arena, w.value) : S("");
        if (!uri.n || str_find_char(uri, ' ') != STR_NONE)
            return ctx_fail(cx, ERR_INVALID, S("redirect_uris"), S("an address is no URL"));
        buf_add(&buf, buf.n ? S(" ") : S(""));
        buf_add(&buf, uri);
    }
    *out = buf_str(&buf);
    return buf.n ? ERR_OK
                 : ctx_fail(cx, ERR_INVALID, S("redirect_uris"),
                            S("give redirect_uris: a list of https URLs people are sent back to"));
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

/* What a public app may not say of itself. */
static err check_metadata(struct ctx *cx, struct json asked, const struct client *client)
{
    static const char *const keys[] = { "jwks", "jwks_uri" };
    struct json method = json_get(asked, S("token_endpoint_auth_method"));
    bool proves = method.doc && !json_string_is(method, S("none"));
    for (size_t i = 0; i < COUNT(keys); i++)
        proves |= json_get(asked, str_of(keys[i])).doc != NULL;
    if (proves)
        return ctx_fail(cx, ERR_INVALID, S("invalid_client_metadata"),
                        S("only public apps register themselves, with "
                          "token_endpoint_auth_method none and no keys; one with keys or a secret "
                          "is registered by an operator: frontline client add"));
    if (!client->scopes.n)
        return ctx_fail(cx, ERR_INVALID, S("invalid_client_metadata"),
                        S("give scope: the most the app will ask for"));
    return ERR_OK;
}

static err register_app(struct http_request *request, struct client *client, struct json *redirects)
{
    struct ctx *cx = request->cx;
    struct json asked;
    int64_t registered = 0;
    if (json_parse(cx, request->body, &asked) != ERR_OK || !json_is(asked, JSON_OBJECT)) {
        cx->issues.kept = cx->issues.count = 0;
        return ctx_fail(cx, ERR_INVALID, S("invalid_client_metadata"), S("send a JSON object"));
    }
    *redirects = json_get(asked, S("redirect_uris"));
    *client = (struct client){
        .id = secret_text(cx->arena),
        .name = json_string(cx->arena, json_get(asked, S("client_name"))),
        .scopes = json_string(cx->arena, json_get(asked, S("scope"))),
    };
    TRY(read_redirects(cx, *redirects, &client->redirects));
    TRY(check_metadata(cx, asked, client));
    TRY(client_registered(cx, oauth_of(request)->people, &registered));
    if (registered >= OAUTH_REGISTERED_MAX)
        return ctx_fail(cx, ERR_LIMIT, S("temporarily_unavailable"),
                        S("no more apps may register themselves here; ask an operator"));
    return client_add(cx, oauth_of(request)->people, client);
}

static err post_register(struct http_request *request, struct http_response *response)
{
    struct client client;
    struct json redirects;
    if (!oauth_of(request)->registration) {
        (void)!ctx_fail(request->cx, ERR_FORBIDDEN, (str){ 0 },
                        S("apps do not register themselves here; an operator does it: frontline "
                          "client add"));
        return fault(request, response, 403, "access_denied");
    }
    if (register_app(request, &client, &redirects) != ERR_OK)
        return fault(request, response, 400, error_name(request->cx));
    return answer_registered(request, response, &client, redirects);
}

#define CONFIGURATION "What this authorisation server can do"

const struct route oauth_routes[] = {
    { "GET", "/fhir/.well-known/smart-configuration", "open", get_configuration, CONFIGURATION, 0 },
    { "GET", "/.well-known/openid-configuration", "open", get_configuration, CONFIGURATION, 0 },
    { "GET", "/auth/jwks", "open", get_jwks, "Public keys of our signed tokens", 0 },
    { "POST", "/auth/token", "open", post_token, "A code, refresh token or assertion for a token",
      ROUTE_SLOW },
    { "POST", "/auth/introspect", "open", post_introspect, "What a token allows", ROUTE_SLOW },
    { "POST", "/auth/revoke", "open", post_revoke, "End a token and its consent",
      ROUTE_SLOW },
    { "POST", "/auth/register", "open", post_register, "Register a public app", 0 },
    { 0 },
};
