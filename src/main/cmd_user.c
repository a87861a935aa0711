/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/passkey.h"
#include "auth/secret.h"
#include "auth/session.h"
#include "auth/workstation.h"
#include "json/write.h"
#include "main/command.h"
#include "main/user_demo.h"

enum { LIST_MAX_BYTES = 16 << 20, CODE_MINUTES = 60, CODE_MINUTES_MAX = 60 * 24 * 7 };

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder", true, false },
    { "--role", "ROLE", "what the person is; `frontline user roles` lists them", false, false },
    { "--display", "TEXT", "the name shown on screens", false, false },
    { "--who", "REFERENCE", "the person in the record, such as Practitioner/123", false, false },
    { "--areas", "IDS", "Location ids where they work, separated by commas", false, false },
    { "--kind", "KIND", "of a badge: fido2, desfire-ev2 or desfire-ev3", false, false },
    { "--minutes", "N", "how long a one-time code is good for (60)", false, false },
    { "--json", NULL, "print as JSON", false, false },
    { 0 },
};

static err add(struct ctx *cx, struct people *people, const struct command_args *args)
{
    command_words(args, 2, "add NAME --role ROLE --data DIR");
    str areas = arena_copy(cx->arena, command_value(args, "--areas"));
    for (size_t i = 0; i < areas.n; i++)
        if (areas.p[i] == ',')
            ((char *)areas.p)[i] = ' ';
    struct people_user user = {
        .name = args->words[1],
        .role = command_value(args, "--role"),
        .display = command_value(args, "--display"),
        .who = command_value(args, "--who"),
        .areas = areas,
    };
    return people_add(cx, people, &user);
}

static err disable(struct ctx *cx, struct people *people, const struct command_args *args)
{
    command_words(args, 2, "disable NAME --data DIR");
    return people_disable(cx, people, args->words[1], true);
}

static err enable(struct ctx *cx, struct people *people, const struct command_args *args)
{
    command_words(args, 2, "enable NAME --data DIR");
    return people_disable(cx, people, args->words[1], false);
}

static err set_role(struct ctx *cx, struct people *people, const struct command_args *args)
{
    command_words(args, 3, "role NAME ROLE --data DIR");
    return people_set_role(cx, people, args->words[1], args->words[2]);
}

static void print_json(struct ctx *cx, const struct people_user *users, size_t count)
{
    struct buf buf = buf_make(cx->arena, LIST_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&w, '{');
        json_put_str(&w, "name", users[i].name);
        json_put_str(&w, "display", users[i].display);
        json_put_str(&w, "role", users[i].role);
        json_put_str(&w, "who", users[i].who);
        json_put_str(&w, "areas", users[i].areas);
        json_put_bool(&w, "disabled", users[i].disabled);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    printf("%.*s\n", STR_ARG(buf_str(&buf)));
}

static err list(struct ctx *cx, struct people *people, const struct command_args *args)
{
    struct people_user *users;
    size_t count;
    command_words(args, 1, "list --data DIR");
    TRY(people_list(cx, people, &users, &count));
    if (command_has(args, "--json")) {
        print_json(cx, users, count);
        return ERR_OK;
    }
    for (size_t i = 0; i < count; i++)
        printf("%-20.*s %-18.*s %.*s%s\n", STR_ARG(users[i].name), STR_ARG(users[i].role),
               STR_ARG(users[i].display), users[i].disabled ? " (disabled)" : "");
    return ERR_OK;
}

static err list_roles(struct ctx *cx, struct people *people, const struct command_args *args)
{
    (void)people;
    command_words(args, 1, "roles --data DIR");
    if (command_has(args, "--json")) {
        struct buf buf = buf_make(cx->arena, LIST_MAX_BYTES);
        struct json_writer w = json_writer(&buf);
        json_open(&w, '[');
        for (size_t i = 0; i < roles_count; i++) {
            json_open(&w, '{');
            json_put_str(&w, "role", str_of(roles[i].name));
            json_put_str(&w, "title", str_of(roles[i].title));
            json_close(&w, '}');
        }
        json_close(&w, ']');
        printf("%.*s\n", STR_ARG(buf_str(&buf)));
        return ERR_OK;
    }
    for (size_t i = 0; i < roles_count; i++)
        printf("%-18s %s\n", roles[i].name, roles[i].title);
    return ERR_OK;
}

/* ---- ways in ---- */

static err add_code(struct ctx *cx, struct people *people, const struct command_args *args)
{
    command_words(args, 3, "key add-code NAME --data DIR");
    str code;
    int64_t minutes = command_number(args, "--minutes", CODE_MINUTES, 1, CODE_MINUTES_MAX);
    TRY(session_code(cx, people, args->words[2], minutes, &code));
    if (!command_has(args, "--json")) {
        printf("%.*s\n", STR_ARG(code));
        return ERR_OK;
    }
    printf("{\"user\":\"%.*s\",\"code\":\"%.*s\",\"minutes\":%lld}\n",
           STR_ARG(args->words[2]), STR_ARG(code), (long long)minutes);
    return ERR_OK;
}

static void put_key(struct ctx *cx, struct json_writer *w, const struct passkey *key)
{
    json_open(w, '{');
    json_put_str(w, "id", secret_base64url(cx->arena, key->id));
    json_put_str(w, "name", key->name);
    json_put_raw(w, "alg", arena_printf(cx->arena, "%d", key->alg));
    json_put_u64(w, "count", key->count);
    json_put_bool(w, "synced", key->flags & PASSKEY_SYNCED);
    json_put_bool(w, "attested", key->attested);
    json_put_u64(w, "added_ms", (uint64_t)key->added_ms);
    json_put_u64(w, "used_ms", (uint64_t)key->used_ms);
    if (key->ended_ms)
        json_put_str(w, "removed", key->why);
    json_close(w, '}');
}

