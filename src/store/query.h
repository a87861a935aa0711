/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"
#include "store/index_value.h"
#include "store/search.h"

/*
 * query: a search request taken apart and checked against the definitions, before anything runs.
 *
 * Source   hl7.org/fhir/R4/search.html.
 * Shapes   criteria are joined by AND, their values by OR. A chain is a reference criterion with an
 *          inner query on the target type; _has is an inner query on the type that refers here.
 * Errors   ERR_INVALID names what is unknown or malformed and, where one is near, what may have
 *          been meant. Lenient: an unknown parameter becomes a warning and is left out.
 * Memory   in cx's arena; texts may point into the request.
 * Limits   below. ERR_LIMIT says which one was passed.
 */
enum {
    QUERY_BYTES_MAX = 64 * 1024, QUERY_CRITERIA_MAX = 100, QUERY_VALUES_MAX = 1000,
    QUERY_DEPTH_MAX = 8, QUERY_INNER_MAX = 1000, /* queries within, of chains and _has */
    QUERY_SORTS_MAX = 8, QUERY_INCLUDES_MAX = 50, QUERY_COUNT_MAX = 10000
};

enum query_prefix { PREFIX_EQ, PREFIX_NE, PREFIX_GT, PREFIX_LT, PREFIX_GE, PREFIX_LE, PREFIX_SA,
                    PREFIX_EB, PREFIX_AP,
                    PREFIX_PO /* overlaps; of _filter alone */ };
enum query_modifier {
    MOD_NONE, MOD_MISSING, MOD_EXACT, MOD_CONTAINS, MOD_NOT, MOD_IDENTIFIER, MOD_TEXT, MOD_OF_TYPE,
    MOD_ABOVE, MOD_BELOW, MOD_IN, MOD_NOT_IN, MOD_CODE_TEXT, MOD_TEXT_ADVANCED, MOD_TYPE,
    MOD_ENDS /* of _filter alone */
};
struct query_value {
    enum query_prefix prefix;
    str text, folded;        /* unescaped; string: both */
    bool has_system;         /* token: there was a '|' */
    str system, code;        /* token; quantity: the unit's */
    str type_value;          /* :of-type: the identifier's value after its type */
    struct index_reference reference;
    bool any_type;           /* reference: only an id was given */
    struct value_span span;
    struct value_number number;
    const struct words_ask *words; /* _text, _content, :text-advanced */
    struct query_value *parts; /* composite: one a component, with its parameter */
    const struct layout_param *param;
};
enum query_what { QUERY_PARAM, QUERY_ID, QUERY_UPDATED, QUERY_CHAIN, QUERY_HAS, QUERY_TEXT,
                  QUERY_CONTENT, QUERY_LIST, QUERY_FILTER, QUERY_NEAR, QUERY_COMPARTMENT };
struct query;
struct query_criterion {
    enum query_what what;
    enum query_modifier modifier;
    bool missing;             /* :missing=true */
    uint16_t type;            /* MOD_TYPE and chains: the target type; FHIR_NONE any */
    const struct layout_param *param; /* HAS: the reference parameter of the other type */
    struct query_value *values;
    size_t values_count;
    struct query **inner;     /* CHAIN: one a target type; HAS: one */
    size_t inner_count;
    str shown;                /* the name as sent, for messages */
    str raw;                  /* the value as sent */
};
struct query_hop {
    str code;      /* a reference parameter */
    uint16_t type; /* FHIR_NONE: any */
};
struct query_sort {
    const struct layout_param *param; /* NULL: _id, or chained */
    bool descending;
    str code;                   /* what is sorted by, on the last type */
    struct query_hop *hops;     /* the references that lead there */
    size_t hops_count;
};
enum query_contained { CONTAINED_FALSE, CONTAINED_TRUE, CONTAINED_BOTH };
struct query_include {
    bool reverse, iterate, wildcard;
    uint16_t source, target;   /* FHIR_NONE: any */
    const struct layout_param *param; /* NULL with wildcard */
};
struct query {
    uint16_t resource;
    struct query_criterion *criteria;
    size_t criteria_count, criteria_cap;
    struct query_sort *sorts;
    size_t sorts_count;
    struct query_include *includes;
    size_t includes_count, includes_cap;
    size_t count;
    bool has_count;
    enum search_total total;
    enum search_summary summary;
    enum query_contained contained;
    bool contained_alone;       /* _containedType=contained */
    str elements, cursor;
    uint16_t *types;            /* _type at the root */
    size_t types_count;
    size_t *inner_count;        /* queries within, of all chains together; NULL: none yet */
    str kept;                   /* the query without its cursor, as self and next repeat it */
};
struct query_source {
    const struct index_layout *layout;
    const struct search_request *request;
    struct store *store;
    struct issues *warnings;    /* NULL: an unknown parameter is an error */
    struct issues *notes;       /* what the asker should know of the answer; NULL: nobody asks */
    bool condition;             /* result parameters are refused */
};
err query_parse(struct ctx *cx, const struct query_source *from, uint16_t resource, str text,
                struct query *out) MUST_USE;
err query_add(struct ctx *cx, const struct query_source *from, struct query *query, str name,
              str value, int depth) MUST_USE;

/* _sort=-date,subject:Patient.birthdate (query_sort.c). */
err query_read_sort(struct ctx *cx, const struct query_source *from, struct query *query,
                    str value) MUST_USE;
/* The types a chain may step to: `named`, or those the parameter allows. */
const uint16_t *query_targets(struct arena *arena, const struct layout_param *param,
                              uint16_t named, size_t *count);

/* One of the server's own parameters as this reader's snapshot has it: by its rows only when they
 * are all there. Adds a note when they are not. */
err query_own(struct ctx *cx, const struct query_source *from,
              const struct layout_param **param) MUST_USE;
/* One whose SearchParameter is so new that it was not taken up yet; *out NULL: there is none. */
err query_new_own(struct ctx *cx, const struct query_source *from, uint16_t resource, str code,
                  const struct layout_param **out) MUST_USE;
/* ERR_BUSY: the parameter is not indexed yet, and cannot be followed by reading bodies. */
err query_need_index(struct ctx *cx, const struct layout_param *param) MUST_USE;
/* ERR_INVALID when it is no value of the parameter `near` (near.c). */
err query_near_check(struct ctx *cx, str name, str text) MUST_USE;
/* The codes of :in, :not-in, :above and :below as the criterion's values (query_codes.c). */
err query_codes(struct ctx *cx, const struct query_source *from, struct query_criterion *criterion,
                str text) MUST_USE;

/* "%41+b" as text; malformed escapes stay as they are. */
str query_decode(struct arena *arena, str text);
void query_encode(struct buf *buf, str text);

/* Splits at the first `mark` not escaped by a backslash. */
bool query_split(str *rest, char mark, str *head);
str query_unescape(struct arena *arena, str text);

/* Reads one value as its parameter's kind demands. */
err query_value(struct ctx *cx, const struct query_source *from,
                const struct query_criterion *criterion, str text,
                struct query_value *out) MUST_USE;

