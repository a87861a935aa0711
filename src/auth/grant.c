/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/grant.h"
#include "auth/deed.h"
#include "auth/secret.h"
#include "auth/session.h"

enum { MINUTE_MS = 60000, GRANT_USED_KEPT_MINUTES = 24 * 60 };

static err invalid_grant(struct ctx *cx)
{
    return ctx_fail(cx, ERR_INVALID, S("invalid_grant"),
                    S("this code or token is unknown, used, expired, or was given to another app"));
}

static str text_or_empty(str text)
{
    return str_given(text) ? text : S("");
}

/* The columns code and refresh have in common, from place 2 on. */
static void bind_grant(struct db_stmt *stmt, const struct grant *grant)
{
    db_bind_text(stmt, 2, grant->client);
    db_bind_text(stmt, 3, text_or_empty(grant->user));
    db_bind_text(stmt, 4, grant->scopes);
    db_bind_text(stmt, 5, text_or_empty(grant->patient));
    db_bind_text(stmt, 6, text_or_empty(grant->encounter));
    db_bind_text(stmt, 7, text_or_empty(grant->context));
    db_bind_text(stmt, 8, text_or_empty(grant->nonce));
    db_bind_text(stmt, 9, grant->family);
}

static void read_grant(struct ctx *cx, struct db_stmt *stmt, struct grant *out)
{
    str *const fields[] = { &out->client, &out->user, &out->scopes, &out->patient,
                            &out->encounter, &out->context, &out->nonce, &out->family };
    for (size_t i = 0; i < COUNT(fields); i++)
        *fields[i] = arena_copy(cx->arena, db_text(stmt, (int)i));
}

static err insert_code(struct ctx *cx, struct db *db, const struct grant *grant, str code)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_GRANT_FORGET);
    int64_t long_ago_ms = cx->now_ms - GRANT_USED_KEPT_MINUTES * (int64_t)MINUTE_MS;
    db_bind_int(stmt, 1, long_ago_ms);
    TRY(db_run(cx, stmt));
    stmt = db_use(cx, db, people_sql, PEOPLE_FAMILY_FORGET);
    db_bind_int(stmt, 1, long_ago_ms);
    TRY(db_run(cx, stmt));
    stmt = db_use(cx, db, people_sql, PEOPLE_GRANT_ADD);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, code));
    bind_grant(stmt, grant);
    db_bind_text(stmt, 10, grant->redirect);
    db_bind_text(stmt, 11, text_or_empty(grant->challenge));
    db_bind_int(stmt, 12, cx->now_ms + GRANT_CODE_MINUTES * MINUTE_MS);
    TRY(db_run(cx, stmt));
    return deed_note(cx, db, &(struct deed){
        .who = grant->user, .act = AUDIT_ACCOUNT,
        .what = arena_printf(cx->arena, "/auth/authorize: allowed %.*s %.*s",
                             STR_ARG(grant->client), STR_ARG(str_slice(grant->scopes, 0, 500))) });
}

err grant_code(struct ctx *cx, struct people *people, const struct grant *grant, str *code)
{
    struct grant whole = *grant;
    str text = secret_text(cx->arena);
    if (!str_given(whole.family))
        whole.family = secret_text(cx->arena);
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    TRY(people_done(cx, people, insert_code(cx, db, &whole, text)));
    *code = text;
    return ERR_OK;
}

/* RFC 9700 2.1.1: a verifier where there was no challenge is somebody else's code put in. */
static bool verifier_fits(struct arena *arena, str verifier, str challenge)
{
    if (!challenge.n)
        return verifier.n == 0;
    if (verifier.n < 43 || verifier.n > 128)
        return false;
    return secret_same(secret_base64url(arena, secret_sha256(arena, verifier)), challenge);
}

/* `why` it ended, for the audit: told once, when something of it was still alive. */
static err revoke_family(struct ctx *cx, struct db *db, const struct grant *of, const char *why)
{
    static const enum people_statement all[] = { PEOPLE_FAMILY_END, PEOPLE_FAMILY_TOKENS,
                                                 PEOPLE_FAMILY_REFRESH };
    int64_t ended = 0;
    for (size_t i = 0; i < COUNT(all); i++) {
        struct db_stmt *stmt = db_use(cx, db, people_sql, all[i]);
        db_bind_text(stmt, 1, of->family);
        db_bind_int(stmt, 2, cx->now_ms);
        TRY(db_run(cx, stmt));
        ended += i > 0 ? db_changes(db) : 0;
    }
    str app = arena_printf(cx->arena, "client:%.*s", STR_ARG(of->client));
    return !ended ? ERR_OK
                  : deed_note(cx, db, &(struct deed){
                        .who = text_or_empty(of->user).n ? of->user : app, .act = AUDIT_ACCOUNT,
                        .what = arena_printf(cx->arena, "/auth/authorize: ended %.*s, %s",
                                             STR_ARG(of->client), why) });
}