static err list_keys(struct ctx *cx, struct people *people, const struct command_args *args)
{
    struct people_user user;
    struct passkey *keys;
    size_t count;
    command_words(args, 3, "key list NAME --data DIR");
    TRY(people_find(cx, people, args->words[2], &user));
    TRY(passkey_list(cx, people, user.name, &keys, &count));
    struct buf buf = buf_make(cx->arena, LIST_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '[');
    for (size_t i = 0; i < count; i++)
        put_key(cx, &w, &keys[i]);
    json_close(&w, ']');
    if (command_has(args, "--json")) {
        printf("%.*s\n", STR_ARG(buf_str(&buf)));
        return ERR_OK;
    }
    for (size_t i = 0; i < count; i++)
        printf("%-24.*s %.*s%s%.*s\n", STR_ARG(keys[i].name),
               STR_ARG(secret_base64url(cx->arena, keys[i].id)),
               keys[i].ended_ms ? " removed: " : "", STR_ARG(keys[i].why));
    return ERR_OK;
}

static err revoke_key(struct ctx *cx, struct people *people, const struct command_args *args)
{
    str id;
    command_words(args, 4, "key revoke NAME KEY --data DIR");
    if (!secret_from_base64url(cx->arena, args->words[3], &id))
        return ctx_fail(cx, ERR_INVALID, S("KEY"), S("`frontline user key list` shows the ids"));
    TRY(passkey_end(cx, people, args->words[2], id, S("by the administrator")));
    return session_end_all(cx, people, args->words[2], "/sign-out: a key of theirs was ended");
}

static err key(struct ctx *cx, struct people *people, const struct command_args *args)
{
    static const struct {
        const char *word;
        err (*run)(struct ctx *cx, struct people *people, const struct command_args *args);
    } ways[] = { { "list", list_keys }, { "add-code", add_code }, { "revoke", revoke_key } };
    str word = args->words_count > 1 ? args->words[1] : S("");
    for (size_t i = 0; i < COUNT(ways); i++)
        if (str_eq(word, str_of(ways[i].word)))
            return ways[i].run(cx, people, args);
    return ctx_fail(cx, ERR_INVALID, (str){ 0 },
                    S("write it as: frontline user key list|add-code|revoke NAME [KEY] --data DIR"));
}

static err badge(struct ctx *cx, struct people *people, const struct command_args *args)
{
    str what = args->words_count > 1 ? args->words[1] : S("");
    if (str_eq(what, S("add"))) {
        command_words(args, 4, "badge add NAME BADGE --kind KIND --data DIR");
        return badge_add(cx, people, args->words[2], args->words[3],
                         command_value(args, "--kind"));
    }
    command_words(args, 3, "badge end NAME --data DIR");
    if (!str_eq(what, S("end")))
        return ctx_fail(cx, ERR_INVALID, (str){ 0 },
                        S("write it as: frontline user badge add|end NAME [BADGE] --data DIR"));
    return badge_end(cx, people, args->words[2]);
}

static err demo(struct ctx *cx, struct people *people, const struct command_args *args)
{
    command_words(args, 1, "demo --data DIR");
    return user_demo(cx, people, command_value(args, "--data"));
}

static const struct {
    const char *word;
    err (*run)(struct ctx *cx, struct people *people, const struct command_args *args);
} actions[] = {
    { "add", add },         { "disable", disable }, { "enable", enable },
    { "role", set_role },   { "list", list },       { "roles", list_roles },
    { "key", key },         { "badge", badge },     { "demo", demo },
};

static int run(struct ctx *cx, const struct command_args *args)
{
    str word = args->words_count ? args->words[0] : S("");
    struct people *people;
    for (size_t i = 0; i < COUNT(actions); i++) {
        if (!str_eq(word, str_of(actions[i].word)))
            continue;
        if (people_open(cx, command_value(args, "--data"), &people) != ERR_OK)
            return command_fail(cx);
        err result = actions[i].run(cx, people, args);
        people_close(people);
        return result == ERR_OK ? EXIT_DONE : command_fail(cx);
    }
    fprintf(stderr, "frontline user: say add, disable, enable, role, key, badge, demo, list or "
                    "roles\n"
                    "Try: frontline user --help\n");
    return EXIT_USAGE;
}

extern const struct command cmd_user;
const struct command cmd_user = {
    .name = "user",
    .words = "add|disable|enable|role|key|badge|demo|list|roles [NAME] [ROLE]",
    .summary = "who may sign in, and as what",
    .about = "People live beside the record, not in it. A change holds within a second in a running "
             "server. Disabling a person ends their tokens and sessions. `key add-code` prints a "
             "one-time code, with which they sign in once and enrol a passkey; `key revoke` ends a "
             "lost key and the person's sessions. `demo` makes one account a role, as ./run does.",
    .options = options,
    .examples = "  frontline user add a.khan --role nurse --who Practitioner/17 --areas ward-3 "
                "--data data\n"
                "  frontline user role a.khan nurse_in_charge --data data\n"
                "  frontline user disable a.khan --data data\n"
                "  frontline user key add-code a.khan --minutes 30 --data data\n"
                "  frontline user key list a.khan --data data\n"
                "  frontline user key revoke a.khan KEY --data data\n"
                "  frontline user badge add a.khan 8a1f03c77be2 --kind desfire-ev3 --data data\n"
                "  frontline user list --data data --json\n",
    .run = run,
};
