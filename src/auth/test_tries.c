/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE tries
#include "auth/tries.h"
#include "base/test.h"

TEST(tries_hold_up_one_address_for_its_minute)
{
    struct tries *tries = tries_make(cx->arena, 3);
    int64_t now = 10 * TRIES_WINDOW_MS;
    for (int i = 0; i < 3; i++) {
        EXPECT("up to the limit", !tries_over(tries, S("192.0.2.1"), now));
        tries_note(tries, S("192.0.2.1"), now + i);
    }
    EXPECT("at the limit", tries_over(tries, S("192.0.2.1"), now + TRIES_WINDOW_MS - 1));
    EXPECT("another address", !tries_over(tries, S("192.0.2.2"), now));
    EXPECT("the next minute", !tries_over(tries, S("192.0.2.1"), now + TRIES_WINDOW_MS));
    tries_note(tries, S("192.0.2.1"), now + TRIES_WINDOW_MS);
    EXPECT("counts anew", !tries_over(tries, S("192.0.2.1"), now + TRIES_WINDOW_MS));
}

TEST(tries_without_a_limit_hold_up_nobody)
{
    struct tries *tries = tries_make(cx->arena, 0);
    for (int i = 0; i < 1000; i++)
        tries_note(tries, S("a"), 5);
    EXPECT("no limit", !tries_over(tries, S("a"), 5));
}
