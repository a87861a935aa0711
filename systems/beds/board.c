/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/board.h"
#include "assets.h"
#include "beds_board.html.h"
#include "clinical/london.h"
#include "clinical/news2.h"
#include "http/text.h"
#include "json/write.h"
#include "systems/beds/follow.h"
#include "ui/live.h"
#include "ui_page.html.h"

enum { JSON_BYTES = 16 << 20, SUGGEST_MAX = 40, FULL_PERCENT = 92, BUSY_PERCENT = 85 };

static const char *const islands[] = { ASSET_LIVE_JS, ASSET_TABLE_JS };

static str copy(struct ctx *cx, const char *text)
{
    return arena_copy(cx->arena, str_of(text));
}

static str day_text(struct ctx *cx, int64_t day)
{
    struct clock_civil d = clock_to_civil(day * LONDON_DAY_MS);
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
                                          "Sep", "Oct", "Nov", "Dec" };
    return arena_printf(cx->arena, "%d %s %d", d.day, months[d.month - 1], d.year);
}

/* ---- one bed ---- */

static enum ui_tone tone_of(enum beds_state state)
{
    static const enum ui_tone tones[BEDS_STATES] = {
        [BEDS_AVAILABLE] = UI_GOOD, [BEDS_RESERVED] = UI_LOW, [BEDS_OCCUPIED] = UI_PLAIN,
        [BEDS_DIRTY] = UI_MEDIUM, [BEDS_CLEANING] = UI_LOW, [BEDS_CLOSED] = UI_HIGH,
    };
    return tones[state];
}

static str kind_of(struct ctx *cx, unsigned a)
{
    const char *sex = a & BEDS_A_FEMALE ? "women" : a & BEDS_A_MALE ? "men" : "";
    return arena_printf(cx->arena, "%s%s%s%s", a & BEDS_A_SIDE_ROOM ? "side room" : "bay",
                        *sex ? ", " : "", sex, a & BEDS_A_PAEDIATRIC ? ", children" : "");
}

static void add_score(struct ctx *cx, const struct beds_stay *stay, struct beds_row *row)
{
    if (stay->news2 < 0) {
        row->news2 = S("Not known");
        return;
    }
    row->news2 = arena_printf(cx->arena, "%d at %.*s", stay->news2,
                              STR_ARG(ui_clock(cx, stay->news2_ms)));
    row->news2_tone = stay->news2 >= 7 ? UI_HIGH : stay->news2 >= 5 ? UI_MEDIUM
                      : stay->news2 > 0 ? UI_LOW : UI_GOOD;
}

static void add_discharge(struct ctx *cx, const struct beds_stay *stay, struct beds_row *row)
{
    static const char *const answers[] = { "Not assessed", "Meets", "No longer meets" };
    int64_t today = london_day(cx->now_ms);
    row->reside = str_of(answers[stay->reside]);
    row->edd = stay->edd_day == BEDS_NO_DAY ? S("No date") : day_text(cx, stay->edd_day);
    if (stay->edd_day != BEDS_NO_DAY && stay->edd_day < today)
        row->edd = arena_printf(cx->arena, "%.*s (passed)", STR_ARG(row->edd));
    if (stay->ready_day != BEDS_NO_DAY)
        row->ready = arena_printf(cx->arena, "ready since %.*s (%lld days)",
                                  STR_ARG(day_text(cx, stay->ready_day)),
                                  (long long)(today - stay->ready_day));
    row->pathway = stay->pathway < 0 ? S("Not decided") : str_of(beds_pathways[stay->pathway].code);
}

