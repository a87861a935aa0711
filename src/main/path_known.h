/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fhir/path.h"

/*
 * path_known: what FHIRPath asks beyond the resource at hand: memberOf(), subsumes(), conformsTo(),
 * answered from R4's own definitions and the packages of a data folder.
 *
 * Source   hl7.org/fhir/R4/fhirpath.html#functions.
 * Missing  a value set or code system nobody has: the function's answer is empty.
 * Memory   nothing is loaded until the first question; the host lives in cx's arena and what it
 *          loaded is given back when cx is released.
 */
/* data_dir not given: R4's own alone. Adds the three functions to *host. */
void path_known_host(struct ctx *cx, str data_dir, struct path_host *host);
