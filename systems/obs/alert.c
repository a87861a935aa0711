/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/alert.h"
#include "systems/obs/rota.h"

enum { ALERTS_MAX = 50 };

static const char *const statuses[] = {
    [OBS_TOLD] = "requested", [OBS_SNOOZED] = "on-hold", [OBS_ANSWERED] = "accepted",
};

bool obs_is_alert(struct json task)
{
    return obs_has_code(json_get(task, S("code")), OBS_CODES "task", "news2-escalation");
}

/* ---- reading ---- */

static int number_of(struct json extension, const char *name)
{
    int64_t value;
    return str_to_i64(json_text(obs_part(extension, name, "valueInteger")), &value) ? (int)value
                                                                                    : 0;
}

static int64_t instant_of(struct ctx *cx, struct json extension, const char *name)
{
    return obs_read_instant(cx, obs_part(extension, name, "valueDateTime"));
}

static str text_of(struct ctx *cx, struct json extension, const char *name)
{
    return json_string(cx->arena, obs_part(extension, name, "valueString"));
}

static enum obs_state state_of(str status)
{
    for (size_t i = 0; i < COUNT(statuses); i++)
        if (str_eq(status, str_of(statuses[i])))
            return (enum obs_state)i;
    return OBS_ENDED;
}

struct obs_alert obs_alert_of(struct ctx *cx, struct json task, int64_t vid)
{
    struct json e = obs_extension(task, "escalation");
    struct obs_alert alert = {
        .id = json_string(cx->arena, json_get(task, S("id"))),
        .patient = obs_reference(cx, json_get(task, S("for")), "Patient"),
        .encounter = obs_reference(cx, json_get(task, S("encounter")), "Encounter"),
        .ward = obs_reference(cx, json_get(task, S("location")), "Location"),
        .set = obs_reference(cx, json_get(task, S("focus")), "Observation"),
        .vid = vid,
        .status = json_string(cx->arena, json_get(task, S("status"))),
        .reason = json_string(cx->arena, json_get(json_get(task, S("statusReason")), S("text"))),
        .response = obs_response_named(text_of(cx, e, "response")),
        .total = number_of(e, "total"), .step = number_of(e, "step"),
        .red = number_of(e, "red") == 1, .complete = number_of(e, "complete") == 1,
        .round = number_of(e, "round"), .snoozes = number_of(e, "snoozes"),
        .raised_ms = instant_of(cx, e, "raised"), .answer_by_ms = instant_of(cx, e, "answer-by"),
        .review_by_ms = instant_of(cx, e, "review-by"),
        .snooze_until_ms = instant_of(cx, e, "snooze-until"),
        .answered_ms = instant_of(cx, e, "answered"), .reviewed_ms = instant_of(cx, e, "reviewed"),
        .told = text_of(cx, e, "told"), .answered_by = text_of(cx, e, "answered-by"),
        .reviewed_by = text_of(cx, e, "reviewed-by"), .note = text_of(cx, e, "note"),
    };
    alert.state = state_of(alert.status);
    if (!alert.response) /* a Task from elsewhere without our figures: the strongest is safe */
        alert.response = &news2_responses[0];
    return alert;
}

err obs_alert_read(struct ctx *cx, struct store *store, str id, struct obs_alert *out)
{
    struct store_version version;
    struct json body;
    TRY(obs_read(cx, store, "Task", id, &version, &body));
    if (!obs_is_alert(body))
        return ctx_failf(cx, ERR_NOT_FOUND, S(""), "%.*s is no escalation", STR_ARG(id));
    *out = obs_alert_of(cx, body, version.vid);
    return ERR_OK;
}

