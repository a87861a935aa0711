/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/secret.h"
#include "base/random.h"
#include <sodium.h>

enum { SECRET_BYTES = 32 };

bool secret_ready(void)
{
    return sodium_init() >= 0;
}

void secret_random(void *out, size_t bytes)
{
    random_secret(out, bytes);
}

str secret_base64url(struct arena *arena, str bytes)
{
    const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    size_t room = sodium_base64_encoded_len(bytes.n, variant);
    char *text = arena_alloc(arena, room);
    sodium_bin2base64(text, room, (const unsigned char *)bytes.p, bytes.n, variant);
    return (str){ text, room - 1 };
}

bool secret_from_base64url(struct arena *arena, str text, str *out)
{
    unsigned char *bytes = arena_alloc(arena, text.n + 1);
    size_t count;
    if (sodium_base642bin(bytes, text.n, text.p, text.n, NULL, &count, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return false;
    *out = (str){ (char *)bytes, count };
    return true;
}

str secret_text(struct arena *arena)
{
    char bytes[SECRET_BYTES];
    secret_random(bytes, sizeof bytes);
    return secret_base64url(arena, (str){ bytes, sizeof bytes });
}

str secret_hash(struct arena *arena, str secret)
{
    unsigned char *hash = arena_alloc(arena, SECRET_HASH_BYTES);
    crypto_generichash(hash, SECRET_HASH_BYTES, (const unsigned char *)secret.p, secret.n, NULL, 0);
    return (str){ (char *)hash, SECRET_HASH_BYTES };
}

str secret_sha256(struct arena *arena, str text)
{
    unsigned char *hash = arena_alloc(arena, crypto_hash_sha256_BYTES);
    crypto_hash_sha256(hash, (const unsigned char *)text.p, text.n);
    return (str){ (char *)hash, crypto_hash_sha256_BYTES };
}

bool secret_same(str a, str b)
{
    return a.n == b.n && (a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0);
}

str secret_sign(struct arena *arena, str key, str text)
{
    crypto_auth_hmacsha256_state state;
    unsigned char sum[crypto_auth_hmacsha256_BYTES];
    char *hex = arena_alloc(arena, 2 * sizeof sum + 1);
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.p, key.n);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text.p, text.n);
    crypto_auth_hmacsha256_final(&state, sum);
    sodium_bin2hex(hex, 2 * sizeof sum + 1, sum, sizeof sum);
    return (str){ hex, 2 * sizeof sum };
}
