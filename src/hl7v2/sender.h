/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "hl7v2/message.h"
#include "json/json.h"

/*
 * hl7_sender: what one sending system means by its codes and numbers, as data.
 *
 * Shapes   a JSON object, one file NAME.json a sender in the folder [hl7v2] senders names:
 *            { "application": "PAS", "facility": "RXX",       whom it is for; left out: anybody
 *              "zone": "Europe/London",                       or minutes east of UTC
 *              "unmatched": "create",                         or "refuse": a patient not known
 *              "silent_s": 900,                               silence that is told; 0: never
 *              "identifiers": { "NHS": "https://fhir.nhs.uk/Id/nhs-number", "RXX": "..." },
 *              "visit": URI, "place": URI, "order": URI ...   systems of the sender's own numbers
 *              "tables": { "gender": { "M": "male" }, "class": { "I": "IMP" },
 *                          "units": { "MMOLL": "mmol/L" } ... } }   units: into UCUM
 *          What a file leaves out is taken from the default (sender.c), which serves any sender.
 * Errors   ERR_INVALID names the file and the fault.
 * Memory   the arena of cx, which must outlive the senders.
 */
struct hl7_sender {
    struct json own, fallback; /* own: absent for the default */
    str application, facility;
    int zone_minutes;
    bool create_unmatched;
    int64_t silent_ms; /* HL7_WATCH_ANY: what is set for all */
};
struct hl7_senders {
    struct hl7_sender *list; /* the default is last */
    size_t count;
};
/* folder not given, or empty: the default alone. */
err hl7_senders_read(struct ctx *cx, str folder, struct hl7_senders *out) MUST_USE;
const struct hl7_sender *hl7_sender_of(const struct hl7_senders *senders,
                                       const struct hl7_message *message);

/* A code of one of its tables ("*" is for the rest); { NULL, 0 } when it is in none. */
str hl7_sender_code(struct arena *arena, const struct hl7_sender *sender, const char *table,
                    str code);
/* Is the code itself in the table? What only "*" covers is kept as it was sent beside. */
bool hl7_sender_knows(const struct hl7_sender *sender, const char *table, str code);
/* The system of a patient's identifier, by CX-4 authority, else by CX-5 type, else the number is
 * the facility's own: two hospitals may give one number to two people. */
str hl7_sender_system(struct arena *arena, const struct hl7_sender *sender, str facility,
                      str authority, str type);
/* https://frontline.example/KIND/FACILITY-WHAT, percent-encoded: senders use blanks in names. */
str hl7_sender_uri(struct arena *arena, const char *kind, str facility, str what);
/* The system of the sender's own visits, places, orders, documents, appointments. */
str hl7_sender_own(struct arena *arena, const struct hl7_sender *sender, str facility,
                   const char *what);
