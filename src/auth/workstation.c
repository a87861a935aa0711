/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/workstation.h"
#include "auth/deed.h"
#include "auth/secret.h"
#include "auth/sign_in_sql.h"

/* clang-format off */
const struct badge_kind badge_kinds[] = {
    { "fido2",       "FIDO2 card",                              true },
    { "desfire-ev2", "DESFire EV2, mutual authentication",      true },
    { "desfire-ev3", "DESFire EV3, mutual authentication",      true },
    { "mifare-uid",  "card number alone: anybody can copy it",  false },
    { 0 },
};
/* clang-format on */

static err refuse(struct ctx *cx, err kind, const char *why)
{
    return ctx_fail(cx, kind, (str){ 0 }, str_of(why));
}

/* ---- registering ---- */

static bool id_ok(str id)
{
    for (size_t i = 0; i < id.n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", id.p[i]))
            return false;
    return id.n >= 2 && id.n <= PEOPLE_NAME_MAX;
}

static err tell(struct ctx *cx, struct db *db, str who, const char *what, str of)
{
    return deed_note(cx, db, &(struct deed){
        .who = who, .act = AUDIT_ACCOUNT,
        .what = arena_printf(cx->arena, "%s %.*s", what, STR_ARG(of)) });
}

static err insert_place(struct ctx *cx, struct db *db, const struct workstation *workstation,
                        str code, str reader)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_PLACE_ADD);
    db_bind_text(stmt, 1, workstation->id);
    db_bind_text(stmt, 2, workstation->name.n ? workstation->name : workstation->id);
    db_bind_text(stmt, 3, workstation->area);
    db_bind_text(stmt, 4, str_of(workstation->zone->name));
    db_bind_blob(stmt, 5, secret_hash(cx->arena, code));
    db_bind_blob(stmt, 6, secret_hash(cx->arena, reader));
    TRY(db_run(cx, stmt));
    return db_changes(db) ? tell(cx, db, S(""), "/workstation: added", workstation->id)
                          : refuse(cx, ERR_CONFLICT, "there is a workstation of this name already");
}

err workstation_add(struct ctx *cx, struct people *people, const struct workstation *workstation,
                    str *code, str *reader)
{
    if (!id_ok(workstation->id))
        return refuse(cx, ERR_INVALID, "a workstation's id has 2 to 64 of a-z 0-9 -");
    if (!workstation->zone)
        return refuse(cx, ERR_INVALID, "give its zone: resus, ward or public");
    str text = str_slice(secret_text(cx->arena), 0, WORKSTATION_CODE_LETTERS);
    str token = arena_printf(cx->arena, "flr_%.*s", STR_ARG(secret_text(cx->arena)));
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    TRY(people_done(cx, people, insert_place(cx, db, workstation, text, token)));
    *code = text;
    *reader = token;
    return ERR_OK;
}

static void read_place(struct ctx *cx, struct db_stmt *stmt, struct workstation *out)
{
    *out = (struct workstation){
        .id = arena_copy(cx->arena, db_text(stmt, 0)),
        .name = arena_copy(cx->arena, db_text(stmt, 1)),
        .area = arena_copy(cx->arena, db_text(stmt, 2)),
        .zone = zone_find(db_text(stmt, 3)),
    };
}

static err list_places(struct ctx *cx, struct db *db, struct workstation **out, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_PLACE_LIST);
    size_t cap = 0;
    *out = NULL;
    *count = 0;
    for (bool row;; (*count)++) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        *out = arena_grow(cx->arena, *out, *count, &cap, sizeof **out);
        read_place(cx, stmt, *out + *count);
        (*out)[*count].claimed = db_int(stmt, 4) != 0;
    }
}

err workstation_list(struct ctx *cx, struct people *people, struct workstation **out,
                     size_t *count)
{
    struct db *db = people_lock(people);
    return people_unlock(people, list_places(cx, db, out, count));
}

