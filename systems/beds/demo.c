/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/demo.h"
#include "clinical/london.h"
#include "fhir/validate.h"
#include "store/commit.h"
#include "synth/vital.h"
#include "systems/beds/edit.h"
#include "ui/page.h"
#include <math.h>

enum { OPS_MAX = 12, TRIES = 12, CLEANS_MAX = 3, SETS_MAX = 3, RESERVED_MIN = 90,
       OBSERVATION_BYTES = 64 << 10 };
#define FULL 0.93               /* the share of beds it is kept near */
#define ARRIVALS_A_BED 0.011    /* an hour: a mean stay of about four days */

/* One event: what is seen of the hospital, and what will be written. */
struct event {
    struct play_hand *hand;
    struct ctx *cx;
    const struct beds_picture *picture;
    int32_t *beds;
    size_t beds_count, occupied, open;
    struct commit_op ops[OPS_MAX];
    size_t ops_count;
};

static err look(struct play_hand *hand, struct event *out)
{
    struct ctx *cx = hand->cx;
    *out = (struct event){ .hand = hand, .cx = cx };
    TRY(beds_picture_open(cx, hand->store, &out->picture));
    out->beds = arena_array(cx->arena, out->picture->spots_count + 1, sizeof *out->beds);
    for (size_t i = 0; i < out->picture->spots_count; i++) {
        if (strcmp(out->picture->spots[i].kind, "bd") != 0)
            continue;
        enum beds_state state = beds_state_at(out->picture, (int32_t)i, cx->now_ms);
        out->beds[out->beds_count++] = (int32_t)i;
        out->occupied += state == BEDS_OCCUPIED;
        out->open += state != BEDS_CLOSED;
    }
    return ERR_OK;
}

static enum beds_state state_of(const struct event *event, int32_t bed)
{
    return beds_state_at(event->picture, bed, event->cx->now_ms);
}

static const struct beds_stay *stay_in(const struct event *event, int32_t bed)
{
    int32_t stay = event->picture->spots[bed].stay;
    return stay == BEDS_NONE ? NULL : &event->picture->stays[stay];
}

static void change(struct event *event, const char *type, const char *id, struct beds_edit edit)
{
    edit.bed = arena_copy(event->cx->arena, edit.bed);
    edit.text = arena_copy(event->cx->arena, edit.text);
    event->ops[event->ops_count++] =
        beds_edit_op(event->cx, type, arena_copy(event->cx->arena, str_of(id)), &edit);
}

static err write(struct event *event, const char *why)
{
    struct commit commit = { .ops = event->ops, .ops_count = event->ops_count, .cx = event->cx,
                             .who = S("demonstration"),
                             .why = arena_printf(event->cx->arena, "demonstration: %s", why) };
    if (event->ops_count == 0)
        return ERR_OK;
    store_reader_end(event->cx);
    return commit_run(event->cx, event->hand->store, &commit);
}

/* One bed of those in a state, by chance; BEDS_NONE: none. */
static int32_t pick_in(struct event *event, enum beds_state state)
{
    int32_t *found = arena_array(event->cx->arena, event->beds_count + 1, sizeof *found);
    size_t count = 0;
    for (size_t i = 0; i < event->beds_count; i++)
        if (state_of(event, event->beds[i]) == state)
            found[count++] = event->beds[i];
    return count ? found[play_pick(event->hand, count)] : BEDS_NONE;
}

/* Which clean a bed needs and by when stays with it until it is done, as when people move. */
static void set_dirty(struct event *event, const struct beds_spot *bed, char v2,
                      const struct beds_clean_kind *kind, int64_t by_ms)
{
    struct ctx *cx = event->cx;
    change(event, "Location", bed->id, (struct beds_edit){ .write = beds_edit_spot, .v2 = v2,
        .text = arena_printf(cx->arena, "%s by %.*s", kind->name, STR_ARG(ui_clock(cx, by_ms))),
        .more = arena_printf(cx->arena, "{\"url\":\"" BEDS_URL "bed-clean\",\"valueCode\":\"%s\"},"
                             "{\"url\":\"" BEDS_URL "bed-due\",\"valueDateTime\":\"%.*s\"}",
                             kind->code, STR_ARG(beds_when(cx, by_ms))) });
}

