/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/ward.h"
#include "auth/gate.h"
#include "base/map.h"
#include "systems/record/record_sql.h"
#include "ui/browse.h"

enum { PLACES_MAX = 400, IDS_BYTES = 48 << 10, WARDS_MAX = 500 };

/* ---- places ---- */

static str read_place(struct ctx *cx, struct store *store, str patient)
{
    struct record_set set;
    if (!record_may(cx, "Encounter", 'r'))
        return S("Not shown to your role");
    if (record_find(cx, store, "Encounter",
                    arena_printf(cx->arena, "patient=Patient/%.*s&status=in-progress,onleave",
                                 STR_ARG(patient)), 5, &set) != ERR_OK)
        return S("Could not be read");
    for (size_t i = 0; i < set.count; i++)
        for (struct json_walk w = json_walk(json_get(set.items[i].body, S("location")));
             json_next(&w);) {
            struct record_item place;
            str id = record_reference_id(cx, w.value, "location", "Location");
            if (json_string_is(json_get(w.value, S("status")), S("active")) && id.n &&
                record_read(cx, store, "Location", id, &place) == ERR_OK)
                return record_text(cx, place.body, "name");
        }
    return set.count ? S("In hospital") : S("Not in hospital");
}

str ward_place_of(struct ctx *cx, struct store *store, str patient)
{
    size_t count = cx->issues.count, kept = cx->issues.kept;
    str place = read_place(cx, store, patient);
    cx->issues.count = count;
    cx->issues.kept = kept;
    return place;
}

static bool has_word(str words, str wanted)
{
    str word;
    while (str_next(&words, ' ', &word))
        if (str_eq(word, wanted))
            return true;
    return false;
}

err ward_links(struct ctx *cx, const struct ui_link **out, size_t *count, bool *all)
{
    struct ui_link *links = arena_array(cx->arena, WARDS_MAX, sizeof *links);
    str areas = cx->user ? cx->user->person.areas : (str){ 0 };
    struct db_stmt *stmt = db_use(cx, cx->db, record_sql, RECORD_WARDS);
    bool row;
    *count = 0;
    *all = areas.n == 0;
    TRY(db_step(cx, stmt, &row));
    while (row && *count < WARDS_MAX) {
        str id = db_text(stmt, 0), name = db_text(stmt, 1);
        if (!areas.n || has_word(areas, id)) {
            links[*count].href = arena_printf(cx->arena, "/record/ward/%.*s", STR_ARG(id)).p;
            links[(*count)++].text = arena_printf(cx->arena, "%.*s",
                                                  STR_ARG(name.n ? name : id)).p;
        }
        TRY(db_step(cx, stmt, &row));
    }
    db_reset(stmt);
    *out = links;
    return ERR_OK;
}

/* ---- who lies there ---- */

struct places {
    struct buf ids;    /* "a,b,c" */
    struct map seen;
    size_t count;
};

static err add_places(struct ctx *cx, struct store *store, str parents, struct places *out,
                      struct buf *next)
{
    struct record_set set;
    TRY(record_find(cx, store, "Location", arena_printf(cx->arena, "partof=%.*s",
                                                        STR_ARG(parents)), PLACES_MAX, &set));
    for (size_t i = 0; i < set.count; i++) {
        if (!map_add(&out->seen, set.items[i].id, 1, NULL))
            continue;
        buf_printf(&out->ids, "%s%.*s", out->count++ ? "," : "", STR_ARG(set.items[i].id));
        buf_printf(next, "%s%.*s", next->n ? "," : "", STR_ARG(set.items[i].id));
    }
    return ERR_OK;
}

/* The ward, its bays, their beds. */
static err find_places(struct ctx *cx, struct store *store, str ward, struct places *out)
{
    struct buf bays = buf_make(cx->arena, IDS_BYTES), beds = buf_make(cx->arena, IDS_BYTES);
    *out = (struct places){ buf_make(cx->arena, IDS_BYTES), map_make(cx->arena), 1 };
    buf_add(&out->ids, ward);
    map_set(&out->seen, ward, 1);
    TRY(add_places(cx, store, ward, out, &bays));
    return bays.n ? add_places(cx, store, buf_str(&bays), out, &beds) : ERR_OK;
}

