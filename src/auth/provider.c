/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/provider.h"
#include "auth/secret.h"
#include "auth/sign_in_sql.h"
#include "base/clock.h"
#include "http/client.h"
#include "http/text.h"
#include "json/write.h"
#include <pthread.h>

enum {
    URL_MAX_BYTES = 16 * 1024, FORM_MAX_BYTES = 64 * 1024, KEEP_BYTES = 4 << 20, ASSERTION_S = 60,
    PROVIDER_ANSWER_MS = 8000, ANSWER_MAX_BYTES = 1 << 20
};

struct kept {
    str authorization, token, userinfo, jwks_uri, jwks;
    bool says_iss;
};
struct provider {
    struct provider_options options;
    struct jwt_keys *keys;
    pthread_mutex_t lock; /* over what follows */
    struct arena arena;
    struct kept kept;
    int64_t read_at_ms;   /* monotonic; 0: never */
};

static err refuse(struct ctx *cx, const char *why)
{
    return ctx_failf(cx, ERR_LOGIN, (str){ 0 }, "you are not signed in: %s", why);
}

struct provider *provider_make(struct ctx *cx, const struct provider_options *options,
                               struct jwt_keys *keys)
{
    if (!options->issuer.n)
        return NULL;
    struct provider *provider = arena_zero(cx->arena, sizeof *provider);
    provider->options = *options;
    provider->keys = keys;
    provider->arena = arena_make(KEEP_BYTES);
    pthread_mutex_init(&provider->lock, NULL);
    return provider;
}

void provider_close(struct provider *provider)
{
    if (provider)
        arena_free(&provider->arena);
}

const struct provider_options *provider_options(const struct provider *provider)
{
    return &provider->options;
}

/* ---- what the provider says of itself ---- */

/* A GET, or a POST of the form when there is one. Whatever keeps the provider from answering is
 * ERR_BUSY: there is another way in, and a later time. */
static err ask_provider(struct ctx *cx, str url, str form, str bearer, struct http_answer *out)
{
    struct http_param headers[] = {
        { S("Accept"), S("application/json, application/jwt;q=0.9") },
        { S("Authorization"), arena_printf(cx->arena, "Bearer %.*s", STR_ARG(bearer)) },
    };
    struct http_call ask = {
        .method = form.p ? "POST" : "GET",
        .url = url,
        .body = form,
        .content_type = S("application/x-www-form-urlencoded"),
        .headers = headers,
        .headers_count = bearer.n ? 2 : 1,
        .timeout_ms = PROVIDER_ANSWER_MS,
        .answer_bytes = ANSWER_MAX_BYTES,
        .trust = HTTP_CALL_CONFIGURED,
    };
    err called = http_call(cx, &ask, out);
    if (called == ERR_OK || called == ERR_INVALID)
        return called;
    str why = cx->issues.kept ? cx->issues.list[cx->issues.kept - 1].text : S("no answer");
    cx->issues.kept = cx->issues.count = 0;
    return ctx_failf(cx, ERR_BUSY, (str){ 0 }, "the provider did not answer (%.*s); try again in a "
                     "minute, or use another way in", STR_ARG(why));
}

static err get_json(struct ctx *cx, str url, struct json *out)
{
    struct http_answer answer;
    TRY(ask_provider(cx, url, (str){ 0 }, S(""), &answer));
    if (answer.status != 200)
        return ctx_failf(cx, ERR_INVALID, (str){ 0 }, "%.*s answered %d", STR_ARG(url),
                         answer.status);
    return json_parse(cx, answer.body, out);
}

static str member(struct ctx *cx, struct json of, const char *name)
{
    str text = json_string(cx->arena, json_get(of, str_of(name)));
    return str_given(text) ? text : S("");
}

/* A page that says "back soon" is no key set, and does not take the place of one. */
static err fetch_keys(struct ctx *cx, str url, str *out)
{
    struct http_answer keys;
    struct json shown;
    TRY(ask_provider(cx, url, (str){ 0 }, S(""), &keys));
    if (keys.status != 200 || json_parse(cx, keys.body, &shown) != ERR_OK ||
        !json_is(json_get(shown, S("keys")), JSON_ARRAY))
        return ctx_fail(cx, ERR_INVALID, (str){ 0 },
                        S("the provider does not show its keys; try again in a minute, or use "
                          "another way in"));
    *out = keys.body;
    return ERR_OK;
}

