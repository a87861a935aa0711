/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE beds
#include "base/test.h"
#include "clinical/london.h"
#include "systems/beds/allocate.h"
#include "systems/beds/census.h"
#include "systems/beds/forecast.h"
#include <math.h>

static int64_t day_of(int year, int month, int day)
{
    return london_day(london_instant((struct clock_civil){ year, month, day, 12, 0, 0, 0 }));
}

static int64_t at(int year, int month, int day, int hour, int minute)
{
    return london_instant((struct clock_civil){ year, month, day, hour, minute, 0, 0 });
}

TEST(beds_state_machine_allows_only_the_cycle)
{
    static const struct { enum beds_state from; enum beds_event event; int to; } rows[] = {
        { BEDS_AVAILABLE, BEDS_RESERVE, BEDS_RESERVED },
        { BEDS_RESERVED, BEDS_OCCUPY, BEDS_OCCUPIED },
        { BEDS_RESERVED, BEDS_RELEASE, BEDS_AVAILABLE },
        { BEDS_AVAILABLE, BEDS_OCCUPY, BEDS_OCCUPIED },
        { BEDS_OCCUPIED, BEDS_VACATE, BEDS_DIRTY },
        { BEDS_DIRTY, BEDS_CLEAN_BEGIN, BEDS_CLEANING },
        { BEDS_DIRTY, BEDS_CLEAN_END, BEDS_AVAILABLE },
        { BEDS_CLEANING, BEDS_CLEAN_END, BEDS_AVAILABLE },
        { BEDS_AVAILABLE, BEDS_CLOSE, BEDS_CLOSED },
        { BEDS_CLOSED, BEDS_OPEN, BEDS_DIRTY },
        { BEDS_DIRTY, BEDS_CLOSE, BEDS_CLOSED }, { BEDS_CLEANING, BEDS_CLOSE, BEDS_CLOSED },
        { BEDS_AVAILABLE, BEDS_FIND_DIRTY, BEDS_DIRTY },
        { BEDS_CLEANING, BEDS_FIND_DIRTY, BEDS_DIRTY },
    };
    int allowed = 0;
    for (enum beds_state s = 0; s < BEDS_STATES; s++)
        for (enum beds_event e = 0; e < BEDS_EVENTS; e++) {
            int expected = -1;
            enum beds_state to;
            for (size_t i = 0; i < COUNT(rows); i++)
                if (rows[i].from == s && rows[i].event == e)
                    expected = rows[i].to;
            err got = beds_next(&cx->issues, s, e, &to);
            EXPECT_INT(beds_event_name(e), got, expected < 0 ? ERR_RULE : ERR_OK);
            if (got == ERR_OK)
                EXPECT_INT(beds_event_name(e), to, expected);
            allowed += got == ERR_OK;
        }
    EXPECT_INT("allowed", allowed, COUNT(rows));
}

TEST(beds_state_is_what_the_stays_say)
{
    EXPECT_INT("ghost", beds_state_of('O', false, false), BEDS_AVAILABLE);
    EXPECT_INT("held though closed", beds_state_of('C', true, false), BEDS_OCCUPIED);
    EXPECT_INT("closed", beds_state_of('C', false, false), BEDS_CLOSED);
    EXPECT_INT("dirty", beds_state_of('K', false, false), BEDS_DIRTY);
    EXPECT_INT("nothing known", beds_state_of(0, false, false), BEDS_AVAILABLE);
    EXPECT_INT("kept", beds_state_of('U', false, true), BEDS_RESERVED);
    EXPECT_INT("after isolation", beds_clean_after(true, false), BEDS_CLEAN_INFECTION);
    EXPECT_INT("after an outbreak", beds_clean_after(true, true), BEDS_CLEAN_DEEP);
}

static bool has(const struct beds_suggestion *s, enum beds_refusal reason)
{
    for (size_t i = 0; i < s->reasons_count; i++)
        if (s->reasons[i] == reason)
            return true;
    return false;
}

#define WOMAN                                                                                      \
    { .specialty = S("300"), .sex = BEDS_FEMALE, .age_years = 70,                                  \
      .isolation = BEDS_ISOLATION_NONE }
#define BED { .specialty = S("300"), .oxygen = true }

