/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/record/look.h"

/*
 * record_file: the files of a filed document or report, opened or saved.
 *
 * Source   hl7.org/fhir/R4/datatypes.html#Attachment, binary.html.
 * Shapes   GET /record/patient/{patient}/file/{type}/{id}/{n}: the n-th attachment of a
 *          DocumentReference's content, a DiagnosticReport's presentedForm, or a Media's content;
 *          its bytes stand in it, or in the Binary it names.
 * Missing  a file that lies on another system, or is not there, is listed and cannot be opened.
 * Errors   ERR_NOT_FOUND: no such file, or not this patient's.
 * Limits   FILE_MAX files an entry. Only kinds of a short list are opened in the browser, under a
 *          policy that runs nothing; every other, HTML and SVG among them, is saved as bytes.
 * Hazards  H-101: the entry is this patient's.
 */
enum { FILE_MAX = 20 };
struct record_file {
    str text, more;   /* "Open the PDF"; "Discharge letter, 12 KB" */
    str href;         /* empty: it cannot be opened from here, and more says why */
};
/* The files of an entry. */
void file_list(struct record_look *look, const struct record_item *item,
               struct record_file out[FILE_MAX], size_t *count);
/* "PDF", "Picture", "Text"; of a type that is not known the type itself. */
str file_kind(struct ctx *cx, struct json body);
http_handler file_get;
