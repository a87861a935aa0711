/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/coma.h"
#include "assets.h"
#include "auth/gate.h"
#include "http/text.h"
#include "obs_coma.html.h"
#include "systems/obs/enter.h"
#include "ui/chart.h"
#include "ui_page.html.h"
#include <math.h>

static const char *const islands[] = { ASSET_OUTBOX_JS };
enum { FALL_LOOK_BACK_H = 6 };
static const struct obs_code whole = { "248241002", "Glasgow coma score", "9269-2", NULL };
static const struct { const char *name, *title; int most; struct obs_code code; }
kinds[GCS_PARTS] = {
    [GCS_EYES] = { "eyes", "Eyes open", 4,
                   { "281395000", "Glasgow coma score eye opening subscore", "9267-6", NULL } },
    [GCS_VERBAL] = { "verbal", "Verbal response", 5,
                     { "281397008", "Glasgow coma score verbal response subscore", "9270-0",
                       NULL } },
    [GCS_MOTOR] = { "motor", "Motor response", 6,
                    { "281396004", "Glasgow coma score motor response subscore", "9268-4",
                      NULL } },
};

/* ---- what the sets say ---- */

static int total_of(const struct obs_coma_set *set)
{
    int total = 0;
    for (size_t i = 0; i < GCS_PARTS; i++) {
        if (set->obs.parts[i] <= 0)
            return GCS_MISSING;
        total += set->obs.parts[i];
    }
    return total;
}

int64_t obs_coma_min_since_15(const struct obs_coma_set *sets, size_t count)
{
    size_t first = 0;
    if (!count || total_of(&sets[0]) != 15)
        return 0;
    while (first + 1 < count && total_of(&sets[first + 1]) == 15)
        first++;
    return (sets[0].at_ms - sets[first].at_ms) / 60000;
}

bool obs_coma_fell(const struct obs_coma_set *sets, size_t count)
{
    for (size_t best = 1; best < count; best++) {
        if (sets[0].at_ms - sets[best].at_ms > FALL_LOOK_BACK_H * INT64_C(3600000))
            break;
        /* the fall has lasted since the set after the better one */
        int64_t lasting_min = (sets[0].at_ms - sets[best - 1].at_ms) / 60000;
        if (gcs_fall_is_urgent(&sets[best].obs, &sets[0].obs, lasting_min))
            return true;
    }
    return false;
}

/* ---- reading ---- */

struct coma {
    struct obs_person person;
    struct obs_coma_set sets[OBS_COMA_MAX];
    struct obs_coma_line lines[OBS_COMA_MAX];
    size_t count;
};

static int part_of(struct json body, enum gcs_part part)
{
    for (struct json_walk w = json_walk(json_get(body, S("component"))); json_next(&w);) {
        struct json code = json_get(w.value, S("code"));
        uint64_t points;
        if (!obs_has_code(code, OBS_SNOMED, kinds[part].code.snomed) &&
            !obs_has_code(code, OBS_LOINC, kinds[part].code.loinc))
            continue;
        str text = json_text(json_get(json_get(w.value, S("valueQuantity")), S("value")));
        return str_to_u64(text, &points) && points >= 1 && points <= (uint64_t)kinds[part].most
                   ? (int)points : GCS_NOT_TESTABLE;
    }
    return GCS_NOT_TESTABLE;
}

static void take(struct ctx *cx, struct coma *coma, struct json body)
{
    struct obs_coma_set *set = &coma->sets[coma->count];
    struct obs_coma_line *line = &coma->lines[coma->count];
    struct gcs_score score;
    set->at_ms = obs_read_instant(cx, json_get(body, S("effectiveDateTime")));
    if (!set->at_ms)
        return;
    line->at = ui_time(cx, set->at_ms);
    line->who = json_string(cx->arena, json_get(json_at(json_get(body, S("performer")), 0),
                                                S("display")));
    for (enum gcs_part i = 0; i < GCS_PARTS; i++) {
        set->obs.parts[i] = part_of(body, i);
        line->parts[i] = set->obs.parts[i] == GCS_NOT_TESTABLE
            ? S("NT") : arena_printf(cx->arena, "%d, %s", set->obs.parts[i],
                                     gcs_word(i, set->obs.parts[i]));
    }
    set->head_injury = line->head_injury =
        json_is(json_get(obs_extension(body, "head-injury"), S("valueBoolean")), JSON_TRUE);
    struct issues issues = { .arena = cx->arena };
    bool good = gcs_score(&issues, &set->obs, &score) == ERR_OK && score.total != GCS_MISSING;
    line->total = good ? arena_printf(cx->arena, "%d", score.total) : S("no total");
    line->band = good ? str_of(gcs_band_name(score.band)) : S("unknown");
    coma->count++;
}