TEST(beds_allocation_stops_what_must_not_be)
{
    struct { const char *name; struct beds_request r; struct beds_bed b; int reason; } rows[] = {
        { "fits", WOMAN, BED, -1 }, { "occupied", WOMAN, BED, BEDS_IS_OCCUPIED },
        { "closed", WOMAN, BED, BEDS_IS_CLOSED }, { "dirty", WOMAN, BED, BEDS_IS_DIRTY },
        { "reserved", WOMAN, BED, BEDS_IS_RESERVED },
        { "men's bay", WOMAN, BED, BEDS_MIXED_SEX },
        { "bay with a man in it", WOMAN, BED, BEDS_MIXED_SEX },
        { "men's side room", WOMAN, BED, -1 },
        { "sex not known, women's bay", WOMAN, BED, BEDS_SEX_UNKNOWN },
        { "child in an adult bed", WOMAN, BED, BEDS_ADULT_ONLY },
        { "adult in a child's bed", WOMAN, BED, BEDS_CHILD_ONLY },
        { "16 is an adult", WOMAN, BED, -1 },
        { "infection in a bay", WOMAN, BED, BEDS_NEEDS_SIDE_ROOM },
        { "airborne in a side room", WOMAN, BED, BEDS_NEEDS_PRESSURE },
        { "closed bay", WOMAN, BED, BEDS_BAY_CLOSED },
        { "no monitor", WOMAN, BED, BEDS_NEEDS_MONITOR },
        { "own reservation", WOMAN, BED, -1 },
    };
    rows[1].b.state = BEDS_OCCUPIED;
    rows[2].b.state = BEDS_CLOSED;
    rows[3].b.state = BEDS_DIRTY;
    rows[4].b.state = BEDS_RESERVED;
    rows[5].b.sex = BEDS_MALE;
    rows[6].b.bay_occupants = BEDS_MALE;
    rows[7].b.side_room = true;
    rows[7].b.sex = BEDS_MALE;
    rows[7].r.isolation = BEDS_ISOLATION_NEEDED;
    rows[8].b.sex = BEDS_FEMALE;
    rows[8].r.sex = BEDS_SEX_ANY;
    rows[9].r.age_years = 15;
    rows[10].b.paediatric = true;
    rows[11].r.age_years = 16;
    rows[12].r.isolation = BEDS_ISOLATION_NEEDED;
    rows[13].r.isolation = BEDS_ISOLATION_NEEDED;
    rows[13].r.airborne = rows[13].b.side_room = true;
    rows[14].b.bay_closed = true;
    rows[15].r.needs_monitor = true;
    rows[16].b.state = BEDS_RESERVED;
    rows[16].b.held_by = rows[16].r.reserved_stay = S("Encounter/1");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct beds_suggestion s = beds_judge(&rows[i].r, &rows[i].b);
        EXPECT_INT(rows[i].name, s.hard_count, rows[i].reason >= 0);
        if (rows[i].reason >= 0)
            EXPECT(rows[i].name, has(&s, (enum beds_refusal)rows[i].reason));
    }
}

TEST(beds_allocation_ranks_and_explains)
{
    struct beds_request woman = WOMAN;
    struct beds_bed beds[] = { BED, BED, BED, BED, BED };
    struct beds_suggestion order[COUNT(beds)];
    beds[0].specialty = S("100");   /* outlier */
    beds[1].side_room = true;       /* would spend a side room */
    beds[2].state = BEDS_OCCUPIED;
    beds[4].state = BEDS_CLEANING;
    beds_suggest(&woman, beds, COUNT(beds), order);
    static const size_t expected[] = { 3, 1, 4, 0, 2 };
    for (size_t i = 0; i < COUNT(beds); i++)
        EXPECT_INT("place", order[i].bed, expected[i]);
    EXPECT("why", has(&order[1], BEDS_SIDE_ROOM_WASTED) && has(&order[2], BEDS_BEING_CLEANED) &&
                      has(&order[3], BEDS_OUTLIER));
    for (enum beds_refusal r = 0; r < BEDS_REFUSALS; r++)
        EXPECT("every reason has words", beds_refusals[r].code && beds_refusals[r].text);
}

#define M BEDS_RESIDE_MEETS
#define N BEDS_RESIDE_NOT
#define U BEDS_RESIDE_UNKNOWN

