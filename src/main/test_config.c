/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE config
#include "base/test.h"
#include "main/config.h"

static err read_sets(struct ctx *cx, const char *set, struct config *out)
{
    str text = str_of(set);
    cx->issues = (struct issues){ .arena = cx->arena };
    return config_read(cx, (str){ 0 }, &text, 1, out);
}

TEST(every_default_is_within_its_own_bounds)
{
    for (const struct config_key *key = config_keys; key->name; key++) {
        struct config config;
        str set = arena_printf(cx->arena, "%s=%s", key->name, key->fallback);
        EXPECT_INT(key->name, read_sets(cx, set.p, &config), ERR_OK);
    }
}

TEST(values_are_taken_or_refused)
{
    static const struct { const char *set; err err; } rows[] = {
        { "http.body_bytes=2M", ERR_OK },     { "http.body_bytes=2m", ERR_INVALID },
        { "http.body_bytes=-1", ERR_INVALID }, { "http.body_bytes=9999999999G", ERR_INVALID },
        { "http.idle_s=0", ERR_INVALID },     { "http.idle_s=30", ERR_OK },
        { "http.trust_proxy=on", ERR_OK },    { "http.trust_proxy=maybe", ERR_INVALID },
        { "http.nope=1", ERR_INVALID },       { "http.idle_s", ERR_INVALID },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct config config;
        EXPECT_INT(rows[i].set, read_sets(cx, rows[i].set, &config), rows[i].err);
        EXPECT(rows[i].set, rows[i].err == ERR_OK || cx->issues.kept > 0);
    }
}

TEST(a_size_may_have_a_unit)
{
    struct config config;
    EXPECT_INT("read", read_sets(cx, "http.body_bytes=2M", &config), ERR_OK);
    EXPECT_INT("2M", config_number(&config, "http.body_bytes"), 2 << 20);
    EXPECT_INT("default", config_number(&config, "http.url_bytes"), 16 << 10);
    EXPECT("switch", !config_switch(&config, "http.trust_proxy"));
}
