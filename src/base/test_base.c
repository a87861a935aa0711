/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE base
#include "base/test.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"

TEST(str_reads_numbers_to_the_last_one_that_fits)
{
    uint64_t big = 7;
    int64_t small = 7;
    EXPECT("max", str_to_u64(S("18446744073709551615"), &big) && big == UINT64_MAX);
    EXPECT("past max", !str_to_u64(S("18446744073709551616"), &big));
    EXPECT("empty", !str_to_u64(S(""), &big));
    EXPECT("sign alone", !str_to_i64(S("-"), &small));
    EXPECT("negative", str_to_i64(S("-12"), &small) && small == -12);
}

TEST(str_next_gives_empty_pieces_too)
{
    str rest = S("a,,b"), piece;
    EXPECT_INT("1", str_next(&rest, ',', &piece), true);
    EXPECT_STR("1", piece, S("a"));
    EXPECT_INT("2", str_next(&rest, ',', &piece), true);
    EXPECT_STR("2", piece, S(""));
    EXPECT_INT("3", str_next(&rest, ',', &piece), true);
    EXPECT_STR("3", piece, S("b"));
    EXPECT_INT("end", str_next(&rest, ',', &piece), false);
}

TEST(arena_jumps_when_its_cap_is_passed)
{
    struct arena arena = arena_make(100000);
    jmp_buf over;
    arena.over = &over;
    volatile size_t got = 0;
    if (setjmp(over) == 0)
        for (;;) {
            arena_alloc(&arena, 1000);
            got += 1000;
        }
    EXPECT("most of the cap was given", got > 80000 && got <= 100000);
    arena_free(&arena);
}

TEST(arena_rewind_gives_back_what_came_after)
{
    str kept = arena_copy(cx->arena, S("kept"));
    struct arena_mark mark = arena_mark(cx->arena);
    size_t before = cx->arena->total_bytes;
    for (int i = 0; i < 1000; i++)
        arena_alloc(cx->arena, 5000);
    arena_rewind(cx->arena, mark);
    EXPECT_INT("total", cx->arena->total_bytes, before);
    EXPECT_STR("kept", kept, S("kept"));
}

TEST(buf_stops_at_its_maximum)
{
    struct buf buf = buf_make(cx->arena, 5);
    buf_add(&buf, S("abc"));
    buf_add(&buf, S("def"));
    EXPECT("full", buf.full);
    EXPECT_STR("kept", buf_str(&buf), S("abc"));
}

TEST(map_finds_each_of_many)
{
    struct map map = map_make(cx->arena);
    for (uint64_t i = 0; i < 5000; i++)
        map_set(&map, arena_printf(cx->arena, "key %d", (int)i), i);
    uint64_t value = 0;
    EXPECT("found", map_get(&map, S("key 4321"), &value) && value == 4321);
    EXPECT("absent", !map_get(&map, S("key 5000"), &value));
    EXPECT("not added twice", !map_add(&map, S("key 1"), 9, &value) && value == 1);
}

TEST(clock_goes_there_and_back_over_four_centuries)
{
    for (int64_t day = -200000; day < 200000; day += 13) {
        int64_t at = day * 86400000 + 12345678;
        EXPECT_INT("day", clock_from_civil(clock_to_civil(at)), at);
    }
    char text[CLOCK_TEXT];
    clock_write(951782400000, text);
    EXPECT_STR("leap day", ((str){ text, CLOCK_TEXT }), S("2000-02-29T00:00:00.000Z"));
    EXPECT_INT("1900 is no leap year", clock_month_days(1900, 2), 28);
}
