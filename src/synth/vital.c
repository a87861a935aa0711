/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/vital.h"
#include "clinical/london.h"
#include <math.h>

enum { RESP, SPO2, PULSE, SYSTOLIC, TEMP, SIGNS };

void vital_begin(struct world *w, struct vital *v, int64_t at_ms)
{
    v->at_ms = at_ms;
    v->target = v->severity * 0.4;
    for (size_t i = 0; i < SIGNS; i++)
        v->drift[i] = world_normal(w);
}

void vital_step(struct world *w, const struct person *p, struct vital *v, int64_t to_ms)
{
    double hours = (double)(to_ms - v->at_ms) / (double)WORLD_HOUR_MS;
    v->at_ms = to_ms;
    /* Recovery takes days; a deterioration comes about once in twelve days, sooner to the frail. */
    v->target = v->dies ? fmin(1, v->target + hours * 0.02) : v->target * exp(-hours / 70);
    if (!v->dies && world_chance(w, 1 - exp(-hours / 24 * 0.16 * p->frailty)))
        v->target = fmin(0.85, v->target + 0.3 + world_unit(w) * 0.35);
    double keep = exp(-hours / 8);
    v->severity = v->target + (v->severity - v->target) * keep +
                  world_normal(w) * 0.05 * sqrt(1 - keep * keep);
    v->severity = fmax(0, fmin(1, v->severity));
    for (size_t i = 0; i < SIGNS; i++)
        v->drift[i] = v->drift[i] * keep + world_normal(w) * sqrt(1 - keep * keep);
}

static int sign(double value, int least, int most)
{
    int whole = (int)lround(value);
    return whole < least ? least : whole > most ? most : whole;
}

/* What is usual at this age: children breathe and beat faster, at lower pressure. */
static double child(const struct person *p)
{
    return p->age >= 16 ? 0 : (16 - (double)p->age) / 16;
}

static char consciousness(struct world *w, const struct vital *v)
{
    if (v->severity < 0.62 || !world_chance(w, (v->severity - 0.55) * 1.6))
        return 'A';
    return v->severity > 0.93 ? 'U' : v->severity > 0.87 ? 'P' : v->severity > 0.8 ? 'V' : 'C';
}

static void breathe(struct world *w, const struct person *p, struct vital *v, struct vital_set *set)
{
    bool low_target = p->target_88_92;
    double base = low_target ? 90.5 : person_has(p, PERSON_COPD) ? 94.5 : 97.2;
    double on_air = base - v->severity * (v->hypoxic ? 11 : 5) + v->drift[SPO2] * 0.9;
    double wanted = low_target ? 88 : 93.5;
    /* Oxygen is started below the target and weaned only well above it. */
    if (on_air < wanted)
        v->on_oxygen = true;
    else if (on_air > wanted + 1.5)
        v->on_oxygen = false;
    set->obs.on_oxygen = v->on_oxygen;
    set->obs.spo2_scale2 = low_target;
    set->obs.spo2_pct = sign(on_air + (v->on_oxygen ? low_target ? 2.5 : 3.5 : 0), 70, 100);
    set->obs.resp_per_min = sign(15.5 + child(p) * 16 + v->severity * (v->hypoxic ? 14 : 8) +
                                 v->drift[RESP] * 1.3 + world_normal(w) * 0.5, 6, 60);
}

struct vital_set vital_read(struct world *w, const struct person *p, struct vital *v)
{
    struct vital_set set = { .acvpu = consciousness(w, v) };
    struct clock_civil local = london_civil(v->at_ms);
    double day = sin(((double)local.hour - 9) / 24 * 6.28318530718);
    double paced = person_has(p, PERSON_FIBRILLATION) ? 8 : 0;
    breathe(w, p, v, &set);
    set.obs.pulse_per_min = sign(74 + paced + child(p) * 45 + v->severity * 48 + day * 3 +
                                 v->drift[PULSE] * 6 + world_normal(w) * 2, 34, 210);
    double pressure = 112 + fmin((double)p->age, 80) * 0.32 +
                      (person_has(p, PERSON_HYPERTENSION) ? 9 : 0) - child(p) * 22;
    set.obs.systolic_mmhg = sign(pressure - v->severity * 42 + day * 3 + v->drift[SYSTOLIC] * 8 +
                                 world_normal(w) * 3, 55, 240);
    set.diastolic_mmhg = sign(set.obs.systolic_mmhg * 0.6 + world_normal(w) * 4, 30, 130);
    set.obs.temp_tenth_c = sign(366 + day * 2 + (v->infected ? v->severity * 22 : 0) +
                                v->drift[TEMP] * 2.2 + world_normal(w), 340, 415);
    set.obs.alert = set.acvpu == 'A';
    return set;
}

