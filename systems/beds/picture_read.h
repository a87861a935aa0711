/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "db/db.h"
#include "systems/beds/picture.h"

/*
 * beds_picture_read: rows of the views as places, stays and people. Private to beds.
 *
 * Source   systems/beds/views; bed attributes are codes of
 *          https://frontline.example/CodeSystem/bed-attribute in Location.type.
 * Missing  as beds_picture says; what a row does not say is left empty.
 * Errors   those of db.h. Memory: cx's arena; the structs are the caller's.
 */
#define BEDS_NEWS2_CODE "1104051000000101"

void beds_row_spot(struct ctx *cx, struct db_stmt *row, struct beds_spot *out);
/* False: the place is not held after all. `bed` gets the Location's id. */
bool beds_row_stay(struct ctx *cx, struct db_stmt *row, struct beds_stay *out,
                   char bed[BEDS_ID_BYTES]);
/* The last NEWS2 total since the admission. */
err beds_read_score(struct ctx *cx, struct beds_stay *stay) MUST_USE;

/* The next text of a collection column, which is a JSON array; codes and dates hold nothing that
 * would be escaped in it. */
bool beds_next_item(str *rest, str *out);

/* ---- of bodies, for moves ---- */

/* "Patient/1" as "1"; absent when it leads to another type. */
str beds_read_reference(struct ctx *cx, struct json element, const char *type);
/* A dateTime's lower instant; 0: none. */
int64_t beds_read_instant(struct ctx *cx, struct json text);
int64_t beds_instant_of(str text);
/* The place an open encounter holds, as index into location; -1: none. */
int beds_held_place(struct json encounter);
struct json beds_extension(struct json element, const char *name); /* one of ours; absent */
