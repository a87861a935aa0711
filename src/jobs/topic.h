/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/search.h"

/*
 * topic: what can be subscribed to, and whether a change of the record is such an event.
 *
 * Source   FHIR R5 SubscriptionTopic (hl7.org/fhir/R5/subscriptiontopic.html), carried in R4 as the
 *          Subscriptions R5 Backport guide 1.1/1.2 has it: a Basic of code SubscriptionTopic with
 *          cross-version extensions.
 * Shapes   three places, in this order: files of the operator's folder (an R4B or R5
 *          SubscriptionTopic, or such a Basic), Basic resources in the record, and the built-in
 *          ones under TOPIC_BASE: "Observation" (any change of that type), "Observation-create",
 *          "-update", "-delete", "encounter-start" and "encounter-end".
 * Missing  no interaction named: all three. resultForCreate: test-passes for `previous`;
 *          resultForDelete: test-fails for `current`. No canFilterBy: any search parameter filters.
 * Errors   ERR_RULE: no such topic, or one that cannot be read, with the element.
 * Memory   cx's arena, or the caller's with which cx was made. Read-only afterwards.
 * Limits   TOPIC_TRIGGERS_MAX triggers; files up to TOPIC_FILE_BYTES.
 */
#define TOPIC_BASE "https://frontline.example/fhir/SubscriptionTopic/"
enum { TOPIC_TRIGGERS_MAX = 32, TOPIC_FILTERS_MAX = 64, TOPIC_FILE_BYTES = 1 << 20 };
enum topic_change { TOPIC_CREATE = 1, TOPIC_UPDATE = 2, TOPIC_DELETE = 4 };

struct path;
struct topic_trigger {
    uint16_t resource;
    unsigned changes;             /* enum topic_change, or-ed */
    str previous, current;        /* queries without type; not given: none */
    bool create_passes, delete_passes, both;
    const struct path *path;      /* NULL: none */
};
struct topic_filter {
    uint16_t resource;            /* FHIR_NONE: any */
    str parameter;
};
struct topic {
    str url, title;
    struct topic_trigger triggers[TOPIC_TRIGGERS_MAX];
    size_t triggers_count;
    struct topic_filter filters[TOPIC_FILTERS_MAX];
    size_t filters_count;         /* 0: anything */
};
/* The operator's files, parsed; in cx's arena. */
struct topic_files {
    struct json *list;
    size_t count;
};
err topic_files_read(struct ctx *cx, str folder, struct topic_files *out) MUST_USE;
err topic_find(struct ctx *cx, struct store *store, const struct topic_files *files, str url,
               struct topic *out) MUST_USE;
/* "Encounter", an absolute profile URL of it, or FHIR_NONE. */
uint16_t topic_resource(str name);

/* A change in hand. body and before are parsed once, by the caller. */
struct topic_event {
    const struct store_version *version;
    struct json body, before;     /* absent: deleted; created */
};
err topic_fires(struct ctx *cx, struct store *store, const struct topic *topic,
                const struct topic_event *event, bool *out) MUST_USE;
/* Calls fn with the URL of every topic: the operator's, the record's, then the built-in ones. */
err topic_each(struct ctx *cx, struct store *store, const struct topic_files *files,
               void (*fn)(void *self, str url), void *self) MUST_USE;