struct observation {
    const char *profile, *snomed, *display, *loinc, *loinc_display;
    const char *unit, *ucum;
};

static void begin(struct world *w, struct person *p, const struct observation *o,
                  const char *category, const struct vital_taken *taken)
{
    struct out *out = &w->out;
    world_head(w, OUT_OBSERVATION, o->profile, person_new_id(p, "obs").text);
    out_add(out, ",'status':'final','category':[{'coding':[{'system':'http://terminology.hl7.org/"
            "CodeSystem/observation-category','code':'%s'}]}],'code':{'coding':[", category);
    out_add(out, "{'system':'" WORLD_SNOMED "','code':'%s','display':'%s'}", o->snomed,
            o->display);
    if (o->loinc)
        out_add(out, ",{'system':'" WORLD_LOINC "','code':'%s','display':'%s'}", o->loinc,
                o->loinc_display);
    out_add(out, "]}");
    person_put(w, "subject", p);
    out_add(out, ",'encounter':{'reference':'Encounter/%s'},'effectiveDateTime':'%s','performer':"
            "[{'reference':'Practitioner/%s'}]", taken->encounter, out_when(taken->at_ms).text,
            taken->performer);
}

static void quantity(struct world *w, const char *key, const char *value, const char *unit,
                     const char *ucum)
{
    out_add(&w->out, ",'%s':{'value':%s,'unit':'%s','system':'http://unitsofmeasure.org','code':"
            "'%s'}", key, value, unit, ucum);
}

static void end(struct world *w)
{
    out_add(&w->out, "}");
    out_end(&w->out, OUT_OBSERVATION);
}

static void component(struct world *w, const char *snomed, const char *display, const char *loinc,
                      const char *value)
{
    out_add(&w->out, "{'code':{'coding':[{'system':'" WORLD_SNOMED "','code':'%s','display':'%s'}",
            snomed, display);
    if (loinc)
        out_add(&w->out, ",{'system':'" WORLD_LOINC "','code':'%s'}", loinc);
    out_add(&w->out, "]}");
    if (loinc)
        quantity(w, "valueQuantity", value, "millimeter of mercury", "mm[Hg]");
    else
        quantity(w, "valueQuantity", value, "score", "{ScoreOf}");
    out_add(&w->out, "}");
}

static void write_total(struct world *w, struct person *p, const struct news2_score *score,
                        bool scale2, const struct vital_taken *taken)
{
    static const struct observation total = {
        "Observation-EarlyWarningTotalScore", "1104051000000101",
        "Royal College of Physicians NEWS2 (National Early Warning Score 2) total score", NULL,
        NULL, NULL, NULL };
    char text[8];
    begin(w, p, &total, "survey", taken);
    snprintf(text, sizeof text, "%d", score->total);
    quantity(w, "valueQuantity", text, "score", "{ScoreOf}");
    out_add(&w->out, ",'component':[");
    for (size_t i = 0; i < NEWS2_PARTS; i++) {
        const char *snomed = news2_names[i].snomed;
        if (i == NEWS2_SPO2 && scale2)
            snomed = "1104321000000108";
        snprintf(text, sizeof text, "%d", score->parts[i]);
        out_add(&w->out, i ? "," : "");
        component(w, snomed, news2_names[i].title, NULL, text);
    }
    out_add(&w->out, "]");
    end(w);
}

static void write_pressure(struct world *w, const struct vital_set *set)
{
    char text[8];
    out_add(&w->out, ",'component':[");
    snprintf(text, sizeof text, "%d", set->obs.systolic_mmhg);
    component(w, "72313002", "Systolic arterial pressure", "8480-6", text);
    out_add(&w->out, ",");
    snprintf(text, sizeof text, "%d", set->diastolic_mmhg);
    component(w, "1091811000000102", "Diastolic arterial pressure", "8462-4", text);
    out_add(&w->out, "]");
    end(w);
}

