/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/board.h"
#include "auth/gate.h"
#include "assets.h"
#include "beds_board.html.h"
#include "clinical/london.h"
#include "clinical/news2.h"
#include "http/text.h"
#include "json/write.h"
#include "systems/beds/dialog.h"
#include "systems/beds/follow.h"
#include "systems/beds/listing.h"
#include "systems/beds/picture_read.h"
#include "systems/beds/sql.h"
#include "ui/live.h"
#include "ui_page.html.h"

enum { JSON_BYTES = 16 << 20 };

static const char *const islands[] = { ASSET_TABLE_JS, ASSET_DIALOG_JS, ASSET_DRAG_JS };

static str copy(struct ctx *cx, const char *text)
{
    return arena_copy(cx->arena, str_of(text));
}

/* ---- pages ---- */

struct ui_page beds_page_for(struct http_request *request, str title, int64_t seq)
{
    struct ui_page page = ui_page_for(request, title);
    page.section = "/beds";
    page.islands = islands;
    page.islands_count = COUNT(islands);
    page.wide = true;
    page.live_seq = (uint64_t)seq;
    page.as_of = ui_time(request->cx, request->cx->now_ms);
    return page;
}

str beds_asked(struct http_request *request, const char *name)
{
    return http_query_value(request->cx->arena, request->query, str_of(name));
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
    struct ui_page page = beds_page_for(request, S("Beds"), picture->seq);
    page.live_url = S("/beds/live");
    live_expect(request->live, S("beds"));
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    beds_icons(&out);
    beds_sections(&out, S("/beds"));
    beds_hospital(&out, wards, count, &all);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* ---- the first page of who works here ---- */

static bool has_word(str words, str wanted)
{
    str word;
    while (str_next(&words, ' ', &word))
        if (str_eq(word, wanted))
            return true;
    return false;
}

static void put_ward(struct ctx *cx, const struct beds_ward *ward, str name, str href,
                     struct ui_home_card *card)
{
    struct ui_home_line *line = ui_home_line(card);
    if (!line)
        return;
    *line = (struct ui_home_line){
        .text = name, .href = href,
        .more = arena_printf(cx->arena, "%zu of %zu beds occupied%s", ward->occupied, ward->beds,
                             ward->dirty + ward->cleaning ? ", some to be cleaned" : ""),
        .chip = ward->available ? arena_printf(cx->arena, "%zu free", ward->available)
                                : S("None free"),
        .tone = ward->available ? UI_GOOD : UI_MEDIUM,
    };
}

err beds_home_fill(struct ui_home *home)
{
    struct ctx *cx = home->request->cx;
    struct beds_picture *picture;
    str areas = ui_home_areas(home);
    if (!cx->user || !role_permits(cx->user->asker.role, S("beds.read")))
        return ERR_OK;
    struct ui_home_card *card = ui_home_add(home, "beds", "Beds", "No ward is set up.");
    card->all_href = S("/beds");
    card->all_text = S("All wards");
    TRY(beds_picture_whole(cx, home->request->store, BEDS_PLACES, &picture));
    struct beds_ward all = beds_ward_of(cx, picture, BEDS_NONE);
    if (!areas.n && all.beds)
        put_ward(cx, &all, S("The hospital"), S("/beds"), card);
    for (size_t i = 0; i < picture->spots_count; i++) {
        struct beds_ward ward;
        if (strcmp(picture->spots[i].kind, "wa") != 0 ||
            (areas.n && !has_word(areas, str_of(picture->spots[i].id))))
            continue;
        ward = beds_ward_of(cx, picture, (int32_t)i);
        put_ward(cx, &ward, ward.name,
                 arena_printf(cx->arena, "/beds/ward/%.*s", STR_ARG(ward.id)), card);
    }
    return ERR_OK;
}

/* ---- which beds of a ward are shown ---- */

static bool needs_isolation(const struct beds_row *r) { return r->isolation; }
static bool is_ready(const struct beds_row *r)
{
    return r->ready.n > 0 || r->reside_tone == UI_GOOD;
}
static bool leaves_today(const struct beds_row *r)
{
    return r->edd_in != BEDS_NO_DAY && r->edd_in <= 0;
}
static bool has_no_date(const struct beds_row *r)
{
    return r->code == BEDS_OCCUPIED && r->edd_in == BEDS_NO_DAY;
}
static bool stays_7(const struct beds_row *r) { return r->days_in >= 7; }
static bool stays_14(const struct beds_row *r) { return r->days_in >= 14; }
static bool stays_21(const struct beds_row *r) { return r->days_in >= 21; }
static bool scores_5(const struct beds_row *r) { return r->news2_total >= 5; }
static bool is_side_room(const struct beds_row *r) { return r->side_room; }

/* clang-format off: a row a choice. */
static const struct { str code, text; bool (*holds)(const struct beds_row *); } shows[] = {
    { { "", 0 },            { "All patients and beds", 21 },          NULL },
    { { "ready", 5 },       { "No longer meet the criteria", 27 },    is_ready },
    { { "today", 5 },       { "Expected to leave by today", 26 },     leaves_today },
    { { "no-date", 7 },     { "No date to leave", 16 },               has_no_date },
    { { "news2", 5 },       { "NEWS2 of 5 or more", 18 },             scores_5 },
    { { "isolation", 9 },   { "Isolation or infection", 22 },         needs_isolation },
    { { "side-room", 9 },   { "Side rooms", 10 },                     is_side_room },
    { { "7", 1 },           { "In 7 days or more", 17 },              stays_7 },
    { { "14", 2 },          { "In 14 days or more", 18 },             stays_14 },
    { { "21", 2 },          { "In 21 days or more", 18 },             stays_21 },
};
/* clang-format on */

static bool holds_text(str text, str what)
{
    for (size_t i = 0; i + what.n <= text.n; i++)
        if (str_eq_nocase(str_slice(text, i, i + what.n), what))
            return true;
    return false;
}

/* An NHS number may be looked for with its spaces or without. */
static bool holds_number(str shown, str what)
{
    size_t at = 0;
    for (size_t i = 0; i < shown.n && at < what.n; i++) {
        while (at < what.n && what.p[at] == ' ')
            at++;
        if (shown.p[i] == ' ' || at == what.n)
            continue;
        at = shown.p[i] == what.p[at] ? at + 1 : 0;
    }
    return what.n >= 3 && at == what.n;
}

bool beds_row_answers(const struct beds_row *row, const struct beds_filter *filter)
{
    bool named = !filter->q.n || holds_text(row->patient, filter->q) ||
                 holds_text(row->name, filter->q) || holds_number(row->nhs, filter->q);
    bool in_state = !filter->state.n || str_eq(filter->state, row->state);
    for (size_t i = 1; i < COUNT(shows); i++)
        if (str_eq(filter->show, shows[i].code))
            return named && in_state && shows[i].holds(row);
    return named && in_state;
}

static struct beds_filter read_filter(struct http_request *request)
{
    struct ctx *cx = request->cx;
    struct ui_option *states = arena_array(cx->arena, BEDS_STATES + 1, sizeof *states);
    struct ui_option *choices = arena_array(cx->arena, COUNT(shows), sizeof *choices);
    struct beds_filter filter = { .q = str_trim(beds_asked(request, "q")), .states = states,
                                  .states_count = 1, .shows = choices,
                                  .shows_count = COUNT(shows) };
    str state = beds_asked(request, "state"), show = beds_asked(request, "show");
    states[0] = (struct ui_option){ .value = S(""), .text = S("Any state") };
    for (enum beds_state i = 0; i < BEDS_STATES; i++) {
        str name = str_of(beds_state_name(i));
        states[filter.states_count++] = (struct ui_option){ .value = name, .text = name };
        filter.state = str_eq(state, name) ? name : filter.state;
    }
    for (size_t i = 0; i < COUNT(shows); i++) {
        choices[i] = (struct ui_option){ .value = shows[i].code, .text = shows[i].text };
        filter.show = str_eq(show, shows[i].code) ? show : filter.show;
    }
    filter.some = filter.q.n || filter.state.n || filter.show.n;
    return filter;
}

static void fill_board(struct http_request *request, const struct beds_picture *picture,
                       int32_t ward, struct beds_board *board)
{
    struct ctx *cx = request->cx;
    int32_t *beds = beds_in_ward(cx, picture, ward, &board->of_count);
    struct beds_row *rows = arena_array(cx->arena, board->of_count + 1, sizeof *rows);
    board->filter = read_filter(request);
    board->here = arena_printf(cx->arena, "/beds/ward/%s", picture->spots[ward].id);
    board->wall_href = arena_printf(cx->arena, "%.*s?wall=1", STR_ARG(board->here));
    board->ward = beds_ward_of(cx, picture, ward);
    board->rows = rows;
    board->done = beds_done_of(request);
    for (size_t i = 0; i < board->of_count; i++) {
        rows[board->rows_count] = beds_row_of(cx, picture, beds[i]);
        board->rows_count += beds_row_answers(&rows[board->rows_count], &board->filter);
    }
}

err beds_ward_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    const struct beds_picture *picture;
    struct beds_board board = { 0 };
    int32_t ward;
    bool wall = str_eq(beds_asked(request, "wall"), S("1"));
    TRY(open_ward(request, &picture));
    TRY(find(request, picture, "wa", &ward));
    fill_board(request, picture, ward, &board);
    struct ui_page page = beds_page_for(request, board.ward.name, picture->seq);
    page.wall = wall;
    page.live_part = board.filter.some ? "bed-" : NULL;
    page.back_href = wall ? (str){ 0 } : S("/beds");
    page.back_text = S("All wards");
    page.live_url = arena_printf(cx->arena, "/beds/live?ward=%s%s", picture->spots[ward].id,
                                 wall ? "&wall=1" : "");
    live_expect(request->live, arena_printf(cx->arena, "beds/%s%s", picture->spots[ward].id,
                                            wall ? "/wall" : ""));
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    beds_icons(&out);
    if (wall)
        beds_wall(&out, &board);
    else
        beds_board(&out, &board);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

err beds_bed_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    const struct beds_picture *picture;
    int32_t spot;
    TRY(beds_picture_open(cx, request->store, &picture));
    TRY(find(request, picture, "bd", &spot));
    const struct beds_spot *bed = &picture->spots[spot];
    struct beds_page shown = { .row = beds_row_of(cx, picture, spot),
                               .done = beds_done_of(request) };
    shown.ward = bed->ward == BEDS_NONE ? S("No ward") : copy(cx, picture->spots[bed->ward].name);
    shown.back = arena_printf(cx->arena, "/beds/bed/%s", bed->id);
    struct ui_page page = beds_page_for(request, arena_printf(cx->arena, "%.*s, %.*s",
        STR_ARG(shown.row.name), STR_ARG(shown.ward)), picture->seq);
    page.back_href = bed->ward == BEDS_NONE ? S("/beds")
                     : arena_printf(cx->arena, "/beds/ward/%s", picture->spots[bed->ward].id);
    page.back_text = shown.ward;
    page.wide = false;
    page.live_url = bed->ward == BEDS_NONE ? (str){ 0 }
                    : arena_printf(cx->arena, "/beds/live?ward=%s", picture->spots[bed->ward].id);
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    beds_icons(&out);
    beds_bed_page(&out, &shown);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* ---- for programs ---- */

err beds_send_json(struct http_response *response, const struct buf *buf)
{
    response->content_type = S("application/json");
    response->body = buf_str(buf);
    return ERR_OK;
}

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
    str ward_id = beds_asked(request, "ward");
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
    return beds_send_json(response, &buf);
}