/* Finds and uses up under one lock. A code that comes a second time was stolen, before or after:
 * whatever it gave is taken back. */
static err redeem(struct ctx *cx, struct db *db, str code, struct grant *out)
{
    str hash = secret_hash(cx->arena, code);
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_GRANT_FIND);
    db_bind_blob(stmt, 1, hash);
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return invalid_grant(cx);
    read_grant(cx, stmt, out);
    out->redirect = arena_copy(cx->arena, db_text(stmt, 8));
    out->challenge = arena_copy(cx->arena, db_text(stmt, 9));
    int64_t until_ms = db_int(stmt, 10), used_ms = db_int(stmt, 11);
    db_reset(stmt);
    if (used_ms) {
        TRY(revoke_family(cx, db, out, "its code came a second time"));
        return invalid_grant(cx);
    }
    if (until_ms <= cx->now_ms)
        return invalid_grant(cx);
    stmt = db_use(cx, db, people_sql, PEOPLE_GRANT_USE);
    db_bind_blob(stmt, 1, hash);
    db_bind_int(stmt, 2, cx->now_ms);
    return db_run(cx, stmt);
}

err grant_redeem(struct ctx *cx, struct people *people, const struct grant_claim *claim,
                 struct grant *out)
{
    struct grant grant = { 0 };
    struct db *db = people_lock(people);
    err used = people_unlock(people, redeem(cx, db, claim->code, &grant));
    people_forget(people);
    TRY(used);
    if (!str_eq(grant.client, claim->client) || !str_eq(grant.redirect, claim->redirect) ||
        !verifier_fits(cx->arena, claim->verifier, grant.challenge))
        return invalid_grant(cx);
    *out = grant;
    return ERR_OK;
}

static err is_signed_in(struct ctx *cx, struct db *db, str user)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_SESSION_LIVE);
    db_bind_text(stmt, 1, user);
    db_bind_int(stmt, 2, cx->now_ms - SESSION_ABSOLUTE_MS);
    bool row;
    TRY(db_step(cx, stmt, &row));
    db_reset(stmt);
    return row ? ERR_OK : invalid_grant(cx);
}

/* What the refresh token's own consent says against it, before it is used up. */
static err check_renewal(struct ctx *cx, struct db *db, const struct grant_renewal *ask,
                         const struct grant *grant)
{
    struct scope_set granted, wanted;
    if (!str_eq(grant->client, ask->client) || grant->until_ms <= cx->now_ms)
        return invalid_grant(cx);
    TRY(scope_parse(cx, grant->scopes, &granted));
    if (granted.online && !granted.offline)
        TRY(is_signed_in(cx, db, grant->user));
    if (!ask->scope.n)
        return ERR_OK;
    TRY(scope_parse(cx, ask->scope, &wanted));
    if (!scope_within(&wanted, &granted) || wanted.rules_count == 0)
        return ctx_fail(cx, ERR_INVALID, S("invalid_scope"),
                        S("a refresh may narrow the scopes, not widen them"));
    return ERR_OK;
}

static err use_refresh(struct ctx *cx, struct db *db, const struct grant_renewal *ask,
                       struct grant *out)
{
    str hash = secret_hash(cx->arena, ask->refresh);
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_REFRESH_FIND);
    db_bind_blob(stmt, 1, hash);
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return invalid_grant(cx);
    read_grant(cx, stmt, out);
    out->until_ms = db_int(stmt, 8);
    int64_t used_ms = db_int(stmt, 9);
    db_reset(stmt);
    if (used_ms) {
        TRY(revoke_family(cx, db, out, "its refresh token came a second time"));
        return invalid_grant(cx);
    }
    TRY(check_renewal(cx, db, ask, out));
    out->narrower = ask->scope;
    stmt = db_use(cx, db, people_sql, PEOPLE_REFRESH_USE);
    db_bind_blob(stmt, 1, hash);
    db_bind_int(stmt, 2, cx->now_ms);
    return db_run(cx, stmt);
}

err grant_refresh(struct ctx *cx, struct people *people, const struct grant_renewal *ask,
                  struct grant *out)
{
    struct grant grant = { 0 };
    struct db *db = people_lock(people);
    err used = people_unlock(people, use_refresh(cx, db, ask, &grant));
    people_forget(people);
    TRY(used);
    *out = grant;
    return ERR_OK;
}

