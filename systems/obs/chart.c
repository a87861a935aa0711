/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/chart.h"
#include "assets.h"
#include "auth/gate.h"
#include "http/text.h"
#include "obs_chart.html.h"
#include "systems/obs/follow.h"
#include "ui/chart.h"
#include "ui/live.h"
#include "ui_page.html.h"

#define HOUR_MS INT64_C(3600000)

err obs_now_read(struct ctx *cx, struct store *store, str patient, struct obs_now *out)
{
    struct obs_alert *alerts;
    size_t count;
    TRY(obs_alerts_read(cx, store, patient, true, &alerts, &count));
    struct obs_call_card *cards = arena_array(cx->arena, count + 1, sizeof *cards);
    for (size_t i = 0; i < count; i++) {
        cards[i] = obs_call_card_of(cx, &alerts[i]);
        cards[i].may_answer = cards[i].may_snooze = false;
    }
    *out = (struct obs_now){ .patient = patient, .cards = cards, .cards_count = count };
    return ERR_OK;
}

static str oxygen_text(struct ctx *cx, const struct obs_set *set)
{
    str flow = obs_vital_text(cx, OBS_FLOW, set->values[OBS_FLOW]);
    str fio2 = obs_vital_text(cx, OBS_FIO2, set->values[OBS_FIO2]);
    if (set->on_oxygen != 1)
        return set->on_oxygen == 0 ? S("Air") : S("-");
    return arena_printf(cx->arena, "Oxygen%s%.*s%s%s%.*s%s%s%.*s", flow.n ? " " : "",
                        STR_ARG(flow), flow.n ? " L/min" : "", fio2.n ? " " : "", STR_ARG(fio2),
                        fio2.n ? " %" : "", set->device.n ? ", " : "", STR_ARG(set->device));
}

static str score_text(struct ctx *cx, const struct obs_set *set)
{
    struct obs_result result = obs_set_result(set);
    if (set->in_error)
        return S("entered in error");
    if (result.excluded)
        return S("not scored");
    if (result.complete)
        return arena_printf(cx->arena, "%d%s", result.total, result.highest == 3 ? ", a 3" : "");
    if (result.none && set->sent_total != OBS_NONE)
        return arena_printf(cx->arena, "%d, sent without values", set->sent_total);
    return arena_printf(cx->arena, "incomplete, at least %d", result.total);
}

static struct obs_line line_of(struct ctx *cx, const struct obs_set *set)
{
    const struct obs_acvpu *acvpu = obs_acvpu_find(set->acvpu);
    struct obs_line line = {
        .at = ui_time(cx, set->at_ms), .who = set->who, .oxygen = oxygen_text(cx, set),
        .entered = set->issued_ms ? ui_clock(cx, set->issued_ms) : S("not known"),
        .acvpu = acvpu ? str_of(acvpu->text) : S("-"), .score = score_text(cx, set),
        .note = set->note, .id = set->id, .late = obs_set_is_late(set),
        .amended = set->amended, .in_error = set->in_error, .own = set->own && !set->in_error,
        .flag = set->in_error ? (str){ 0 } : obs_set_disagreement(cx, set),
    };
    for (size_t i = 0; i < OBS_VITALS; i++)
        line.values[i] = set->values[i] == OBS_NONE
                             ? S("-") : obs_vital_text(cx, (enum obs_vital)i, set->values[i]);
    return line;
}

static void draw_trend(struct ctx *cx, struct buf *out, const struct obs_sets *sets)
{
    double *totals = arena_array(cx->arena, sets->count + 1, sizeof *totals);
    str *labels = arena_array(cx->arena, sets->count + 1, sizeof *labels);
    size_t count = 0;
    for (size_t i = sets->count; i > 0; i--) {
        const struct obs_set *set = &sets->list[i - 1];
        struct obs_result result = obs_set_result(set);
        if (set->in_error || !result.complete)
            continue;
        totals[count] = result.total;
        labels[count++] = ui_clock(cx, set->at_ms);
    }
    if (count < 2)
        return;
    const struct ui_series series[] = { { "NEWS2", totals } };
    ui_chart_draw(out, &(struct ui_chart){
        .kind = UI_CHART_LINE, .title = S("Trend of NEWS2"), .unit = S("points"), .labels = labels,
        .labels_count = count, .series = series, .series_count = 1, .limit = 5,
        .limit_name = "5: urgent response",
        .summary = S("Complete sets only: what is incomplete has no total.") });
}