static void write_consciousness(struct world *w, char acvpu)
{
    static const struct { char letter; struct person_code code; } answers[] = {
        { 'A', { "248234008", "Mentally alert" } }, { 'C', { "130987000", "Acute confusion" } },
        { 'V', { "300202002", "Responds to voice" } },
        { 'P', { "450847001", "Responds to pain" } }, { 'U', { "422768004", "Unresponsive" } },
    };
    for (size_t i = 0; i < COUNT(answers); i++)
        if (answers[i].letter == acvpu)
            world_code(w, "valueCodeableConcept", WORLD_SNOMED, answers[i].code.code,
                       answers[i].code.display);
    end(w);
}

/* Numbers in the order of the table below; temperature with its one decimal. */
static void write_numbers(struct world *w, struct person *p, const struct vital_set *set,
                          const struct vital_taken *taken)
{
    static const struct observation numbers[] = {
        { "Observation-VitalSigns-RespirationRate", "86290005", "Respiratory rate", "9279-1",
          "Respiratory rate", "per minute", "/min" },
        { "Observation-VitalSigns-OxygenSaturation", "431314004", "Peripheral oxygen saturation",
          "2708-6", "Oxygen saturation in Arterial blood", "percent", "%" },
        { "Observation-VitalSigns-HeartRate", "78564009", "Heart rate measured at systemic artery",
          "8867-4", "Heart rate", "per minute", "/min" },
        { "Observation-VitalSigns-BodyTemperature", "276885007", "Core body temperature", "8310-5",
          "Body temperature", "degree Celsius", "Cel" },
    };
    const int values[] = { set->obs.resp_per_min, set->obs.spo2_pct, set->obs.pulse_per_min,
                           set->obs.temp_tenth_c };
    for (size_t i = 0; i < COUNT(numbers); i++) {
        char text[24];
        if (values[i] == NEWS2_MISSING)
            continue;
        if (i == 3)
            snprintf(text, sizeof text, "%d.%d", values[i] / 10, values[i] % 10);
        else
            snprintf(text, sizeof text, "%d", values[i]);
        begin(w, p, &numbers[i], "vital-signs", taken);
        quantity(w, "valueQuantity", text, numbers[i].unit, numbers[i].ucum);
        end(w);
    }
}

bool vital_write(struct world *w, struct person *p, const struct vital_set *set,
                 const struct vital_taken *taken, struct news2_score *score)
{
    static const struct observation pressure = {
        "Observation-VitalSigns-BloodPressure", "75367002", "Blood pressure", "85354-9",
        "Blood pressure panel with all children optional", NULL, NULL };
    static const struct observation acvpu = {
        "Observation-ACVPU", "1104441000000107", "ACVPU (Alert Confusion Voice Pain Unresponsive) "
        "scale score", NULL, NULL, NULL, NULL };
    static const struct observation air = { "Observation", "722742002", "Breathing room air", NULL,
                                            NULL, NULL, NULL };
    static const struct observation oxygen = {
        "Observation-InspiredOxygen", "371825009", "Patient on oxygen", NULL, NULL, NULL, NULL };
    struct vital_set recorded = *set;
    bool complete = !world_chance(w, 0.03);
    if (!complete)
        recorded.obs.temp_tenth_c = NEWS2_MISSING;
    write_numbers(w, p, &recorded, taken);
    begin(w, p, &pressure, "vital-signs", taken);
    write_pressure(w, &recorded);
    begin(w, p, &acvpu, "vital-signs", taken);
    write_consciousness(w, recorded.acvpu);
    begin(w, p, recorded.obs.on_oxygen ? &oxygen : &air, "vital-signs", taken);
    if (recorded.obs.on_oxygen)
        quantity(w, "valueQuantity", recorded.obs.spo2_pct < 93 ? "4" : "2", "litre per minute",
                 "l/min");
    end(w);
    if (!complete || p->age < NEWS2_AGE_LEAST)
        return false;
    news2_add_up(&news2_chart, &recorded.obs, score);
    write_total(w, p, score, recorded.obs.spo2_scale2, taken);
    return true;
}
