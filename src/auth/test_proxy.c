/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE proxy
#include "base/test.h"
#include "auth/national.h"
#include "auth/proxy.h"
#include "base/clock.h"

TEST(proxy_consent_is_reviewed_at_11_13_and_16)
{
    static const struct { const char *name, *born, *made, *now; bool stands; } rows[] = {
        { "a small child",            "2020-03-10", "2024-01-01", "2026-11-22", true },
        { "the day before 11",        "2015-11-23", "2024-01-01", "2026-11-22", true },
        { "11 today, agreed before",  "2015-11-22", "2026-11-21", "2026-11-22", false },
        { "11 today, agreed today",   "2015-11-22", "2026-11-22", "2026-11-22", true },
        { "12, reviewed at 11",       "2014-05-05", "2025-06-01", "2026-11-22", true },
        { "13, reviewed at 11",       "2013-05-05", "2024-06-01", "2026-11-22", false },
        { "14, reviewed at 13",       "2012-05-05", "2025-06-01", "2026-11-22", true },
        { "16, reviewed at 13",       "2010-05-05", "2024-06-01", "2026-11-22", false },
        { "grown up, own consent",    "1940-05-05", "2024-06-01", "2026-11-22", true },
        { "grown up, parents' consent", "1990-05-05", "1999-06-01", "2026-11-22", false },
        { "born on 29 February",      "2012-02-29", "2025-02-28", "2026-11-22", false },
        { "birth date to the month",  "2020-03",    "2024-01-01", "2026-11-22", false },
        { "consent without date",     "2020-03-10", "",           "2026-11-22", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int year = (int)strtol(rows[i].now, NULL, 10);
        struct clock_civil now = { year, (int)strtol(rows[i].now + 5, NULL, 10),
                                   (int)strtol(rows[i].now + 8, NULL, 10), 12, 0, 0, 0 };
        EXPECT_INT(rows[i].name,
                   proxy_consent_stands(str_of(rows[i].born), str_of(rows[i].made),
                                        clock_from_civil(now)), rows[i].stands);
    }
}

TEST(national_rows_name_roles_and_known_levels_alone)
{
    for (size_t i = 0; i < national_rows_count; i++) {
        const struct role *role = role_find(str_of(national_rows[i].role));
        EXPECT(national_rows[i].code, role != NULL);
    }
    static const struct { const char *acr; int level; } levels[] = {
        { "AAL3_ANY", 3 }, { "AAL2_OR_AAL3_ANY", 2 }, { "AAL1_USERPASS", 1 }, { "", 0 },
        { "AAL3_ANY ", 0 }, { "aal3_any", 0 },
    };
    for (size_t i = 0; i < COUNT(levels); i++)
        EXPECT_INT(levels[i].acr, national_level(str_of(levels[i].acr)), levels[i].level);
}
