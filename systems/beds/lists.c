/* SPDX-License-Identifier: Apache-2.0 */
#include "assets.h"
#include "beds_board.html.h"
#include "beds_lists.html.h"
#include "clinical/london.h"
#include "http/text.h"
#include "store/search.h"
#include "systems/beds/dialog.h"
#include "systems/beds/screens.h"
#include "ui/browse.h"
#include "ui_page.html.h"
#include <stdlib.h>

/* clang-format off: the order of the pages. */
const struct beds_section beds_sections_list[] = {
    { "/beds", "Wards" }, { "/beds/site", "Site meeting" }, { "/beds/requests", "Requests" },
    { "/beds/suggest", "Find a bed" }, { "/beds/discharges", "Discharges" },
    { "/beds/cleaning", "Cleaning" }, { "/beds/infection", "Infection" },
    { "/beds/outliers", "Outliers" }, { "/beds/worklist", "Worklist" },
    { "/beds/figures", "Figures" },
};
/* Main specialty codes of the NHS Data Dictionary, those a general hospital has. */
static const struct { const char *code, *name; } specialties[] = {
    { "100", "General Surgery" }, { "101", "Urology" }, { "107", "Vascular Surgery" },
    { "110", "Trauma and Orthopaedics" }, { "120", "Ear Nose and Throat" },
    { "130", "Ophthalmology" }, { "140", "Oral Surgery" }, { "150", "Neurosurgery" },
    { "160", "Plastic Surgery" }, { "170", "Cardiothoracic Surgery" },
    { "171", "Paediatric Surgery" }, { "180", "Emergency Medicine" },
    { "190", "Anaesthetics" }, { "192", "Intensive Care Medicine" },
    { "300", "General Internal Medicine" }, { "301", "Gastroenterology" },
    { "302", "Endocrinology and Diabetes" }, { "303", "Clinical Haematology" },
    { "315", "Palliative Medicine" }, { "320", "Cardiology" },
    { "326", "Acute Internal Medicine" }, { "328", "Stroke Medicine" },
    { "330", "Dermatology" }, { "340", "Respiratory Medicine" },
    { "350", "Infectious Diseases" }, { "361", "Renal Medicine" },
    { "400", "Neurology" }, { "410", "Rheumatology" }, { "420", "Paediatrics" },
    { "430", "Elderly Medicine" }, { "501", "Obstetrics" }, { "502", "Gynaecology" },
    { "800", "Clinical Oncology" },
};
/* clang-format on */
const size_t beds_sections_list_count = COUNT(beds_sections_list);

str beds_specialty_name(str code)
{
    for (size_t i = 0; i < COUNT(specialties); i++)
        if (str_eq(code, str_of(specialties[i].code)))
            return str_of(specialties[i].name);
    return code.n ? code : S("Not known");
}

/* ---- a list of beds ---- */

struct scene {
    struct http_request *request;
    struct ctx *cx;
    const struct beds_picture *picture;
    struct beds_item *items;
    size_t items_count;
};

static err look(struct http_request *request, struct scene *out)
{
    *out = (struct scene){ .request = request, .cx = request->cx };
    TRY(beds_picture_open(request->cx, request->store, &out->picture));
    out->items = arena_array(request->cx->arena, out->picture->spots_count + 1,
                             sizeof *out->items);
    return ERR_OK;
}

static struct beds_item *add_item(struct scene *scene, size_t spot)
{
    const struct beds_spot *bed = &scene->picture->spots[spot];
    struct beds_item *item = &scene->items[scene->items_count++];
    *item = (struct beds_item){ .row = beds_row_of(scene->cx, scene->picture, (int32_t)spot) };
    if (bed->ward != BEDS_NONE) {
        item->ward = str_of(scene->picture->spots[bed->ward].name);
        item->ward_id = str_of(scene->picture->spots[bed->ward].id);
    }
    return item;
}

