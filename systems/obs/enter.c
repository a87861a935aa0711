/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/enter.h"
#include "assets.h"
#include "auth/gate.h"
#include "base/random.h"
#include "http/text.h"
#include "obs_enter.html.h"
#include "obs_tabs.html.h"
#include "systems/obs/follow.h"
#include "ui_banner.html.h"
#include "ui_page.html.h"

enum { FORM_BYTES_MAX = 64 << 10, REASON_LEAST = 3, REASON_MAX = 500, KEY_BYTES = 12 };
#define LOOK_BACK_MS (48 * INT64_C(3600000))

static const char *const islands[] = { ASSET_ENTRY_JS, ASSET_OUTBOX_JS };

struct ui_page obs_page_for(struct http_request *request, const struct obs_person *person,
                            const char *title)
{
    struct ui_page page = ui_page_for(request, str_of(title));
    page.section = "/obs";
    if (person->ward.n) {
        page.back_href = arena_printf(request->cx->arena, "/obs/ward/%.*s", STR_ARG(person->ward));
        page.back_text = S("Ward list");
    }
    return page;
}

void obs_page_open(struct http_request *request, struct buf *out, const struct ui_page *page,
                   const struct obs_person *person, const char *current)
{
    static const struct { const char *part, *text; } tabs[] = {
        { "", "Chart" }, { "/enter", "Enter" }, { "/fluid", "Fluids" }, { "/gcs", "GCS" },
        { "/escalations", "Escalations" },
    };
    struct arena *arena = request->cx->arena;
    struct ui_tab list[COUNT(tabs)];
    for (size_t i = 0; i < COUNT(tabs); i++)
        list[i] = (struct ui_tab){
            arena_cstr(arena, arena_printf(arena, "/obs/patient/%.*s%s", STR_ARG(person->id),
                                           tabs[i].part)),
            tabs[i].text, strcmp(tabs[i].part, current) == 0 };
    ui_page_open(out, page);
    ui_banner_draw(out, request->cx, &person->banner);
    obs_tabs_draw(out, list, COUNT(list));
}

/* ---- the card ---- */

static str missing_text(struct ctx *cx, const struct obs_result *result)
{
    struct buf buf = buf_make(cx->arena, 1024);
    for (size_t i = 0; i < NEWS2_PARTS; i++)
        if (result->parts[i] == OBS_NONE)
            buf_printf(&buf, "%s%s", buf.n ? ", " : "", news2_names[i].title);
    return buf_str(&buf);
}

static str scale_reason(struct ctx *cx, const struct obs_person *person, bool scale2)
{
    const struct obs_target *t = &person->target;
    if (!t->set && scale2)
        return S("used when it was taken; no decision for 88-92 % is in force here now");
    if (!t->set && t->earlier.n)
        return arena_printf(cx->arena, "the decision for 88-92 %% of %.*s was for an earlier stay; "
                            "in this one nobody has decided", STR_ARG(t->earlier));
    if (!t->set)
        return S("no decision for 88-92 % is recorded");
    return arena_printf(cx->arena, "target 88-92 %% decided by %.*s on %.*s", STR_ARG(t->who),
                        STR_ARG(ui_time(cx, t->at_ms)));
}

static str caution(const struct obs_person *person)
{
    if (person->age_years != NEWS2_MISSING)
        return S("");
    return S("Age not recorded: NEWS2 is for 16 and over; check that it is for this patient");
}

struct obs_card obs_card_of(struct ctx *cx, const struct obs_person *person,
                            const struct obs_set *set, const struct obs_sets *before)
{
    static const enum ui_tone tones[] = { UI_LOW, UI_MEDIUM, UI_MEDIUM, UI_HIGH };
    struct obs_result result = obs_set_result(set);
    struct obs_point *points, *older;
    size_t count = before ? obs_points_of(cx, before, &older) : 0;
    points = arena_array(cx->arena, count + 1, sizeof *points);
    points[0] = (struct obs_point){ set->at_ms, result.total, result.highest == 3, result.complete,
                                    result.excluded };
    size_t all = 1;
    for (size_t i = 0; i < count; i++)
        if (older[i].at_ms < set->at_ms)
            points[all++] = older[i];
    const struct news2_response *asked = obs_asked(points, all);
    struct obs_card card = {
        .complete = result.complete, .excluded = result.excluded, .none = result.none,
        .single_red = result.highest == 3, .total = result.total, .why = set->excluded,
        .risk = str_of(result.text), .missing = missing_text(cx, &result),
        .table = str_of(news2_table), .scale2 = set->scale2,
        .scale_reason = scale_reason(cx, person, set->scale2), .tone = UI_PLAIN,
        .caution = caution(person),
    };
    if (!asked || result.none)
        return card;
    card.tone = result.complete && result.total == 0 ? UI_GOOD : tones[obs_rank(asked)];
    card.response = str_of(asked->name);
    card.frequency = str_of(asked->frequency);
    card.action = str_of(asked->action);
    card.source = str_of(asked->source);
    card.confirmed = asked->confirmed;
    card.next_due = ui_clock(cx, obs_due_of(points, all, set->at_ms).due_ms);
    return card;
}

