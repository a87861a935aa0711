/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/calls.h"
#include "auth/gate.h"
#include "http/text.h"
#include "obs_calls.html.h"
#include "store/access.h"
#include "systems/obs/enter.h"
#include "systems/obs/ward.h"
#include "ui/browse.h"
#include "ui_page.html.h"

enum { CALLS_MAX = 200, TELLINGS_SHOWN = 30, REASON_LEAST = 3, REASON_MAX = 500 };

bool obs_may_answer(const struct ctx *cx)
{
    return !cx->user || (cx->user->asker.role &&
                         role_may(cx->user->asker.role, fhir_resource_find(S("Task")), 'u'));
}

/* ---- the card ---- */

static str clock_text(struct ctx *cx, const struct obs_alert *a, bool *late)
{
    struct obs_clock clock = obs_alert_clock(a);
    int64_t until_ms = obs_clock_next_ms(&clock);
    int64_t left_min = (until_ms - cx->now_ms + OBS_MINUTE_MS - 1) / OBS_MINUTE_MS;
    static const char *const words[] = { [OBS_TOLD] = "answer", [OBS_SNOOZED] = "put off; again",
                                         [OBS_ANSWERED] = "see the patient" };
    if (until_ms == INT64_MAX)
        return S("");
    *late = left_min <= 0;
    return left_min > 0
        ? arena_printf(cx->arena, "%s by %.*s, %lld min left", words[a->state],
                       STR_ARG(ui_clock(cx, until_ms)), (long long)left_min)
        : arena_printf(cx->arena, "%s by %.*s, %lld min late", words[a->state],
                       STR_ARG(ui_clock(cx, until_ms)), (long long)-left_min);
}

struct obs_call_card obs_call_card_of(struct ctx *cx, const struct obs_alert *alert)
{
    struct obs_call_card card = { .alert = *alert, .raised = ui_time(cx, alert->raised_ms),
        .may_answer = obs_may_answer(cx) && alert->state != OBS_ENDED };
    card.clock = clock_text(cx, alert, &card.late);
    card.may_snooze = card.may_answer && alert->state == OBS_TOLD &&
                      alert->snoozes < OBS_SNOOZES_MAX && obs_rank(alert->response) < 3;
    card.tone = alert->state == OBS_ENDED ? UI_PLAIN : obs_rank(alert->response) == 3 ? UI_HIGH
                                                                                     : UI_MEDIUM;
    if (alert->answered_ms)
        card.answered = arena_printf(cx->arena, "%.*s at %.*s, %lld min after it was raised",
            STR_ARG(alert->answered_by), STR_ARG(ui_clock(cx, alert->answered_ms)),
            (long long)((alert->answered_ms - alert->raised_ms) / OBS_MINUTE_MS));
    if (alert->reviewed_ms)
        card.reviewed = arena_printf(cx->arena, "%.*s at %.*s, %lld min after it was raised",
            STR_ARG(alert->reviewed_by), STR_ARG(ui_clock(cx, alert->reviewed_ms)),
            (long long)((alert->reviewed_ms - alert->raised_ms) / OBS_MINUTE_MS));
    return card;
}

static err add_tellings(struct ctx *cx, struct store *store, struct obs_call_card *card)
{
    struct obs_found found;
    TRY(obs_search(cx, store, "Communication",
                   arena_printf(cx->arena, "patient=%.*s&_sort=sent", STR_ARG(card->alert.patient)),
                   CALLS_MAX, &found));
    str *list = arena_array(cx->arena, found.count + 1, sizeof *list);
    for (size_t i = 0; i < found.count && card->tellings_count < TELLINGS_SHOWN; i++) {
        struct json body = found.bodies[i];
        struct buf names = buf_make(cx->arena, 4096);
        if (!str_eq(obs_reference(cx, json_at(json_get(body, S("about")), 0), "Task"),
                    card->alert.id))
            continue;
        for (struct json_walk w = json_walk(json_get(body, S("recipient"))); json_next(&w);)
            buf_printf(&names, "%s%.*s", names.n ? ", " : "",
                       STR_ARG(json_string(cx->arena, json_get(w.value, S("display")))));
        list[card->tellings_count++] = arena_printf(cx->arena, "%.*s: %.*s",
            STR_ARG(ui_clock(cx, obs_read_instant(cx, json_get(body, S("sent"))))),
            STR_ARG(names.n ? buf_str(&names) : S("nobody was on the rota")));
    }
    card->tellings = list;
    return ERR_OK;
}

/* ---- one patient ---- */

