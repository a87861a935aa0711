/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/shift.h"
#include "auth/gate.h"
#include "clinical/london.h"
#include "http/text.h"
#include "obs_shift.html.h"
#include "systems/obs/entry.h"
#include "systems/obs/rules.h"
#include "systems/obs/ward.h"
#include "ui/browse.h"
#include "ui/page.h"
#include "ui_page.html.h"

enum { DAY_MS = 86400000, NAME_MAX_BYTES = 200, ORDER_MAX = 9 };
enum { F_ROLE, F_WHO, F_ORDER, F_FROM, F_UNTIL, F_PLACE };

/* ---- the shifts there are ---- */

static str wall(struct ctx *cx, int64_t at_ms)
{
    struct clock_civil t = london_civil(at_ms);
    return arena_printf(cx->arena, "%04d-%02d-%02dT%02d:%02d", t.year, t.month, t.day, t.hour,
                        t.minute);
}

static str title_of(str role)
{
    for (size_t i = 0; i < obs_ladder_count; i++)
        if (str_eq(role, str_of(obs_ladder[i].role)))
            return str_of(obs_ladder[i].title);
    return role;
}

static struct obs_shift read_shift(struct ctx *cx, struct json body)
{
    struct json period = json_get(body, S("planningHorizon"));
    struct json type = json_at(json_get(body, S("serviceType")), 0);
    struct obs_shift shift = { .whole = true,
        .id = json_string(cx->arena, json_get(body, S("id"))),
        .role = json_string(cx->arena, json_get(json_at(json_get(type, S("coding")), 0),
                                                S("code"))),
        .from_ms = obs_read_instant(cx, json_get(period, S("start"))),
        .to_ms = obs_read_instant(cx, json_get(period, S("end"))),
        .changed = json_string(cx->arena, json_get(body, S("comment"))),
        .off = json_is(json_get(body, S("active")), JSON_FALSE),
        .order = obs_rota_order(cx, body) };
    uint64_t vid = 0;
    (void)str_to_u64(json_string(cx->arena, json_get(json_get(body, S("meta")), S("versionId"))),
                     &vid);
    for (struct json_walk w = json_walk(json_get(body, S("actor"))); json_next(&w);) {
        str who = obs_reference(cx, w.value, "Practitioner");
        str place = obs_reference(cx, w.value, "Location");
        if (str_given(who)) {
            shift.practitioner = who;
            shift.name = json_string(cx->arena, json_get(w.value, S("display")));
        } else if (str_given(place)) {
            shift.whole = false;
            shift.place = place;
        }
    }
    shift.vid = (int64_t)vid;
    shift.title = title_of(shift.role);
    shift.from = ui_time(cx, shift.from_ms);
    shift.until = ui_time(cx, shift.to_ms);
    shift.on = !shift.off && shift.from_ms && cx->now_ms >= shift.from_ms &&
               cx->now_ms < shift.to_ms;
    return shift;
}

static int in_order(const void *a, const void *b)
{
    const struct obs_shift *x = a, *y = b;
    if (x->off != y->off)
        return x->off ? 1 : -1;
    if (x->from_ms != y->from_ms)
        return x->from_ms < y->from_ms ? -1 : 1;
    int role = str_cmp(x->role, y->role);
    return role ? role : x->order - y->order;
}

static err list_shifts(struct ctx *cx, struct store *store, struct obs_shift_page *page)
{
    struct obs_found found;
    struct obs_shift *list = arena_array(cx->arena, SHIFT_LIST_MAX, sizeof *list);
    TRY(obs_search(cx, store, "Schedule",
                   arena_printf(cx->arena, "service-category=escalation-rota&date=ge%.*s",
                                STR_ARG(obs_instant(cx, cx->now_ms))), SHIFT_LIST_MAX, &found));
    for (size_t i = 0; i < found.count; i++) {
        struct obs_shift shift = read_shift(cx, found.bodies[i]);
        if (shift.whole || str_eq(shift.place, page->ward))
            list[page->shifts_count++] = shift;
    }
    if (page->shifts_count)
        qsort(list, page->shifts_count, sizeof *list, in_order);
    page->shifts = list;
    return ERR_OK;
}

