/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/def_tables.h"
#include <endian.h>
#include <string.h>

static uint64_t load_64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return le64toh(v);
}

static uint64_t load_32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return le32toh(v);
}

/* Mixes length, first and last eight bytes: FHIR's names differ there. tools/fhirdef.js lays the
 * tables out by the same function. */
static uint32_t name_hash(str name)
{
    uint64_t head = 0, tail = 0;
    const unsigned char *p = (const unsigned char *)name.p;
    if (name.n >= 8) {
        head = load_64(name.p);
        tail = load_64(name.p + name.n - 8);
    } else if (name.n >= 4) {
        head = load_32(name.p);
        tail = load_32(name.p + name.n - 4);
    } else if (name.n > 0) {
        head = (uint64_t)p[0] | (uint64_t)p[name.n >> 1] << 8 | (uint64_t)p[name.n - 1] << 16;
    }
    uint64_t h = head * 0x9e3779b97f4a7c15u;
    h ^= tail * 0xc2b2ae3d27d4eb4fu;
    h = (h + name.n) * 0xd6e8feb86659fd93u;
    return (uint32_t)(h >> 40);
}

uint16_t fhir_type_find(str name)
{
    uint32_t mask = fhir_type_names_mask;
    for (uint32_t at = name_hash(name) & mask;; at = (at + 1) & mask) {
        uint16_t type = fhir_type_names[at];
        if (type == FHIR_NONE || str_eq(fhir_types[type].name, name))
            return type;
    }
}

uint16_t fhir_resource_find(str name)
{
    uint16_t type = fhir_type_find(name);
    return type == FHIR_NONE ? FHIR_NONE : fhir_types[type].resource;
}

const struct fhir_element *fhir_element_find(uint16_t type, str json_name)
{
    if (type >= fhir_types_count)
        return NULL;
    const uint16_t *slots = fhir_element_slots + fhir_type_slots[type].from;
    uint32_t mask = fhir_type_slots[type].mask;
    for (uint32_t at = name_hash(json_name) & mask; slots[at] != FHIR_NONE; at = (at + 1) & mask) {
        const struct fhir_element *element = &fhir_types[type].elements[slots[at]];
        if (str_eq(element->json_name, json_name))
            return element;
    }
    return NULL;
}

const struct fhir_param *fhir_param_find(uint16_t resource, str code)
{
    if (resource >= fhir_resources_count)
        return NULL;
    uint16_t low = fhir_resource_params[resource].from;
    uint16_t high = (uint16_t)(low + fhir_resource_params[resource].count);
    while (low < high) {
        uint16_t middle = (uint16_t)((low + high) / 2);
        int order = str_cmp(fhir_params[middle].code, code);
        if (order == 0)
            return &fhir_params[middle];
        if (order < 0)
            low = (uint16_t)(middle + 1);
        else
            high = middle;
    }
    return NULL;
}

uint16_t fhir_value_set_find(str url)
{
    for (uint16_t i = 0; i < fhir_value_sets_count; i++)
        if (str_eq(fhir_value_sets[i].url, url))
            return i;
    return FHIR_NONE;
}

/* The first row with the code, or NULL. */
static const struct fhir_code *find_code(const struct fhir_value_set *set, str code)
{
    uint32_t low = 0, high = set->codes_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (str_cmp(set->codes[middle].code, code) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < set->codes_count && str_eq(set->codes[low].code, code);
    return found ? &set->codes[low] : NULL;
}

bool fhir_value_set_has(uint16_t value_set, str code)
{
    return value_set < fhir_value_sets_count && find_code(&fhir_value_sets[value_set], code);
}

bool fhir_value_set_has_coding(uint16_t value_set, str system, str code)
{
    if (value_set >= fhir_value_sets_count)
        return false;
    const struct fhir_value_set *set = &fhir_value_sets[value_set];
    const struct fhir_code *row = find_code(set, code);
    for (; row && row < set->codes + set->codes_count && str_eq(row->code, code); row++)
        if (str_eq(row->system, system))
            return true;
    return false;
}

bool fhir_type_is(uint16_t type, uint16_t ancestor)
{
    while (type != FHIR_NONE && type != ancestor)
        type = fhir_types[type].base;
    return type != FHIR_NONE;
}

const char *const *fhir_compartment_params(str compartment, uint16_t resource)
{
    for (uint16_t i = 0; i < fhir_compartments_count && resource < fhir_resources_count; i++)
        if (str_eq(fhir_compartments[i].name, compartment))
            return fhir_compartments[i].params[resource];
    return NULL;
}

str fhir_definition_at(uint32_t index)
{
    if (index >= fhir_text_rows_count)
        return (str){ 0 };
    return (str){ fhir_texts + fhir_text_rows[index].from, fhir_text_rows[index].bytes };
}

str fhir_definition(str url)
{
    uint32_t low = 0, high = fhir_text_rows_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = str_cmp(fhir_text_rows[middle].url, url);
        if (order == 0)
            return fhir_definition_at(middle);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return (str){ 0 };
}