err obs_patient_calls_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct obs_person person;
    struct obs_alert *alerts;
    size_t count;
    TRY(store_reader(cx, request->store));
    TRY(obs_person_read(cx, request->store, request->captures[0], &person));
    TRY(obs_alerts_read(cx, request->store, person.id, false, &alerts, &count));
    struct ui_page page = obs_page_for(request, &person, "Escalations");
    struct buf out = ui_page_buf(request);
    obs_page_open(request, &out, &page, &person, "/escalations");
    if (!count)
        obs_calls_none(&out);
    for (size_t i = 0; i < count; i++) {
        struct obs_call_card card = obs_call_card_of(cx, &alerts[i]);
        TRY(add_tellings(cx, request->store, &card));
        obs_call(&out, &card);
    }
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* ---- all ---- */

static err add_patient(struct ctx *cx, struct store *store, struct obs_call_card *card)
{
    struct store_version version;
    struct json body;
    TRY(obs_read(cx, store, "Patient", card->alert.patient, &version, &body));
    struct ui_patient who = ui_patient_of(cx, body);
    card->name = ui_patient_name(cx, &who);
    card->nhs = who.nhs_number.n ? ui_nhs_number(cx, who.nhs_number) : S("Not known");
    if (card->alert.ward.n &&
        obs_read(cx, store, "Location", card->alert.ward, &version, &body) == ERR_OK)
        card->ward_name = json_string(cx->arena, json_get(body, S("name")));
    return ERR_OK;
}

static err collect(struct ctx *cx, struct store *store, const char *status,
                   struct obs_call_card *cards, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, cx->db, obs_sql, OBS_SQL_OPEN);
    str ids[CALLS_MAX];
    size_t found = 0;
    bool row;
    db_bind_text(stmt, 1, str_of(status));
    for (;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row || found == CALLS_MAX)
            break;
        if (access_patient(cx->access, db_int(stmt, 1), db_int(stmt, 2)))
            ids[found++] = arena_copy(cx->arena, db_text(stmt, 0));
    }
    if (row)
        db_reset(stmt);
    for (size_t i = 0; i < found && *count < CALLS_MAX; i++) {
        struct obs_alert alert;
        if (obs_alert_read(cx, store, ids[i], &alert) != ERR_OK)
            continue;
        cards[*count] = obs_call_card_of(cx, &alert);
        if (add_patient(cx, store, &cards[*count]) == ERR_OK)
            ++*count;
    }
    return ERR_OK;
}

/* Within a status the gravest first, then the longest waiting. */
static void sort_cards(struct obs_call_card *cards, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct obs_call_card card = cards[i];
        size_t at = i;
        for (; at > 0 && obs_rank(cards[at - 1].alert.response) < obs_rank(card.alert.response);
             at--)
            cards[at] = cards[at - 1];
        cards[at] = card;
    }
}

