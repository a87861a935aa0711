/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE obs
#include "base/test.h"
#include "systems/obs/entry.h"
#include "systems/obs/rules.h"
#include "clinical/london.h"

#define MIN OBS_MINUTE_MS
#define AT(minute) ((int64_t)(minute) * OBS_MINUTE_MS)

/* clang-format off */
static const struct {
    const char *name; int total; bool red; int every_min; int rank;
} intervals[] = {
    { "0: twelve hours",            0, false, 720, 0 },
    { "1: six hours",               1, false, 360, 0 },
    { "4: six hours",               4, false, 360, 0 },
    { "3 in one: one hour",         3, true,   60, 1 },
    { "4 with a 3: one hour",       4, true,   60, 1 },
    { "5: one hour",                5, false,  60, 2 },
    { "6 with a 3: one hour",       6, true,   60, 2 },
    { "7: continuous, 30 minutes",  7, false,  30, 3 },
    { "20",                        20, true,   30, 3 },
};
/* clang-format on */

TEST(obs_next_set_is_due_by_what_the_last_one_scored)
{
    for (size_t i = 0; i < COUNT(intervals); i++) {
        struct obs_point point = { AT(100), intervals[i].total, intervals[i].red, true, false };
        struct obs_due due = obs_due_of(&point, 1, 0);
        EXPECT_INT(intervals[i].name, due.due_ms, AT(100 + intervals[i].every_min));
        EXPECT_INT(intervals[i].name, obs_rank(due.response), intervals[i].rank);
    }
}

TEST(obs_incomplete_set_lowers_nothing_and_does_not_count_as_taken)
{
    struct obs_point points[] = { { AT(50), 2, false, false, false },
                                  { AT(0), 7, false, true, false } };
    struct obs_due due = obs_due_of(points, 2, 0);
    EXPECT_INT("the higher holds", obs_rank(due.response), 3);
    EXPECT_INT("due from the complete one", due.due_ms, AT(30));
    EXPECT("said", due.incomplete);
    points[0].total = 9;
    points[1].total = 1;
    due = obs_due_of(points, 2, 0);
    EXPECT_INT("what it shows counts at once", obs_rank(due.response), 3);
    EXPECT_INT("from the complete one", due.due_ms, AT(30));
    due = obs_due_of(points, 1, 0);
    EXPECT_INT("no complete set: due now", due.due_ms, AT(50));
    points[0].red = true;
    points[0].total = 3;
    EXPECT_INT("a red part of a partial set", obs_rank(obs_asked(points, 2)), 1);
}

TEST(obs_without_a_set_is_due_since_the_stay_began)
{
    struct obs_due due = obs_due_of(NULL, 0, AT(7));
    EXPECT_INT("since", due.due_ms, AT(7));
    EXPECT("none", due.none && !due.response);
    struct obs_point child = { AT(1), 9, true, false, true };
    due = obs_due_of(&child, 1, 0);
    EXPECT("not on this chart", due.excluded && due.due_ms == INT64_MAX && !due.response);
}

/* The clocks go back at 01:00 UTC on 25 October 2026 and forward on 29 March 2026. */
TEST(obs_interval_is_the_same_on_the_nights_the_clocks_change)
{
    static const struct { const char *name; int month, day, hour; } nights[] = {
        { "autumn", 10, 25, 0 }, { "spring", 3, 29, 0 } };
    for (size_t i = 0; i < COUNT(nights); i++) {
        int64_t at = clock_from_civil((struct clock_civil){ 2026, nights[i].month, nights[i].day,
                                                            nights[i].hour, 30, 0, 0 });
        struct obs_point point = { at, 5, false, true, false };
        EXPECT_INT(nights[i].name, obs_due_of(&point, 1, 0).due_ms - at, 60 * MIN);
    }
}

