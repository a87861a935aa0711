/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/fluids.h"
#include "assets.h"
#include "auth/gate.h"
#include "clinical/decimal.h"
#include "clinical/london.h"
#include "http/text.h"
#include "obs_fluids.html.h"
#include "systems/obs/enter.h"
#include "ui/chart.h"
#include "ui_page.html.h"

static const char *const islands[] = { ASSET_OUTBOX_JS };
enum { HOURS_MAX = 26, REASON_LEAST = 3, REASON_MAX = 500 };
#define HOUR_MS INT64_C(3600000)

/* One route a row, by the name it has in codes and forms. */
const char *const obs_fluid_codes[FLUID_ROUTES] = {
    [FLUID_ORAL] = "oral", [FLUID_IV] = "iv", [FLUID_ENTERAL] = "enteral",
    [FLUID_BLOOD] = "blood", [FLUID_FLUSH] = "flush", [FLUID_URINE] = "urine",
    [FLUID_GASTRIC] = "gastric", [FLUID_DRAIN] = "drain", [FLUID_STOMA] = "stoma",
    [FLUID_STOOL] = "stool", [FLUID_INSENSIBLE] = "insensible",
};

const size_t obs_fluid_codes_count = COUNT(obs_fluid_codes);

struct sheet {
    struct ctx *cx;
    struct obs_person person;
    struct fluid_entry entries[OBS_FLUIDS_MAX]; /* newest first */
    struct obs_fluid_line lines[OBS_FLUIDS_MAX];
    size_t count;
    int start_hour, start_minute;
};

static enum fluid_route route_of(str code)
{
    for (enum fluid_route r = 0; r < FLUID_ROUTES; r++)
        if (str_eq(code, str_of(obs_fluid_codes[r])))
            return r;
    return FLUID_ROUTES;
}

/* ---- reading ---- */

static enum fluid_route route_in(struct json code)
{
    for (enum fluid_route r = 0; r < FLUID_ROUTES; r++)
        if (obs_has_code(code, OBS_CODES "fluid", obs_fluid_codes[r]))
            return r;
    return FLUID_ROUTES;
}

static void take(struct sheet *sheet, struct json body)
{
    struct ctx *cx = sheet->cx;
    struct json quantity = json_get(body, S("valueQuantity"));
    enum fluid_route route = route_in(json_get(body, S("code")));
    int64_t at_ms = obs_read_instant(cx, json_get(body, S("effectiveDateTime"))), ml;
    bool measured = json_string_is(json_get(quantity, S("code")), S("mL")) &&
                    decimal_scaled(json_text(json_get(quantity, S("value"))), 0, &ml) &&
                    ml >= 0 && ml <= FLUID_VOLUME_MAX_ML;
    if (route == FLUID_ROUTES || !at_ms || sheet->count == OBS_FLUIDS_MAX)
        return;
    struct fluid_entry *entry = &sheet->entries[sheet->count];
    struct obs_fluid_line *line = &sheet->lines[sheet->count++];
    *entry = (struct fluid_entry){ .at_ms = at_ms, .route = route,
        .volume_ml = measured ? (int)ml : FLUID_UNMEASURED,
        .by_device = json_is(json_get(body, S("device")), JSON_OBJECT),
        .in_error = json_string_is(json_get(body, S("status")), S("entered-in-error")) };
    *line = (struct obs_fluid_line){
        .at = ui_time(cx, at_ms), .route = str_of(fluid_route_name(route)),
        .volume = measured ? arena_printf(cx->arena, "%lld mL", (long long)ml)
                           : S("not measured"),
        .who = json_string(cx->arena, json_get(json_at(json_get(body, S("performer")), 0),
                                               S("display"))),
        .note = json_string(cx->arena, json_get(json_at(json_get(body, S("note")), 0), S("text"))),
        .id = json_string(cx->arena, json_get(body, S("id"))),
        .intake = fluid_route_is_intake(route), .by_device = entry->by_device,
        .in_error = entry->in_error };
}