static err read_coma(struct http_request *request, struct coma **out)
{
    struct ctx *cx = request->cx;
    struct coma *coma = arena_zero(cx->arena, sizeof *coma);
    struct obs_found found;
    int64_t from = cx->now_ms - OBS_COMA_DAYS * INT64_C(86400000);
    TRY(store_reader(cx, request->store));
    TRY(obs_person_read(cx, request->store, request->captures[0], &coma->person));
    TRY(obs_search(cx, request->store, "Observation",
                   arena_printf(cx->arena, "patient=%.*s&code=248241002,9269-2&status=final,"
                                "corrected,amended&date=ge%.*s&_sort=-date",
                                STR_ARG(coma->person.id), STR_ARG(obs_instant(cx, from))),
                   OBS_COMA_MAX, &found));
    for (size_t i = 0; i < found.count; i++)
        take(cx, coma, found.bodies[i]);
    *out = coma;
    return ERR_OK;
}

/* ---- the page ---- */

static void draw_totals(struct ctx *cx, struct buf *out, const struct coma *coma)
{
    double totals[OBS_COMA_MAX];
    str labels[OBS_COMA_MAX];
    for (size_t i = 0; i < coma->count; i++) {
        const struct obs_coma_set *set = &coma->sets[coma->count - 1 - i];
        int total = total_of(set);
        totals[i] = total == GCS_MISSING ? (double)NAN : total;
        labels[i] = ui_clock(cx, set->at_ms);
    }
    if (coma->count < 2)
        return;
    const struct ui_series series[] = { { "Total", totals } };
    ui_chart_draw(out, &(struct ui_chart){
        .kind = UI_CHART_LINE, .title = S("Glasgow Coma Scale"), .unit = S("points, 3 to 15"),
        .labels = labels, .labels_count = coma->count, .series = series, .series_count = 1,
        .limit = 8, .limit_name = "8: severe",
        .summary = S("A gap is a set in which a part could not be tested.") });
}

static str due_text(struct ctx *cx, const struct coma *coma)
{
    const struct obs_coma_set *last = &coma->sets[0];
    if (!coma->count || !last->head_injury)
        return S("");
    int every = gcs_head_injury_every_min(total_of(last),
                                          obs_coma_min_since_15(coma->sets, coma->count));
    return arena_printf(cx->arena, "After a head injury: next by %.*s, every %d minutes",
                        STR_ARG(ui_clock(cx, last->at_ms + every * INT64_C(60000))), every);
}

static err send_coma(struct http_request *request, struct http_response *response,
                     const struct coma *coma, struct obs_coma_page *page)
{
    struct ctx *cx = request->cx;
    struct buf chart = ui_page_buf(request), out = ui_page_buf(request);
    page->person = &coma->person;
    page->action = arena_printf(cx->arena, "/obs/patient/%.*s/gcs", STR_ARG(coma->person.id));
    page->lines = coma->lines;
    page->lines_count = coma->count;
    page->parts_count = GCS_PARTS;
    page->due = due_text(cx, coma);
    page->urgent = obs_coma_fell(coma->sets, coma->count)
                       ? S("The score has fallen: a doctor re-appraises the patient now") : S("");
    page->may_write = !cx->user || role_permits(cx->user->asker.role, S("obs.write"));
    for (enum gcs_part i = 0; i < GCS_PARTS; i++) {
        page->parts[i].name = kinds[i].name;
        page->parts[i].title = kinds[i].title;
        page->parts[i].part = i;
        page->parts[i].most = kinds[i].most;
    }
    draw_totals(cx, &chart, coma);
    page->chart = (struct ui_html){ buf_str(&chart) };
    if (page->error.n)
        response->status = 422;
    struct ui_page shown = obs_page_for(request, &coma->person, "Glasgow Coma Scale");
    shown.islands = islands;
    shown.islands_count = COUNT(islands);
    obs_page_open(request, &out, &shown, &coma->person, "/gcs");
    obs_coma_body(&out, page);
    ui_page_close(&out, &shown);
    return ui_page_send(request, response, &out);
}

err obs_coma_get(struct http_request *request, struct http_response *response)
{
    struct coma *coma;
    struct obs_coma_page page = { .key = obs_new_key(request->cx) };
    TRY(read_coma(request, &coma));
    page.head_injury = coma->count && coma->sets[0].head_injury;
    return send_coma(request, response, coma, &page);
}

/* ---- writing ---- */

static str input(const struct http_request *request, const char *name)
{
    str text = http_query_value(request->cx->arena, request->body, str_of(name));
    return str_trim(text.p ? text : S(""));
}