err obs_alerts_read(struct ctx *cx, struct store *store, str patient, bool open,
                    struct obs_alert **out, size_t *count)
{
    struct obs_found found;
    str query = arena_printf(cx->arena, "patient=%.*s&code=news2-escalation%s&_sort=-authored-on",
                             STR_ARG(patient),
                             open ? "&status=requested,on-hold,accepted" : "");
    TRY(obs_search(cx, store, "Task", query, ALERTS_MAX, &found));
    *out = arena_array(cx->arena, found.count + 1, sizeof **out);
    *count = 0;
    for (size_t i = 0; i < found.count; i++) {
        uint64_t vid = 0;
        struct json meta = json_get(found.bodies[i], S("meta"));
        (void)str_to_u64(json_string(cx->arena, json_get(meta, S("versionId"))), &vid);
        (*out)[(*count)++] = obs_alert_of(cx, found.bodies[i], (int64_t)vid);
    }
    return ERR_OK;
}

struct obs_clock obs_alert_clock(const struct obs_alert *alert)
{
    return (struct obs_clock){ alert->state, alert->answer_by_ms, alert->snooze_until_ms,
                               alert->review_by_ms };
}

/* ---- writing ---- */

static void put_part(struct json_writer *w, const char *name, const char *type, str raw)
{
    json_open(w, '{');
    json_put_str(w, "url", str_of(name));
    json_put_raw(w, type, raw);
    json_close(w, '}');
}

static void put_number(struct ctx *cx, struct json_writer *w, const char *name, int value)
{
    put_part(w, name, "valueInteger", arena_printf(cx->arena, "%d", value));
}

static void put_instant(struct ctx *cx, struct json_writer *w, const char *name, int64_t at_ms)
{
    if (at_ms)
        put_part(w, name, "valueDateTime",
                 arena_printf(cx->arena, "\"%.*s\"", STR_ARG(obs_instant(cx, at_ms))));
}

static void put_text(struct ctx *cx, struct json_writer *w, const char *name, str text)
{
    if (!text.n)
        return;
    struct buf quoted = buf_make(cx->arena, OBS_BODY_BYTES);
    buf_char(&quoted, '"');
    json_escape(&quoted, text);
    buf_char(&quoted, '"');
    put_part(w, name, "valueString", buf_str(&quoted));
}

static void put_figures(struct ctx *cx, struct json_writer *w, const struct obs_alert *a)
{
    json_key(w, "extension");
    json_open(w, '[');
    json_open(w, '{');
    json_put_str(w, "url", S(OBS_URL "escalation"));
    json_key(w, "extension");
    json_open(w, '[');
    put_text(cx, w, "response", str_of(a->response->name));
    put_text(cx, w, "table", str_of(news2_table));
    put_number(cx, w, "total", a->total);
    put_number(cx, w, "red", a->red);
    put_number(cx, w, "complete", a->complete);
    put_number(cx, w, "step", a->step);
    put_number(cx, w, "round", a->round);
    put_number(cx, w, "snoozes", a->snoozes);
    put_instant(cx, w, "raised", a->raised_ms);
    put_instant(cx, w, "answer-by", a->answer_by_ms);
    put_instant(cx, w, "review-by", a->review_by_ms);
    put_instant(cx, w, "snooze-until", a->snooze_until_ms);
    put_instant(cx, w, "answered", a->answered_ms);
    put_instant(cx, w, "reviewed", a->reviewed_ms);
    put_text(cx, w, "told", a->told);
    put_text(cx, w, "answered-by", a->answered_by);
    put_text(cx, w, "reviewed-by", a->reviewed_by);
    put_text(cx, w, "note", a->note);
    json_close(w, ']');
    json_close(w, '}');
    json_close(w, ']');
}