static int by_order(const void *a, const void *b)
{
    const struct beds_item *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

static struct beds_items taken(struct scene *scene, str caption, str empty)
{
    struct beds_items list = { caption, empty, scene->items, scene->items_count };
    qsort(scene->items, scene->items_count, sizeof *scene->items, by_order);
    scene->items += scene->items_count;
    scene->items_count = 0;
    return list;
}

static bool is_bed(const struct scene *scene, size_t i)
{
    return strcmp(scene->picture->spots[i].kind, "bd") == 0;
}

static const struct beds_stay *stay_at(const struct scene *scene, size_t i)
{
    int32_t stay = scene->picture->spots[i].stay;
    enum beds_state state = beds_state_at(scene->picture, (int32_t)i, scene->cx->now_ms);
    return state == BEDS_OCCUPIED && stay != BEDS_NONE ? &scene->picture->stays[stay] : NULL;
}

static struct ui_page page_of(struct scene *scene, const char *title)
{
    struct ui_page page = beds_page_for(scene->request, str_of(title), scene->picture->seq);
    static const char *const islands[] = { ASSET_TABLE_JS, ASSET_DIALOG_JS, ASSET_LIVE_JS };
    page.islands = islands;
    page.islands_count = COUNT(islands);
    page.live_url = S("/beds/live");
    page.live_part = "ward-";
    return page;
}

static void open_page(struct buf *out, const struct ui_page *page, const char *here)
{
    ui_page_open(out, page);
    beds_icons(out);
    beds_sections(out, str_of(here));
}

/* ---- cleaners ---- */

/* What is overdue, or wanted for somebody, first. */
err beds_cleaning_get(struct http_request *request, struct http_response *response)
{
    struct scene scene;
    TRY(look(request, &scene));
    struct ui_done done = beds_done_of(request);
    for (size_t i = 0; i < scene.picture->spots_count; i++) {
        const struct beds_spot *bed = &scene.picture->spots[i];
        enum beds_state state = beds_state_at(scene.picture, (int32_t)i, request->cx->now_ms);
        if (!is_bed(&scene, i) || (state != BEDS_DIRTY && state != BEDS_CLEANING))
            continue;
        struct beds_item *item = add_item(&scene, i);
        item->order = bed->due_ms ? bed->due_ms : INT64_MAX;
        item->row.until_ms = bed->due_ms;
        item->row.until = bed->due_ms ? ui_clock(request->cx, bed->due_ms) : (str){ 0 };
        item->note = bed->clean[0] ? str_of(bed->clean) : item->row.note;
    }
    struct beds_items list = taken(&scene, S("Beds to clean, the soonest due first"),
                                   S("No bed waits for cleaning."));
    struct ui_page page = page_of(&scene, "Cleaning");
    struct buf out = ui_page_buf(request);
    open_page(&out, &page, "/beds/cleaning");
    ui_done_draw(&out, &done);
    beds_cleaning_list(&out, &list);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* ---- infection control ---- */

static struct beds_items isolated(struct scene *scene, bool in_side_room)
{
    for (size_t i = 0; i < scene->picture->spots_count; i++) {
        const struct beds_stay *stay = is_bed(scene, i) ? stay_at(scene, i) : NULL;
        bool side = scene->picture->spots[i].attributes & BEDS_A_SIDE_ROOM;
        if (stay && stay->isolation && side == in_side_room)
            add_item(scene, i)->order = stay->bed_ms;
    }
    return in_side_room
               ? taken(scene, S("Isolated in a side room"), S("Nobody is isolated now."))
               : taken(scene, S("Need isolation and lie in a bay: act on these"),
                       S("Everybody who needs isolation is in a side room."));
}

/* Side rooms that are free, or held by somebody who does not need one. */
static struct beds_items side_rooms(struct scene *scene)
{
    for (size_t i = 0; i < scene->picture->spots_count; i++) {
        const struct beds_stay *stay = is_bed(scene, i) ? stay_at(scene, i) : NULL;
        if (!is_bed(scene, i) || !(scene->picture->spots[i].attributes & BEDS_A_SIDE_ROOM) ||
            (stay && stay->isolation))
            continue;
        add_item(scene, i)->order = stay ? 2 : beds_state_at(scene->picture, (int32_t)i,
                                                             scene->cx->now_ms);
    }
    return taken(scene, S("Side rooms that are free, or that nobody is isolated in"),
                 S("There are no side rooms, or all isolate somebody."));
}

static struct beds_items closed_for_infection(struct scene *scene)
{
    for (size_t i = 0; i < scene->picture->spots_count; i++)
        if (is_bed(scene, i) && scene->picture->spots[i].v2 == 'C' &&
            str_find(str_of(scene->picture->spots[i].why), S("nfection")) != STR_NONE)
            add_item(scene, i);
    return taken(scene, S("Closed for infection"), S("No bed is closed for infection."));
}

err beds_infection_get(struct http_request *request, struct http_response *response)
{
    struct scene scene;
    TRY(look(request, &scene));
    struct beds_item *all = arena_array(request->cx->arena, 2 * scene.picture->spots_count + 1,
                                        sizeof *all);
    struct ui_done done = beds_done_of(request);
    scene.items = all;
    struct beds_items lists[] = { isolated(&scene, false), isolated(&scene, true),
                                  side_rooms(&scene), closed_for_infection(&scene) };
    struct ui_page page = page_of(&scene, "Infection control");
    struct buf out = ui_page_buf(request);
    open_page(&out, &page, "/beds/infection");
    ui_done_draw(&out, &done);
    for (size_t i = 0; i < COUNT(lists); i++)
        beds_item_list(&out, &lists[i]);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* ---- outliers ---- */

err beds_outliers_get(struct http_request *request, struct http_response *response)
{
    struct scene scene;
    TRY(look(request, &scene));
    for (size_t i = 0; i < scene.picture->spots_count; i++) {
        const struct beds_stay *stay = is_bed(&scene, i) ? stay_at(&scene, i) : NULL;
        int32_t ward = scene.picture->spots[i].ward;
        const char *here = ward == BEDS_NONE ? "" : scene.picture->spots[ward].specialty;
        if (!stay || !stay->specialty[0] || strcmp(stay->specialty, here) == 0)
            continue;
        struct beds_item *item = add_item(&scene, i);
        item->note = arena_printf(request->cx->arena, "under %.*s",
                                  STR_ARG(beds_specialty_name(str_of(stay->specialty))));
        item->order = strtol(stay->specialty, NULL, 10);
    }
    struct beds_items list = taken(&scene,
        S("Patients on another specialty's ward: the team in charge must come to them"),
        S("Everybody is on a ward of their own specialty."));
    struct ui_done done = beds_done_of(request);
    struct ui_page page = page_of(&scene, "Outliers");
    struct buf out = ui_page_buf(request);
    open_page(&out, &page, "/beds/outliers");
    ui_done_draw(&out, &done);
    beds_item_list(&out, &list);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}
