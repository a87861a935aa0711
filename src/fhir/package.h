/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "json/json.h"

/*
 * package: FHIR packages: read from a .tgz or a folder, kept in the data folder.
 *
 * Source   hl7.org/fhir/R4/packages.html: gzip of a tar whose package/ holds package.json and one
 *          resource a file. A folder may hold JSON and XML files at any depth, with or without
 *          package.json; then its own name is the package's.
 * Shapes   kept as data_dir/packages/NAME#VERSION.ndjson: one line that names the package, then one
 *          definition a line, minified. Written whole beside and renamed, so that a package is
 *          there or not, never half. Another version of the same package replaces it.
 * Errors   a file that cannot be read makes the package fail with its name; ERR_LIMIT past the
 *          limits. What is no definition (examples, no url) is counted and left out.
 * Limits   PACKAGE_FILES_MAX files, PACKAGE_FILE_BYTES_MAX a file, PACKAGE_BYTES_MAX together.
 */
enum {
    PACKAGE_FILES_MAX = 20000, PACKAGE_FILE_BYTES_MAX = 64 << 20, PACKAGE_BYTES_MAX = 512 << 20,
    PACKAGE_FOLDERS_DEEP = 16
};

struct package {
    str name, version;
    struct json *definitions;
    size_t definitions_count, definitions_cap, left_out;
    size_t files, bytes;
};

err package_read(struct ctx *cx, str path, struct package *out) MUST_USE;

/* Writes the package to a temporary file in data_dir/packages, and puts it in force by renaming. */
err package_stage(struct ctx *cx, str data_dir, const struct package *package, str *out) MUST_USE;
err package_commit(struct ctx *cx, str data_dir, str staged, str *out) MUST_USE;
void package_discard(str staged, struct arena *arena);

/* The package files in force, sorted. None when there is no data_dir/packages. */
err package_list(struct ctx *cx, str data_dir, str **out, size_t *count) MUST_USE;
/* Two files hold versions of one package. */
bool package_same(str a, str b);
err package_read_file(struct ctx *cx, struct arena *arena, str path, str *out) MUST_USE;

/* One entry of a package while it is read. */
err package_take(struct ctx *cx, struct package *package, str name, str text) MUST_USE;
/* package_tar.c: calls package_take for each file of a gzipped tar. */
err package_untar(struct ctx *cx, struct package *package, str path) MUST_USE;
