/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "jobs/topic.h"

/* topic_read: a SubscriptionTopic as JSON, of R4B, R5 or as R4's Basic. Private to topic. */
err topic_read(struct ctx *cx, struct store *store, struct json source, struct topic *out) MUST_USE;
str topic_url(struct ctx *cx, struct json source); /* not given: it has none */