static void add_patient(struct ctx *cx, const struct beds_stay *stay, struct beds_row *row)
{
    struct ui_patient who = { .birth_date = copy(cx, stay->born),
                              .sex = stay->sex == 'f' ? S("female") : stay->sex == 'm' ? S("male")
                                     : stay->sex ? S("other") : (str){ 0 } };
    row->encounter = copy(cx, stay->id);
    row->patient_id = copy(cx, stay->patient);
    row->patient = stay->name[0] ? copy(cx, stay->name) : S("Not known");
    row->born = ui_patient_born(cx, &who);
    row->sex = ui_patient_sex(&who);
    row->nhs = stay->nhs[0] ? ui_nhs_number(cx, copy(cx, stay->nhs)) : S("Not known");
    row->flags = copy(cx, stay->flags);
    if (stay->reserved) {
        row->note = stay->until_ms ? arena_printf(cx->arena, "until %.*s",
                                                  STR_ARG(ui_time(cx, stay->until_ms)))
                                   : S("no end given");
        return;
    }
    if (stay->on_leave)
        row->note = S("on home leave");
    if (stay->admitted_ms)
        row->days = arena_printf(cx->arena, "%lld",
                                 (long long)beds_stay_days(london_day(stay->admitted_ms),
                                                           london_day(cx->now_ms)));
    add_score(cx, stay, row);
    add_discharge(cx, stay, row);
}

struct beds_row beds_row_of(struct ctx *cx, const struct beds_picture *picture, int32_t spot)
{
    const struct beds_spot *bed = &picture->spots[spot];
    enum beds_state state = beds_state_at(picture, spot, cx->now_ms);
    bool held = bed->stay != BEDS_NONE && (state == BEDS_OCCUPIED || state == BEDS_RESERVED);
    struct beds_row row = {
        .id = copy(cx, bed->id), .name = copy(cx, bed->name[0] ? bed->name : bed->id),
        .bay = bed->parent == BEDS_NONE ? S("") : copy(cx, picture->spots[bed->parent].name),
        .state = str_of(beds_state_name(state)), .code = state, .tone = tone_of(state),
        .kind = kind_of(cx, bed->attributes), .side_room = bed->attributes & BEDS_A_SIDE_ROOM,
    };
    if (state >= BEDS_DIRTY && bed->why[0] && strcmp(bed->why, "-") != 0)
        row.note = copy(cx, bed->why);
    if (held)
        add_patient(cx, &picture->stays[bed->stay], &row);
    return row;
}

/* ---- wards ---- */

static void count_bed(const struct beds_picture *picture, int32_t spot, int64_t now_ms,
                      struct beds_ward *ward)
{
    const struct beds_spot *bed = &picture->spots[spot];
    enum beds_state state = beds_state_at(picture, spot, now_ms);
    size_t *counts[BEDS_STATES] = { &ward->available, &ward->reserved, &ward->occupied,
                                    &ward->dirty, &ward->cleaning, &ward->closed };
    ward->beds++;
    ++*counts[state];
    if (state == BEDS_AVAILABLE)
        ++*(bed->attributes & BEDS_A_FEMALE ? &ward->free_women
            : bed->attributes & BEDS_A_MALE ? &ward->free_men : &ward->free_any);
    if (state == BEDS_OCCUPIED)
        ward->not_reside += picture->stays[bed->stay].reside == BEDS_RESIDE_NOT;
}

static bool is_bed_of(const struct beds_picture *picture, size_t spot, int32_t ward)
{
    return strcmp(picture->spots[spot].kind, "bd") == 0 &&
           (ward == BEDS_NONE || picture->spots[spot].ward == ward);
}

/* Occupancy is of the beds that are open: a closed bed cannot be free. */
struct beds_ward beds_ward_of(struct ctx *cx, const struct beds_picture *picture, int32_t spot)
{
    struct beds_ward ward = { .name = S("All wards") };
    if (spot != BEDS_NONE) {
        const struct beds_spot *place = &picture->spots[spot];
        ward.id = copy(cx, place->id);
        ward.name = copy(cx, place->name);
        ward.site = place->site == BEDS_NONE ? S("") : copy(cx, picture->spots[place->site].name);
    }
    for (size_t i = 0; i < picture->spots_count; i++)
        if (is_bed_of(picture, i, spot))
            count_bed(picture, (int32_t)i, cx->now_ms, &ward);
    size_t open = ward.beds - ward.closed;
    ward.percent = open ? (ward.occupied * 200 + open) / (open * 2) : 0;
    ward.tone = ward.percent >= FULL_PERCENT ? UI_HIGH : ward.percent >= BUSY_PERCENT ? UI_MEDIUM
                                                                                     : UI_GOOD;
    return ward;
}

