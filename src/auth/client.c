/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/client.h"
#include "auth/deed.h"
#include "auth/secret.h"

static bool is_loopback(str rest)
{
    static const char *const hosts[] = { "127.0.0.1", "localhost", "[::1]" };
    for (size_t i = 0; i < COUNT(hosts); i++) {
        size_t n = strlen(hosts[i]);
        if (str_starts(rest, str_of(hosts[i])) &&
            (rest.n == n || rest.p[n] == ':' || rest.p[n] == '/'))
            return true;
    }
    return false;
}

/* RFC 3986's characters alone: the address goes into a header as it is. Nobody's name before the
 * host, where it could pass for one. */
static bool redirect_ok(str uri)
{
    size_t start = str_find(uri, S("://"));
    str host = start == STR_NONE ? S("") : str_slice(uri, start + 3, uri.n);
    host = str_slice(host, 0, str_find_char(host, '/'));
    for (size_t i = 0; i < uri.n; i++)
        if (uri.p[i] <= ' ' || uri.p[i] > '~' || strchr("\"#<>\\^`{|}", uri.p[i]))
            return false;
    if (uri.n > CLIENT_URL_MAX || str_find_char(host, '@') != STR_NONE)
        return false;
    if (str_starts(uri, S("https://")))
        return uri.n > 8 && uri.p[8] != '/';
    return str_starts(uri, S("http://")) && is_loopback(str_slice(uri, 7, uri.n));
}

static err check(struct ctx *cx, const struct client *client)
{
    struct scope_set scopes;
    str redirects = client->redirects, uri;
    if (client->id.n == 0 || client->id.n > PEOPLE_NAME_MAX)
        return ctx_fail(cx, ERR_INVALID, S("client_id"), S("an app's id has 1 to 64 characters"));
    if (client->name.n > CLIENT_TITLE_MAX)
        return ctx_failf(cx, ERR_INVALID, S("invalid_client_metadata"),
                         "an app's name has %d bytes at most", (int)CLIENT_TITLE_MAX);
    while (str_next(&redirects, ' ', &uri))
        if (uri.n && !redirect_ok(uri))
            return ctx_failf(cx, ERR_INVALID, S("redirect_uris"),
                             "%.*s is no https URL; http is taken on loopback only", STR_ARG(uri));
    if (client->launch.n && !redirect_ok(client->launch))
        return ctx_fail(cx, ERR_INVALID, S("launch"),
                        S("the launch URL is no https URL; http is taken on loopback only"));
    if (client->jwks_uri.n && !redirect_ok(client->jwks_uri))
        return ctx_fail(cx, ERR_INVALID, S("jwks_uri"),
                        S("the keys' address is no https URL; http is taken on loopback only"));
    if (client->without_pkce && client->kind == CLIENT_PUBLIC)
        return ctx_fail(cx, ERR_INVALID, S("without_pkce"),
                        S("a public app must use PKCE; give it a secret or keys to do without"));
    return scope_parse(cx, client->scopes, &scopes);
}

static str text_or_empty(str text)
{
    return str_given(text) ? text : S("");
}

/* Who registers themselves is nobody yet: the app is who did it. */
static err tell(struct ctx *cx, struct db *db, str id, const char *what)
{
    return deed_note(cx, db, &(struct deed){
        .who = arena_printf(cx->arena, "client:%.*s", STR_ARG(id)), .act = AUDIT_ACCOUNT,
        .what = str_of(what) });
}

static err insert(struct ctx *cx, struct db *db, const struct client *client)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_CLIENT_ADD);
    db_bind_text(stmt, 1, client->id);
    db_bind_text(stmt, 2, text_or_empty(client->name));
    db_bind_text(stmt, 3, text_or_empty(client->redirects));
    db_bind_text(stmt, 4, text_or_empty(client->scopes));
    db_bind_text(stmt, 5, text_or_empty(client->jwks));
    db_bind_blob(stmt, 6, text_or_empty(client->secret_hash));
    db_bind_int(stmt, 7, client->kind);
    TRY(db_run(cx, stmt));
    if (db_changes(db) == 0)
        return ctx_failf(cx, ERR_CONFLICT, S("client_id"), "there is an app \"%.*s\" already",
                         STR_ARG(client->id));
    stmt = db_use(cx, db, people_sql, PEOPLE_CLIENT_MORE);
    db_bind_text(stmt, 1, client->id);
    db_bind_text(stmt, 2, text_or_empty(client->jwks_uri));
    db_bind_int(stmt, 3, client->without_pkce);
    db_bind_int(stmt, 4, client->introspects);
    TRY(db_run(cx, stmt));
    TRY(tell(cx, db, client->id, "/client: registered"));
    if (!client->launch.n)
        return ERR_OK;
    stmt = db_use(cx, db, people_sql, PEOPLE_LAUNCH_ADD);
    db_bind_text(stmt, 1, client->id);
    db_bind_text(stmt, 2, client->launch);
    return db_run(cx, stmt);
}

