/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/out.h"
#include "clinical/london.h"
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>

static const char *const names[OUT_TYPES] = {
    "AllergyIntolerance", "Appointment", "CareTeam", "Composition", "Condition", "DiagnosticReport",
    "DocumentReference", "Encounter", "EpisodeOfCare", "Flag", "HealthcareService",
    "Immunization", "Location", "MedicationRequest", "Observation", "Organization", "Patient",
    "Practitioner", "PractitionerRole", "RelatedPerson", "ServiceRequest", "Task",
};

const char *out_type_name(enum out_type type)
{
    return names[type];
}

static err failed(struct ctx *cx, str what)
{
    return ctx_failf(cx, ERR_IO, S(""), "cannot write %.*s: %s", STR_ARG(what), strerror(errno));
}

err out_open(struct ctx *cx, struct out *out, str folder)
{
    *out = (struct out){ .text = arena_alloc(cx->arena, OUT_RESOURCE_BYTES) };
    if (mkdir(arena_cstr(cx->arena, folder), 0777) != 0 && errno != EEXIST)
        return failed(cx, folder);
    for (size_t i = 0; i < OUT_TYPES; i++) {
        str path = arena_printf(cx->arena, "%.*s/%s.ndjson", STR_ARG(folder), names[i]);
        out->files[i] = fopen(arena_cstr(cx->arena, path), "w");
        if (!out->files[i])
            return failed(cx, path);
        setvbuf(out->files[i], NULL, _IOFBF, 1 << 18);
    }
    return ERR_OK;
}

err out_close(struct ctx *cx, struct out *out)
{
    err worst = ERR_OK;
    for (size_t i = 0; i < OUT_TYPES; i++)
        if (out->files[i] && (ferror(out->files[i]) | fclose(out->files[i])) != 0)
            worst = failed(cx, str_of(names[i]));
    return worst;
}

void out_add(struct out *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = OUT_RESOURCE_BYTES - out->n;
    int added = vsnprintf(out->text + out->n, room, format, args);
    va_end(args);
    assert(added >= 0 && (size_t)added < room);
    char *at = out->text + out->n, *end = at + added;
    while ((at = memchr(at, '\'', (size_t)(end - at))))
        *at++ = '"';
    out->n += (size_t)added;
}

void out_end(struct out *out, enum out_type type)
{
    out->text[out->n++] = '\n';
    fwrite(out->text, 1, out->n, out->files[type]);
    out->bytes += out->n;
    out->resources++;
    out->n = 0;
}

struct out_text out_when(int64_t at_ms)
{
    struct out_text when;
    london_write(at_ms - at_ms % 1000, when.text);
    /* whole seconds: 2026-07-01T09:30:00+01:00 */
    memmove(when.text + 19, when.text + 23, 6);
    when.text[25] = 0;
    return when;
}

struct out_text out_date(int64_t at_ms)
{
    struct out_text when = out_when(at_ms);
    when.text[10] = 0;
    return when;
}