static uint64_t number_in(const char *name)
{
    uint64_t number = 0;
    for (; *name; name++)
        number = *name >= '0' && *name <= '9' ? number * 10 + (uint64_t)(*name - '0') : number;
    return number;
}

int32_t *beds_in_ward(struct ctx *cx, const struct beds_picture *picture, int32_t ward,
                      size_t *count)
{
    int32_t *beds = arena_array(cx->arena, picture->spots_count + 1, sizeof *beds);
    *count = 0;
    for (size_t i = 0; i < picture->spots_count; i++) {
        if (!is_bed_of(picture, i, ward))
            continue;
        size_t at = (*count)++;
        uint64_t number = number_in(picture->spots[i].name);
        for (; at > 0 && number_in(picture->spots[beds[at - 1]].name) > number; at--)
            beds[at] = beds[at - 1];
        beds[at] = (int32_t)i;
    }
    return beds;
}

/* ---- pages ---- */

static struct ui_page page_for(struct http_request *request, str title,
                               const struct beds_picture *picture)
{
    struct ui_page page = ui_page_for(request, title);
    page.section = "/beds";
    page.islands = islands;
    page.islands_count = COUNT(islands);
    page.wide = true;
    page.live_seq = (uint64_t)picture->seq;
    page.as_of = ui_time(request->cx, request->cx->now_ms);
    return page;
}

static err open_picture(struct http_request *request, const struct beds_picture **out)
{
    beds_follow_expect();
    return beds_picture_open(request->cx, request->store, out);
}

/* A ward alone: its page is drawn far more often than any other. */
static err open_ward(struct http_request *request, const struct beds_picture **out)
{
    struct beds_picture *picture;
    beds_follow_expect();
    TRY(beds_picture_begin(request->cx, request->store, &picture));
    TRY(beds_picture_add_ward(request->cx, picture, request->captures[0]));
    *out = picture;
    return ERR_OK;
}

static err find(struct http_request *request, const struct beds_picture *picture, const char *kind,
                int32_t *out)
{
    *out = beds_find_spot(picture, request->captures[0]);
    if (*out != BEDS_NONE && strcmp(picture->spots[*out].kind, kind) == 0)
        return ERR_OK;
    return ctx_failf(request->cx, ERR_NOT_FOUND, S(""), "there is no %s %.*s",
                     kind[0] == 'b' ? "bed" : "ward", STR_ARG(request->captures[0]));
}

err beds_hospital_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    const struct beds_picture *picture;
    struct beds_picture *whole;
    beds_follow_expect();
    TRY(beds_picture_whole(cx, request->store, BEDS_PLACES, &whole));
    picture = whole;
    struct beds_ward *wards = arena_array(cx->arena, picture->spots_count + 1, sizeof *wards);
    size_t count = 0;
    for (size_t i = 0; i < picture->spots_count; i++)
        if (strcmp(picture->spots[i].kind, "wa") == 0)
            wards[count++] = beds_ward_of(cx, picture, (int32_t)i);
    struct beds_ward all = beds_ward_of(cx, picture, BEDS_NONE);
    struct ui_page page = page_for(request, S("Beds"), picture);
    page.live_url = S("/beds/live");
    live_expect(request->live, S("beds"));
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    beds_hospital(&out, wards, count, &all);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

err beds_ward_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    const struct beds_picture *picture;
    int32_t ward;
    size_t count;
    TRY(open_ward(request, &picture));
    TRY(find(request, picture, "wa", &ward));
    int32_t *beds = beds_in_ward(cx, picture, ward, &count);
    struct beds_row *rows = arena_array(cx->arena, count + 1, sizeof *rows);
    for (size_t i = 0; i < count; i++)
        rows[i] = beds_row_of(cx, picture, beds[i]);
    struct ui_page page = page_for(request, copy(cx, picture->spots[ward].name), picture);
    page.back_href = S("/beds");
    page.back_text = S("All wards");
    page.live_url = arena_printf(cx->arena, "/beds/live?ward=%s", picture->spots[ward].id);
    live_expect(request->live, arena_printf(cx->arena, "beds/%s", picture->spots[ward].id));
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    beds_board(&out, rows, count);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* ---- which bed suits ---- */

