/* SPDX-License-Identifier: Apache-2.0 */
#include "main/config.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* clang-format off */
const struct config_key config_keys[] = {
    { "http.loops", CONFIG_NUMBER, "0", 0, 256,
      "threads that read requests and answer short ones; 0: one a core" },
    { "http.workers", CONFIG_NUMBER, "4", 1, 256,
      "threads for searches, operations and large bodies" },
    { "http.queue_max", CONFIG_NUMBER, "1024", 1, 100000,
      "requests that may wait for a worker; more are answered 503" },
    { "http.connections_max", CONFIG_NUMBER, "20000", 1, 1000000,
      "open connections; more are answered 503 and closed" },
    { "http.streams_max", CONFIG_NUMBER, "2000", 0, 100000,
      "screens that may follow changes at once; more are answered 503 and work by reload" },
    { "http.idle_s", CONFIG_NUMBER, "60", 1, 3600,
      "seconds a connection may go without completing a request before it is closed" },
    { "http.work_ms", CONFIG_NUMBER, "30000", 100, 3600000,
      "milliseconds one request may work; then it is stopped with 503" },
    { "http.url_bytes", CONFIG_BYTES, "16K", 256, 1 << 20, "longest URL; longer is answered 414" },
    { "http.header_bytes", CONFIG_BYTES, "32K", 1024, 1 << 20,
      "all header lines of a request together; more is answered 431" },
    { "http.body_bytes", CONFIG_BYTES, "64M", 1024, (int64_t)4 << 30,
      "longest body; longer is answered 413" },
    { "http.bodies_bytes", CONFIG_BYTES, "512M", 1 << 20, (int64_t)1 << 40,
      "bodies being held at one time, all requests together; more is answered 503" },
    { "http.memory_bytes", CONFIG_BYTES, "1G", 1 << 20, (int64_t)1 << 40,
      "memory one request may use; more is answered 413" },
    { "http.base_url", CONFIG_TEXT, "", 0, 0,
      "the address clients see, https://fhir.example.org; empty: from the Host header" },
    { "http.trust_proxy", CONFIG_SWITCH, "no", 0, 0,
      "believe X-Forwarded-Proto and X-Forwarded-Host; only behind a proxy that sets them" },
    { "http.plain_outside", CONFIG_SWITCH, "no", 0, 0,
      "allow unencrypted HTTP on an address that is not loopback" },
    { "audit.publish_file", CONFIG_TEXT, "", 0, 0,
      "file the head of the audit chain is appended to, on another machine's disk; empty: none" },
    { "audit.publish_syslog", CONFIG_SWITCH, "no", 0, 0,
      "say the head of the audit chain to syslog as well (authpriv.notice)" },
    { "audit.syslog_socket", CONFIG_TEXT, "/dev/log", 0, 0,
      "where syslog listens on this machine" },
    { "audit.wait_for_disk", CONFIG_SWITCH, "no", 0, 0,
      "an answer waits until its entry is on disk: a power cut takes no entry, at half the reads "
      "a second" },
    { "audit.publish_minutes", CONFIG_NUMBER, "60", 1, 1440, "how often, while the chain grows" },
    { "auth.refusals_per_minute", CONFIG_NUMBER, "300", 0, 1000000,
      "bad tokens and sessions an address may show in a minute before it is answered 429; 0: any" },
    { "auth.nothing_after_us", CONFIG_NUMBER, "500", 0, 100000,
      "to those who may not see everything, an answer that gives nothing goes no sooner than this "
      "after its request: the time does not tell hidden from absent; 0: when it is ready" },
    { "auth.registration", CONFIG_SWITCH, "no", 0, 0,
      "let anybody register a public app at /auth/register" },
    { "auth.demo_code", CONFIG_TEXT, "", 0, 0,
      "a code that signs in as any account, for demonstrations; refused off loopback" },
    { "auth.rp_id", CONFIG_TEXT, "", 0, 0,
      "the domain passkeys belong to; empty: the host of http.base_url, or localhost" },
    { "auth.origins", CONFIG_TEXT, "", 0, 0,
      "addresses of our pages that may use passkeys, separated by spaces; empty: the page's own" },
    { "auth.attestation", CONFIG_TEXT, "none", 0, 0,
      "what a new passkey is asked about its maker: none or direct" },
    { "auth.badge_hours", CONFIG_NUMBER, "4", 1, 12,
      "hours after a full sign-in in which a badge opens a shared workstation again" },
    { "upstream.issuer", CONFIG_TEXT, "", 0, 0,
      "the trust's OpenID provider for staff, https://...; empty: none" },
    { "upstream.name", CONFIG_TEXT, "your national account", 0, 0, "what people call it" },
    { "upstream.client_id", CONFIG_TEXT, "frontline", 0, 0, "our name at the provider" },
    { "upstream.scopes", CONFIG_TEXT, "openid profile nationalrbacaccess selectedrole", 0, 0,
      "what is asked of it" },
    { "upstream.assertion_alg", CONFIG_TEXT, "RS256", 0, 0,
      "how we sign for it: RS256, RS384 or RS512" },
    { "upstream.organisation", CONFIG_TEXT, "", 0, 0,
      "ODS code at which a national role must be held; empty: any" },
    { "upstream.level", CONFIG_NUMBER, "2", 2, 3, "authenticator assurance level of a sign-in" },
    { "upstream.step_up_level", CONFIG_NUMBER, "2", 2, 3, "and of a step-up" },
    { "patients.issuer", CONFIG_TEXT, "", 0, 0,
      "the OpenID provider of patients, https://...; empty: none" },
    { "patients.name", CONFIG_TEXT, "your patient login", 0, 0, "what people call it" },
    { "patients.client_id", CONFIG_TEXT, "frontline", 0, 0, "our name at the provider" },
    { "patients.scopes", CONFIG_TEXT, "openid profile", 0, 0, "what is asked of it" },
    { "patients.assertion_alg", CONFIG_TEXT, "RS256", 0, 0,
      "how we sign for it: RS256, RS384 or RS512 (NHS login asks for RS512)" },
    { "hl7v2.listen", CONFIG_TEXT, "", 0, 0,
      "where HL7 v2 senders connect (MLLP), 127.0.0.1:2575; empty: nowhere" },
    { "hl7v2.certificate", CONFIG_TEXT, "", 0, 0,
      "PEM file: hl7v2.listen is over TLS with this certificate; empty: plain" },
    { "hl7v2.key", CONFIG_TEXT, "", 0, 0, "PEM file of its key" },
    { "hl7v2.authority", CONFIG_TEXT, "", 0, 0,
      "PEM file: senders must show a certificate this authority signed; empty: anybody may send" },
    { "hl7v2.senders", CONFIG_TEXT, "", 0, 0,
      "folder of one JSON file a sender, with its identifier systems and code tables" },
    { "hl7v2.connections_max", CONFIG_NUMBER, "64", 1, 10000, "senders connected at one time" },
    { "hl7v2.message_bytes", CONFIG_BYTES, "16M", 1024, 256 << 20, "longest HL7 message" },
    { "hl7v2.plain_outside", CONFIG_SWITCH, "no", 0, 0,
      "allow hl7v2.listen, which is not encrypted, on an address that is not loopback" },
    { "hl7v2.idle_s", CONFIG_NUMBER, "0", 0, 86400,
      "seconds of silence after which a sender's connection is closed; 0: never" },
    { "hl7v2.silent_minutes", CONFIG_NUMBER, "60", 0, 10080,
      "minutes without a message after which a sender's feed is told to be silent; 0: never" },
    { "hl7v2.send", CONFIG_TEXT, "", 0, 0,
      "who is told over HL7 v2 (MLLP) what is done here: HOST:PORT or tls:HOST:PORT, with blanks "
      "between several; empty: nobody" },
    { "hl7v2.send_authority", CONFIG_TEXT, "", 0, 0,
      "PEM file of who signs the certificates of tls: destinations; empty: the system's" },
    { "hl7v2.send_certificate", CONFIG_TEXT, "", 0, 0,
      "PEM file of the certificate shown to tls: destinations; empty: none" },
    { "hl7v2.send_key", CONFIG_TEXT, "", 0, 0, "PEM file of its key" },
    { "hl7v2.send_as", CONFIG_TEXT, "FRONTLINE|HOSPITAL", 0, 0,
      "APPLICATION|FACILITY such messages are sent as" },
    { "hl7v2.stuck_s", CONFIG_NUMBER, "300", 1, 86400,
      "seconds after which a destination that takes nothing is told to be stuck" },
    { "log.level", CONFIG_TEXT, "info", 0, 0, "error, warning, info or debug" },
    { "log.requests", CONFIG_SWITCH, "yes", 0, 0, "a line for every request" },
    { "process.sandbox", CONFIG_SWITCH, "yes", 0, 0,
      "refuse the server every call of the system it does not need (seccomp)" },
    { "record.send_allow", CONFIG_TEXT, "", 0, 0,
      "addresses or ranges documents may go to though they are of a private network, or by plain "
      "http: 10.1.2.0/24 ::1" },
    { "record.send_to", CONFIG_TEXT, "", 0, 0,
      "where signed discharge summaries go, a practice's id or code each, * for all others: "
      "A81001=https://gp.example/in *=https://mesh.example/in; empty: nothing is sent" },
    { "search.page", CONFIG_NUMBER, "20", 1, 10000, "entries of a page when _count is not given" },
    { "search.page_max", CONFIG_NUMBER, "1000", 1, 10000,
      "most entries of a page; larger is lowered" },
    { "subscriptions.allow", CONFIG_TEXT, "", 0, 0,
      "addresses or ranges that rest-hooks may call, and apps show their keys at, though they are "
      "of a private network, or by plain http: 10.1.2.0/24 ::1" },
    { "subscriptions.topics", CONFIG_TEXT, "", 0, 0,
      "folder of SubscriptionTopics, one JSON file each; empty: none but the built-in ones" },
    { "subscriptions.attempts", CONFIG_NUMBER, "10", 1, 1000,
      "tries of a notification (1, 2, 4 ... s apart) before its Subscription is in error" },
    { "subscriptions.keep", CONFIG_NUMBER, "10000", 1, 10000000,
      "events of each Subscription kept for $events" },
    { "subscriptions.streams_max", CONFIG_NUMBER, "1000", 0, 100000,
      "WebSockets and event streams of Subscriptions open at once; more are answered 503" },
    { "store.cache_bytes", CONFIG_BYTES, "0", 0, (int64_t)1 << 40,
      "memory for the database's cache; 0: chosen from what the machine has" },
    { "store.readers", CONFIG_NUMBER, "0", 0, 1000, "read connections; 0: chosen by the program" },
    { 0 },
};
/* clang-format on */