TEST(beds_discharge_ready_date_is_the_start_of_the_final_period)
{
    static const struct {
        const char *name; int admitted, discharged; struct beds_round rounds[5]; int ready, delay;
    } rows[] = { /* days of January; 0: none */
        { "domain example", 1, 10, { { 1, M }, { 3, N }, { 5, M }, { 8, N } }, 8, 2 },
        { "stays ready", 1, 10, { { 1, M }, { 3, N }, { 5, N }, { 8, N } }, 3, 7 },
        { "a round without answer", 1, 10, { { 1, M }, { 3, N }, { 5, U } }, 3, 7 },
        { "never ready", 1, 10, { { 1, M }, { 3, M } }, 0, 0 },
        { "no rounds", 1, 10, { { 0 } }, 0, 0 },
        { "ready on the day", 1, 10, { { 10, N } }, 10, 0 },
        { "still in, on the 20th", 1, 0, { { 1, M }, { 15, N } }, 15, 5 },
        { "no night", 4, 4, { { 4, N } }, 0, 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct beds_dates dates = { rows[i].admitted,
                                    rows[i].discharged ? rows[i].discharged : BEDS_NO_DAY, 20 };
        struct beds_ready ready = { 0 };
        size_t count = 0;
        while (count < 5 && rows[i].rounds[count].day)
            count++;
        EXPECT_INT(rows[i].name, beds_ready(&cx->issues, &dates, rows[i].rounds, count, &ready),
                   ERR_OK);
        EXPECT_INT(rows[i].name, ready.day, rows[i].ready ? rows[i].ready : BEDS_NO_DAY);
        EXPECT_INT(rows[i].name, ready.delay_days, rows[i].delay);
    }
    struct beds_round late = { 12, N };
    struct beds_dates dates = { 1, 10, 20 };
    struct beds_ready ready;
    EXPECT_INT("after discharge", beds_ready(&cx->issues, &dates, &late, 1, &ready), ERR_INVALID);
}

TEST(beds_criteria_to_reside_at_their_edges)
{
    const struct beds_needs none = { .assessed = true, .lower_limb_surgery_hours = -1,
                                     .body_surgery_hours = -1, .procedure_hours = -1 };
    struct { const char *name; struct beds_needs needs; enum beds_reside answer; } rows[] = {
        { "nothing", none, BEDS_RESIDE_NOT }, { "NEWS2 3", none, BEDS_RESIDE_NOT },
        { "NEWS2 4", none, BEDS_RESIDE_MEETS }, { "usual 4", none, BEDS_RESIDE_NOT },
        { "limb 47 h", none, BEDS_RESIDE_MEETS }, { "limb 48 h", none, BEDS_RESIDE_NOT },
        { "body 71 h", none, BEDS_RESIDE_MEETS }, { "body 72 h", none, BEDS_RESIDE_NOT },
        { "procedure 23 h", none, BEDS_RESIDE_MEETS }, { "24 h", none, BEDS_RESIDE_NOT },
        { "not assessed", none, BEDS_RESIDE_UNKNOWN }, { "no NEWS2", none, BEDS_RESIDE_UNKNOWN },
        { "no NEWS2 but oxygen", none, BEDS_RESIDE_MEETS },
    };
    rows[1].needs.news2 = 3;
    rows[2].needs.news2 = rows[3].needs.news2 = 4;
    rows[3].needs.news2_usual = true;
    rows[4].needs.lower_limb_surgery_hours = 47;
    rows[5].needs.lower_limb_surgery_hours = 48;
    rows[6].needs.body_surgery_hours = 71;
    rows[7].needs.body_surgery_hours = 72;
    rows[8].needs.procedure_hours = 23;
    rows[9].needs.procedure_hours = 24;
    rows[10].needs.assessed = false;
    rows[11].needs.news2 = rows[12].needs.news2 = -1;
    rows[12].needs.oxygen_or_niv = true;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t met;
        EXPECT_INT(rows[i].name, beds_reside(&rows[i].needs, &met), rows[i].answer);
        EXPECT_INT(rows[i].name, met != 0, rows[i].answer == BEDS_RESIDE_MEETS);
    }
    EXPECT_INT("back to the care home", beds_pathway_of(false, false, false), 0);
    EXPECT_INT("new care home", beds_pathway_of(true, false, true), 3);
}

