/* SPDX-License-Identifier: Apache-2.0 */
#include "store/index_value.h"

static struct index_row *add_row(struct index_walk *walk, uint16_t slot, enum index_table table)
{
    struct index_rows *rows = walk->rows;
    if (rows->count == INDEX_ROWS_MAX)
        return NULL;
    rows->rows = arena_grow(walk->cx->arena, rows->rows, rows->count, &rows->cap,
                            sizeof *rows->rows);
    struct index_row *row = &rows->rows[rows->count++];
    *row = (struct index_row){ .slot = slot, .table = (uint8_t)table };
    return row;
}

static str text_of(struct index_walk *walk, struct json value)
{
    return json_string(walk->cx->arena, value);
}

static struct index_row *add_token(struct index_walk *walk, uint16_t slot, str system, str code)
{
    struct index_row *row = code.n ? add_row(walk, slot, INDEX_TOK) : NULL;
    if (row) {
        row->system = str_given(system) ? value_cut(system) : S("");
        row->text = value_cut(code);
    }
    return row;
}

static str member(struct index_walk *walk, struct json value, str name)
{
    return text_of(walk, json_get(value, name));
}

static struct index_row *add_coding(struct index_walk *walk, uint16_t slot, struct json coding)
{
    struct index_row *row = add_token(walk, slot, member(walk, coding, S("system")),
                                      member(walk, coding, S("code")));
    str display = row ? member(walk, coding, S("display")) : (str){ 0 };
    if (display.n)
        row->human = value_fold(walk->cx->arena, display);
    return row;
}

/* The text goes with every coding; without any it stands as words alone. */
static void add_concept(struct index_walk *walk, uint16_t slot, struct json concept)
{
    str text = member(walk, concept, S("text"));
    str folded = text.n ? value_fold(walk->cx->arena, text) : (str){ 0 };
    bool any = false;
    for (struct json_walk w = json_walk(json_get(concept, S("coding"))); json_next(&w);) {
        struct index_row *row = add_coding(walk, slot, w.value);
        if (row)
            row->by = folded;
        any = any || row;
    }
    struct index_row *row = any || !folded.n ? NULL : add_row(walk, slot, INDEX_TOK);
    if (row) {
        row->system = S(INDEX_WORDS);
        row->text = row->human = folded;
    }
}

static void add_identifier(struct index_walk *walk, uint16_t slot, struct json identifier)
{
    struct index_row *row = add_token(walk, slot, member(walk, identifier, S("system")),
                                      member(walk, identifier, S("value")));
    struct json type = json_get(identifier, S("type"));
    if (!row || !json_is(type, JSON_OBJECT))
        return;
    struct json coding = json_at(json_get(type, S("coding")), 0);
    str text = member(walk, type, S("text")), system = member(walk, coding, S("system"));
    row->human = text.n ? value_fold(walk->cx->arena, text) : (str){ 0 };
    row->by_system = str_given(system) ? system : S("");
    row->by = member(walk, coding, S("code"));
}

bool index_reference(const struct index_layout *layout, str text, struct index_reference *out)
{
    if (!text.n || text.p[0] == '#')
        return false;
    str whole = text, base = layout->base_url;
    if (base.n && str_starts(text, base) && text.n > base.n && text.p[base.n] == '/')
        text = str_slice(text, base.n + 1, text.n);
    str rest = text, type = { 0 }, id = { 0 }, word, version;
    str_next(&rest, '/', &type);
    uint16_t target = fhir_resource_find(type);
    if (target != FHIR_NONE && str_next(&rest, '/', &id) && id.n) {
        bool versioned = str_next(&rest, '/', &word) && str_eq(word, S("_history")) &&
                         str_next(&rest, '/', &version);
        *out = (struct index_reference){ target, id, versioned ? version : (str){ 0 } };
        return true;
    }
    *out = (struct index_reference){ INDEX_ELSEWHERE, value_cut(whole), { 0 } };
    return true;
}

