/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/clinic.h"
#include "clinical/london.h"
#include "synth/paper.h"
#include <math.h>

void clinic_write_attendance(struct world *w, struct person *p,
                             const struct clinic_attendance *visit)
{
    struct out *out = &w->out;
    struct out_text from = out_when(visit->arrived_ms), to = out_when(visit->left_ms);
    world_head(w, OUT_ENCOUNTER, "Encounter", person_new_id(p, "ed").text);
    out_add(out, ",'status':'finished','class':{'system':'http://terminology.hl7.org/CodeSystem/"
            "v3-ActCode','code':'EMER','display':'emergency'}");
    person_put(w, "subject", p);
    out_add(out, ",'period':{'start':'%s','end':'%s'},'reasonCode':[{'coding':[{'system':'"
            WORLD_SNOMED "','code':'%s','display':'%s'}]}]", from.text, to.text,
            visit->reason.code, visit->reason.display);
    out_add(out, ",'location':[{'location':{'reference':'Location/ed-%d'},'status':'completed',"
            "'period':{'start':'%s','end':'%s'}}]", (int)(visit->cell / WORLD_SITE_CELLS) + 1,
            from.text, to.text);
    if (visit->admission)
        out_add(out, ",'partOf':{'reference':'Encounter/%s'}", visit->admission);
    out_add(out, ",'serviceProvider':{'reference':'Organization/org-trust'}}");
    out_end(out, OUT_ENCOUNTER);
}

struct test {
    const char *loinc, *display, *unit, *ucum;
    double usual, spread, inflamed; /* what full inflammation adds */
    double low, high;
    int decimals;
};
struct panel {
    const char *loinc, *display;
    const struct test *tests;
    size_t count;
};

static const struct test blood_count[] = {
    { "718-7", "Hemoglobin [Mass/volume] in Blood", "g/L", "g/L", 136, 13, -10, 115, 170, 0 },
    { "6690-2", "Leukocytes [#/volume] in Blood by Automated count", "10*9/L", "10*9/L", 7.2, 1.6,
      11, 4, 11, 1 },
    { "777-3", "Platelets [#/volume] in Blood by Automated count", "10*9/L", "10*9/L", 262, 55, 60,
      150, 400, 0 },
};
static const struct test electrolytes[] = {
    { "2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", "mmol/L", 139.5, 2.4, -4,
      133, 146, 0 },
    { "2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", "mmol/L", 4.3, 0.35, 0.2,
      3.5, 5.3, 1 },
    { "22664-7", "Urea [Moles/volume] in Serum or Plasma", "mmol/L", "mmol/L", 5.8, 1.5, 6, 2.5,
      7.8, 1 },
    { "14682-9", "Creatinine [Moles/volume] in Serum or Plasma", "umol/L", "umol/L", 82, 17, 55, 50,
      110, 0 },
};
static const struct test c_reactive[] = {
    { "1988-5", "C reactive protein [Mass/volume] in Serum or Plasma", "mg/L", "mg/L", 4, 3, 190, 0,
      5, 0 },
};
static const struct test glycated[] = {
    { "59261-8", "Hemoglobin A1c/Hemoglobin.total in Blood by IFCC protocol", "mmol/mol",
      "mmol/mol", 56, 12, 0, 20, 48, 0 },
};
static const struct panel panels[] = {
    { "58410-2", "Full blood count", blood_count, COUNT(blood_count) },
    { NULL, "Urea and electrolytes", electrolytes, COUNT(electrolytes) },
    { NULL, "C-reactive protein", c_reactive, COUNT(c_reactive) },
};
static const struct panel sugar = { NULL, "Glycated haemoglobin", glycated, COUNT(glycated) };

