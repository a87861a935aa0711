/* SPDX-License-Identifier: Apache-2.0 */
#include "store/match.h"
#include "fhir/ucum.h"
#include <math.h>
#include <stdio.h>

bool match_implied(const struct layout_slot *slot, str system, str code)
{
    return slot->implied_system && slot->binding != FHIR_NONE &&
           fhir_value_set_has_coding(slot->binding, system, code);
}

/* Words that go with a code: its display, and the text of its concept. */
static bool words_match(const struct query_value *value, const struct index_row *row)
{
    return (row->human.n && str_starts(row->human, value->folded)) ||
           (row->by.n && str_starts(row->by, value->folded));
}

static bool of_type_matches(const struct query_value *value, const struct index_row *row)
{
    return str_eq(row->text, value->type_value) && str_eq(row->by, value->code) &&
           str_eq(row->by_system, value->system);
}

static bool token_matches(const struct layout_slot *slot, enum query_modifier modifier,
                          const struct query_value *value, const struct index_row *row)
{
    if (modifier == MOD_TEXT)
        return words_match(value, row);
    if (modifier == MOD_TEXT_ADVANCED)
        return words_answer(value->words, &(struct words){ row->human, row->by }, true);
    if (modifier == MOD_OF_TYPE)
        return of_type_matches(value, row);
    if (index_is_words(row->system))
        return false;
    if (modifier == MOD_CODE_TEXT)
        return str_starts(row->text, value->text);
    if (value->code.n && !str_eq(row->text, value->code))
        return false;
    if (!value->has_system || str_eq(row->system, value->system))
        return true;
    return row->system.n == 0 && match_implied(slot, value->system, row->text);
}

static bool text_matches(const struct query_criterion *criterion, const struct query_value *value,
                         const struct index_row *row)
{
    bool uri = criterion->param->kind == FHIR_SEARCH_URI;
    switch (criterion->modifier) {
    case MOD_EXACT: return str_eq(row->text, value->text);
    case MOD_CONTAINS:
    case MOD_TEXT: return str_find(row->system, value->folded) != STR_NONE;
    case MOD_ENDS: return str_ends(row->system, value->folded);
    case MOD_BELOW: return str_starts(row->system, value->text);
    case MOD_ABOVE: return str_starts(value->text, row->system);
    default: break;
    }
    return uri ? str_eq(row->system, value->text) : str_starts(row->system, value->folded);
}

static bool reference_matches(const struct query_value *value, const struct index_row *row)
{
    const struct index_reference *asked = &value->reference;
    if (!str_eq(row->text, asked->id))
        return false;
    if (value->any_type ? row->target == INDEX_ELSEWHERE : row->target != asked->target)
        return false;
    return !asked->version.n || str_eq(row->human, asked->version);
}

static bool same_unit(const struct query_value *value, str system, str code, str human)
{
    if (!value->code.n && !value->has_system)
        return true;
    if (value->has_system)
        return str_eq(value->system, system) && (!value->code.n || str_eq(value->code, code));
    return str_eq(value->code, code) || str_eq(value->code, human);
}

#define UCUM_SYSTEM S("http://unitsofmeasure.org")

/* Both units, when they are UCUM's and of one kind. */
static bool comparable(const struct query_value *value, str system, str code, struct ucum *asked,
                       struct ucum *stored)
{
    bool ours = str_eq(system, UCUM_SYSTEM) &&
                (!value->has_system || str_eq(value->system, UCUM_SYSTEM));
    return ours && value->code.n && code.n && ucum_parse(value->code, asked) &&
           ucum_parse(code, stored) && ucum_comparable(asked, stored);
}

/* A bound in the stored unit. Fifteen digits tell a decimal bound from its nearest double. */
static bool convert(double *bound, const struct ucum *asked, const struct ucum *stored)
{
    char text[40];
    struct decimal value, converted;
    if (isinf(*bound))
        return true;
    int n = snprintf(text, sizeof text, "%.15g", *bound);
    if (!decimal_parse((str){ text, (size_t)n }, &value) ||
        !ucum_convert(value, asked, stored, &converted))
        return false;
    *bound = decimal_to_double(converted);
    return true;
}

struct bounds {
    double least, most;
    bool above, below; /* the bound itself is outside */
};

