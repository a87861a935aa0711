/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE narrative
#include "base/test.h"
#include "systems/record/narrative.h"

TEST(what_was_typed_is_what_is_read)
{
    static const char *const rows[] = {
        "", "One line", "Two\nlines", "A paragraph\n\nand another\nof two lines",
        "K+ < 3.5 & rising > 2, \"quoted\"", "<script>alert(1)</script>", "&lt; stays so",
        "caf\xc3\xa9",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str div = narrative_write(cx->arena, str_of(rows[i]));
        EXPECT_STR(rows[i], narrative_read(cx->arena, div), str_of(rows[i]));
        EXPECT(rows[i], str_find(div, S("<script")) == STR_NONE);
    }
    EXPECT_STR("windows line ends", narrative_read(cx->arena, narrative_write(cx->arena,
               S("a\r\nb"))), S("a\nb"));
}

TEST(narratives_of_others_become_lines)
{
    EXPECT_STR("list", narrative_read(cx->arena, S("<div><ul><li>One</li><li>Two</li></ul></div>")),
               S("- One\n- Two"));
    EXPECT_STR("heading", narrative_read(cx->arena, S("<div><h2>Plan</h2><p>Go <b>home</b></p>"
                                                      "</div>")), S("Plan\nGo home"));
    EXPECT_STR("broken", narrative_read(cx->arena, S("a < b")), S("a < b"));
}
