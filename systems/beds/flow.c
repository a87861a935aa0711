/* SPDX-License-Identifier: Apache-2.0 */
#include "beds_board.html.h"
#include "beds_flow.html.h"
#include "clinical/london.h"
#include "systems/beds/dialog.h"
#include "systems/beds/flow.h"
#include "systems/beds/listing.h"
#include "systems/beds/picture_read.h"
#include "systems/beds/requests.h"
#include "systems/beds/sql.h"
#include "systems/beds/task.h"
#include "ui_page.html.h"
#include <stdlib.h>

/* Who comes, who could go, what went wrong, and how the hospital stands. */
enum { PLACES_MAX = 64 };

/* ---- requests ---- */

static str needs_text(struct ctx *cx, const struct beds_request *wanted)
{
    const struct { bool needed; const char *text; } rows[] = {
        { wanted->isolation == BEDS_ISOLATION_NEEDED, "isolation" },
        { wanted->isolation == BEDS_ISOLATION_UNKNOWN, "isolation not assessed" },
        { wanted->airborne, "negative pressure" }, { wanted->needs_monitor, "monitoring" },
        { wanted->needs_oxygen, "oxygen" }, { wanted->bariatric, "bariatric bed" },
    };
    struct buf buf = buf_make(cx->arena, 256);
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].needed)
            buf_printf(&buf, "%s%s", buf.n ? ", " : "", rows[i].text);
    return buf_str(&buf);
}

static struct beds_wait wait_of(struct ctx *cx, const struct beds_asked *asked)
{
    struct ui_patient who = { .birth_date = str_of(asked->who.born),
        .sex = asked->who.sex == 'f' ? S("female") : asked->who.sex == 'm' ? S("male") : S("") };
    struct beds_wait wait = {
        .id = asked->id, .patient = asked->patient, .note = asked->note,
        .name = asked->who.name[0] ? str_of(asked->who.name) : S("Not known"),
        .born = ui_patient_born(cx, &who), .sex = ui_patient_sex(&who),
        .nhs = asked->who.nhs[0] ? ui_nhs_number(cx, str_of(asked->who.nhs)) : S("Not known"),
        .source = str_of(beds_sources[asked->source].text),
        .priority = str_of(beds_priorities[asked->priority].text),
        .specialty = beds_specialty_name(asked->specialty),
        .needs = needs_text(cx, &asked->wanted), .kept = asked->kept_bed,
        .clock_ms = beds_clock_ms(asked), .minutes = beds_waited_min(asked, cx->now_ms) };
    wait.since = ui_time(cx, wait.clock_ms);
    wait.future = wait.clock_ms > cx->now_ms;
    bool ed = asked->source == BEDS_FROM_ED;
    if (ed && wait.minutes >= BEDS_WAIT_BREACH_MIN) {
        wait.tone = UI_HIGH;
        wait.breach = S("over 12 hours");
    } else if (ed && wait.minutes >= BEDS_WAIT_AMBER_MIN) {
        wait.tone = UI_MEDIUM;
        wait.breach = S("over 4 hours");
    }
    return wait;
}

static err waits_of(struct ctx *cx, struct beds_wait **out, size_t *count)
{
    struct beds_asked *asked;
    TRY(beds_asked_list(cx, &asked, count));
    *out = arena_array(cx->arena, *count + 1, sizeof **out);
    for (size_t i = 0; i < *count; i++)
        (*out)[i] = wait_of(cx, &asked[i]);
    return ERR_OK;
}

err beds_requests_draw(struct ctx *cx, struct store *store, struct beds_listed *out)
{
    struct beds_wait *waits;
    size_t count;
    TRY(store_reader(cx, store));
    TRY(waits_of(cx, &waits, &count));
    for (size_t i = 0; i < count; i++) {
        struct buf html = beds_listed_buf(out);
        beds_wait_row(&html, &waits[i]);
        beds_listed_add(out, arena_printf(cx->arena, "item-%.*s", STR_ARG(waits[i].id)), &html);
    }
    beds_listed_count(out, S("0"), count);
    return ERR_OK;
}