const char *obs_card_class(const struct obs_card *card)
{
    static const char *const classes[] = {
        [UI_PLAIN] = "obs-card--plain", [UI_GOOD] = "obs-card--good", [UI_LOW] = "obs-card--low",
        [UI_MEDIUM] = "obs-card--medium", [UI_HIGH] = "obs-card--high",
    };
    return classes[card->tone];
}

/* ---- the form ---- */

str obs_new_key(struct ctx *cx)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    unsigned char bytes[KEY_BYTES * 2];
    char *key = arena_alloc(cx->arena, sizeof bytes);
    random_secret(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        key[i] = digits[bytes[i] & 31];
    return arena_printf(cx->arena, "obs-%.*s", (int)sizeof bytes, key);
}

static str latest_id(const struct obs_sets *sets)
{
    const struct obs_set *latest = obs_sets_latest(sets);
    return latest ? latest->id : S("");
}

static void note_problems(struct obs_form *form)
{
    form->problems_count = OBS_FIELDS;
    for (size_t i = 0; i < OBS_FIELDS; i++) {
        const struct obs_entry_field *f = &form->entry->fields[i];
        form->problems[i] = (struct ui_field){ .name = f->name, .label = f->label,
            .error = f->error.n ? f->error : f->question.n && !f->confirmed ? f->question
                                                                            : (str){ 0 } };
    }
}

static err send_form(struct http_request *request, struct http_response *response,
                     struct obs_form *form)
{
    struct ctx *cx = request->cx;
    const struct obs_person *person = form->person;
    struct ui_page page = obs_page_for(request, person, form->correcting ? "Correct observations"
                                                                         : "Enter observations");
    page.islands = islands;
    page.islands_count = COUNT(islands);
    page.as_of = S("");
    form->patient_path = arena_printf(cx->arena, "/obs/patient/%.*s", STR_ARG(person->id));
    form->preview = arena_printf(cx->arena, "%.*s/preview", STR_ARG(form->patient_path));
    form->who = arena_printf(cx->arena, "%.*s, NHS No. %.*s",
        STR_ARG(ui_patient_name(cx, &person->banner.who)),
        STR_ARG(person->banner.who.nhs_number.n ? ui_nhs_number(cx, person->banner.who.nhs_number)
                                                : S("not known")));
    form->opened_ms = arena_printf(cx->arena, "%lld", (long long)cx->now_ms);
    note_problems(form);
    if (ui_fields_wrong(form->problems, OBS_FIELDS))
        response->status = 422;
    struct buf out = ui_page_buf(request);
    obs_page_open(request, &out, &page, person, "/enter");
    obs_enter_form(&out, form);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

static err open_person(struct http_request *request, str id, struct obs_person *person,
                       struct obs_sets *sets)
{
    struct ctx *cx = request->cx;
    if (request->body.n > FORM_BYTES_MAX)
        return ctx_fail(cx, ERR_LIMIT, S(""), S("a set of observations is a few fields"));
    TRY(store_reader(cx, request->store));
    TRY(obs_person_read(cx, request->store, id, person));
    return obs_sets_read(cx, request->store, id, cx->now_ms - LOOK_BACK_MS, sets);
}

err obs_enter_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct obs_person person;
    struct obs_sets sets;
    struct obs_entry entry;
    TRY(open_person(request, request->captures[0], &person, &sets));
    obs_entry_read(cx, &person, (str){ 0 }, &entry);
    obs_entry_last(cx, &sets, &entry);
    entry.key = obs_new_key(cx);
    entry.seen = latest_id(&sets);
    str from = http_query_value(cx->arena, request->query, S("from"));
    entry.from = str_eq(from, S("scan")) || str_eq(from, S("search")) ? from : S("");
    struct obs_form form = { .person = &person, .entry = &entry, .empty = true,
                             .card = obs_card_of(cx, &person, &entry.set, &sets) };
    form.action = arena_printf(cx->arena, "/obs/patient/%.*s/enter", STR_ARG(person.id));
    return send_form(request, response, &form);
}