static void write_result(struct world *w, struct person *p, const struct test *test, int64_t at_ms,
                         double inflamed, const char *encounter)
{
    struct out *out = &w->out;
    bool kidney = person_has(p, PERSON_KIDNEY) && (test->usual == 82 || test->usual == 5.8);
    double value = test->usual * (kidney ? 1.7 : 1) + world_normal(w) * test->spread +
                   test->inflamed * inflamed;
    value = fmax(value, test->usual * 0.1);
    world_head(w, OUT_OBSERVATION, "Observation-Lab", person_new_id(p, "lab").text);
    out_add(out, ",'status':'final','category':[{'coding':[{'system':'http://terminology.hl7.org/"
            "CodeSystem/observation-category','code':'laboratory'}]}]");
    world_code(w, "code", WORLD_LOINC, test->loinc, test->display);
    person_put(w, "subject", p);
    if (encounter)
        out_add(out, ",'encounter':{'reference':'Encounter/%s'}", encounter);
    out_add(out, ",'effectiveDateTime':'%s','performer':[{'reference':'Organization/org-trust'}],"
            "'valueQuantity':{'value':%.*f,'unit':'%s','system':'http://unitsofmeasure.org',"
            "'code':'%s'}", out_when(at_ms).text, test->decimals, value, test->unit, test->ucum);
    if (value < test->low || value > test->high)
        out_add(out, ",'interpretation':[{'coding':[{'system':'http://terminology.hl7.org/"
                "CodeSystem/v3-ObservationInterpretation','code':'%s'}]}]",
                value < test->low ? "L" : "H");
    out_add(out, ",'referenceRange':[{'low':{'value':%g,'unit':'%s'},'high':{'value':%g,'unit':"
            "'%s'}}]}", test->low, test->unit, test->high, test->unit);
    out_end(out, OUT_OBSERVATION);
}

static void write_panel(struct world *w, struct person *p, const struct panel *panel,
                        int64_t at_ms, double inflamed, const char *encounter)
{
    struct out *out = &w->out;
    unsigned first = p->ids + 1;
    for (size_t i = 0; i < panel->count; i++)
        write_result(w, p, &panel->tests[i], at_ms, inflamed, encounter);
    struct world_id report = person_new_id(p, "rep");
    world_head(w, OUT_REPORT, "DiagnosticReport-Lab", report.text);
    out_add(out, ",'status':'final','category':[{'coding':[{'system':'http://terminology.hl7.org/"
            "CodeSystem/v2-0074','code':'LAB'}]}]");
    world_code(w, "code", WORLD_LOINC, panel->loinc, panel->display);
    person_put(w, "subject", p);
    if (encounter)
        out_add(out, ",'encounter':{'reference':'Encounter/%s'}", encounter);
    out_add(out, ",'effectiveDateTime':'%s','issued':'%s','performer':[{'reference':"
            "'Organization/org-trust'}],'result':[", out_when(at_ms).text,
            out_when(at_ms + 90 * 60000).text);
    for (size_t i = 0; i < panel->count; i++)
        out_add(out, "%s{'reference':'Observation/lab-%s-%u'}", i ? "," : "", p->id,
                first + (unsigned)i);
    out_add(out, "]}");
    out_end(out, OUT_REPORT);
    paper_write_seen(w, p, report.text, at_ms);
}

void clinic_write_bloods(struct world *w, struct person *p, int64_t at_ms, double inflamed,
                         const char *encounter)
{
    for (size_t i = 0; i < COUNT(panels); i++)
        write_panel(w, p, &panels[i], at_ms, inflamed, encounter);
}

/* Base64, RFC 4648, for the letter's text. */
static void put_base64(struct out *out, const char *text, size_t n)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        unsigned bits = (unsigned)(unsigned char)text[i] << 16;
        if (i + 1 < n)
            bits |= (unsigned)(unsigned char)text[i + 1] << 8;
        if (i + 2 < n)
            bits |= (unsigned char)text[i + 2];
        out_add(out, "%c%c%c%c", digits[bits >> 18], digits[bits >> 12 & 63],
                i + 1 < n ? digits[bits >> 6 & 63] : '=', i + 2 < n ? digits[bits & 63] : '=');
    }
}

void clinic_write_letter(struct world *w, struct person *p, int64_t at_ms,
                         struct person_code reason, const char *author, const char *encounter)
{
    struct out *out = &w->out;
    char text[512];
    int n = snprintf(text, sizeof text, "Discharge summary\nDiagnosis: %s\nDischarged: %s\n"
                     "The patient was treated and has gone home.\n", reason.display,
                     out_date(at_ms).text);
    world_head(w, OUT_DOCUMENT, "DocumentReference", person_new_id(p, "doc").text);
    out_add(out, ",'status':'current','docStatus':'final','type':{'coding':[{'system':'"
            WORLD_SNOMED "','code':'373942005','display':'Discharge summary'}]}");
    person_put(w, "subject", p);
    out_add(out, ",'date':'%s','author':[{'reference':'Practitioner/%s'}],'custodian':"
            "{'reference':'Organization/org-trust'},'content':[{'attachment':{'contentType':"
            "'text/plain','language':'en-GB','data':'", out_when(at_ms).text, author);
    put_base64(out, text, (size_t)n);
    out_add(out, "','title':'Discharge summary','creation':'%s'}}],'context':{'encounter':"
            "[{'reference':'Encounter/%s'}]}}", out_when(at_ms).text, encounter);
    out_end(out, OUT_DOCUMENT);
}