/* "06:00:00" on the ward's Location; 08:00 where it says nothing. */
static void read_day_start(struct ctx *cx, struct store *store, struct sheet *sheet)
{
    struct store_version version;
    struct json body;
    uint64_t hour, minute;
    sheet->start_hour = OBS_FLUID_DAY_HOUR;
    if (!sheet->person.ward.n ||
        obs_read(cx, store, "Location", sheet->person.ward, &version, &body) != ERR_OK)
        return;
    str text = json_string(cx->arena, json_get(obs_extension(body, "fluid-day-start"),
                                               S("valueTime")));
    if (text.n >= 5 && str_to_u64(str_slice(text, 0, 2), &hour) && hour < 24 &&
        str_to_u64(str_slice(text, 3, 5), &minute) && minute < 60) {
        sheet->start_hour = (int)hour;
        sheet->start_minute = (int)minute;
    }
}

static int64_t day_start(const struct sheet *sheet, int64_t at_ms, int back)
{
    int64_t day = london_day(at_ms);
    if (london_at(day, sheet->start_hour, sheet->start_minute) > at_ms)
        day--;
    return london_at(day - back, sheet->start_hour, sheet->start_minute);
}

static err read_sheet(struct ctx *cx, struct store *store, str patient, struct sheet **out)
{
    struct sheet *sheet = arena_zero(cx->arena, sizeof *sheet);
    struct obs_found found;
    sheet->cx = cx;
    TRY(obs_person_read(cx, store, patient, &sheet->person));
    read_day_start(cx, store, sheet);
    int64_t from = day_start(sheet, cx->now_ms, OBS_FLUID_DAYS - 1);
    TRY(obs_search(cx, store, "Observation",
                   arena_printf(cx->arena, "patient=%.*s&category=fluid-balance&date=ge%.*s&"
                                "_sort=-date", STR_ARG(patient), STR_ARG(obs_instant(cx, from))),
                   OBS_FLUIDS_MAX, &found));
    for (size_t i = 0; i < found.count; i++)
        take(sheet, found.bodies[i]);
    for (size_t i = 0; i < sheet->count; i++)
        for (size_t k = i + 1; k < sheet->count; k++)
            if (fluid_is_twin(&sheet->entries[i], &sheet->entries[k]))
                sheet->lines[i].twin = sheet->lines[k].twin = true;
    *out = sheet;
    return ERR_OK;
}

/* ---- the figures ---- */

/* A day on which nobody charted has no balance: nought in and nought out would be a finding. */
static size_t charted_in(const struct sheet *sheet, int64_t from_ms, int64_t to_ms)
{
    size_t count = 0;
    for (size_t i = 0; i < sheet->count; i++) {
        const struct fluid_entry *entry = &sheet->entries[i];
        count += !entry->in_error && entry->at_ms >= from_ms && entry->at_ms < to_ms;
    }
    return count;
}

static err add_days(struct sheet *sheet, struct obs_fluid_page *page)
{
    struct ctx *cx = sheet->cx;
    struct obs_fluid_day *days = arena_array(cx->arena, OBS_FLUID_DAYS, sizeof *days);
    for (int back = 0; back < OBS_FLUID_DAYS; back++) {
        int64_t from = day_start(sheet, cx->now_ms, back);
        int64_t to = back ? day_start(sheet, cx->now_ms, back - 1) : INT64_MAX;
        struct fluid_total total;
        TRY(fluid_balance(&cx->issues, sheet->entries, sheet->count, from, to, &total));
        days[back] = (struct obs_fluid_day){ ui_time(cx, from), total.intake_ml, total.output_ml,
                                             total.balance_ml, total.unmeasured, back == 0,
                                             charted_in(sheet, from, to) };
    }
    page->days = days;
    page->days_count = OBS_FLUID_DAYS;
    return ERR_OK;
}

static str signed_text(struct ctx *cx, int64_t ml, size_t unmeasured)
{
    return arena_printf(cx->arena, "%s%lld%s", ml > 0 ? "+" : "", (long long)ml,
                        unmeasured ? " and more" : "");
}

static void draw_running(struct buf *out, const str *labels, const double *running, size_t count)
{
    const struct ui_series series[] = { { "Running balance", running } };
    ui_chart_draw(out, &(struct ui_chart){
        .kind = UI_CHART_STEP, .title = S("Running balance of this fluid day"), .unit = S("mL"),
        .labels = labels, .labels_count = count, .series = series, .series_count = 1, .limit = 0,
        .limit_name = "even", .summary = S("Intake less output since the day began.") });
}