static void add_reference(struct index_walk *walk, uint16_t slot, str text)
{
    struct index_reference found;
    struct index_row *row;
    if (!index_reference(walk->layout, text, &found) ||
        !(row = add_row(walk, slot, INDEX_REF)))
        return;
    row->target = found.target;
    row->text = found.id;
    row->human = found.version;
}

/* A canonical is found with and without its version; one with a version has two rows. */
static void add_canonical(struct index_walk *walk, uint16_t slot, str text)
{
    size_t bar = str_find_char(text, '|');
    if (bar != STR_NONE)
        add_reference(walk, slot, str_slice(text, 0, bar));
    add_reference(walk, slot, text);
}

static void add_resource(struct index_walk *walk, uint16_t slot, struct json resource)
{
    str type = text_of(walk, json_get(resource, S("resourceType")));
    str id = text_of(walk, json_get(resource, S("id")));
    struct index_row *row;
    uint16_t target = fhir_resource_find(type);
    if (target == FHIR_NONE || !id.n || !(row = add_row(walk, slot, INDEX_REF)))
        return;
    row->target = target;
    row->text = id;
}

static void add_string(struct index_walk *walk, uint16_t slot, str text, bool fold)
{
    struct index_row *row;
    if (!text.n || !(row = add_row(walk, slot, INDEX_TXT)))
        return;
    row->text = value_cut(text);
    row->system = fold ? value_fold(walk->cx->arena, text) : row->text;
    if (!fold)
        row->text = S("");
}

static void add_span(struct index_walk *walk, uint16_t slot, struct value_span span)
{
    struct index_row *row;
    if (span.hi < span.lo || !(row = add_row(walk, slot, INDEX_DAY)))
        return;
    row->lo = span.lo;
    row->hi = span.hi;
    row->span = (uint8_t)value_span_class(span.lo, span.hi);
    row->unit = span.precision;
}

static bool period_span(struct index_walk *walk, struct json period, struct value_span *out)
{
    struct value_span start = { .lo = DAY_MIN }, end = { .hi = DAY_MAX };
    bool has_start = value_date(text_of(walk, json_get(period, S("start"))), &start);
    bool has_end = value_date(text_of(walk, json_get(period, S("end"))), &end);
    *out = (struct value_span){ start.lo, end.hi, AT_OTHER };
    return has_start || has_end;
}

/* Only the outer limits of a schedule count (R4 search, date). */
static void add_timing(struct index_walk *walk, uint16_t slot, struct json timing)
{
    struct value_span all = { DAY_MAX, DAY_MIN, AT_OTHER }, one;
    bool any = false;
    for (struct json_walk w = json_walk(json_get(timing, S("event"))); json_next(&w);) {
        if (!value_date(text_of(walk, w.value), &one))
            continue;
        any = true;
        all.lo = one.lo < all.lo ? one.lo : all.lo;
        all.hi = one.hi > all.hi ? one.hi : all.hi;
    }
    struct json bounds = json_get(json_get(timing, S("repeat")), S("boundsPeriod"));
    if (period_span(walk, bounds, &one)) {
        any = true;
        all.lo = one.lo < all.lo ? one.lo : all.lo;
        all.hi = one.hi > all.hi ? one.hi : all.hi;
    }
    if (any)
        add_span(walk, slot, all);
}

struct unit {
    str system, code, human;
};

static void add_number(struct index_walk *walk, const struct layout_leaf *leaf, double number,
                       struct unit unit, str by_system, str by)
{
    struct index_row *row = add_row(walk, leaf->slot, INDEX_NUM);
    if (!row)
        return;
    row->number = number;
    row->system = str_given(unit.system) ? value_cut(unit.system) : S("");
    row->text = str_given(unit.code) ? value_cut(unit.code) : S("");
    row->human = str_given(unit.human) ? value_cut(unit.human) : S("");
    row->by_system = str_given(by_system) ? value_cut(by_system) : S("");
    row->by = value_cut(by);
}