static const struct { const char *code, *name; } specialties[] = {
    { "110", "Trauma and Orthopaedics" }, { "130", "Ophthalmology" }, { "330", "Dermatology" },
    { "320", "Cardiology" }, { "101", "Urology" }, { "120", "Ear Nose and Throat" },
    { "301", "Gastroenterology" }, { "410", "Rheumatology" }, { "400", "Neurology" },
    { "340", "Respiratory Medicine" }, { "502", "Gynaecology" },
};

static void put_rtt(struct world *w, const char *code)
{
    out_add(&w->out, ",'extension':[{'url':'" WORLD_OWN "StructureDefinition/rtt-period-status',"
            "'valueCodeableConcept':{'coding':[{'system':'" WORLD_OWN
            "CodeSystem/rtt-period-status','code':'%s'}]}}]", code);
}

static void write_referral(struct world *w, struct person *p, const char *id, size_t specialty,
                           int64_t at_ms, const char *rtt)
{
    struct out *out = &w->out;
    bool stopped = rtt[0] == '3';
    world_head(w, OUT_REQUEST, "ServiceRequest", id);
    put_rtt(w, rtt);
    out_add(out, ",'identifier':[{'system':'https://fhir.nhs.uk/Id/UBRN','value':'%012llu'}]"
            ",'status':'%s','intent':'order','category':[{'coding':[{'system':'" WORLD_SNOMED
            "','code':'3457005','display':'Patient referral'}]}],'priority':'%s'",
            (unsigned long long)random_below(&w->random, 1000000000000),
            stopped ? "completed" : "active", world_chance(w, 0.12) ? "urgent" : "routine");
    world_code(w, "code", WORLD_UK "CodeSystem/UKCore-PracticeSettingCodeEngland",
               specialties[specialty].code, specialties[specialty].name);
    person_put(w, "subject", p);
    out_add(out, ",'authoredOn':'%s','requester':{'reference':'Practitioner/%s'},'performer':"
            "[{'reference':'Organization/org-trust'}]}", out_when(at_ms).text,
            world_gp_id(p->practice, p->ids).text);
    out_end(out, OUT_REQUEST);
}

static void write_appointment(struct world *w, struct person *p, const char *referral,
                              size_t specialty, int64_t at_ms, const char *rtt)
{
    struct out *out = &w->out;
    bool past = at_ms < w->end_ms, missed = str_eq(str_of(rtt), S("33"));
    struct world_id id = person_new_id(p, "apt");
    world_head(w, OUT_APPOINTMENT, "Appointment", id.text);
    put_rtt(w, rtt);
    out_add(out, ",'status':'%s','specialty':[{'coding':[{'system':'" WORLD_UK "CodeSystem/"
            "UKCore-PracticeSettingCodeEngland','code':'%s','display':'%s'}]}],'start':'%s','end':"
            "'%s','basedOn':[{'reference':'ServiceRequest/%s'}],'participant':[{'actor':"
            "{'reference':'Patient/%s'},'status':'accepted'},{'actor':{'reference':"
            "'Location/clinic-1'},'status':'accepted'}]}", missed ? "noshow" : past ? "fulfilled"
            : "booked", specialties[specialty].code, specialties[specialty].name,
            out_when(at_ms).text, out_when(at_ms + 20 * 60000).text, referral, p->id);
    out_end(out, OUT_APPOINTMENT);
    if (!past || missed)
        return;
    world_head(w, OUT_ENCOUNTER, "Encounter", person_new_id(p, "out").text);
    out_add(out, ",'extension':[{'url':'" WORLD_UK "StructureDefinition/Extension-UKCore-"
            "OutcomeOfAttendance','valueCodeableConcept':{'coding':[{'system':'" WORLD_UK
            "CodeSystem/UKCore-OutcomeOfAttendanceEngland','code':'%c'}]}}],'status':'finished',"
            "'class':{'system':'http://terminology.hl7.org/CodeSystem/v3-ActCode','code':'AMB',"
            "'display':'ambulatory'}", rtt[0] == '3' ? '1' : '2');
    person_put(w, "subject", p);
    out_add(out, ",'basedOn':[{'reference':'ServiceRequest/%s'}],'appointment':[{'reference':"
            "'Appointment/%s'}],'period':{'start':'%s','end':'%s'},'serviceProvider':{'reference':"
            "'Organization/org-trust'}}", referral, id.text, out_when(at_ms + 300000).text,
            out_when(at_ms + 20 * 60000).text);
    out_end(out, OUT_ENCOUNTER);
}

