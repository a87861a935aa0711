/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/browse.h"

/* ---- what a person calls a resource ---- */

static str name_text(struct ctx *cx, struct json name)
{
    str text = json_string(cx->arena, json_get(name, S("text")));
    struct ui_patient parts = {
        .family = json_string(cx->arena, json_get(name, S("family"))),
        .given = json_string(cx->arena, json_at(json_get(name, S("given")), 0)),
        .title = json_string(cx->arena, json_at(json_get(name, S("prefix")), 0)),
    };
    if (!parts.family.n && !parts.given.n)
        return text;
    return ui_patient_name(cx, &parts);
}

str ui_concept_text(struct ctx *cx, struct json concept)
{
    str text = json_string(cx->arena, json_get(concept, S("text")));
    struct json coding = json_at(json_get(concept, S("coding")), 0);
    if (!text.n)
        text = json_string(cx->arena, json_get(coding, S("display")));
    if (!text.n)
        text = json_string(cx->arena, json_get(coding, S("code")));
    return text;
}

static str quantity_text(struct ctx *cx, struct json quantity)
{
    str value = json_text(json_get(quantity, S("value")));
    str unit = json_string(cx->arena, json_get(quantity, S("unit")));
    return value.n ? arena_printf(cx->arena, "%.*s %.*s", STR_ARG(value), STR_ARG(unit)) : value;
}

/* The first element that holds text, in the order people would look for it. */
str ui_resource_text(struct ctx *cx, struct json resource)
{
    struct json name = json_get(resource, S("name"));
    if (json_is(name, JSON_STRING))
        return json_string(cx->arena, name);
    if (json_is(name, JSON_ARRAY))
        return name_text(cx, json_at(name, 0));
    static const char *const concepts[] = { "code", "medicationCodeableConcept", "vaccineCode",
                                            "class", "type", "category", "serviceType" };
    for (size_t i = 0; i < COUNT(concepts); i++) {
        struct json concept = json_get(resource, str_of(concepts[i]));
        if (json_is(concept, JSON_ARRAY))
            concept = json_at(concept, 0);
        str text = ui_concept_text(cx, concept);
        if (!text.n)
            continue;
        str value = quantity_text(cx, json_get(resource, S("valueQuantity")));
        return value.n ? arena_printf(cx->arena, "%.*s: %.*s", STR_ARG(text), STR_ARG(value))
                       : text;
    }
    static const char *const texts[] = { "title", "display", "description", "status" };
    for (size_t i = 0; i < COUNT(texts); i++) {
        str text = json_string(cx->arena, json_get(resource, str_of(texts[i])));
        if (text.n)
            return text;
    }
    return (str){ 0 };
}

/* ---- a patient's banner ---- */

