/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/figures.h"
#include "clinical/london.h"
#include "json/write.h"
#include "systems/beds/board.h"

enum { JSON_BYTES = 1 << 20 };

/* The picture is only needed to number the beds. */
static err read_past(struct http_request *request, int64_t from_day, struct beds_past *out)
{
    struct beds_picture *picture;
    TRY(beds_picture_whole(request->cx, request->store, BEDS_PLACES, &picture));
    return beds_past_read(request->cx, request->store, picture, from_day, out);
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
    return beds_send_json(response, &buf);
}
