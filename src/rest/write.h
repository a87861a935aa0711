/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rest/call.h"
#include "store/commit.h"

/*
 * write: create, update, patch and delete, plain and conditional.
 *
 * Source   hl7.org/fhir/R4/http.html#create, #update, #patch, #delete, #ccreate, #cond-update.
 * Shapes   what a request says becomes one struct commit_op, alone or as an entry of a transaction.
 * Errors   ERR_INVALID malformed; ERR_RULE the resource breaks R4's rules; ERR_PRECONDITION and
 *          ERR_CONFLICT from the commit.
 */
struct write_ask {
    enum http_method method;
    uint16_t resource;
    str id;                 /* of the URL; not given: none */
    str condition;          /* of the URL, or If-None-Exist; not given: none */
    str if_match, if_none_match;
    struct json body;       /* create and update */
    str patch_type;         /* media type of a patch */
    str patch_xml;          /* an XML Patch as sent */
    struct json patch;
};
err write_make_op(struct rest_call *call, const struct write_ask *ask, struct commit_op *out)
    MUST_USE;
/* 201 or 200, as FHIR answers what the commit did. */
int write_status(const struct commit_op *op);
/* "Patient/1/_history/2" */
str write_location(struct arena *arena, const struct store_version *version);

http_handler rest_create, rest_update, rest_patch, rest_delete;