static str reasons(struct ctx *cx, const struct beds_suggestion *judged)
{
    struct buf buf = buf_make(cx->arena, 4096);
    for (size_t i = 0; i < judged->reasons_count; i++)
        buf_printf(&buf, "%s%s", i ? "; " : "", beds_refusals[judged->reasons[i]].text);
    return judged->reasons_count ? buf_str(&buf) : S("suits");
}

/* Every bed judged for a request, best first; *out indexes *beds. */
static struct beds_suggestion *judge_all(struct ctx *cx, const struct beds_picture *picture,
                                         const struct beds_request *wanted, int32_t **beds,
                                         size_t *count)
{
    *beds = beds_in_ward(cx, picture, BEDS_NONE, count);
    struct beds_bed *seen = arena_array(cx->arena, *count + 1, sizeof *seen);
    struct beds_suggestion *order = arena_array(cx->arena, *count + 1, sizeof *order);
    for (size_t i = 0; i < *count; i++) {
        seen[i] = beds_bed_at(picture, (*beds)[i]);
        seen[i].state = beds_state_at(picture, (*beds)[i], cx->now_ms);
    }
    beds_suggest(wanted, seen, *count, order);
    return order;
}

static struct beds_request request_of(struct ctx *cx, const struct beds_stay *stay)
{
    return (struct beds_request){
        .sex = stay->sex == 'f' ? BEDS_FEMALE : stay->sex == 'm' ? BEDS_MALE : BEDS_SEX_ANY,
        .age_years = ui_age_years(str_of(stay->born), cx->now_ms),
        .isolation = stay->isolation ? BEDS_ISOLATION_NEEDED : BEDS_ISOLATION_UNKNOWN,
        .specialty = copy(cx, stay->specialty), .reserved_stay = copy(cx, stay->id) };
}

static void offer_beds(struct ctx *cx, const struct beds_picture *picture,
                       const struct beds_stay *stay, struct beds_page *page)
{
    struct beds_request wanted = request_of(cx, stay);
    int32_t *beds;
    size_t count;
    struct beds_suggestion *order = judge_all(cx, picture, &wanted, &beds, &count);
    struct beds_option *options = arena_array(cx->arena, SUGGEST_MAX, sizeof *options);
    for (size_t i = 0; i < count && page->beds_count < SUGGEST_MAX && !order[i].hard_count; i++) {
        const struct beds_spot *bed = &picture->spots[beds[order[i].bed]];
        const char *ward = bed->ward == BEDS_NONE ? "" : picture->spots[bed->ward].name;
        options[page->beds_count++] = (struct beds_option){
            copy(cx, bed->id), arena_printf(cx->arena, "%s, %s: %.*s", ward, bed->name,
                                            STR_ARG(reasons(cx, &order[i]))) };
    }
    page->beds = options;
}

err beds_bed_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    const struct beds_picture *picture;
    int32_t spot;
    TRY(open_picture(request, &picture));
    TRY(find(request, picture, "bd", &spot));
    const struct beds_spot *bed = &picture->spots[spot];
    struct beds_page shown = { .row = beds_row_of(cx, picture, spot) };
    shown.ward = bed->ward == BEDS_NONE ? S("No ward") : copy(cx, picture->spots[bed->ward].name);
    shown.back = arena_printf(cx->arena, "/beds/bed/%s", bed->id);
    if (shown.row.code == BEDS_OCCUPIED)
        offer_beds(cx, picture, &picture->stays[bed->stay], &shown);
    struct ui_page page = page_for(request, arena_printf(cx->arena, "%.*s, %.*s",
        STR_ARG(shown.row.name), STR_ARG(shown.ward)), picture);
    page.back_href = bed->ward == BEDS_NONE ? S("/beds")
                     : arena_printf(cx->arena, "/beds/ward/%s", picture->spots[bed->ward].id);
    page.back_text = shown.ward;
    page.islands_count = 0;
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    beds_bed_page(&out, &shown);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

static str asked(struct http_request *request, const char *name)
{
    return http_query_value(request->cx->arena, request->query, str_of(name));
}