static err find_holder(struct ctx *cx, struct db *db, str refresh, str *client)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_REFRESH_FIND);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, refresh));
    bool row;
    TRY(db_step(cx, stmt, &row));
    *client = row ? arena_copy(cx->arena, db_text(stmt, 0)) : S("");
    db_reset(stmt);
    return ERR_OK;
}

err grant_holder(struct ctx *cx, struct people *people, str refresh, str *client)
{
    struct db *db = people_lock(people);
    return people_unlock(people, find_holder(cx, db, refresh, client));
}

static err insert_refresh(struct ctx *cx, struct db *db, const struct grant *grant, str refresh)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_REFRESH_ADD);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, refresh));
    bind_grant(stmt, grant);
    int64_t from_now_ms = cx->now_ms + (int64_t)GRANT_REFRESH_MINUTES * MINUTE_MS;
    db_bind_int(stmt, 10, grant->until_ms ? grant->until_ms : from_now_ms);
    return db_run(cx, stmt);
}

/* A thief's try with the same code or refresh token may have come while these tokens were made:
 * then they are taken back with the rest. Whatever ends the consent later finds them there. */
static err still_stands(struct ctx *cx, struct db *db, const struct grant *grant)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_FAMILY_ENDED);
    db_bind_text(stmt, 1, grant->family);
    bool ended;
    TRY(db_step(cx, stmt, &ended));
    db_reset(stmt);
    if (!ended)
        return ERR_OK;
    TRY(revoke_family(cx, db, grant, "it came a second time meanwhile"));
    return invalid_grant(cx);
}

err grant_issue(struct ctx *cx, struct people *people, const struct grant *grant,
                struct grant_tokens *out)
{
    struct scope_set scopes;
    TRY(scope_parse(cx, grant->scopes, &scopes));
    int minutes = grant->user.n ? GRANT_ACCESS_MINUTES : GRANT_SERVICE_MINUTES;
    struct grant_tokens tokens = { .expires_s = minutes * 60 };
    str may = str_given(grant->narrower) && grant->narrower.n ? grant->narrower : grant->scopes;
    struct people_token_ask ask = { grant->user, grant->client, may, grant->patient,
                                    grant->family, minutes };
    TRY(people_token_issue(cx, people, &ask, &tokens.access));
    if (grant->user.n && (scopes.offline || scopes.online)) {
        tokens.refresh = secret_text(cx->arena);
        struct db *db = people_lock(people);
        TRY(people_unlock(people, insert_refresh(cx, db, grant, tokens.refresh)));
    }
    struct db *db = people_lock(people);
    TRY(people_unlock(people, still_stands(cx, db, grant)));
    *out = tokens;
    return ERR_OK;
}

static err revoke_refresh(struct ctx *cx, struct db *db, str client, str token)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_REFRESH_FIND);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, token));
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return ERR_OK;
    struct grant of = { 0 };
    read_grant(cx, stmt, &of);
    db_reset(stmt);
    return str_eq(of.client, client) ? revoke_family(cx, db, &of, "given up by the app") : ERR_OK;
}

static err revoke(struct ctx *cx, struct db *db, str client, str token)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_TOKEN_GIVE_UP);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, token));
    db_bind_int(stmt, 2, cx->now_ms);
    db_bind_text(stmt, 3, client);
    TRY(db_run(cx, stmt));
    return revoke_refresh(cx, db, client, token);
}

err grant_revoke(struct ctx *cx, struct people *people, str client, str token)
{
    struct db *db = people_lock(people);
    err done = people_unlock(people, revoke(cx, db, client, token));
    people_forget(people);
    return done;
}

err grant_end(struct ctx *cx, struct people *people, const struct grant *of)
{
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    err done = people_done(cx, people, revoke_family(cx, db, of, "taken back by its person"));
    people_forget(people);
    return done;
}

static err read_context(struct ctx *cx, struct db *db, str family, struct grant *out)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_GRANT_CONTEXT);
    db_bind_text(stmt, 1, family);
    bool row;
    *out = (struct grant){ .encounter = S(""), .context = S("") };
    TRY(db_step(cx, stmt, &row));
    if (row) {
        out->encounter = arena_copy(cx->arena, db_text(stmt, 0));
        out->context = arena_copy(cx->arena, db_text(stmt, 1));
    }
    db_reset(stmt);
    return ERR_OK;
}

err grant_context(struct ctx *cx, struct people *people, str family, struct grant *out)
{
    struct db *db = people_lock(people);
    return people_unlock(people, read_context(cx, db, family, out));
}
