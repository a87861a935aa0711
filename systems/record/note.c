/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/note.h"
#include "auth/gate.h"
#include "systems/record/narrative.h"

enum { SECTIONS_BYTES = 1 << 19 };
#define HEADINGS "https://frontline.example/CodeSystem/note-heading"
#define NOTE_TYPES "https://frontline.example/CodeSystem/note-type"
#define AMENDED "https://frontline.example/StructureDefinition/amendment-reason"

/* ---- headings: one row each, in the order they are printed ---- */

#define AREA(id, text, help) { id, text, help, UI_AREA, NULL, NULL, NULL, false }
static const struct entry_field note_fields[] = {
    AREA("reason", "Reason for contact", NULL),
    AREA("history", "History", NULL),
    AREA("examination", "Examination findings", NULL),
    AREA("investigations", "Investigation results", NULL),
    AREA("assessment", "Assessment and diagnosis", NULL),
    AREA("plan", "Plan and requested actions", NULL),
    AREA("told", "Information and advice given", NULL),
};
static const struct entry_field handover_fields[] = {
    AREA("situation", "Situation", "Who, where, what is going on now"),
    AREA("background", "Background", "Why they are here, what matters of their history"),
    AREA("assessment", "Assessment", "How they are, what worries you"),
    AREA("recommendation", "Recommendation", "What is to be done, by when, and when to call"),
};
static const struct entry_field discharge_fields[] = {
    AREA("gp", "GP practice", NULL),
    AREA("admission", "Admission details", NULL),
    AREA("discharge", "Discharge details", NULL),
    AREA("diagnoses", "Diagnoses", NULL),
    AREA("procedures", "Procedures", NULL),
    AREA("summary", "Clinical summary", "What happened, in sentences the GP can act on"),
    AREA("allergies", "Allergies and adverse reactions", NULL),
    AREA("medications", "Medications and medical devices", "Continued, started, changed, stopped, "
                                                           "and why"),
    AREA("investigations", "Investigation results", NULL),
    AREA("plan", "Plan and requested actions", "Who is asked to do what by when"),
    AREA("told", "Information and advice given", NULL),
    AREA("person", "Person completing record", NULL),
};
#undef AREA

/* ---- reading ---- */

static struct json section_of(struct json body, const char *heading)
{
    for (struct json_walk w = json_walk(json_get(body, S("section"))); json_next(&w);)
        if (record_has_code(json_get(w.value, S("code")), heading))
            return w.value;
    return (struct json){ 0 };
}

str note_section(struct ctx *cx, struct json body, const char *heading)
{
    struct json text = json_get(section_of(body, heading), S("text"));
    return narrative_read(cx->arena, record_text(cx, text, "div"));
}

static void read_sections(struct ctx *cx, struct json body, const struct entry_kind *kind,
                          struct entry_value *values)
{
    for (size_t i = 0; i < kind->fields_count; i++)
        values[i].text = note_section(cx, body, kind->fields[i].name);
}

bool note_is_draft(struct json body)
{
    return json_string_is(json_get(body, S("status")), S("preliminary"));
}

/* By the reference; two people may have one name. Without a reference the name is all there is. */
static bool is_by(struct ctx *cx, struct json party)
{
    struct entry_author author = entry_author(cx);
    str reference = record_text(cx, party, "reference");
    if (reference.n || author.reference.n)
        return str_eq(reference, author.reference);
    return str_eq(record_text(cx, party, "display"), author.display);
}

bool note_is_anothers(struct ctx *cx, struct json body)
{
    const struct entry_kind *kind = note_is_draft(body) ? entry_kind_of(body) : NULL;
    return cx->user && kind && kind->signs &&
           !is_by(cx, json_at(json_get(body, S("author")), 0));
}

