/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/map.h"
#include "fhir/profile.h"
#include "fhir/validate_in.h"
#include <pthread.h>

/*
 * profile_in: what the files of profile share: a profile as a tree, a set, a check under way.
 *
 * Shapes   the tree holds only what profiles say; whatever it does not mention is R4's. A node is
 *          an element by its name ("value" for value[x]); its slices are nodes with a slice name.
 */
enum profile_strength { PROFILE_EXAMPLE, PROFILE_PREFERRED, PROFILE_EXTENSIBLE, PROFILE_REQUIRED };
enum profile_kind { PROFILE_BY_VALUE, PROFILE_BY_EXISTS, PROFILE_BY_TYPE, PROFILE_BY_PROFILE };
enum profile_rest { PROFILE_OPEN, PROFILE_CLOSED, PROFILE_OPEN_AT_END };

struct profile_type {
    uint16_t type;              /* FHIR_NONE: any (System.String) */
    str *profiles, *targets;
    size_t profiles_count, targets_count;
    struct profile_type *next;
};
struct profile_rule {
    str key, human;
    bool is_error;
    const struct path *path;
    struct profile_rule *next;
};
struct profile_discriminator {
    enum profile_kind kind;
    str path;
    struct profile_discriminator *next;
};
struct profile_node {
    str name, slice;
    bool has_min, has_max;
    uint16_t min, max;
    uint32_t length_max;        /* 0: none */
    struct profile_type *types; /* NULL: as in R4 */
    struct json fixed, pattern, least, most;
    struct profile_binding {
        str value_set;          /* not given: none of its own */
        enum profile_strength strength;
    } binding;
    struct profile_rule *rules;
    struct profile_slicing {
        struct profile_discriminator *by;
        enum profile_rest rest;
        bool ordered;
    } slicing;
    struct profile_node *children, *slices, *next;
};
struct profile {
    str url, name;
    uint16_t type;
    bool is_extension;
    struct json context;        /* array of StructureDefinition.context; absent */
    struct profile_node *root;
};

/* A value set as far as the loaded code systems tell. */
struct profile_codes {
    const struct fhir_code *codes; /* sorted by code, then system */
    size_t count;
    str *open;                  /* systems of which codes are included that nobody here has */
    size_t open_count;
    bool unknown;               /* the value set itself is not loaded */
};

enum profile_state { PROFILE_UNREAD, PROFILE_READING, PROFILE_READY, PROFILE_FAILED };
struct profile_definition {
    str url, text;
    str kind;                   /* resourceType */
    struct json json;           /* absent until parsed */
    enum profile_state state;   /* of `profile` */
    struct profile *profile;
    struct profile_codes *codes;
};

struct profile_set {
    struct arena arena;
    pthread_mutex_t lock;       /* over all below: what is asked for is built then */
    struct map by_url;          /* into definitions */
    struct profile_definition **definitions;
    size_t count, cap;
    const struct path **rules;  /* of fhir_rules; NULL where one does not compile */
    struct profile_counts counts;
    struct map missing_urls;
    str *missing;
    size_t missing_cap;
    size_t users;               /* of profile_live: how many requests hold it */
    bool retired;
};

/* NULL when nobody has it. Versions ("|1.0") are cut off. The caller holds the lock. */
struct profile_definition *profile_definition_find(struct profile_set *set, str url);
/* Parses the text when it has not been. */
bool profile_definition_read(struct profile_set *set, struct profile_definition *definition);
str profile_without_version(str url);

/* Builds the tree, or adds issues to cx and returns ERR_RULE. The caller holds the lock. */
err profile_build(struct ctx *cx, struct profile_set *set, struct profile_definition *definition)
    MUST_USE;
/* NULL when it is not loaded or cannot be built. Takes the lock. */
const struct profile *profile_find(struct profile_set *set, str url);
const struct profile_codes *profile_codes_of(struct profile_set *set, str value_set);