static err fetch_metadata(struct ctx *cx, struct provider *provider, struct kept *out)
{
    str issuer = provider->options.issuer;
    bool slash = str_ends(issuer, S("/"));
    str url = arena_printf(cx->arena, "%.*s%s.well-known/openid-configuration", STR_ARG(issuer),
                           slash ? "" : "/");
    struct json said;
    TRY(get_json(cx, url, &said));
    if (!str_eq(member(cx, said, "issuer"), issuer))
        return ctx_fail(cx, ERR_INVALID, (str){ 0 },
                        S("the provider calls itself by another name than the configured issuer"));
    struct kept kept = {
        .authorization = member(cx, said, "authorization_endpoint"),
        .token = member(cx, said, "token_endpoint"),
        .userinfo = member(cx, said, "userinfo_endpoint"),
        .jwks_uri = member(cx, said, "jwks_uri"),
        .says_iss = json_is(json_get(said, S("authorization_response_iss_parameter_supported")),
                            JSON_TRUE),
    };
    str urls[] = { kept.authorization, kept.token, kept.userinfo, kept.jwks_uri };
    for (size_t i = 0; i < COUNT(urls); i++)
        if (!http_call_configured_url(urls[i]))
            return ctx_fail(cx, ERR_INVALID, (str){ 0 },
                            S("the provider names an address that is not https"));
    TRY(fetch_keys(cx, kept.jwks_uri, &kept.jwks));
    *out = kept;
    return ERR_OK;
}

static struct kept copy_kept(struct arena *arena, const struct kept *from)
{
    return (struct kept){
        .authorization = arena_copy(arena, from->authorization),
        .token = arena_copy(arena, from->token),
        .userinfo = arena_copy(arena, from->userinfo),
        .jwks_uri = arena_copy(arena, from->jwks_uri),
        .jwks = arena_copy(arena, from->jwks),
        .says_iss = from->says_iss,
    };
}

/* The kept metadata if it is younger than `age_ms`. */
static bool look(struct ctx *cx, struct provider *provider, int64_t age_ms, struct kept *out)
{
    pthread_mutex_lock(&provider->lock);
    bool young = provider->read_at_ms && clock_monotonic_ms() - provider->read_at_ms < age_ms;
    struct kept kept = provider->kept;
    pthread_mutex_unlock(&provider->lock);
    if (young)
        *out = copy_kept(cx->arena, &kept);
    return young;
}

static bool same(const struct kept *a, const struct kept *b)
{
    return str_eq(a->authorization, b->authorization) && str_eq(a->token, b->token) &&
           str_eq(a->userinfo, b->userinfo) && str_eq(a->jwks_uri, b->jwks_uri) &&
           str_eq(a->jwks, b->jwks) && a->says_iss == b->says_iss;
}

/* Old texts stay in the provider's arena while somebody may be copying them; it is emptied by the
 * program's end. A rotation a day for years fits in KEEP_BYTES. */
static void keep(struct provider *provider, const struct kept *fresh)
{
    pthread_mutex_lock(&provider->lock);
    if (same(&provider->kept, fresh)) {
        provider->read_at_ms = clock_monotonic_ms();
    } else if (provider->arena.total_bytes < KEEP_BYTES / 2) {
        provider->kept = copy_kept(&provider->arena, fresh);
        provider->read_at_ms = clock_monotonic_ms();
    }
    pthread_mutex_unlock(&provider->lock);
}

static err metadata(struct ctx *cx, struct provider *provider, int64_t age_ms, struct kept *out)
{
    if (look(cx, provider, age_ms, out))
        return ERR_OK;
    TRY(fetch_metadata(cx, provider, out));
    keep(provider, out);
    return ERR_OK;
}

/* ---- leaving ---- */

str provider_browser(struct ctx *cx)
{
    return secret_text(cx->arena);
}