err beds_requests_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct beds_picture *picture;
    struct beds_wait *waits;
    size_t count;
    beds_list_expect(request, "requests");
    TRY(beds_picture_begin(cx, request->store, &picture));
    TRY(waits_of(cx, &waits, &count));
    struct ui_done done = beds_done_of(request);
    struct ui_page page = beds_list_page(request, "requests", "Requests for beds", picture->seq);
    struct buf out = ui_page_buf(request);
    beds_list_open(&out, &page, "requests", &done);
    beds_requests_list(&out, waits, count);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* ---- who could go ---- */

struct going {
    struct ctx *cx;
    const struct beds_picture *picture;
    struct beds_todo *todos;
    size_t todos_count, in, pathways[4], undecided, not_met, unknown;
    size_t *delays;
    struct beds_long stays;
    struct beds_item *ready, *soon;
    size_t ready_count, soon_count;
};

/* The tasks of a stay stand together once they are sorted by it. */
static int by_stay(const void *a, const void *b)
{
    const struct beds_todo *x = a, *y = b;
    int stay = str_cmp(x->encounter, y->encounter);
    return stay ? stay : (x->due_ms > y->due_ms) - (x->due_ms < y->due_ms);
}

static void add_todos(struct going *going, struct beds_item *item)
{
    for (size_t i = 0; i < going->todos_count; i++) {
        if (!str_eq(going->todos[i].encounter, item->row.encounter))
            continue;
        item->todos = item->todos_count ? item->todos : &going->todos[i];
        item->todos_count++;
    }
}

static const char *delay_text(const char *code)
{
    for (size_t i = 0; i < beds_delays_count; i++)
        if (strcmp(beds_delays[i].code, code) == 0)
            return beds_delays[i].text;
    return *code ? code : "No reason recorded";
}

static void count_stay(struct going *going, const struct beds_stay *stay)
{
    going->in++;
    going->unknown += stay->reside == BEDS_RESIDE_UNKNOWN;
    beds_long_add(&going->stays, beds_stay_days(london_day(stay->admitted_ms),
                                                london_day(going->cx->now_ms)));
    if (stay->pathway >= 0)
        going->pathways[stay->pathway]++;
    else
        going->undecided++;
    if (stay->reside != BEDS_RESIDE_NOT)
        return;
    going->not_met++;
    size_t at = 0;
    while (at < beds_delays_count && strcmp(beds_delays[at].code, stay->delay) != 0)
        at++;
    going->delays[at]++;
}

static void add_stay(struct going *going, size_t spot, const struct beds_stay *stay)
{
    int64_t today = london_day(going->cx->now_ms);
    bool not_met = stay->reside == BEDS_RESIDE_NOT;
    bool soon = stay->edd_day != BEDS_NO_DAY && stay->edd_day <= today + 1;
    count_stay(going, stay);
    if (!not_met && !soon)
        return;
    struct beds_item *item = not_met ? &going->ready[going->ready_count++]
                                     : &going->soon[going->soon_count++];
    int32_t ward = going->picture->spots[spot].ward;
    *item = (struct beds_item){ .row = beds_row_of(going->cx, going->picture, (int32_t)spot) };
    item->ward = ward == BEDS_NONE ? S("") : str_of(going->picture->spots[ward].name);
    item->ward_id = ward == BEDS_NONE ? S("") : str_of(going->picture->spots[ward].id);
    item->note = not_met ? str_of(delay_text(stay->delay)) : S("");
    item->order = not_met ? stay->ready_day == BEDS_NO_DAY ? today : stay->ready_day
                          : stay->edd_day;
    item->live_id = arena_printf(going->cx->arena, "%s-%.*s", not_met ? "ready" : "soon",
                                 STR_ARG(item->row.encounter));
    add_todos(going, item);
}