/* clang-format off */
static const struct {
    const char *name; struct obs_situation now; enum obs_decision decision;
} decisions[] = {
    /*                      wanted latest open own other closed total at rev_ms rev_total */
    { "nothing to do",       { 0, true,  false, 0, 0, false, 2, 0, 0, 0 }, OBS_LEAVE },
    { "new and high",        { 3, true,  false, 0, 0, false, 7, 0, 0, 0 }, OBS_RAISE },
    { "late entry",          { 3, false, false, 0, 0, false, 7, 0, 0, 0 }, OBS_LEAVE },
    { "as high is open",     { 2, true,  false, 0, 2, false, 5, 0, 0, 0 }, OBS_LEAVE },
    { "lower is open",       { 3, true,  false, 0, 2, false, 7, 0, 0, 0 }, OBS_RAISE },
    { "later set lower",     { 0, true,  false, 0, 3, false, 1, 0, 0, 0 }, OBS_LEAVE },
    { "corrected away",      { 0, true,  true,  3, 0, false, 1, 0, 0, 0 }, OBS_CANCEL },
    { "corrected, not last", { 0, false, true,  3, 0, false, 1, 0, 0, 0 }, OBS_CANCEL },
    { "corrected up",        { 3, true,  true,  2, 0, false, 8, 0, 0, 0 }, OBS_RESTART },
    { "corrected down",      { 1, true,  true,  3, 0, false, 3, 0, 0, 0 }, OBS_RESTART },
    { "corrected, the same", { 3, true,  true,  3, 0, false, 8, 0, 0, 0 }, OBS_LEAVE },
    { "seen already",        { 3, true,  false, 3, 0, true,  8, 0, 0, 0 }, OBS_LEAVE },
    { "reviewed 239 min ago", { 2, true, false, 0, 0, false, 5, AT(239), 1, 5 }, OBS_LEAVE },
    { "reviewed 4 h ago",     { 2, true, false, 0, 0, false, 5, AT(240) + 1, 1, 5 }, OBS_RAISE },
    { "reviewed, but rose",   { 2, true, false, 0, 0, false, 6, AT(10), 1, 5 }, OBS_RAISE },
};
/* clang-format on */

TEST(obs_correction_ends_or_restarts_a_call_and_a_lower_set_does_not)
{
    for (size_t i = 0; i < COUNT(decisions); i++)
        EXPECT_INT(decisions[i].name, obs_decide(&decisions[i].now), decisions[i].decision);
}