/* Roles of the ladder that nobody holds now. */
static err list_gaps(struct ctx *cx, struct store *store, struct obs_shift_page *page)
{
    str *gaps = arena_array(cx->arena, obs_ladder_count + 1, sizeof *gaps);
    for (size_t i = 0; i < obs_ladder_count; i++) {
        struct obs_shift_list on;
        str title = str_of(obs_ladder[i].title);
        bool asked = false;
        for (size_t k = 0; k < i && !asked; k++)
            asked = strcmp(obs_ladder[k].role, obs_ladder[i].role) == 0;
        if (asked)
            continue;
        TRY(obs_rota_on_shift(cx, store, obs_ladder[i].role, page->ward, &on));
        if (!on.count)
            gaps[page->gaps_count++] = title;
    }
    page->gaps = gaps;
    return ERR_OK;
}

/* ---- the form ---- */

static void make_fields(struct ctx *cx, struct obs_shift_page *page)
{
    struct ui_option *parts = arena_array(cx->arena, obs_ladder_count + 1, sizeof *parts);
    struct ui_option *places = arena_array(cx->arena, 2, sizeof *places);
    const struct obs_shift *shift = &page->chosen;
    size_t count = 0;
    for (size_t i = 0; i < obs_ladder_count; i++) {
        str role = str_of(obs_ladder[i].role);
        bool there = false;
        for (size_t k = 0; k < count && !there; k++)
            there = str_eq(parts[k].value, role);
        if (!there)
            parts[count++] = (struct ui_option){ .value = role, .text = title_of(role) };
    }
    places[0] = (struct ui_option){ .value = S("ward"), .text = S("This ward") };
    places[1] = (struct ui_option){ .value = S("hospital"), .text = S("The whole hospital") };
    struct ui_field fields[SHIFT_FIELDS] = {
        [F_ROLE] = { .name = "role", .label = "Told as", .kind = UI_SELECT, .options = parts,
                     .options_count = count, .value = shift->role },
        [F_WHO] = { .name = "who", .label = "Who", .hint = "A name of the staff, or part of one.",
                    .value = shift->name, .required = true, .autocomplete = "off" },
        [F_ORDER] = { .name = "order", .label = "Place among those of this role",
                      .hint = "1 stands first.",
                      .value = arena_printf(cx->arena, "%d", shift->order ? shift->order : 1) },
        [F_FROM] = { .name = "from", .label = "From", .type = "datetime-local", .required = true,
                     .value = shift->from_ms ? wall(cx, shift->from_ms) : S("") },
        [F_UNTIL] = { .name = "until", .label = "Until", .type = "datetime-local",
                      .required = true,
                      .value = shift->to_ms ? wall(cx, shift->to_ms) : S("") },
        [F_PLACE] = { .name = "place", .label = "For", .kind = UI_SELECT, .options = places,
                      .options_count = 2,
                      .value = shift->id.n && shift->whole ? S("hospital") : S("ward") },
    };
    memcpy(page->fields, fields, sizeof fields);
}

static err draw(struct http_request *request, struct http_response *response,
                struct obs_shift_page *page)
{
    struct ctx *cx = request->cx;
    TRY(list_shifts(cx, request->store, page));
    TRY(list_gaps(cx, request->store, page));
    page->form = (struct ui_form){
        .action = page->chosen.id.n
            ? arena_printf(cx->arena, "/obs/rota/%.*s?shift=%.*s&version=%lld",
                           STR_ARG(page->ward), STR_ARG(page->chosen.id),
                           (long long)page->chosen.vid)
            : arena_printf(cx->arena, "/obs/rota/%.*s", STR_ARG(page->ward)),
        .cancel = page->chosen.id.n
            ? arena_printf(cx->arena, "/obs/rota/%.*s", STR_ARG(page->ward)) : (str){ 0 },
        .submit = page->chosen.id.n ? "Change this shift" : "Put on the rota",
        .fields = page->fields, .fields_count = SHIFT_FIELDS, .issues = &cx->issues };
    struct ui_page shell = ui_page_for(request, arena_printf(cx->arena, "Who is told: %.*s",
                                                             STR_ARG(page->ward_name)));
    shell.section = "/obs";
    shell.back_href = arena_printf(cx->arena, "/obs/ward/%.*s", STR_ARG(page->ward));
    shell.back_text = page->ward_name;
    shell.as_of = ui_time(cx, cx->now_ms);
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &shell);
    obs_shift_body(&out, page);
    ui_page_close(&out, &shell);
    return ui_page_send(request, response, &out);
}

