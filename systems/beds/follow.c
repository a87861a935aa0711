/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/follow.h"
#include "base/clock.h"
#include "beds_board.html.h"
#include "systems/beds/listing.h"
#include "systems/beds/picture_read.h"

enum { EXPECT_MS = 60000, EVENT_BYTES = 200 << 10, SHOWN_BYTES = 64 << 20 };

/* What the open boards show of each bed, as one number: what differs from it is drawn. */
struct shown {
    struct arena arena;
    struct map beds;   /* Location id to hash */
    bool known;        /* false: nobody looked, so nothing is known of what they show */
};
static struct {
    struct live *live;
    struct shown shown;          /* the feed's thread alone */
    int64_t drawn_ms;            /* monotonic, when a board was last drawn; any thread */
} follow;

/* One round of telling. */
struct round {
    struct ctx *cx;
    struct store *store;
    const struct beds_picture *picture; /* places and stays */
    bool *beds, *wards;                 /* by spot: what a board shows of it changed */
    bool other_beds;                    /* a bed came or went */
};

/* ---- what changed ---- */

static uint64_t mix(uint64_t hash, const void *bytes, size_t count)
{
    return (hash ^ str_hash((str){ bytes, count })) * UINT64_C(0x9e3779b97f4a7c15);
}

/* Every byte of what the views say of a bed and the stay in it, so that a field added to a row is
 * not forgotten here. Indexes are of this picture alone and say nothing. */
static uint64_t hash_of(const struct round *round, int32_t spot)
{
    const struct beds_picture *picture = round->picture;
    struct beds_spot bed = picture->spots[spot];
    enum beds_state state = beds_state_at(picture, spot, round->cx->now_ms);
    uint64_t hash = (uint64_t)state;
    if (bed.stay != BEDS_NONE) {
        struct beds_stay stay = picture->stays[bed.stay];
        stay.bed = 0;
        hash = mix(hash, &stay, sizeof stay);
    }
    bed.parent = bed.ward = bed.site = bed.stay = 0;
    return mix(hash, &bed, sizeof bed);
}

static void mark(struct round *round, int32_t spot)
{
    int32_t ward = round->picture->spots[spot].ward;
    round->beds[spot] = true;
    if (ward != BEDS_NONE)
        round->wards[ward] = true;
}

static void compare(struct round *round)
{
    struct shown *shown = &follow.shown;
    size_t beds = 0;
    for (size_t i = 0; i < round->picture->spots_count; i++) {
        const struct beds_spot *spot = &round->picture->spots[i];
        uint64_t hash, before;
        if (strcmp(spot->kind, "bd") != 0)
            continue;
        beds++;
        hash = hash_of(round, (int32_t)i);
        bool found = map_get(&shown->beds, str_of(spot->id), &before);
        round->other_beds |= !found;
        if (!shown->known || !found || before != hash)
            mark(round, (int32_t)i);
        map_set(&shown->beds, found ? str_of(spot->id)
                                    : arena_copy(&shown->arena, str_of(spot->id)), hash);
    }
    round->other_beds |= beds != shown->beds.count;
}

static void forget(void)
{
    arena_free(&follow.shown.arena);
    follow.shown.arena = arena_make(SHOWN_BYTES);
    follow.shown.beds = map_make(&follow.shown.arena);
    follow.shown.known = false;
}

/* What a board shows of a person is not in the places and stays: their resources say who it is. */
static void mark_patient(struct round *round, str patient)
{
    for (size_t i = 0; patient.n && i < round->picture->stays_count; i++)
        if (str_eq(str_of(round->picture->stays[i].patient), patient))
            mark(round, round->picture->stays[i].bed);
}

static str patient_of(struct ctx *cx, const struct store_version *version)
{
    struct json body;
    str type = fhir_resource_name(version->resource);
    if (str_eq(type, S("Patient")))
        return version->id;
    bool flag = str_eq(type, S("Flag"));
    if ((!flag && !str_eq(type, S("Observation"))) || version->body.n == 0 ||
        (!flag && str_find(version->body, S(BEDS_NEWS2_CODE)) == STR_NONE) ||
        json_parse(cx, version->body, &body) != ERR_OK)
        return (str){ 0 };
    return beds_read_reference(cx, json_get(body, S("subject")), "Patient");
}

/* ---- telling ---- */

static void send(str channel, int64_t seq, const struct buf *html)
{
    if (html->full)
        live_publish_reload(follow.live, channel, seq);
    else
        live_publish(follow.live, channel, seq, buf_str(html));
}

/* A ward is looked at on its board and on walls; each bed is read once for both. */
static const struct {
    const char *suffix;
    void (*draw)(struct buf *out, const struct beds_row *row);
} boards[] = { { "", beds_board_row }, { "/wall", beds_wall_card } };

static str channel_of(struct ctx *cx, const struct beds_spot *ward, size_t board)
{
    return arena_printf(cx->arena, "beds/%s%s", ward->id, boards[board].suffix);
}

