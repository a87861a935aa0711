/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/synth.h"
#include "clinical/london.h"
#include "synth/clinic.h"
#include "synth/stay.h"
#include <assert.h>
#include <math.h>

/*
 * The hospital is worked through a cell at a time: about 300 people and twelve beds, one on each
 * kind of ward. Within a cell time runs forward from one freed bed to the next; the bed is given to
 * somebody waiting on the acute unit or in critical care, or to somebody new. So no bed ever has
 * two stays, nobody has two beds, and memory does not grow with the hospital.
 */
enum { STEADY_DAYS = 21 }; /* run in before the history begins, so that it begins with full wards */

struct bed {
    int64_t fill_ms; /* when the next patient comes */
    int stay;        /* index into stays; -1: never used */
};
struct cell {
    struct world *w;
    int64_t number;
    struct person *people;
    size_t people_count;
    struct bed beds[WORLD_SLOTS];
    struct stay stays[WORLD_SLOTS * 2]; /* those that still hold a bed, or are being written */
};

static enum world_kind kind_of(int slot)
{
    return world_slots[slot].kind;
}

/* A logarithmic normal with this mean and a long tail: a few stay for weeks. */
static double stay_days(struct world *w, double mean)
{
    const double spread = 0.95;
    return mean * exp(world_normal(w) * spread - spread * spread / 2);
}

static int64_t gap_ms(struct cell *cell, double days)
{
    double scale = (double)WORLD_CELL_PEOPLE / (double)cell->people_count;
    double hours = 1 + world_wait(cell->w, fmax(2, days * 24 * 0.085) * fmax(1, scale));
    return (int64_t)(hours * (double)WORLD_HOUR_MS);
}

/* People go home between late morning and evening; the dead and the transferred at any hour. */
static int64_t discharge_ms(struct world *w, int64_t admitted_ms, double days, bool dies)
{
    int64_t at = admitted_ms + (int64_t)(days * (double)WORLD_DAY_MS);
    if (!dies)
        at = london_at(london_day(at), 10 + (world_pick(w, 10) + world_pick(w, 8)) / 2,
                       world_pick(w, 60));
    int64_t least = admitted_ms + 5 * WORLD_HOUR_MS;
    return at < least ? least + world_pick(w, 4) * WORLD_HOUR_MS : at;
}

static bool suits(const struct person *p, enum world_kind kind, char sex, int64_t at_ms)
{
    if (p->died_ms || p->busy_until_ms > at_ms || p->born_ms > at_ms - WORLD_DAY_MS)
        return false;
    if (sex != 'X' && p->female != (sex == 'F'))
        return false;
    return kind == WORLD_CHILDREN ? p->age < 16
           : kind == WORLD_ELDERLY ? p->age >= 70 : p->age >= 16;
}

/* Somebody for this bed, the frail rather than the well; NULL: nobody suits. */
static struct person *choose(struct cell *cell, enum world_kind kind, char sex, int64_t at_ms)
{
    struct world *w = cell->w;
    struct person *found = NULL;
    for (int tries = 0; tries < 60; tries++) {
        struct person *p = &cell->people[world_pick(w, cell->people_count)];
        if (!suits(p, kind, sex, at_ms))
            continue;
        found = p;
        if (kind == WORLD_CHILDREN || world_chance(w, p->frailty * p->frailty + 0.02))
            break;
    }
    return found;
}

static double death_share(const struct person *p, enum world_kind kind)
{
    double share = p->age > 85 ? 0.07 : p->age > 75 ? 0.045 : p->age > 60 ? 0.02 : 0.003;
    return kind == WORLD_CRITICAL ? fmin(0.3, share * 4) : kind == WORLD_CHILDREN ? 0.0005 : share;
}

static enum stay_how how_admitted(struct world *w, enum world_kind kind)
{
    if (world_chance(w, world_ward_kinds[kind].elective_share))
        return STAY_ELECTIVE;
    return world_chance(w, 0.82) ? STAY_EMERGENCY : STAY_BY_GP;
}

