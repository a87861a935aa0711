/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE jwt
#include "base/test.h"
#include "auth/jwt.h"
#include "auth/secret.h"
#include <sys/stat.h>

static struct jwt_keys *fresh(struct ctx *cx, str *folder)
{
    struct jwt_keys *keys;
    *folder = test_folder(cx);
    cr_assert_eq(jwt_open(cx, *folder, &keys), ERR_OK);
    return keys;
}

TEST(jwt_signs_what_it_checks_and_nothing_changed)
{
    str folder, token;
    struct jwt_claims claims;
    struct jwt_keys *keys = fresh(cx, &folder);
    EXPECT_INT("sign", jwt_sign(cx, keys, S("{\"sub\":\"a\"}"), &token), ERR_OK);
    EXPECT_INT("check", jwt_check(cx, jwt_public(keys), token, &claims), ERR_OK);
    EXPECT_STR("claims", claims.payload, S("{\"sub\":\"a\"}"));
    size_t payload = str_find_char(token, '.') + 3;
    char *changed = (char *)arena_copy(cx->arena, token).p;
    changed[payload] = changed[payload] == 'A' ? 'B' : 'A';
    EXPECT_INT("changed", jwt_check(cx, jwt_public(keys), (str){ changed, token.n }, &claims),
               ERR_INVALID);
    jwt_close(keys);
}

TEST(jwt_key_survives_a_restart_and_nobody_else_reads_it)
{
    str folder, token;
    struct jwt_claims claims;
    struct jwt_keys *keys = fresh(cx, &folder), *again;
    EXPECT_INT("sign", jwt_sign(cx, keys, S("{}"), &token), ERR_OK);
    EXPECT_INT("open again", jwt_open(cx, folder, &again), ERR_OK);
    EXPECT_INT("check", jwt_check(cx, jwt_public(again), token, &claims), ERR_OK);
    EXPECT("no private part is published", str_find(jwt_public(again), S("\"d\"")) == STR_NONE);
    struct stat file;
    const char *path = arena_printf(cx->arena, "%.*s/keys.json%c", STR_ARG(folder), 0).p;
    EXPECT_INT("stat", stat(path, &file), 0);
    EXPECT_INT("mode", file.st_mode & 0777, 0600);
    jwt_close(keys);
    jwt_close(again);
}

TEST(jwt_rotated_keys_sign_anew_and_what_was_signed_still_holds)
{
    str folder, first, second;
    struct jwt_claims claims;
    struct jwt_keys *keys = fresh(cx, &folder), *again;
    EXPECT_INT("sign", jwt_sign(cx, keys, S("{}"), &first), ERR_OK);
    EXPECT_INT("rotate", jwt_rotate(cx, folder), ERR_OK);
    EXPECT_INT("open again", jwt_open(cx, folder, &again), ERR_OK);
    EXPECT_INT("sign with the new", jwt_sign(cx, again, S("{}"), &second), ERR_OK);
    EXPECT("another key id", !str_eq(str_slice(first, 0, str_find_char(first, '.')),
                                     str_slice(second, 0, str_find_char(second, '.'))));
    EXPECT_INT("the old holds", jwt_check(cx, jwt_public(again), first, &claims), ERR_OK);
    for (int i = 0; i < JWT_KEYS_KEPT; i++)
        EXPECT_INT("rotate on", jwt_rotate(cx, folder), ERR_OK);
    jwt_close(again);
    EXPECT_INT("open last", jwt_open(cx, folder, &again), ERR_OK);
    EXPECT_INT("the first is forgotten", jwt_check(cx, jwt_public(again), first, &claims),
               ERR_INVALID);
    EXPECT_INT("the second is kept", jwt_check(cx, jwt_public(again), second, &claims), ERR_OK);
    EXPECT("no private part is published", str_find(jwt_public(again), S("\"d\"")) == STR_NONE);
    jwt_close(keys);
    jwt_close(again);
}

static str unsigned_token(struct ctx *cx, const char *header)
{
    return arena_printf(cx->arena, "%.*s.e30.AAAA",
                        STR_ARG(secret_base64url(cx->arena, str_of(header))));
}

TEST(jwt_refuses_the_known_tricks)
{
    str folder, other_folder, token;
    struct jwt_claims claims;
    struct jwt_keys *keys = fresh(cx, &folder), *other = fresh(cx, &other_folder);
    EXPECT_INT("sign", jwt_sign(cx, other, S("{}"), &token), ERR_OK);
    const struct {
        const char *row;
        str token;
    } rows[] = {
        { "another's key", token },
        { "no algorithm", unsigned_token(cx, "{\"alg\":\"none\"}") },
        { "shared secret", unsigned_token(cx, "{\"alg\":\"HS256\"}") },
        { "critical extension", unsigned_token(cx, "{\"alg\":\"RS256\",\"crit\":[\"b64\"]}") },
        { "two parts", S("e30.e30") },
        { "four parts", S("e30.e30.e30.e30") },
        { "empty", S("") },
        { "not base64", S("!!.!!.!!") },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_INT(rows[i].row, jwt_check(cx, jwt_public(keys), rows[i].token, &claims),
                   ERR_INVALID);
    EXPECT_INT("no keys", jwt_check(cx, S("not json"), token, &claims), ERR_INVALID);
    jwt_close(keys);
    jwt_close(other);
}