static err add_hours(struct sheet *sheet, struct obs_fluid_page *page, struct buf *chart)
{
    struct ctx *cx = sheet->cx;
    struct obs_fluid_hour *hours = arena_array(cx->arena, HOURS_MAX, sizeof *hours);
    double running[HOURS_MAX];
    str labels[HOURS_MAX];
    int64_t from = day_start(sheet, cx->now_ms, 0), sum = 0;
    size_t count = 0, unmeasured = 0;
    for (int64_t at = from; at <= cx->now_ms && count < HOURS_MAX; at += HOUR_MS, count++) {
        struct fluid_total total;
        TRY(fluid_balance(&cx->issues, sheet->entries, sheet->count, at, at + HOUR_MS, &total));
        sum += total.balance_ml;
        unmeasured += total.unmeasured;
        running[count] = (double)sum;
        labels[count] = ui_clock(cx, at);
        hours[count] = (struct obs_fluid_hour){ .hour = labels[count],
            .in = arena_printf(cx->arena, "%lld", (long long)total.intake_ml),
            .out = arena_printf(cx->arena, "%lld%s", (long long)total.output_ml,
                                total.unmeasured ? " and more" : ""),
            .balance = signed_text(cx, total.balance_ml, total.unmeasured),
            .running = signed_text(cx, sum, unmeasured) };
    }
    page->hours = hours;
    page->hours_count = count;
    if (count > 1)
        draw_running(chart, labels, running, count);
    return ERR_OK;
}

static err add_oliguria(struct sheet *sheet, struct obs_fluid_page *page)
{
    struct ctx *cx = sheet->cx;
    enum fluid_aki stage = FLUID_AKI_UNKNOWN;
    if (!sheet->person.weight_g) {
        page->oliguria = S("Urine for weight: unknown, no weight is recorded");
        return ERR_OK;
    }
    int64_t first_ms = sheet->count ? sheet->entries[sheet->count - 1].at_ms : cx->now_ms;
    TRY(fluid_oliguria(&cx->issues, sheet->entries, sheet->count, first_ms, sheet->person.weight_g,
                       &stage));
    page->has_stage = stage >= FLUID_AKI_1;
    page->oliguria = stage == FLUID_AKI_UNKNOWN
        ? S("Urine for weight: unknown until six hours of urine are charted, all measured")
        : stage == FLUID_AKI_NONE
        ? S("Urine for weight: 0.5 mL/kg/h or more over the charted hours")
        : arena_printf(cx->arena, "Low urine: the urine criterion of acute kidney injury, %s",
                       fluid_aki_name(stage));
    return ERR_OK;
}

static bool may_write(const struct ctx *cx)
{
    return !cx->user || (cx->user->asker.role &&
                         role_permits(cx->user->asker.role, S("obs.write")));
}

static err send_page(struct http_request *request, struct http_response *response,
                     struct sheet *sheet, struct obs_fluid_page *page)
{
    struct ctx *cx = request->cx;
    struct buf chart = ui_page_buf(request), out = ui_page_buf(request);
    page->person = &sheet->person;
    page->action = arena_printf(cx->arena, "/obs/patient/%.*s/fluid", STR_ARG(sheet->person.id));
    page->lines = sheet->lines;
    page->lines_count = sheet->count;
    page->weight = sheet->person.weight;
    page->may_write = may_write(cx);
    page->starts = arena_printf(cx->arena, "%02d:%02d", sheet->start_hour, sheet->start_minute);
    TRY(add_days(sheet, page));
    TRY(add_hours(sheet, page, &chart));
    TRY(add_oliguria(sheet, page));
    page->chart = (struct ui_html){ buf_str(&chart) };
    if (page->error.n || page->question.n || page->weight_error.n)
        response->status = 422;
    struct ui_page shown = obs_page_for(request, &sheet->person, "Fluid balance");
    shown.islands = islands;
    shown.islands_count = COUNT(islands);
    obs_page_open(request, &out, &shown, &sheet->person, "/fluid");
    obs_fluids_body(&out, page);
    ui_page_close(&out, &shown);
    return ui_page_send(request, response, &out);
}

err obs_fluids_get(struct http_request *request, struct http_response *response)
{
    struct sheet *sheet;
    struct obs_fluid_page page = { .key = obs_new_key(request->cx) };
    TRY(store_reader(request->cx, request->store));
    TRY(read_sheet(request->cx, request->store, request->captures[0], &sheet));
    return send_page(request, response, sheet, &page);
}

/* ---- writing ---- */

