/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE passkey
#include "base/test.h"
#include "auth/passkey.h"
#include "auth/secret.h"
#include "base/buf.h"
#include <sodium.h>

/* A security key of its own kind, EdDSA, as the bytes stand in WebAuthn section 6. */
struct token {
    unsigned char public_key[32], secret_key[64];
    str id;
};
static const struct passkey_site site = { { "localhost", 9 },
                                          { "http://localhost:8080", 21 } };

static struct people *fresh(struct ctx *cx)
{
    struct people *people;
    struct people_user user = { .name = S("a.khan"), .role = S("nurse") };
    cr_assert_eq(people_open(cx, test_folder(cx), &people), ERR_OK);
    cr_assert_eq(people_add(cx, people, &user), ERR_OK);
    return people;
}

static str client(struct ctx *cx, const char *type, str challenge)
{
    return arena_printf(cx->arena, "{\"type\":\"%s\",\"challenge\":\"%.*s\","
                        "\"origin\":\"http://localhost:8080\"}", type, STR_ARG(challenge));
}

static str auth_data(struct ctx *cx, unsigned flags, unsigned count, str more)
{
    struct buf out = buf_make(cx->arena, 4096);
    buf_add(&out, secret_sha256(cx->arena, site.rp_id));
    buf_char(&out, (char)flags);
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_char(&out, (char)(count >> shift));
    buf_add(&out, more);
    return buf_str(&out);
}

static struct token make_token(void)
{
    struct token token = { .id = S("a credential id of the test") };
    crypto_sign_keypair(token.public_key, token.secret_key);
    return token;
}

static str attestation(struct ctx *cx, const struct token *token)
{
    struct buf key = buf_make(cx->arena, 4096), out = buf_make(cx->arena, 4096);
    for (int i = 0; i < 16; i++)
        buf_char(&key, 0);
    buf_char(&key, 0);
    buf_char(&key, (char)token->id.n);
    buf_add(&key, token->id);
    buf_add(&key, S("\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20"));
    buf_add(&key, (str){ (const char *)token->public_key, 32 });
    str data = auth_data(cx, 0x45, 0, buf_str(&key));
    buf_add(&out, S("\xa3" "cfmt" "dnone" "gattStmt" "\xa0" "hauthData" "\x58"));
    buf_char(&out, (char)data.n);
    buf_add(&out, data);
    return buf_str(&out);
}

static struct passkey_proof prove(struct ctx *cx, const struct token *token, str challenge,
                                  unsigned count)
{
    struct passkey_proof proof = {
        .id = token->id,
        .client_data = client(cx, "webauthn.get", challenge),
        .auth_data = auth_data(cx, 5, count, S("")),
        .handle = S(""),
    };
    str hash = secret_sha256(cx->arena, proof.client_data);
    struct buf text = buf_make(cx->arena, 4096);
    buf_add(&text, proof.auth_data);
    buf_add(&text, hash);
    unsigned char *signature = arena_alloc(cx->arena, crypto_sign_BYTES);
    crypto_sign_detached(signature, NULL, (const unsigned char *)text.p, text.n,
                         token->secret_key);
    proof.signature = (str){ (char *)signature, crypto_sign_BYTES };
    return proof;
}

static struct token enrolled(struct ctx *cx, struct people *people)
{
    struct token token = make_token();
    str challenge;
    cr_assert_eq(passkey_challenge(cx, people, PASSKEY_ENROL, S("a.khan"), &challenge), ERR_OK);
    struct passkey_ask ask = { .user = S("a.khan"), .name = S("blue"),
                               .client_data = client(cx, "webauthn.create", challenge),
                               .attestation = attestation(cx, &token) };
    cr_assert_eq(passkey_enrol(cx, people, &site, &ask), ERR_OK);
    return token;
}

TEST(passkey_challenge_lives_five_minutes)
{
    struct people *people = fresh(cx);
    struct token token = enrolled(cx, people);
    static const struct { const char *name; int64_t later_ms; err expected; } rows[] = {
        { "at once", 0, ERR_OK },
        { "just in time", PASSKEY_CEREMONY_MS - 1, ERR_OK },
        { "at its end", PASSKEY_CEREMONY_MS, ERR_LOGIN },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str challenge, user;
        EXPECT_INT(rows[i].name,
                   passkey_challenge(cx, people, PASSKEY_SIGN_IN, S(""), &challenge), ERR_OK);
        struct passkey_proof proof = prove(cx, &token, challenge, 0);
        cx->now_ms += rows[i].later_ms;
        EXPECT_INT(rows[i].name,
                   passkey_prove(cx, people, &site, PASSKEY_SIGN_IN, &proof, &user),
                   rows[i].expected);
    }
    people_close(people);
}

TEST(passkey_counters_must_rise_once_either_is_not_zero)
{
    static const struct { const char *name; unsigned before, now; err expected; } rows[] = {
        { "neither counts", 0, 0, ERR_OK },      { "begins to count", 0, 1, ERR_OK },
        { "rises by one", 7, 8, ERR_OK },        { "rises far", 7, 4000000000u, ERR_OK },
        { "stands", 7, 7, ERR_LOGIN },           { "falls", 7, 6, ERR_LOGIN },
        { "stops counting", 7, 0, ERR_LOGIN },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct people *people = fresh(cx);
        struct token token = enrolled(cx, people);
        err last = ERR_OK;
        for (int step = 0; step < 2; step++) {
            str challenge, user;
            EXPECT_INT(rows[i].name,
                       passkey_challenge(cx, people, PASSKEY_SIGN_IN, S(""), &challenge), ERR_OK);
            unsigned count = step ? rows[i].now : rows[i].before;
            struct passkey_proof proof = prove(cx, &token, challenge, count);
            last = passkey_prove(cx, people, &site, PASSKEY_SIGN_IN, &proof, &user);
        }
        EXPECT_INT(rows[i].name, last, rows[i].expected);
        struct passkey *keys;
        size_t count;
        EXPECT_INT("list", passkey_list(cx, people, S("a.khan"), &keys, &count), ERR_OK);
        EXPECT(rows[i].name, (keys[0].ended_ms != 0) == (rows[i].expected != ERR_OK));
        people_close(people);
    }
}

/* Any one bit of what was signed, of the signature or of the key makes another answer. */
TEST(passkey_every_flipped_bit_is_refused)
{
    struct token token = make_token();
    struct passkey_proof proof = prove(cx, &token, S("AAAA"), 1);
    struct passkey_fresh key = { .key = { (char *)token.public_key, 32 }, .alg = -8 }, said;
    str parts[] = { proof.auth_data, proof.signature, proof.client_data, key.key };
    EXPECT_INT("whole", passkey_check_proof(cx, &site, &key, &proof, &said), ERR_OK);
    for (size_t part = 0; part < COUNT(parts); part++)
        for (size_t bit = 0; bit < parts[part].n * 8; bit++) {
            struct arena_mark mark = arena_mark(cx->arena);
            ((char *)parts[part].p)[bit / 8] ^= (char)(1 << bit % 8);
            err got = passkey_check_proof(cx, &site, &key, &proof, &said);
            ((char *)parts[part].p)[bit / 8] ^= (char)(1 << bit % 8);
            if (got != ERR_LOGIN)
                cr_expect(false, "part %zu, bit %zu was taken", part, bit);
            cx->issues = (struct issues){ .arena = cx->arena };
            arena_rewind(cx->arena, mark);
        }
    EXPECT_INT("whole again", passkey_check_proof(cx, &site, &key, &proof, &said), ERR_OK);
}
