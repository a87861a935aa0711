/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/vital.h"
#include "clinical/decimal.h"

/* clang-format off: one row a sign, held against the ward's paper. */
#define LOCAL "local choice, for the trust to sign", "2026-01-01", false
const struct obs_vital_kind obs_vitals[OBS_VITALS] = {
    [OBS_RESP]      = { "resp", "Respiration rate", "breaths a minute", "/min",
        { "86290005", "Respiratory rate", "9279-1" }, 0, 0, 120, 8, 40, LOCAL },
    [OBS_SPO2]      = { "spo2", "Oxygen saturation", "%", "%",
        { "431314004", "Peripheral oxygen saturation", "59408-5" }, 0, 30, 100, 75, 100, LOCAL },
    [OBS_SYSTOLIC]  = { "systolic", "Systolic pressure", "mmHg", "mm[Hg]",
        { "72313002", "Systolic arterial pressure", "8480-6" }, 0, 20, 350, 70, 220, LOCAL },
    [OBS_DIASTOLIC] = { "diastolic", "Diastolic pressure", "mmHg", "mm[Hg]",
        { "1091811000000102", "Diastolic arterial pressure", "8462-4" }, 0, 10, 250, 30, 130,
        LOCAL },
    [OBS_PULSE]     = { "pulse", "Pulse", "beats a minute", "/min",
        { "78564009", "Heart rate measured at systemic artery", "8867-4" }, 0, 0, 350, 40, 160,
        LOCAL },
    [OBS_TEMP]      = { "temp", "Temperature", "\302\260C", "Cel",
        { "276885007", "Core body temperature", "8310-5" }, 1, 200, 460, 340, 410, LOCAL },
    [OBS_FLOW]      = { "flow", "Oxygen flow", "litres a minute", "L/min",
        { NULL, "Inhaled oxygen flow rate", "3151-8" }, 1, 1, 800, 5, 150, LOCAL },
    [OBS_FIO2]      = { "fio2", "Inspired oxygen", "%", "%",
        { NULL, "Inhaled oxygen concentration", "3150-6" }, 0, 21, 100, 24, 60, LOCAL },
};
const struct obs_acvpu obs_acvpus[] = {
    { 'A', "A", "Alert",
      { "248234008", "Mentally alert", NULL } },
    { 'C', "C", "New confusion",
      { "130987000", "Acute confusion", NULL } },
    { 'K', "K", "Confused as usual, not new",
      { NULL, "Confusion that is not new", NULL, "usual-confusion" } },
    { 'V', "V", "Responds to voice",
      { "300202002", "Responds to voice", NULL } },
    { 'P', "P", "Responds to pain",
      { "450847001", "Responds to pain", NULL } },
    { 'U', "U", "Unresponsive",
      { "422768004", "Unresponsive", NULL } },
};
const struct obs_device obs_devices[] = {
    { "cannula",  "Nasal cannula",               true },
    { "mask",     "Simple mask",                 true },
    { "venturi",  "Venturi mask",                false },
    { "reservoir","Reservoir mask",              true },
    { "humid",    "Humidified",                  false },
    { "hfno",     "High-flow nasal oxygen",      false },
    { "cpap",     "CPAP",                        false },
    { "niv",      "Non-invasive ventilation",    false },
    { "other",    "Other",                       true },
};

/* Other codes under which the same signs arrive. */
static const struct { const char *system, *code; enum obs_vital vital; } others[] = {
    { OBS_SNOMED, "103228002", OBS_SPO2 },     { OBS_LOINC, "2708-6", OBS_SPO2 },
    { OBS_SNOMED, "364075005", OBS_PULSE },    { OBS_SNOMED, "386725007", OBS_TEMP },
    { OBS_SNOMED, "271649006", OBS_SYSTOLIC }, { OBS_SNOMED, "271650006", OBS_DIASTOLIC },
};
/* A value in `ucum` times `numerator`, plus `add`, over `denominator` is in the row's own unit. */
static const struct {
    const char *ucum, *word; enum obs_vital vital; int numerator, denominator, add;
} units[] = {
    { "[degF]", "F",   OBS_TEMP,      5,       9,       -320 }, /* tenths less 32.0, times 5/9 */
    { "kPa",    "kPa", OBS_SYSTOLIC,  7500617, 1000000, 0 },
    { "kPa",    "kPa", OBS_DIASTOLIC, 7500617, 1000000, 0 },
};
/* clang-format on */
const size_t obs_vitals_count = OBS_VITALS;
const size_t obs_acvpus_count = COUNT(obs_acvpus), obs_devices_count = COUNT(obs_devices);

