/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/report.h"
#include "assets.h"
#include "beds_board.html.h"
#include "beds_figures.html.h"
#include "clinical/london.h"
#include "fhir/datetime.h"
#include "http/text.h"
#include "systems/beds/flow.h"
#include "systems/beds/task.h"
#include "ui/spc.h"
#include "ui_page.html.h"
#include <math.h>

enum { CSV_BYTES = 4 << 20, HOURS_A_DAY = 24, SPREAD_MAX = 60 };

static str date_text(struct ctx *cx, int64_t day)
{
    struct clock_civil d = clock_to_civil(day * LONDON_DAY_MS);
    return arena_printf(cx->arena, "%04d-%02d-%02d", d.year, d.month, d.day);
}

static err read_past(struct http_request *request, int64_t from_day, struct beds_past *out)
{
    struct beds_picture *picture;
    TRY(beds_picture_whole(request->cx, request->store, BEDS_PLACES, &picture));
    return beds_past_read(request->cx, request->store, picture, from_day, out);
}

static struct ui_page page_of(struct http_request *request, str title)
{
    static const char *const islands[] = { ASSET_TABLE_JS, ASSET_DIALOG_JS };
    struct ui_page page = beds_page_for(request, title, 0);
    page.islands = islands;
    page.islands_count = COUNT(islands);
    return page;
}

/* ---- the charts ---- */

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
    struct ui_chart chart = {
        .kind = UI_CHART_STEP, .title = S("Midnight census, general and acute"),
        .unit = S("patients"), .labels = labels, .labels_count = BEDS_FIGURE_DAYS,
        .series = &(struct ui_series){ "In a bed at midnight", occupied }, .series_count = 1,
        .limit = beds, .limit_name = "beds open",
        .summary = arena_printf(cx->arena, "%.0f of %.0f beds were taken last midnight.",
                                occupied[BEDS_FIGURE_DAYS - 1], beds) };
    ui_chart_draw(out, &chart);
}

/* Whether discharges of a day have changed, or only waver. */
static void draw_discharges(struct ctx *cx, struct buf *out, const struct beds_figure_page *page)
{
    double values[BEDS_FIGURE_DAYS];
    str labels[BEDS_FIGURE_DAYS];
    for (size_t i = 0; i < page->rows_count; i++) {
        size_t at = page->rows_count - 1 - i;
        values[i] = (double)page->rows[at].discharges;
        labels[i] = str_slice(date_text(cx, page->rows[at].day - 1), 5, 10);
    }
    ui_spc_draw(out, &(struct ui_spc){ .title = S("Discharges a day"), .unit = S("patients"),
        .labels = labels, .values = values, .count = page->rows_count,
        .better = UI_BETTER_NEITHER, .target = NAN });
}

