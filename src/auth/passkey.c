/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/passkey.h"
#include "auth/deed.h"
#include "auth/secret.h"
#include "auth/sign_in_sql.h"

enum { HANDLE_BYTES = 32, HANDLE_COLUMN = 12 };

static err refuse(struct ctx *cx, const char *why)
{
    return ctx_failf(cx, ERR_LOGIN, S("passkey"), "the key is refused: %s", why);
}

/* ---- challenges and handles ---- */

static err keep_challenge(struct ctx *cx, struct db *db, enum passkey_purpose purpose, str user,
                          str bytes)
{
    struct db_stmt *old = db_use(cx, db, sign_in_sql, SIGN_IN_CEREMONY_FORGET);
    db_bind_int(old, 1, cx->now_ms);
    TRY(db_run(cx, old));
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_CEREMONY_ADD);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, bytes));
    db_bind_int(stmt, 2, purpose);
    db_bind_text(stmt, 3, str_given(user) ? user : S(""));
    db_bind_int(stmt, 4, cx->now_ms + PASSKEY_CEREMONY_MS);
    return db_run(cx, stmt);
}

err passkey_challenge(struct ctx *cx, struct people *people, enum passkey_purpose purpose, str user,
                      str *challenge)
{
    char *random = arena_alloc(cx->arena, HANDLE_BYTES);
    secret_random(random, HANDLE_BYTES);
    str bytes = { random, HANDLE_BYTES };
    struct db *db = people_lock(people);
    TRY(people_unlock(people, keep_challenge(cx, db, purpose, user, bytes)));
    *challenge = secret_base64url(cx->arena, bytes);
    return ERR_OK;
}

/* Deleting the row uses the challenge up: of two answers to one, the second finds nothing. */
static err use_challenge(struct ctx *cx, struct db *db, enum passkey_purpose purpose, str bytes,
                         str *user)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_CEREMONY_USE);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, bytes));
    db_bind_int(stmt, 2, purpose);
    db_bind_int(stmt, 3, cx->now_ms);
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return refuse(cx, "its challenge is unknown, used or older than five minutes; try again");
    *user = arena_copy(cx->arena, db_text(stmt, 0));
    return db_step(cx, stmt, &row); /* to its end: only then has the row gone */
}

static err find_handle(struct ctx *cx, struct db *db, str user, str *handle)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_HANDLE);
    db_bind_text(stmt, 1, user);
    bool row;
    TRY(db_step(cx, stmt, &row));
    *handle = row ? arena_copy(cx->arena, db_blob(stmt, 0)) : (str){ 0 };
    db_reset(stmt);
    return ERR_OK;
}

static err make_handle(struct ctx *cx, struct db *db, str user, str *handle)
{
    char *random = arena_alloc(cx->arena, HANDLE_BYTES);
    secret_random(random, HANDLE_BYTES);
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_HANDLE_ADD);
    db_bind_text(stmt, 1, user);
    db_bind_blob(stmt, 2, (str){ random, HANDLE_BYTES });
    TRY(db_run(cx, stmt));
    return find_handle(cx, db, user, handle);
}

err passkey_handle(struct ctx *cx, struct people *people, str user, str *handle)
{
    struct db *db = people_lock(people);
    return people_unlock(people, make_handle(cx, db, user, handle));
}

/* ---- enrolling ---- */

static void read_key(struct ctx *cx, struct db_stmt *stmt, struct passkey *out)
{
    *out = (struct passkey){
        .id = arena_copy(cx->arena, db_blob(stmt, 0)),
        .user = arena_copy(cx->arena, db_text(stmt, 1)),
        .name = arena_copy(cx->arena, db_text(stmt, 2)),
        .alg = (int)db_int(stmt, 3),
        .count = (uint32_t)db_int(stmt, 5),
        .flags = (unsigned)db_int(stmt, 6),
        .attested = db_int(stmt, 7) != 0,
        .added_ms = db_int(stmt, 8),
        .used_ms = db_int(stmt, 9),
        .ended_ms = db_int(stmt, 10),
        .why = arena_copy(cx->arena, db_text(stmt, 11)),
    };
}

static err list_keys(struct ctx *cx, struct db *db, str user, struct passkey **out, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_KEYS_OF);
    db_bind_text(stmt, 1, user);
    size_t cap = 0;
    *out = NULL;
    *count = 0;
    for (bool row;; (*count)++) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        *out = arena_grow(cx->arena, *out, *count, &cap, sizeof **out);
        read_key(cx, stmt, *out + *count);
    }
}

err passkey_list(struct ctx *cx, struct people *people, str user, struct passkey **out,
                 size_t *count)
{
    struct db *db = people_lock(people);
    return people_unlock(people, list_keys(cx, db, user, out, count));
}

static err tell(struct ctx *cx, struct db *db, str user, const char *what, str of)
{
    return deed_note(cx, db, &(struct deed){
        .who = user, .act = AUDIT_ACCOUNT,
        .what = arena_printf(cx->arena, "%s%.*s", what, STR_ARG(of)) });
}