static err keep_trip(struct ctx *cx, struct db *db, const struct provider *provider,
                     const struct provider_leave *leave, const str *secrets)
{
    struct db_stmt *old = db_use(cx, db, sign_in_sql, SIGN_IN_TRIP_FORGET);
    db_bind_int(old, 1, cx->now_ms);
    TRY(db_run(cx, old));
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_TRIP_ADD);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, secrets[0]));
    db_bind_text(stmt, 2, provider->options.door);
    db_bind_blob(stmt, 3, secret_hash(cx->arena, leave->browser));
    db_bind_text(stmt, 4, secrets[1]);
    db_bind_text(stmt, 5, secrets[2]);
    db_bind_text(stmt, 6, leave->next);
    db_bind_text(stmt, 7, leave->wanted);
    db_bind_int(stmt, 8, cx->now_ms + PROVIDER_TRIP_MS);
    return db_run(cx, stmt);
}

static void put(struct buf *url, const char *name, str value)
{
    if (!value.n)
        return;
    if (url->n)
        buf_char(url, str_find_char(buf_str(url), '?') == STR_NONE &&
                              str_starts(buf_str(url), S("http")) ? '?' : '&');
    buf_printf(url, "%s=", name);
    http_encode(url, value);
}

err provider_begin(struct ctx *cx, struct people *people, struct provider *provider,
                   const struct provider_leave *leave, str *location)
{
    struct kept kept;
    TRY(metadata(cx, provider, PROVIDER_SEEN_MS, &kept));
    str secrets[3]; /* state, nonce, verifier */
    for (size_t i = 0; i < COUNT(secrets); i++)
        secrets[i] = secret_text(cx->arena);
    struct db *db = people_lock(people);
    TRY(people_unlock(people, keep_trip(cx, db, provider, leave, secrets)));
    str challenge = secret_base64url(cx->arena, secret_sha256(cx->arena, secrets[2]));
    struct buf url = buf_make(cx->arena, URL_MAX_BYTES);
    buf_add(&url, kept.authorization);
    put(&url, "response_type", S("code"));
    put(&url, "client_id", provider->options.client_id);
    put(&url, "redirect_uri", leave->redirect);
    put(&url, "scope", provider->options.scopes);
    put(&url, "state", secrets[0]);
    put(&url, "nonce", secrets[1]);
    put(&url, "code_challenge", challenge);
    put(&url, "code_challenge_method", S("S256"));
    put(&url, "vtr", leave->vtr);
    put(&url, "acr_values", leave->acr_values);
    if (leave->max_age_s)
        put(&url, "max_age", arena_printf(cx->arena, "%lld", (long long)leave->max_age_s));
    put(&url, "prompt", leave->login_again ? S("login") : S(""));
    *location = buf_str(&url);
    return ERR_OK;
}

/* ---- coming back ---- */

struct trip {
    str nonce, verifier, next, wanted;
};

/* Deleting the row uses the state up: it brings one person back, once. */
static err use_trip(struct ctx *cx, struct db *db, const struct provider *provider,
                    const struct provider_back *back, str state, struct trip *out)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_TRIP_USE);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, state));
    db_bind_int(stmt, 2, cx->now_ms);
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return refuse(cx, "this return is used or too old; begin again");
    bool same_door = str_eq(db_text(stmt, 0), provider->options.door);
    bool same_browser = back->browser.n &&
                        secret_same(db_blob(stmt, 1), secret_hash(cx->arena, back->browser));
    *out = (struct trip){
        .nonce = arena_copy(cx->arena, db_text(stmt, 2)),
        .verifier = arena_copy(cx->arena, db_text(stmt, 3)),
        .next = arena_copy(cx->arena, db_text(stmt, 4)),
        .wanted = arena_copy(cx->arena, db_text(stmt, 5)),
    };
    TRY(db_step(cx, stmt, &row));
    if (!same_door || !same_browser)
        return refuse(cx, "this return belongs to another browser; begin again in this one");
    return ERR_OK;
}

static str assertion_of(struct ctx *cx, const struct provider *provider)
{
    struct buf text = buf_make(cx->arena, FORM_MAX_BYTES);
    struct json_writer w = json_writer(&text);
    uint64_t now_s = (uint64_t)(cx->now_ms / 1000);
    json_open(&w, '{');
    json_put_str(&w, "iss", provider->options.client_id);
    json_put_str(&w, "sub", provider->options.client_id);
    json_put_str(&w, "aud", provider->options.issuer);
    json_put_str(&w, "jti", secret_text(cx->arena));
    json_put_u64(&w, "iat", now_s);
    json_put_u64(&w, "exp", now_s + ASSERTION_S);
    json_close(&w, '}');
    return buf_str(&text);
}