TEST(beds_census_counts_nights_of_23_and_25_hours_once)
{
    struct beds_place place = { .open_to_ms = BEDS_STILL_IN };
    struct { const char *name; int64_t from, to, first, after; size_t nights; } rows[] = {
        { "one ordinary night", at(2026, 1, 5, 14, 0), at(2026, 1, 6, 10, 0), day_of(2026, 1, 1),
          day_of(2026, 2, 1), 1 },
        { "none", at(2026, 1, 5, 0, 1), at(2026, 1, 5, 23, 59), day_of(2026, 1, 1),
          day_of(2026, 2, 1), 0 },
        { "out at midnight", at(2026, 1, 5, 14, 0), at(2026, 1, 6, 0, 0), day_of(2026, 1, 1),
          day_of(2026, 2, 1), 0 },
        { "in at midnight", at(2026, 1, 6, 0, 0), at(2026, 1, 6, 12, 0), day_of(2026, 1, 1),
          day_of(2026, 2, 1), 1 },
        { "spring", at(2026, 3, 28, 12, 0), at(2026, 3, 30, 12, 0), day_of(2026, 3, 1),
          day_of(2026, 4, 1), 2 },
        { "autumn", at(2026, 10, 24, 12, 0), at(2026, 10, 26, 12, 0), day_of(2026, 10, 1),
          day_of(2026, 11, 1), 2 },
        { "31 March in summer time", at(2026, 3, 31, 23, 30), at(2026, 4, 1, 0, 30),
          day_of(2026, 3, 1), day_of(2026, 4, 1), 1 },
        { "cut by the quarter", at(2026, 3, 30, 12, 0), BEDS_STILL_IN, day_of(2026, 1, 1),
          day_of(2026, 4, 1), 2 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct beds_span span = { .from_ms = rows[i].from, .to_ms = rows[i].to };
        struct beds_hospital hospital = { &place, 1, &span, 1 };
        struct beds_count days = beds_bed_days(&hospital, BEDS_GENERAL_ACUTE, rows[i].first,
                                               rows[i].after);
        EXPECT_INT(rows[i].name, days.occupied, rows[i].nights);
        EXPECT_INT(rows[i].name, days.available, rows[i].after - rows[i].first);
        size_t one_by_one = 0; /* the second formulation: ask at each midnight */
        for (int64_t day = rows[i].first; day < rows[i].after; day++)
            one_by_one += beds_count_at(&hospital, BEDS_GENERAL_ACUTE,
                                        london_midnight(day + 1)).occupied;
        EXPECT_INT(rows[i].name, one_by_one, rows[i].nights);
    }
}

/* A day with known states: the row exactly. */
TEST(beds_sitrep_row_of_a_known_day)
{
    int64_t long_ago = at(2026, 1, 1, 0, 0), day = day_of(2026, 3, 10);
    struct beds_place places[] = {
        { BEDS_GENERAL_ACUTE, false, false, long_ago, BEDS_STILL_IN },
        { BEDS_GENERAL_ACUTE, false, true, at(2026, 3, 10, 7, 0), BEDS_STILL_IN }, /* escalation */
        { BEDS_GENERAL_ACUTE, true, false, long_ago, BEDS_STILL_IN },
        { BEDS_CRITICAL, false, false, long_ago, BEDS_STILL_IN },
        { BEDS_MATERNITY, false, false, long_ago, BEDS_STILL_IN },
        { BEDS_GENERAL_ACUTE, false, false, long_ago, at(2026, 3, 10, 6, 0) }, /* closed at 6 */
    };
    int64_t yesterday = at(2026, 3, 9, 10, 0), old = at(2026, 2, 16, 23, 50);
    struct beds_span spans[] = {
        { 0, 1, old, BEDS_STILL_IN, old, BEDS_STILL_IN, false, false },            /* 22 days */
        { 1, 2, at(2026, 3, 10, 7, 30), BEDS_STILL_IN, yesterday, BEDS_STILL_IN, false, false },
        { 3, 2, yesterday, at(2026, 3, 10, 7, 30), yesterday, BEDS_STILL_IN, false, false },
        { 2, 3, at(2026, 3, 3, 1, 0), BEDS_STILL_IN, at(2026, 3, 3, 1, 0), BEDS_STILL_IN, false,
          false },
        { 4, 4, yesterday, BEDS_STILL_IN, yesterday, BEDS_STILL_IN, false, false }, /* maternity */
        { 5, 5, old, at(2026, 3, 9, 23, 59), old, at(2026, 3, 9, 23, 59), false, false },
        { 0, 6, yesterday, yesterday + 3600000, yesterday, yesterday + 3600000, false, true },
    };
    struct beds_hospital hospital = { places, COUNT(places), spans, COUNT(spans) };
    struct beds_sitrep row = beds_sitrep(&hospital, day);
    EXPECT_INT("adult core", row.adult.core_open, 1);
    EXPECT_INT("adult escalation", row.adult.escalation_open, 1);
    EXPECT_INT("adult occupied", row.adult.occupied, 2);
    EXPECT_INT("child core", row.child.core_open, 1);
    EXPECT_INT("child occupied", row.child.occupied, 1);
    EXPECT_INT("critical open", row.critical.available, 1);
    EXPECT_INT("critical occupied", row.critical.occupied, 0);
    EXPECT_INT("admissions", row.admissions, 1);
    EXPECT_INT("discharges", row.discharges, 1);
    EXPECT_INT("7+", row.long_stays.days_7, 2);
    EXPECT_INT("14+", row.long_stays.days_14, 1);
    EXPECT_INT("21+", row.long_stays.days_21, 1);
    EXPECT("amend on the 14th day", beds_sitrep_is_open(day, at(2026, 3, 24, 23, 59)));
    EXPECT("not on the 15th", !beds_sitrep_is_open(day, at(2026, 3, 25, 0, 0)));
    EXPECT_INT("due", beds_sitrep_due_ms(day), at(2026, 3, 10, 11, 0));
}

TEST(beds_forecast_is_a_distribution_that_scores_well_when_true)
{
    struct beds_history *history = arena_zero(cx->arena, sizeof *history);
    struct beds_outlook *outlook = arena_zero(cx->arena, sizeof *outlook);
    struct beds_known stays[1000];
    struct beds_inpatient in[40];
    for (int i = 0; i < 1000; i++)
        stays[i] = (struct beds_known){ 1 + (int)(-72 * log(1 - random_unit(cx->random))),
                                        (int)random_below(cx->random, BEDS_WEEK_HOURS), true,
                                        BEDS_NO_EDD };
    beds_history_make(stays, 1000, 10, history);
    for (int i = 0; i < 40; i++)
        in[i] = (struct beds_inpatient){ i * 3, BEDS_NO_EDD };
    beds_forecast(history, in, 40, 5, 24, outlook);
    double sum = 0, mean = 0;
    for (size_t k = 0; k < BEDS_FORECAST_MAX; k++) {
        sum += outlook->p[k];
        mean += outlook->p[k] * (double)k;
    }
    EXPECT("adds up to one", fabs(sum - 1) < 1e-9);
    EXPECT("mean is the mean", fabs(mean - outlook->mean) < 1e-6);
    EXPECT("about 29 stay and 12 of 14 come and stay",
           outlook->mean > 34 && outlook->mean < 48);
    EXPECT("at least none", fabs(beds_outlook_at_least(outlook, 0) - 1) < 1e-9);
    size_t low = beds_outlook_quantile(outlook, 0.1), high = beds_outlook_quantile(outlook, 0.9);
    EXPECT("an interval", low < (size_t)outlook->mean && high > (size_t)outlook->mean);
    EXPECT("the truth scores better", beds_crps(outlook, (size_t)outlook->mean) <
                                          beds_crps(outlook, (size_t)outlook->mean + 20));
    EXPECT("half way", fabs(beds_pit(outlook, beds_outlook_quantile(outlook, 0.5)) - 0.5) < 0.1);
}

/* Worked by hand: three stays of 1, 3 and (still in after) 2 hours. In hour 1 one of three leaves,
 * in hour 3 the one that is left. */
TEST(beds_survival_counts_those_still_in)
{
    struct beds_history *history = arena_zero(cx->arena, sizeof *history);
    const struct beds_known stays[] = { { 1, 0, true, BEDS_NO_EDD }, { 3, 0, true, BEDS_NO_EDD },
                                        { 2, 0, false, BEDS_NO_EDD } };
    beds_history_make(stays, 3, 1, history);
    EXPECT("an hour", fabs(history->stays_longer[0] - 1) < 1e-12);
    EXPECT("two of three", fabs(history->stays_longer[1] - 2.0 / 3) < 1e-12);
    EXPECT("still two thirds", fabs(history->stays_longer[2] - 2.0 / 3) < 1e-12);
    EXPECT("nobody", history->stays_longer[3] == 0);
    EXPECT("arrivals", fabs(history->arrivals_per_hour[0] - 3) < 1e-12);
    EXPECT_INT("ended", history->stays_count, 2);
}

TEST(beds_forecast_edges)
{
    struct beds_history *history = arena_zero(cx->arena, sizeof *history);
    struct beds_outlook *outlook = arena_zero(cx->arena, sizeof *outlook);
    struct beds_inpatient in[] = { { 5, BEDS_NO_EDD }, { 900, BEDS_NO_EDD } };
    beds_forecast(history, in, 2, 0, 24, outlook);
    EXPECT("no past: everybody stays", fabs(outlook->p[2] - 1) < 1e-12);
    EXPECT("certain and right", beds_crps(outlook, 2) < 1e-12);
    EXPECT("certain and wrong by two", fabs(beds_crps(outlook, 4) - 2) < 1e-9);
    EXPECT("skill", fabs(beds_skill(1, 4) - 0.75) < 1e-12 && beds_skill(1, 0) == 0);
    const double last_four[] = { 10, 12, 14, 16 };
    EXPECT("same weekday", fabs(beds_same_weekday_mean(last_four, 4) - 13) < 1e-12);
}

/* Half of the stays end 12 hours into the day expected, half a day later: whoever is in on the
 * evening before stays over that day with one chance in two, who is in a day late not at all. */
TEST(beds_forecast_knows_the_day_expected)
{
    struct beds_history *history = arena_zero(cx->arena, sizeof *history);
    struct beds_known stays[40];
    for (int i = 0; i < 40; i++)
        stays[i] = (struct beds_known){ 200, 0, true, i % 2 ? 12 : 36 };
    struct { const char *name; struct beds_inpatient who; double chance; } rows[] = {
        { "evening before", { 10, -6 }, 0.5 },
        { "two days before", { 10, -48 }, 1 },
        { "a day late", { 10, 20 }, 0 },
        { "no day: by time in", { 10, BEDS_NO_EDD }, 1 },
        { "no day, at the end of all stays", { 190, BEDS_NO_EDD }, 0 },
    };
    beds_history_make(stays, 40, 1e9, history);
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT(rows[i].name, fabs(beds_forecast_mean(history, &rows[i].who, 1, 5, 24) -
                                  rows[i].chance) < 1e-6);
    for (int i = 0; i < 40; i++)
        stays[i].edd_hours = i < 29 ? 12 : BEDS_NO_EDD;
    beds_history_make(stays, 40, 1e9, history);
    EXPECT("29 are too few", fabs(beds_forecast_mean(history, &rows[0].who, 1, 5, 24) - 1) < 1e-6);
}

/* Beds that are refilled as they come free: tomorrow is today, whatever arrivals alone say. */
TEST(beds_forecast_learns_from_how_it_came_out)
{
    struct beds_case cases[40];
    for (int i = 0; i < 40; i++) {
        double now = 100 + i % 7;
        cases[i] = (struct beds_case){ now + 8, 103, now, now + i % 3 - 1 };
    }
    struct beds_fit few = beds_fit(cases, BEDS_CASES_LEAST - 1), fit = beds_fit(cases, 40);
    EXPECT_INT("too few", few.cases, 0);
    EXPECT("the model stands", fabs(beds_fit_mean(&few, &cases[0]) - cases[0].model) < 1e-12);
    EXPECT_INT("fitted", fit.cases, 40);
    EXPECT("near today", fabs(beds_fit_mean(&fit, &cases[3]) - cases[3].now) < 1);
    EXPECT("as wide as it was wrong", fit.spread > 0.5 && fit.spread < 1.5);
    struct beds_outlook *outlook = arena_zero(cx->arena, sizeof *outlook);
    double sum = 0, mean = 0;
    beds_outlook_normal(100.25, 3, outlook);
    for (size_t k = 0; k < BEDS_FORECAST_MAX; k++) {
        sum += outlook->p[k];
        mean += outlook->p[k] * (double)k;
    }
    EXPECT("adds up to one", fabs(sum - 1) < 1e-9);
    EXPECT("mean", fabs(mean - 100.25) < 1e-6);
    EXPECT("eight in ten", beds_outlook_quantile(outlook, 0.1) == 96 &&
                               beds_outlook_quantile(outlook, 0.9) == 104);
    beds_outlook_normal(2, 0, outlook);
    EXPECT("certain", outlook->p[2] > 0.9);
}