static err add_key(struct ctx *cx, struct db *db, const struct passkey_ask *ask,
                   const struct passkey_fresh *key)
{
    struct passkey *keys;
    size_t count, live = 0;
    TRY(list_keys(cx, db, ask->user, &keys, &count));
    for (size_t i = 0; i < count; i++)
        live += keys[i].ended_ms == 0;
    if (live >= PASSKEYS_MAX)
        return ctx_failf(cx, ERR_RULE, S("passkey"),
                         "a person has %d keys at most; remove one first", (int)PASSKEYS_MAX);
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_KEY_ADD);
    db_bind_blob(stmt, 1, key->id);
    db_bind_text(stmt, 2, ask->user);
    db_bind_text(stmt, 3, ask->name.n ? str_slice(ask->name, 0, PASSKEY_NAME_MAX) : S("My key"));
    db_bind_int(stmt, 4, key->alg);
    db_bind_blob(stmt, 5, key->key);
    db_bind_int(stmt, 6, key->count);
    db_bind_int(stmt, 7, key->flags);
    db_bind_int(stmt, 8, key->attested);
    db_bind_blob(stmt, 9, key->aaguid);
    db_bind_int(stmt, 10, cx->now_ms);
    TRY(db_run(cx, stmt));
    return db_changes(db) ? tell(cx, db, ask->user, "/account: a passkey was enrolled", S(""))
                          : ctx_fail(cx, ERR_CONFLICT, S("passkey"),
                                     S("this key is enrolled already; use another"));
}

err passkey_enrol(struct ctx *cx, struct people *people, const struct passkey_site *site,
                  const struct passkey_ask *ask)
{
    str challenge, user = { 0 };
    struct passkey_fresh key;
    TRY(passkey_check_client(cx, site, "webauthn.create", ask->client_data, &challenge));
    struct db *db = people_lock(people);
    TRY(people_unlock(people, use_challenge(cx, db, PASSKEY_ENROL, challenge, &user)));
    if (!str_eq(user, ask->user))
        return refuse(cx, "its challenge was given to somebody else");
    TRY(passkey_check_fresh(cx, site, ask->attestation, ask->client_data, &key));
    TRY(people_write(cx, people, &db));
    return people_done(cx, people, add_key(cx, db, ask, &key));
}

/* ---- proving ---- */

static err find_key(struct ctx *cx, struct db *db, const struct passkey_proof *proof,
                    struct passkey *out, struct passkey_fresh *key)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_KEY_FIND);
    db_bind_blob(stmt, 1, proof->id);
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return refuse(cx, "it is not enrolled here; ask the administrator for a one-time code");
    read_key(cx, stmt, out);
    *key = (struct passkey_fresh){ .key = arena_copy(cx->arena, db_blob(stmt, 4)),
                                   .alg = out->alg };
    str handle = arena_copy(cx->arena, db_blob(stmt, HANDLE_COLUMN));
    db_reset(stmt);
    if (out->ended_ms)
        return refuse(cx, "it was removed; use another key, or ask for a one-time code");
    if (proof->handle.n && !secret_same(proof->handle, handle))
        return refuse(cx, "it names another person than the one it was enrolled for");
    return ERR_OK;
}

static err end_key(struct ctx *cx, struct db *db, str user, str id, str why)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_KEY_END);
    db_bind_blob(stmt, 1, id);
    db_bind_text(stmt, 2, user);
    db_bind_int(stmt, 3, cx->now_ms);
    db_bind_text(stmt, 4, why);
    TRY(db_run(cx, stmt));
    return db_changes(db) ? tell(cx, db, user, "/account: a passkey was ended, ", why)
                          : ctx_fail(cx, ERR_NOT_FOUND, S("key"), S("this person has no such key"));
}

/* The counter moves on in one statement, so that of two proofs with one count one is refused. */
static err move_on(struct ctx *cx, struct db *db, const struct passkey *key,
                   const struct passkey_fresh *said)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_KEY_USED);
    db_bind_blob(stmt, 1, key->id);
    db_bind_int(stmt, 2, said->count);
    db_bind_int(stmt, 3, said->flags);
    db_bind_int(stmt, 4, cx->now_ms);
    TRY(db_run(cx, stmt));
    if (db_changes(db))
        return ERR_OK;
    err ended = end_key(cx, db, key->user, key->id, S("copied"));
    if (ended != ERR_NOT_FOUND) /* removed in this very moment: refused all the same */
        TRY(ended);
    return refuse(cx, "its counter went back, so there may be a copy of it. It was removed: use "
                      "another key and tell the administrator");
}

err passkey_prove(struct ctx *cx, struct people *people, const struct passkey_site *site,
                  enum passkey_purpose purpose, const struct passkey_proof *proof, str *user)
{
    str challenge, wanted = { 0 };
    struct passkey key = { 0 };
    struct passkey_fresh material = { 0 }, said = { 0 };
    struct people_user person;
    TRY(passkey_check_client(cx, site, "webauthn.get", proof->client_data, &challenge));
    struct db *db = people_lock(people);
    TRY(people_unlock(people, use_challenge(cx, db, purpose, challenge, &wanted)));
    db = people_lock(people);
    TRY(people_unlock(people, find_key(cx, db, proof, &key, &material)));
    if (purpose != PASSKEY_SIGN_IN && !str_eq(wanted, key.user))
        return refuse(cx, "it belongs to somebody else than the person signed in here");
    TRY(passkey_check_proof(cx, site, &material, proof, &said));
    db = people_lock(people);
    TRY(people_unlock(people, move_on(cx, db, &key, &said)));
    TRY(people_find(cx, people, key.user, &person));
    if (person.disabled)
        return refuse(cx, "this account is closed; ask the administrator");
    *user = key.user;
    return ERR_OK;
}

err passkey_end(struct ctx *cx, struct people *people, str user, str id, str why)
{
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    return people_done(cx, people, end_key(cx, db, user, id, why));
}