TEST(obs_clock_climbs_when_nobody_answers)
{
    static const struct { const char *name; struct obs_clock clock; int64_t now; enum obs_act act; }
    rows[] = {
        { "a moment before", { OBS_TOLD, 1000, 0, 5000 }, 999, OBS_WAIT },
        { "in time",         { OBS_TOLD, 1000, 0, 5000 }, 1000, OBS_CLIMB },
        { "put off",         { OBS_SNOOZED, 1000, 3000, 5000 }, 2999, OBS_WAIT },
        { "put off, over",   { OBS_SNOOZED, 1000, 3000, 5000 }, 3000, OBS_TELL_AGAIN },
        { "answered",        { OBS_ANSWERED, 1000, 0, 5000 }, 4999, OBS_WAIT },
        { "nobody came",     { OBS_ANSWERED, 1000, 0, 5000 }, 5000, OBS_CHASE },
        { "no review asked", { OBS_ANSWERED, 1000, 0, 0 }, 999999, OBS_WAIT },
        { "ended",           { OBS_ENDED, 1000, 2000, 5000 }, 999999, OBS_WAIT },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_INT(rows[i].name, obs_clock_act(&rows[i].clock, rows[i].now), rows[i].act);
}

TEST(obs_ladder_has_steps_without_gaps_and_says_that_it_is_local)
{
    for (size_t i = 0; i < obs_ladder_count; i++)
        EXPECT(obs_ladder[i].role, !obs_ladder[i].confirmed && obs_ladder[i].answer_min > 0 &&
                                       obs_ladder[i].step < obs_steps(obs_ladder[i].rank));
    for (int rank = 1; rank < OBS_RANKS; rank++) {
        EXPECT("somebody", obs_steps(rank) >= 3);
        EXPECT_INT("once round", obs_answer_min(obs_step_at(rank, 0), obs_steps(rank) + 1),
                   obs_step_at(rank, 0)->answer_min);
        EXPECT_INT("for ever", obs_answer_min(obs_step_at(rank, 0), 100), OBS_AGAIN_MOST_MIN);
        EXPECT("ends", obs_step_at(rank, obs_steps(rank)) == NULL);
    }
    for (size_t i = 0; i < OBS_VITALS; i++)
        EXPECT(obs_vitals[i].name, obs_vitals[i].least <= obs_vitals[i].low &&
                                       obs_vitals[i].low < obs_vitals[i].high &&
                                       obs_vitals[i].high <= obs_vitals[i].most);
}

TEST(obs_units_are_converted_and_never_guessed)
{
    static const struct {
        const char *name; enum obs_vital vital; const char *text, *unit; bool good; int value;
    } rows[] = {
        { "Celsius", OBS_TEMP, "36.8", "C", true, 368 },
        { "half up", OBS_TEMP, "38.05", "C", true, 381 },
        { "Fahrenheit", OBS_TEMP, "98.6", "F", true, 370 },
        { "Fahrenheit, freezing", OBS_TEMP, "32", "F", true, 0 },
        { "Fahrenheit, 100.49 is 38.05", OBS_TEMP, "100.49", "F", true, 381 },
        { "Fahrenheit, 100.48 is 38.04", OBS_TEMP, "100.48", "F", true, 380 },
        { "kPa", OBS_SYSTOLIC, "16", "kPa", true, 120 },
        { "kPa 12.1", OBS_SYSTOLIC, "12.1", "kPa", true, 91 },
        { "mmHg", OBS_SYSTOLIC, "120", "mmHg", true, 120 },
        { "half a breath", OBS_RESP, "16.5", "", false, 0 },
        { "words", OBS_PULSE, "fast", "", false, 0 },
        { "negative", OBS_TEMP, "-3", "C", false, 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int value = 0;
        bool good = obs_vital_read(rows[i].vital, str_of(rows[i].text), str_of(rows[i].unit),
                                   &value);
        EXPECT_INT(rows[i].name, good, rows[i].good);
        if (rows[i].good)
            EXPECT_INT(rows[i].name, value, rows[i].value);
    }
}

/* What a set comes to is the same whether it is typed here or read back from another system. */
TEST(obs_value_in_an_unknown_unit_is_no_value)
{
    static const struct { const char *name, *json; enum obs_vital vital; int value; } rows[] = {
        { "Cel", "{\"value\":38.1,\"code\":\"Cel\"}", OBS_TEMP, 381 },
        { "degF", "{\"value\":98.6,\"code\":\"[degF]\"}", OBS_TEMP, 370 },
        { "kelvin", "{\"value\":310,\"code\":\"K\"}", OBS_TEMP, OBS_NONE },
        { "kPa saturation", "{\"value\":9.5,\"code\":\"kPa\"}", OBS_SPO2, OBS_NONE },
        { "at least", "{\"value\":90,\"code\":\"%\",\"comparator\":\"<\"}", OBS_SPO2, OBS_NONE },
        { "no number", "{\"code\":\"%\"}", OBS_SPO2, OBS_NONE },
        { "unit as text", "{\"value\":90,\"unit\":\"%\"}", OBS_SPO2, 90 },
        { "pulse in %", "{\"value\":90,\"code\":\"%\"}", OBS_PULSE, OBS_NONE },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json quantity;
        EXPECT_INT(rows[i].name, json_parse(cx, str_of(rows[i].json), &quantity), ERR_OK);
        EXPECT_INT(rows[i].name, obs_vital_value(cx, rows[i].vital, quantity), rows[i].value);
    }
}

TEST(obs_times_are_summed_up_by_rank)
{
    static const struct { const char *name; size_t count; double median, ninth; } rows[] = {
        { "one", 1, 1, 1 },     { "two", 2, 1.5, 2 },    { "nine", 9, 5, 9 },
        { "ten", 10, 5.5, 9 },  { "eleven", 11, 6, 10 }, { "twenty", 20, 10.5, 18 },
        { "twenty-one", 21, 11, 19 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        double values[21], again[21];
        for (size_t k = 0; k < rows[i].count; k++) /* 1 to count, not in order */
            values[k] = again[k] = (double)((k * 2) % rows[i].count + 1) +
                                   (rows[i].count % 2 == 0 && k * 2 >= rows[i].count ? 1 : 0);
        EXPECT_INT(rows[i].name, (int)(obs_median(values, rows[i].count) * 2),
                   (int)(rows[i].median * 2));
        EXPECT_INT(rows[i].name, (int)obs_ninth_tenth(again, rows[i].count), (int)rows[i].ninth);
    }
    EXPECT("none", obs_median(NULL, 0) != obs_median(NULL, 0));
    EXPECT("none", obs_ninth_tenth(NULL, 0) != obs_ninth_tenth(NULL, 0));
}
