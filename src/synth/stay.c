/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/stay.h"
#include "clinical/london.h"
#include "synth/clinic.h"
#include "synth/paper.h"
#include <math.h>

#define EXTENSION "{'url':'" WORLD_UK "StructureDefinition/Extension-UKCore-"

/* clang-format off: one row a reason; which wards see it, how ill it makes, what it does. */
static const struct {
    struct person_code code; const char *wards; double severity; bool infected, hypoxic; int age;
} reasons[] = {
    { { "233604007", "Pneumonia" },              "amu med eld res icu", 0.55, true,  true,  30 },
    { { "68566005",  "Urinary tract infection" },"amu med eld",         0.35, true,  false, 40 },
    { { "195951007", "Acute exacerbation of chronic obstructive airways disease" },
                                                 "amu res icu",         0.50, false, true,  50 },
    { { "84114007",  "Heart failure" },          "amu med eld",         0.45, false, true,  55 },
    { { "91302008",  "Sepsis" },                 "amu med icu",         0.75, true,  true,  18 },
    { { "128045006", "Cellulitis" },             "amu med",             0.30, true,  false, 18 },
    { { "29857009",  "Chest pain" },             "amu",                 0.15, false, false, 30 },
    { { "271594007", "Syncope" },                "amu eld",             0.20, false, false, 50 },
    { { "230690007", "Cerebrovascular accident" },"amu med eld icu",    0.40, false, false, 55 },
    { { "14669001",  "Acute renal failure syndrome" }, "amu med eld",   0.40, false, false, 55 },
    { { "59282003",  "Pulmonary embolism" },     "amu res",             0.45, false, true,  25 },
    { { "161898004", "Falls" },                  "amu eld",             0.15, false, false, 70 },
    { { "85189001",  "Acute appendicitis" },     "sur",                 0.35, true,  false, 8  },
    { { "235919008", "Gallbladder calculus" },   "sur",                 0.20, false, false, 25 },
    { { "396232000", "Inguinal hernia" },        "sur",                 0.10, false, false, 30 },
    { { "21522001",  "Abdominal pain" },         "sur amu",             0.20, false, false, 16 },
    { { "5913000",   "Fracture of neck of femur" }, "ort",              0.30, false, false, 60 },
    { { "396275006", "Osteoarthritis" },         "ort",                 0.10, false, false, 50 },
    { { "22298006",  "Myocardial infarction" },  "icu amu",             0.55, false, false, 45 },
    { { "4120002",   "Bronchiolitis" },          "pae",                 0.35, true,  true,  0  },
    { { "25374005",  "Gastroenteritis" },        "pae amu",             0.25, true,  false, 0  },
    { { "195967001", "Asthma" },                 "pae res amu",         0.35, false, true,  4  },
};
/* clang-format on */

void stay_reason(struct world *w, enum world_kind kind, struct stay *stay)
{
    size_t fits[COUNT(reasons)], count = 0;
    for (size_t i = 0; i < COUNT(reasons); i++)
        if (str_find(str_of(reasons[i].wards), str_of(world_ward_kinds[kind].key)) != STR_NONE &&
            stay->person->age >= reasons[i].age)
            fits[count++] = i;
    size_t at = count ? fits[world_pick(w, count)] : 20; /* gastroenteritis comes to all */
    stay->reason = reasons[at].code;
    stay->infected = reasons[at].infected;
    stay->hypoxic = reasons[at].hypoxic;
    stay->severity = fmin(0.95, reasons[at].severity * (0.6 + 0.6 * world_unit(w)) +
                                    stay->person->frailty * 0.12);
}

static enum world_kind kind_at(const struct stay *stay, size_t move)
{
    return world_slots[stay->moves[move].slot].kind;
}

static bool is_over(const struct world *w, const struct stay *stay)
{
    return stay->left_ms <= w->end_ms;
}

static void put_locations(struct world *w, const struct stay *stay)
{
    struct out *out = &w->out;
    out_add(out, ",'location':[");
    for (size_t i = 0; i < stay->moves_count; i++) {
        bool last = i + 1 == stay->moves_count;
        int64_t to_ms = last ? stay->left_ms : stay->moves[i + 1].from_ms;
        bool over = !last || is_over(w, stay);
        out_add(out, "%s{'location':{'reference':'Location/%s'},'status':'%s','physicalType':"
                "{'coding':[{'system':'http://terminology.hl7.org/CodeSystem/"
                "location-physical-type','code':'bd'}]},'period':{'start':'%s'", i ? "," : "",
                world_bed_id(stay->moves[i].slot, stay->cell).text, over ? "completed" : "active",
                out_when(stay->moves[i].from_ms).text);
        if (over)
            out_add(out, ",'end':'%s'", out_when(to_ms).text);
        out_add(out, "}}");
    }
    out_add(out, "]");
}