static err end_place(struct ctx *cx, struct db *db, str id)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_PLACE_END);
    db_bind_text(stmt, 1, id);
    db_bind_int(stmt, 2, cx->now_ms);
    TRY(db_run(cx, stmt));
    if (!db_changes(db))
        return refuse(cx, ERR_NOT_FOUND, "there is no such workstation");
    struct db_stmt *lock = db_use(cx, db, sign_in_sql, SIGN_IN_SITTING_LOCK_AT);
    db_bind_text(lock, 1, id);
    db_bind_int(lock, 2, cx->now_ms);
    TRY(deed_sessions(cx, db, lock, "/workstation/lock: the workstation was ended", NULL));
    return tell(cx, db, S(""), "/workstation: ended", id);
}

err workstation_end(struct ctx *cx, struct people *people, str id)
{
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    return people_done(cx, people, end_place(cx, db, id));
}

static err claim(struct ctx *cx, struct db *db, str id, str code, str cookie)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_PLACE_CLAIM);
    db_bind_text(stmt, 1, id);
    db_bind_blob(stmt, 2, secret_hash(cx->arena, cookie));
    db_bind_blob(stmt, 3, secret_hash(cx->arena, code));
    TRY(db_run(cx, stmt));
    return db_changes(db) ? tell(cx, db, S("unknown"), "/workstation: taken by a browser,", id)
                          : refuse(cx, ERR_LOGIN, "the workstation or its code is not right, or "
                                                  "the code was used already");
}

err workstation_claim(struct ctx *cx, struct people *people, str id, str code, str *cookie)
{
    str text = secret_text(cx->arena);
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    TRY(people_done(cx, people, claim(cx, db, id, code, text)));
    *cookie = text;
    return ERR_OK;
}

static err find_by(struct ctx *cx, struct db *db, enum sign_in_statement which, str secret,
                   struct workstation *out)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, which);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, secret));
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return refuse(cx, ERR_LOGIN, "this is no registered workstation or reader");
    read_place(cx, stmt, out);
    db_reset(stmt);
    return ERR_OK;
}

err workstation_find(struct ctx *cx, struct people *people, str cookie, struct workstation *out)
{
    struct db *db = people_lock(people);
    return people_unlock(people, find_by(cx, db, SIGN_IN_PLACE_BY_HASH, cookie, out));
}

/* ---- badges ---- */

static err add_badge(struct ctx *cx, struct db *db, str user, str badge, str kind)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_BADGE_ADD);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, badge));
    db_bind_text(stmt, 2, user);
    db_bind_text(stmt, 3, kind);
    db_bind_int(stmt, 4, cx->now_ms);
    TRY(db_run(cx, stmt));
    return db_changes(db) ? tell(cx, db, user, "/people: given a badge,", kind)
                          : refuse(cx, ERR_CONFLICT, "this badge is somebody's already");
}

err badge_add(struct ctx *cx, struct people *people, str user, str badge, str kind)
{
    struct people_user found;
    size_t i = 0;
    TRY(people_find(cx, people, user, &found));
    while (badge_kinds[i].name && !str_eq(kind, str_of(badge_kinds[i].name)))
        i++;
    if (!badge_kinds[i].name)
        return refuse(cx, ERR_INVALID, "a badge's kind is fido2, desfire-ev2 or desfire-ev3");
    if (!badge_kinds[i].proves)
        return refuse(cx, ERR_RULE, "a card number can be copied by anybody who stands near it: "
                                    "give out cards that prove themselves");
    if (badge.n < 8)
        return refuse(cx, ERR_INVALID, "a badge's id is what its reader proved, 8 letters or more");
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    return people_done(cx, people, add_badge(cx, db, user, badge, kind));
}

