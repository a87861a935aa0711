/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/passkey_check.h"
#include "auth/cbor.h"
#include "auth/secret.h"
#include "json/json.h"
#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>

enum { RP_HASH_BYTES = 32, FLAGS_AT = 32, AUTH_DATA_MIN = 37 };

static err refuse(struct ctx *cx, const char *why)
{
    return ctx_failf(cx, ERR_LOGIN, S("passkey"), "the key is refused: %s", why);
}

static bool has_word(str words, str wanted)
{
    str word;
    while (str_next(&words, ' ', &word))
        if (wanted.n && str_eq(word, wanted))
            return true;
    return false;
}

err passkey_check_client(struct ctx *cx, const struct passkey_site *site, const char *type,
                         str client_data, str *challenge)
{
    struct json said;
    str bytes;
    if (json_parse(cx, client_data, &said) != ERR_OK)
        return refuse(cx, "what the browser signed cannot be read");
    if (!json_string_is(json_get(said, S("type")), str_of(type)))
        return refuse(cx, "it was made for another purpose");
    if (!has_word(site->origins, json_string(cx->arena, json_get(said, S("origin")))))
        return refuse(cx, "it was made on another site's page");
    if (json_is(json_get(said, S("crossOrigin")), JSON_TRUE))
        return refuse(cx, "the page was inside another site's page");
    if (!secret_from_base64url(cx->arena, json_string(cx->arena, json_get(said, S("challenge"))),
                               &bytes))
        return refuse(cx, "its challenge cannot be read");
    *challenge = bytes;
    return ERR_OK;
}

static err check_flags(struct ctx *cx, const struct passkey_site *site, str auth_data)
{
    if (auth_data.n < AUTH_DATA_MIN)
        return refuse(cx, "its answer is cut short");
    unsigned flags = (unsigned char)auth_data.p[FLAGS_AT];
    if (!secret_same(str_slice(auth_data, 0, RP_HASH_BYTES),
                     secret_sha256(cx->arena, site->rp_id)))
        return refuse(cx, "it belongs to another site");
    if (!(flags & PASSKEY_PRESENT))
        return refuse(cx, "nobody touched it");
    if (!(flags & PASSKEY_VERIFIED))
        return refuse(cx, "it did not check its owner's PIN, finger or face");
    if ((flags & PASSKEY_SYNCED) && !(flags & PASSKEY_MAY_SYNC))
        return refuse(cx, "it contradicts itself about copies");
    return ERR_OK;
}

/* ---- a new key ---- */

/* What libfido2 found: while it holds memory of its own, nothing is asked of an arena. */
struct found {
    unsigned char id[PASSKEY_ID_MAX], key[PASSKEY_KEY_MAX], aaguid[PASSKEY_AAGUID_BYTES];
    size_t id_bytes, key_bytes;
    uint32_t count;
    int alg;
    bool good, attested;
};
struct statement {
    str format, statement, auth_data, client_hash;
    const char *rp_id;
};

/* With a certificate the attestation key signed; without one the new key signed for itself. */
static bool packed_verifies(fido_cred_t *cred, const struct statement *said, bool *attested)
{
    str certificate;
    *attested = cbor_member(said->statement, S("x5c"), &certificate);
    if (fido_cred_set_fmt(cred, "packed") != FIDO_OK ||
        fido_cred_set_rp(cred, said->rp_id, NULL) != FIDO_OK ||
        fido_cred_set_uv(cred, FIDO_OPT_TRUE) != FIDO_OK ||
        fido_cred_set_clientdata_hash(cred, (const unsigned char *)said->client_hash.p,
                                      said->client_hash.n) != FIDO_OK ||
        fido_cred_set_attstmt(cred, (const unsigned char *)said->statement.p,
                              said->statement.n) != FIDO_OK)
        return false;
    /* A browser may have asked for any level of credProtect on its own account. */
    for (int level = 0; level <= 3; level++) {
        if (level && (fido_cred_set_extensions(cred, FIDO_EXT_CRED_PROTECT) != FIDO_OK ||
                      fido_cred_set_prot(cred, level) != FIDO_OK))
            return false;
        if ((*attested ? fido_cred_verify(cred) : fido_cred_verify_self(cred)) == FIDO_OK)
            return true;
    }
    return false;
}

static void take(const fido_cred_t *cred, struct found *out)
{
    out->id_bytes = fido_cred_id_len(cred);
    out->key_bytes = fido_cred_pubkey_len(cred);
    out->count = fido_cred_sigcount(cred);
    out->alg = fido_cred_type(cred);
    out->good = out->id_bytes && out->id_bytes <= sizeof out->id && out->key_bytes &&
                out->key_bytes <= sizeof out->key &&
                fido_cred_aaguid_len(cred) == PASSKEY_AAGUID_BYTES;
    if (!out->good)
        return;
    memcpy(out->id, fido_cred_id_ptr(cred), out->id_bytes);
    memcpy(out->key, fido_cred_pubkey_ptr(cred), out->key_bytes);
    memcpy(out->aaguid, fido_cred_aaguid_ptr(cred), PASSKEY_AAGUID_BYTES);
}

