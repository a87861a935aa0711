/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/person.h"
#include "clinical/london.h"
#include "clinical/nhsno.h"
#include <math.h>

/*
 * One row a long-term condition: how common it is at 40, and how many times more with each twenty
 * years; the medicine that usually goes with it. dm+d codes only where certain (VTM paracetamol).
 */
static const struct {
    struct person_code code;
    double share_at_40, growth;
    const char *medicine, *dose;
} conditions[PERSON_CONDITIONS] = {
    [PERSON_HYPERTENSION] = { { "38341003", "Hypertensive disorder" }, 0.10, 2.1,
                              "Amlodipine 5mg tablets", "One tablet once a day" },
    [PERSON_DIABETES] = { { "44054006", "Diabetes mellitus type 2" }, 0.05, 2.0,
                          "Metformin 500mg tablets", "One tablet twice a day with meals" },
    [PERSON_ASTHMA] = { { "195967001", "Asthma" }, 0.11, 0.9,
                        "Salbutamol 100micrograms/dose inhaler", "Two puffs when needed" },
    [PERSON_COPD] = { { "13645005", "Chronic obstructive pulmonary disease" }, 0.01, 2.8,
                      "Tiotropium bromide inhalation powder", "One capsule inhaled once a day" },
    [PERSON_FIBRILLATION] = { { "49436004", "Atrial fibrillation" }, 0.005, 4.0,
                              "Apixaban 5mg tablets", "One tablet twice a day" },
    [PERSON_HEART_FAILURE] = { { "84114007", "Heart failure" }, 0.003, 3.8,
                               "Bisoprolol 2.5mg tablets", "One tablet once a day" },
    [PERSON_ISCHAEMIC] = { { "414545008", "Ischemic heart disease" }, 0.015, 3.0,
                           "Atorvastatin 40mg tablets", "One tablet at night" },
    [PERSON_KIDNEY] = { { "709044004", "Chronic kidney disease" }, 0.01, 3.6,
                        "Ramipril 2.5mg capsules", "One capsule once a day" },
    [PERSON_DEPRESSION] = { { "35489007", "Depressive disorder" }, 0.15, 0.9,
                            "Sertraline 50mg tablets", "One tablet once a day" },
    [PERSON_DEMENTIA] = { { "52448006", "Dementia" }, 0.0004, 12, NULL, NULL },
    [PERSON_ARTHRITIS] = { { "396275006", "Osteoarthritis" }, 0.04, 2.6, "Paracetamol",
                           "Two 500 mg tablets up to four times a day" },
    [PERSON_THYROID] = { { "40930008", "Hypothyroidism" }, 0.03, 1.6,
                         "Levothyroxine 50microgram tablets", "One tablet once a day" },
    [PERSON_EPILEPSY] = { { "84757009", "Epilepsy" }, 0.01, 1.1,
                          "Levetiracetam 500mg tablets", "One tablet twice a day" },
    [PERSON_PARKINSON] = { { "49049000", "Parkinson\\u0027s disease" }, 0.0003, 8,
                           "Co-careldopa 25mg/100mg tablets", "One tablet three times a day" },
    [PERSON_OSTEOPOROSIS] = { { "64859006", "Osteoporosis" }, 0.004, 4.5,
                              "Alendronic acid 70mg tablets", "One tablet once a week" },
};

static const struct {
    struct person_code code, reaction;
    double share;
    const char *category, *severity;
} allergies[] = {
    { { "91936005", "Allergy to penicillin" }, { "247472004", "Urticarial rash" }, 0.06,
      "medication", "moderate" },
    { { "372687004", "Amoxicillin" }, { "247472004", "Urticarial rash" }, 0.02, "medication",
      "mild" },
    { { "91935009", "Allergy to peanut" }, { "39579001", "Anaphylaxis" }, 0.01, "food",
      "severe" },
};

bool person_has(const struct person *p, enum person_condition condition)
{
    return p->conditions >> condition & 1;
}