err obs_calls_get(struct http_request *request, struct http_response *response)
{
    static const char *const open[] = { "requested", "on-hold", "accepted" };
    struct ctx *cx = request->cx;
    struct obs_call_card *cards = arena_array(cx->arena, CALLS_MAX, sizeof *cards);
    size_t count = 0;
    TRY(store_reader(cx, request->store));
    for (size_t i = 0; i < COUNT(open); i++) {
        size_t from = count;
        TRY(collect(cx, request->store, open[i], cards, &count));
        sort_cards(cards + from, count - from);
    }
    struct ui_page page = ui_page_for(request, S("Escalations"));
    page.section = "/obs";
    page.back_href = S("/obs");
    page.back_text = S("All wards");
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    obs_calls_list(&out, cards, count);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* "NEWS2 at least 7, Ward 3, raised 22 Nov 2026, 17:00" */
static str home_words(struct ctx *cx, const struct obs_call_card *card)
{
    const struct obs_alert *alert = &card->alert;
    return arena_printf(cx->arena, "NEWS2 %s%d, %.*s%sraised %.*s",
                        alert->complete ? "" : "at least ", alert->total,
                        STR_ARG(card->ward_name), card->ward_name.n ? ", " : "",
                        STR_ARG(card->raised));
}

err obs_calls_home(struct ui_home *home)
{
    struct ctx *cx = home->request->cx;
    struct obs_call_card *cards = arena_array(cx->arena, CALLS_MAX, sizeof *cards);
    size_t count = 0;
    struct ui_home_card *card = ui_home_add(home, "escalations", "Escalations to answer",
                                            "None is waiting for an answer.");
    card->all_href = S("/obs/escalations");
    card->all_text = S("All open escalations");
    card->urgent = true;
    TRY(collect(cx, home->request->store, "requested", cards, &count));
    sort_cards(cards, count);
    for (size_t i = 0; i < count; i++) {
        struct ui_home_line *line = ui_home_line(card);
        if (line)
            *line = (struct ui_home_line){
                .text = cards[i].name, .more = home_words(cx, &cards[i]),
                .href = arena_printf(cx->arena, "/obs/patient/%.*s/escalations",
                                     STR_ARG(cards[i].alert.patient)),
                .chip = cards[i].clock, .tone = cards[i].tone,
            };
    }
    return ERR_OK;
}

/* ---- answering ---- */

static str input(const struct http_request *request, const char *name)
{
    str text = http_query_value(request->cx->arena, request->body, str_of(name));
    return str_trim(text.p ? text : S(""));
}

static err need_reason(struct http_request *request, struct obs_alert *alert)
{
    str note = input(request, "note");
    if (note.n < REASON_LEAST || note.n > REASON_MAX)
        return ctx_fail(request->cx, ERR_INVALID, S("note"),
                        S("say in a few words what you will do, or why"));
    alert->note = note;
    return ERR_OK;
}

static err answer(struct http_request *request, struct obs_alert *alert)
{
    struct ctx *cx = request->cx;
    if (alert->state == OBS_ANSWERED)
        return ctx_failf(cx, ERR_CONFLICT, S(""), "%.*s answered at %.*s",
                         STR_ARG(alert->answered_by), STR_ARG(ui_clock(cx, alert->answered_ms)));
    TRY(need_reason(request, alert));
    alert->state = OBS_ANSWERED;
    alert->answered_ms = cx->now_ms;
    alert->answered_by = obs_author_name(cx);
    alert->snooze_until_ms = 0;
    return ERR_OK;
}

static err snooze(struct http_request *request, struct obs_alert *alert)
{
    struct ctx *cx = request->cx;
    uint64_t minutes;
    if (obs_rank(alert->response) == 3)
        return ctx_fail(cx, ERR_RULE, S(""), S("an emergency cannot be put off: answer it"));
    if (alert->snoozes >= OBS_SNOOZES_MAX)
        return ctx_failf(cx, ERR_RULE, S(""), "it was put off %d times already: answer it",
                         alert->snoozes);
    if (alert->state != OBS_TOLD)
        return ctx_fail(cx, ERR_RULE, S(""), S("only an unanswered escalation can be put off"));
    if (!str_to_u64(input(request, "minutes"), &minutes) || minutes < 1 ||
        minutes > OBS_SNOOZE_MAX_MIN)
        return ctx_failf(cx, ERR_INVALID, S("minutes"), "give 1 to %d minutes",
                         OBS_SNOOZE_MAX_MIN);
    TRY(need_reason(request, alert));
    alert->state = OBS_SNOOZED;
    alert->snoozes++;
    alert->snooze_until_ms = cx->now_ms + (int64_t)minutes * OBS_MINUTE_MS;
    return ERR_OK;
}

static err seen(struct http_request *request, struct obs_alert *alert)
{
    struct ctx *cx = request->cx;
    TRY(need_reason(request, alert));
    if (!alert->answered_ms) { /* whoever came without answering first has answered by coming */
        alert->answered_ms = cx->now_ms;
        alert->answered_by = obs_author_name(cx);
    }
    alert->state = OBS_ENDED;
    alert->status = S("completed");
    alert->reviewed_ms = cx->now_ms;
    alert->reviewed_by = obs_author_name(cx);
    return ERR_OK;
}

static const struct {
    const char *name;
    err (*make)(struct http_request *request, struct obs_alert *alert);
} moves[] = { { "answer", answer }, { "snooze", snooze }, { "seen", seen } };

err obs_call_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct obs_alert alert;
    struct commit_op op;
    struct commit commit = { .ops = &op, .ops_count = 1, .cx = cx, .why = S("obs: answered") };
    size_t move = 0;
    while (move < COUNT(moves) && !str_eq(request->captures[1], str_of(moves[move].name)))
        move++;
    if (move == COUNT(moves))
        return ctx_fail(cx, ERR_NOT_FOUND, S(""), S("an escalation is answered, put off or seen"));
    TRY(store_reader(cx, request->store));
    TRY(obs_alert_read(cx, request->store, request->captures[0], &alert));
    if (alert.state == OBS_ENDED)
        return ctx_failf(cx, ERR_CONFLICT, S(""), "this escalation has ended: %.*s",
                         STR_ARG(alert.reason.n ? alert.reason : S("the patient was seen")));
    TRY(moves[move].make(request, &alert));
    TRY(obs_alert_op(cx, &alert, &op));
    err made = commit_run(cx, request->store, &commit);
    if (made == ERR_PRECONDITION)
        return ctx_fail(cx, ERR_CONFLICT, S(""), S("somebody else acted on it just now: look "
                                                   "again"));
    TRY(made);
    response->status = 303;
    http_put_header(response, S("Location"),
                    arena_printf(cx->arena, "/obs/patient/%.*s/escalations",
                                 STR_ARG(alert.patient)));
    return ERR_OK;
}