/* A channel is memory until the server ends: only places that are there get one. */
static err need_ward(struct http_request *request, str ward)
{
    struct ctx *cx = request->cx;
    struct beds_picture *picture;
    struct beds_spot spot = { 0 };
    bool found;
    TRY(beds_picture_begin(cx, request->store, &picture));
    struct db_stmt *row = db_use(cx, cx->db, beds_sql, BEDS_SQL_SPOT);
    db_bind_text(row, 1, ward);
    TRY(db_step(cx, row, &found));
    if (found)
        beds_row_spot(cx, row, &spot);
    db_reset(row);
    store_reader_end(cx);
    return strcmp(spot.kind, "wa") == 0
               ? ERR_OK : ctx_failf(cx, ERR_NOT_FOUND, S("ward"), "there is no ward %.*s",
                                    STR_ARG(str_slice(ward, 0, BEDS_ID_BYTES)));
}

err beds_live_get(struct http_request *request, struct http_response *response)
{
    str ward = beds_asked(request, "ward");
    str list = beds_asked(request, "list");
    bool wall = str_eq(beds_asked(request, "wall"), S("1"));
    if (list.n)
        return beds_list_live(request, list, response);
    if (ward.n)
        TRY(need_ward(request, ward));
    str channel = ward.n ? arena_printf(request->cx->arena, "beds/%.*s%s", STR_ARG(ward),
                                        wall ? "/wall" : "") : S("beds");
    return live_open(request->live, channel, request, response);
}
