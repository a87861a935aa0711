/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "hl7v2/message.h"

/*
 * hl7_lanes: which messages are applied at one time: those that are about different things, by
 * several threads; those about the same patient or visit one after the other, in their order.
 *
 * Source   senders pipeline, and several connections speak of one patient; the order of a patient's
 *          messages is theirs, that between patients is nobody's.
 * Shapes   a job has keys: what its message is about. A job begins when no earlier one that is not
 *          over has a key of its own. Commits of jobs that run together share a sync of the disk.
 * Memory   the jobs are the caller's, until `run` was called.
 * Limits   HL7_LANES_MAX jobs that are not over: adding another waits. A message of more keys
 *          than HL7_KEYS_MAX, a batch and a merge (A40) are taken by themselves. Two keys of one
 *          hash only wait.
 */
enum { HL7_KEYS_MAX = 24, HL7_LANES_MAX = 256 };
struct hl7_keys {
    uint32_t list[HL7_KEYS_MAX];
    size_t count;
    uint64_t mask;   /* a bit of each, to tell at a glance that two have none in common */
    bool everything; /* has every key */
};
/* Of the bytes of a message as they came, in whatever character set: patient (PID-3, MRG-1), visit
 * (PV1-19), bed (PV1-3, PV1-6) and control id. What cannot be read has none. */
struct hl7_keys hl7_keys_of(struct ctx *cx, str bytes);

struct hl7_job {
    struct hl7_keys keys;
    /* On a lane's thread. True: it is to be run once more when all jobs before it are over, since
     * one of them may have been what it lacked. */
    bool (*run)(struct hl7_job *job);
    void (*over)(struct hl7_job *job); /* after it, when the lanes are done with the job */
    struct hl7_job *before, *after;   /* the lanes' own */
    bool running;
};
struct hl7_lanes;
err hl7_lanes_start(struct ctx *cx, size_t threads, struct hl7_lanes **out) MUST_USE;
void hl7_lanes_add(struct hl7_lanes *lanes, struct hl7_job *job);
/* This thread instead of a lane's: returns when the job's turn has come; hl7_lanes_leave then. */
void hl7_lanes_enter(struct hl7_lanes *lanes, struct hl7_job *job);
void hl7_lanes_leave(struct hl7_lanes *lanes, struct hl7_job *job);
void hl7_lanes_stop(struct hl7_lanes *lanes); /* when nobody adds any more; does what is left */
