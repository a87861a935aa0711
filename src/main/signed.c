/* SPDX-License-Identifier: Apache-2.0 */
#include "main/signed.h"
#include "base/base64.h"
#include "main/read_file.h"
#include <sodium.h>

enum { PREFIX_BYTES = 12, KEY_BYTES = PREFIX_BYTES + crypto_sign_PUBLICKEYBYTES };

/* RFC 8410: every Ed25519 SubjectPublicKeyInfo begins with these bytes; the key follows. */
static const unsigned char prefix[PREFIX_BYTES] = {
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
};

static bool is_key(str der)
{
    return der.n == KEY_BYTES && memcmp(der.p, prefix, PREFIX_BYTES) == 0;
}

static err read_key(struct ctx *cx, str path, const unsigned char **out)
{
    str text, line, der = { 0 }, letters = { 0 };
    TRY(read_file(cx, path, &text));
    while (str_next(&text, '\n', &line) && !str_starts(line, S("-----BEGIN PUBLIC KEY-----")))
        continue;
    (void)str_next(&text, '\n', &letters);
    if (!base64_decode(cx->arena, letters, &der) || !is_key(der) ||
        !str_starts(text, S("-----END PUBLIC KEY-----")))
        return ctx_failf(cx, ERR_INVALID, S("key"), "%.*s is no Ed25519 public key in PEM",
                         STR_ARG(path));
    *out = (const unsigned char *)der.p + PREFIX_BYTES;
    return ERR_OK;
}

static err read_signature(struct ctx *cx, str path, const unsigned char **out)
{
    str raw, decoded;
    if (read_file(cx, path, &raw))
        return ctx_failf(cx, ERR_RULE, S("table"), "not signed: there is no signature in %.*s",
                         STR_ARG(path));
    if (raw.n != crypto_sign_BYTES && base64_decode(cx->arena, str_trim(raw), &decoded))
        raw = decoded;
    if (raw.n != crypto_sign_BYTES)
        return ctx_failf(cx, ERR_RULE, S("table"), "%.*s is not an Ed25519 signature",
                         STR_ARG(path));
    *out = (const unsigned char *)raw.p;
    return ERR_OK;
}

err signed_read(struct ctx *cx, str path, str signature_path, str key_path, str *out)
{
    const unsigned char *key = NULL, *signature = NULL;
    str text;
    TRY(read_file(cx, path, &text));
    TRY(read_key(cx, key_path, &key));
    TRY(read_signature(cx, signature_path, &signature));
    if (sodium_init() < 0 ||
        crypto_sign_verify_detached(signature, (const unsigned char *)text.p, text.n, key) != 0)
        return ctx_fail(cx, ERR_RULE, S("table"),
                        S("the signature does not hold: the table was changed after it was signed, "
                          "or signed with another key"));
    *out = text;
    return ERR_OK;
}