static void soil(struct event *event, const struct beds_stay *stay)
{
    const struct beds_clean_kind *kind = &beds_cleans[beds_clean_after(stay->isolation, false)];
    set_dirty(event, &event->picture->spots[stay->bed], 'K', kind,
              event->cx->now_ms + (int64_t)kind->minutes * 60000);
}

static const struct beds_clean_kind *clean_of(const struct beds_spot *bed)
{
    for (size_t i = 0; i < BEDS_CLEANS; i++)
        if (strcmp(bed->clean, beds_cleans[i].code) == 0)
            return &beds_cleans[i];
    return &beds_cleans[BEDS_CLEAN_STANDARD];
}

/* ---- cleaning ---- */

static err clean_beds(struct play_hand *hand)
{
    struct event event;
    TRY(look(hand, &event));
    for (size_t i = 0; i < event.beds_count && event.ops_count < CLEANS_MAX; i++) {
        enum beds_state state = state_of(&event, event.beds[i]);
        bool dirty = state == BEDS_DIRTY && play_happens(hand, 3);
        bool clean = state == BEDS_CLEANING && play_happens(hand, 2);
        const struct beds_spot *bed = &event.picture->spots[event.beds[i]];
        if (dirty)
            set_dirty(&event, bed, 'H', clean_of(bed), bed->due_ms ? bed->due_ms
                                                                   : hand->cx->now_ms + 3600000);
        else if (clean)
            change(&event, "Location", bed->id,
                   (struct beds_edit){ .write = beds_edit_spot, .v2 = 'U', .text = S("") });
    }
    return write(&event, "cleaning");
}

/* Now and then a free bed is closed for want of staff, or a closed one opened. */
static err close_beds(struct play_hand *hand)
{
    struct event event;
    TRY(look(hand, &event));
    bool close = play_happens(hand, 0.02 * (double)event.open / 24);
    bool open = play_happens(hand, 0.15 * (double)(event.beds_count - event.open));
    int32_t bed = close ? pick_in(&event, BEDS_AVAILABLE) : open ? pick_in(&event, BEDS_CLOSED)
                                                                 : BEDS_NONE;
    if (bed == BEDS_NONE)
        return ERR_OK;
    change(&event, "Location", event.picture->spots[bed].id,
           (struct beds_edit){ .write = beds_edit_spot, .v2 = close ? 'C' : 'K',
                               .text = close ? S("staffing") : S("clean before use") });
    return write(&event, close ? "close a bed" : "open a bed");
}

/* ---- leaving ---- */

/* Of a few by chance, the one who should leave first. */
static const struct beds_stay *who_leaves(struct event *event)
{
    const struct beds_stay *found = NULL;
    for (int i = 0; i < TRIES; i++) {
        int32_t bed = pick_in(event, BEDS_OCCUPIED);
        const struct beds_stay *stay = bed == BEDS_NONE ? NULL : stay_in(event, bed);
        if (!stay || stay->on_leave)
            continue;
        int64_t day = stay->edd_day == BEDS_NO_DAY ? INT64_MAX : stay->edd_day;
        int64_t best = !found ? INT64_MAX : found->edd_day == BEDS_NO_DAY ? INT64_MAX
                                                                          : found->edd_day;
        if (!found || day < best)
            found = stay;
    }
    return found;
}

static err leave(struct play_hand *hand)
{
    struct event event;
    TRY(look(hand, &event));
    double full = event.open ? (double)event.occupied / (double)event.open : 0;
    double rate = ARRIVALS_A_BED * (double)event.beds_count * play_discharges(hand->cx->now_ms) *
                  pow(full / FULL, 6);
    const struct beds_stay *stay = play_happens(hand, rate) ? who_leaves(&event) : NULL;
    if (!stay)
        return ERR_OK;
    change(&event, "Encounter", stay->id,
           (struct beds_edit){ .write = beds_edit_finish, .text = S("finished") });
    soil(&event, stay);
    return write(&event, "discharge");
}

/* ---- coming ---- */

static struct beds_request wanted(const struct event *event, const struct beds_stay *who)
{
    return (struct beds_request){
        .sex = who->sex == 'f' ? BEDS_FEMALE : who->sex == 'm' ? BEDS_MALE : BEDS_SEX_ANY,
        .age_years = ui_age_years(str_of(who->born), event->cx->now_ms),
        .isolation = who->isolation ? BEDS_ISOLATION_NEEDED : BEDS_ISOLATION_NONE,
        .specialty = str_of(who->specialty) };
}

