/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/figures.h"
#include "assets.h"
#include "beds_figures.html.h"
#include "clinical/london.h"
#include "ui/chart.h"
#include "ui_page.html.h"

enum { LOOK_BACK_DAYS = 120, SPECIALTIES_MAX = 64 };

static const char *const islands[] = { ASSET_TABLE_JS };

static str date_text(struct ctx *cx, int64_t day)
{
    struct clock_civil d = clock_to_civil(day * LONDON_DAY_MS);
    return arena_printf(cx->arena, "%04d-%02d-%02d", d.year, d.month, d.day);
}

/* The picture is only needed to number the beds. */
static err read_past(struct http_request *request, int64_t from_day, struct beds_past *out)
{
    struct beds_picture *picture;
    TRY(beds_picture_whole(request->cx, request->store, BEDS_PLACES, &picture));
    return beds_past_read(request->cx, request->store, picture, from_day, out);
}

/* ---- the page ---- */

static void add_specialty(struct beds_specialty *list, size_t *count, str code, bool occupied)
{
    size_t at = 0;
    while (at < *count && !str_eq(list[at].code, code))
        at++;
    if (at == SPECIALTIES_MAX)
        return;
    if (at == *count)
        list[(*count)++] = (struct beds_specialty){ .code = code };
    list[at].beds++;
    list[at].occupied += occupied;
    list[at].percent = (list[at].occupied * 200 + list[at].beds) / (list[at].beds * 2);
}

static void count_specialties(struct ctx *cx, const struct beds_picture *picture,
                              struct beds_figures *figures)
{
    struct beds_specialty *list = arena_array(cx->arena, SPECIALTIES_MAX, sizeof *list);
    for (size_t i = 0; i < picture->spots_count; i++) {
        const struct beds_spot *bed = &picture->spots[i];
        enum beds_state state = beds_state_at(picture, (int32_t)i, cx->now_ms);
        if (strcmp(bed->kind, "bd") != 0 || state == BEDS_CLOSED)
            continue;
        const char *code = bed->ward == BEDS_NONE ? "" : picture->spots[bed->ward].specialty;
        add_specialty(list, &figures->specialties_count,
                      *code ? arena_copy(cx->arena, str_of(code)) : S("not given"),
                      state == BEDS_OCCUPIED);
        if (state == BEDS_OCCUPIED)
            beds_long_add(&figures->now,
                          beds_stay_days(london_day(picture->stays[bed->stay].admitted_ms),
                                         london_day(cx->now_ms)));
    }
    figures->specialties = list;
}

static str forecast_text(struct ctx *cx, const struct beds_hospital *hospital, int hours)
{
    struct beds_outlook *outlook = arena_alloc(cx->arena, sizeof *outlook);
    beds_forecast_at(hospital, cx->now_ms, hours, cx->arena, outlook);
    size_t open = beds_count_at(hospital, BEDS_GENERAL_ACUTE, cx->now_ms).available +
                  beds_count_at(hospital, BEDS_CRITICAL, cx->now_ms).available;
    return arena_printf(cx->arena, "In %d hours about %.0f beds will be needed; with 8 chances in "
                        "10 between %zu and %zu. The chance that more than the %zu open now are "
                        "needed is %.0f %%.", hours, outlook->mean,
                        beds_outlook_quantile(outlook, 0.1), beds_outlook_quantile(outlook, 0.9),
                        open, 100 * beds_outlook_at_least(outlook, open + 1));
}

static str trial_text(struct ctx *cx, const struct beds_hospital *hospital)
{
    struct beds_trial trial;
    beds_try_forecasts(hospital, cx->now_ms, 24, cx->arena, &trial);
    return arena_printf(cx->arena, "Over the last %zu days the 24-hour forecast missed by %.1f "
                        "beds (CRPS) and the mean of the last four same weekdays by %.1f: skill "
                        "%.2f, above 0 is better. What happened lay in the 8-in-10 range on %zu "
                        "days; mean place in the forecast %.2f, 0.50 when it is calibrated.",
                        trial.count, trial.crps, trial.naive, trial.skill, trial.within_80,
                        trial.pit);
}