static void put_coded(struct world *w, const char *system, const char *code, const char *display)
{
    out_add(&w->out, "{'coding':[{'system':'" WORLD_UK "CodeSystem/%s','code':'%s','display':"
            "'%s'}]}", system, code, display);
}

/* How the patient came in and went out, in the Data Dictionary's codes. */
static void put_hospitalization(struct world *w, const struct stay *stay)
{
    static const struct person_code how[] = {
        [STAY_EMERGENCY] = { "21", "Emergency Admission: Emergency Care Department or dental "
                             "casualty department of the Health Care Provider" },
        [STAY_BY_GP] = { "22", "Emergency Admission: General Practitioner: after a request for "
                         "immediate admission has been made direct to a Hospital Provider, i.e. "
                         "not through a Bed bureau, by a General Practitioner or deputy" },
        [STAY_ELECTIVE] = { "11", "Elective Admission: Waiting list" },
    };
    struct out *out = &w->out;
    out_add(out, ",'hospitalization':{'extension':[" EXTENSION
            "AdmissionMethod','valueCodeableConcept':");
    put_coded(w, "UKCore-AdmissionMethodEngland", how[stay->how].code, how[stay->how].display);
    out_add(out, "}]");
    if (is_over(w, stay)) {
        bool home = world_chance(w, 0.93 - stay->person->frailty * 0.15);
        out_add(out, ",'dischargeDisposition':");
        put_coded(w, "UKCore-DischargeDestinationEngland",
                  stay->dies ? "79" : home ? "19" : "85",
                  stay->dies ? "Not applicable - Patient died or stillbirth"
                  : home ? "Usual place of residence"
                         : "Non-NHS (other than Local Authority) run Care Home");
    }
    out_add(out, "}");
}

/* A round each morning: while there is a day and a half to go the criteria to reside are met; then
 * they are not, and something holds the discharge up. */
static void put_rounds(struct world *w, const struct stay *stay)
{
    static const char *const criteria[] = { "oxygen-niv", "iv-fluids", "news2-over-3",
                                            "iv-medicine", "function" };
    static const char *const delays[] = { "medicines", "transport", "therapy", "social-care",
                                          "community-bed", "care-home", "tests", "family" };
    struct out *out = &w->out;
    int64_t last = london_day(w->end_ms), first = london_day(stay->admitted_ms) + 1;
    bool not_met = false;
    for (int64_t day = first < last - 6 ? last - 6 : first; day <= last; day++) {
        int64_t at_ms = london_at(day, 9, 30);
        if (at_ms > w->end_ms)
            break;
        not_met = stay->left_ms - at_ms < 3 * WORLD_DAY_MS / 2;
        out_add(out, ",{'url':'" WORLD_OWN "StructureDefinition/reside-round','extension':["
                "{'url':'day','valueDate':'%s'},{'url':'answer','valueCode':'%s'}",
                out_date(at_ms).text, not_met ? "not" : "meets");
        if (!not_met)
            out_add(out, ",{'url':'criterion','valueCode':'%s'}",
                    criteria[world_pick(w, COUNT(criteria))]);
        out_add(out, "]}");
    }
    if (!not_met && !world_chance(w, 0.4))
        return;
    out_add(out, ",{'url':'" WORLD_OWN "StructureDefinition/discharge-pathway','valueCode':'P%d'}",
            world_chance(w, 0.5) ? 0 : world_chance(w, 0.85) ? 1 : world_chance(w, 0.8) ? 2 : 3);
    if (not_met)
        out_add(out, ",{'url':'" WORLD_OWN "StructureDefinition/discharge-delay','valueCode':"
                "'%s'}", delays[world_pick(w, COUNT(delays))]);
}

/* The day expected, as the ward set it on the day after the admission: often right, sometimes some
 * days too early, seldom too late. By the stay's own name, so that it throws no dice. */