/* The best bed that nothing forbids, other than the one held; BEDS_NONE: none. */
static int32_t best_bed(const struct event *event, const struct beds_request *request,
                        int32_t held, int *score)
{
    int32_t best = BEDS_NONE;
    for (size_t i = 0; i < event->beds_count; i++) {
        struct beds_bed bed = beds_bed_at(event->picture, event->beds[i]);
        bed.state = state_of(event, event->beds[i]);
        struct beds_suggestion judged = beds_judge(request, &bed);
        if (bed.state == BEDS_AVAILABLE && judged.hard_count == 0 && event->beds[i] != held &&
            (best == BEDS_NONE || judged.score > *score)) {
            best = event->beds[i];
            *score = judged.score;
        }
    }
    return best;
}

/* Somebody alive who is not in; false: nobody found this time. The ids are those of synth. */
static bool find_somebody(struct event *event, struct beds_stay *out)
{
    static const char *const specialties[] = { "300", "300", "430", "100", "110", "340", "326" };
    struct ctx *cx = event->cx;
    for (int i = 0; i < TRIES; i++) {
        char id[16];
        struct beds_picture *mine;
        *out = (struct beds_stay){ .bed = BEDS_NONE };
        snprintf(id, sizeof id, "p%06d",
                 (int)play_pick(event->hand, 20 * event->beds_count + 50));
        if (beds_picture_begin(cx, event->hand->store, &mine) != ERR_OK ||
            beds_picture_add_patient(cx, mine, str_of(id)) != ERR_OK || mine->stays_count > 0 ||
            beds_read_person(cx, str_of(id), out) != ERR_OK || !out->name[0])
            continue;
        snprintf(out->patient, sizeof out->patient, "%s", id);
        snprintf(out->specialty, sizeof out->specialty, "%s",
                 specialties[play_pick(event->hand, COUNT(specialties))]);
        return true;
    }
    return false;
}

static err new_stay(struct event *event, const struct beds_stay *who, int32_t bed)
{
    struct ctx *cx = event->cx;
    struct commit_op *op = &event->ops[event->ops_count++];
    int64_t days = 1 + (int64_t)play_pick(event->hand, 9);
    char day[LONDON_TEXT];
    london_write(london_midnight(london_day(cx->now_ms) + days), day);
    op->verb = COMMIT_CREATE;
    op->resource = fhir_resource_find(S("Encounter"));
    return beds_new_stay(cx, &(struct beds_new_stay){
        .bed = str_of(event->picture->spots[bed].id), .patient = str_of(who->patient),
        .specialty = str_of(who->specialty), .reserved = true,
        .until_ms = cx->now_ms + (int64_t)RESERVED_MIN * 60000,
        .extension = arena_printf(cx->arena, "{\"url\":\"" BEDS_URL "estimated-discharge-date\","
                                  "\"valueDate\":\"%.10s\"}", day) }, &op->body);
}

static err arrive(struct play_hand *hand)
{
    struct event event;
    struct beds_stay who;
    int score = 0;
    TRY(look(hand, &event));
    if (!play_happens(hand, ARRIVALS_A_BED * (double)event.beds_count *
                                play_arrivals(hand->cx->now_ms)) || !find_somebody(&event, &who))
        return ERR_OK;
    struct beds_request request = wanted(&event, &who);
    int32_t bed = best_bed(&event, &request, BEDS_NONE, &score);
    if (bed == BEDS_NONE)
        return ERR_OK;
    TRY(new_stay(&event, &who, bed));
    return write(&event, "reserve");
}

static err come_in(struct play_hand *hand)
{
    struct event event;
    TRY(look(hand, &event));
    int32_t bed = pick_in(&event, BEDS_RESERVED);
    const struct beds_stay *stay = bed == BEDS_NONE ? NULL : stay_in(&event, bed);
    if (!stay || !play_happens(hand, 1.5))
        return ERR_OK;
    change(&event, "Encounter", stay->id,
           (struct beds_edit){ .write = beds_edit_enter,
                               .bed = str_of(event.picture->spots[bed].id) });
    return write(&event, "admit");
}