/* The library reads a key only when told its algorithm: the three we take are tried. */
static const char *read_fresh(const struct statement *said, struct found *out)
{
    static const int algorithms[] = { COSE_ES256, COSE_EDDSA, COSE_RS256 };
    const char *wrong = "its kind of signature is not ES256, EdDSA or RS256";
    for (size_t i = 0; i < COUNT(algorithms) && !out->good; i++) {
        fido_cred_t *cred = fido_cred_new();
        bool read = cred && fido_cred_set_type(cred, algorithms[i]) == FIDO_OK &&
                    fido_cred_set_authdata_raw(cred, (const unsigned char *)said->auth_data.p,
                                               said->auth_data.n) == FIDO_OK;
        if (read && str_eq(said->format, S("packed")) &&
            !packed_verifies(cred, said, &out->attested))
            wrong = "its maker's signature does not fit";
        else if (read)
            take(cred, out);
        fido_cred_free(&cred);
    }
    return out->good ? NULL : wrong;
}

err passkey_check_fresh(struct ctx *cx, const struct passkey_site *site, str attestation,
                        str client_data, struct passkey_fresh *out)
{
    str format, data;
    struct statement said = { .client_hash = secret_sha256(cx->arena, client_data),
                              .rp_id = arena_cstr(cx->arena, site->rp_id) };
    struct cbor_head name, bytes;
    if (!cbor_member(attestation, S("fmt"), &format) || !cbor_read(&format, &name) ||
        !cbor_member(attestation, S("attStmt"), &said.statement) ||
        !cbor_member(attestation, S("authData"), &data) || !cbor_read(&data, &bytes) ||
        name.major != CBOR_TEXT || bytes.major != CBOR_BYTES)
        return refuse(cx, "what it sent cannot be read");
    said.format = name.content;
    said.auth_data = bytes.content;
    if (str_eq(said.format, S("none")) ? said.statement.n != 1
                                       : !str_eq(said.format, S("packed")))
        return refuse(cx, "it is vouched for in a way this server does not take");
    TRY(check_flags(cx, site, said.auth_data));
    struct found *found = arena_zero(cx->arena, sizeof *found);
    const char *wrong = read_fresh(&said, found);
    if (wrong)
        return refuse(cx, wrong);
    *out = (struct passkey_fresh){
        .id = { (char *)found->id, found->id_bytes },
        .key = { (char *)found->key, found->key_bytes },
        .aaguid = { (char *)found->aaguid, PASSKEY_AAGUID_BYTES },
        .alg = found->alg,
        .count = found->count,
        .flags = (unsigned char)said.auth_data.p[FLAGS_AT],
        .attested = found->attested,
    };
    return ERR_OK;
}

/* ---- a known key ---- */

static bool verify_with(const fido_assert_t *proof, const struct passkey_fresh *key)
{
    es256_pk_t *es256 = NULL;
    eddsa_pk_t *eddsa = NULL;
    rs256_pk_t *rs256 = NULL;
    bool good = false;
    if (key->alg == COSE_ES256 && (es256 = es256_pk_new()))
        good = es256_pk_from_ptr(es256, key->key.p, key->key.n) == FIDO_OK &&
               fido_assert_verify(proof, 0, COSE_ES256, es256) == FIDO_OK;
    else if (key->alg == COSE_EDDSA && (eddsa = eddsa_pk_new()))
        good = eddsa_pk_from_ptr(eddsa, key->key.p, key->key.n) == FIDO_OK &&
               fido_assert_verify(proof, 0, COSE_EDDSA, eddsa) == FIDO_OK;
    else if (key->alg == COSE_RS256 && (rs256 = rs256_pk_new()))
        good = rs256_pk_from_ptr(rs256, key->key.p, key->key.n) == FIDO_OK &&
               fido_assert_verify(proof, 0, COSE_RS256, rs256) == FIDO_OK;
    es256_pk_free(&es256);
    eddsa_pk_free(&eddsa);
    rs256_pk_free(&rs256);
    return good;
}

static bool fill(fido_assert_t *out, const char *rp_id, str hash, const struct passkey_proof *proof)
{
    return fido_assert_set_clientdata_hash(out, (const unsigned char *)hash.p, hash.n) == FIDO_OK &&
           fido_assert_set_rp(out, rp_id) == FIDO_OK && fido_assert_set_count(out, 1) == FIDO_OK &&
           fido_assert_set_up(out, FIDO_OPT_TRUE) == FIDO_OK &&
           fido_assert_set_uv(out, FIDO_OPT_TRUE) == FIDO_OK &&
           fido_assert_set_authdata_raw(out, 0, (const unsigned char *)proof->auth_data.p,
                                        proof->auth_data.n) == FIDO_OK &&
           fido_assert_set_sig(out, 0, (const unsigned char *)proof->signature.p,
                               proof->signature.n) == FIDO_OK;
}

err passkey_check_proof(struct ctx *cx, const struct passkey_site *site,
                        const struct passkey_fresh *key, const struct passkey_proof *proof,
                        struct passkey_fresh *out)
{
    TRY(check_flags(cx, site, proof->auth_data));
    str hash = secret_sha256(cx->arena, proof->client_data);
    const char *rp_id = arena_cstr(cx->arena, site->rp_id);
    fido_assert_t *said = fido_assert_new();
    bool good = said && fill(said, rp_id, hash, proof) && verify_with(said, key);
    uint32_t count = good ? fido_assert_sigcount(said, 0) : 0;
    fido_assert_free(&said);
    if (!good)
        return refuse(cx, "its signature does not fit");
    out->count = count;
    out->flags = (unsigned char)proof->auth_data.p[FLAGS_AT];
    return ERR_OK;
}
