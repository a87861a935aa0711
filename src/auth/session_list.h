/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/session.h"

/*
 * session_list: where a person is signed in, for themselves to see and to end.
 *
 * Source   OWASP ASVS 5.0, 7.5.2: a person sees their sessions and ends any of them.
 * Shapes   `id` names a row on a page: a hash, worth nothing as a cookie. A session that moved to
 *          another workstation is told by the workstation alone.
 * Errors   ERR_NOT_FOUND: no session of this person has that id; somebody else's is told so, too.
 * Memory   cx's arena. An ended session holds nothing from the next request on; its open streams
 *          end within a second (ui/live.h).
 */
enum { SESSION_LIST_MAX = 100, SESSION_AGENT_BYTES = 300 };
struct session_row {
    str id, method;
    str place;              /* name of the shared workstation; or empty */
    str address, agent;     /* as the browser called itself; may be empty */
    int64_t begun_ms, seen_ms;
    bool locked, here;      /* here: the one that asks */
};
/* The newest first, at most SESSION_LIST_MAX. */
err session_list(struct ctx *cx, struct people *people, const struct session *session, str cookie,
                 struct session_row **out, size_t *count) MUST_USE;
err session_end_own(struct ctx *cx, struct people *people, str user, str id) MUST_USE;
err session_end_others(struct ctx *cx, struct people *people, str user, str cookie) MUST_USE;
/* Keeps where a session that just began is. */
err session_came_from(struct ctx *cx, struct people *people, str cookie, str address,
                      str agent) MUST_USE;