struct world_id person_new_id(struct person *p, const char *prefix)
{
    struct world_id id;
    snprintf(id.text, sizeof id.text, "%s-%s-%u", prefix, p->id, ++p->ids);
    return id;
}

void person_put(struct world *w, const char *key, const struct person *p)
{
    out_add(&w->out, ",'%s':{'reference':'Patient/%s'}", key, p->id);
}

/* The next number of the test range that has a check digit: a walk that meets each once. */
static void next_nhs_number(struct world *w, char out[12])
{
    int check;
    do {
        uint64_t six = (w->nhs_tried++ * 611953 + w->options.seed % 1000000) % 1000000;
        snprintf(out, 12, "999%06llu", (unsigned long long)six);
        check = nhsno_check_digit(out);
    } while (check < 0 || memcmp(out, "999999999", 9) == 0);
    out[9] = (char)('0' + check);
    out[10] = 0;
}

static int64_t birth(struct world *w)
{
    int64_t band = (int64_t)world_weighted(w, names_age_bands, COUNT(names_age_bands));
    double years = (double)band * 5 + (band == 18 ? fmin(world_wait(w, 3), 14) : world_unit(w) * 5);
    int64_t day = london_day(w->end_ms - (int64_t)(years * 365.2425 * (double)WORLD_DAY_MS));
    return day * WORLD_DAY_MS + WORLD_DAY_MS / 2;
}

static int age_at(int64_t born_ms, int64_t at_ms)
{
    return (int)((double)(at_ms - born_ms) / (365.2425 * (double)WORLD_DAY_MS));
}

static void fall_ill(struct world *w, struct person *p)
{
    for (size_t i = 0; i < PERSON_CONDITIONS; i++) {
        double share = conditions[i].share_at_40 *
                       pow(conditions[i].growth, ((double)p->age - 40) / 20);
        bool child_can = i == PERSON_ASTHMA || i == PERSON_EPILEPSY;
        if ((p->age >= 18 || child_can) && world_chance(w, fmin(share, 0.7)))
            p->conditions |= 1u << i;
    }
    int count = __builtin_popcount(p->conditions);
    p->frailty = fmin(1, 0.08 + (double)count * 0.07 + fmax(0, (double)p->age - 60) * 0.012 +
                             world_unit(w) * 0.2);
    p->target_88_92 = person_has(p, PERSON_COPD) && world_chance(w, 0.3);
}

void person_make(struct world *w, int64_t index, struct person *p)
{
    int weights[32];
    *p = (struct person){ .female = world_chance(w, 0.507) };
    snprintf(p->id, sizeof p->id, "p%06u", (unsigned)index + 1);
    next_nhs_number(w, p->nhs);
    p->born_ms = birth(w);
    p->age = age_at(p->born_ms, w->end_ms);
    for (size_t i = 0; i < names_ethnicities_count; i++)
        weights[i] = names_ethnicities[i].per_mille;
    p->ethnicity = &names_ethnicities[world_weighted(w, weights, names_ethnicities_count)];
    const struct names_list *given =
        &names_given[p->ethnicity->group][p->female][p->age >= 66 ? 0 : p->age >= 36 ? 1 : 2];
    const struct names_list *family = &names_family[p->ethnicity->group];
    p->given = given->items[world_pick(w, given->count)];
    p->family = family->items[world_pick(w, family->count)];
    p->practice = (int64_t)random_below(&w->random, (uint64_t)w->practices);
    double grown = fmin(1, 0.3 + (double)p->age * 0.04);
    p->height_cm = (p->female ? 162 : 176) * fmin(1, 0.3 + (double)p->age * 0.041) +
                   world_normal(w) * 6 * grown;
    p->weight_kg = fmax(3, p->height_cm * p->height_cm * 0.0001 *
                               (14 + 13 * grown + world_normal(w) * 4 * grown));
    fall_ill(w, p);
}

