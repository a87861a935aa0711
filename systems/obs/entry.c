/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/entry.h"
#include "clinical/london.h"
#include "http/text.h"

enum { OLDEST_DAYS = 7, KEY_MAX = 40, QUEUE_OLDEST_H = 72 };

static const struct { const char *name, *label; } names[OBS_FIELDS] = {
    [OBS_F_RESP] = { "resp", "Respiration rate" }, [OBS_F_SPO2] = { "spo2", "Oxygen saturation" },
    [OBS_F_OXYGEN] = { "oxygen", "Air or oxygen" }, [OBS_F_DEVICE] = { "device", "Given by" },
    [OBS_F_FLOW] = { "flow", "Oxygen flow" }, [OBS_F_FIO2] = { "fio2", "Inspired oxygen" },
    [OBS_F_SYSTOLIC] = { "systolic", "Systolic pressure" },
    [OBS_F_DIASTOLIC] = { "diastolic", "Diastolic pressure" }, [OBS_F_PULSE] = { "pulse", "Pulse" },
    [OBS_F_ACVPU] = { "acvpu", "Consciousness" }, [OBS_F_TEMP] = { "temp", "Temperature" },
    [OBS_F_AT] = { "at", "Taken at" }, [OBS_F_IDENTITY] = { "identity", "Right patient" },
    [OBS_F_NEWER] = { "newer", "Newer set" }, [OBS_F_REASON] = { "reason", "Reason" },
};
static const struct { enum obs_field field; enum obs_vital vital; } numbers[] = {
    { OBS_F_RESP, OBS_RESP }, { OBS_F_SPO2, OBS_SPO2 }, { OBS_F_FLOW, OBS_FLOW },
    { OBS_F_FIO2, OBS_FIO2 }, { OBS_F_SYSTOLIC, OBS_SYSTOLIC },
    { OBS_F_DIASTOLIC, OBS_DIASTOLIC }, { OBS_F_PULSE, OBS_PULSE }, { OBS_F_TEMP, OBS_TEMP },
};

str obs_age(struct ctx *cx, int64_t since_ms)
{
    int64_t minutes = (cx->now_ms - since_ms) / 60000;
    if (minutes < 1)
        return S("just now");
    if (minutes < 90)
        return arena_printf(cx->arena, "%lld min ago", (long long)minutes);
    if (minutes < 48 * 60)
        return arena_printf(cx->arena, "%lld h ago", (long long)((minutes + 30) / 60));
    return arena_printf(cx->arena, "%lld days ago", (long long)(minutes / (24 * 60)));
}

bool obs_key_is_sound(str key)
{
    for (size_t i = 0; i < key.n; i++)
        if (!((key.p[i] >= 'a' && key.p[i] <= 'z') || (key.p[i] >= '0' && key.p[i] <= '9') ||
              key.p[i] == '-'))
            return false;
    return key.n >= 8 && key.n <= KEY_MAX;
}

static str asked(struct ctx *cx, str form, const char *name)
{
    str value = http_query_value(cx->arena, form, str_of(name));
    return value.p ? str_trim(value) : S("");
}

static void stop(struct obs_entry *entry, enum obs_field field, str why)
{
    entry->fields[field].error = why;
    entry->wrong++;
}

static void question(struct ctx *cx, struct obs_entry *entry, enum obs_field field, str form,
                     str text)
{
    struct obs_entry_field *f = &entry->fields[field];
    str answer = asked(cx, form, arena_cstr(cx->arena, arena_printf(cx->arena, "confirm_%s",
                                                                    f->name)));
    f->question = text;
    f->confirmed = answer.n > 0 && str_eq(answer, field == OBS_F_NEWER ? S("1") : f->text);
    entry->asked += !f->confirmed;
}

static str unit_of(const struct obs_entry *entry, enum obs_vital vital)
{
    bool pressure = vital == OBS_SYSTOLIC || vital == OBS_DIASTOLIC;
    return vital == OBS_TEMP ? entry->temp_unit : pressure ? entry->pressure_unit : S("");
}

/* A confirmation holds for the very text it was given for, not for what is typed later. */
static void read_number(struct ctx *cx, struct obs_entry *entry, str form, enum obs_field field,
                        enum obs_vital vital)
{
    const struct obs_vital_kind *kind = &obs_vitals[vital];
    str text = entry->fields[field].text;
    int value;
    if (!text.n)
        return;
    if (!obs_vital_read(vital, text, unit_of(entry, vital), &value)) {
        stop(entry, field, arena_printf(cx->arena, "%s: enter a number such as %s",
                                        kind->label, kind->decimals ? "36.8" : "18"));
        return;
    }
    if (value < kind->least || value > kind->most) {
        stop(entry, field, arena_printf(cx->arena, "%s: %.*s is not possible (%.*s to %.*s %s); "
             "check the reading and its unit", kind->label, STR_ARG(text),
             STR_ARG(obs_vital_text(cx, vital, kind->least)),
             STR_ARG(obs_vital_text(cx, vital, kind->most)), kind->unit));
        return;
    }
    entry->set.values[vital] = value;
    if (value < kind->low || value > kind->high)
        question(cx, entry, field, form, arena_printf(cx->arena, "%s %.*s %s: is that right?",
                 kind->label, STR_ARG(obs_vital_text(cx, vital, value)), kind->unit));
}