static str input(const struct http_request *request, const char *name)
{
    str text = http_query_value(request->cx->arena, request->body, str_of(name));
    return str_trim(text.p ? text : S(""));
}

str obs_fluid_text(struct ctx *cx, const struct obs_person *person, const struct fluid_entry *entry,
                   str id)
{
    struct buf buf = buf_make(cx->arena, OBS_BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Observation"));
    json_put_str(&w, "id", id);
    json_put_str(&w, "status", S("final"));
    json_put_raw(&w, "category", arena_printf(cx->arena, "[{\"coding\":[{\"system\":\"" OBS_CODES
        "fluid\",\"code\":\"fluid-balance\"},{\"system\":\"" OBS_CODES "fluid\",\"code\":\"%s\"}"
        "]}]", fluid_route_is_intake(entry->route) ? "intake" : "output"));
    json_put_raw(&w, "code", arena_printf(cx->arena, "{\"coding\":[{\"system\":\"" OBS_CODES
        "fluid\",\"code\":\"%s\"}],\"text\":\"%s\"}", obs_fluid_codes[entry->route],
        fluid_route_name(entry->route)));
    obs_put_reference(cx, &w, "subject", "Patient", person->id);
    if (person->encounter.n)
        obs_put_reference(cx, &w, "encounter", "Encounter", person->encounter);
    json_put_str(&w, "effectiveDateTime", obs_when(cx, entry->at_ms));
    json_put_str(&w, "issued", obs_when(cx, cx->now_ms));
    json_key(&w, "performer");
    json_open(&w, '[');
    obs_put_author(cx, &w);
    json_close(&w, ']');
    if (entry->volume_ml == FLUID_UNMEASURED)
        json_put_raw(&w, "dataAbsentReason", S("{\"coding\":[{\"system\":\"http://terminology.hl7"
            ".org/CodeSystem/data-absent-reason\",\"code\":\"not-performed\"}],\"text\":"
            "\"not measured\"}"));
    else
        obs_put_quantity(&w, "valueQuantity", arena_printf(cx->arena, "%d", entry->volume_ml),
                         "mL", "mL");
    if (entry->by_device)
        json_put_raw(&w, "device", S("{\"display\":\"Infusion pump\"}"));
    json_close(&w, '}');
    return buf_str(&buf);
}

static str read_entry(struct http_request *request, const struct obs_fluid_page *page,
                      struct fluid_entry *entry)
{
    struct ctx *cx = request->cx;
    uint64_t ml = 0;
    entry->route = route_of(page->route);
    entry->by_device = page->by_device;
    entry->volume_ml = FLUID_UNMEASURED;
    if (entry->route == FLUID_ROUTES)
        return S("Choose what it was");
    if (page->unmeasured && page->volume.n)
        return S("Give a volume, or say that it was not measured: not both");
    if (!page->unmeasured && (!str_to_u64(page->volume, &ml) || ml == 0 ||
                              ml > FLUID_VOLUME_MAX_ML))
        return S("Give the volume in whole millilitres, 1 to 20,000, or say that it was not "
                 "measured");
    if (!page->unmeasured)
        entry->volume_ml = (int)ml;
    return obs_time_read(cx, page->at, &entry->at_ms);
}

/* A volume that a pump and a person both wrote down counts once: asked before it is stored. */
static str ask_twin(const struct sheet *sheet, const struct fluid_entry *entry)
{
    for (size_t i = 0; i < sheet->count; i++)
        if (fluid_is_twin(entry, &sheet->entries[i]))
            return arena_printf(sheet->cx->arena, "%.*s of %.*s is charted already at %.*s, %s: "
                                "is this another one?", STR_ARG(sheet->lines[i].volume),
                                STR_ARG(sheet->lines[i].route), STR_ARG(sheet->lines[i].at),
                                sheet->lines[i].by_device ? "by the pump" : "by hand");
    return S("");
}

static err see_sheet(struct http_request *request, struct http_response *response, str patient)
{
    response->status = 303;
    http_put_header(response, S("Location"), arena_printf(request->cx->arena,
                    "/obs/patient/%.*s/fluid", STR_ARG(patient)));
    return ERR_OK;
}

static err store_one(struct http_request *request, str id, int64_t vid, str text)
{
    struct ctx *cx = request->cx;
    struct commit_op op;
    struct commit commit = { .ops = &op, .ops_count = 1, .cx = cx, .why = S("obs: fluid") };
    TRY(obs_fhir_op(cx, "Observation", id, vid, text, &op));
    return commit_run(cx, request->store, &commit);
}

err obs_fluids_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct sheet *sheet;
    struct fluid_entry entry = { .at_ms = cx->now_ms / 1000 * 1000 };
    struct obs_fluid_page page = {
        .route = input(request, "route"), .volume = input(request, "volume"),
        .at = input(request, "at"), .key = input(request, "key"),
        .unmeasured = input(request, "unmeasured").n > 0,
        .by_device = input(request, "by_device").n > 0 };
    TRY(store_reader(cx, request->store));
    TRY(read_sheet(cx, request->store, request->captures[0], &sheet));
    if (!obs_key_is_sound(page.key))
        page.key = obs_new_key(cx);
    page.error = read_entry(request, &page, &entry);
    if (!page.error.n && !input(request, "confirm_twin").n)
        page.question = ask_twin(sheet, &entry);
    if (page.error.n || page.question.n)
        return send_page(request, response, sheet, &page);
    TRY(store_one(request, page.key, 0, obs_fluid_text(cx, &sheet->person, &entry, page.key)));
    return see_sheet(request, response, sheet->person.id);
}