/* Somebody else's set came in while this form was open: said before the new one is stored. */
static void look_for_newer(struct ctx *cx, const struct obs_sets *sets, str form,
                           struct obs_entry *entry)
{
    const struct obs_set *latest = obs_sets_latest(sets);
    struct obs_entry_field *field = &entry->fields[OBS_F_NEWER];
    if (!latest || !str_given(entry->seen) || str_eq(latest->id, entry->seen) ||
        str_eq(latest->id, entry->key) || !latest->id.n)
        return;
    str answer = http_query_value(cx->arena, form, S("confirm_newer"));
    field->question = arena_printf(cx->arena, "%.*s entered a set taken at %.*s while this form "
                                   "was open. Store yours as well?", STR_ARG(latest->who),
                                   STR_ARG(ui_clock(cx, latest->at_ms)));
    field->confirmed = str_eq(answer, S("1"));
    entry->asked += !field->confirmed;
}

static err check_in_use(struct ctx *cx, const struct obs_person *person)
{
    if (!person->banner.replaced_by.n)
        return ERR_OK;
    return ctx_failf(cx, ERR_RULE, S(""), "this record was merged: enter the observations in "
                     "Patient/%.*s", STR_ARG(person->banner.replaced_by));
}

static err store_set(struct http_request *request, const struct obs_writing *what)
{
    struct ctx *cx = request->cx;
    struct commit_op ops[OBS_OPS_MAX];
    struct commit commit = { .ops = ops, .cx = cx,
        .why = what->before ? S("obs: corrected") : S("obs: entered") };
    TRY(obs_set_ops(cx, request->store, what, ops, &commit.ops_count));
    return commit_run(cx, request->store, &commit);
}

static err see_chart(struct http_request *request, struct http_response *response, str patient,
                     str saved)
{
    response->status = 303;
    http_put_header(response, S("Location"),
                    arena_printf(request->cx->arena, "/obs/patient/%.*s?saved=%.*s",
                                 STR_ARG(patient), STR_ARG(saved)));
    return ERR_OK;
}

err obs_enter_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct obs_person person;
    struct obs_sets sets;
    struct obs_entry entry;
    TRY(open_person(request, request->captures[0], &person, &sets));
    TRY(check_in_use(cx, &person));
    obs_entry_read(cx, &person, request->body, &entry);
    if (!obs_key_is_sound(entry.key))
        entry.key = obs_new_key(cx);
    look_for_newer(cx, &sets, request->body, &entry);
    if (entry.wrong || entry.asked) {
        obs_entry_last(cx, &sets, &entry);
        struct obs_form form = { .person = &person, .entry = &entry,
                                 .card = obs_card_of(cx, &person, &entry.set, &sets) };
        form.action = request->path;
        return send_form(request, response, &form);
    }
    struct obs_writing what = { .set = &entry.set, .patient = person.id, .key = entry.key,
                                .encounter = person.encounter,
                                .target = person.target.set ? person.target.id : S("") };
    TRY(store_set(request, &what));
    return see_chart(request, response, person.id, entry.key);
}

err obs_preview_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct obs_person person;
    struct obs_sets sets;
    struct obs_entry entry;
    TRY(open_person(request, request->captures[0], &person, &sets));
    obs_entry_read(cx, &person, request->body, &entry);
    struct obs_card card = obs_card_of(cx, &person, &entry.set, &sets);
    struct obs_form form = { .person = &person, .entry = &entry, .card = card };
    note_problems(&form);
    struct buf out = ui_page_buf(request);
    obs_enter_preview(&out, &form);
    return ui_page_send(request, response, &out);
}

/* ---- correcting, and taking back ---- */

static err open_set(struct http_request *request, struct obs_set *set, struct obs_person *person,
                    struct obs_sets *sets)
{
    struct ctx *cx = request->cx;
    str patient;
    TRY(store_reader(cx, request->store));
    TRY(obs_set_read(cx, request->store, request->captures[0], &patient, set));
    if (!set->own)
        return ctx_fail(cx, ERR_RULE, S(""), S("this set came from another system: it is "
                                               "corrected there"));
    if (set->in_error)
        return ctx_fail(cx, ERR_RULE, S(""), S("this set is marked as entered in error already"));
    return open_person(request, patient, person, sets);
}

static err send_correction(struct http_request *request, struct http_response *response,
                           struct obs_person *person, struct obs_entry *entry,
                           const struct obs_sets *sets)
{
    struct obs_form form = { .person = person, .entry = entry, .correcting = true,
                             .card = obs_card_of(request->cx, person, &entry->set, sets) };
    form.action = arena_printf(request->cx->arena, "/obs/set/%.*s",
                               STR_ARG(request->captures[0]));
    return send_form(request, response, &form);
}

err obs_correct_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct obs_set set;
    struct obs_person person;
    struct obs_sets sets;
    struct obs_entry entry;
    TRY(open_set(request, &set, &person, &sets));
    obs_entry_read(cx, &person, (str){ 0 }, &entry);
    obs_entry_fill(cx, &set, &entry);
    entry.set = set;
    entry.key = arena_printf(cx->arena, "%lld", (long long)set.vid); /* the version seen */
    return send_correction(request, response, &person, &entry, &sets);
}