static err open_page(struct http_request *request, struct obs_shift_page *page)
{
    struct ctx *cx = request->cx;
    struct store_version version;
    struct json body;
    str id = http_query_value(cx->arena, request->query, S("shift"));
    *page = (struct obs_shift_page){ .ward = request->captures[0] };
    TRY(store_reader(cx, request->store));
    TRY(obs_read(cx, request->store, "Location", page->ward, &version, &body));
    page->ward_name = json_string(cx->arena, json_get(body, S("name")));
    if (!page->ward_name.n)
        page->ward_name = page->ward;
    page->may_edit = !cx->user || role_permits(cx->user->asker.role, S("obs.rota"));
    if (!id.n)
        return ERR_OK;
    TRY(obs_read(cx, request->store, "Schedule", id, &version, &body));
    page->chosen = read_shift(cx, body);
    if (!page->chosen.whole && !str_eq(page->chosen.place, page->ward))
        return ctx_fail(cx, ERR_NOT_FOUND, S("shift"), S("this ward has no such shift"));
    return ERR_OK;
}

err obs_rota_get(struct http_request *request, struct http_response *response)
{
    struct obs_shift_page page;
    TRY(open_page(request, &page));
    make_fields(request->cx, &page);
    return draw(request, response, &page);
}

/* ---- writing ---- */

/* One of the staff by name; when several are called so they are offered in the field's place. */
static err find_who(struct ctx *cx, struct store *store, struct ui_field *field,
                    struct obs_shift *shift)
{
    struct obs_found found;
    struct buf query = buf_make(cx->arena, 4096);
    if (str_eq(field->value, shift->name) && shift->practitioner.n)
        return ERR_OK; /* not changed */
    bool chosen = str_starts(field->value, S("Practitioner/"));
    buf_add(&query, chosen ? S("_id=") : S("name="));
    http_encode(&query, chosen ? str_slice(field->value, 13, field->value.n) : field->value);
    if (!field->value.n || field->value.n > NAME_MAX_BYTES)
        return ctx_fail(cx, ERR_INVALID, S("who"), S("Who: give a name"));
    TRY(obs_search(cx, store, "Practitioner", buf_str(&query), SHIFT_STAFF_MAX, &found));
    if (found.count == 0)
        return ctx_failf(cx, ERR_RULE, S("who"), "Who: nobody of the staff is called %.*s",
                         STR_ARG(field->value));
    if (found.count == 1) {
        shift->practitioner = json_string(cx->arena, json_get(found.bodies[0], S("id")));
        shift->name = ui_resource_text(cx, found.bodies[0]);
        return ERR_OK;
    }
    struct ui_option *options = arena_array(cx->arena, found.count, sizeof *options);
    for (size_t i = 0; i < found.count; i++)
        options[i] = (struct ui_option){
            .value = arena_printf(cx->arena, "Practitioner/%.*s",
                STR_ARG(json_string(cx->arena, json_get(found.bodies[i], S("id"))))),
            .text = ui_resource_text(cx, found.bodies[i]) };
    field->kind = UI_RADIOS;
    field->options = options;
    field->options_count = found.count;
    return ctx_fail(cx, ERR_RULE, S("who"), S("Who: several are called so; choose one"));
}

static err read_times(struct ctx *cx, const struct obs_shift_page *page, struct obs_shift *shift)
{
    if (!obs_wall_read(page->fields[F_FROM].value, &shift->from_ms))
        return ctx_fail(cx, ERR_INVALID, S("from"), S("From: give a date and a time"));
    if (!obs_wall_read(page->fields[F_UNTIL].value, &shift->to_ms))
        return ctx_fail(cx, ERR_INVALID, S("until"), S("Until: give a date and a time"));
    if (shift->to_ms <= shift->from_ms)
        return ctx_fail(cx, ERR_INVALID, S("until"), S("Until: it ends before it begins"));
    if (shift->to_ms > shift->from_ms + SHIFT_DAYS_MAX * (int64_t)DAY_MS)
        return ctx_failf(cx, ERR_INVALID, S("until"), "Until: a shift lasts at most %d days",
                         SHIFT_DAYS_MAX);
    if (shift->to_ms <= cx->now_ms)
        return ctx_fail(cx, ERR_INVALID, S("until"), S("Until: that is over already"));
    return ERR_OK;
}

