/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/responses.h"
#include "clinical/london.h"
#include "fhir/datetime.h"
#include "http/text.h"
#include "obs_responses.html.h"
#include "store/access.h"
#include "systems/obs/fhir.h"
#include "systems/obs/ward.h"
#include "ui/chart.h"
#include "ui_page.html.h"
#include <math.h>

enum { WEEKS_SHOWN = 28, CSV_BYTES = 4 << 20 };
struct one {
    str task, ward, status;
    const struct news2_response *response;
    int total, step;
    int64_t raised_ms, answered_ms, reviewed_ms;
};

static int64_t instant_of(str text)
{
    struct datetime when;
    return datetime_parse(text, DATETIME_AS_DATE_TIME, &when) ? when.low_ms : 0;
}

static err read_all(struct ctx *cx, int64_t since_ms, struct one **out, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, cx->db, obs_sql, OBS_SQL_SINCE);
    bool row;
    *out = arena_array(cx->arena, OBS_RESPONSES_MAX, sizeof **out);
    *count = 0;
    db_bind_text(stmt, 1, obs_instant(cx, since_ms));
    for (;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row || *count == OBS_RESPONSES_MAX)
            break;
        if (!access_patient(cx->access, db_int(stmt, 9), db_int(stmt, 10)))
            continue;
        (*out)[(*count)++] = (struct one){
            .task = arena_copy(cx->arena, db_text(stmt, 0)),
            .ward = arena_copy(cx->arena, db_text(stmt, 1)),
            .status = arena_copy(cx->arena, db_text(stmt, 2)),
            .response = obs_response_named(db_text(stmt, 3)),
            .total = (int)db_int(stmt, 4), .step = (int)db_int(stmt, 5),
            .raised_ms = instant_of(db_text(stmt, 6)),
            .answered_ms = instant_of(db_text(stmt, 7)),
            .reviewed_ms = instant_of(db_text(stmt, 8)) };
    }
    if (row)
        db_reset(stmt);
    return ERR_OK;
}

static size_t days_asked(struct http_request *request)
{
    uint64_t days;
    str text = http_query_value(request->cx->arena, request->query, S("days"));
    return str_to_u64(text, &days) && days >= 1 && days <= OBS_RESPONSE_DAYS_MAX
               ? (size_t)days : OBS_RESPONSE_DAYS;
}

static err open_all(struct http_request *request, struct one **out, size_t *count, size_t *days)
{
    struct ctx *cx = request->cx;
    *days = days_asked(request);
    TRY(store_reader(cx, request->store));
    return read_all(cx, cx->now_ms - (int64_t)*days * INT64_C(86400000), out, count);
}

static str minutes_text(struct ctx *cx, double minutes)
{
    return isnan(minutes) ? S("-") : arena_printf(cx->arena, "%.0f min", minutes);
}

/* Of those there are: how many there are not stands beside it. */
static struct obs_times times_of(struct ctx *cx, double *minutes, size_t count)
{
    return (struct obs_times){ count, minutes_text(cx, obs_median(minutes, count)),
                               minutes_text(cx, obs_ninth_tenth(minutes, count)) };
}

static double minutes_between(int64_t from_ms, int64_t to_ms)
{
    return (double)(to_ms - from_ms) / (double)OBS_MINUTE_MS;
}

/* In time: seen within what the guideline asks for, where it asks. Too early is not judged. */
static void judge(const struct one *one, int64_t now_ms, struct obs_response_row *row)
{
    int within = one->response->review_within_min;
    if (!within || str_eq(one->status, S("cancelled")))
        return;
    bool in_time = one->reviewed_ms && minutes_between(one->raised_ms, one->reviewed_ms) <= within;
    bool over = one->reviewed_ms || minutes_between(one->raised_ms, now_ms) > within;
    row->judged += over;
    row->in_time += over && in_time;
}