static err end_badges(struct ctx *cx, struct db *db, str user)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_BADGE_END);
    db_bind_text(stmt, 1, user);
    db_bind_int(stmt, 2, cx->now_ms);
    TRY(db_run(cx, stmt));
    return tell(cx, db, user, "/people:", S("badges ended"));
}

err badge_end(struct ctx *cx, struct people *people, str user)
{
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    return people_done(cx, people, end_badges(cx, db, user));
}

/* ---- tapping ---- */

struct sitting {
    str hash, place, held, area;
    int64_t full_ms, begun_ms, locked_ms, seen_ms;
    bool there;
};

static err find_badge(struct ctx *cx, struct db *db, str badge, str *user)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_BADGE_FIND);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, badge));
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return refuse(cx, ERR_LOGIN, "this badge is nobody's here, or was ended");
    *user = arena_copy(cx->arena, db_text(stmt, 0));
    db_reset(stmt);
    return ERR_OK;
}

static err find_sitting(struct ctx *cx, struct db *db, str user, struct sitting *out)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_SITTING_OF);
    db_bind_text(stmt, 1, user);
    TRY(db_step(cx, stmt, &out->there));
    if (!out->there)
        return ERR_OK;
    *out = (struct sitting){
        .there = true,
        .hash = arena_copy(cx->arena, db_blob(stmt, 0)),
        .place = arena_copy(cx->arena, db_text(stmt, 1)),
        .full_ms = db_int(stmt, 2),
        .begun_ms = db_int(stmt, 3),
        .locked_ms = db_int(stmt, 4),
        .held = arena_copy(cx->arena, db_text(stmt, 5)),
        .seen_ms = db_int(stmt, 6),
        .area = arena_copy(cx->arena, db_text(stmt, 7)),
    };
    db_reset(stmt);
    return ERR_OK;
}

static err lock_at(struct ctx *cx, struct db *db, str place, bool *locked)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_SITTING_LOCK_AT);
    db_bind_text(stmt, 1, place);
    db_bind_int(stmt, 2, cx->now_ms);
    size_t count = 0;
    TRY(deed_sessions(cx, db, stmt, "/workstation/lock: by a badge", &count));
    *locked = count > 0;
    return ERR_OK;
}

/* The patient goes along within two minutes of the last use, in the same area; else nobody is on
 * the screen. */
static str kept_patient(struct ctx *cx, const struct sitting *sitting,
                        const struct workstation *to)
{
    int64_t left_ms = sitting->locked_ms ? sitting->locked_ms : cx->now_ms;
    bool idle = sitting->locked_ms == 0 && cx->now_ms - sitting->seen_ms >= WORKSTATION_KEEP_MS;
    bool soon = cx->now_ms - left_ms < WORKSTATION_KEEP_MS && !idle;
    return soon && to->area.n && str_eq(sitting->area, to->area) ? sitting->held : S("");
}

static err move_here(struct ctx *cx, struct db *db, const struct sitting *sitting,
                     const struct workstation *to)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_SITTING_MOVE);
    db_bind_blob(stmt, 1, sitting->hash);
    /* A hash no cookie has: what the old browser holds opens nothing from here on. */
    db_bind_blob(stmt, 2, secret_hash(cx->arena, secret_text(cx->arena)));
    db_bind_text(stmt, 3, to->id);
    db_bind_int(stmt, 4, cx->now_ms);
    db_bind_text(stmt, 5, kept_patient(cx, sitting, to));
    return db_run(cx, stmt);
}

static err open_here(struct ctx *cx, struct db *db, const struct tap_ask *ask,
                     const struct sitting *sitting, struct tap_result *out)
{
    bool proved = sitting->there && cx->now_ms - sitting->full_ms <= ask->grace_ms &&
                  cx->now_ms - sitting->begun_ms <= SESSION_ABSOLUTE_MS;
    /* Whoever was here: the next person stands before it. */
    TRY(lock_at(cx, db, out->at.id, &out->locked));
    if (!proved)
        return refuse(cx, ERR_FORBIDDEN, "a badge alone does not sign in: use your passkey here "
                                         "first; the badge then opens it again for four hours");
    if (!str_eq(sitting->place, out->at.id))
        out->left = sitting->place;
    TRY(move_here(cx, db, sitting, &out->at));
    out->opened = true;
    return ERR_OK;
}

