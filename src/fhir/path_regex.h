/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fhir/path_program.h"

/*
 * path_regex: regular expressions for matches(), matchesFull() and replaceMatches(), by PCRE2.
 *
 * Limits   steps of one match are bounded (ERR_LIMIT), so that no pattern runs for ever. The
 *          patterns used last are kept compiled, a few a thread.
 */
err path_regex_matches(struct path_machine *m, str text, str pattern, bool whole,
                       bool *out) MUST_USE;
err path_regex_replace(struct path_machine *m, str text, str pattern, str substitution,
                       str *out) MUST_USE;