static int free_stay(const struct cell *cell)
{
    for (int i = 0; i < (int)COUNT(cell->stays); i++)
        if (!cell->stays[i].person)
            return i;
    assert(false && "more stays than beds");
    return 0;
}

static void admit(struct cell *cell, int slot, int64_t at_ms)
{
    struct world *w = cell->w;
    enum world_kind kind = kind_of(slot);
    struct person *p = choose(cell, kind, world_bed_sex(slot, cell->number), at_ms);
    struct bed *bed = &cell->beds[slot];
    if (!p) {
        bed->fill_ms = at_ms + WORLD_DAY_MS;
        return;
    }
    double days = kind == WORLD_AMU && world_chance(w, 0.4)
                      ? 0.4 + world_unit(w) * 1.2 : stay_days(w, world_ward_kinds[kind].stay_days);
    int index = free_stay(cell);
    struct stay *stay = &cell->stays[index];
    *stay = (struct stay){ .person = p, .admitted_ms = at_ms, .cell = cell->number,
                           .how = how_admitted(w, kind),
                           .dies = days > 0.5 && world_chance(w, death_share(p, kind)) };
    if (stay->how == STAY_ELECTIVE) {
        /* the bed is kept until the morning the patient was asked to come */
        int64_t morning = london_at(london_day(at_ms), 7, 30 + world_pick(w, 90));
        stay->admitted_ms = morning > at_ms ? morning : at_ms;
    }
    if (stay->how == STAY_EMERGENCY)
        stay->arrived_ms =
            at_ms - (int64_t)((2 + world_wait(w, 4)) * (double)WORLD_HOUR_MS);
    stay_reason(w, kind, stay);
    stay->left_ms = discharge_ms(w, stay->admitted_ms, days, stay->dies);
    stay->moves[stay->moves_count++] = (struct stay_move){ slot, stay->admitted_ms };
    if (stay->dies && stay->left_ms <= w->end_ms)
        p->died_ms = stay->left_ms;
    p->busy_until_ms = stay->left_ms + 2 * WORLD_DAY_MS;
    bed->stay = index;
    bed->fill_ms = stay->left_ms + gap_ms(cell, days);
}

/* Acute and critical-care patients with a day or more to go move to the ward bed that came free. */
static bool pull(struct cell *cell, int slot, int64_t at_ms)
{
    static const int sources[] = { 0, 1, 10 };
    enum world_kind kind = kind_of(slot);
    char sex = world_bed_sex(slot, cell->number);
    if (kind == WORLD_AMU || kind == WORLD_CRITICAL || kind == WORLD_CHILDREN ||
        !world_chance(cell->w, 0.85))
        return false;
    for (size_t i = 0; i < COUNT(sources); i++) {
        struct bed *from = &cell->beds[sources[i]];
        struct stay *stay = from->stay >= 0 ? &cell->stays[from->stay] : NULL;
        bool surgical = kind == WORLD_SURGERY || kind == WORLD_ORTHOPAEDIC;
        if (!stay || stay->moves_count == STAY_MOVES_MAX || stay->left_ms < at_ms + WORLD_DAY_MS ||
            at_ms < stay->moves[stay->moves_count - 1].from_ms + 8 * WORLD_HOUR_MS ||
            (surgical && sources[i] != 10) ||
            (sex != 'X' && stay->person->female != (sex == 'F')) ||
            (kind == WORLD_ELDERLY && stay->person->age < 75))
            continue;
        stay->moves[stay->moves_count++] = (struct stay_move){ slot, at_ms };
        cell->beds[slot].stay = from->stay;
        double days = (double)(stay->left_ms - at_ms) / (double)WORLD_DAY_MS;
        cell->beds[slot].fill_ms = stay->left_ms + gap_ms(cell, days);
        from->stay = -1;
        from->fill_ms = at_ms + gap_ms(cell, 0.5);
        return true;
    }
    return false;
}

