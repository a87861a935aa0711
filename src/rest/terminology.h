/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fhir/profile.h"
#include "rest/op.h"
#include "term/set.h"

/*
 * terminology: FHIR's terminology operations over src/term.
 *
 * Source   hl7.org/fhir/R4/terminology-service.html.
 * Shapes   definitions are looked for in the record first (posted CodeSystem, ValueSet,
 *          ConceptMap), then in the loaded packages, then in R4's own.
 * Missing  a code of a system nobody has loaded is answered as "not known" in words, with result
 *          false and the reason, never as a plain no.
 * Errors   ERR_NOT_FOUND names the definition; ERR_INVALID the parameter that is missing.
 */
struct terminology;
err terminology_make(struct ctx *cx, struct store *store, struct profile_live *profiles, str folder,
                     struct terminology **out) MUST_USE;
void terminology_use(struct terminology *terminology); /* once, before the server starts */
void terminology_close(struct terminology *terminology);
struct term *terminology_term(void);
struct profile_set *terminology_profiles(struct ctx *cx); /* until cx is released; NULL: none */

op_run op_expand, op_lookup, op_validate_code, op_subsumes, op_translate, op_closure;

/* The value set with the code system versions the caller asks for written into its compose:
 * system-version where it names none, force-system-version always; check-system-version refuses
 * another. Each is "SYSTEM|VERSION". expand_pin.c. */
err expand_pin(const struct operation_ask *ask, str *value_set) MUST_USE;

/* A code as a caller gives it: code and system, a Coding, or a CodeableConcept's codings. */
struct terminology_coding {
    str system, version, code, display;
};
size_t terminology_codings(const struct operation_ask *ask, struct terminology_coding *out,
                           size_t max);

/* The parameter `date`: refused when it lies in the past. */
err terminology_date(const struct operation_ask *ask) MUST_USE;

/* Builds the Parameters resource of an answer. */
struct terminology_answer {
    struct buf buf;
    struct json_writer w;
};
void terminology_begin(struct terminology_answer *a, const struct operation_ask *ask);
void terminology_put(struct terminology_answer *a, const char *name, const char *type, str value);
void terminology_put_flag(struct terminology_answer *a, const char *name, bool value);
void terminology_open_part(struct terminology_answer *a, const char *name);
void terminology_close_part(struct terminology_answer *a);
void terminology_write_use(struct json_writer *w, const struct term_use *use); /* a Coding */
err terminology_end(struct terminology_answer *a, struct operation_answer *out);
