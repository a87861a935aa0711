/* SPDX-License-Identifier: Apache-2.0 */
#include "store/match.h"
#include <math.h>

bool match_implied(const struct layout_slot *slot, str system, str code)
{
    return slot->implied_system && slot->binding != FHIR_NONE &&
           fhir_value_set_has_coding(slot->binding, system, code);
}

static bool token_matches(const struct layout_slot *slot, const struct query_value *value,
                          const struct index_row *row)
{
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

size_t match_ranges(const struct query_value *value, str system, str code, str human,
                    struct match_range out[2])
{
    if (!same_unit(value, system, code, human))
        return 0;
    const double top = INFINITY, v = value->number.value;
    double below = nextafter(value->number.hi, -top);
    switch (value->prefix) {
    case PREFIX_EQ: out[0] = (struct match_range){ value->number.lo, below }; break;
    case PREFIX_NE:
        out[0] = (struct match_range){ -top, nextafter(value->number.lo, -top) };
        out[1] = (struct match_range){ value->number.hi, top };
        return 2;
    case PREFIX_GT:
    case PREFIX_SA: out[0] = (struct match_range){ nextafter(v, top), top }; break;
    case PREFIX_GE: out[0] = (struct match_range){ v, top }; break;
    case PREFIX_LT:
    case PREFIX_EB: out[0] = (struct match_range){ -top, nextafter(v, -top) }; break;
    case PREFIX_LE: out[0] = (struct match_range){ -top, v }; break;
    case PREFIX_AP: {
        double slack = fabs(v) / 10;
        out[0] = (struct match_range){ v - slack, v + slack };
        break;
    }
    }
    return 1;
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
    case INDEX_TOK: return token_matches(slot, value, row);
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
    if (criterion->modifier == MOD_IDENTIFIER)
        return row->slot == param->identifier_slot;
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
    return criterion->modifier == MOD_NOT ? !found : found;
}
