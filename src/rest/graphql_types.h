/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "fhir/def.h"

/*
 * graphql_types: FHIR's definitions as the types, fields and arguments of a GraphQL schema.
 *
 * Source   hl7.org/fhir/R4/graphql.html; GraphQL, October 2021 edition, section 3.
 * Shapes   a meta is a small value that says which thing of the schema is meant; lists are made
 *          when they are asked for, in the arena given.
 */
enum meta_object { META_SCHEMA, META_TYPE, META_FIELD, META_INPUT, META_DIRECTIVE };
enum meta_what { META_FHIR, META_SCALAR, META_QUERY, META_CONNECTION, META_EDGE };
enum meta_arguments { META_NO_ARGS, META_SEARCH_ARGS, META_REVERSE_ARGS, META_ID_ARGS,
                      META_LIST_ARGS, META_RESOURCE_ARGS, META_IF_ARGS, META_PATH_ARGS };
struct meta {
    enum meta_object kind;
    enum meta_what what;         /* of a type, and of the type of a field or input */
    uint16_t type;               /* META_FHIR: fhir_types; CONNECTION and EDGE: the resource type */
    bool list, required;         /* wrapped: a list of it; never null */
    str name;                    /* of a field, input, directive or META_SCALAR */
    str scalar;                  /* of a field or input whose type is META_SCALAR */
    enum meta_arguments args;    /* of a field or directive */
    bool connection;             /* META_SEARCH_ARGS: with _cursor */
};
struct meta_list {
    struct meta *items;
    size_t count, cap;
};
struct meta_list meta_types(struct arena *arena);
struct meta_list meta_directives(struct arena *arena);
/* Of types. */
bool meta_find(str name, struct meta *out);
const char *meta_kind_name(const struct meta *type);
str meta_name(struct arena *arena, const struct meta *type); /* not given: a wrapper has none */
bool meta_is_object(const struct meta *type);
bool meta_unwrap(const struct meta *type, struct meta *out);
struct meta_list meta_fields(struct arena *arena, const struct meta *type);
struct meta_list meta_interfaces(struct arena *arena, const struct meta *type);
struct meta_list meta_possible(struct arena *arena, const struct meta *type);
/* Of fields and inputs. */
struct meta meta_type_of(const struct meta *thing);
struct meta_list meta_args(struct arena *arena, const struct meta *thing);