static size_t find_key(str name)
{
    size_t i = 0;
    while (config_keys[i].name && !str_eq(name, str_of(config_keys[i].name)))
        i++;
    return i;
}

/* "64M" is 64 * 1024 * 1024. */
static bool read_bytes(str text, int64_t *out)
{
    static const char units[] = "KMG";
    int shift = 0;
    const char *unit = text.n ? memchr(units, text.p[text.n - 1], 3) : NULL;
    if (unit) {
        shift = 10 * (int)(unit - units + 1);
        text.n--;
    }
    int64_t value;
    if (!str_to_i64(text, &value) || value < 0 || value > INT64_MAX >> shift)
        return false;
    *out = value << shift;
    return true;
}

static bool read_switch(str text, bool *out)
{
    static const struct { const char *word; bool on; } words[] = {
        { "yes", true }, { "true", true },  { "on", true },   { "1", true },
        { "no", false }, { "false", false }, { "off", false }, { "0", false },
    };
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_eq(text, str_of(words[i].word))) {
            *out = words[i].on;
            return true;
        }
    return false;
}

static bool value_is_sound(const struct config_key *key, str value)
{
    int64_t number = 0;
    bool on;
    switch (key->kind) {
    case CONFIG_NUMBER:
        return str_to_i64(value, &number) && number >= key->least && number <= key->most;
    case CONFIG_BYTES:
        return read_bytes(value, &number) && number >= key->least && number <= key->most;
    case CONFIG_SWITCH:
        return read_switch(value, &on);
    case CONFIG_TEXT:
        break;
    }
    return true;
}