static void write_address(struct world *w, const struct person *p)
{
    const char *street = names_streets.items[world_pick(w, names_streets.count)];
    const char *kind = names_street_kinds.items[world_pick(w, names_street_kinds.count)];
    int town = world_pick(w, names_towns.count);
    /* the postcode area NX does not exist */
    out_add(&w->out, ",'address':[{'use':'home','line':['%d %s %s'],'city':'%s','postalCode':"
            "'NX%d %d%c%c'}]", world_pick(w, 180) + 1, street, kind, names_towns.items[town],
            town + 1 + (int)(p->practice % 12), world_pick(w, 9) + 1,
            "ABDEFGHJLNPQRSTUWXYZ"[world_pick(w, 20)], "ABDEFGHJLNPQRSTUWXYZ"[world_pick(w, 20)]);
}

static void write_patient(struct world *w, const struct person *p)
{
    struct out *out = &w->out;
    world_head(w, OUT_PATIENT, "Patient", p->id);
    out_add(out, ",'extension':[{'url':'" WORLD_UK "StructureDefinition/Extension-UKCore-"
            "EthnicCategory','valueCodeableConcept':{'coding':[{'system':'" WORLD_UK
            "CodeSystem/UKCore-EthnicCategoryEngland','code':'%s','display':'%s'}]}}]",
            p->ethnicity->code, p->ethnicity->display);
    out_add(out, ",'identifier':[{'extension':[{'url':'" WORLD_UK "StructureDefinition/Extension-"
            "UKCore-NHSNumberVerificationStatus','valueCodeableConcept':{'coding':[{'system':'"
            WORLD_UK "CodeSystem/UKCore-NHSNumberVerificationStatusEngland','code':'01',"
            "'display':'Number present and verified'}]}}],'system':"
            "'https://fhir.nhs.uk/Id/nhs-number','value':'%s'},{'system':'" WORLD_OWN
            "Id/hospital-number','value':'H%s'}],'active':true", p->nhs, p->id + 1);
    out_add(out, ",'name':[{'use':'official','family':'%s','given':['%s'],'prefix':['%s']}]",
            p->family, p->given, p->age < 16 ? p->female ? "Miss" : "Master"
                                 : p->female ? "Mrs" : "Mr");
    out_add(out, ",'telecom':[{'system':'phone','value':'07700 900%03d','use':'mobile'}]",
            world_pick(w, 1000));
    out_add(out, ",'gender':'%s','birthDate':'%s'", p->female ? "female" : "male",
            out_date(p->born_ms).text);
    if (p->died_ms)
        out_add(out, ",'deceasedDateTime':'%s'", out_when(p->died_ms).text);
    write_address(w, p);
    out_add(out, ",'generalPractitioner':[{'reference':'Organization/org-gp-%d'}],"
            "'managingOrganization':{'reference':'Organization/org-trust'}}",
            (int)p->practice + 1);
    out_end(out, OUT_PATIENT);
}

static void write_relative(struct world *w, struct person *p)
{
    bool parent = p->age < 16;
    if (!parent && !world_chance(w, p->age > 75 ? 0.7 : 0.25))
        return;
    bool female = world_chance(w, 0.6);
    const struct names_list *given = &names_given[p->ethnicity->group][female][1];
    world_head(w, OUT_RELATED, "RelatedPerson", person_new_id(p, "rel").text);
    out_add(&w->out, ",'active':true");
    person_put(w, "patient", p);
    out_add(&w->out, ",'relationship':[{'coding':[{'system':'http://terminology.hl7.org/"
            "CodeSystem/v3-RoleCode','code':'%s','display':'%s'}]}]",
            parent ? "PRN" : "NOK", parent ? "parent" : "next of kin");
    out_add(&w->out, ",'name':[{'family':'%s','given':['%s']}],'telecom':[{'system':'phone',"
            "'value':'07700 900%03d'}]}", p->family, given->items[world_pick(w, given->count)],
            world_pick(w, 1000));
    out_end(&w->out, OUT_RELATED);
}