/* The number in use: one that was superseded is not shown as the patient's. */
static struct json nhs_number_of(struct json patient)
{
    for (struct json_walk w = json_walk(json_get(patient, S("identifier"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("system")),
                           S("https://fhir.nhs.uk/Id/nhs-number")) &&
            !json_string_is(json_get(w.value, S("use")), S("old")))
            return w.value;
    return (struct json){ 0 };
}

/* UK Core says of a number how far it was traced; 01 is present and verified. */
static bool is_unverified(struct ctx *cx, struct json identifier)
{
    for (struct json_walk w = json_walk(json_get(identifier, S("extension"))); json_next(&w);) {
        str url = json_string(cx->arena, json_get(w.value, S("url")));
        struct json concept = json_get(w.value, S("valueCodeableConcept"));
        str code = json_string(cx->arena, json_get(json_at(json_get(concept, S("coding")), 0),
                                                   S("code")));
        if (str_ends(url, S("NHSNumberVerificationStatus")))
            return code.n && !str_eq(code, S("01")) &&
                   !str_eq(code, S("number-present-and-verified"));
    }
    return false;
}

static str born_at(struct ctx *cx, struct json patient)
{
    struct json more = json_get(json_get(patient, S("_birthDate")), S("extension"));
    for (struct json_walk w = json_walk(more); json_next(&w);)
        if (str_ends(json_string(cx->arena, json_get(w.value, S("url"))), S("patient-birthTime")))
            return json_string(cx->arena, json_get(w.value, S("valueDateTime")));
    return (str){ 0 };
}

static str hospital_number_of(struct ctx *cx, struct json patient)
{
    for (struct json_walk w = json_walk(json_get(patient, S("identifier"))); json_next(&w);) {
        str system = json_string(cx->arena, json_get(w.value, S("system")));
        struct json coding = json_at(json_get(json_get(w.value, S("type")), S("coding")), 0);
        if (str_ends(system, S("hospital-number")) ||
            json_string_is(json_get(coding, S("code")), S("MR")))
            return json_string(cx->arena, json_get(w.value, S("value")));
    }
    return (str){ 0 };
}

static bool is_past(struct json name)
{
    return json_string_is(json_get(name, S("use")), S("old")) ||
           json_string_is(json_get(name, S("use")), S("maiden")) ||
           json_string_is(json_get(name, S("use")), S("nickname"));
}

/* The official name, else the usual, else the first that is in use. */
static struct json best_name(struct json patient)
{
    struct json names = json_get(patient, S("name"));
    static const char *const uses[] = { "official", "usual" };
    for (size_t i = 0; i < COUNT(uses); i++)
        for (struct json_walk w = json_walk(names); json_next(&w);)
            if (json_string_is(json_get(w.value, S("use")), str_of(uses[i])))
                return w.value;
    for (struct json_walk w = json_walk(names); json_next(&w);)
        if (!is_past(w.value))
            return w.value;
    return json_at(names, 0);
}

struct ui_patient ui_patient_of(struct ctx *cx, struct json patient)
{
    struct json name = best_name(patient);
    struct json deceased = json_get(patient, S("deceasedBoolean"));
    struct json nhs = nhs_number_of(patient);
    return (struct ui_patient){
        .id = json_string(cx->arena, json_get(patient, S("id"))),
        .family = json_string(cx->arena, json_get(name, S("family"))),
        .given = json_string(cx->arena, json_at(json_get(name, S("given")), 0)),
        .title = json_string(cx->arena, json_at(json_get(name, S("prefix")), 0)),
        .birth_date = json_string(cx->arena, json_get(patient, S("birthDate"))),
        .sex = json_string(cx->arena, json_get(patient, S("gender"))),
        .nhs_number = json_string(cx->arena, json_get(nhs, S("value"))),
        .nhs_unverified = is_unverified(cx, nhs),
        .hospital_number = hospital_number_of(cx, patient),
        .born_at = born_at(cx, patient),
        .deceased_date = json_string(cx->arena, json_get(patient, S("deceasedDateTime"))),
        .deceased = json_is(deceased, JSON_TRUE) ||
                    json_is(json_get(patient, S("deceasedDateTime")), JSON_STRING),
    };
}

/* ---- JSON for reading ---- */

enum { SHOWN_BYTES = 8 << 20, INDENT = 2 };

static void new_line(struct buf *out, int depth)
{
    buf_char(out, '\n');
    for (int i = 0; i < depth * INDENT; i++)
        buf_char(out, ' ');
}

/* "Patient/123": a reference this server may resolve, and nothing that could be an address. */
static bool is_local_reference(str text)
{
    size_t slash = str_find_char(text, '/');
    if (slash == STR_NONE || slash == 0 || slash + 1 == text.n || text.p[0] < 'A' ||
        text.p[0] > 'Z')
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '.';
        if (!word && i != slash)
            return false;
    }
    return true;
}

static void show_string(struct ctx *cx, struct json value, bool reference, struct buf *out)
{
    str text = json_string(cx->arena, value);
    if (!reference || !is_local_reference(text)) {
        ui_text(out, json_text(value));
        return;
    }
    buf_add(out, S("&quot;<a href=\"/browse/"));
    ui_attr(out, text);
    buf_add(out, S("\">"));
    ui_text(out, text);
    buf_add(out, S("</a>&quot;"));
}

static void show(struct ctx *cx, struct json value, int depth, bool reference, struct buf *out)
{
    enum json_kind kind = json_kind(value);
    if (kind == JSON_STRING) {
        show_string(cx, value, reference, out);
        return;
    }
    if ((kind != JSON_ARRAY && kind != JSON_OBJECT) || json_count(value) == 0) {
        ui_text(out, json_text(value));
        return;
    }
    buf_char(out, kind == JSON_ARRAY ? '[' : '{');
    bool first = true;
    for (struct json_walk w = json_walk(value); json_next(&w); first = false) {
        if (!first)
            buf_char(out, ',');
        new_line(out, depth + 1);
        if (kind == JSON_OBJECT) {
            ui_text(out, json_text(w.key));
            buf_add(out, S(": "));
        }
        show(cx, w.value, depth + 1, json_string_is(w.key, S("reference")), out);
    }
    new_line(out, depth);
    buf_char(out, kind == JSON_ARRAY ? ']' : '}');
}

struct ui_html ui_json_html(struct ctx *cx, struct json value)
{
    struct buf out = buf_make(cx->arena, SHOWN_BYTES);
    show(cx, value, 0, false, &out);
    return (struct ui_html){ out.full ? S("Too large to show here.") : buf_str(&out) };
}
