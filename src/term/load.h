/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "term/system.h"

/*
 * term_load: takes large code systems in from the files their publishers release.
 *
 * Source   SNOMED CT RF2 (snapshot files), NHS dm+d XML, NHS ICD-10 and OPCS-4 code-and-title
 *          tables, LOINC table (CSV). The operator obtains them under their licences; none is
 *          shipped.
 * Shapes   kept as rows of `terms.db` in the data folder: concepts by number, edges, attributes. A
 *          new release of a system replaces the old in one transaction.
 * Missing  an inactive concept stays, marked; a relationship to an absent concept is left out and
 *          counted.
 * Errors   ERR_NOT_FOUND: a file the format needs is not there; ERR_INVALID with file and line: it
 *          is not in the format; then nothing is changed.
 * Memory   a loaded system is built in an arena when first asked for.
 */
/* What other names the releases hold; their codes are in files.c. */
enum term_use_kind { TERM_USE_SYNONYM, TERM_USE_FULL_NAME, TERM_USE_SHORT_NAME, TERM_USE_FORMER,
                     TERM_USE_CONSUMER, TERM_USES };
/* Another name of a concept. */
struct term_load_name {
    uint32_t concept;
    enum term_use_kind use;
    str language, value;
};
struct term_load {
    struct ctx *cx;
    str url, version, name;
    struct term_concept *concepts;
    size_t count, cap;
    struct map by_code;
    struct term_edge *edges;
    size_t edges_count, edges_cap;
    struct term_attribute *attributes;
    size_t attributes_count, attributes_cap;
    struct term_load_name *names;
    size_t names_count, names_cap;
    size_t left_out;
};
enum term_format { TERM_SNOMED, TERM_DMD, TERM_ICD10, TERM_OPCS4, TERM_LOINC, TERM_FORMATS };
const char *term_format_name(enum term_format format);

/* Reads a release from a file or a folder (searched at any depth). */
err term_load_read(struct ctx *cx, enum term_format format, str path, struct term_load *out)
    MUST_USE;
err term_load_save(struct ctx *cx, str folder, const struct term_load *load) MUST_USE;

/* ---- for the readers of the formats ---- */
struct term_load term_load_make(struct ctx *cx, const char *url, const char *name);
/* The concept of a code, made when it is new. */
uint32_t term_load_concept(struct term_load *load, str code);
uint32_t term_load_find(const struct term_load *load, str code); /* TERM_NONE */
void term_load_edge(struct term_load *load, uint32_t child, uint32_t parent);
void term_load_attribute(struct term_load *load, struct term_attribute attribute);
/* Another name; one that turns out to be the display is not kept. */
void term_load_name(struct term_load *load, uint32_t concept, enum term_use_kind use, str language,
                    str value);
/* Calls fn for each file under path whose name holds `part` (and ends in `end`); sorted by name. */
err term_load_files(struct ctx *cx, str path, const char *part, const char *end, str **out,
                    size_t *count) MUST_USE;
err term_load_text(struct ctx *cx, str file, str *out) MUST_USE;
err term_load_snomed(struct ctx *cx, str path, struct term_load *out) MUST_USE;
err term_load_dmd(struct ctx *cx, str path, struct term_load *out) MUST_USE;
err term_load_table(struct ctx *cx, enum term_format format, str path, struct term_load *out)
    MUST_USE;

/* ---- what was loaded ---- */
struct term_files;
err term_files_open(struct ctx *cx, str folder, struct term_files **out) MUST_USE;
void term_files_close(struct term_files *files);
/* NULL when that system (in that version, when given) was not loaded. Thread-safe. */
const struct term_system *term_files_system(struct ctx *cx, struct term_files *files, str url,
                                            str version);
struct term_release {
    str url, version, name;
    int64_t concepts;
};
err term_files_list(struct ctx *cx, struct term_files *files, struct term_release **out,
                    size_t *count) MUST_USE;