static struct beds_request read_wanted(struct http_request *request)
{
    uint64_t age;
    str sex = asked(request, "sex"), isolation = asked(request, "isolation");
    return (struct beds_request){
        .sex = str_eq(sex, S("female")) ? BEDS_FEMALE : str_eq(sex, S("male")) ? BEDS_MALE
                                                                              : BEDS_SEX_ANY,
        .age_years = str_to_u64(asked(request, "age"), &age) && age <= 130 ? (int)age
                                                                           : BEDS_AGE_UNKNOWN,
        .isolation = str_eq(isolation, S("needed")) ? BEDS_ISOLATION_NEEDED
                     : str_eq(isolation, S("none")) ? BEDS_ISOLATION_NONE : BEDS_ISOLATION_UNKNOWN,
        .airborne = str_eq(asked(request, "airborne"), S("1")),
        .needs_monitor = str_eq(asked(request, "monitor"), S("1")),
        .specialty = asked(request, "specialty").n ? asked(request, "specialty") : (str){ 0 } };
}

err beds_suggest_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    const struct beds_picture *picture;
    struct beds_request wanted = read_wanted(request);
    int32_t *beds;
    size_t count = 0, shown = 0;
    TRY(open_picture(request, &picture));
    struct beds_suggested *list = arena_array(cx->arena, SUGGEST_MAX, sizeof *list);
    struct beds_suggestion *order = judge_all(cx, picture, &wanted, &beds, &count);
    for (; shown < count && shown < SUGGEST_MAX && request->query.n; shown++) {
        const struct beds_spot *bed = &picture->spots[beds[order[shown].bed]];
        list[shown] = (struct beds_suggested){
            .bed = copy(cx, bed->id), .refused = order[shown].hard_count > 0,
            .ward = bed->ward == BEDS_NONE ? S("") : copy(cx, picture->spots[bed->ward].name),
            .why = reasons(cx, &order[shown]) };
    }
    struct ui_page page = page_for(request, S("Find a bed"), picture);
    page.back_href = S("/beds");
    page.back_text = S("All wards");
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    beds_suggestions(&out, list, shown);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* ---- for programs ---- */

static void write_row(struct json_writer *w, const struct beds_row *row)
{
    json_open(w, '{');
    json_put_str(w, "bed", row->id);
    json_put_str(w, "name", row->name);
    json_put_str(w, "state", row->state);
    if (row->note.n)
        json_put_str(w, "note", row->note);
    if (row->encounter.n) {
        json_put_str(w, "encounter", row->encounter);
        json_put_str(w, "patient", row->patient_id);
        json_put_str(w, "name_shown", row->patient);
        json_put_str(w, "nhs_number", row->nhs);
        json_put_str(w, "news2", row->news2);
        json_put_str(w, "edd", row->edd);
        json_put_str(w, "reside", row->reside);
        json_put_str(w, "ready", row->ready);
        json_put_str(w, "pathway", row->pathway);
        json_put_str(w, "flags", row->flags);
    }
    json_close(w, '}');
}

err beds_json_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    const struct beds_picture *picture;
    str ward_id = asked(request, "ward");
    size_t count;
    TRY(open_picture(request, &picture));
    int32_t ward = ward_id.n ? beds_find_spot(picture, ward_id) : BEDS_NONE;
    if (ward_id.n && ward == BEDS_NONE)
        return ctx_failf(cx, ERR_NOT_FOUND, S("ward"), "there is no ward %.*s", STR_ARG(ward_id));
    int32_t *beds = beds_in_ward(cx, picture, ward, &count);
    struct buf buf = buf_make(cx->arena, JSON_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_u64(&w, "seq", (uint64_t)picture->seq);
    json_key(&w, "beds");
    json_open(&w, '[');
    for (size_t i = 0; i < count; i++) {
        struct beds_row row = beds_row_of(cx, picture, beds[i]);
        write_row(&w, &row);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    response->content_type = S("application/json");
    response->body = buf_str(&buf);
    return ERR_OK;
}

err beds_live_get(struct http_request *request, struct http_response *response)
{
    str ward = asked(request, "ward");
    str channel = ward.n ? arena_printf(request->cx->arena, "beds/%.*s", STR_ARG(ward)) : S("beds");
    return live_open(request->live, channel, request, response);
}