static void send_beds(struct round *round, const struct beds_picture *people, str channel,
                      size_t board)
{
    struct buf html = buf_make(round->cx->arena, EVENT_BYTES);
    for (size_t i = 0; i < people->spots_count; i++) {
        int32_t bed = beds_find_spot(round->picture, str_of(people->spots[i].id));
        if (bed == BEDS_NONE || !round->beds[bed])
            continue;
        struct beds_row row = beds_row_of(round->cx, people, (int32_t)i);
        boards[board].draw(&html, &row);
    }
    send(channel, round->picture->seq, &html);
}

static err tell_ward(struct round *round, int32_t at)
{
    const struct beds_spot *ward = &round->picture->spots[at];
    struct beds_picture *people = NULL;
    for (size_t i = 0; i < COUNT(boards); i++) {
        str channel = channel_of(round->cx, ward, i);
        if (!live_watched(follow.live, channel)) {
            live_publish_missed(follow.live, channel, round->picture->seq);
            continue;
        }
        if (!people) {
            TRY(beds_picture_begin(round->cx, round->store, &people));
            TRY(beds_picture_add_ward(round->cx, people, str_of(ward->id)));
        }
        send_beds(round, people, channel, i);
    }
    return ERR_OK;
}

static void tell_hospital(struct round *round)
{
    struct ctx *cx = round->cx;
    const struct beds_picture *picture = round->picture;
    struct buf html = buf_make(cx->arena, EVENT_BYTES);
    if (!live_watched(follow.live, S("beds"))) {
        live_publish_missed(follow.live, S("beds"), picture->seq);
        return;
    }
    for (size_t i = 0; i < picture->spots_count; i++) {
        if (!round->wards[i])
            continue;
        struct beds_ward ward = beds_ward_of(cx, picture, (int32_t)i);
        beds_ward_row(&html, &ward);
    }
    struct beds_ward all = beds_ward_of(cx, picture, BEDS_NONE);
    beds_tiles(&html, &all);
    send(S("beds"), picture->seq, &html);
}

static void tell_all_to_reload(struct round *round)
{
    const struct beds_picture *picture = round->picture;
    for (size_t i = 0; i < picture->spots_count; i++)
        for (size_t k = 0; k < COUNT(boards) && strcmp(picture->spots[i].kind, "wa") == 0; k++)
            live_publish_reload(follow.live, channel_of(round->cx, &picture->spots[i], k),
                                picture->seq);
    live_publish_reload(follow.live, S("beds"), picture->seq);
}

static err tell(struct ctx *cx, struct store *store, const struct store_versions *versions)
{
    struct beds_picture *picture;
    bool any = false;
    TRY(beds_picture_whole(cx, store, BEDS_PLACES, &picture));
    struct round round = { .cx = cx, .store = store, .picture = picture };
    round.beds = arena_array(cx->arena, picture->spots_count + 1, sizeof *round.beds);
    round.wards = arena_array(cx->arena, picture->spots_count + 1, sizeof *round.wards);
    bool knew = follow.shown.known;
    compare(&round);
    follow.shown.known = true;
    if (knew && round.other_beds) {
        forget();
        tell_all_to_reload(&round);
        return ERR_OK;
    }
    for (size_t i = 0; versions && i < versions->count; i++)
        mark_patient(&round, patient_of(cx, &versions->list[i]));
    for (size_t i = 0; i < picture->spots_count; i++) {
        if (round.wards[i])
            TRY(tell_ward(&round, (int32_t)i));
        any |= round.wards[i];
    }
    if (any)
        tell_hospital(&round);
    return ERR_OK;
}

/* ---- when ---- */

void beds_follow_expect(void)
{
    __atomic_store_n(&follow.drawn_ms, clock_monotonic_ms(), __ATOMIC_SEQ_CST);
}

static bool somebody_looks(void)
{
    int64_t drawn_ms = __atomic_load_n(&follow.drawn_ms, __ATOMIC_SEQ_CST);
    return live_streams(follow.live) > 0 ||
           (drawn_ms && clock_monotonic_ms() - drawn_ms < EXPECT_MS);
}

static bool concerns_beds(const struct store_versions *versions)
{
    static const char *const types[] = { "Encounter", "Location", "Patient", "Flag",
                                         "Observation" };
    for (size_t i = 0; versions && i < versions->count; i++)
        for (size_t k = 0; k < COUNT(types); k++)
            if (str_eq(fhir_resource_name(versions->list[i].resource), str_of(types[k])))
                return true;
    return !versions;
}

static void changed(struct ctx *cx, struct store *store, struct live *live,
                    const struct store_versions *versions, int64_t seq)
{
    follow.live = live;
    if (!follow.shown.beds.arena)
        forget();
    bool looks = somebody_looks();
    if (looks)
        beds_lists_tell(cx, store, live, versions, seq);
    if (!looks) {
        forget();
    } else if (concerns_beds(versions) && tell(cx, store, versions) != ERR_OK) {
        forget();
        live_publish_reload(live, S("beds"), seq);
    }
}

const struct feed_view beds_feed = { changed };
