/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "synth/names.h"
#include "synth/world.h"

/*
 * person: one invented patient, and what the general practice knows of them.
 *
 * Source   shares by age follow the usual English surveys in shape only.
 * Units    instants in UTC milliseconds; age in whole years at the end of the history.
 * Missing  died_ms 0: alive. Errors: none. Memory: by value, one cell's worth at a time.
 */
enum person_condition {
    PERSON_HYPERTENSION, PERSON_DIABETES, PERSON_ASTHMA, PERSON_COPD, PERSON_FIBRILLATION,
    PERSON_HEART_FAILURE, PERSON_ISCHAEMIC, PERSON_KIDNEY, PERSON_DEPRESSION, PERSON_DEMENTIA,
    PERSON_ARTHRITIS, PERSON_THYROID, PERSON_EPILEPSY, PERSON_PARKINSON, PERSON_OSTEOPOROSIS,
    PERSON_CONDITIONS
};
struct person {
    char id[16], nhs[12];
    bool female;
    int age;
    int64_t born_ms, died_ms, busy_until_ms;
    const struct names_ethnicity *ethnicity;
    const char *given, *family;
    int64_t practice;
    uint32_t conditions; /* a bit each */
    double frailty;      /* 0 to 1: how likely to be ill */
    bool target_88_92;   /* a clinician recorded the lower oxygen target */
    double weight_kg, height_cm;
    unsigned ids;        /* numbers given to this person's resources so far */
};
void person_make(struct world *w, int64_t index, struct person *out);
bool person_has(const struct person *p, enum person_condition condition);
/* A new logical id: "enc-p000001-4". */
struct world_id person_new_id(struct person *p, const char *prefix);
/* ,'subject':{...} for a key such as subject or patient. */
void person_put(struct world *w, const char *key, const struct person *p);

/* Demographics, registration, problems, allergies, medicines, vaccinations; written last, when it
 * is known whether the person still lives. */
void person_write(struct world *w, struct person *p);

/* A condition with its SNOMED CT code, also for reasons of admission. */
struct person_code {
    const char *code, *display;
};
void person_write_condition(struct world *w, struct person *p, struct person_code what,
                            int64_t onset_ms, const char *encounter);