err obs_fluid_back_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct store_version version;
    struct json body;
    struct commit_op op;
    struct commit commit = { .ops = &op, .ops_count = 1, .cx = cx,
                             .why = S("obs: entered in error") };
    str reason = input(request, "reason");
    TRY(store_reader(cx, request->store));
    TRY(obs_read(cx, request->store, "Observation", request->captures[0], &version, &body));
    str patient = obs_reference(cx, json_get(body, S("subject")), "Patient");
    if (route_in(json_get(body, S("code"))) == FLUID_ROUTES)
        return ctx_fail(cx, ERR_NOT_FOUND, S(""), S("that is no entry of a fluid chart"));
    if (reason.n < REASON_LEAST || reason.n > REASON_MAX)
        return ctx_fail(cx, ERR_INVALID, S("reason"), S("say in a few words what was wrong"));
    if (json_string_is(json_get(body, S("status")), S("entered-in-error")))
        return ctx_fail(cx, ERR_CONFLICT, S(""), S("this entry was taken back already: look at the "
                                                   "chart again"));
    TRY(obs_error_op(cx, request->store, request->captures[0], reason, &op));
    TRY(commit_run(cx, request->store, &commit));
    return see_sheet(request, response, patient);
}

err obs_weight_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct sheet *sheet;
    struct obs_fluid_page page = { .key = obs_new_key(cx) };
    str text = input(request, "weight"), key = input(request, "key");
    int64_t grams = 0;
    TRY(store_reader(cx, request->store));
    TRY(read_sheet(cx, request->store, request->captures[0], &sheet));
    if (!decimal_scaled(text, 3, &grams) || grams < 300 || grams > 500000) {
        page.weight_error = S("Give the weight in kilograms, 0.3 to 500");
        return send_page(request, response, sheet, &page);
    }
    key = arena_printf(cx->arena, "%.*s-weight", STR_ARG(obs_key_is_sound(key) ? key : page.key));
    struct buf buf = buf_make(cx->arena, OBS_BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Observation"));
    json_put_str(&w, "id", key);
    json_put_str(&w, "status", S("final"));
    json_put_raw(&w, "category", S("[{\"coding\":[{\"system\":\"http://terminology.hl7.org/"
        "CodeSystem/observation-category\",\"code\":\"vital-signs\"}]}]"));
    obs_put_code(&w, "code", &(struct obs_code){ "27113001", "Body weight", "29463-7", NULL });
    obs_put_reference(cx, &w, "subject", "Patient", sheet->person.id);
    json_put_str(&w, "effectiveDateTime", obs_when(cx, cx->now_ms));
    json_key(&w, "performer");
    json_open(&w, '[');
    obs_put_author(cx, &w);
    json_close(&w, ']');
    obs_put_quantity(&w, "valueQuantity", arena_printf(cx->arena, "%lld.%03lld",
                     (long long)(grams / 1000), (long long)(grams % 1000)), "kg", "kg");
    json_close(&w, '}');
    TRY(store_one(request, key, 0, buf_str(&buf)));
    return see_sheet(request, response, sheet->person.id);
}
