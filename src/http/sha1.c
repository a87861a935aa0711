/* SPDX-License-Identifier: Apache-2.0 */
#include "http/sha1.h"
#include <assert.h>
#include <string.h>

static uint32_t turn(uint32_t value, int bits)
{
    return value << bits | value >> (32 - bits);
}

static uint32_t mix(int step, uint32_t b, uint32_t c, uint32_t d)
{
    if (step < 20)
        return ((b & c) | (~b & d)) + 0x5a827999;
    if (step < 40)
        return (b ^ c ^ d) + 0x6ed9eba1;
    if (step < 60)
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    return (b ^ c ^ d) + 0xca62c1d6;
}

static void add_block(uint32_t state[5], const unsigned char *block)
{
    uint32_t w[80], s[5];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 80; i++)
        w[i] = turn(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    memcpy(s, state, sizeof s);
    for (int i = 0; i < 80; i++) {
        uint32_t next = turn(s[0], 5) + mix(i, s[1], s[2], s[3]) + s[4] + w[i];
        s[4] = s[3];
        s[3] = s[2];
        s[2] = turn(s[1], 30);
        s[1] = s[0];
        s[0] = next;
    }
    for (int i = 0; i < 5; i++)
        state[i] += s[i];
}

void sha1(str text, unsigned char out[SHA1_BYTES])
{
    uint32_t state[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
    unsigned char padded[512] = { 0 };
    assert(text.n <= SHA1_TEXT_MAX);
    memcpy(padded, text.p, text.n);
    padded[text.n] = 0x80;
    size_t blocks = (text.n + 8) / 64 + 1;
    uint64_t bits = (uint64_t)text.n * 8;
    for (size_t i = 0; i < 8; i++)
        padded[blocks * 64 - 1 - i] = (unsigned char)(bits >> (8 * i));
    for (size_t i = 0; i < blocks; i++)
        add_block(state, padded + 64 * i);
    for (int i = 0; i < 20; i++)
        out[i] = (unsigned char)(state[i / 4] >> (24 - i % 4 * 8));
}