/* The place of this ward the stay holds now; absent: it is over, or elsewhere by now. */
static str held_place(struct ctx *cx, struct json stay, const struct places *places)
{
    for (struct json_walk w = json_walk(json_get(stay, S("location"))); json_next(&w);) {
        str id = record_reference_id(cx, w.value, "location", "Location");
        uint64_t found;
        if (json_string_is(json_get(w.value, S("status")), S("active")) && id.n &&
            map_get(&places->seen, id, &found))
            return id;
    }
    return (str){ 0 };
}

static str stay_days(struct ctx *cx, struct json stay)
{
    str start = record_text(cx, json_get(stay, S("period")), "start");
    return start.n ? record_shown_when(cx, str_slice(start, 0, 10)) : S("Not known");
}

static str attending(struct ctx *cx, struct store *store, struct json stay)
{
    struct json first = json_at(json_get(stay, S("participant")), 0);
    struct json person = json_get(first, S("individual"));
    return json_is(person, JSON_OBJECT) ? record_person(cx, store, person) : S("Not known");
}

static err add_row(struct ctx *cx, struct store *store, struct json stay, str place,
                   struct ward_list *list)
{
    struct ward_row *row = &list->rows[list->rows_count];
    struct record_item bed;
    str patient = record_reference_id(cx, stay, "subject", "Patient");
    if (!patient.n || ui_banner_read(cx, store, patient, &row->banner) != ERR_OK)
        return ERR_OK;
    row->match = find_person(cx, &row->banner.who);
    row->bed = record_read(cx, store, "Location", place, &bed) == ERR_OK
                   ? record_text(cx, bed.body, "name") : place;
    row->reason = record_concept(cx, stay, "reasonCode");
    row->consultant = attending(cx, store, stay);
    row->days = stay_days(cx, stay);
    list->rows_count++;
    return ERR_OK;
}

static int by_bed(const void *a, const void *b)
{
    const struct ward_row *x = a, *y = b;
    if (x->bed.n != y->bed.n) /* Bed 9 before Bed 10 */
        return x->bed.n < y->bed.n ? -1 : 1;
    return str_cmp(x->bed, y->bed);
}

static void mark_alike(struct ward_list *list)
{
    for (size_t i = 0; i < list->rows_count; i++)
        for (size_t k = i + 1; k < list->rows_count; k++)
            if (match_alike(&list->rows[i].match, &list->rows[k].match)) {
                list->rows[i].alike = list->rows[k].alike = true;
                list->rows[i].banner.similar_name = list->rows[k].banner.similar_name = true;
            }
}

err ward_read(struct ctx *cx, struct store *store, str ward, struct ward_list *out)
{
    struct record_item item;
    struct places places;
    struct record_set stays;
    TRY(record_read(cx, store, "Location", ward, &item));
    *out = (struct ward_list){ .id = item.id, .name = record_text(cx, item.body, "name") };
    TRY(find_places(cx, store, ward, &places));
    TRY(record_find(cx, store, "Encounter",
                    arena_printf(cx->arena, "location=%.*s&status=in-progress,onleave",
                                 STR_ARG(buf_str(&places.ids))), 4 * WARD_MAX, &stays));
    out->rows = arena_array(cx->arena, stays.count + 1, sizeof *out->rows);
    out->more = stays.more;
    for (size_t i = 0; i < stays.count; i++) {
        str place = held_place(cx, stays.items[i].body, &places);
        if (out->rows_count == WARD_MAX)
            out->more = true;
        else if (place.n)
            TRY(add_row(cx, store, stays.items[i].body, place, out));
    }
    qsort(out->rows, out->rows_count, sizeof *out->rows, by_bed);
    mark_alike(out);
    cx->issues.count = cx->issues.kept = 0;
    return ERR_OK;
}