static void read_pressure(struct obs_entry *entry)
{
    int high = entry->set.values[OBS_SYSTOLIC], low = entry->set.values[OBS_DIASTOLIC];
    if (high != OBS_NONE && low != OBS_NONE && low >= high)
        stop(entry, OBS_F_DIASTOLIC,
             S("Diastolic pressure: it must be lower than the systolic pressure"));
}

static void read_oxygen(struct ctx *cx, struct obs_entry *entry)
{
    str oxygen = entry->fields[OBS_F_OXYGEN].text, device = entry->fields[OBS_F_DEVICE].text;
    if (str_eq(oxygen, S("air")))
        entry->set.on_oxygen = 0;
    else if (str_eq(oxygen, S("oxygen")))
        entry->set.on_oxygen = 1;
    else if (oxygen.n)
        stop(entry, OBS_F_OXYGEN, S("Air or oxygen: choose one of the two"));
    bool details = device.n || entry->set.values[OBS_FLOW] != OBS_NONE ||
                   entry->set.values[OBS_FIO2] != OBS_NONE;
    if (details && entry->set.on_oxygen != 1)
        stop(entry, OBS_F_OXYGEN, S("Air or oxygen: a flow or device is given, so choose oxygen"));
    for (size_t i = 0; i < obs_devices_count; i++)
        if (str_eq(device, str_of(obs_devices[i].name)))
            entry->set.device = str_of(obs_devices[i].text);
    if (device.n && !entry->set.device.n)
        stop(entry, OBS_F_DEVICE, S("Given by: choose from the list"));
    (void)cx;
}

static void read_acvpu(struct obs_entry *entry)
{
    str text = entry->fields[OBS_F_ACVPU].text;
    if (!text.n)
        return;
    if (text.n == 1 && obs_acvpu_find(text.p[0]))
        entry->set.acvpu = text.p[0];
    else
        stop(entry, OBS_F_ACVPU, S("Consciousness: choose one of the answers"));
}

bool obs_wall_read(str text, int64_t *out)
{
    int n[5];
    static const struct { size_t from, to; } parts[] = { { 0, 4 }, { 5, 7 }, { 8, 10 }, { 11, 13 },
                                                         { 14, 16 } };
    if (text.n < 16 || text.p[4] != '-' || text.p[7] != '-' || text.p[13] != ':' ||
        (text.p[10] != 'T' && text.p[10] != ' '))
        return false;
    for (size_t i = 0; i < COUNT(parts); i++) {
        uint64_t value;
        if (!str_to_u64(str_slice(text, parts[i].from, parts[i].to), &value))
            return false;
        n[i] = (int)value;
    }
    if (n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > clock_month_days(n[0], n[1]) || n[3] > 23 ||
        n[4] > 59)
        return false;
    *out = london_instant((struct clock_civil){ n[0], n[1], n[2], n[3], n[4], 0, 0 });
    return true;
}

str obs_time_read(struct ctx *cx, str text, int64_t *at_ms)
{
    if (text.n && !obs_wall_read(text, at_ms))
        return S("Taken at: give a date and a time");
    if (*at_ms > cx->now_ms + OBS_AHEAD_MIN * 60000)
        return S("Taken at: that is in the future; check the date and the clock");
    if (*at_ms < cx->now_ms - OLDEST_DAYS * INT64_C(86400000))
        return S("Taken at: more than a week ago; check the date");
    if (*at_ms > cx->now_ms)
        *at_ms = cx->now_ms / 1000 * 1000;
    return S("");
}

static void read_time(struct ctx *cx, struct obs_entry *entry, str form)
{
    str text = entry->fields[OBS_F_AT].text, counted = asked(cx, form, "taken_ms");
    int64_t at_ms = cx->now_ms / 1000 * 1000, ms;
    bool queued = str_to_i64(counted, &ms) && ms <= cx->now_ms + OBS_AHEAD_MIN * 60000 &&
                  ms > cx->now_ms - QUEUE_OLDEST_H * INT64_C(3600000);
    if (queued)
        at_ms = ms / 1000 * 1000;
    str wrong = obs_time_read(cx, text, &at_ms);
    if (wrong.n)
        stop(entry, OBS_F_AT, wrong);
    entry->set.at_ms = at_ms;
}

