/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rest/operation.h"

/*
 * structure: the StructureDefinitions this server knows: posted to it, of its packages, R4's own.
 *
 * Source   hl7.org/fhir/R4/structuredefinition.html.
 * Errors   ERR_NOT_FOUND without an issue: nobody has it.
 * Memory   texts live as long as cx.
 */
/* By canonical url, which may end in |version. */
err structure_find(struct ctx *cx, struct store *store, str canonical, str *out) MUST_USE;

/*
 * The value set an element is bound to. `context` is URL#path, Type.path or a core type's URL#path,
 * as $expand's and $validate-code's parameter of that name has it.
 * ERR_INVALID, with an issue: there is no such element; ERR_NOT_FOUND: it has no value set here.
 */
err structure_binding(struct ctx *cx, struct store *store, str context, str *out) MUST_USE;
