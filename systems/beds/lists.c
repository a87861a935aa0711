/* SPDX-License-Identifier: Apache-2.0 */
#include "beds_board.html.h"
#include "beds_lists.html.h"
#include "clinical/london.h"
#include "http/text.h"
#include "store/search.h"
#include "systems/beds/dialog.h"
#include "systems/beds/listing.h"
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
    struct ctx *cx;
    const struct beds_picture *picture;
    struct beds_item *items;
    size_t items_count, lists_count;
};

/* Room for every bed twice: side rooms stand on more than one list of infection control. */
static err look(struct ctx *cx, struct store *store, struct scene *out)
{
    *out = (struct scene){ .cx = cx };
    TRY(beds_picture_open(cx, store, &out->picture));
    out->items = arena_array(cx->arena, 2 * out->picture->spots_count + 1, sizeof *out->items);
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

static struct beds_items taken(struct scene *scene, str caption, str empty)
{
    struct beds_items list = { .caption = caption, .empty = empty, .items = scene->items,
                               .items_count = scene->items_count };
    list.live_id = arena_printf(scene->cx->arena, "%zu", scene->lists_count++);
    qsort(scene->items, scene->items_count, sizeof *scene->items, beds_item_order);
    for (size_t i = 0; i < scene->items_count; i++)
        scene->items[i].live_id = arena_printf(scene->cx->arena, "%.*s-%.*s",
                                               STR_ARG(list.live_id),
                                               STR_ARG(scene->items[i].row.id));
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

static void draw_list(struct beds_listed *out, const struct beds_items *list,
                      void (*row)(struct buf *out, const struct beds_item *item))
{
    for (size_t i = 0; i < list->items_count; i++) {
        struct buf html = beds_listed_buf(out);
        row(&html, &list->items[i]);
        beds_listed_add(out, arena_printf(out->cx->arena, "item-%.*s",
                                          STR_ARG(list->items[i].live_id)), &html);
    }
}

static void draw_counts(struct beds_listed *out, const struct beds_items *lists, size_t count)
{
    for (size_t i = 0; i < count; i++)
        beds_listed_count(out, lists[i].live_id, lists[i].items_count);
}

/* ---- cleaners ---- */

/* What is overdue, or wanted for somebody, first. */
static struct beds_items to_clean(struct scene *scene)
{
    for (size_t i = 0; i < scene->picture->spots_count; i++) {
        const struct beds_spot *bed = &scene->picture->spots[i];
        enum beds_state state = beds_state_at(scene->picture, (int32_t)i, scene->cx->now_ms);
        if (!is_bed(scene, i) || (state != BEDS_DIRTY && state != BEDS_CLEANING))
            continue;
        struct beds_item *item = add_item(scene, i);
        item->order = bed->due_ms ? bed->due_ms : INT64_MAX;
        item->row.until_ms = bed->due_ms;
        item->row.until = bed->due_ms ? ui_clock(scene->cx, bed->due_ms) : (str){ 0 };
        item->note = bed->clean[0] ? str_of(bed->clean) : item->row.note;
    }
    return taken(scene, S("Beds to clean, the soonest due first"),
                 S("No bed waits for cleaning."));
}

/* A page with one list. */
struct single {
    const char *name, *title;
    struct beds_items (*build)(struct scene *scene);
    void (*table)(struct buf *out, const struct beds_items *list);
    void (*row)(struct buf *out, const struct beds_item *item);
};

static err draw_single(struct ctx *cx, struct store *store, const struct single *single,
                       struct beds_listed *out)
{
    struct scene scene;
    TRY(look(cx, store, &scene));
    struct beds_items list = single->build(&scene);
    draw_list(out, &list, single->row);
    draw_counts(out, &list, 1);
    return ERR_OK;
}

static err show_single(struct http_request *request, struct http_response *response,
                       const struct single *single)
{
    struct scene scene;
    beds_list_expect(request, single->name);
    TRY(look(request->cx, request->store, &scene));
    struct ui_done done = beds_done_of(request);
    struct beds_items list = single->build(&scene);
    struct ui_page page = beds_list_page(request, single->name, single->title,
                                         scene.picture->seq);
    struct buf out = ui_page_buf(request);
    beds_list_open(&out, &page, single->name, &done);
    single->table(&out, &list);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

static const struct single cleaning = { "cleaning", "Cleaning", to_clean, beds_cleaning_list,
                                        beds_cleaning_row };

err beds_cleaning_draw(struct ctx *cx, struct store *store, struct beds_listed *out)
{
    return draw_single(cx, store, &cleaning, out);
}

err beds_cleaning_get(struct http_request *request, struct http_response *response)
{
    return show_single(request, response, &cleaning);
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

enum { INFECTION_LISTS = 4 };
static void infection(struct scene *scene, struct beds_items out[INFECTION_LISTS])
{
    out[0] = isolated(scene, false);
    out[1] = isolated(scene, true);
    out[2] = side_rooms(scene);
    out[3] = closed_for_infection(scene);
}

err beds_infection_draw(struct ctx *cx, struct store *store, struct beds_listed *out)
{
    struct scene scene;
    struct beds_items lists[INFECTION_LISTS];
    TRY(look(cx, store, &scene));
    infection(&scene, lists);
    for (size_t i = 0; i < COUNT(lists); i++)
        draw_list(out, &lists[i], beds_item_row);
    draw_counts(out, lists, COUNT(lists));
    return ERR_OK;
}

err beds_infection_get(struct http_request *request, struct http_response *response)
{
    struct scene scene;
    struct beds_items lists[INFECTION_LISTS];
    beds_list_expect(request, "infection");
    TRY(look(request->cx, request->store, &scene));
    struct ui_done done = beds_done_of(request);
    infection(&scene, lists);
    struct ui_page page = beds_list_page(request, "infection", "Infection control",
                                         scene.picture->seq);
    struct buf out = ui_page_buf(request);
    beds_list_open(&out, &page, "infection", &done);
    for (size_t i = 0; i < COUNT(lists); i++)
        beds_item_list(&out, &lists[i]);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* ---- outliers ---- */

static struct beds_items outliers(struct scene *scene)
{
    for (size_t i = 0; i < scene->picture->spots_count; i++) {
        const struct beds_stay *stay = is_bed(scene, i) ? stay_at(scene, i) : NULL;
        int32_t ward = scene->picture->spots[i].ward;
        const char *here = ward == BEDS_NONE ? "" : scene->picture->spots[ward].specialty;
        if (!stay || !stay->specialty[0] || strcmp(stay->specialty, here) == 0)
            continue;
        struct beds_item *item = add_item(scene, i);
        item->note = arena_printf(scene->cx->arena, "under %.*s",
                                  STR_ARG(beds_specialty_name(str_of(stay->specialty))));
        item->order = strtol(stay->specialty, NULL, 10);
    }
    return taken(scene,
        S("Patients on another specialty's ward: the team in charge must come to them"),
        S("Everybody is on a ward of their own specialty."));
}

static const struct single away = { "outliers", "Outliers", outliers, beds_item_list,
                                    beds_item_row };

err beds_outliers_draw(struct ctx *cx, struct store *store, struct beds_listed *out)
{
    return draw_single(cx, store, &away, out);
}

err beds_outliers_get(struct http_request *request, struct http_response *response)
{
    return show_single(request, response, &away);
}
