/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "json/json.h"

/*
 * graphql: the query language of $graphql, read into a tree.
 *
 * Source   GraphQL, October 2021 edition, sections 2.1 to 2.12: queries, fragments, variables and
 *          directives. No mutations, subscriptions or type definitions.
 * Errors   ERR_INVALID with line and column; ERR_LIMIT past the limits.
 * Memory   the tree is in cx's arena and points into the text.
 * Limits   GRAPHQL_TEXT_MAX bytes, GRAPHQL_DEPTH_MAX nested, GRAPHQL_NODES_MAX nodes. A cycle of
 *          fragments is ended by the depth limit when it is run.
 */
enum {
    GRAPHQL_TEXT_MAX = 65536, GRAPHQL_DEPTH_MAX = 16, GRAPHQL_NODES_MAX = 5000,
    GRAPHQL_COST_MAX = 20000 /* fields written and resources read by one query */
};
enum graphql_kind { GRAPHQL_NULL, GRAPHQL_SCALAR, GRAPHQL_STRING, GRAPHQL_VARIABLE, GRAPHQL_LIST };

struct graphql_value {
    enum graphql_kind kind;
    str text;                    /* scalar (number, boolean, enum), string, variable's name */
    struct graphql_value *items; /* of a list */
    struct graphql_value *next;
};
struct graphql_argument {
    str name;
    struct graphql_value *value;
    bool required;               /* a variable whose type ends in '!' */
    struct graphql_argument *next;
};
struct graphql_directive {
    str name;
    struct graphql_argument *arguments;
    struct graphql_directive *next;
};
struct graphql_selection {
    str name, alias;             /* a field; alias is the name when none was given */
    str spread;                  /* ...name; not given otherwise */
    str on;                      /* ... on Type; inline fragments have neither name nor spread */
    bool is_inline;
    struct graphql_argument *arguments;
    struct graphql_directive *directives;
    struct graphql_selection *selections, *next;
};
struct graphql_definition {
    bool fragment;
    str name, on;
    struct graphql_argument *defaults; /* of variables; value NULL: none */
    struct graphql_selection *selections;
    struct graphql_definition *next;
};
err graphql_parse(struct ctx *cx, str text, struct graphql_definition **out) MUST_USE;