static const char *kind_text(const struct config_key *key)
{
    static const char *const texts[] = {
        [CONFIG_NUMBER] = "a whole number", [CONFIG_BYTES] = "a size such as 512K, 64M or 2G",
        [CONFIG_SWITCH] = "yes or no", [CONFIG_TEXT] = "a text",
    };
    return texts[key->kind];
}

/* `where` tells the file and line, or --set. */
static void set_value(struct ctx *cx, struct config *config, str where, str name, str value)
{
    size_t at = find_key(name);
    const struct config_key *key = &config_keys[at];
    if (!key->name)
        ctx_failf(cx, ERR_INVALID, where, "there is no key %.*s; frontline config lists them",
                  STR_ARG(name));
    else if (!value_is_sound(key, value))
        ctx_failf(cx, ERR_INVALID, where, "%s takes %s%s, not %.*s", key->name, kind_text(key),
                  key->kind == CONFIG_NUMBER || key->kind == CONFIG_BYTES ? " within its bounds"
                                                                          : "",
                  STR_ARG(value));
    else
        config->values[at] = value;
}

static err read_file(struct ctx *cx, str path, str *out)
{
    int fd = open(arena_cstr(cx->arena, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ctx_failf(cx, ERR_IO, path, "cannot read the configuration: %s", strerror(errno));
    char *text = arena_alloc(cx->arena, CONFIG_FILE_MAX);
    size_t n = 0;
    ssize_t got = 1;
    while (n < CONFIG_FILE_MAX && (got = read(fd, text + n, CONFIG_FILE_MAX - n)) > 0)
        n += (size_t)got;
    close(fd);
    if (got < 0 || n == CONFIG_FILE_MAX)
        return ctx_fail(cx, ERR_IO, path,
                        S("cannot read the configuration: not a file, or too large"));
    *out = (str){ text, n };
    return ERR_OK;
}

static void read_line(struct ctx *cx, struct config *config, str where, str line, str *section)
{
    line = str_trim(line);
    if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
        return;
    if (line.p[0] == '[' && line.p[line.n - 1] == ']') {
        *section = str_trim(str_slice(line, 1, line.n - 1));
        return;
    }
    size_t equals = str_find_char(line, '=');
    if (equals == STR_NONE || section->n == 0) {
        ctx_fail(cx, ERR_INVALID, where, S("a line is [section] or key = value within a section"));
        return;
    }
    str key = str_trim(str_slice(line, 0, equals));
    str value = str_trim(str_slice(line, equals + 1, line.n));
    if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
        value = str_slice(value, 1, value.n - 1);
    set_value(cx, config, where, arena_printf(cx->arena, "%.*s.%.*s", STR_ARG(*section),
                                              STR_ARG(key)), value);
}

static err read_lines(struct ctx *cx, str path, struct config *out)
{
    str text, line, section = { 0 };
    TRY(read_file(cx, path, &text));
    for (size_t number = 1; str_next(&text, '\n', &line); number++)
        read_line(cx, out, arena_printf(cx->arena, "%.*s line %zu", STR_ARG(path), number), line,
                  &section);
    return ERR_OK;
}

err config_read(struct ctx *cx, str path, const str *sets, size_t sets_count, struct config *out)
{
    assert(COUNT(config_keys) <= CONFIG_KEYS_MAX);
    for (size_t i = 0; config_keys[i].name; i++)
        out->values[i] = str_of(config_keys[i].fallback);
    if (str_given(path))
        TRY(read_lines(cx, path, out));
    for (size_t i = 0; i < sets_count; i++) {
        size_t equals = str_find_char(sets[i], '=');
        if (equals == STR_NONE)
            ctx_failf(cx, ERR_INVALID, S("--set"), "%.*s is not section.key=value",
                      STR_ARG(sets[i]));
        else
            set_value(cx, out, S("--set"), str_slice(sets[i], 0, equals),
                      str_slice(sets[i], equals + 1, sets[i].n));
    }
    return issues_has_error(&cx->issues) ? ERR_INVALID : ERR_OK;
}

int64_t config_number(const struct config *config, const char *name)
{
    size_t at = find_key(str_of(name));
    int64_t value = 0;
    assert(config_keys[at].name);
    bool sound = config_keys[at].kind == CONFIG_BYTES ? read_bytes(config->values[at], &value)
                                                      : str_to_i64(config->values[at], &value);
    assert(sound);
    return sound ? value : 0;
}

bool config_switch(const struct config *config, const char *name)
{
    size_t at = find_key(str_of(name));
    bool on = false;
    assert(config_keys[at].name);
    read_switch(config->values[at], &on);
    return on;
}

str config_text(const struct config *config, const char *name)
{
    size_t at = find_key(str_of(name));
    assert(config_keys[at].name);
    return config->values[at];
}