static err see_going(struct ctx *cx, struct store *store, const struct beds_picture *picture,
                     struct going *going)
{
    const struct beds_todo *todos;
    *going = (struct going){ .cx = cx, .picture = picture };
    TRY(beds_todos_all(cx, store, &todos, &going->todos_count));
    going->todos = arena_array(cx->arena, going->todos_count + 1, sizeof *going->todos);
    memcpy(going->todos, todos, going->todos_count * sizeof *todos);
    qsort(going->todos, going->todos_count, sizeof *going->todos, by_stay);
    going->delays = arena_zero(cx->arena, (beds_delays_count + 1) * sizeof *going->delays);
    going->ready = arena_array(cx->arena, picture->spots_count + 1, sizeof *going->ready);
    going->soon = arena_array(cx->arena, picture->spots_count + 1, sizeof *going->soon);
    for (size_t i = 0; i < picture->spots_count; i++) {
        int32_t stay = picture->spots[i].stay;
        if (strcmp(picture->spots[i].kind, "bd") == 0 && stay != BEDS_NONE &&
            !picture->stays[stay].reserved)
            add_stay(going, i, &picture->stays[stay]);
    }
    qsort(going->ready, going->ready_count, sizeof *going->ready, beds_item_order);
    qsort(going->soon, going->soon_count, sizeof *going->soon, beds_item_order);
    return ERR_OK;
}

static struct beds_tallies ways_of(const struct going *going)
{
    struct ctx *cx = going->cx;
    struct beds_tally *rows = arena_array(cx->arena, 5, sizeof *rows);
    for (size_t i = 0; i < 4; i++)
        rows[i] = (struct beds_tally){
            .text = arena_printf(cx->arena, "%s, %s", beds_pathways[i].code,
                                 beds_pathways[i].text),
            .hint = arena_printf(cx->arena, "of discharges nationally %s %d %%",
                                 beds_pathways[i].at_least ? "at least" : "at most",
                                 beds_pathways[i].share_percent),
            .count = going->pathways[i], .of = going->in - going->undecided };
    rows[4] = (struct beds_tally){ .text = S("Not decided"), .count = going->undecided,
                                   .of = going->in };
    return (struct beds_tallies){ S("Ways out of those in now"), rows, 5 };
}

static struct beds_tallies delays_of(const struct going *going)
{
    struct beds_tally *rows = arena_array(going->cx->arena, beds_delays_count + 1, sizeof *rows);
    size_t count = 0;
    for (size_t i = 0; i <= beds_delays_count; i++)
        if (going->delays[i])
            rows[count++] = (struct beds_tally){
                .text = str_of(i < beds_delays_count ? beds_delays[i].text
                                                     : "No reason recorded"),
                .count = going->delays[i], .of = going->not_met };
    return (struct beds_tallies){ S("What holds up those who could leave"), rows, count };
}

enum { GOING_LISTS = 2 };
static err going_lists(struct ctx *cx, struct store *store, struct going *going,
                       struct beds_items out[GOING_LISTS])
{
    struct beds_picture *picture;
    TRY(beds_picture_whole(cx, store, BEDS_SCORES, &picture));
    TRY(see_going(cx, store, picture, going));
    out[0] = (struct beds_items){ .live_id = S("ready"),
        .caption = S("No longer meet the criteria to reside, the longest ready first"),
        .empty = S("Everybody assessed meets the criteria to reside."),
        .items = going->ready, .items_count = going->ready_count };
    out[1] = (struct beds_items){ .live_id = S("soon"),
        .caption = S("Expected to leave by tomorrow and still meet the criteria, or not assessed"),
        .empty = S("Nobody else is expected to leave by tomorrow."),
        .items = going->soon, .items_count = going->soon_count };
    return ERR_OK;
}

/* Counts over a list: a page shows them above and below it, an open one gets them anew. */
static void draw_going_totals(struct beds_listed *out, const struct going *going,
                              const struct beds_tallies *a, const struct beds_tallies *b)
{
    struct buf tiles = beds_listed_buf(out), tables = beds_listed_buf(out);
    beds_going_tiles(&tiles, &going->stays, going->not_met, going->unknown);
    beds_tally_tables(&tables, a, b);
    beds_listed_add(out, S("beds-going"), &tiles);
    beds_listed_add(out, S("beds-tallies"), &tables);
}