static size_t hours_asked(struct http_request *request)
{
    uint64_t hours;
    str text = http_query_value(request->cx->arena, request->query, S("hours"));
    return str_to_u64(text, &hours) && hours >= 1 && hours <= OBS_CHART_HOURS_MAX
               ? (size_t)hours : OBS_CHART_HOURS;
}

static str saved_text(struct http_request *request, const struct obs_sets *sets)
{
    struct ctx *cx = request->cx;
    str id = http_query_value(cx->arena, request->query, S("saved"));
    for (size_t i = 0; id.n && i < sets->count; i++) {
        const struct obs_set *set = &sets->list[i];
        if (str_eq(set->id, id))
            return arena_printf(cx->arena, "Saved: the set taken at %.*s%s",
                                STR_ARG(ui_clock(cx, set->at_ms)),
                                set->in_error ? " is now marked as entered in error"
                                : obs_set_is_late(set) ? ", marked as a late entry" : "");
    }
    return S("");
}

static void fill(struct http_request *request, const struct obs_sets *sets,
                 struct obs_chart_page *page)
{
    struct ctx *cx = request->cx;
    const struct obs_set *latest = obs_sets_latest(sets);
    struct obs_line *lines = arena_array(cx->arena, sets->count + 1, sizeof *lines);
    struct buf rcp = ui_page_buf(request), trend = ui_page_buf(request);
    for (size_t i = 0; i < sets->count; i++)
        lines[i] = line_of(cx, &sets->list[i]);
    page->lines = lines;
    page->lines_count = sets->count;
    page->more = sets->more;
    page->any = latest != NULL;
    if (latest) {
        page->card = obs_card_of(cx, page->person, latest, sets);
        page->taken = arena_printf(cx->arena, "%.*s, %.*s", STR_ARG(ui_time(cx, latest->at_ms)),
                                   STR_ARG(obs_age(cx, latest->at_ms)));
        page->flag = obs_set_disagreement(cx, latest);
    }
    obs_rcp_draw(cx, &rcp, sets->list, sets->count);
    draw_trend(cx, &trend, sets);
    page->rcp = (struct ui_html){ buf_str(&rcp) };
    page->trend = (struct ui_html){ buf_str(&trend) };
    page->saved = saved_text(request, sets);
}

static bool may_write(const struct ctx *cx)
{
    return !cx->user || (cx->user->asker.role &&
                         role_permits(cx->user->asker.role, S("obs.write")));
}

err obs_chart_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct obs_person person;
    struct obs_sets sets;
    struct obs_chart_page chart = { .person = &person, .hours = hours_asked(request),
                                    .may_correct = may_write(cx) };
    int64_t seq = store_seq(request->store);
    TRY(store_reader(cx, request->store));
    TRY(obs_person_read(cx, request->store, request->captures[0], &person));
    TRY(obs_sets_read(cx, request->store, person.id, cx->now_ms - (int64_t)chart.hours * HOUR_MS,
                      &sets));
    TRY(obs_now_read(cx, request->store, person.id, &chart.now));
    fill(request, &sets, &chart);
    chart.identity = arena_printf(cx->arena, "%.*s, born %.*s, NHS No. %.*s",
        STR_ARG(ui_patient_name(cx, &person.banner.who)),
        STR_ARG(ui_patient_born(cx, &person.banner.who)),
        STR_ARG(person.banner.who.nhs_number.n ? ui_nhs_number(cx, person.banner.who.nhs_number)
                                           : S("not known")));
    chart.printed = ui_time(cx, cx->now_ms);
    struct ui_page page = obs_page_for(request, &person, "Observations");
    page.wide = true;
    page.live_seq = (uint64_t)seq;
    page.live_url = arena_printf(cx->arena, "/obs/live?patient=%.*s", STR_ARG(person.id));
    live_expect(request->live, arena_printf(cx->arena, "obs-patient/%.*s", STR_ARG(person.id)));
    struct buf out = ui_page_buf(request);
    obs_page_open(request, &out, &page, &person, "");
    obs_chart_body(&out, &chart);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}