/* Of stays that began in the time looked at, how many lasted longer than so many days. */
static void draw_survival(struct ctx *cx, struct buf *out, const struct beds_hospital *hospital)
{
    struct beds_known *known = arena_array(cx->arena, hospital->spans_count + 1, sizeof *known);
    struct beds_history *history = arena_alloc(cx->arena, sizeof *history);
    double shares[BEDS_CURVE_DAYS + 1];
    str labels[BEDS_CURVE_DAYS + 1];
    size_t count = 0;
    for (size_t i = 0; i < hospital->spans_count; i++) {
        const struct beds_span *span = &hospital->spans[i];
        bool ended = span->left_ms <= cx->now_ms;
        int64_t hours = ((ended ? span->left_ms : cx->now_ms) - span->admitted_ms) / 3600000;
        if (span->from_ms != span->admitted_ms || hours < 0)
            continue;
        known[count++] = (struct beds_known){
            .hours = hours < BEDS_STAY_HOURS ? (int)hours : BEDS_STAY_HOURS - 1, .ended = ended,
            .edd_hours = BEDS_NO_EDD };
    }
    beds_history_make(known, count, 1, history);
    for (int i = 0; i <= BEDS_CURVE_DAYS; i++) {
        shares[i] = history->stays_count < 30 ? NAN
                                              : 100 * history->stays_longer[i * HOURS_A_DAY];
        labels[i] = arena_printf(cx->arena, "%d", i);
    }
    ui_chart_draw(out, &(struct ui_chart){ .kind = UI_CHART_STEP,
        .title = S("Still in after so many days"), .unit = S("% of stays"), .labels = labels,
        .labels_count = BEDS_CURVE_DAYS + 1, .series_count = 1, .limit = NAN, .top = 100,
        .series = &(struct ui_series){ "Still in, %", shares },
        .summary = history->stays_count < 30 ? S("Too few stays that ended.")
                   : arena_printf(cx->arena, "After a week %.0f %% of patients are still in, after "
                                  "three weeks %.0f %%.", shares[7], shares[21]) });
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

/* The chance of each number of beds, where there is any to speak of. */
static void draw_outlook(struct ctx *cx, struct buf *out, const struct beds_ahead *ahead, str text,
                         int hours)
{
    size_t low = beds_outlook_quantile(&ahead->outlook, 0.005);
    size_t high = beds_outlook_quantile(&ahead->outlook, 0.995);
    size_t count = high - low + 1 > SPREAD_MAX ? SPREAD_MAX : high - low + 1;
    double chances[SPREAD_MAX];
    str labels[SPREAD_MAX];
    for (size_t i = 0; i < count; i++) {
        chances[i] = 100 * ahead->outlook.p[low + i];
        labels[i] = arena_printf(cx->arena, "%zu", low + i);
    }
    ui_chart_draw(out, &(struct ui_chart){ .kind = UI_CHART_BAR,
        .title = arena_printf(cx->arena, "Beds needed in %d hours", hours),
        .unit = S("chance in %"), .labels = labels, .labels_count = count, .series_count = 1,
        .series = &(struct ui_series){ "Chance, %", chances }, .limit = NAN, .summary = text });
}

/* Even bars: forecasts are as wide as what happens. */
static void draw_calibration(struct ctx *cx, struct buf *out, const struct beds_trial *trial,
                             str text, int hours)
{
    double counts[10];
    str labels[10];
    for (size_t i = 0; i < 10; i++) {
        counts[i] = (double)trial->tenths[i];
        labels[i] = arena_printf(cx->arena, "%zu-%zu", 10 * i, 10 * i + 10);
    }
    ui_chart_draw(out, &(struct ui_chart){ .kind = UI_CHART_BAR,
        .title = arena_printf(cx->arena, "Where in its %d-hour forecast what happened lay, in %%",
                              hours),
        .unit = S("days"), .labels = labels, .labels_count = trial->count ? 10 : 0,
        .series = &(struct ui_series){ "Days", counts }, .series_count = 1,
        .limit = trial->count ? (double)trial->count / 10 : NAN, .limit_name = "when calibrated",
        .summary = text });
}

static void draw_forecasts(struct ctx *cx, struct buf *out, const struct beds_past *past)
{
    static const int hours[] = { 24, 72 };
    struct beds_ahead *ahead = arena_alloc(cx->arena, sizeof *ahead);
    for (size_t i = 0; i < COUNT(hours); i++) {
        beds_look_ahead(past, cx->now_ms, hours[i], cx->arena, ahead);
        draw_outlook(cx, out, ahead, forecast_text(cx, ahead, hours[i]), hours[i]);
        draw_calibration(cx, out, &ahead->trial, trial_text(cx, &ahead->trial, hours[i]),
                         hours[i]);
    }
}

/* ---- the page ---- */

static void count_days(struct ctx *cx, const struct beds_hospital *hospital,
                       struct beds_figure_page *page)
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
    page->rows = rows;
    page->days = days;
    page->rows_count = BEDS_FIGURE_DAYS;
    page->quarter_text = arena_printf(cx->arena, "%.*s to yesterday",
                                      STR_ARG(date_text(cx, quarter)));
    for (enum beds_sector sector = 0; sector < BEDS_SECTORS; sector++)
        page->quarter[sector] = beds_bed_days(hospital, sector, quarter, today);
}

