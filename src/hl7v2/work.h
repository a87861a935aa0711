/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "hl7v2/ack.h"
#include "hl7v2/sender.h"
#include "json/write.h"
#include "store/commit.h"

/*
 * hl7_work: one message while it becomes one commit. What the mappings share.
 *
 * Shapes   a mapping finds what is there by identifier, says which members change, and the work
 *          holds the operation. All of a message is one commit, so it is applied whole or not.
 * Errors   hl7_refuse fills the answer and returns ERR_RULE; anything else is the store's.
 */
enum { HL7_OPS_MAX = 2000, HL7_CHANGES_MAX = 24, HL7_TEXT_MAX = 1 << 24,
       HL7_PEOPLE_MAX = 24, HL7_WAY_MAX = 64, HL7_WAITS_MAX = 4 };
/* A stay told after its bed was given to the next has this tag: it lies there again when the other
 * leaves (again.h). */
#define HL7_TAGS "https://frontline.example/CodeSystem/hl7v2"
#define HL7_BED_TAKEN "bed-taken"
#define HL7_AS_SENT "https://frontline.example/StructureDefinition/as-sent"
#define HL7_WAITS_ID "https://frontline.example/Id/hl7v2-waits"

/* The records between one that was merged away and the one that survives, the first included. */
struct hl7_way {
    str steps[HL7_WAY_MAX];
    size_t count;
};
struct hl7_found {
    bool found;
    str reference;           /* "Patient/123" */
    struct json body;
    struct store_version version;
};
struct hl7_work {
    struct ctx *cx;
    struct store *store;
    const struct hl7_message *message;
    const struct hl7_sender *sender;
    const struct hl7_segment *pid, *pv1;
    struct commit_op *ops;
    size_t ops_count, ops_cap;
    struct hl7_answer answer;
    int64_t event_ms;        /* EVN-2, else MSH-7 */
    str event_time;          /* the same, as FHIR writes it */
    str patient, encounter;  /* references; not given: none */
    struct hl7_found subject; /* the patient as looked at: merged meanwhile, it is tried again */
    const struct merge *merge; /* A40's; else NULL */
    struct hl7_way way;      /* from the record PID names to `patient`; empty: it is that */
    str visit;               /* PV1-19 */
    bool taken;              /* the bed is, or the patient lies in another: see who came later */
    str waits[HL7_WAITS_MAX]; /* references: refused since the bed is taken, it is taken again when
                                 a stay changes that has to do with one of these */
    size_t waits_count;
    bool spent;              /* the control id is that of another message */
    str people[HL7_PEOPLE_MAX]; /* "system|value" of PID-3 and MRG-1, once they were read */
    size_t people_count;
    bool new_patient, moved; /* made a patient known, or a visit different: others may be on hold
                                for that */
};

/* A member to set; json { "", 0 }: take it away; not given: leave it. `part` given: it is left,
 * too, when a later message has said that part of the resource (stamp.h). */
struct hl7_change {
    const char *key;
    str json;
    const char *part;
};
err hl7_refuse(struct hl7_work *work, int code, const char *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* "identifier=system|value", as a query has it. */
str hl7_condition(struct hl7_work *work, str system, str value);
void hl7_wait_for(struct hl7_work *work, str reference);
/* The system of the sender's own numbers of a kind: "visit", "order" ... */
str hl7_own(struct hl7_work *work, const char *what);
/* A record that was merged away leads to the one that survives; *own: the record a message of that
 * time is about. way and own may be NULL. */
err hl7_follow(struct hl7_work *work, struct hl7_found *patient, struct hl7_way *way,
               struct hl7_found *own) MUST_USE;
/* ERR_RULE with an answer when several have the identifier. */
err hl7_find(struct hl7_work *work, const char *type, str system, str value,
             struct hl7_found *out) MUST_USE;
/* Adds the operation that makes `found` so, or creates it (found->reference is then its urn). What
 * is another patient's is refused: a number used twice must not move a stay or a result. Changes of
 * the list may be taken out: what a later message said, and whose it is once that is there. */
err hl7_put(struct hl7_work *work, const char *type, str system, str value,
            struct hl7_change *changes, struct hl7_found *found) MUST_USE;
struct hl7_name { /* a business identifier */
    str system, value;
};
struct hl7_stamps;
/* The same with the stamps of the body, where some of it was taken out already. */
err hl7_put_stamped(struct hl7_work *work, const char *type, struct hl7_name name,
                    struct hl7_change *changes, struct hl7_stamps *stamps,
                    struct hl7_found *found) MUST_USE;

/* ---- small pieces of FHIR as JSON text; { NULL, 0 } when there is nothing to say ---- */

str hl7_field(struct hl7_work *work, const struct hl7_segment *segment, int field, int component);
str hl7_json_text(struct hl7_work *work, str text);            /* a JSON string */
str hl7_json_identifier(struct hl7_work *work, str system, str value); /* [ { } ] */
str hl7_json_reference(struct hl7_work *work, str reference);
/* The patient of the message; one merged away is said beside, as a merge does. */
str hl7_json_subject(struct hl7_work *work);
/* CE or CWE: code, text, system, and the alternate triple. */
str hl7_json_concept(struct hl7_work *work, const struct hl7_segment *segment,
                     struct hl7_place place);
str hl7_json_code(struct hl7_work *work, const char *system, str code); /* a Coding */
str hl7_time(struct hl7_work *work, str text);                 /* as FHIR; not given: not a time */
bool hl7_instant(str fhir_time, int64_t *out_ms);              /* the first it can mean */
struct buf hl7_buf(struct hl7_work *work);

/* ---- the mappings, one a kind of message ---- */

err hl7_map_patient(struct hl7_work *work, bool create) MUST_USE;
err hl7_map_people(struct hl7_work *work) MUST_USE; /* only reads who it is about */
err hl7_map_merge(struct hl7_work *work) MUST_USE;
enum hl7_move { HL7_ADMIT, HL7_TRANSFER, HL7_DISCHARGE, HL7_REGISTER, HL7_PREADMIT, HL7_UPDATE,
                HL7_CANCEL_ADMIT, HL7_CANCEL_TRANSFER, HL7_CANCEL_DISCHARGE };
err hl7_map_visit(struct hl7_work *work, enum hl7_move move) MUST_USE;
err hl7_map_results(struct hl7_work *work) MUST_USE;
err hl7_map_document(struct hl7_work *work) MUST_USE;
err hl7_map_booking(struct hl7_work *work, const char *status) MUST_USE;