static void count_days(struct ctx *cx, const struct beds_hospital *hospital,
                       struct beds_figures *figures)
{
    struct beds_sitrep *rows = arena_array(cx->arena, BEDS_FIGURE_DAYS, sizeof *rows);
    str *days = arena_array(cx->arena, BEDS_FIGURE_DAYS, sizeof *days);
    int64_t today = london_day(cx->now_ms);
    struct clock_civil now = clock_to_civil(today * LONDON_DAY_MS);
    struct clock_civil first = { now.year, (now.month - 1) / 3 * 3 + 1, 1, 12, 0, 0, 0 };
    int64_t quarter = london_day(london_instant(first));
    for (int64_t i = 0; i < BEDS_FIGURE_DAYS; i++) {
        rows[i] = beds_sitrep(hospital, today - i);
        days[i] = date_text(cx, today - i);
    }
    figures->rows = rows;
    figures->rows_count = BEDS_FIGURE_DAYS;
    figures->days = days;
    figures->quarter_text = arena_printf(cx->arena, "%.*s to yesterday",
                                         STR_ARG(date_text(cx, quarter)));
    for (enum beds_sector sector = 0; sector < BEDS_SECTORS; sector++)
        figures->quarter[sector] = beds_bed_days(hospital, sector, quarter, today);
}

static void draw_census(struct ctx *cx, struct buf *out, const struct beds_hospital *hospital)
{
    double occupied[BEDS_FIGURE_DAYS], beds = 0;
    str labels[BEDS_FIGURE_DAYS];
    int64_t today = london_day(cx->now_ms);
    for (int i = 0; i < BEDS_FIGURE_DAYS; i++) {
        int64_t day = today - BEDS_FIGURE_DAYS + 1 + i;
        struct beds_count count = beds_count_at(hospital, BEDS_GENERAL_ACUTE,
                                                london_midnight(day));
        occupied[i] = (double)count.occupied;
        beds = (double)count.available;
        labels[i] = str_slice(date_text(cx, day), 5, 10);
    }
    const struct ui_series series[] = { { "In a bed at midnight", occupied } };
    struct ui_chart chart = {
        .kind = UI_CHART_LINE, .title = S("Midnight census, general and acute"),
        .unit = S("patients"), .labels = labels, .labels_count = BEDS_FIGURE_DAYS,
        .series = series, .series_count = 1, .limit = beds, .limit_name = "beds open",
        .summary = arena_printf(cx->arena, "%.0f of %.0f beds were taken last midnight.",
                                occupied[BEDS_FIGURE_DAYS - 1], beds) };
    ui_chart_draw(out, &chart);
}

err beds_figures_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct beds_figures figures = { 0 };
    struct beds_past past;
    struct beds_picture *picture;
    TRY(beds_picture_whole(cx, request->store, BEDS_PLACES, &picture));
    count_specialties(cx, picture, &figures);
    TRY(read_past(request, london_day(cx->now_ms) - LOOK_BACK_DAYS, &past));
    count_days(cx, &past.hospital, &figures);
    figures.forecast_24 = forecast_text(cx, &past.hospital, 24);
    figures.forecast_72 = forecast_text(cx, &past.hospital, 72);
    figures.trial = trial_text(cx, &past.hospital);
    struct ui_page page = ui_page_for(request, S("Bed figures and returns"));
    page.section = "/beds";
    page.islands = islands;
    page.islands_count = COUNT(islands);
    page.as_of = ui_time(cx, cx->now_ms);
    page.back_href = S("/beds");
    page.back_text = S("All wards");
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    beds_figures_head(&out, &figures);
    draw_census(cx, &out, &past.hospital);
    beds_figures_specialties(&out, &figures);
    beds_figures_returns(&out, &figures);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}
