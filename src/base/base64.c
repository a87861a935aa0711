/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

str base64_encode(struct arena *arena, str bytes)
{
    char *out = arena_alloc(arena, bytes.n / 3 * 4 + 5);
    size_t n = 0;
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (k < left ? (unsigned char)bytes.p[i + k] : 0u);
        for (size_t k = 0; k < 4; k++)
            out[n++] = k <= left ? letters[group >> (18 - 6 * k) & 63] : '=';
    }
    return (str){ out, n };
}

bool base64_decode(struct arena *arena, str text, str *out)
{
    char *bytes = arena_alloc(arena, text.n / 4 * 3 + 4);
    uint32_t group = 0;
    size_t count = 0, n = 0, pads = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
            continue;
        const char *at = c ? strchr(letters, c) : NULL;
        if (c == '=')
            pads++;
        else if (!at || pads)
            return false;
        group = group << 6 | (at ? (uint32_t)(at - letters) : 0u);
        if (++count % 4)
            continue;
        for (int shift = 16; shift >= 0; shift -= 8)
            bytes[n++] = (char)(group >> shift);
        if (pads > 2 || (group & (pads == 2 ? 0xffffu : pads ? 0xffu : 0u)))
            return false;
        n -= pads;
    }
    *out = (str){ bytes, n };
    return count % 4 == 0;
}