err beds_discharges_draw(struct ctx *cx, struct store *store, struct beds_listed *out)
{
    struct going going;
    struct beds_items lists[GOING_LISTS];
    TRY(going_lists(cx, store, &going, lists));
    for (size_t i = 0; i < COUNT(lists); i++)
        for (size_t k = 0; k < lists[i].items_count; k++) {
            struct buf html = beds_listed_buf(out);
            beds_going_row(&html, &lists[i].items[k]);
            beds_listed_add(out, arena_printf(cx->arena, "item-%.*s",
                                              STR_ARG(lists[i].items[k].live_id)), &html);
        }
    for (size_t i = 0; i < COUNT(lists); i++)
        beds_listed_count(out, lists[i].live_id, lists[i].items_count);
    struct beds_tallies ways = ways_of(&going), delays = delays_of(&going);
    draw_going_totals(out, &going, &delays, &ways);
    return ERR_OK;
}

err beds_discharges_get(struct http_request *request, struct http_response *response)
{
    struct going going;
    struct beds_items lists[GOING_LISTS];
    beds_list_expect(request, "discharges");
    TRY(going_lists(request->cx, request->store, &going, lists));
    struct ui_done done = beds_done_of(request);
    struct beds_tallies ways = ways_of(&going), delays = delays_of(&going);
    struct ui_page page = beds_list_page(request, "discharges", "Discharges", going.picture->seq);
    struct buf out = ui_page_buf(request);
    beds_list_open(&out, &page, "discharges", &done);
    beds_going_tiles(&out, &going.stays, going.not_met, going.unknown);
    for (size_t i = 0; i < COUNT(lists); i++)
        beds_going_list(&out, &lists[i]);
    beds_tally_tables(&out, &delays, &ways);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* ---- what went wrong ---- */

static err exceptions_of(struct ctx *cx, struct beds_exception_row **out, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, cx->db, beds_sql, BEDS_SQL_EXCEPTIONS);
    size_t cap = 0;
    *out = NULL;
    *count = 0;
    for (bool more = true;;) {
        TRY(db_step(cx, stmt, &more));
        if (!more)
            return ERR_OK;
        *out = arena_grow(cx->arena, *out, *count, &cap, sizeof **out);
        int64_t at_ms = beds_instant_of(db_text(stmt, 3));
        (*out)[(*count)++] = (struct beds_exception_row){
            .task = arena_copy(cx->arena, db_text(stmt, 0)),
            .encounter = arena_copy(cx->arena, db_text(stmt, 1)),
            .text = arena_copy(cx->arena, db_text(stmt, 2)),
            .when = at_ms ? ui_time(cx, at_ms) : S("Not known") };
    }
}

err beds_worklist_draw(struct ctx *cx, struct store *store, struct beds_listed *out)
{
    struct beds_exception_row *rows;
    size_t count;
    TRY(store_reader(cx, store));
    TRY(exceptions_of(cx, &rows, &count));
    for (size_t i = 0; i < count; i++) {
        struct buf html = beds_listed_buf(out);
        beds_exception_line(&html, &rows[i]);
        beds_listed_add(out, arena_printf(cx->arena, "item-%.*s", STR_ARG(rows[i].task)), &html);
    }
    beds_listed_count(out, S("0"), count);
    return ERR_OK;
}

err beds_worklist_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct beds_picture *picture;
    struct beds_exception_row *rows;
    size_t count;
    beds_list_expect(request, "worklist");
    TRY(beds_picture_begin(cx, request->store, &picture));
    TRY(exceptions_of(cx, &rows, &count));
    struct ui_done done = beds_done_of(request);
    struct ui_page page = beds_list_page(request, "worklist", "Worklist", picture->seq);
    struct buf out = ui_page_buf(request);
    beds_list_open(&out, &page, "worklist", &done);
    beds_exception_list(&out, rows, count);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* ---- the site meeting ---- */

struct meeting {
    struct ctx *cx;
    const struct beds_picture *picture;
    struct beds_place_now *sites, *specialties;
    size_t sites_count, specialties_count;
};

static struct beds_place_now *place_named(struct beds_place_now *list, size_t *count, str name)
{
    size_t at = 0;
    while (at < *count && !str_eq(list[at].name, name))
        at++;
    if (at == PLACES_MAX)
        return &list[at - 1];
    if (at == *count)
        list[(*count)++] = (struct beds_place_now){ .name = name };
    return &list[at];
}