/* Those who would lie better elsewhere are moved there. */
static err move(struct play_hand *hand)
{
    struct event event;
    int better = 0, score = 0;
    TRY(look(hand, &event));
    if (!play_happens(hand, 0.004 * (double)event.beds_count))
        return ERR_OK;
    int32_t bed = pick_in(&event, BEDS_OCCUPIED);
    const struct beds_stay *stay = bed == BEDS_NONE ? NULL : stay_in(&event, bed);
    if (!stay || stay->on_leave)
        return ERR_OK;
    struct beds_request request = wanted(&event, stay);
    struct beds_bed now = beds_bed_at(event.picture, bed);
    now.state = BEDS_AVAILABLE;
    score = beds_judge(&request, &now).score;
    int32_t to = best_bed(&event, &request, bed, &better);
    if (to == BEDS_NONE || better <= score)
        return ERR_OK;
    soil(&event, stay);
    change(&event, "Encounter", stay->id,
           (struct beds_edit){ .write = beds_edit_move,
                               .bed = str_of(event.picture->spots[to].id) });
    return write(&event, "transfer");
}

/* ---- rounds ---- */

/* Three days before the date to leave the criteria begin to be no longer met. */
static void write_round(struct event *event, const struct beds_stay *stay,
                        struct beds_extra extras[3], struct beds_edit *edit)
{
    struct ctx *cx = event->cx;
    int64_t left = stay->edd_day == BEDS_NO_DAY ? 4 : stay->edd_day - london_day(cx->now_ms);
    bool meets = stay->news2 > 4 || play_pick(event->hand, 4) < (size_t)(left < 0 ? 0 : left);
    const char *criterion = beds_criteria[play_pick(event->hand, 4)].code;
    char now[LONDON_TEXT];
    london_write(cx->now_ms, now);
    str met = meets ? arena_printf(cx->arena, ",{\"url\":\"criterion\",\"valueCode\":\"%s\"}",
                                   criterion) : S("");
    extras[0] = (struct beds_extra){ "reside-round", arena_printf(cx->arena,
        "\"extension\":[{\"url\":\"day\",\"valueDate\":\"%.10s\"},{\"url\":\"answer\","
        "\"valueCode\":\"%s\"}%.*s]", now, meets ? "meets" : "not", STR_ARG(met)), true };
    int pathway = play_pick(event->hand, 10) < 6 ? 0 : play_pick(event->hand, 10) < 8 ? 1 : 2;
    extras[1] = (struct beds_extra){ "discharge-pathway", arena_printf(cx->arena,
        "\"valueCode\":\"P%d\"", stay->pathway >= 0 ? stay->pathway : pathway), false };
    extras[2] = (struct beds_extra){ "discharge-delay", meets ? S("") : arena_printf(cx->arena,
        "\"valueCode\":\"%s\"", beds_delays[play_pick(event->hand, beds_delays_count)].code),
        false };
    *edit = (struct beds_edit){ .write = beds_edit_extras, .extras = extras, .extras_count = 3 };
}

/* Rounds are in the morning; whoever has not been assessed is seen at any hour. */
static err ward_round(struct play_hand *hand)
{
    struct event event;
    struct beds_extra extras[3];
    struct beds_edit edit;
    TRY(look(hand, &event));
    int hour = london_civil(hand->cx->now_ms).hour;
    double rate = hour >= 8 && hour < 12 ? 0.25 : 0.01;
    int32_t bed = pick_in(&event, BEDS_OCCUPIED);
    const struct beds_stay *stay = bed == BEDS_NONE ? NULL : stay_in(&event, bed);
    if (!stay || !play_happens(hand, (double)event.occupied *
                                         (stay->reside == BEDS_RESIDE_UNKNOWN ? 0.25 : rate)))
        return ERR_OK;
    write_round(&event, stay, extras, &edit);
    change(&event, "Encounter", stay->id, edit);
    return write(&event, "round");
}

/* ---- observations ---- */

static double hours_between_sets(int news2)
{
    return news2 < 0 ? 4 : news2 >= 7 ? 0.75 : news2 >= 5 ? 1.2 : news2 >= 1 ? 4.5 : 8;
}

/* Whoever wrote on a ward last year does so now: synth's ids of staff follow from the ward's. */
static struct world_id nurse_of(const struct event *event, int32_t bed)
{
    int32_t ward = event->picture->spots[bed].ward;
    str id = str_of(ward == BEDS_NONE ? "" : event->picture->spots[ward].id);
    for (enum world_kind kind = 0; kind < WORLD_KINDS; kind++)
        for (int64_t cell = 0; cell < 200 * WORLD_WARD_CELLS; cell += WORLD_WARD_CELLS)
            if (str_eq(id, str_of(world_ward_id(kind, cell).text)))
                return world_nurse_id(kind, cell, play_pick(event->hand, WORLD_NURSES));
    return world_nurse_id(WORLD_AMU, 0, 0);
}