/* ---- A check under way ---- */

struct profile_item {
    struct json value;          /* absent when only the twin is there */
    struct json twin;           /* "_name" of a primitive */
    const struct fhir_element *element; /* NULL at a root */
    uint16_t type;
    size_t index;               /* VALIDATE_NO_INDEX when it is not in an array */
};
struct profile_items {
    struct profile_item *list;
    size_t count;
};

struct profile_check {
    struct ctx *cx;
    struct profile_set *set;
    const struct path_host *host;   /* the caller's */
    const struct profile_request *request;
    const struct path_host *own;    /* memberOf and conformsTo answered from the set */
    const struct profile *profile;  /* whose rules are being checked; NULL: R4's */
    struct json resource, root;     /* %resource, %rootResource */
    struct json bundle;             /* the Bundle around it; absent */
    bool quiet;                     /* count faults, report none */
    bool following;                 /* within what a reference leads to: not followed further */
    size_t *steps;                  /* items looked at; past PROFILE_STEPS_MAX it is given up */
    size_t faults;
    int depth;
    struct issue *warnings;
    size_t warnings_count, notes_count, left_out;
};

void profile_fault(struct profile_check *c, const struct validate_place *place, const char *code,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
void profile_warn(struct profile_check *c, const struct validate_place *place,
                  enum issue_severity severity, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The children of an item by the name its definition uses ("value" of valueQuantity). */
struct profile_items profile_children(struct profile_check *c, const struct profile_item *item,
                                      str name);
struct profile_item profile_item_of(struct json value, uint16_t type);
struct validate_place profile_place(const struct validate_place *up,
                                    const struct profile_item *item, str name);
/* The resource a reference leads to, in the resource or Bundle at hand, or by the host; absent. */
struct json profile_resolve(struct profile_check *c, str reference);
uint16_t profile_type_of(struct profile_check *c, struct json resource);

/* The core type a canonical of R4's own definitions names; FHIR_NONE. */
uint16_t profile_core_type(str url);
/* Whether an item conforms to what a canonical names; unknown when that is not loaded. */
enum profile_answer profile_fits(struct profile_check *c, str url,
                                 const struct profile_item *item);

/* Holds an item to a node: types, values, codes, rules, children. */
void profile_check_item(struct profile_check *c, const struct profile_node *node,
                        const struct profile_item *item, const struct validate_place *place);
const struct profile_node *profile_child_named(const struct profile_node *node, str name);
/* min and max of an element or slice. */
void profile_check_count(struct profile_check *c, const struct profile_node *node, size_t count,
                         const struct validate_place *up);
void profile_check_slices(struct profile_check *c, const struct profile_node *node,
                          struct profile_items items, const struct validate_place *up);
void profile_check_against(struct profile_check *c, const struct profile *profile,
                           const struct profile_item *item, const struct validate_place *place);
bool profile_conforms(struct profile_check *c, const struct profile *profile,
                      const struct profile_item *item);
bool profile_accepts(struct profile_check *c, const struct profile_node *node,
                     const struct profile_item *item);
void profile_check_types(struct profile_check *c, const struct profile_node *node,
                         const struct profile_item *item, const struct validate_place *place);
bool profile_pattern_fits(struct json pattern, struct json value);
void profile_check_binding(struct profile_check *c, const struct profile_binding *binding,
                           const struct profile_item *item, const struct validate_place *place);
enum profile_answer profile_item_in(struct profile_check *c, str value_set,
                                    const struct profile_item *item);
/* Evaluates an invariant on an item; reports when it does not hold. */
void profile_check_rule(struct profile_check *c, const struct profile_rule *rule,
                        const struct profile_item *item, const struct validate_place *place);
/* R4's own invariants, extensions and claimed profiles, over a whole resource. */
void profile_walk(struct profile_check *c, struct json resource,
                  const struct validate_place *place);
