/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/beds/picture.h"

/*
 * beds_picture_read: what the picture takes from each resource. Private to beds.
 *
 * Source   hl7.org/fhir/R4: Location, Encounter, Patient, Observation, Flag; bed attributes are
 *          codes of https://frontline.example/CodeSystem/bed-attribute in Location.type.
 * Missing  as beds_picture says; a resource without what is needed is left out.
 * Errors   none: what cannot be read is absent. Memory: cx's arena; the structs are the caller's.
 */
#define BEDS_NEWS2_CODE "1104051000000101"

void beds_read_location(struct ctx *cx, struct json body, struct beds_spot *out);
/* False: it holds no bed. bed gets the Location's id. */
bool beds_read_encounter(struct ctx *cx, struct json body, struct beds_stay *out,
                         char bed[BEDS_ID_BYTES]);
void beds_read_patient(struct ctx *cx, struct json body, struct beds_stay *out);
bool beds_read_news2(struct ctx *cx, struct json body, str *patient, int *total, int64_t *at_ms);
bool beds_read_flag(struct ctx *cx, struct json body, str *patient, str *text);

/* "Patient/1" as "1"; absent when it leads to another type. */
str beds_read_reference(struct ctx *cx, struct json element, const char *type);
/* A dateTime's lower instant; 0: none. */
int64_t beds_read_instant(struct ctx *cx, struct json text);
/* The place an open encounter holds, as index into location; -1: none. Also for moves. */
int beds_held_place(struct json encounter);
struct json beds_extension(struct json element, const char *name); /* one of ours; absent */
