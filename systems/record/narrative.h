/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"

/*
 * narrative: plain text as FHIR's XHTML and back, so that what was typed is what is read.
 *
 * Source   hl7.org/fhir/R4/narrative.html.
 * Shapes   a line is a line; an empty line parts paragraphs. Reading takes any narrative: tags go,
 *          block ends and <br/> become line ends, a list item begins with "- ".
 * Missing  empty text is an empty narrative; the caller leaves the section out.
 * Memory   the arena's.
 */
str narrative_write(struct arena *arena, str text); /* <div xmlns=...>...</div> */
str narrative_read(struct arena *arena, str div);