/* A weekday, in clinic hours, so many days on. */
static int64_t clinic_time(struct world *w, int64_t from_ms, double days)
{
    int64_t day = london_day(from_ms) + 1 + (int64_t)days;
    while (london_weekday(day) > 4)
        day++;
    return london_at(day, 9 + world_pick(w, 8), world_pick(w, 3) * 20);
}

/* One pathway: referral, first appointment after some weeks, a second, an end or none yet. */
static void write_pathway(struct world *w, struct person *p, int64_t at_ms)
{
    size_t specialty = (size_t)world_pick(w, COUNT(specialties) - (p->female ? 0 : 1));
    struct world_id referral = person_new_id(p, "ref");
    int64_t booked_until = w->end_ms + 42 * WORLD_DAY_MS, referred_ms = at_ms;
    const char *status = "20";
    for (int visit = 0; visit < 3; visit++) {
        at_ms = clinic_time(w, at_ms, visit ? world_wait(w, 50) : 12 + world_wait(w, 75));
        if (at_ms > booked_until || (p->died_ms && at_ms > p->died_ms))
            break;
        bool past = at_ms < w->end_ms;
        const char *rtt = visit == 0 ? world_chance(w, 0.06) ? "33" : "10"
                          : world_chance(w, 0.5) ? "30" : world_chance(w, 0.2) ? "34" : "20";
        write_appointment(w, p, referral.text, specialty, at_ms, past ? rtt : "20");
        status = past ? rtt : status;
        if (!past || rtt[0] == '3')
            break;
    }
    write_referral(w, p, referral.text, specialty, referred_ms, status);
}

static void write_yearly_check(struct world *w, struct person *p)
{
    int64_t at = clinic_time(w, w->start_ms, world_unit(w) * (w->options.days - 5));
    if (at >= w->end_ms || at < p->born_ms || (p->died_ms && at > p->died_ms))
        return;
    if (person_has(p, PERSON_DIABETES))
        write_panel(w, p, &sugar, at, 0, NULL);
    if (p->conditions)
        clinic_write_bloods(w, p, at, 0, NULL);
}

void clinic_write_year(struct world *w, struct person *p, int64_t cell)
{
    static const struct person_code complaints[] = {
        { "29857009", "Chest pain" }, { "21522001", "Abdominal pain" }, { "25064002", "Headache" },
        { "267036007", "Dyspnea" }, { "161898004", "Falls" },
    };
    double years = w->options.days / 365.0;
    double span = (double)(w->end_ms - w->start_ms);
    for (double at = world_wait(w, 1 / 0.35); at < years; at += world_wait(w, 1 / 0.35)) {
        int64_t arrived = w->start_ms + (int64_t)(at / years * span);
        int64_t left = arrived + (int64_t)(3600000 * (1.2 + world_wait(w, 2.4)));
        bool alive = !p->died_ms || left < p->died_ms;
        if (alive && left < w->end_ms && arrived > p->born_ms)
            clinic_write_attendance(w, p, &(struct clinic_attendance){
                arrived, left, complaints[world_pick(w, COUNT(complaints))], cell, NULL });
    }
    for (double at = world_wait(w, 1 / 0.45); at < years; at += world_wait(w, 1 / 0.45))
        if (w->start_ms + (int64_t)(at / years * span) > p->born_ms)
            write_pathway(w, p, w->start_ms + (int64_t)(at / years * span));
    write_yearly_check(w, p);
}
