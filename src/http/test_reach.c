/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE http_reach
#include "base/test.h"
#include "http/reach.h"
#include "http/sha1.h"
#include <arpa/inet.h>
#include <netinet/in.h>

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage out = { 0 };
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
    } else {
        v6->sin6_family = AF_INET6;
        cr_assert(inet_pton(AF_INET6, text, &v6->sin6_addr) == 1, "%s", text);
    }
    return out;
}

static bool is_public(const char *text)
{
    struct sockaddr_storage address = address_of(text);
    return reach_is_public((struct sockaddr *)&address);
}

/* Both sides of each edge. */
TEST(addresses_of_private_networks_are_not_public)
{
    static const struct { const char *text; bool open; } rows[] = {
        { "0.255.255.255", false },   { "1.0.0.0", true },          { "9.255.255.255", true },
        { "10.0.0.0", false },        { "10.255.255.255", false },  { "11.0.0.0", true },
        { "100.63.255.255", true },   { "100.64.0.0", false },      { "100.127.255.255", false },
        { "100.128.0.0", true },      { "126.255.255.255", true },  { "127.0.0.1", false },
        { "128.0.0.0", true },        { "169.253.255.255", true },  { "169.254.169.254", false },
        { "169.255.0.0", true },      { "172.15.255.255", true },   { "172.16.0.0", false },
        { "172.31.255.255", false },  { "172.32.0.0", true },       { "192.167.255.255", true },
        { "192.168.0.0", false },     { "192.169.0.0", true },      { "198.18.0.0", false },
        { "198.20.0.0", true },       { "223.255.255.255", true },  { "224.0.0.1", false },
        { "255.255.255.255", false }, { "::", false },              { "::1", false },
        { "::ffff:127.0.0.1", false },{ "::ffff:8.8.8.8", true },   { "64:ff9b::10.0.0.1", false },
        { "64:ff9b::8.8.8.8", true }, { "2002:7f00:1::", false },   { "2002:808:808::", true },
        { "fc00::1", false },         { "fdff::1", false },         { "fe80::1", false },
        { "ff02::1", false },         { "2001:db8::1", false },     { "2001:0:1::1", false },
        { "2606:4700::1111", true },  { "4000::1", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_INT(rows[i].text, is_public(rows[i].text), rows[i].open);
}

static bool lists(const struct reach *reach, const char *text)
{
    struct sockaddr_storage address = address_of(text);
    return reach_lists(reach, (struct sockaddr *)&address);
}

TEST(operator_allows_ranges)
{
    struct reach reach;
    EXPECT_INT("read", reach_read(cx, S(" 10.1.2.0/23 ::1  192.0.2.7"), &reach), ERR_OK);
    EXPECT_INT("three", reach.count, 3);
    EXPECT("first", lists(&reach, "10.1.2.0") && lists(&reach, "10.1.3.255"));
    EXPECT("beside", !lists(&reach, "10.1.1.255") && !lists(&reach, "10.1.4.0"));
    EXPECT("one", lists(&reach, "192.0.2.7") && !lists(&reach, "192.0.2.8"));
    EXPECT("mapped", lists(&reach, "::ffff:10.1.2.3"));
    EXPECT("six", lists(&reach, "::1") && !lists(&reach, "::2"));
    EXPECT_INT("empty", reach_read(cx, S(""), &reach), ERR_OK);
    EXPECT("nothing", !lists(&reach, "10.1.2.0"));
    static const char *const bad[] = { "10.0.0", "10.0.0.0/33", "::/129", "host", "1.2.3.4/x",
                                       "/8" };
    for (size_t i = 0; i < COUNT(bad); i++)
        EXPECT_INT(bad[i], reach_read(cx, str_of(bad[i]), &reach), ERR_INVALID);
}

/* FIPS 180 examples, RFC 6455's own, and the lengths where a block is added. */
TEST(sha1_is_as_published)
{
    char long_text[120];
    memset(long_text, 'a', sizeof long_text);
    const struct { str text; const char *hex; } rows[] = {
        { S(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
        { S("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d" },
        { S("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"),
          "b37a4f2cc0624f1690f64606cf385945b2bec4ea" },
        { { long_text, 55 }, "c1c8bbdc22796e28c0e15163d20899b65621d65a" },
        { { long_text, 56 }, "c2db330f6083854c99d4b5bfb6e8f29f201be699" },
        { { long_text, 64 }, "0098ba824b5c16427bd7a1122a5a442a25ec644d" },
        { { long_text, 119 }, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned char sum[SHA1_BYTES];
        char hex[2 * SHA1_BYTES + 1];
        sha1(rows[i].text, sum);
        for (size_t k = 0; k < SHA1_BYTES; k++)
            snprintf(hex + 2 * k, 3, "%02x", sum[k]);
        EXPECT_STR("digest", str_of(hex), str_of(rows[i].hex));
    }
}