/* The ids of a set are the second it was taken in, so that none is ever used twice. */
static struct person person_of(const struct event *event, const struct beds_stay *stay)
{
    struct person p = { .female = stay->sex == 'f', .frailty = 0.4,
                        .age = ui_age_years(str_of(stay->born), event->cx->now_ms),
                        .ids = (unsigned)((event->cx->now_ms / 1000 - 1700000000) * 10) };
    snprintf(p.id, sizeof p.id, "%.15s", stay->patient);
    snprintf(p.nhs, sizeof p.nhs, "%s", stay->nhs);
    return p;
}

static err add_observations(struct event *event, str lines)
{
    str line;
    while (str_next(&lines, '\n', &line)) {
        if (line.n == 0)
            continue;
        struct commit_op *op = &event->ops[event->ops_count++];
        *op = (struct commit_op){ .verb = COMMIT_UPDATE,
                                  .resource = fhir_resource_find(S("Observation")) };
        TRY(json_parse(event->cx, line, &op->body));
        TRY(validate_resource(event->cx, op->body));
        op->id = json_string(event->cx->arena, json_get(op->body, S("id")));
    }
    return ERR_OK;
}

static err take_set(struct event *event, int32_t bed)
{
    struct ctx *cx = event->cx;
    const struct beds_stay *stay = stay_in(event, bed);
    struct person p = person_of(event, stay);
    struct world_id nurse = nurse_of(event, bed);
    struct world w = { .random = random_seeded(random_next(event->hand->random)) };
    struct vital v = { .severity = fmin(0.9, 0.05 + 0.06 * fmax(0, stay->news2)) };
    struct news2_score score;
    char *text = arena_alloc(cx->arena, OBSERVATION_BYTES);
    w.out.text = arena_alloc(cx->arena, OUT_RESOURCE_BYTES);
    w.out.files[OUT_OBSERVATION] = fmemopen(text, OBSERVATION_BYTES, "w");
    if (!w.out.files[OUT_OBSERVATION])
        return ctx_fail(cx, ERR_IO, S(""), S("no memory for a set of observations"));
    vital_begin(&w, &v, cx->now_ms - 4 * WORLD_HOUR_MS);
    v.target = v.severity * 0.8;
    vital_step(&w, &p, &v, cx->now_ms);
    struct vital_set set = vital_read(&w, &p, &v);
    (void)vital_write(&w, &p, &set, &(struct vital_taken){ cx->now_ms, stay->id, nurse.text },
                      &score);
    fflush(w.out.files[OUT_OBSERVATION]);
    long bytes = ftell(w.out.files[OUT_OBSERVATION]);
    fclose(w.out.files[OUT_OBSERVATION]);
    TRY(add_observations(event, (str){ text, bytes > 0 ? (size_t)bytes : 0 }));
    return write(event, "observations");
}

static err observe(struct play_hand *hand)
{
    for (int i = 0; i < SETS_MAX; i++) {
        struct event event;
        TRY(look(hand, &event));
        int32_t bed = pick_in(&event, BEDS_OCCUPIED);
        const struct beds_stay *stay = bed == BEDS_NONE ? NULL : stay_in(&event, bed);
        if (!stay || stay->on_leave || stay->patient[0] != 'p')
            continue;
        double hours = (double)(hand->cx->now_ms - stay->news2_ms) / 3600000 * hand->speed;
        /* One of many is looked at: each is asked as often as its set is due. */
        if (hours < hours_between_sets(stay->news2) ||
            !play_happens(hand, 2.0 * (double)event.occupied / SETS_MAX))
            continue;
        TRY(take_set(&event, bed));
        TRY(store_reader(hand->cx, hand->store));
    }
    return ERR_OK;
}

/* clang-format off: one row an act. */
static const struct play_act acts[] = {
    { "cleaning", clean_beds }, { "closing", close_beds }, { "leaving", leave },
    { "arriving", arrive }, { "coming in", come_in }, { "moving", move },
    { "rounds", ward_round }, { "observations", observe },
};
/* clang-format on */
const struct play_act *const beds_demo[] = { &acts[0], &acts[1], &acts[2], &acts[3], &acts[4],
                                             &acts[5], &acts[6], &acts[7], NULL };