/* Writes the stay that has left this bed, and forgets it. */
static void finish(struct cell *cell, struct bed *bed)
{
    if (bed->stay < 0)
        return;
    struct stay *stay = &cell->stays[bed->stay];
    if (stay->left_ms >= cell->w->start_ms && stay->admitted_ms < cell->w->end_ms)
        stay_write(cell->w, stay);
    stay->person = NULL;
    bed->stay = -1;
}

static int next_slot(const struct cell *cell)
{
    int next = 0;
    for (int slot = 1; slot < WORLD_SLOTS; slot++)
        if (cell->beds[slot].fill_ms < cell->beds[next].fill_ms)
            next = slot;
    return next;
}

static void live_through(struct cell *cell)
{
    struct world *w = cell->w;
    int64_t from_ms = w->start_ms - STEADY_DAYS * WORLD_DAY_MS;
    for (int slot = 0; slot < WORLD_SLOTS; slot++)
        cell->beds[slot] = (struct bed){
            .stay = -1, .fill_ms = from_ms + (int64_t)(world_unit(w) * 3 * (double)WORLD_DAY_MS)
        };
    for (;;) {
        int slot = next_slot(cell);
        int64_t at_ms = cell->beds[slot].fill_ms;
        if (at_ms >= w->end_ms)
            break;
        finish(cell, &cell->beds[slot]);
        if (!pull(cell, slot, at_ms))
            admit(cell, slot, at_ms);
    }
}

static char bed_status(struct cell *cell, int slot)
{
    struct world *w = cell->w;
    const struct bed *bed = &cell->beds[slot];
    const struct stay *stay = bed->stay >= 0 ? &cell->stays[bed->stay] : NULL;
    if (stay && stay->left_ms > w->end_ms && stay->admitted_ms < w->end_ms)
        return 'O';
    bool just_left = stay && stay->left_ms > w->end_ms - 3 * WORLD_HOUR_MS &&
                     stay->left_ms <= w->end_ms;
    if (just_left)
        return world_chance(w, 0.5) ? 'K' : 'H';
    return world_chance(w, 0.1) ? 'C' : world_chance(w, 0.1) ? 'K' : 'U';
}

static void run_cell(struct world *w, int64_t number)
{
    struct person people[WORLD_CELL_PEOPLE * 2];
    struct cell cell = { .w = w, .number = number, .people = people };
    int64_t first = w->options.patients * number / w->cells;
    int64_t after = w->options.patients * (number + 1) / w->cells;
    cell.people_count = (size_t)(after - first);
    w->random = random_seeded(w->options.seed * 0x9e3779b97f4a7c15u + (uint64_t)number + 1);
    for (size_t i = 0; i < cell.people_count; i++)
        person_make(w, first + (int64_t)i, &people[i]);
    live_through(&cell);
    for (int slot = 0; slot < WORLD_SLOTS; slot++) {
        world_write_bed(w, slot, number, bed_status(&cell, slot));
        finish(&cell, &cell.beds[slot]);
    }
    for (size_t i = 0; i < cell.people_count; i++) {
        clinic_write_year(w, &people[i], number);
        person_write(w, &people[i]);
    }
}

err synth_run(struct ctx *cx, const struct synth_options *options, struct synth_result *result)
{
    struct world w = { .options = *options, .end_ms = options->end_ms };
    w.start_ms = w.end_ms - (int64_t)options->days * WORLD_DAY_MS;
    w.detail_ms = w.end_ms - (int64_t)options->detail_days * WORLD_DAY_MS;
    w.cells = (options->patients + WORLD_CELL_PEOPLE / 2) / WORLD_CELL_PEOPLE;
    w.cells = w.cells < 1 ? 1 : w.cells;
    w.practices = 3 + options->patients / 1500;
    w.random = random_seeded(options->seed);
    err opened = out_open(cx, &w.out, options->folder);
    if (opened == ERR_OK) {
        world_write_places(&w);
        for (int64_t cell = 0; cell < w.cells; cell++)
            run_cell(&w, cell);
    }
    err closed = out_close(cx, &w.out);
    TRY(opened);
    TRY(closed);
    *result = (struct synth_result){ w.out.resources, w.out.bytes };
    return ERR_OK;
}
