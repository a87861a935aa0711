/* SPDX-License-Identifier: Apache-2.0 */
#include "http/reach.h"
#include <arpa/inet.h>
#include <netinet/in.h>

enum { V4_PREFIX_BITS = 96 };
static const unsigned char v4_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

struct wide {
    unsigned char bytes[16];
};

static bool widen(const struct sockaddr *address, struct wide *out)
{
    if (address->sa_family == AF_INET6) {
        memcpy(out->bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
        return true;
    }
    if (address->sa_family != AF_INET)
        return false;
    memcpy(out->bytes, v4_prefix, 12);
    memcpy(out->bytes + 12, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    return true;
}

static bool within(const unsigned char *bytes, const unsigned char *range, int bits)
{
    int whole = bits / 8, rest = bits % 8;
    if (memcmp(bytes, range, (size_t)whole) != 0)
        return false;
    return rest == 0 || (bytes[whole] ^ range[whole]) >> (8 - rest) == 0;
}

/* Everything in the registries that is not globally reachable, and multicast. */
static const struct { unsigned char bytes[4]; int bits; } private_v4[] = {
    { { 0, 0, 0, 0 }, 8 },       { { 10, 0, 0, 0 }, 8 },     { { 100, 64, 0, 0 }, 10 },
    { { 127, 0, 0, 0 }, 8 },     { { 169, 254, 0, 0 }, 16 }, { { 172, 16, 0, 0 }, 12 },
    { { 192, 0, 0, 0 }, 24 },    { { 192, 0, 2, 0 }, 24 },   { { 192, 88, 99, 0 }, 24 },
    { { 192, 168, 0, 0 }, 16 },  { { 198, 18, 0, 0 }, 15 },  { { 198, 51, 100, 0 }, 24 },
    { { 203, 0, 113, 0 }, 24 },  { { 224, 0, 0, 0 }, 4 },    { { 240, 0, 0, 0 }, 4 },
};

static bool v4_is_public(const unsigned char *bytes)
{
    for (size_t i = 0; i < COUNT(private_v4); i++)
        if (within(bytes, private_v4[i].bytes, private_v4[i].bits))
            return false;
    return true;
}

/* 2000::/3 alone is given out as global unicast; within it, ranges that lead elsewhere. */
static bool v6_is_public(const unsigned char *bytes)
{
    static const unsigned char global[1] = { 0x20 }, teredo[4] = { 0x20, 1, 0, 0 },
                               sixtofour[2] = { 0x20, 2 }, orchid[4] = { 0x20, 1, 0, 0x20 },
                               docs[4] = { 0x20, 1, 0x0d, 0xb8 }, docs2[3] = { 0x3f, 0xff, 0 },
                               nat64[12] = { 0, 0x64, 0xff, 0x9b };
    if (within(bytes, nat64, 96) || memcmp(bytes, v4_prefix, sizeof v4_prefix) == 0)
        return v4_is_public(bytes + 12);
    if (within(bytes, sixtofour, 16))
        return v4_is_public(bytes + 2);
    return within(bytes, global, 3) && !within(bytes, teredo, 32) && !within(bytes, orchid, 28) &&
           !within(bytes, docs, 32) && !within(bytes, docs2, 20);
}

bool reach_is_public(const struct sockaddr *address)
{
    struct wide wide;
    return widen(address, &wide) && v6_is_public(wide.bytes);
}

bool reach_is_loopback(const struct sockaddr *address)
{
    static const unsigned char v6[16] = { [15] = 1 };
    struct wide wide;
    if (!widen(address, &wide))
        return false;
    if (memcmp(wide.bytes, v4_prefix, sizeof v4_prefix) == 0)
        return wide.bytes[12] == 127;
    return memcmp(wide.bytes, v6, sizeof v6) == 0;
}

bool reach_lists(const struct reach *reach, const struct sockaddr *address)
{
    struct wide wide;
    if (!widen(address, &wide))
        return false;
    for (size_t i = 0; i < reach->count; i++)
        if (within(wide.bytes, reach->allowed[i].bytes, reach->allowed[i].bits))
            return true;
    return false;
}

static err read_range(struct ctx *cx, str word, struct reach_range *out)
{
    str address, rest = word;
    uint64_t bits = 0;
    bool v4, sized = str_find_char(word, '/') != STR_NONE;
    str_next(&rest, '/', &address);
    char text[INET6_ADDRSTRLEN];
    *out = (struct reach_range){ .bits = 128 };
    bool good = address.n < sizeof text;
    if (good) {
        memcpy(text, address.p, address.n);
        text[address.n] = '\0';
        v4 = inet_pton(AF_INET, text, out->bytes + 12) == 1;
        if (v4)
            memcpy(out->bytes, v4_prefix, 12);
        good = v4 || inet_pton(AF_INET6, text, out->bytes) == 1;
        if (good && sized) {
            good = str_to_u64(rest, &bits) && bits <= (v4 ? 32 : 128);
            out->bits = (int)bits + (v4 ? V4_PREFIX_BITS : 0);
        }
    }
    if (good)
        return ERR_OK;
    return ctx_failf(cx, ERR_INVALID, (str){ 0 }, "%.*s is no address or range; give such as "
                     "10.1.2.0/24 or 192.0.2.7", STR_ARG(word));
}

err reach_read(struct ctx *cx, str text, struct reach *out)
{
    str word;
    *out = (struct reach){ 0 };
    while (str_next(&text, ' ', &word)) {
        if (!word.n)
            continue;
        if (out->count == REACH_MAX)
            return ctx_failf(cx, ERR_INVALID, (str){ 0 }, "at most %d ranges", REACH_MAX);
        TRY(read_range(cx, word, &out->allowed[out->count++]));
    }
    return ERR_OK;
}
