/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/client.h"
#include "auth/secret.h"
#include "json/write.h"
#include "main/command.h"
#include <fcntl.h>
#include <unistd.h>

enum { JWKS_MAX_BYTES = 1 << 20, LIST_MAX_BYTES = 16 << 20 };

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder", true, false },
    { "--name", "TEXT", "what people read when asked for their consent", false, false },
    { "--redirect", "URL", "where a person is sent back to", false, true },
    { "--launch", "URL", "what begins it from within a patient's record", false, false },
    { "--scope", "SCOPES", "the most it may ask for", false, false },
    { "--jwks", "FILE", "public keys it signs its assertions with", false, false },
    { "--jwks-uri", "URL", "where it shows those keys instead, so that it can change them", false,
      false },
    { "--secret", NULL, "make a secret for it and print it, once", false, false },
    { "--without-pkce", NULL, "an older app with a secret or keys that cannot do PKCE", false,
      false },
    { "--introspects", NULL, "a resource server: may ask about tokens of other apps", false,
      false },
    { "--json", NULL, "print as JSON", false, false },
    { 0 },
};

static str redirects_of(struct ctx *cx, const struct command_args *args)
{
    str all = S("");
    for (size_t i = 0; i < args->given_count; i++)
        if (str_eq(str_of(args->command->options[args->given[i].option].name), S("--redirect")))
            all = arena_printf(cx->arena, "%.*s%s%.*s", STR_ARG(all), all.n ? " " : "",
                               STR_ARG(args->given[i].value));
    return all;
}

static err read_file(struct ctx *cx, str path, str *out)
{
    int file = open(arena_cstr(cx->arena, path), O_RDONLY | O_CLOEXEC);
    char *text = arena_alloc(cx->arena, JWKS_MAX_BYTES);
    ssize_t n = file < 0 ? -1 : read(file, text, JWKS_MAX_BYTES);
    if (file >= 0)
        close(file);
    if (n <= 0)
        return ctx_failf(cx, ERR_INVALID, S("--jwks"), "%.*s cannot be read", STR_ARG(path));
    *out = (str){ text, (size_t)n };
    return ERR_OK;
}

static void print_added(struct ctx *cx, const struct client *client, str secret, bool as_json)
{
    bool has_secret = client->kind == CLIENT_SECRET;
    struct buf buf = buf_make(cx->arena, LIST_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "client_id", client->id);
    if (has_secret)
        json_put_str(&w, "client_secret", secret);
    json_close(&w, '}');
    if (as_json)
        printf("%.*s\n", STR_ARG(buf_str(&buf)));
    else if (has_secret)
        printf("%.*s\n", STR_ARG(secret));
}

static err add(struct ctx *cx, struct people *people, const struct command_args *args)
{
    struct client client = {
        .id = args->words[1],
        .name = command_value(args, "--name"),
        .redirects = redirects_of(cx, args),
        .scopes = command_value(args, "--scope"),
        .launch = command_value(args, "--launch"),
        .jwks_uri = command_value(args, "--jwks-uri"),
        .without_pkce = command_has(args, "--without-pkce"),
        .introspects = command_has(args, "--introspects"),
    };
    str secret = secret_text(cx->arena);
    if (command_has(args, "--jwks")) {
        client.kind = CLIENT_KEYS;
        TRY(read_file(cx, command_value(args, "--jwks"), &client.jwks));
    } else if (client.jwks_uri.n) {
        client.kind = CLIENT_KEYS;
    } else if (command_has(args, "--secret")) {
        client.kind = CLIENT_SECRET;
        client.secret_hash = secret_hash(cx->arena, secret);
    }
    if (command_has(args, "--jwks") + command_has(args, "--jwks-uri") +
            command_has(args, "--secret") > 1)
        return ctx_fail(cx, ERR_INVALID, (str){ 0 },
                        S("give one of --jwks, --jwks-uri and --secret"));
    if (client.introspects && client.kind == CLIENT_PUBLIC)
        return ctx_fail(cx, ERR_INVALID, S("--introspects"),
                        S("a resource server proves itself: add --jwks, --jwks-uri or --secret"));
    if (!str_given(client.scopes))
        return ctx_fail(cx, ERR_INVALID, S("--scope"),
                        S("say the most it may ask for, such as --scope 'launch/patient "
                          "patient/*.rs'"));
    TRY(client_add(cx, people, &client));
    print_added(cx, &client, secret, command_has(args, "--json"));
    return ERR_OK;
}

