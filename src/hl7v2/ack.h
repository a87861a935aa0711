/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "hl7v2/message.h"

/*
 * hl7_ack: the answer to a message, in the original or the enhanced mode, as its MSH asks.
 *
 * Source   HL7 v2.5.1 chapter 2.9; tables 0008 (code), 0155 (when to answer), 0357 (error).
 * Shapes   original mode (MSH-15 and MSH-16 empty): one answer, AA AE or AR. Enhanced: an accept
 *          answer (CA CE CR) when MSH-15 asks for it, then the application's when MSH-16 does.
 */
enum hl7_outcome {
    HL7_ACCEPTED, /* on disk */
    HL7_ERROR,    /* understood, its content refused */
    HL7_REJECTED  /* not processable: type, version, processing id, or not HL7 at all */
};
struct hl7_answer {
    enum hl7_outcome outcome;
    int code;     /* table 0357; 0: none. 100 segment sequence, 101 required field missing, 103
                     table value, 200 type, 201 event, 202 processing id, 203 version, 204 unknown
                     key, 205 duplicate key, 206 locked, 207 application error */
    str where;    /* "PID-3" */
    str text;     /* what is wrong and what to do */
};
/* Adds the framed answers the message asks for; none may be asked for. */
void hl7_ack(struct ctx *cx, const struct hl7_message *message, const struct hl7_answer *answer,
             struct buf *out);
/* The answer to bytes that are no HL7 message. */
void hl7_ack_unreadable(struct ctx *cx, str text, struct buf *out);
