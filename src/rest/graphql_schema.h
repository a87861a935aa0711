/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rest/graphql_run.h"

/*
 * graphql_schema: what can be asked of $graphql, told in GraphQL: __schema and __type.
 *
 * Source   GraphQL, October 2021 edition, section 4 (introspection); hl7.org/fhir/R4/graphql.html.
 * Shapes   the types are FHIR's own, a dot in a name left out ("PatientContact"), with Query and a
 *          Connection and an Edge for each resource; nothing is kept, all is read from the
 *          definition tables. Lists that follow a reference backwards are told for the parameters
 *          that name their targets; those that may point to anything are answered all the same.
 * Errors   ERR_INVALID: a field introspection does not have; ERR_LIMIT: past
 *          GRAPHQL_SCHEMA_COST_MAX values. The whole schema costs less.
 */
enum { GRAPHQL_SCHEMA_COST_MAX = 1500000 };

/* *done: the field was __schema or __type. */
err graphql_schema(struct graphql_run *run, const struct graphql_selection *field,
                   struct graphql_out *parent, bool *done) MUST_USE;
/* The name of a type of FHIR in GraphQL, and back; FHIR_NONE. */
str graphql_type_name(struct arena *arena, uint16_t type);
uint16_t graphql_type_find(str name);