err obs_alert_op(struct ctx *cx, const struct obs_alert *a, struct commit_op *op)
{
    struct buf buf = buf_make(cx->arena, OBS_BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Task"));
    json_put_str(&w, "id", a->id);
    put_figures(cx, &w, a);
    json_put_str(&w, "status", a->state == OBS_ENDED ? a->status : str_of(statuses[a->state]));
    if (a->reason.n) {
        json_key(&w, "statusReason");
        json_open(&w, '{');
        json_put_str(&w, "text", a->reason);
        json_close(&w, '}');
    }
    json_put_str(&w, "intent", S("order"));
    json_put_str(&w, "priority", obs_rank(a->response) == 3 ? S("stat") : S("urgent"));
    json_put_raw(&w, "code", S("{\"coding\":[{\"system\":\"" OBS_CODES "task\",\"code\":"
                               "\"news2-escalation\"}],\"text\":\"NEWS2 escalation\"}"));
    json_put_str(&w, "description", str_of(a->response->action));
    obs_put_reference(cx, &w, "focus", "Observation", a->set);
    obs_put_reference(cx, &w, "for", "Patient", a->patient);
    if (a->encounter.n)
        obs_put_reference(cx, &w, "encounter", "Encounter", a->encounter);
    json_put_str(&w, "authoredOn", obs_when(cx, a->raised_ms));
    json_put_str(&w, "lastModified", obs_when(cx, cx->now_ms));
    if (a->ward.n)
        obs_put_reference(cx, &w, "location", "Location", a->ward);
    json_close(&w, '}');
    return obs_fhir_op(cx, "Task", a->id, a->vid, buf_str(&buf), op);
}

/* ---- telling ---- */

static str payload(struct ctx *cx, const struct obs_alert *a)
{
    return arena_printf(cx->arena, "NEWS2 %s%d%s. %s. Answer by %.*s.",
                        a->complete ? "" : "at least ", a->total,
                        a->red ? ", a single parameter scores 3" : "", a->response->action,
                        STR_ARG(obs_when(cx, a->answer_by_ms)));
}

static err telling_op(struct ctx *cx, const struct obs_alert *a,
                      const struct obs_shift_list *people, struct commit_op *op)
{
    struct buf buf = buf_make(cx->arena, OBS_BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    str id = arena_printf(cx->arena, "%.*s-t%d", STR_ARG(a->id), a->round);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Communication"));
    json_put_str(&w, "id", id);
    json_put_str(&w, "status", S("completed"));
    json_put_str(&w, "priority", obs_rank(a->response) == 3 ? S("stat") : S("urgent"));
    obs_put_reference(cx, &w, "subject", "Patient", a->patient);
    json_key(&w, "about");
    json_open(&w, '[');
    obs_put_reference(cx, &w, NULL, "Task", a->id);
    json_close(&w, ']');
    json_put_str(&w, "sent", obs_when(cx, cx->now_ms));
    if (people->count) {
        json_key(&w, "recipient");
        json_open(&w, '[');
        for (size_t i = 0; i < people->count; i++)
            json_raw(&w, people->list[i].reference_json);
        json_close(&w, ']');
    }
    json_key(&w, "payload");
    json_open(&w, '[');
    json_open(&w, '{');
    json_put_str(&w, "contentString", payload(cx, a));
    json_close(&w, '}');
    json_close(&w, ']');
    json_close(&w, '}');
    return obs_fhir_op(cx, "Communication", id, 0, buf_str(&buf), op);
}

err obs_alert_tell(struct ctx *cx, struct store *store, struct obs_alert *alert,
                   struct commit_op *ops, size_t *count)
{
    struct obs_shift_list people = { .count = 0 };
    int rank = obs_rank(alert->response), steps = obs_steps(rank);
    struct buf told = buf_make(cx->arena, 4096);
    const struct obs_step *step = NULL;
    if (alert->step >= steps)
        alert->step = steps - 1; /* the top is told again and again */
    for (; alert->step < steps; alert->step++) {
        step = obs_step_at(rank, alert->step);
        TRY(obs_rota_on_shift(cx, store, step->role, alert->ward, &people));
        if (people.count)
            break;
        buf_printf(&told, "no %s on the rota; ", step->title);
    }
    for (size_t i = 0; i < people.count; i++)
        buf_printf(&told, "%s%.*s", i ? ", " : "", STR_ARG(people.list[i].name));
    buf_printf(&told, people.count ? " (%s)" : "nobody is on the rota: find a %s yourself",
               people.count ? step->title : obs_step_at(rank, 0)->title);
    if (alert->step >= steps) {
        step = obs_step_at(rank, 0);
        alert->step = 0;
    }
    alert->round++;
    alert->told = buf_str(&told);
    alert->answer_by_ms = cx->now_ms + obs_answer_min(step, alert->round) * OBS_MINUTE_MS;
    return telling_op(cx, alert, &people, &ops[(*count)++]);
}