static void write_registration(struct world *w, struct person *p)
{
    struct out *out = &w->out;
    int64_t years = p->age > 0 ? world_pick(w, (size_t)(p->age < 20 ? p->age : 20) + 1) : 0;
    int64_t since = w->end_ms - years * 365 * WORLD_DAY_MS;
    since = since < p->born_ms ? p->born_ms : since;
    world_head(w, OUT_EPISODE, "EpisodeOfCare", person_new_id(p, "reg").text);
    out_add(out, ",'status':'%s','type':[{'text':'GP registration'}]",
            p->died_ms ? "finished" : "active");
    person_put(w, "patient", p);
    out_add(out, ",'managingOrganization':{'reference':'Organization/org-gp-%d'},'period':"
            "{'start':'%s'", (int)p->practice + 1, out_date(since).text);
    if (p->died_ms)
        out_add(out, ",'end':'%s'", out_date(p->died_ms).text);
    out_add(out, "},'careManager':{'reference':'Practitioner/%s'}}",
            world_gp_id(p->practice, p->ids).text);
    out_end(out, OUT_EPISODE);
}

void person_write_condition(struct world *w, struct person *p, struct person_code what,
                            int64_t onset_ms, const char *encounter)
{
    struct out *out = &w->out;
    world_head(w, OUT_CONDITION, "Condition", person_new_id(p, "con").text);
    out_add(out, ",'clinicalStatus':{'coding':[{'system':'http://terminology.hl7.org/CodeSystem/"
            "condition-clinical','code':'active'}]},'verificationStatus':{'coding':[{'system':"
            "'http://terminology.hl7.org/CodeSystem/condition-ver-status','code':'confirmed'}]}"
            ",'category':[{'coding':[{'system':'http://terminology.hl7.org/CodeSystem/"
            "condition-category','code':'%s'}]}]",
            encounter ? "encounter-diagnosis" : "problem-list-item");
    world_code(w, "code", WORLD_SNOMED, what.code, what.display);
    person_put(w, "subject", p);
    if (encounter)
        out_add(out, ",'encounter':{'reference':'Encounter/%s'}", encounter);
    out_add(out, ",'onsetDateTime':'%s','recordedDate':'%s'}", out_date(onset_ms).text,
            out_date(onset_ms).text);
    out_end(out, OUT_CONDITION);
}

static void write_repeat(struct world *w, struct person *p, const char *medicine, const char *dose,
                         int64_t since_ms)
{
    bool paracetamol = str_eq(str_of(medicine), S("Paracetamol"));
    world_head(w, OUT_MEDICATION_REQUEST, "MedicationRequest", person_new_id(p, "med").text);
    out_add(&w->out, ",'status':'%s','intent':'order','category':[{'coding':[{'system':"
            "'http://terminology.hl7.org/CodeSystem/medicationrequest-category','code':"
            "'community','display':'Community'}]}]", p->died_ms ? "stopped" : "active");
    world_code(w, "medicationCodeableConcept", "https://dmd.nhs.uk",
               paracetamol ? "777067000" : NULL, medicine);
    person_put(w, "subject", p);
    out_add(&w->out, ",'authoredOn':'%s','requester':{'reference':'Practitioner/%s'},"
            "'courseOfTherapyType':{'coding':[{'system':'http://terminology.hl7.org/CodeSystem/"
            "medicationrequest-course-of-therapy','code':'continuous'}]},'dosageInstruction':"
            "[{'text':'%s'}],'substitution':{'allowedBoolean':false}}", out_date(since_ms).text,
            world_gp_id(p->practice, p->ids).text, dose);
    out_end(&w->out, OUT_MEDICATION_REQUEST);
}