static void put_expected(struct world *w, const struct stay *stay, const char *id)
{
    static const int days_off[] = { 0, 0, 0, 0, -1, -1, -2, -3, 1, 2 };
    int64_t set_ms = stay->admitted_ms + WORLD_DAY_MS;
    int64_t day_ms = stay->left_ms +
                     days_off[str_hash(str_of(id)) % COUNT(days_off)] * WORLD_DAY_MS;
    set_ms = set_ms < stay->left_ms && set_ms < w->end_ms ? set_ms : stay->admitted_ms;
    day_ms = day_ms > set_ms ? day_ms : stay->left_ms;
    out_add(&w->out, "{'url':'" WORLD_OWN "StructureDefinition/estimated-discharge-date',"
            "'valueDate':'%s'}", out_date(day_ms).text);
    out_add(&w->out, ",{'url':'" WORLD_OWN "StructureDefinition/edd-change','extension':["
            "{'url':'day','valueDate':'%s'}", out_date(set_ms).text);
    out_add(&w->out, ",{'url':'to','valueDate':'%s'}]}", out_date(day_ms).text);
}

static void write_encounter(struct world *w, const struct stay *stay, const char *id)
{
    struct out *out = &w->out;
    enum world_kind kind = kind_at(stay, stay->moves_count - 1);
    const struct world_ward_kind *ward = &world_ward_kinds[kind];
    bool over = is_over(w, stay);
    world_head(w, OUT_ENCOUNTER, "Encounter", id);
    out_add(out, ",'extension':[");
    put_expected(w, stay, id);
    if (over) {
        out_add(out, "," EXTENSION "DischargeMethod','valueCodeableConcept':");
        put_coded(w, "UKCore-DischargeMethodEngland", stay->dies ? "4" : "1",
                  stay->dies ? "Patient died" : "Patient discharged on clinical advice or with "
                                                "clinical consent");
        out_add(out, "}");
    } else {
        put_rounds(w, stay);
    }
    out_add(out, "],'identifier':[{'system':'" WORLD_OWN "Id/visit-number','value':'%s'}]"
            ",'status':'%s','class':{'system':'http://terminology.hl7.org/CodeSystem/v3-ActCode',"
            "'code':'IMP','display':'inpatient encounter'}", id, over ? "finished" : "in-progress");
    out_add(out, ",'serviceType':");
    put_coded(w, "UKCore-PracticeSettingCodeEngland", ward->specialty, ward->specialty_name);
    person_put(w, "subject", stay->person);
    out_add(out, ",'participant':[{'type':[{'coding':[{'system':'http://terminology.hl7.org/"
            "CodeSystem/v3-ParticipationType','code':'ATND','display':'attender'}]}],'individual':"
            "{'reference':'Practitioner/%s'}}]", world_consultant_id(kind, stay->cell).text);
    out_add(out, ",'period':{'start':'%s'", out_when(stay->admitted_ms).text);
    if (over)
        out_add(out, ",'end':'%s'", out_when(stay->left_ms).text);
    out_add(out, "},'reasonCode':[{'coding':[{'system':'" WORLD_SNOMED
            "','code':'%s','display':'%s'}]}]", stay->reason.code, stay->reason.display);
    put_hospitalization(w, stay);
    put_locations(w, stay);
    out_add(out, ",'serviceProvider':{'reference':'Organization/org-trust'}}");
    out_end(out, OUT_ENCOUNTER);
}

/* Minutes to the next set: what the score asks for, less than punctually. */
static int64_t next_set_ms(struct world *w, bool scored, const struct news2_score *score)
{
    double hours = 5;
    if (scored) {
        int every_min = news2_respond(score->total, score->highest)->every_min;
        hours = every_min == 0 ? 1 : every_min <= 60 ? 1.3 : every_min <= 360 ? 4.5 : 8;
    }
    return (int64_t)(hours * (0.85 + 0.35 * world_unit(w)) * 3600) * 1000;
}

static void write_observations(struct world *w, struct stay *stay, const char *id)
{
    struct person *p = stay->person;
    struct vital v = { .severity = stay->severity, .infected = stay->infected,
                       .hypoxic = stay->hypoxic };
    vital_begin(w, &v, stay->admitted_ms);
    int64_t until = is_over(w, stay) ? stay->left_ms : w->end_ms;
    size_t move = 0;
    for (int64_t at = stay->admitted_ms + 900000; at < until;) {
        struct news2_score score;
        while (move + 1 < stay->moves_count && stay->moves[move + 1].from_ms <= at)
            move++;
        v.dies = stay->dies && at > stay->left_ms - 2 * WORLD_DAY_MS;
        vital_step(w, p, &v, at);
        struct vital_set set = vital_read(w, p, &v);
        struct world_id nurse = world_nurse_id(kind_at(stay, move), stay->cell,
                                               (uint64_t)(at / (12 * WORLD_HOUR_MS)));
        struct vital_taken taken = { at, id, nurse.text };
        bool scored = vital_write(w, p, &set, &taken, &score);
        at += next_set_ms(w, scored, &score);
    }
}

