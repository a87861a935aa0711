/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/sender.h"
#include "hl7v2/watch.h"
#include "http/text.h"
#include <dirent.h>
#include <stdio.h>

/* HL7's own tables as their user guides give them (0001, 0004, 0007, 0085, 0123, 0116, 0190, 0200,
 * 0276); a sender's file replaces what its site does differently. */
static const char default_sender[] =
    "{\"zone\":\"Europe/London\",\"unmatched\":\"create\","
    "\"identifiers\":{\"NHS\":\"https://fhir.nhs.uk/Id/nhs-number\","
    "\"NH\":\"https://fhir.nhs.uk/Id/nhs-number\","
    "\"NHSNBR\":\"https://fhir.nhs.uk/Id/nhs-number\"},"
    "\"tables\":{"
    "\"gender\":{\"M\":\"male\",\"F\":\"female\",\"O\":\"other\",\"A\":\"other\",\"N\":\"other\","
    "\"U\":\"unknown\",\"1\":\"male\",\"2\":\"female\",\"9\":\"other\",\"0\":\"unknown\"},"
    "\"class\":{\"I\":\"IMP\",\"O\":\"AMB\",\"E\":\"EMER\",\"P\":\"PRENC\",\"R\":\"AMB\","
    "\"B\":\"IMP\",\"D\":\"SS\",\"V\":\"VR\",\"H\":\"HH\",\"*\":\"AMB\"},"
    "\"name\":{\"L\":\"official\",\"D\":\"usual\",\"M\":\"maiden\",\"N\":\"nickname\","
    "\"A\":\"anonymous\",\"S\":\"anonymous\",\"T\":\"temp\",\"B\":\"official\"},"
    "\"address\":{\"H\":\"home\",\"P\":\"home\",\"B\":\"work\",\"O\":\"work\",\"C\":\"temp\","
    "\"BA\":\"old\"},"
    "\"report\":{\"F\":\"final\",\"C\":\"corrected\",\"P\":\"preliminary\",\"R\":\"partial\","
    "\"A\":\"partial\",\"I\":\"registered\",\"O\":\"registered\",\"S\":\"registered\","
    "\"X\":\"cancelled\",\"*\":\"unknown\"},"
    "\"result\":{\"F\":\"final\",\"C\":\"corrected\",\"P\":\"preliminary\",\"R\":\"preliminary\","
    "\"S\":\"preliminary\",\"I\":\"registered\",\"X\":\"cancelled\",\"D\":\"entered-in-error\","
    "\"W\":\"entered-in-error\",\"U\":\"final\",\"*\":\"unknown\"},"
    "\"document\":{\"CA\":\"superseded\",\"OB\":\"superseded\",\"UN\":\"entered-in-error\","
    "\"*\":\"current\"},"
    "\"codes\":{\"LN\":\"http://loinc.org\",\"SCT\":\"http://snomed.info/sct\","
    "\"SNM\":\"http://snomed.info/sct\",\"SCT2\":\"http://snomed.info/sct\","
    "\"UCUM\":\"http://unitsofmeasure.org\",\"I10\":\"http://hl7.org/fhir/sid/icd-10\"}"
    "}}";

static struct json value_of(const struct hl7_sender *sender, const char *section, str key)
{
    struct json own = json_get(sender->own, str_of(section));
    struct json found = str_given(key) ? json_get(own, key) : own;
    if (found.doc)
        return found;
    struct json rest = json_get(sender->fallback, str_of(section));
    return str_given(key) ? json_get(rest, key) : rest;
}

bool hl7_sender_knows(const struct hl7_sender *sender, const char *table, str code)
{
    struct json own = json_get(json_get(sender->own, S("tables")), str_of(table));
    struct json rest = json_get(json_get(sender->fallback, S("tables")), str_of(table));
    return json_is(json_get(own, code), JSON_STRING) || json_is(json_get(rest, code), JSON_STRING);
}

str hl7_sender_code(struct arena *arena, const struct hl7_sender *sender, const char *table,
                    str code)
{
    struct json own = json_get(json_get(sender->own, S("tables")), str_of(table));
    struct json rest = json_get(json_get(sender->fallback, S("tables")), str_of(table));
    struct json tried[] = { json_get(own, code), json_get(rest, code), json_get(own, S("*")),
                            json_get(rest, S("*")) };
    for (size_t i = 0; i < COUNT(tried); i++)
        if (json_is(tried[i], JSON_STRING))
            return json_string(arena, tried[i]);
    return (str){ 0 };
}

str hl7_sender_uri(struct arena *arena, const char *kind, str facility, str what)
{
    struct buf buf = buf_make(arena, 4096);
    buf_printf(&buf, "https://frontline.example/%s/", kind);
    http_encode(&buf, facility);
    if (facility.n)
        buf_char(&buf, '-');
    http_encode(&buf, what);
    return buf_str(&buf);
}

static str own_system(struct arena *arena, str facility, str what)
{
    return hl7_sender_uri(arena, "Id", facility, what);
}

str hl7_sender_system(struct arena *arena, const struct hl7_sender *sender, str facility,
                      str authority, str type)
{
    struct json named = { 0 };
    if (authority.n)
        named = value_of(sender, "identifiers", authority);
    if (!named.doc && type.n)
        named = value_of(sender, "identifiers", type);
    if (json_is(named, JSON_STRING))
        return json_string(arena, named);
    return authority.n ? own_system(arena, (str){ 0 }, authority)
                       : own_system(arena, facility, S("patient"));
}

