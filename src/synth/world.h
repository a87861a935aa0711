/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/random.h"
#include "synth/out.h"
#include "synth/synth.h"

/*
 * world: what the parts of the synthetic population share: where they write, their dice, their span
 * of time, and the hospital's shape.
 *
 * Source   ours. A cell is about 300 people and one bed of each of the WORLD_SLOTS slots; six cells
 *          fill one ward of each kind, sixty cells one site.
 * Shapes   logical ids can be computed from a cell and a slot, so nothing has to be remembered.
 * Units    instants in UTC milliseconds; lengths in hours or days as named.
 * Missing  not applicable. Errors: none but those of out. Memory: constant.
 */
enum { WORLD_SLOTS = 12, WORLD_CELL_PEOPLE = 300, WORLD_WARD_CELLS = 6, WORLD_SITE_CELLS = 60 };
enum world_kind {
    WORLD_AMU, WORLD_MEDICINE, WORLD_ELDERLY, WORLD_RESPIRATORY, WORLD_SURGERY, WORLD_ORTHOPAEDIC,
    WORLD_CRITICAL, WORLD_CHILDREN, WORLD_KINDS
};
#define WORLD_HOUR_MS INT64_C(3600000)
#define WORLD_DAY_MS INT64_C(86400000)

struct world {
    struct synth_options options;
    struct out out;
    struct random random;
    int64_t start_ms, end_ms, detail_ms;
    int64_t cells, practices;
    uint64_t nhs_tried; /* how far along the test range */
};
struct world_id {
    char text[40];
};

extern const struct world_ward_kind {
    const char *key, *name, *specialty, *specialty_name;
    double stay_days;      /* mean length of a stay that begins here */
    double elective_share;
} world_ward_kinds[WORLD_KINDS];
extern const struct world_slot {
    enum world_kind kind;
    char sex; /* F, M; P: by the ward's number; X: any */
    int bay;  /* within the ward, 0 first */
} world_slots[WORLD_SLOTS];

struct world_id world_ward_id(enum world_kind kind, int64_t cell);
struct world_id world_bed_id(int slot, int64_t cell);
char world_bed_sex(int slot, int64_t cell); /* F, M or X */
bool world_is_side_room(int64_t cell);
struct world_id world_consultant_id(enum world_kind kind, int64_t cell);
struct world_id world_nurse_id(enum world_kind kind, int64_t cell, uint64_t which);
struct world_id world_gp_id(int64_t practice, uint64_t which);
enum { WORLD_NURSES = 6, WORLD_GPS = 3 };

/* Organisations, services, staff, and every place but the beds. */
void world_write_places(struct world *w);
void world_write_bed(struct world *w, int slot, int64_t cell, char operational_status);

/* Dice. */
int world_pick(struct world *w, size_t count);
bool world_chance(struct world *w, double share);
double world_unit(struct world *w);
double world_normal(struct world *w);
double world_wait(struct world *w, double mean); /* exponential */
/* Draws a row by per-mille weights that add up to about 1000. */
size_t world_weighted(struct world *w, const int *weights, size_t count);

/* {'resourceType':T,'id':id,'meta':{'profile':[UKCore-profile]} , without the closing brace. */
void world_head(struct world *w, enum out_type type, const char *profile, const char *id);
/* 'key':{'coding':[{...}],'text':display}, with a comma before; a code NULL leaves the text
 * alone. */
void world_code(struct world *w, const char *key, const char *system, const char *code,
                const char *display);
#define WORLD_SNOMED "http://snomed.info/sct"
#define WORLD_LOINC "http://loinc.org"
#define WORLD_UK "https://fhir.hl7.org.uk/"
#define WORLD_OWN "https://frontline.example/"