static void write_flag(struct world *w, struct stay *stay, const char *id, const char *category,
                       const char *text)
{
    struct person *p = stay->person;
    world_head(w, OUT_FLAG, "Flag", person_new_id(p, "flag").text);
    out_add(&w->out, ",'status':'%s','category':[{'text':'%s'}],'code':{'text':'%s'}",
            is_over(w, stay) ? "inactive" : "active", category, text);
    person_put(w, "subject", p);
    out_add(&w->out, ",'period':{'start':'%s'", out_when(stay->admitted_ms).text);
    if (is_over(w, stay))
        out_add(&w->out, ",'end':'%s'", out_when(stay->left_ms).text);
    out_add(&w->out, "},'encounter':{'reference':'Encounter/%s'},'author':{'reference':"
            "'Practitioner/%s'}}", id, world_consultant_id(kind_at(stay, 0), stay->cell).text);
    out_end(&w->out, OUT_FLAG);
}

/* The decision behind the flag: oxygen prescribed to a target, by a doctor, at a time. */
static void write_target(struct world *w, struct stay *stay, const char *id)
{
    struct person *p = stay->person;
    struct out *out = &w->out;
    world_head(w, OUT_MEDICATION_REQUEST, "MedicationRequest", person_new_id(p, "oxy").text);
    out_add(out, ",'extension':[{'url':'" WORLD_OWN "StructureDefinition/oxygen-target',"
            "'valueRange':{'low':{'value':88,'unit':'%%','system':'http://unitsofmeasure.org',"
            "'code':'%%'},'high':{'value':92,'unit':'%%','system':'http://unitsofmeasure.org',"
            "'code':'%%'}}}],'status':'%s','intent':'order'", is_over(w, stay) ? "completed"
                                                                              : "active");
    world_code(w, "medicationCodeableConcept", WORLD_SNOMED, "24099007", "Oxygen");
    person_put(w, "subject", p);
    out_add(out, ",'encounter':{'reference':'Encounter/%s'},'authoredOn':'%s','requester':"
            "{'reference':'Practitioner/%s'},'reasonCode':[{'text':'Hypercapnic respiratory "
            "failure'}],'dosageInstruction':[{'text':'Oxygen to a target saturation of 88-92 %%'}]"
            "}", id, out_when(stay->admitted_ms).text,
            world_consultant_id(kind_at(stay, 0), stay->cell).text);
    out_end(out, OUT_MEDICATION_REQUEST);
}

static void write_flags(struct world *w, struct stay *stay, const char *id)
{
    struct person *p = stay->person;
    if (p->target_88_92) {
        write_flag(w, stay, id, "Clinical", "Oxygen saturation target 88-92 %");
        write_target(w, stay, id);
    }
    if (p->age > 75 && world_chance(w, 0.5))
        write_flag(w, stay, id, "Safety", "Risk of falls");
    if (p->age > 78 && world_chance(w, 0.3))
        write_flag(w, stay, id, "Clinical", "DNACPR decision recorded");
    if (stay->infected && world_chance(w, 0.15))
        write_flag(w, stay, id, "Infection", "Isolation needed");
    if (person_has(p, PERSON_DEMENTIA))
        write_flag(w, stay, id, "Safety", "Dementia");
    if (p->age < 75 && world_chance(w, 0.03))
        write_flag(w, stay, id, "Safety", "Learning disability");
}