err beds_figures_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct beds_figure_page figures = { 0 };
    struct beds_picture *picture;
    struct beds_past past;
    TRY(beds_picture_whole(cx, request->store, BEDS_PLACES, &picture));
    beds_places_now(cx, picture, &figures);
    TRY(read_past(request, london_day(cx->now_ms) - BEDS_LOOK_BACK_DAYS, &past));
    count_days(cx, &past.hospital, &figures);
    struct ui_page page = page_of(request, S("Bed figures and returns"));
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    beds_sections(&out, S("/beds/figures"));
    beds_figures_now(&out, &figures);
    beds_columns_open(&out);
    draw_census(cx, &out, &past.hospital);
    draw_discharges(cx, &out, &figures);
    draw_survival(cx, &out, &past.hospital);
    beds_columns_close(&out);
    beds_figures_returns(&out, &figures);
    beds_figures_ahead(&out);
    beds_columns_open(&out);
    draw_forecasts(cx, &out, &past);
    beds_columns_close(&out);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* ---- one day's return ---- */

static err read_day(struct http_request *request, int64_t *out)
{
    struct datetime when;
    str text = request->captures[0];
    if (!datetime_parse(text, DATETIME_AS_DATE, &when) || when.precision != DATETIME_DAY)
        return ctx_fail(request->cx, ERR_INVALID, S("day"),
                        S("the day must be a date such as 2026-11-22"));
    *out = when.low_ms / LONDON_DAY_MS;
    return *out <= london_day(request->cx->now_ms)
               ? ERR_OK
               : ctx_fail(request->cx, ERR_INVALID, S("day"),
                          S("this day has not come yet: there is nothing to report of it"));
}

static size_t submitted_value(struct ctx *cx, struct json report, const char *code)
{
    for (struct json_walk w = json_walk(json_get(report, S("group"))); json_next(&w);) {
        struct json coding = json_at(json_get(json_get(w.value, S("code")), S("coding")), 0);
        str value = json_text(json_get(json_get(w.value, S("measureScore")), S("value")));
        uint64_t number;
        if (json_string_is(json_get(coding, S("code")), str_of(code)) &&
            str_to_u64(value, &number))
            return (size_t)number;
    }
    (void)cx;
    return 0;
}

static const char *field_text(str code)
{
    for (size_t i = 0; i < beds_fields_count; i++)
        if (str_eq(code, str_of(beds_fields[i].code)))
            return beds_fields[i].text;
    return "";
}

static struct beds_amendment amendment_of(struct ctx *cx, struct json extension)
{
    struct beds_amendment out = { 0 };
    for (struct json_walk w = json_walk(json_get(extension, S("extension"))); json_next(&w);) {
        str url = json_string(cx->arena, json_get(w.value, S("url")));
        str text = json_string(cx->arena, json_get(w.value, S("valueString")));
        str number = json_text(json_get(w.value, S("valueInteger")));
        struct datetime when;
        if (str_eq(url, S("field")))
            out.field = str_of(field_text(json_string(cx->arena,
                                                      json_get(w.value, S("valueCode")))));
        out.old = str_eq(url, S("old")) ? number : out.old;
        out.new_value = str_eq(url, S("new")) ? number : out.new_value;
        out.why = str_eq(url, S("reason")) ? text : out.why;
        out.who = str_eq(url, S("who")) ? text : out.who;
        if (str_eq(url, S("at")) &&
            datetime_parse(json_string(cx->arena, json_get(w.value, S("valueDateTime"))),
                           DATETIME_AS_DATE_TIME, &when))
            out.when = ui_time(cx, when.low_ms);
    }
    return out;
}