const struct obs_acvpu *obs_acvpu_find(char letter)
{
    for (size_t i = 0; i < COUNT(obs_acvpus); i++)
        if (obs_acvpus[i].letter == letter)
            return &obs_acvpus[i];
    return NULL;
}

enum obs_vital obs_vital_of(struct json code)
{
    for (enum obs_vital v = 0; v < OBS_VITALS; v++) {
        const struct obs_code *own = &obs_vitals[v].code;
        if ((own->snomed && obs_has_code(code, OBS_SNOMED, own->snomed)) ||
            (own->loinc && obs_has_code(code, OBS_LOINC, own->loinc)))
            return v;
    }
    for (size_t i = 0; i < COUNT(others); i++)
        if (obs_has_code(code, others[i].system, others[i].code))
            return others[i].vital;
    return OBS_VITALS;
}

static int64_t half_up(int64_t numerator, int64_t denominator)
{
    int64_t doubled = 2 * numerator + denominator;
    return doubled >= 0 ? doubled / (2 * denominator)
                        : -((-doubled + 2 * denominator - 1) / (2 * denominator));
}

/* Converted with three more decimals than are kept, so that rounding happens once. */
static bool scaled(enum obs_vital vital, str text, size_t unit, int *out)
{
    const struct obs_vital_kind *kind = &obs_vitals[vital];
    int64_t fine;
    if (!decimal_scaled(text, kind->decimals + 3, &fine) || fine < -10000000 || fine > 10000000)
        return false;
    int64_t value = half_up((fine + (int64_t)units[unit].add * 1000) * units[unit].numerator,
                            (int64_t)units[unit].denominator * 1000);
    *out = (int)value;
    return value >= 0;
}

static bool own_unit(enum obs_vital vital, str text, int *out)
{
    int64_t value;
    if (!decimal_scaled(text, obs_vitals[vital].decimals, &value) || value < 0 || value > 100000)
        return false;
    *out = (int)value;
    return true;
}

bool obs_vital_read(enum obs_vital vital, str text, str unit, int *out)
{
    for (size_t i = 0; i < COUNT(units); i++)
        if (units[i].vital == vital && str_eq_nocase(unit, str_of(units[i].word)))
            return scaled(vital, text, i, out);
    if (obs_vitals[vital].decimals == 0 && !decimal_is_exact(text, 0))
        return false;
    return own_unit(vital, text, out);
}

/* Units as senders spell them where they give no UCUM code. */
static bool is_own_unit(enum obs_vital vital, str code)
{
    static const char *const spelt[] = { "/min", "{beats}/min", "{breaths}/min", "bpm", "%",
                                         "mm[Hg]", "mmHg", "Cel", "C", "L/min", "l/min",
                                         "\302\260C" };
    if (!code.n || str_eq(code, str_of(obs_vitals[vital].ucum)))
        return true;
    bool pressure = vital == OBS_SYSTOLIC || vital == OBS_DIASTOLIC;
    for (size_t i = 0; i < COUNT(spelt); i++)
        if (str_eq(code, str_of(spelt[i])))
            return spelt[i][0] == '%' ? vital == OBS_SPO2 || vital == OBS_FIO2
                   : spelt[i][0] == 'm' ? pressure
                   : i >= 9 && i < 11 ? vital == OBS_FLOW
                   : i >= 7 ? vital == OBS_TEMP : vital == OBS_RESP || vital == OBS_PULSE;
    return false;
}

int obs_vital_value(struct ctx *cx, enum obs_vital vital, struct json quantity)
{
    str text = json_text(json_get(quantity, S("value")));
    str code = json_string(cx->arena, json_get(quantity, S("code")));
    int value = OBS_NONE;
    if (!str_given(code))
        code = json_string(cx->arena, json_get(quantity, S("unit")));
    if (!json_is(json_get(quantity, S("value")), JSON_NUMBER) ||
        !json_is(json_get(quantity, S("comparator")), JSON_ABSENT))
        return OBS_NONE;
    for (size_t i = 0; i < COUNT(units); i++)
        if (units[i].vital == vital && str_eq(code, str_of(units[i].ucum)))
            return scaled(vital, text, i, &value) ? value : OBS_NONE;
    return is_own_unit(vital, code) && own_unit(vital, text, &value) ? value : OBS_NONE;
}

str obs_vital_text(struct ctx *cx, enum obs_vital vital, int value)
{
    if (value == OBS_NONE)
        return S("");
    return obs_vitals[vital].decimals ? arena_printf(cx->arena, "%d.%d", value / 10, value % 10)
                                      : arena_printf(cx->arena, "%d", value);
}