static err mark_in_error(struct http_request *request, str reason)
{
    struct ctx *cx = request->cx;
    struct commit_op ops[OBS_OPS_MAX];
    struct commit commit = { .ops = ops, .cx = cx, .why = S("obs: entered in error") };
    TRY(obs_set_error_ops(cx, request->store, request->captures[0], reason, ops,
                          &commit.ops_count));
    return commit_run(cx, request->store, &commit);
}

/* The minute stands in the form; a set that keeps it keeps its seconds. */
static void keep_instant(const struct obs_set *before, struct obs_set *set)
{
    if (before->at_ms / 60000 == set->at_ms / 60000)
        set->at_ms = before->at_ms;
}

err obs_correct_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct obs_set set;
    struct obs_person person;
    struct obs_sets sets;
    struct obs_entry entry;
    int64_t seen;
    TRY(open_set(request, &set, &person, &sets));
    obs_entry_read(cx, &person, request->body, &entry);
    str reason = entry.fields[OBS_F_REASON].text;
    if (!str_to_i64(entry.key, &seen) || seen != set.vid)
        return ctx_failf(cx, ERR_CONFLICT, S(""), "%.*s changed this set meanwhile: look at the "
                         "chart again before you correct it", STR_ARG(set.who));
    if (reason.n < REASON_LEAST || reason.n > REASON_MAX) {
        entry.fields[OBS_F_REASON].error = S("Reason: say in a few words what was wrong");
        entry.wrong++;
    }
    bool take_back = str_eq(http_query_value(cx->arena, request->body, S("do")), S("error"));
    if (take_back && !entry.fields[OBS_F_REASON].error.n) {
        TRY(mark_in_error(request, reason));
        return see_chart(request, response, person.id, set.id);
    }
    if (entry.wrong || entry.asked)
        return send_correction(request, response, &person, &entry, &sets);
    entry.set.scale2 = set.scale2; /* as it was when it was taken */
    keep_instant(&set, &entry.set);
    struct obs_writing what = { .set = &entry.set, .before = &set, .patient = person.id,
                                .key = set.id, .encounter = person.encounter, .reason = reason,
                                .target = person.target.set ? person.target.id : S("") };
    TRY(store_set(request, &what));
    return see_chart(request, response, person.id, set.id);
}

/* ---- scale 2 ---- */

static bool may_decide(const struct ctx *cx)
{
    return !cx->user || (cx->user->asker.role &&
                         role_permits(cx->user->asker.role, S("obs.decide")));
}

static err send_scale(struct http_request *request, struct http_response *response,
                      const struct obs_person *person, str reason, str error)
{
    struct ctx *cx = request->cx;
    struct ui_page page = obs_page_for(request, person, "Oxygen target");
    struct obs_scale_page scale = { .person = person, .error = error, .reason = reason,
        .may_decide = may_decide(cx),
        .when = person->target.set ? ui_time(cx, person->target.at_ms) : S("") };
    struct buf out = ui_page_buf(request);
    if (error.n)
        response->status = 422;
    obs_page_open(request, &out, &page, person, "/scale");
    obs_enter_scale(&out, &scale);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

err obs_scale_get(struct http_request *request, struct http_response *response)
{
    struct obs_person person;
    TRY(store_reader(request->cx, request->store));
    TRY(obs_person_read(request->cx, request->store, request->captures[0], &person));
    return send_scale(request, response, &person, S(""), S(""));
}

err obs_scale_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct obs_person person;
    struct commit_op op;
    struct commit commit = { .ops = &op, .ops_count = 1, .cx = cx, .why = S("obs: oxygen target") };
    str reason = http_query_value(cx->arena, request->body, S("reason"));
    bool stop = str_eq(http_query_value(cx->arena, request->body, S("do")), S("stop"));
    TRY(store_reader(cx, request->store));
    TRY(obs_person_read(cx, request->store, request->captures[0], &person));
    reason = str_trim(reason.p ? reason : S(""));
    if (reason.n < REASON_LEAST || reason.n > REASON_MAX)
        return send_scale(request, response, &person, reason,
                          S("Say why, in a few words: it stands beside every score"));
    if (stop != person.target.set)
        return ctx_fail(cx, ERR_CONFLICT, S(""), stop ? S("no decision is in force any more")
                                                      : S("a decision is in force already"));
    TRY(stop ? obs_target_stop_op(cx, request->store, &person.target, reason, &op)
             : obs_target_op(cx, &person, reason, &op));
    TRY(commit_run(cx, request->store, &commit));
    return see_chart(request, response, person.id, S(""));
}