static err tap(struct ctx *cx, struct db *db, const struct tap_ask *ask, struct tap_result *out)
{
    struct sitting sitting = { 0 };
    TRY(find_by(cx, db, SIGN_IN_PLACE_READER, ask->reader, &out->at));
    if (ask->event == TAP_OUT) /* whosever badge it was: nobody stands there now */
        return lock_at(cx, db, out->at.id, &out->locked);
    TRY(find_badge(cx, db, ask->badge, &out->user));
    TRY(find_sitting(cx, db, out->user, &sitting));
    bool open_now = sitting.there && !sitting.locked_ms && str_eq(sitting.place, out->at.id) &&
                    cx->now_ms - sitting.seen_ms <= WORKSTATION_KEEP_MS;
    if (ask->event == TAP_EITHER && open_now)
        return lock_at(cx, db, out->at.id, &out->locked);
    return open_here(cx, db, ask, &sitting, out);
}

err workstation_tap(struct ctx *cx, struct people *people, const struct tap_ask *ask,
                    struct tap_result *out)
{
    struct db *db = NULL;
    *out = (struct tap_result){ .left = S(""), .user = S("") };
    TRY(people_write(cx, people, &db));
    err tapped = tap(cx, db, ask, out);
    bool ours = tapped == ERR_IO || tapped == ERR_BUG;
    err kept = people_done(cx, people, ours ? tapped : ERR_OK); /* refused, it has locked still */
    return tapped == ERR_OK ? kept : tapped;
}

static err take(struct ctx *cx, struct db *db, str id, str cookie, str *held)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_SITTING_READY);
    db_bind_text(stmt, 1, id);
    db_bind_int(stmt, 2, cx->now_ms - WORKSTATION_READY_MS);
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return ctx_fail(cx, ERR_NOT_FOUND, (str){ 0 }, S("nothing waits here"));
    str hash = arena_copy(cx->arena, db_blob(stmt, 0));
    *held = arena_copy(cx->arena, db_text(stmt, 2));
    db_reset(stmt);
    struct db_stmt *pick = db_use(cx, db, sign_in_sql, SIGN_IN_SITTING_TAKE);
    db_bind_blob(pick, 1, hash);
    db_bind_blob(pick, 2, secret_hash(cx->arena, cookie));
    db_bind_int(pick, 3, cx->now_ms);
    return db_run(cx, pick);
}

err workstation_take(struct ctx *cx, struct people *people, str id, str *cookie, str *held)
{
    str text = secret_text(cx->arena), patient = S("");
    struct db *db = people_lock(people);
    TRY(people_unlock(people, take(cx, db, id, text, &patient)));
    *cookie = text;
    *held = patient;
    return ERR_OK;
}

static err who_sits(struct ctx *cx, struct db *db, str id, struct workstation_sitter *out)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_SITTING_AT);
    db_bind_text(stmt, 1, id);
    bool row;
    TRY(db_step(cx, stmt, &row));
    *out = (struct workstation_sitter){ .display = S("") };
    if (row && cx->now_ms - db_int(stmt, 3) <= SESSION_ABSOLUTE_MS)
        *out = (struct workstation_sitter){ arena_copy(cx->arena, db_text(stmt, 1)),
                                            db_int(stmt, 4) != 0 };
    db_reset(stmt);
    return ERR_OK;
}

err workstation_sitter(struct ctx *cx, struct people *people, str id,
                       struct workstation_sitter *out)
{
    struct db *db = people_lock(people);
    return people_unlock(people, who_sits(cx, db, id, out));
}