/* ---- those there are ---- */

static const char *const kinds[] = { [CLIENT_PUBLIC] = "public", [CLIENT_SECRET] = "secret",
                                     [CLIENT_KEYS] = "keys" };

static void put_client(struct json_writer *w, const struct client *client)
{
    str redirects = client->redirects, uri;
    json_open(w, '{');
    json_put_str(w, "client_id", client->id);
    json_put_str(w, "name", client->name);
    json_put_str(w, "proves_itself_by", str_of(kinds[client->kind]));
    json_key(w, "redirect_uris");
    json_open(w, '[');
    while (str_next(&redirects, ' ', &uri))
        if (uri.n)
            json_str(w, uri);
    json_close(w, ']');
    json_put_str(w, "scope", client->scopes);
    json_put_str(w, "launch", client->launch);
    json_put_str(w, "jwks_uri", client->jwks_uri);
    json_put_bool(w, "without_pkce", client->without_pkce);
    json_put_bool(w, "introspects", client->introspects);
    json_put_bool(w, "ended", client->disabled);
    json_close(w, '}');
}

static err list(struct ctx *cx, struct people *people, const struct command_args *args)
{
    struct client *clients;
    size_t count;
    TRY(client_list(cx, people, &clients, &count));
    struct buf buf = buf_make(cx->arena, LIST_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '[');
    for (size_t i = 0; i < count; i++) {
        put_client(&w, &clients[i]);
        if (!command_has(args, "--json"))
            printf("%-24.*s %-7s %.*s%s\n", STR_ARG(clients[i].id), kinds[clients[i].kind],
                   STR_ARG(clients[i].scopes), clients[i].disabled ? " (ended)" : "");
    }
    json_close(&w, ']');
    if (command_has(args, "--json"))
        printf("%.*s\n", STR_ARG(buf_str(&buf)));
    return ERR_OK;
}

static err end(struct ctx *cx, struct people *people, const struct command_args *args)
{
    return client_end(cx, people, args->words[1]);
}

static const struct {
    const char *word;
    size_t words;
    err (*run)(struct ctx *cx, struct people *people, const struct command_args *args);
} actions[] = { { "add", 2, add }, { "end", 2, end }, { "list", 1, list } };

static int run(struct ctx *cx, const struct command_args *args)
{
    str word = args->words_count ? args->words[0] : S("");
    struct people *people;
    for (size_t i = 0; i < COUNT(actions); i++) {
        if (!str_eq(word, str_of(actions[i].word)) || args->words_count != actions[i].words)
            continue;
        if (people_open(cx, command_value(args, "--data"), &people) != ERR_OK)
            return command_fail(cx);
        err result = actions[i].run(cx, people, args);
        people_close(people);
        return result == ERR_OK ? EXIT_DONE : command_fail(cx);
    }
    fprintf(stderr, "frontline client: say add ID, end ID or list\n"
                    "Try: frontline client --help\n");
    return EXIT_USAGE;
}

extern const struct command cmd_client;
const struct command cmd_client = {
    .name = "client",
    .words = "add|end|list [ID]",
    .summary = "the apps that may ask for tokens",
    .about = "Without --jwks, --jwks-uri or --secret the app is public: it proves itself by PKCE "
             "and its redirect alone. A backend service needs keys (or a secret) and system/ "
             "scopes. An app may introspect its own tokens; --introspects opens all others. `end` "
             "stops an app: within a second it gets no token and what it holds opens nothing.",
    .options = options,
    .examples = "  frontline client add growth-chart --name 'Growth chart' --redirect "
                "https://charts.example/back \\\n      --scope 'launch/patient openid fhirUser "
                "patient/*.rs offline_access' --data data\n"
                "  frontline client add older --secret --without-pkce --redirect "
                "https://older.example/back \\\n      --scope 'launch openid fhirUser "
                "patient/*.read' --data data\n"
                "  frontline client add warehouse --jwks warehouse.jwks.json --scope "
                "'system/*.rs' --data data\n"
                "  frontline client list --data data --json\n"
                "  frontline client end older --data data\n",
    .run = run,
};