static void write_problems(struct world *w, struct person *p)
{
    for (size_t i = 0; i < PERSON_CONDITIONS; i++) {
        if (!person_has(p, (enum person_condition)i))
            continue;
        int64_t years = 1 + world_pick(w, (size_t)(p->age / 3) + 1);
        int64_t since = w->end_ms - years * 365 * WORLD_DAY_MS;
        since = since < p->born_ms ? p->born_ms : since;
        person_write_condition(w, p, conditions[i].code, since, NULL);
        if (conditions[i].medicine)
            write_repeat(w, p, conditions[i].medicine, conditions[i].dose, since);
    }
}

static void write_allergy(struct world *w, struct person *p, struct person_code what)
{
    struct out *out = &w->out;
    bool none = str_eq(str_of(what.code), S("716186003"));
    world_head(w, OUT_ALLERGY, "AllergyIntolerance", person_new_id(p, "alg").text);
    out_add(out, ",'clinicalStatus':{'coding':[{'system':'http://terminology.hl7.org/CodeSystem/"
            "allergyintolerance-clinical','code':'active'}]},'verificationStatus':{'coding':"
            "[{'system':'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification',"
            "'code':'confirmed'}]}");
    world_code(w, "code", WORLD_SNOMED, what.code, what.display);
    person_put(w, "patient", p);
    out_add(out, ",'recordedDate':'%s'%s", out_date(w->start_ms).text, none ? "}" : "");
}

/* "No known allergies" is a statement; for one person in eight nobody has asked. */
static void write_allergies(struct world *w, struct person *p)
{
    bool any = false;
    for (size_t i = 0; i < COUNT(allergies); i++) {
        if (!world_chance(w, allergies[i].share))
            continue;
        any = true;
        write_allergy(w, p, allergies[i].code);
        out_add(&w->out, ",'category':['%s'],'reaction':[{'manifestation':[{'coding':[{'system':'"
                WORLD_SNOMED "','code':'%s','display':'%s'}]}],'severity':'%s'}]}",
                allergies[i].category, allergies[i].reaction.code, allergies[i].reaction.display,
                allergies[i].severity);
        out_end(&w->out, OUT_ALLERGY);
    }
    if (!any && world_chance(w, 0.87)) {
        write_allergy(w, p, (struct person_code){ "716186003", "No known allergy" });
        out_end(&w->out, OUT_ALLERGY);
    }
}

static void write_vaccination(struct world *w, struct person *p)
{
    int64_t autumn = london_at(london_day(w->end_ms) - 20 - world_pick(w, 40), 9 + world_pick(w, 8),
                               world_pick(w, 12) * 5);
    bool invited = p->age >= 65 || p->frailty > 0.45;
    if (!invited || p->died_ms || autumn < w->start_ms || !world_chance(w, 0.75))
        return;
    world_head(w, OUT_IMMUNIZATION, "Immunization", person_new_id(p, "imm").text);
    out_add(&w->out, ",'extension':[{'url':'" WORLD_UK "StructureDefinition/Extension-UKCore-"
            "VaccinationProcedure','valueCodeableConcept':{'coding':[{'system':'" WORLD_SNOMED
            "','code':'86198006','display':'Administration of vaccine product containing only "
            "Influenza virus antigen'}]}}],'status':'completed'");
    world_code(w, "vaccineCode", NULL, NULL, "Seasonal influenza vaccine");
    person_put(w, "patient", p);
    out_add(&w->out, ",'occurrenceDateTime':'%s','primarySource':true,'performer':[{'actor':"
            "{'reference':'Organization/org-%s-%d'}}]}", out_when(autumn).text,
            world_chance(w, 0.4) ? "pharmacy" : "gp", (int)p->practice + 1);
    out_end(&w->out, OUT_IMMUNIZATION);
}

void person_write(struct world *w, struct person *p)
{
    write_patient(w, p);
    write_relative(w, p);
    write_registration(w, p);
    write_problems(w, p);
    write_allergies(w, p);
    write_vaccination(w, p);
}