static void write_team_and_tasks(struct world *w, struct stay *stay, const char *id)
{
    static const char *const jobs[] = { "Medicines to take home", "Transport booked",
                                        "Therapy assessment", "Social care assessment" };
    struct person *p = stay->person;
    struct out *out = &w->out;
    enum world_kind kind = kind_at(stay, stay->moves_count - 1);
    struct world_id nurse = world_nurse_id(kind, stay->cell, p->ids);
    world_head(w, OUT_CARE_TEAM, "CareTeam", person_new_id(p, "team").text);
    out_add(out, ",'status':'active','name':'%s team'", world_ward_kinds[kind].name);
    person_put(w, "subject", p);
    out_add(out, ",'encounter':{'reference':'Encounter/%s'},'participant':[{'member':{'reference':"
            "'Practitioner/%s'}},{'member':{'reference':'Practitioner/%s'}}]}", id,
            world_consultant_id(kind, stay->cell).text, nurse.text);
    out_end(out, OUT_CARE_TEAM);
    if (stay->left_ms > w->end_ms + 2 * WORLD_DAY_MS)
        return;
    for (size_t i = 0; i < COUNT(jobs); i++) {
        if (!world_chance(w, 0.5))
            continue;
        world_head(w, OUT_TASK, "Task", person_new_id(p, "task").text);
        out_add(out, ",'status':'%s','intent':'order','priority':'routine','code':{'text':"
                "'Discharge task'},'description':'%s','focus':{'reference':'Encounter/%s'}",
                world_chance(w, 0.4) ? "completed" : "requested", jobs[i], id);
        person_put(w, "for", p);
        out_add(out, ",'encounter':{'reference':'Encounter/%s'},'authoredOn':'%s','owner':"
                "{'reference':'Practitioner/%s'},'restriction':{'period':{'end':'%s'}}}", id,
                out_when(w->end_ms - 6 * WORLD_HOUR_MS).text, nurse.text,
                out_when(stay->left_ms).text);
        out_end(out, OUT_TASK);
    }
}

static void write_treatment(struct world *w, struct stay *stay, const char *id)
{
    struct person *p = stay->person;
    const char *medicine = stay->infected ? "Co-amoxiclav 1.2g powder for solution for injection"
                                          : "Paracetamol";
    bool over = is_over(w, stay);
    world_head(w, OUT_MEDICATION_REQUEST, "MedicationRequest", person_new_id(p, "med").text);
    out_add(&w->out, ",'status':'%s','intent':'order','category':[{'coding':[{'system':"
            "'http://terminology.hl7.org/CodeSystem/medicationrequest-category','code':"
            "'inpatient','display':'Inpatient'}]}]", over ? "completed" : "active");
    world_code(w, "medicationCodeableConcept", "https://dmd.nhs.uk",
               stay->infected ? NULL : "777067000", medicine);
    person_put(w, "subject", p);
    out_add(&w->out, ",'encounter':{'reference':'Encounter/%s'},'authoredOn':'%s','requester':"
            "{'reference':'Practitioner/%s'},'dosageInstruction':[{'text':'%s'}],'substitution':"
            "{'allowedBoolean':false}}", id, out_when(stay->admitted_ms + WORLD_HOUR_MS).text,
            world_consultant_id(kind_at(stay, 0), stay->cell).text,
            stay->infected ? "1.2 g by intravenous injection every 8 hours"
                           : "1 g by mouth up to four times a day");
    out_end(&w->out, OUT_MEDICATION_REQUEST);
}

void stay_write(struct world *w, struct stay *stay)
{
    struct person *p = stay->person;
    struct world_id id = person_new_id(p, "enc");
    if (stay->arrived_ms)
        clinic_write_attendance(w, p, &(struct clinic_attendance){
            stay->arrived_ms, stay->admitted_ms, stay->reason, stay->cell, id.text });
    write_encounter(w, stay, id.text);
    person_write_condition(w, p, stay->reason, stay->admitted_ms, id.text);
    write_treatment(w, stay, id.text);
    write_flags(w, stay, id.text);
    int64_t until = is_over(w, stay) ? stay->left_ms : w->end_ms;
    for (int64_t at = stay->admitted_ms + 2 * WORLD_HOUR_MS; at < until; at += 2 * WORLD_DAY_MS)
        clinic_write_bloods(w, p, at, stay->infected ? stay->severity : stay->severity * 0.2,
                            id.text);
    if (until > w->detail_ms)
        write_observations(w, stay, id.text);
    if (!is_over(w, stay)) {
        write_team_and_tasks(w, stay, id.text);
        paper_write(w, stay, id.text);
    } else if (!stay->dies) {
        clinic_write_letter(w, p, stay->left_ms, stay->reason,
                            world_consultant_id(kind_at(stay, stay->moves_count - 1),
                                                stay->cell).text, id.text);
    }
}