static size_t bounds_of(const struct query_value *value, struct bounds out[2])
{
    const double top = INFINITY, v = value->number.value;
    switch (value->prefix) {
    case PREFIX_PO:
    case PREFIX_EQ: break;
    case PREFIX_NE:
        out[0] = (struct bounds){ -top, value->number.lo, false, true };
        out[1] = (struct bounds){ value->number.hi, top, false, false };
        return 2;
    case PREFIX_GT:
    case PREFIX_SA: out[0] = (struct bounds){ v, top, true, false }; return 1;
    case PREFIX_GE: out[0] = (struct bounds){ v, top, false, false }; return 1;
    case PREFIX_LT:
    case PREFIX_EB: out[0] = (struct bounds){ -top, v, false, true }; return 1;
    case PREFIX_LE: out[0] = (struct bounds){ -top, v, false, false }; return 1;
    case PREFIX_AP:
        out[0] = (struct bounds){ v - fabs(v) / 10, v + fabs(v) / 10, false, false };
        return 1;
    }
    out[0] = (struct bounds){ value->number.lo, value->number.hi, false, true };
    return 1;
}

size_t match_ranges(const struct query_value *value, str system, str code, str human,
                    struct match_range out[2])
{
    struct ucum asked, stored;
    struct bounds bounds[2];
    bool same = same_unit(value, system, code, human);
    if (!same && !comparable(value, system, code, &asked, &stored))
        return 0;
    size_t count = bounds_of(value, bounds);
    for (size_t i = 0; i < count; i++) {
        if (!same && (!convert(&bounds[i].least, &asked, &stored) ||
                      !convert(&bounds[i].most, &asked, &stored)))
            return 0;
        out[i].least = bounds[i].above ? nextafter(bounds[i].least, INFINITY) : bounds[i].least;
        out[i].most = bounds[i].below ? nextafter(bounds[i].most, -INFINITY) : bounds[i].most;
    }
    return count;
}

static bool number_matches(const struct query_value *value, const struct index_row *row)
{
    struct match_range ranges[2];
    size_t count = match_ranges(value, row->system, row->text, row->human, ranges);
    for (size_t i = 0; i < count; i++)
        if (row->number >= ranges[i].least && row->number <= ranges[i].most)
            return true;
    return false;
}

static bool value_matches(const struct index_layout *layout,
                          const struct query_criterion *criterion,
                          const struct query_value *value, const struct index_row *row,
                          int64_t now_ms)
{
    const struct layout_slot *slot = &layout->slots[row->slot];
    switch ((enum index_table)row->table) {
    case INDEX_TOK: return token_matches(slot, criterion->modifier, value, row);
    case INDEX_REF: return reference_matches(value, row);
    case INDEX_TXT: return text_matches(criterion, value, row);
    case INDEX_DAY: return span_matches(value->prefix, value->span, row->lo, row->hi, now_ms);
    case INDEX_NUM: return number_matches(value, row);
    case INDEX_TABLES: break;
    }
    return false;
}

/* Is the row one the criterion's parameter reads? */
static bool row_is_read(const struct query_criterion *criterion, const struct index_row *row)
{
    const struct layout_param *param = criterion->param;
    bool by_identifier = row->slot == param->identifier_slot;
    if (criterion->modifier == MOD_IDENTIFIER ||
        (criterion->modifier == MOD_MISSING && by_identifier && layout_counts_identifier(param)))
        return by_identifier;
    for (uint16_t i = 0; i < param->slots_count; i++)
        if (row->slot == param->slots[i].slot &&
            (param->slots[i].target == FHIR_NONE || param->slots[i].target == row->target))
            return true;
    return false;
}

bool match_rows(const struct index_layout *layout, const struct query_criterion *criterion,
                const struct index_rows *rows, int64_t now_ms)
{
    bool any = false, found = false;
    for (size_t i = 0; i < rows->count && !found; i++) {
        const struct index_row *row = &rows->rows[i];
        if (!row_is_read(criterion, row))
            continue;
        any = true;
        for (size_t v = 0; v < criterion->values_count && !found; v++)
            found = value_matches(layout, criterion, &criterion->values[v], row, now_ms);
    }
    if (criterion->modifier == MOD_MISSING)
        return criterion->missing != any;
    bool negated = criterion->modifier == MOD_NOT || criterion->modifier == MOD_NOT_IN;
    return negated ? !found : found;
}