err client_add(struct ctx *cx, struct people *people, const struct client *client)
{
    TRY(check(cx, client));
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    return people_done(cx, people, insert(cx, db, client));
}

static void read_client(struct ctx *cx, struct db_stmt *stmt, struct client *out)
{
    *out = (struct client){
        .id = arena_copy(cx->arena, db_text(stmt, 0)),
        .name = arena_copy(cx->arena, db_text(stmt, 1)),
        .redirects = arena_copy(cx->arena, db_text(stmt, 2)),
        .scopes = arena_copy(cx->arena, db_text(stmt, 3)),
        .jwks = arena_copy(cx->arena, db_text(stmt, 4)),
        .secret_hash = arena_copy(cx->arena, db_blob(stmt, 5)),
        .kind = (enum client_kind)db_int(stmt, 6),
        .disabled = db_int(stmt, 7) != 0,
        .launch = arena_copy(cx->arena, db_text(stmt, 8)),
        .jwks_uri = arena_copy(cx->arena, db_text(stmt, 9)),
        .without_pkce = db_int(stmt, 10) != 0,
        .introspects = db_int(stmt, 11) != 0,
    };
}

static err no_app(struct ctx *cx, str id)
{
    return ctx_failf(cx, ERR_NOT_FOUND, S("client_id"), "there is no app \"%.*s\"", STR_ARG(id));
}

static err find(struct ctx *cx, struct db *db, str id, struct client *out)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_CLIENT_FIND);
    db_bind_text(stmt, 1, id);
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return no_app(cx, id);
    read_client(cx, stmt, out);
    db_reset(stmt);
    return ERR_OK;
}

err client_find(struct ctx *cx, struct people *people, str id, struct client *out)
{
    struct db *db = people_lock(people);
    return people_unlock(people, find(cx, db, id, out));
}

static err list(struct ctx *cx, struct db *db, struct client **out, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_CLIENT_LIST);
    size_t cap = 0;
    *out = NULL;
    *count = 0;
    for (bool row;; (*count)++) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        *out = arena_grow(cx->arena, *out, *count, &cap, sizeof **out);
        read_client(cx, stmt, *out + *count);
    }
}

err client_list(struct ctx *cx, struct people *people, struct client **out, size_t *count)
{
    struct db *db = people_lock(people);
    return people_unlock(people, list(cx, db, out, count));
}

static err end(struct ctx *cx, struct db *db, str id)
{
    static const enum people_statement held[] = { PEOPLE_CLIENT_TOKENS, PEOPLE_CLIENT_RENEWALS,
                                                  PEOPLE_CLIENT_CODES };
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_CLIENT_DISABLE);
    db_bind_text(stmt, 1, id);
    TRY(db_run(cx, stmt));
    if (!db_changes(db))
        return no_app(cx, id);
    for (size_t i = 0; i < COUNT(held); i++) {
        stmt = db_use(cx, db, people_sql, held[i]);
        db_bind_text(stmt, 1, id);
        db_bind_int(stmt, 2, cx->now_ms);
        TRY(db_run(cx, stmt));
    }
    return tell(cx, db, id, "/client: ended");
}

err client_end(struct ctx *cx, struct people *people, str id)
{
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    err done = people_done(cx, people, end(cx, db, id));
    people_forget(people);
    return done;
}

static err count_registered(struct ctx *cx, struct db *db, int64_t *count)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_CLIENT_COUNT);
    bool row;
    TRY(db_step(cx, stmt, &row));
    *count = row ? db_int(stmt, 0) : 0;
    db_reset(stmt);
    return ERR_OK;
}

err client_registered(struct ctx *cx, struct people *people, int64_t *count)
{
    struct db *db = people_lock(people);
    return people_unlock(people, count_registered(cx, db, count));
}

bool client_redirects_to(const struct client *client, str uri)
{
    str redirects = client->redirects, known;
    while (str_next(&redirects, ' ', &known))
        if (known.n && str_eq(known, uri))
            return true;
    return false;
}

static err use_once(struct ctx *cx, struct db *db, str what, int64_t until_ms, bool *first)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_ONCE_FORGET);
    db_bind_int(stmt, 1, cx->now_ms);
    TRY(db_run(cx, stmt));
    stmt = db_use(cx, db, people_sql, PEOPLE_ONCE);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, what));
    db_bind_int(stmt, 2, until_ms);
    TRY(db_run(cx, stmt));
    *first = db_changes(db) == 1;
    return ERR_OK;
}

err client_use_once(struct ctx *cx, struct people *people, str what, int64_t until_ms, bool *first)
{
    struct db *db = people_lock(people);
    return people_unlock(people, use_once(cx, db, what, until_ms, first));
}