/* One row a coding of the code the value is about; without code (or `by`), one row. */
static void add_quantity(struct index_walk *walk, const struct layout_leaf *leaf, str text,
                         struct unit unit, struct json parent)
{
    struct value_number number;
    if (!value_number(text, &number))
        return;
    bool any = false;
    struct json code = leaf->by ? json_get(parent, S("code")) : (struct json){ 0 };
    struct json codings = json_get(code, S("coding"));
    for (struct json_walk w = json_walk(codings); json_next(&w);) {
        str by = text_of(walk, json_get(w.value, S("code")));
        if (by.n)
            add_number(walk, leaf, number.value, unit,
                       text_of(walk, json_get(w.value, S("system"))), by);
        any = any || by.n;
    }
    str by = text_of(walk, json_get(code, S("code")));
    if (by.n) /* useContext.code is a Coding itself */
        add_number(walk, leaf, number.value, unit, text_of(walk, json_get(code, S("system"))), by);
    else if (!any)
        add_number(walk, leaf, number.value, unit, (str){ 0 }, (str){ 0 });
}

static void add_quantity_value(struct index_walk *walk, const struct layout_leaf *leaf,
                               struct json quantity, struct json parent)
{
    struct unit unit = { text_of(walk, json_get(quantity, S("system"))),
                         text_of(walk, json_get(quantity, S("code"))),
                         text_of(walk, json_get(quantity, S("unit"))) };
    if (leaf->shape == SHAPE_MONEY)
        unit = (struct unit){ S("urn:iso:std:iso:4217"),
                              text_of(walk, json_get(quantity, S("currency"))), { 0 } };
    add_quantity(walk, leaf, text_of(walk, json_get(quantity, S("value"))), unit, parent);
}

static void add_deceased(struct index_walk *walk, uint16_t slot, struct json patient)
{
    struct json flag = json_get(patient, S("deceasedBoolean"));
    bool dead = json_is(flag, JSON_TRUE) ||
                json_is(json_get(patient, S("deceasedDateTime")), JSON_STRING);
    add_token(walk, slot, S(""), dead ? S("true") : S("false"));
}

void index_value(struct index_walk *walk, const struct layout_leaf *leaf, struct json value,
                 struct json parent)
{
    uint16_t slot = leaf->slot;
    struct value_span span;
    switch ((enum layout_shape)leaf->shape) {
    case SHAPE_CODEABLE: add_concept(walk, slot, value); break;
    case SHAPE_CODING: add_coding(walk, slot, value); break;
    case SHAPE_IDENTIFIER:
    case SHAPE_CONTACT: add_identifier(walk, slot, value); break;
    case SHAPE_TOKEN: add_token(walk, slot, S(""), text_of(walk, value)); break;
    case SHAPE_DECEASED: add_deceased(walk, slot, value); break;
    case SHAPE_REFERENCE:
        add_reference(walk, slot, text_of(walk, json_get(value, S("reference"))));
        break;
    case SHAPE_REFERENCE_IDENTIFIER:
        add_identifier(walk, slot, json_get(value, S("identifier")));
        break;
    case SHAPE_CANONICAL: add_canonical(walk, slot, text_of(walk, value)); break;
    case SHAPE_RESOURCE: add_resource(walk, slot, value); break;
    case SHAPE_STRING: add_string(walk, slot, text_of(walk, value), true); break;
    case SHAPE_URI: add_string(walk, slot, text_of(walk, value), false); break;
    case SHAPE_DATE:
        if (value_date(text_of(walk, value), &span))
            add_span(walk, slot, span);
        break;
    case SHAPE_PERIOD:
        if (period_span(walk, value, &span))
            add_span(walk, slot, span);
        break;
    case SHAPE_TIMING: add_timing(walk, slot, value); break;
    case SHAPE_QUANTITY:
    case SHAPE_MONEY: add_quantity_value(walk, leaf, value, parent); break;
    case SHAPE_RANGE:
        add_quantity_value(walk, leaf, json_get(value, S("low")), parent);
        add_quantity_value(walk, leaf, json_get(value, S("high")), parent);
        break;
    case SHAPE_NUMBER:
        add_quantity(walk, leaf, text_of(walk, value), (struct unit){ 0 }, parent);
        break;
    case SHAPE_CONTAINED:
        add_token(walk, slot, S(""), member(walk, value, S("resourceType")));
        break;
    case SHAPE_NONE: break;
    }
}

