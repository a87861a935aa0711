/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "store/store.h"

/*
 * proxy: who may act for somebody else, for what, and until when; read from the record each time.
 *
 * Source   patient-app 1.4: RelatedPerson (who, by the NHS number their own sign-in verified) and
 *          Consent (scope patient-privacy; provision permit, actor the RelatedPerson, a code a
 *          function, period). Reviews at the 11th, 13th and 16th birthday: unconfirmed [U].
 * Shapes   a function is a set of SMART scopes, so that the one decision applies them. Other
 *          proxies of the patient are never among what one may see.
 * Missing  no NHS number of one's own, no active consent, no function known: nobody to act for. A
 *          consent older than a review birthday that has passed since is void until reviewed.
 * Errors   ERR_FORBIDDEN: not, or no longer; ERR_IO.
 * Memory   cx's arena. Nothing is kept between requests, so a revocation holds at the next one.
 * Hazards  H-205 a proxy keeps access that was taken away or outgrown.
 */
struct proxy_function {
    const char *code, *words, *scopes;
};
extern const struct proxy_function proxy_functions[]; /* ended by a zero row */
#define PROXY_FUNCTION_SYSTEM "https://frontline.example/CodeSystem/proxy-function"

struct proxy_review {
    int age_years;
    const char *source, *effective_from;
};
extern const struct proxy_review proxy_reviews[];
extern const size_t proxy_reviews_count;

struct proxy {
    str related, patient;   /* ids of the RelatedPerson and the Patient */
    str name;               /* the patient's, as text */
    str functions;          /* words: "view book" */
    str scopes;
};
enum { PROXIES_MAX = 20 };
/* Those the holder of this NHS number may act for now. */
err proxy_list(struct ctx *cx, struct store *store, str nhs_number, struct proxy *out,
               size_t *count) MUST_USE;
err proxy_find(struct ctx *cx, struct store *store, str nhs_number, str related,
               struct proxy *out) MUST_USE;
/* A consent made on `made` (FHIR date) for somebody born on `born` still holds at now_ms. */
bool proxy_consent_stands(str born, str made, int64_t now_ms);