/* What was submitted of a day; false: nothing. */
static bool read_report(struct http_request *request, str day, struct json *out)
{
    struct ctx *cx = request->cx;
    struct store_version version;
    size_t count = cx->issues.count, kept = cx->issues.kept;
    bool found = store_read(cx, request->store, fhir_resource_find(S("MeasureReport")),
                            arena_printf(cx->arena, "sitrep-%.*s", STR_ARG(day)), &version) ==
                     ERR_OK && json_parse(cx, version.body, out) == ERR_OK;
    cx->issues.count = count; /* not submitted is an answer, no fault */
    cx->issues.kept = kept;
    return found;
}

static void fill_submitted(struct ctx *cx, struct json report, struct beds_return_page *page)
{
    struct datetime when;
    struct beds_amendment *list = arena_array(
        cx->arena, json_count(json_get(report, S("extension"))) + 1, sizeof *list);
    page->submitted = true;
    str at = json_string(cx->arena, json_get(report, S("date")));
    page->signed_at = datetime_parse(at, DATETIME_AS_DATE_TIME, &when) ? ui_time(cx, when.low_ms)
                                                                       : at;
    page->signed_by = json_string(cx->arena, json_get(beds_extension_of(report, "signed-off-by"),
                                                      S("valueString")));
    for (struct json_walk w = json_walk(json_get(report, S("extension"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("url")), S(BEDS_URL "sitrep-amendment")))
            list[page->amendments_count++] = amendment_of(cx, w.value);
    page->amendments = list;
}

static void fill_rows(struct ctx *cx, const struct beds_sitrep *row, struct json report,
                      struct beds_return_page *page)
{
    struct beds_return_row *rows = arena_array(cx->arena, beds_fields_count, sizeof *rows);
    for (size_t i = 0; i < beds_fields_count; i++) {
        const struct beds_field *field = &beds_fields[i];
        rows[i] = (struct beds_return_row){ .code = field->code, .text = field->text,
            .computed = field->get(row), .drills = field->counts, .is_submitted = page->submitted };
        if (page->submitted)
            rows[i].submitted = submitted_value(cx, report, field->code);
        rows[i].differs = page->submitted && rows[i].submitted != rows[i].computed;
    }
    page->rows = rows;
    page->rows_count = beds_fields_count;
}

static err add_behind(struct http_request *request, str encounter, struct beds_behind *out)
{
    struct ctx *cx = request->cx;
    struct store_version version;
    struct beds_stay who = { 0 };
    struct json body;
    TRY(store_read(cx, request->store, fhir_resource_find(S("Encounter")), encounter, &version));
    TRY(json_parse(cx, version.body, &body));
    str patient = beds_reference_id(cx, json_get(body, S("subject")), "Patient");
    if (patient.n)
        TRY(beds_read_person(cx, patient, &who));
    *out = (struct beds_behind){
        .encounter = encounter,
        .patient = who.name[0] ? arena_copy(cx->arena, str_of(who.name)) : S("Not known"),
        .born = ui_date(cx, arena_copy(cx->arena, str_of(who.born))),
        .nhs = who.nhs[0] ? ui_nhs_number(cx, arena_copy(cx->arena, str_of(who.nhs)))
                          : S("Not known") };
    return ERR_OK;
}

/* The stays that one number counts, by name. */
static err fill_behind(struct http_request *request, const struct beds_past *past, int64_t day,
                       struct beds_return_page *page)
{
    str asked = beds_asked(request, "of");
    const struct beds_hospital *hospital = &past->hospital;
    for (size_t i = 0; i < beds_fields_count; i++) {
        const struct beds_field *field = &beds_fields[i];
        if (!field->counts || !str_eq(asked, str_of(field->code)))
            continue;
        struct beds_behind *list = arena_array(request->cx->arena, hospital->spans_count + 1,
                                               sizeof *list);
        for (size_t k = 0; k < hospital->spans_count; k++)
            if (field->counts(hospital, &hospital->spans[k], day))
                TRY(add_behind(request, past->stays[hospital->spans[k].stay],
                               &list[page->behind_count++]));
        page->behind = list;
        page->behind_text = str_of(field->text);
    }
    return ERR_OK;
}

static void amend_form(struct http_request *request, struct beds_return_page *page)
{
    struct ctx *cx = request->cx;
    struct ui_option *options = arena_array(cx->arena, beds_fields_count, sizeof *options);
    bool again = request->method == HTTP_POST;
    for (size_t i = 0; i < beds_fields_count; i++)
        options[i] = (struct ui_option){ .value = str_of(beds_fields[i].code),
                                         .text = str_of(beds_fields[i].text) };
    str names[3] = { S("field"), S("value"), S("reason") }, values[3];
    for (size_t i = 0; i < 3; i++)
        values[i] = again ? http_query_value(cx->arena, request->body, names[i]) : (str){ 0 };
    page->fields[0] = (struct ui_field){ .name = "field", .label = "Which number",
        .kind = UI_SELECT, .options = options, .options_count = beds_fields_count,
        .value = values[0] };
    page->fields[1] = (struct ui_field){ .name = "value", .label = "New value", .type = "number",
        .min = "0", .required = true, .value = values[1] };
    page->fields[2] = (struct ui_field){ .name = "reason", .label = "Why", .required = true,
                                         .value = values[2] };
    ui_fields_blame(&cx->issues, page->fields, 3);
    page->amend = (struct ui_form){
        .action = arena_printf(cx->arena, "/beds/return/%.*s/amend", STR_ARG(page->day)),
        .submit = "Amend", .fields = page->fields, .fields_count = 3,
        .issues = again ? &cx->issues : NULL };
}

static err draw_return(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct beds_return_page shown = { 0 };
    struct json report = { 0 };
    struct beds_past past;
    int64_t day = 0;
    TRY(read_day(request, &day));
    TRY(read_past(request, day - 2, &past));
    struct beds_sitrep row = beds_sitrep(&past.hospital, day);
    shown.day = date_text(cx, day);
    shown.shown = beds_day_text(cx, day);
    shown.open = beds_sitrep_is_open(day, cx->now_ms);
    shown.due = ui_time(cx, beds_sitrep_due_ms(day));
    if (read_report(request, shown.day, &report))
        fill_submitted(cx, report, &shown);
    fill_rows(cx, &row, report, &shown);
    TRY(fill_behind(request, &past, day, &shown));
    amend_form(request, &shown);
    struct ui_page page = page_of(request, arena_printf(cx->arena, "Situation report, %.*s",
                                                        STR_ARG(shown.shown)));
    page.wide = false;
    page.back_href = S("/beds/figures");
    page.back_text = S("Figures");
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    beds_return_body(&out, &shown);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

err beds_return_get(struct http_request *request, struct http_response *response)
{
    return draw_return(request, response);
}

err beds_return_post(struct http_request *request, struct http_response *response)
{
    struct http_response made = { 0 };
    err wrong = beds_sitrep_post(request, &made);
    if (wrong == ERR_OK) {
        response->status = 303;
        http_put_header(response, S("Location"),
                        arena_printf(request->cx->arena, "/beds/return/%.*s",
                                     STR_ARG(request->captures[0])));
        return ERR_OK;
    }
    response->status = err_http_status(wrong);
    if (draw_return(request, response) == ERR_OK)
        return ERR_OK;
    response->status = 0;
    return wrong;
}

/* ---- CSV ---- */

/* Quoted where it must be, and never a formula in a spreadsheet. */
static void put_cell(struct buf *out, str text, bool last)
{
    bool formula = text.n && strchr("=+-@\t", text.p[0]);
    buf_char(out, '"');
    if (formula)
        buf_char(out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            buf_char(out, '"');
        buf_char(out, text.p[i]);
    }
    buf_add(out, last ? S("\"\r\n") : S("\","));
}

static err csv_sitrep(struct http_request *request, struct buf *out)
{
    struct ctx *cx = request->cx;
    struct beds_past past;
    int64_t today = london_day(cx->now_ms);
    TRY(read_past(request, today - BEDS_FIGURE_DAYS - 1, &past));
    buf_add(out, S("\"day\","));
    for (size_t i = 0; i < beds_fields_count; i++)
        put_cell(out, str_of(beds_fields[i].code), i + 1 == beds_fields_count);
    for (int64_t day = today - BEDS_FIGURE_DAYS + 1; day <= today; day++) {
        struct beds_sitrep row = beds_sitrep(&past.hospital, day);
        put_cell(out, date_text(cx, day), false);
        for (size_t i = 0; i < beds_fields_count; i++)
            buf_printf(out, "%zu%s", beds_fields[i].get(&row),
                       i + 1 == beds_fields_count ? "\r\n" : ",");
    }
    return ERR_OK;
}

static err csv_census(struct http_request *request, struct buf *out)
{
    struct ctx *cx = request->cx;
    struct beds_past past;
    int64_t today = london_day(cx->now_ms);
    TRY(read_past(request, today - BEDS_FIGURE_DAYS - 1, &past));
    buf_add(out, S("\"midnight\",\"occupied\",\"available\",\"critical occupied\","
                   "\"critical available\"\r\n"));
    for (int64_t day = today - BEDS_FIGURE_DAYS + 1; day <= today; day++) {
        struct beds_count general = beds_count_at(&past.hospital, BEDS_GENERAL_ACUTE,
                                                  london_midnight(day));
        struct beds_count critical = beds_count_at(&past.hospital, BEDS_CRITICAL,
                                                   london_midnight(day));
        put_cell(out, date_text(cx, day), false);
        buf_printf(out, "%zu,%zu,%zu,%zu\r\n", general.occupied, general.available,
                   critical.occupied, critical.available);
    }
    return ERR_OK;
}

static void csv_places(struct buf *out, str kind, const struct beds_place_now *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct beds_ward *now = &list[i].now;
        put_cell(out, kind, false);
        put_cell(out, list[i].name, false);
        buf_printf(out, "%zu,%zu,%zu,%zu,%zu,%zu,%zu,%zu\r\n", now->beds, now->occupied,
                   now->available, now->reserved, now->dirty, now->cleaning, now->closed,
                   now->percent);
    }
}

static err csv_occupancy(struct http_request *request, struct buf *out)
{
    struct beds_figure_page figures = { 0 };
    struct beds_picture *picture;
    TRY(beds_picture_whole(request->cx, request->store, BEDS_PLACES, &picture));
    beds_places_now(request->cx, picture, &figures);
    buf_add(out, S("\"of\",\"name\",\"beds\",\"occupied\",\"available\",\"reserved\",\"dirty\","
                   "\"cleaning\",\"closed\",\"percent\"\r\n"));
    csv_places(out, S("ward"), figures.wards, figures.wards_count);
    csv_places(out, S("specialty"), figures.specialties, figures.specialties_count);
    csv_places(out, S("site"), figures.sites, figures.sites_count);
    return ERR_OK;
}

err beds_csv_get(struct http_request *request, struct http_response *response)
{
    static const struct {
        const char *name;
        err (*write)(struct http_request *request, struct buf *out);
    } tables[] = { { "occupancy", csv_occupancy }, { "census", csv_census },
                   { "sitrep", csv_sitrep } };
    struct ctx *cx = request->cx;
    for (size_t i = 0; i < COUNT(tables); i++) {
        if (!str_eq(request->captures[0], str_of(tables[i].name)))
            continue;
        struct buf out = buf_make(cx->arena, CSV_BYTES);
        TRY(tables[i].write(request, &out));
        response->content_type = S("text/csv; charset=utf-8");
        http_put_header(response, S("Content-Disposition"),
                        arena_printf(cx->arena, "attachment; filename=\"beds-%s-%.*s.csv\"",
                                     tables[i].name,
                                     STR_ARG(date_text(cx, london_day(cx->now_ms)))));
        response->body = buf_str(&out);
        return ERR_OK;
    }
    return ctx_failf(cx, ERR_NOT_FOUND, S(""), "there is no table %.*s: occupancy, census or "
                     "sitrep", STR_ARG(request->captures[0]));
}