static struct obs_response_row row_of(struct ctx *cx, const struct news2_response *response,
                                      const struct one *all, size_t count)
{
    struct obs_response_row row = { .name = str_of(response->name) };
    double *answers = arena_array(cx->arena, count + 1, sizeof *answers);
    double *views = arena_array(cx->arena, count + 1, sizeof *views);
    size_t answered = 0, seen = 0;
    for (size_t i = 0; i < count; i++) {
        const struct one *one = &all[i];
        if (one->response != response)
            continue;
        row.raised++;
        row.climbed += one->step > 0;
        bool ended = str_eq(one->status, S("cancelled"));
        row.ended += !one->answered_ms && ended;
        row.waiting += !one->answered_ms && !ended;
        if (one->answered_ms)
            answers[answered++] = minutes_between(one->raised_ms, one->answered_ms);
        if (one->reviewed_ms)
            views[seen++] = minutes_between(one->raised_ms, one->reviewed_ms);
        judge(one, cx->now_ms, &row);
    }
    row.answered = times_of(cx, answers, answered);
    row.seen = times_of(cx, views, seen);
    row.share = row.judged ? arena_printf(cx->arena, "%zu of %zu (%zu %%)", row.in_time, row.judged,
                                          (row.in_time * 200 + row.judged) / (row.judged * 2))
                           : S("-");
    return row;
}

/* The median answer of each day, for the last four weeks at most. */
static void draw_days(struct ctx *cx, struct buf *out, const struct one *all, size_t count,
                      size_t days)
{
    size_t shown = days < WEEKS_SHOWN ? days : WEEKS_SHOWN;
    double medians[WEEKS_SHOWN], *values = arena_array(cx->arena, count + 1, sizeof *values);
    str labels[WEEKS_SHOWN];
    int64_t today = london_day(cx->now_ms);
    for (size_t d = 0; d < shown; d++) {
        int64_t day = today - (int64_t)(shown - 1 - d);
        size_t found = 0;
        for (size_t i = 0; i < count; i++)
            if (all[i].answered_ms && london_day(all[i].raised_ms) == day)
                values[found++] = minutes_between(all[i].raised_ms, all[i].answered_ms);
        medians[d] = obs_median(values, found);
        struct clock_civil at = london_civil(london_midnight(day));
        labels[d] = arena_printf(cx->arena, "%02d/%02d", at.day, at.month);
    }
    const struct ui_series series[] = { { "Median minutes to an answer", medians } };
    ui_chart_draw(out, &(struct ui_chart){
        .kind = UI_CHART_LINE, .title = S("Time to an answer, by day"), .unit = S("minutes"),
        .labels = labels, .labels_count = shown, .series = series, .series_count = 1,
        .limit = (double)NAN,
        .summary = S("The median of each day's escalations; a gap is a day without any.") });
}

err obs_responses_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct one *all;
    size_t count, days;
    struct obs_response_row rows[OBS_RANKS];
    struct obs_responses_page shown = { .rows = rows };
    TRY(open_all(request, &all, &count, &days));
    shown.days = days;
    for (size_t i = 0; i < news2_responses_count; i++)
        if (obs_rank(&news2_responses[i]))
            rows[shown.rows_count++] = row_of(cx, &news2_responses[i], all, count);
    struct buf chart = ui_page_buf(request), out = ui_page_buf(request);
    draw_days(cx, &chart, all, count, days);
    shown.chart = (struct ui_html){ buf_str(&chart) };
    struct ui_page page = ui_page_for(request, S("Response times"));
    page.section = "/obs";
    page.back_href = S("/obs/escalations");
    page.back_text = S("Escalations");
    ui_page_open(&out, &page);
    obs_responses_body(&out, &shown);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

err obs_responses_csv_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct one *all;
    size_t count, days;
    TRY(open_all(request, &all, &count, &days));
    struct buf buf = buf_make(cx->arena, CSV_BYTES);
    buf_add(&buf, S("task,ward,response,total,status,raised,minutes_to_answer,minutes_to_seen,"
                    "step\r\n"));
    for (size_t i = 0; i < count; i++) {
        const struct one *one = &all[i];
        buf_printf(&buf, "%.*s,%.*s,%s,%d,%.*s,%.*s,", STR_ARG(one->task), STR_ARG(one->ward),
                   one->response ? one->response->name : "", one->total, STR_ARG(one->status),
                   STR_ARG(obs_instant(cx, one->raised_ms)));
        if (one->answered_ms)
            buf_printf(&buf, "%.1f", minutes_between(one->raised_ms, one->answered_ms));
        buf_char(&buf, ',');
        if (one->reviewed_ms)
            buf_printf(&buf, "%.1f", minutes_between(one->raised_ms, one->reviewed_ms));
        buf_printf(&buf, ",%d\r\n", one->step);
    }
    response->content_type = S("text/csv; charset=utf-8");
    response->body = buf_str(&buf);
    http_put_header(response, S("Content-Disposition"),
                    S("attachment; filename=\"escalations.csv\""));
    return ERR_OK;
}
