/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/client_keys.h"
#include "auth/people_sql.h"
#include "http/client.h"
#include "json/json.h"

static err find(struct ctx *cx, struct db *db, str id, int64_t since_ms, str *jwks)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_KEYS_FIND);
    db_bind_text(stmt, 1, id);
    db_bind_int(stmt, 2, since_ms);
    bool row;
    TRY(db_step(cx, stmt, &row));
    *jwks = row ? arena_copy(cx->arena, db_text(stmt, 0)) : (str){ 0 };
    db_reset(stmt);
    return ERR_OK;
}

static err keep(struct ctx *cx, struct db *db, str id, str jwks)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_KEYS_KEEP);
    db_bind_text(stmt, 1, id);
    db_bind_text(stmt, 2, jwks);
    db_bind_int(stmt, 3, cx->now_ms);
    return db_run(cx, stmt);
}

/* What cannot be had is kept, too, as no keys: an app whose server is away is asked rarely. */
static str fetch_keys(struct ctx *cx, const struct client_keys_ask *ask)
{
    struct http_answer answer;
    struct json shown;
    struct http_call call = {
        .method = "GET",
        .url = ask->client->jwks_uri,
        .timeout_ms = CLIENT_KEYS_ANSWER_MS,
        .answer_bytes = CLIENT_KEYS_MAX_BYTES,
        .trust = HTTP_CALL_NAMED,
        .reach = ask->reach,
    };
    bool good = http_call(cx, &call, &answer) == ERR_OK && answer.status == 200 &&
                json_parse(cx, answer.body, &shown) == ERR_OK && json_is(shown, JSON_OBJECT);
    return good ? answer.body : S("{}");
}

err client_keys(struct ctx *cx, struct people *people, const struct client_keys_ask *ask, str *jwks)
{
    const struct client *client = ask->client;
    if (!client->jwks_uri.n) {
        *jwks = client->jwks;
        return ERR_OK;
    }
    struct db *db = people_lock(people);
    TRY(people_unlock(people, find(cx, db, client->id, cx->now_ms - ask->max_age_ms, jwks)));
    if (str_given(*jwks))
        return ERR_OK;
    *jwks = fetch_keys(cx, ask);
    db = people_lock(people);
    return people_unlock(people, keep(cx, db, client->id, *jwks));
}