static struct json attester(struct json body, const char *mode)
{
    for (struct json_walk w = json_walk(json_get(body, S("attester"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("mode")), str_of(mode)))
            return w.value;
    return (struct json){ 0 };
}

str note_signature(struct ctx *cx, struct store *store, struct json body, const char *mode)
{
    struct json by = attester(body, mode);
    str name = record_person(cx, store, json_get(by, S("party")));
    if (!json_is(by, JSON_OBJECT))
        return S("");
    return arena_printf(cx->arena, "%.*s, %.*s", STR_ARG(name),
                        STR_ARG(record_shown_when(cx, record_text(cx, by, "time"))));
}

str note_reason(struct ctx *cx, struct json body)
{
    for (struct json_walk w = json_walk(json_get(body, S("extension"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("url")), S(AMENDED)))
            return record_text(cx, w.value, "valueString");
    return S("");
}

/* ---- writing ---- */

static void put_section(struct ctx *cx, struct buf *out, const struct entry_field *field, str text)
{
    str div = narrative_write(cx->arena, text);
    buf_printf(out, "%s{\"title\":\"%s\",\"code\":{\"coding\":[{\"system\":\"" HEADINGS
               "\",\"code\":\"%s\"}],\"text\":\"%s\"},\"text\":{\"status\":\"additional\",\"div\":",
               out->n > 1 ? "," : "", field->label, field->name, field->label);
    buf_add(out, record_json_text(cx, div));
    buf_add(out, S("}}"));
}

/* Sections of others, whose headings are none of ours, stay as they are, at the end. */
static void keep_others(struct buf *out, const struct entry_kind *kind, struct json before)
{
    for (struct json_walk w = json_walk(json_get(before, S("section"))); json_next(&w);) {
        bool ours = false;
        for (size_t i = 0; i < kind->fields_count; i++)
            ours = ours || record_has_code(json_get(w.value, S("code")), kind->fields[i].name);
        if (!ours)
            buf_printf(out, "%s%.*s", out->n > 1 ? "," : "", STR_ARG(json_text(w.value)));
    }
}

static err write_note(struct entry_change *c, const struct entry_kind *kind, const char *coding)
{
    struct ctx *cx = c->cx;
    struct buf sections = buf_make(cx->arena, SECTIONS_BYTES);
    buf_char(&sections, '[');
    for (size_t i = 0; i < kind->fields_count; i++)
        if (str_trim(c->values[i].text).n)
            put_section(cx, &sections, &kind->fields[i], c->values[i].text);
    if (sections.n == 1)
        return ctx_fail(cx, ERR_RULE, str_of(kind->fields[0].name),
                        S("write something under at least one heading"));
    keep_others(&sections, kind, c->before);
    buf_char(&sections, ']');
    if (!json_is(c->before, JSON_OBJECT)) {
        entry_put_text(c, "status", S("preliminary"));
        entry_put(c, "type", str_of(coding));
        entry_put(c, "subject", entry_reference(cx, "Patient", c->patient));
        if (c->encounter.n)
            entry_put(c, "encounter", entry_reference(cx, "Encounter", c->encounter));
        entry_put(c, "author", arena_printf(cx->arena, "[%.*s]",
                                            STR_ARG(entry_person(cx, &c->author))));
        entry_put_text(c, "title", str_of(kind->title));
    }
    entry_put_text(c, "date", entry_now(cx));
    entry_put(c, "section", buf_str(&sections));
    return ERR_OK;
}

static bool is_type(struct json body, const char *code)
{
    return record_has_code(json_get(body, S("type")), code);
}

static str attester_json(struct entry_change *c, const char *mode)
{
    return arena_printf(c->cx->arena, "{\"mode\":\"%s\",\"time\":\"%.*s\",\"party\":%.*s}", mode,
                        STR_ARG(entry_now(c->cx)), STR_ARG(entry_person(c->cx, &c->author)));
}

static bool may_cosign(const struct ctx *cx)
{
    return !cx->user || (cx->user->asker.role &&
                         str_eq(str_of(cx->user->asker.role->name), S("consultant")));
}

err note_sign(struct entry_change *c, enum note_act act)
{
    struct ctx *cx = c->cx;
    struct json signer = attester(c->before, "professional");
    if (act == NOTE_SIGN) {
        if (!note_is_draft(c->before))
            return ctx_fail(cx, ERR_RULE, S(""), S("this note is signed already"));
        entry_put_text(c, "status", S("final"));
        entry_put_text(c, "date", entry_now(cx));
        entry_put(c, "attester", arena_printf(cx->arena, "[%.*s]",
                                              STR_ARG(attester_json(c, "professional"))));
        return ERR_OK;
    }
    if (!json_is(signer, JSON_OBJECT))
        return ctx_fail(cx, ERR_RULE, S(""), S("sign the note first: a draft cannot be co-signed"));
    if (json_is(attester(c->before, "legal"), JSON_OBJECT))
        return ctx_fail(cx, ERR_RULE, S(""), S("this note is co-signed already"));
    if (!may_cosign(cx))
        return ctx_fail(cx, ERR_FORBIDDEN, S(""), S("a consultant co-signs: ask one to"));
    if (cx->user && is_by(cx, json_get(signer, S("party"))))
        return ctx_fail(cx, ERR_RULE, S(""), S("you signed this note: somebody else co-signs it"));
    entry_put(c, "attester", arena_printf(cx->arena, "[%.*s,%.*s]", STR_ARG(json_text(signer)),
                                          STR_ARG(attester_json(c, "legal"))));
    return ERR_OK;
}

err note_amend(struct entry_change *c, str why)
{
    struct ctx *cx = c->cx;
    struct buf list = buf_make(cx->arena, SECTIONS_BYTES);
    if (note_is_draft(c->before))
        return ERR_OK;
    if (str_trim(why).n < 3)
        return ctx_fail(cx, ERR_RULE, S("why"), S("say why a signed note is changed"));
    buf_char(&list, '[');
    for (struct json_walk w = json_walk(json_get(c->before, S("extension"))); json_next(&w);)
        if (!json_string_is(json_get(w.value, S("url")), S(AMENDED)))
            buf_printf(&list, "%.*s,", STR_ARG(json_text(w.value)));
    buf_printf(&list, "{\"url\":\"" AMENDED "\",\"valueString\":%.*s}]",
               STR_ARG(record_json_text(cx, why)));
    entry_put_text(c, "status", S("amended"));
    entry_put(c, "extension", buf_str(&list));
    /* The signatures were for what it said before; history keeps them. */
    entry_put(c, "attester", arena_printf(cx->arena, "[%.*s]",
                                          STR_ARG(attester_json(c, "professional"))));
    return ERR_OK;
}

/* ---- the kinds ---- */

#define CODING(system, code, text)                                                                 \
    "{\"coding\":[{\"system\":\"" system "\",\"code\":\"" code "\"}],\"text\":\"" text "\"}"

static bool is_handover(struct json body)
{
    return is_type(body, "sbar-handover");
}

static bool is_discharge(struct json body)
{
    return is_type(body, "373942005");
}

static bool is_note(struct json body)
{
    return is_type(body, "clinical-note");
}

static void note_read(struct ctx *cx, struct json body, struct entry_value *values)
{
    read_sections(cx, body, &entry_note, values);
}

static void handover_read(struct ctx *cx, struct json body, struct entry_value *values)
{
    read_sections(cx, body, &entry_handover, values);
}

static void discharge_read(struct ctx *cx, struct json body, struct entry_value *values)
{
    read_sections(cx, body, &entry_discharge, values);
}

static err note_write(struct entry_change *c)
{
    return write_note(c, &entry_note, CODING(NOTE_TYPES, "clinical-note", "Clinical note"));
}

static err handover_write(struct entry_change *c)
{
    return write_note(c, &entry_handover, CODING(NOTE_TYPES, "sbar-handover", "Handover (SBAR)"));
}

static err discharge_write(struct entry_change *c)
{
    return write_note(c, &entry_discharge,
                      CODING("http://snomed.info/sct", "373942005", "Discharge summary"));
}

const struct entry_kind entry_note = {
    .name = "note", .title = "Clinical note", .type = "Composition",
    .permission = "record.write", .fields = note_fields, .fields_count = COUNT(note_fields),
    .is = is_note, .read = note_read, .write = note_write, .signs = true,
};
const struct entry_kind entry_handover = {
    .name = "handover", .title = "Handover (SBAR)", .type = "Composition",
    .permission = "record.write", .fields = handover_fields, .fields_count = COUNT(handover_fields),
    .is = is_handover, .read = handover_read, .write = handover_write, .signs = true,
};
const struct entry_kind entry_discharge = {
    .name = "discharge", .title = "Discharge summary", .type = "Composition",
    .permission = "record.write", .fields = discharge_fields,
    .fields_count = COUNT(discharge_fields),
    .is = is_discharge, .read = discharge_read, .write = discharge_write, .signs = true,
};