static void count_at(const struct meeting *m, size_t spot, struct beds_place_now *at)
{
    const struct beds_spot *bed = &m->picture->spots[spot];
    enum beds_state state = beds_state_at(m->picture, (int32_t)spot, m->cx->now_ms);
    const struct beds_stay *stay = state == BEDS_OCCUPIED ? &m->picture->stays[bed->stay] : NULL;
    int64_t today = london_day(m->cx->now_ms);
    size_t *counts[BEDS_STATES] = { &at->now.available, &at->now.reserved, &at->now.occupied,
                                    &at->now.dirty, &at->now.cleaning, &at->now.closed };
    at->now.beds++;
    ++*counts[state];
    at->escalation += state == BEDS_OCCUPIED && bed->attributes & BEDS_A_ESCALATION;
    if (!stay)
        return;
    at->now.not_reside += stay->reside == BEDS_RESIDE_NOT;
    at->now.leaving_today += stay->edd_day != BEDS_NO_DAY && stay->edd_day <= today;
    at->long_21 += beds_stay_days(london_day(stay->admitted_ms), today) >= 21;
}

static void finish_places(struct beds_place_now *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct beds_ward *now = &list[i].now;
        size_t open = now->beds - now->closed;
        now->percent = open ? (now->occupied * 200 + open) / (open * 2) : 0;
        now->tone = now->percent >= 92 ? UI_HIGH : now->percent >= 85 ? UI_MEDIUM : UI_GOOD;
    }
}

static void count_places(struct meeting *m)
{
    m->sites = arena_array(m->cx->arena, PLACES_MAX, sizeof *m->sites);
    m->specialties = arena_array(m->cx->arena, PLACES_MAX, sizeof *m->specialties);
    for (size_t i = 0; i < m->picture->spots_count; i++) {
        const struct beds_spot *bed = &m->picture->spots[i];
        if (strcmp(bed->kind, "bd") != 0)
            continue;
        str site = bed->site == BEDS_NONE ? S("No site")
                                          : str_of(m->picture->spots[bed->site].name);
        str code = bed->ward == BEDS_NONE ? S("")
                                          : str_of(m->picture->spots[bed->ward].specialty);
        count_at(m, i, place_named(m->sites, &m->sites_count, site));
        count_at(m, i, place_named(m->specialties, &m->specialties_count,
                                   beds_specialty_name(code)));
    }
}

static err see_places(struct meeting *m)
{
    struct beds_asked *asked;
    size_t count;
    count_places(m);
    TRY(beds_asked_list(m->cx, &asked, &count));
    for (size_t i = 0; i < count; i++)
        if (!asked[i].kept_bed.n)
            place_named(m->specialties, &m->specialties_count,
                        beds_specialty_name(asked[i].specialty))->wanted++;
    finish_places(m->sites, m->sites_count);
    finish_places(m->specialties, m->specialties_count);
    for (size_t i = 0; i < m->sites_count; i++)
        m->sites[i].live_id = arena_printf(m->cx->arena, "site-%zu", i);
    for (size_t i = 0; i < m->specialties_count; i++)
        m->specialties[i].live_id = arena_printf(m->cx->arena, "specialty-%zu", i);
    return ERR_OK;
}

void beds_places_now(struct ctx *cx, const struct beds_picture *picture,
                     struct beds_figure_page *out)
{
    struct beds_place_now *wards = arena_array(cx->arena, picture->spots_count + 1, sizeof *wards);
    struct meeting m = { .cx = cx, .picture = picture };
    count_places(&m);
    for (size_t i = 0; i < picture->spots_count; i++)
        if (strcmp(picture->spots[i].kind, "wa") == 0)
            wards[out->wards_count++] = (struct beds_place_now){
                .name = str_of(picture->spots[i].name) };
    size_t at = 0;
    for (size_t i = 0; i < picture->spots_count; i++) {
        if (strcmp(picture->spots[i].kind, "wa") != 0)
            continue;
        for (size_t k = 0; k < picture->spots_count; k++)
            if (picture->spots[k].ward == (int32_t)i && strcmp(picture->spots[k].kind, "bd") == 0)
                count_at(&m, k, &wards[at]);
        at++;
    }
    finish_places(m.sites, m.sites_count);
    finish_places(m.specialties, m.specialties_count);
    finish_places(wards, out->wards_count);
    out->wards = wards;
    out->sites = m.sites;
    out->sites_count = m.sites_count;
    out->specialties = m.specialties;
    out->specialties_count = m.specialties_count;
}