static err read_form(struct http_request *request, struct obs_shift_page *page,
                     struct obs_shift *shift)
{
    struct ctx *cx = request->cx;
    uint64_t order = 0;
    for (size_t i = 0; i < SHIFT_FIELDS; i++)
        page->fields[i].value = str_trim(http_query_value(cx->arena, request->body,
                                                          str_of(page->fields[i].name)));
    shift->role = page->fields[F_ROLE].value;
    shift->whole = str_eq(page->fields[F_PLACE].value, S("hospital"));
    if (!obs_ladder_has(shift->role))
        return ctx_fail(cx, ERR_INVALID, S("role"), S("Told as: choose one of the roles"));
    if (!str_to_u64(page->fields[F_ORDER].value, &order) || order < 1 || order > ORDER_MAX)
        return ctx_failf(cx, ERR_INVALID, S("order"), "Place: a number from 1 to %d", ORDER_MAX);
    shift->order = (int)order;
    TRY(read_times(cx, page, shift));
    return find_who(cx, request->store, &page->fields[F_WHO], shift);
}

static str shift_text(struct ctx *cx, const struct obs_shift *shift, str ward, bool off)
{
    struct buf buf = buf_make(cx->arena, OBS_BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Schedule"));
    json_put_str(&w, "id", shift->id);
    obs_rota_put_order(&w, shift->order);
    json_put_bool(&w, "active", !off);
    static const char *const keys[] = { "serviceCategory", "serviceType" };
    for (size_t i = 0; i < COUNT(keys); i++)
        json_put_raw(&w, keys[i], arena_printf(cx->arena,
            "[{\"coding\":[{\"system\":\"" OBS_CODES "rota\",\"code\":\"%.*s\"}]}]",
            STR_ARG(i ? shift->role : S("escalation-rota"))));
    json_key(&w, "actor");
    json_open(&w, '[');
    json_open(&w, '{');
    json_put_str(&w, "reference", arena_printf(cx->arena, "Practitioner/%.*s",
                                               STR_ARG(shift->practitioner)));
    json_put_str(&w, "display", shift->name);
    json_close(&w, '}');
    if (!shift->whole) {
        json_open(&w, '{');
        json_put_str(&w, "reference", arena_printf(cx->arena, "Location/%.*s", STR_ARG(ward)));
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_key(&w, "planningHorizon");
    json_open(&w, '{');
    json_put_str(&w, "start", obs_when(cx, shift->from_ms));
    json_put_str(&w, "end", obs_when(cx, shift->to_ms));
    json_close(&w, '}');
    json_put_str(&w, "comment", arena_printf(cx->arena, "%s by %.*s, %.*s",
                 off ? "Taken off" : shift->vid ? "Changed" : "Put on",
                 STR_ARG(obs_author_name(cx)), STR_ARG(ui_time(cx, cx->now_ms))));
    json_close(&w, '}');
    return buf_str(&buf);
}

static err write_shift(struct http_request *request, const struct obs_shift_page *page,
                       struct obs_shift *shift, bool off)
{
    struct ctx *cx = request->cx;
    struct commit_op op;
    str asked = http_query_value(cx->arena, request->query, S("version"));
    uint64_t vid = 0;
    if (shift->id.n && (!str_to_u64(asked, &vid) || (int64_t)vid != shift->vid))
        return ctx_fail(cx, ERR_CONFLICT, S(""), S("somebody changed this shift meanwhile: look "
                                                   "at it again, then decide"));
    if (!shift->id.n)
        shift->id = obs_new_key(cx);
    str text = shift_text(cx, shift, page->ward, off);
    TRY(obs_fhir_op(cx, "Schedule", shift->id, shift->vid, text, &op));
    op.granted = true;
    struct commit commit = { .ops = &op, .ops_count = 1, .cx = cx, .who = obs_author_name(cx),
                             .why = S("obs: rota") };
    return commit_run(cx, request->store, &commit);
}

err obs_rota_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct obs_shift_page page;
    TRY(open_page(request, &page));
    make_fields(cx, &page);
    struct obs_shift shift = page.chosen;
    bool off = shift.id.n && http_query_value(cx->arena, request->body, S("off")).n > 0;
    err wrong = off ? ERR_OK : read_form(request, &page, &shift);
    if (wrong == ERR_OK)
        wrong = write_shift(request, &page, &shift, off);
    if (wrong == ERR_RULE || wrong == ERR_INVALID) {
        ui_fields_blame(&cx->issues, page.fields, SHIFT_FIELDS);
        response->status = 422;
        return draw(request, response, &page);
    }
    TRY(wrong);
    response->status = 303;
    http_put_header(response, S("Location"), arena_printf(cx->arena, "/obs/rota/%.*s",
                                                          STR_ARG(page.ward)));
    return ERR_OK;
}