static err ask_tokens(struct ctx *cx, struct provider *provider, const struct kept *kept,
                      const struct provider_back *back, const struct trip *trip, struct json *out)
{
    str assertion, code = http_query_value(cx->arena, back->query, S("code"));
    TRY(jwt_sign_as(cx, provider->keys, arena_cstr(cx->arena, provider->options.assertion_alg),
                    assertion_of(cx, provider), &assertion));
    struct buf form = buf_make(cx->arena, FORM_MAX_BYTES);
    put(&form, "grant_type", S("authorization_code"));
    put(&form, "code", code);
    put(&form, "redirect_uri", back->redirect);
    put(&form, "code_verifier", trip->verifier);
    put(&form, "client_id", provider->options.client_id);
    put(&form, "client_assertion_type",
        S("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
    put(&form, "client_assertion", assertion);
    struct http_answer answer;
    TRY(ask_provider(cx, kept->token, buf_str(&form), S(""), &answer));
    if (answer.status != 200 || json_parse(cx, answer.body, out) != ERR_OK)
        return refuse(cx, "the provider did not take the code; begin again");
    return ERR_OK;
}

static bool number_of(struct ctx *cx, struct json claims, const char *name, int64_t *out)
{
    struct json value = json_get(claims, str_of(name));
    return json_is(value, JSON_NUMBER) && str_to_i64(json_string(cx->arena, value), out);
}

static bool audience_is(struct ctx *cx, struct json claims, str client_id)
{
    struct json aud = json_get(claims, S("aud"));
    size_t fits = 0;
    if (json_is(aud, JSON_STRING))
        return json_string_is(aud, client_id);
    for (struct json_walk w = json_walk(aud); !w.object && json_next(&w);)
        fits += json_string_is(w.value, client_id);
    /* Of several audiences azp must say that we are the one it was made for. */
    return fits == 1 && (json_count(aud) == 1 || str_eq(member(cx, claims, "azp"), client_id));
}

/* OpenID Connect Core 3.1.3.7, in its order; the signature was checked before. */
static err check_claims(struct ctx *cx, const struct provider *provider, const struct trip *trip,
                        struct json claims)
{
    int64_t exp_s = 0, iat_s = 0, now_s = cx->now_ms / 1000;
    if (!str_eq(member(cx, claims, "iss"), provider->options.issuer))
        return refuse(cx, "the provider's answer is another provider's");
    if (!audience_is(cx, claims, provider->options.client_id))
        return refuse(cx, "the provider's answer was made for another service");
    if (!number_of(cx, claims, "exp", &exp_s) || exp_s <= now_s - PROVIDER_SKEW_S)
        return refuse(cx, "the provider's answer is too old; begin again");
    if (!number_of(cx, claims, "iat", &iat_s) || iat_s > now_s + PROVIDER_SKEW_S)
        return refuse(cx, "the provider's answer is from the future; are the clocks right?");
    if (!secret_same(member(cx, claims, "nonce"), trip->nonce))
        return refuse(cx, "the provider's answer is to another question; begin again");
    if (!member(cx, claims, "sub").n)
        return refuse(cx, "the provider does not say who you are");
    return ERR_OK;
}

/* With the keys we have; once more with fresh ones when no key fits, for they rotate. */
static err check_signature(struct ctx *cx, struct provider *provider, struct kept *kept, str token,
                           struct jwt_claims *out)
{
    if (jwt_check(cx, kept->jwks, token, out) == ERR_OK)
        return ERR_OK;
    cx->issues.kept = cx->issues.count = 0;
    TRY(metadata(cx, provider, PROVIDER_AGAIN_MS, kept));
    if (jwt_check(cx, kept->jwks, token, out) == ERR_OK)
        return ERR_OK;
    cx->issues.kept = cx->issues.count = 0;
    return refuse(cx, "the provider's signature does not fit");
}

/* OpenID Connect Core 5.3.2: signed, it is told by its issuer and to us; plain, the line's own
 * encryption has to do. */
static err read_userinfo(struct ctx *cx, struct provider *provider, struct kept *kept,
                         const struct http_answer *answer, str *text)
{
    struct jwt_claims told;
    struct json claims;
    *text = answer->body;
    if (!str_starts(answer->content_type, S("application/jwt")))
        return ERR_OK;
    TRY(check_signature(cx, provider, kept, str_trim(answer->body), &told));
    TRY(json_parse(cx, told.payload, &claims));
    if (!str_eq(member(cx, claims, "iss"), provider->options.issuer) ||
        !audience_is(cx, claims, provider->options.client_id))
        return refuse(cx, "what the provider tells about you was told to another service");
    *text = told.payload;
    return ERR_OK;
}

static err ask_userinfo(struct ctx *cx, struct provider *provider, struct kept *kept, str access,
                        struct provider_person *person)
{
    struct http_answer answer;
    struct json said;
    str text;
    TRY(ask_provider(cx, kept->userinfo, (str){ 0 }, access, &answer));
    if (answer.status != 200)
        return refuse(cx, "the provider does not tell more about you; begin again");
    TRY(read_userinfo(cx, provider, kept, &answer, &text));
    if (json_parse(cx, text, &said) != ERR_OK)
        return refuse(cx, "the provider does not tell more about you; begin again");
    if (!str_eq(member(cx, said, "sub"), person->sub))
        return refuse(cx, "the provider told about somebody else");
    person->userinfo = text;
    return ERR_OK;
}

/* What the provider's redirect says before any token is asked for. */
static err check_return(struct ctx *cx, const struct provider *provider, const struct kept *kept,
                        str query)
{
    str iss = http_query_value(cx->arena, query, S("iss"));
    str error = http_query_value(cx->arena, query, S("error"));
    if ((iss.n || kept->says_iss) && !str_eq(iss, provider->options.issuer))
        return refuse(cx, "another provider answered than the one that was asked");
    if (str_eq(error, S("access_denied")))
        return refuse(cx, "you did not agree at the provider; nothing was shared. Begin again if "
                          "you want to sign in");
    if (error.n)
        return refuse(cx, arena_printf(cx->arena, "the provider says \"%.*s\"; begin again, or ask "
                                       "the administrator%c", STR_ARG(str_slice(error, 0, 80)),
                                       0).p);
    return http_query_value(cx->arena, query, S("code")).n
               ? ERR_OK
               : refuse(cx, "the provider's answer has no code; begin again");
}

err provider_finish(struct ctx *cx, struct people *people, struct provider *provider,
                    const struct provider_back *back, struct provider_person *out)
{
    struct kept kept;
    struct trip trip;
    struct json tokens, claims;
    struct jwt_claims signed_claims = { 0 };
    str state = http_query_value(cx->arena, back->query, S("state"));
    struct db *db = people_lock(people);
    TRY(people_unlock(people, use_trip(cx, db, provider, back, str_given(state) ? state : S(""),
                                       &trip)));
    TRY(metadata(cx, provider, PROVIDER_KEEP_MS, &kept));
    TRY(check_return(cx, provider, &kept, back->query));
    TRY(ask_tokens(cx, provider, &kept, back, &trip, &tokens));
    TRY(check_signature(cx, provider, &kept, member(cx, tokens, "id_token"), &signed_claims));
    TRY(json_parse(cx, signed_claims.payload, &claims));
    TRY(check_claims(cx, provider, &trip, claims));
    struct provider_person person = {
        .sub = member(cx, claims, "sub"),
        .next = trip.next,
        .wanted = trip.wanted,
        .claims = signed_claims.payload,
    };
    TRY(ask_userinfo(cx, provider, &kept, member(cx, tokens, "access_token"), &person));
    *out = person;
    return ERR_OK;
}

err provider_check_age(struct ctx *cx, const struct provider_person *person, int64_t max_age_s)
{
    struct json claims;
    int64_t at_s = 0, now_s = cx->now_ms / 1000;
    TRY(json_parse(cx, person->claims, &claims));
    if (!number_of(cx, claims, "auth_time", &at_s) || at_s > now_s + PROVIDER_SKEW_S ||
        at_s < now_s - max_age_s - PROVIDER_SKEW_S)
        return refuse(cx, "the provider's own sign-in is too long ago; sign in there again");
    return ERR_OK;
}