static str read_parts(struct http_request *request, struct obs_coma_page *page,
                      struct gcs_obs *obs)
{
    for (enum gcs_part i = 0; i < GCS_PARTS; i++) {
        str text = page->parts[i].chosen = input(request, kinds[i].name);
        uint64_t points = GCS_NOT_TESTABLE;
        if (!str_eq(text, S("NT")) &&
            (!str_to_u64(text, &points) || points < 1 || points > (uint64_t)kinds[i].most))
            return arena_printf(request->cx->arena, "%s: choose one answer, or not testable",
                                kinds[i].title);
        obs->parts[i] = (int)points;
    }
    return S("");
}

static void put_absent(struct json_writer *w)
{
    json_put_raw(w, "dataAbsentReason", S("{\"coding\":[{\"system\":\"http://terminology.hl7.org/"
                 "CodeSystem/data-absent-reason\",\"code\":\"not-performed\"}],\"text\":"
                 "\"not testable\"}"));
}

static void put_parts(struct ctx *cx, struct json_writer *w, const struct gcs_obs *obs)
{
    json_key(w, "component");
    json_open(w, '[');
    for (enum gcs_part i = 0; i < GCS_PARTS; i++) {
        json_open(w, '{');
        obs_put_code(w, "code", &kinds[i].code);
        if (obs->parts[i] == GCS_NOT_TESTABLE)
            put_absent(w);
        else
            obs_put_quantity(w, "valueQuantity", arena_printf(cx->arena, "%d", obs->parts[i]),
                             "score", "{score}");
        json_close(w, '}');
    }
    json_close(w, ']');
}

static str coma_text(struct ctx *cx, const struct obs_person *person,
                     const struct obs_coma_set *set, str id)
{
    struct buf buf = buf_make(cx->arena, OBS_BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    int total = total_of(set);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Observation"));
    json_put_str(&w, "id", id);
    json_put_raw(&w, "extension", arena_printf(cx->arena, "[{\"url\":\"" OBS_URL "head-injury\","
                 "\"valueBoolean\":%s},{\"url\":\"" OBS_URL "gcs-table\",\"valueString\":\"%s\"}]",
                 set->head_injury ? "true" : "false", gcs_table));
    json_put_str(&w, "status", S("final"));
    json_put_raw(&w, "category", S("[{\"coding\":[{\"system\":\"http://terminology.hl7.org/"
        "CodeSystem/observation-category\",\"code\":\"survey\"}]}]"));
    obs_put_code(&w, "code", &whole);
    obs_put_reference(cx, &w, "subject", "Patient", person->id);
    if (person->encounter.n)
        obs_put_reference(cx, &w, "encounter", "Encounter", person->encounter);
    json_put_str(&w, "effectiveDateTime", obs_when(cx, set->at_ms));
    json_put_str(&w, "issued", obs_when(cx, cx->now_ms));
    json_key(&w, "performer");
    json_open(&w, '[');
    obs_put_author(cx, &w);
    json_close(&w, ']');
    if (total == GCS_MISSING)
        put_absent(&w);
    else
        obs_put_quantity(&w, "valueQuantity", arena_printf(cx->arena, "%d", total), "score",
                         "{score}");
    put_parts(cx, &w, &set->obs);
    json_close(&w, '}');
    return buf_str(&buf);
}

err obs_coma_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct coma *coma;
    struct commit_op op;
    struct commit commit = { .ops = &op, .ops_count = 1, .cx = cx, .why = S("obs: GCS") };
    struct obs_coma_set set = { .at_ms = cx->now_ms / 1000 * 1000 };
    struct obs_coma_page page = { .key = input(request, "key"), .at = input(request, "at"),
                                  .head_injury = input(request, "head_injury").n > 0 };
    TRY(read_coma(request, &coma));
    set.head_injury = page.head_injury;
    page.error = read_parts(request, &page, &set.obs);
    if (!page.error.n)
        page.error = obs_time_read(cx, page.at, &set.at_ms);
    if (!obs_key_is_sound(page.key))
        page.key = obs_new_key(cx);
    if (page.error.n)
        return send_coma(request, response, coma, &page);
    TRY(obs_fhir_op(cx, "Observation", page.key, 0,
                    coma_text(cx, &coma->person, &set, page.key), &op));
    TRY(commit_run(cx, request->store, &commit));
    response->status = 303;
    http_put_header(response, S("Location"), arena_printf(cx->arena, "/obs/patient/%.*s/gcs",
                                                          STR_ARG(coma->person.id)));
    return ERR_OK;
}
