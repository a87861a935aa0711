/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/world.h"
#include <math.h>
#include <stdarg.h>

const struct world_ward_kind world_ward_kinds[WORLD_KINDS] = {
    { "amu", "Acute Medical Unit", "300", "General Internal Medicine", 4.5, 0 },
    { "med", "General Medicine", "300", "General Internal Medicine", 7, 0.02 },
    { "eld", "Elderly Care", "430", "Geriatric Medicine", 11, 0.01 },
    { "res", "Respiratory", "340", "Respiratory Medicine", 6, 0.05 },
    { "sur", "General Surgery", "100", "General Surgery", 4, 0.5 },
    { "ort", "Trauma and Orthopaedics", "110", "Trauma and Orthopaedics", 6, 0.4 },
    { "icu", "Critical Care", "192", "Intensive Care Medicine", 7, 0.15 },
    { "pae", "Children\\u0027s Ward", "420", "Paediatrics", 1.8, 0.1 },
};

const struct world_slot world_slots[WORLD_SLOTS] = {
    { WORLD_AMU, 'F', 0 },        { WORLD_AMU, 'M', 1 },
    { WORLD_MEDICINE, 'F', 0 },   { WORLD_MEDICINE, 'M', 1 },
    { WORLD_ELDERLY, 'F', 0 },    { WORLD_ELDERLY, 'M', 1 },
    { WORLD_RESPIRATORY, 'P', 0 },
    { WORLD_SURGERY, 'F', 0 },    { WORLD_SURGERY, 'M', 1 },
    { WORLD_ORTHOPAEDIC, 'P', 0 },
    { WORLD_CRITICAL, 'X', 0 },   { WORLD_CHILDREN, 'X', 0 },
};

static struct world_id id_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
static struct world_id id_of(const char *format, ...)
{
    struct world_id id;
    va_list args;
    va_start(args, format);
    vsnprintf(id.text, sizeof id.text, format, args);
    va_end(args);
    return id;
}

struct world_id world_ward_id(enum world_kind kind, int64_t cell)
{
    return id_of("ward-%s-%d", world_ward_kinds[kind].key, (int)(cell / WORLD_WARD_CELLS) + 1);
}

static int bed_number(int slot, int64_t cell)
{
    return world_slots[slot].bay * WORLD_WARD_CELLS + (int)(cell % WORLD_WARD_CELLS) + 1;
}

struct world_id world_bed_id(int slot, int64_t cell)
{
    struct world_id ward = world_ward_id(world_slots[slot].kind, cell);
    return id_of("bed-%s-%d", ward.text + 5, bed_number(slot, cell));
}

bool world_is_side_room(int64_t cell)
{
    return cell % WORLD_WARD_CELLS == WORLD_WARD_CELLS - 1;
}

char world_bed_sex(int slot, int64_t cell)
{
    char sex = world_slots[slot].sex;
    if (world_is_side_room(cell))
        return 'X';
    return sex != 'P' ? sex : cell / WORLD_WARD_CELLS % 2 ? 'M' : 'F';
}

struct world_id world_consultant_id(enum world_kind kind, int64_t cell)
{
    return id_of("cons-%s-%d", world_ward_kinds[kind].key,
                 (int)(cell / WORLD_WARD_CELLS) * 2 + 1 + (int)(cell % 2));
}

struct world_id world_nurse_id(enum world_kind kind, int64_t cell, uint64_t which)
{
    return id_of("nurse-%s-%d-%d", world_ward_kinds[kind].key, (int)(cell / WORLD_WARD_CELLS) + 1,
                 (int)(which % WORLD_NURSES) + 1);
}

struct world_id world_gp_id(int64_t practice, uint64_t which)
{
    return id_of("gp-%d-%d", (int)practice + 1, (int)(which % WORLD_GPS) + 1);
}

int world_pick(struct world *w, size_t count)
{
    return (int)random_below(&w->random, count);
}

double world_unit(struct world *w)
{
    return random_unit(&w->random);
}

bool world_chance(struct world *w, double share)
{
    return random_unit(&w->random) < share;
}

/* The sum of twelve dice less six: near enough to a normal, and the same on every machine. */
double world_normal(struct world *w)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += random_unit(&w->random);
    return sum;
}

double world_wait(struct world *w, double mean)
{
    return -mean * log(1 - random_unit(&w->random));
}

size_t world_weighted(struct world *w, const int *weights, size_t count)
{
    int total = 0, at;
    for (size_t i = 0; i < count; i++)
        total += weights[i];
    at = world_pick(w, (size_t)total);
    size_t i = 0;
    while (at >= weights[i])
        at -= weights[i++];
    return i;
}

void world_head(struct world *w, enum out_type type, const char *profile, const char *id)
{
    out_add(&w->out, "{'resourceType':'%s','id':'%s','meta':{'profile':['" WORLD_UK
            "StructureDefinition/UKCore-%s']}", out_type_name(type), id, profile);
}

void world_code(struct world *w, const char *key, const char *system, const char *code,
                const char *display)
{
    if (code)
        out_add(&w->out, ",'%s':{'coding':[{'system':'%s','code':'%s','display':'%s'}],"
                "'text':'%s'}", key, system, code, display, display);
    else
        out_add(&w->out, ",'%s':{'text':'%s'}", key, display);
}
