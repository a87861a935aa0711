/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/people.h"
#include "json/write.h"
#include "main/command.h"

enum { MINUTES_DEFAULT = 60, OUTPUT_MAX_BYTES = 1 << 20 };

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder", true, false },
    { "--scope", "SCOPES", "SMART scopes, separated by spaces", false, false },
    { "--user", "NAME", "the person it acts for; none: the operator", false, false },
    { "--patient", "ID", "the patient in context, for patient/ scopes", false, false },
    { "--minutes", "N", "how long it is good for (60)", false, false },
    { "--revoke", "TOKEN", "end this token now instead of making one", false, false },
    { "--json", NULL, "print as JSON, with the time it ends", false, false },
    { 0 },
};

static void print_token(struct ctx *cx, const struct people_token_ask *ask, str bearer, bool as_json)
{
    if (!as_json) {
        printf("%.*s\n", STR_ARG(bearer));
        return;
    }
    struct buf buf = buf_make(cx->arena, OUTPUT_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "access_token", bearer);
    json_put_str(&w, "token_type", S("Bearer"));
    json_put_u64(&w, "expires_in", (uint64_t)ask->minutes * 60);
    json_put_str(&w, "scope", ask->scopes);
    json_close(&w, '}');
    printf("%.*s\n", STR_ARG(buf_str(&buf)));
}

static err issue(struct ctx *cx, struct people *people, const struct command_args *args)
{
    if (command_has(args, "--revoke"))
        return people_token_revoke(cx, people, command_value(args, "--revoke"));
    struct people_token_ask ask = {
        .user = command_value(args, "--user"),
        .client = S("operator"),
        .scopes = command_value(args, "--scope"),
        .patient = command_value(args, "--patient"),
        .minutes = command_number(args, "--minutes", MINUTES_DEFAULT, 1, PEOPLE_TOKEN_MINUTES_MAX),
    };
    if (!str_given(ask.scopes))
        return ctx_fail(cx, ERR_INVALID, S("--scope"),
                        S("say what it is for, such as --scope 'system/Patient.rs'"));
    str bearer;
    TRY(people_token_issue(cx, people, &ask, &bearer));
    print_token(cx, &ask, bearer, command_has(args, "--json"));
    return ERR_OK;
}

static int run(struct ctx *cx, const struct command_args *args)
{
    struct people *people;
    if (people_open(cx, command_value(args, "--data"), &people) != ERR_OK)
        return command_fail(cx);
    err result = issue(cx, people, args);
    people_close(people);
    return result == ERR_OK ? EXIT_DONE : command_fail(cx);
}

extern const struct command cmd_token;
const struct command cmd_token = {
    .name = "token",
    .summary = "print a bearer token for whoever may write to the data folder",
    .about = "The token is printed once; only its hash is kept. A running server knows it at once, "
             "and forgets a revoked one within a second.",
    .options = options,
    .examples = "  frontline token --data data --scope 'system/Patient.rs system/Observation.rs' "
                "--minutes 30\n"
                "  curl -H \"Authorization: Bearer $(frontline token --data data --scope "
                "'system/*.rs')\" http://127.0.0.1:8080/fhir/Patient\n"
                "  frontline token --data data --revoke fl_...\n",
    .run = run,
};