/* Closed beds by why, as it was written. */
static struct beds_tallies closed_of(const struct meeting *m)
{
    struct beds_tally *rows = arena_array(m->cx->arena, PLACES_MAX, sizeof *rows);
    size_t count = 0, closed = 0;
    for (size_t i = 0; i < m->picture->spots_count; i++) {
        const struct beds_spot *bed = &m->picture->spots[i];
        if (strcmp(bed->kind, "bd") != 0 || bed->v2 != 'C')
            continue;
        str why = bed->why[0] && strcmp(bed->why, "-") != 0 ? str_of(bed->why)
                                                            : S("No reason recorded");
        size_t at = 0;
        closed++;
        while (at < count && !str_eq(rows[at].text, why))
            at++;
        if (at == count && count < PLACES_MAX)
            rows[count++] = (struct beds_tally){ .text = why };
        if (at < count)
            rows[at].count++;
    }
    for (size_t i = 0; i < count; i++)
        rows[i].of = closed;
    return (struct beds_tallies){ S("Beds closed, by reason"), rows, count };
}

static err see_meeting(struct ctx *cx, struct store *store, struct meeting *m,
                       struct going *going)
{
    struct beds_picture *picture;
    TRY(beds_picture_whole(cx, store, BEDS_PLACES, &picture));
    TRY(see_going(cx, store, picture, going));
    *m = (struct meeting){ .cx = cx, .picture = picture };
    return see_places(m);
}

static void draw_places(struct beds_listed *out, const struct beds_place_now *places,
                        size_t count, bool wanted)
{
    for (size_t i = 0; i < count; i++) {
        struct buf html = beds_listed_buf(out);
        beds_place_row(&html, &places[i], wanted);
        beds_listed_add(out, arena_printf(out->cx->arena, "at-%.*s", STR_ARG(places[i].live_id)),
                        &html);
    }
}

err beds_site_draw(struct ctx *cx, struct store *store, struct beds_listed *out)
{
    struct meeting m;
    struct going going;
    TRY(see_meeting(cx, store, &m, &going));
    draw_places(out, m.sites, m.sites_count, false);
    draw_places(out, m.specialties, m.specialties_count, true);
    struct beds_ward all = beds_ward_of(cx, m.picture, BEDS_NONE);
    struct buf tiles = beds_listed_buf(out);
    beds_tiles(&tiles, &all);
    beds_listed_add(out, S("beds-all"), &tiles);
    struct beds_tallies closed = closed_of(&m), delays = delays_of(&going);
    draw_going_totals(out, &going, &delays, &closed);
    return ERR_OK;
}

err beds_site_get(struct http_request *request, struct http_response *response)
{
    struct meeting m;
    struct going going;
    beds_list_expect(request, "site");
    TRY(see_meeting(request->cx, request->store, &m, &going));
    struct beds_ward all = beds_ward_of(request->cx, m.picture, BEDS_NONE);
    struct beds_tallies closed = closed_of(&m), delays = delays_of(&going);
    struct ui_done done = { 0 };
    struct ui_page page = beds_list_page(request, "site", "Site meeting", m.picture->seq);
    struct buf out = ui_page_buf(request);
    beds_list_open(&out, &page, "site", &done);
    beds_tiles(&out, &all);
    beds_place_table(&out, m.sites, m.sites_count, S("Sites"), false);
    beds_place_table(&out, m.specialties, m.specialties_count,
                     S("Specialties: beds against what is asked for"), true);
    beds_going_tiles(&out, &going.stays, going.not_met, going.unknown);
    beds_tally_tables(&out, &delays, &closed);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}