str hl7_sender_own(struct arena *arena, const struct hl7_sender *sender, str facility,
                   const char *what)
{
    struct json named = value_of(sender, what, (str){ 0 });
    return json_is(named, JSON_STRING) ? json_string(arena, named)
                                       : own_system(arena, facility, str_of(what));
}

static bool text_is(const struct hl7_sender *sender, const char *section, str expected)
{
    return json_string_is(value_of(sender, section, (str){ 0 }), expected);
}

static err settle_silence(struct ctx *cx, const char *file, struct hl7_sender *sender)
{
    struct json silence = json_get(sender->own, S("silent_s"));
    int64_t seconds;
    sender->silent_ms = HL7_WATCH_ANY;
    if (json_kind(silence) == JSON_ABSENT)
        return ERR_OK;
    if (!str_to_i64(json_text(silence), &seconds) || seconds < 0 || seconds > 604800)
        return ctx_failf(cx, ERR_INVALID, S(""), "%s: \"silent_s\" is seconds, 0 to 604800", file);
    sender->silent_ms = seconds * 1000;
    return ERR_OK;
}

static err settle(struct ctx *cx, const char *file, struct hl7_sender *sender)
{
    struct json zone = value_of(sender, "zone", (str){ 0 });
    int64_t minutes;
    sender->application = json_string(cx->arena, json_get(sender->own, S("application")));
    sender->facility = json_string(cx->arena, json_get(sender->own, S("facility")));
    sender->create_unmatched = text_is(sender, "unmatched", S("create"));
    if (!sender->create_unmatched && !text_is(sender, "unmatched", S("refuse")))
        return ctx_failf(cx, ERR_INVALID, S(""), "%s: \"unmatched\" is \"create\" or \"refuse\"",
                         file);
    TRY(settle_silence(cx, file, sender));
    sender->zone_minutes = HL7_ZONE_UK;
    if (json_string_is(zone, S("Europe/London")))
        return ERR_OK;
    if (!str_to_i64(json_string(cx->arena, zone), &minutes) || minutes < -840 || minutes > 840)
        return ctx_failf(cx, ERR_INVALID, S(""),
                         "%s: \"zone\" is \"Europe/London\" or minutes east of UTC", file);
    sender->zone_minutes = (int)minutes;
    return ERR_OK;
}

enum { SENDER_BYTES_MAX = 1 << 20, SENDERS_MAX = 256 };

static err read_file(struct ctx *cx, const char *path, struct json *out)
{
    char *text = arena_alloc(cx->arena, SENDER_BYTES_MAX);
    FILE *file = fopen(path, "rb");
    size_t bytes = file ? fread(text, 1, SENDER_BYTES_MAX, file) : 0;
    bool bad = !file || ferror(file) || bytes == SENDER_BYTES_MAX;
    if (file)
        fclose(file);
    if (bad)
        return ctx_failf(cx, ERR_INVALID, S(""), "%s: cannot be read, or is over 1 MiB", path);
    if (json_parse(cx, (str){ text, bytes }, out) || !json_is(*out, JSON_OBJECT))
        return ctx_failf(cx, ERR_INVALID, S(""), "%s: must be a JSON object", path);
    return ERR_OK;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

/* By name, so that the first of two for one sender is always the same. */
static err list_files(struct ctx *cx, str folder, str paths[SENDERS_MAX], size_t *count)
{
    DIR *dir = opendir(arena_cstr(cx->arena, folder));
    if (!dir)
        return ctx_failf(cx, ERR_INVALID, S("hl7v2.senders"), "the folder %.*s cannot be read",
                         STR_ARG(folder));
    for (struct dirent *entry; (entry = readdir(dir)) && *count < SENDERS_MAX;)
        if (str_ends(str_of(entry->d_name), S(".json")))
            paths[(*count)++] = arena_printf(cx->arena, "%.*s/%s", STR_ARG(folder), entry->d_name);
    closedir(dir);
    qsort(paths, *count, sizeof *paths, by_name);
    return ERR_OK;
}

static err read_folder(struct ctx *cx, str folder, struct json fallback, struct hl7_senders *out)
{
    str paths[SENDERS_MAX];
    size_t count = 0;
    TRY(list_files(cx, folder, paths, &count));
    for (size_t i = 0; i < count; i++) {
        struct hl7_sender *sender = &out->list[out->count++];
        *sender = (struct hl7_sender){ .fallback = fallback };
        TRY(read_file(cx, paths[i].p, &sender->own));
        TRY(settle(cx, paths[i].p, sender));
    }
    return ERR_OK;
}

err hl7_senders_read(struct ctx *cx, str folder, struct hl7_senders *out)
{
    struct json fallback;
    TRY(json_parse(cx, S(default_sender), &fallback));
    *out = (struct hl7_senders){ .list = arena_array(cx->arena, SENDERS_MAX + 1,
                                                     sizeof *out->list) };
    if (folder.n)
        TRY(read_folder(cx, folder, fallback, out));
    struct hl7_sender *last = &out->list[out->count++];
    *last = (struct hl7_sender){ .fallback = fallback };
    return settle(cx, "the default sender", last);
}

const struct hl7_sender *hl7_sender_of(const struct hl7_senders *senders,
                                       const struct hl7_message *message)
{
    for (size_t i = 0; i < senders->count; i++) {
        const struct hl7_sender *sender = &senders->list[i];
        if ((!sender->application.n || str_eq(sender->application, message->application)) &&
            (!sender->facility.n || str_eq(sender->facility, message->facility)))
            return sender;
    }
    return &senders->list[senders->count - 1];
}
