/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/figures.h"
#include "assets.h"
#include "beds_figures.html.h"
#include "clinical/london.h"
#include "json/write.h"
#include "ui/chart.h"
#include "ui_page.html.h"

enum { SPECIALTIES_MAX = 64, JSON_BYTES = 1 << 20 };

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

static str forecast_text(struct ctx *cx, const struct beds_ahead *ahead, int hours)
{
    const struct beds_outlook *outlook = &ahead->outlook;
    return arena_printf(cx->arena, "In %d hours about %.0f beds will be needed; with 8 chances in "
                        "10 between %zu and %zu. The chance that more than the %zu open now are "
                        "needed is %.0f %%.", hours, outlook->mean,
                        beds_outlook_quantile(outlook, 0.1), beds_outlook_quantile(outlook, 0.9),
                        ahead->open, 100 * beds_outlook_at_least(outlook, ahead->open + 1));
}

static str trial_text(struct ctx *cx, const struct beds_trial *trial, int hours)
{
    if (trial->count == 0)
        return arena_printf(cx->arena, "There are not yet the five weeks of stays by which the "
                            "%d-hour forecast could be tried.", hours);
    return arena_printf(cx->arena, "Over the last %zu days the %d-hour forecast missed by %.1f "
                        "beds (CRPS) and the mean of the last four same weekdays by %.1f: skill "
                        "%.2f, above 0 is better. What happened lay in the 8-in-10 range on %zu "
                        "days; mean place in the forecast %.2f, 0.50 when it is calibrated.",
                        trial->count, hours, trial->crps, trial->naive, trial->skill,
                        trial->within_80, trial->pit);
}

static void add_forecasts(struct ctx *cx, const struct beds_past *past,
                          struct beds_figures *figures)
{
    struct beds_ahead *ahead = arena_alloc(cx->arena, sizeof *ahead);
    beds_look_ahead(past, cx->now_ms, 24, cx->arena, ahead);
    figures->forecast_24 = forecast_text(cx, ahead, 24);
    figures->trial = trial_text(cx, &ahead->trial, 24);
    beds_look_ahead(past, cx->now_ms, 72, cx->arena, ahead);
    figures->forecast_72 = forecast_text(cx, ahead, 72);
    figures->trial_72 = trial_text(cx, &ahead->trial, 72);
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
    TRY(read_past(request, london_day(cx->now_ms) - BEDS_LOOK_BACK_DAYS, &past));
    count_days(cx, &past.hospital, &figures);
    add_forecasts(cx, &past, &figures);
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

/* ---- the forecast for programs ---- */

static void put_real(struct json_writer *w, const char *name, double value)
{
    json_put_raw(w, name, arena_printf(w->buf->arena, "%.3f", value));
}

static void write_ahead(struct json_writer *w, const struct beds_ahead *ahead, int hours)
{
    static const int shares[] = { 5, 10, 25, 50, 75, 90, 95 };
    const struct beds_trial *trial = &ahead->trial;
    json_open(w, '{');
    json_put_u64(w, "hours", (uint64_t)hours);
    put_real(w, "mean", ahead->outlook.mean);
    for (size_t i = 0; i < COUNT(shares); i++)
        json_put_u64(w, arena_printf(w->buf->arena, "q%02d", shares[i]).p,
                     beds_outlook_quantile(&ahead->outlook, shares[i] / 100.0));
    json_put_u64(w, "beds_open", ahead->open);
    put_real(w, "chance_over", beds_outlook_at_least(&ahead->outlook, ahead->open + 1));
    json_put_u64(w, "corrected_by", ahead->fit.cases);
    json_put_u64(w, "tried_on", trial->count);
    put_real(w, "crps", trial->crps);
    put_real(w, "mean_error", trial->error);
    put_real(w, "same_weekday_error", trial->naive);
    put_real(w, "skill", trial->skill);
    json_put_u64(w, "within_80", trial->within_80);
    put_real(w, "mean_place", trial->pit);
    json_key(w, "tenths");
    json_open(w, '[');
    for (size_t i = 0; i < COUNT(trial->tenths); i++)
        json_raw(w, arena_printf(w->buf->arena, "%zu", trial->tenths[i]));
    json_close(w, ']');
    json_close(w, '}');
}

err beds_forecast_json_get(struct http_request *request, struct http_response *response)
{
    static const int ahead_hours[] = { 24, 72 };
    struct ctx *cx = request->cx;
    struct beds_past past;
    TRY(read_past(request, london_day(cx->now_ms) - BEDS_LOOK_BACK_DAYS, &past));
    struct beds_ahead *ahead = arena_alloc(cx->arena, sizeof *ahead);
    struct buf buf = buf_make(cx->arena, JSON_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_key(&w, "forecasts");
    json_open(&w, '[');
    for (size_t i = 0; i < COUNT(ahead_hours); i++) {
        beds_look_ahead(&past, cx->now_ms, ahead_hours[i], cx->arena, ahead);
        write_ahead(&w, ahead, ahead_hours[i]);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    response->content_type = S("application/json");
    response->body = buf_str(&buf);
    return ERR_OK;
}
