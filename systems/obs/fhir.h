/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "json/write.h"
#include "store/commit.h"

/*
 * obs_fhir: the small steps by which this system reads and writes resources.
 *
 * Source   hl7.org/fhir/R4; codes from record.md 1.2 as the NHS England virtual ward draft prints
 *          them, LOINC beside SNOMED CT.
 * Units    instants in UTC milliseconds; written as the London wall shows them, with the offset, so
 *          that a night on which the clocks change keeps its order.
 * Missing  a reference, code or instant that is not there reads as not given or 0.
 * Errors   obs_fhir_op: ERR_RULE when what we built breaks R4: our own bug, shown rather than
 *          stored.
 * Memory   the ctx's arena.
 */
#define OBS_URL "https://frontline.example/StructureDefinition/"
#define OBS_CODES "https://frontline.example/CodeSystem/"
#define OBS_SNOMED "http://snomed.info/sct"
#define OBS_LOINC "http://loinc.org"
enum { OBS_BODY_BYTES = 256 << 10, OBS_ID_MAX = 64 };

struct obs_code {
    const char *snomed, *display, *loinc;
    const char *own; /* in our code system "obs", where no national code is certain */
};

str obs_when(struct ctx *cx, int64_t at_ms);  /* dateTime, local with offset */
str obs_instant(struct ctx *cx, int64_t at_ms); /* UTC, Z: texts of it sort as instants do */
int64_t obs_read_instant(struct ctx *cx, struct json text);

/* The id in a reference to this type; not given for anything else. */
str obs_reference(struct ctx *cx, struct json element, const char *type);
struct json obs_extension(struct json element, const char *name);
/* A part of our own extensions that holds parts: its value, whatever its type. */
struct json obs_part(struct json extension, const char *name, const char *value);
bool obs_has_code(struct json concept, const char *system, const char *code);

void obs_put_code(struct json_writer *w, const char *key, const struct obs_code *code);
void obs_put_reference(struct ctx *cx, struct json_writer *w, const char *key, const char *type,
                       str id);
void obs_put_quantity(struct json_writer *w, const char *key, str value, const char *unit,
                      const char *ucum);
/* Who did it: the person signed in, or a display saying that nobody was. As an object. */
void obs_put_author(struct ctx *cx, struct json_writer *w);
str obs_author_name(struct ctx *cx);

/* Reads one resource; *out is its body. */
err obs_read(struct ctx *cx, struct store *store, const char *type, str id,
             struct store_version *version, struct json *out) MUST_USE;
/* A create (or, with `vid`, an update of that version) of the text, parsed and validated. */
err obs_fhir_op(struct ctx *cx, const char *type, str id, int64_t vid, str text,
                struct commit_op *out) MUST_USE;
/* All that match a search, newest sort as the query asks; at most `max`. */
struct obs_found {
    struct json *bodies;
    size_t count;
};
err obs_search(struct ctx *cx, struct store *store, const char *type, str query, size_t max,
               struct obs_found *out) MUST_USE;