static bool is_empty(const struct obs_entry *entry)
{
    static const enum obs_field values[] = { OBS_F_RESP, OBS_F_SPO2, OBS_F_OXYGEN, OBS_F_SYSTOLIC,
                                             OBS_F_DIASTOLIC, OBS_F_PULSE, OBS_F_ACVPU,
                                             OBS_F_TEMP };
    for (size_t i = 0; i < COUNT(values); i++)
        if (entry->fields[values[i]].text.n)
            return false;
    return true;
}

/* Reached by a scan or a search, the patient could be another one: two identifiers are checked. */
static void read_identity(struct ctx *cx, struct obs_entry *entry, str form)
{
    bool both = asked(cx, form, "checked_name").n && asked(cx, form, "checked_number").n;
    if (entry->from.n && !both)
        stop(entry, OBS_F_IDENTITY, S("Right patient: check name with date of birth, and the NHS "
                                      "number, against the wristband"));
}

void obs_entry_read(struct ctx *cx, const struct obs_person *person, str form,
                    struct obs_entry *out)
{
    struct obs_entry entry = { .set = { .on_oxygen = OBS_NONE, .sent_total = OBS_NONE } };
    for (size_t i = 0; i < OBS_VITALS; i++)
        entry.set.values[i] = OBS_NONE;
    for (size_t i = 0; i < NEWS2_PARTS; i++)
        entry.set.sent_parts[i] = OBS_NONE;
    for (size_t i = 0; i < OBS_FIELDS; i++)
        entry.fields[i] = (struct obs_entry_field){ .name = names[i].name,
            .label = names[i].label, .text = asked(cx, form, names[i].name) };
    entry.temp_unit = asked(cx, form, "temp_unit");
    entry.pressure_unit = asked(cx, form, "pressure_unit");
    entry.key = asked(cx, form, "key");
    entry.from = asked(cx, form, "from");
    entry.seen = http_query_value(cx->arena, form, S("seen")); /* absent: not asked */
    if (str_given(form)) {
        for (size_t i = 0; i < COUNT(numbers); i++)
            read_number(cx, &entry, form, numbers[i].field, numbers[i].vital);
        read_pressure(&entry);
        read_oxygen(cx, &entry);
        read_acvpu(&entry);
        read_time(cx, &entry, form);
        read_identity(cx, &entry, form);
        if (is_empty(&entry))
            stop(&entry, OBS_F_RESP, S("Nothing was entered: give at least one value"));
    }
    entry.set.scale2 = person->target.set;
    entry.set.excluded = person->excluded;
    *out = entry;
}

/* ---- what stands beside the fields ---- */

static void note_last(struct ctx *cx, struct obs_entry_field *field, str value, int64_t at_ms)
{
    if (!field->last.n && value.n)
        field->last = arena_printf(cx->arena, "%.*s, %.*s", STR_ARG(value),
                                   STR_ARG(obs_age(cx, at_ms)));
}

void obs_entry_last(struct ctx *cx, const struct obs_sets *sets, struct obs_entry *entry)
{
    for (size_t i = 0; i < sets->count; i++) {
        const struct obs_set *set = &sets->list[i];
        if (set->in_error)
            continue;
        for (size_t k = 0; k < COUNT(numbers); k++)
            note_last(cx, &entry->fields[numbers[k].field],
                      obs_vital_text(cx, numbers[k].vital, set->values[numbers[k].vital]),
                      set->at_ms);
        note_last(cx, &entry->fields[OBS_F_OXYGEN], set->on_oxygen == 1 ? S("Oxygen")
                  : set->on_oxygen == 0 ? S("Air") : S(""), set->at_ms);
        const struct obs_acvpu *answer = obs_acvpu_find(set->acvpu);
        note_last(cx, &entry->fields[OBS_F_ACVPU], answer ? str_of(answer->text) : S(""),
                  set->at_ms);
    }
}

void obs_entry_fill(struct ctx *cx, const struct obs_set *set, struct obs_entry *entry)
{
    struct clock_civil at = london_civil(set->at_ms);
    for (size_t k = 0; k < COUNT(numbers); k++)
        entry->fields[numbers[k].field].text =
            obs_vital_text(cx, numbers[k].vital, set->values[numbers[k].vital]);
    entry->fields[OBS_F_OXYGEN].text = set->on_oxygen == 1 ? S("oxygen")
                                       : set->on_oxygen == 0 ? S("air") : S("");
    for (size_t i = 0; i < obs_devices_count; i++)
        if (str_eq(set->device, str_of(obs_devices[i].text)))
            entry->fields[OBS_F_DEVICE].text = str_of(obs_devices[i].name);
    if (set->acvpu)
        entry->fields[OBS_F_ACVPU].text = arena_printf(cx->arena, "%c", set->acvpu);
    entry->fields[OBS_F_AT].text = arena_printf(cx->arena, "%04d-%02d-%02dT%02d:%02d", at.year,
                                                at.month, at.day, at.hour, at.minute);
}