static const char *const item_types[] = {
    [PATH_BOOLEAN] = "boolean", [PATH_STRING] = "string", [PATH_INTEGER] = "integer",
    [PATH_DECIMAL] = "decimal", [PATH_DATE] = "date", [PATH_DATE_TIME] = "dateTime",
    [PATH_TIME] = "time", [PATH_QUANTITY] = "Quantity",
};

/* A name or an address reached by FHIRPath: its parts, in one slot. */
static void add_parts(struct index_walk *walk, uint16_t slot, struct json value)
{
    for (struct json_walk w = json_walk(value); json_next(&w);) {
        if (json_string_is(w.key, S("use")) || json_string_is(w.key, S("type")))
            continue;
        if (json_is(w.value, JSON_STRING))
            add_string(walk, slot, text_of(walk, w.value), true);
        for (struct json_walk item = json_walk(w.value);
             json_is(w.value, JSON_ARRAY) && json_next(&item);)
            add_string(walk, slot, text_of(walk, item.value), true);
    }
}

/* A value the program made has no node: only its text counts. */
static void add_made(struct index_walk *walk, enum layout_shape shape, uint16_t slot,
                     const struct path_item *item)
{
    str text = item->text;
    if (item->kind == PATH_BOOLEAN)
        text = item->boolean ? S("true") : S("false");
    else if (item->kind == PATH_INTEGER)
        text = arena_printf(walk->cx->arena, "%lld", (long long)item->integer);
    struct layout_leaf leaf = { .slot = slot, .shape = (uint8_t)shape };
    struct value_span span;
    switch (layout_table_of(shape)) {
    case INDEX_TOK: add_token(walk, slot, S(""), text); break;
    case INDEX_REF: add_canonical(walk, slot, text); break;
    case INDEX_TXT: add_string(walk, slot, text, shape == SHAPE_STRING); break;
    case INDEX_DAY:
        if (value_date(text, &span))
            add_span(walk, slot, span);
        break;
    case INDEX_NUM:
        add_quantity(walk, &leaf, text,
                     (struct unit){ S("http://unitsofmeasure.org"), item->unit, { 0 } },
                     (struct json){ 0 });
        break;
    case INDEX_TABLES: break;
    }
}

void index_item(struct index_walk *walk, enum fhir_search_kind kind, uint16_t slot,
                const struct path_item *item)
{
    str type = item->kind == PATH_NODE
                   ? item->type == FHIR_NONE ? (str){ 0 } : fhir_types[item->type].name
                   : str_of(item_types[item->kind]);
    if (kind == FHIR_SEARCH_STRING &&
        (str_eq(type, S("HumanName")) || str_eq(type, S("Address")))) {
        add_parts(walk, slot, item->node);
        return;
    }
    bool resource = item->kind == PATH_NODE && item->type != FHIR_NONE &&
                    fhir_types[item->type].kind == FHIR_RESOURCE;
    enum layout_shape shape = layout_shape_of(kind, resource ? S("Resource") : type);
    struct layout_leaf leaf = { .slot = slot, .shape = (uint8_t)shape };
    if (shape == SHAPE_NONE)
        return;
    if (item->kind == PATH_NODE)
        index_value(walk, &leaf, item->node, (struct json){ 0 });
    else
        add_made(walk, shape, slot, item);
}
