/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"
#include "hl7v2/work.h"

/* The places of OBX, chapter 7.4.2. */
enum { OBX_TYPE = 2, OBX_CODE = 3, OBX_PART = 4, OBX_VALUE = 5, OBX_UNIT = 6, OBX_RANGE = 7,
       OBX_FLAG = 8, OBX_STATUS = 11, OBX_TIME = 14 };

static str get(struct hl7_work *work, const struct hl7_segment *segment, int field, int component)
{
    return hl7_field(work, segment, field, component);
}

static bool is_decimal(str text)
{
    size_t i = text.n && text.p[0] == '-', digits = 0, points = 0;
    size_t first = i;
    for (; i < text.n; i++) {
        digits += text.p[i] >= '0' && text.p[i] <= '9';
        points += text.p[i] == '.';
        if (!(text.p[i] >= '0' && text.p[i] <= '9') && text.p[i] != '.')
            return false;
    }
    bool led = text.n > first && text.p[first] != '.' &&
               !(text.p[first] == '0' && text.n > first + 1 && text.p[first + 1] != '.');
    return digits > 0 && points <= 1 && led && text.p[text.n - 1] != '.';
}

/* A unit is coded when it comes as UCUM, or the sender's table says what it is in UCUM. */
static str quantity(struct hl7_work *work, const struct hl7_segment *obx, str comparator,
                    str number)
{
    struct buf buf = hl7_buf(work);
    struct json_writer w = json_writer(&buf);
    str unit = get(work, obx, OBX_UNIT, 1), set = get(work, obx, OBX_UNIT, 3);
    str code = hl7_sender_code(work->cx->arena, work->sender, "units", unit);
    if (!code.n && str_eq(set, S("UCUM")))
        code = unit;
    json_open(&w, '{');
    json_put_raw(&w, "value", number);
    if (comparator.n && !str_eq(comparator, S("=")))
        json_put_str(&w, "comparator", comparator);
    if (unit.n)
        json_put_str(&w, "unit", unit);
    if (unit.n && code.n) {
        json_put_str(&w, "system", S("http://unitsofmeasure.org"));
        json_put_str(&w, "code", code);
    }
    json_close(&w, '}');
    return buf_str(&buf);
}

/* Repetitions of a text are its lines. */
static str lines(struct hl7_work *work, const struct hl7_segment *obx)
{
    struct buf buf = hl7_buf(work);
    for (int i = 0; i < hl7_repetitions(work->message, obx, OBX_VALUE); i++) {
        if (i)
            buf_char(&buf, '\n');
        buf_add(&buf, hl7_text(work->cx->arena, work->message, obx,
                               (struct hl7_place){ OBX_VALUE, i, 0, 0 }));
    }
    return buf_str(&buf);
}

static bool is_comparator(str text)
{
    return str_eq(text, S("<")) || str_eq(text, S(">")) || str_eq(text, S("<=")) ||
           str_eq(text, S(">=")) || str_eq(text, S("="));
}

/* A value that is not what its type says is kept as text, never dropped and never guessed at. */
static struct hl7_change value_of(struct hl7_work *work, const struct hl7_segment *obx)
{
    str type = get(work, obx, OBX_TYPE, 1), whole = get(work, obx, OBX_VALUE, 0);
    str number = str_trim(get(work, obx, OBX_VALUE, 2));
    str sign = get(work, obx, OBX_VALUE, 1);
    if (!whole.n)
        return (struct hl7_change){ "valueString", { 0 }, NULL };
    if (str_eq(type, S("NM")) && is_decimal(str_trim(whole)))
        return (struct hl7_change){ "valueQuantity",
                                    quantity(work, obx, (str){ 0 }, str_trim(whole)), NULL };
    if (str_eq(type, S("SN")) && is_decimal(number) && (!sign.n || is_comparator(sign)) &&
        !get(work, obx, OBX_VALUE, 3).n)
        return (struct hl7_change){ "valueQuantity", quantity(work, obx, sign, number), NULL };
    if (str_eq(type, S("CE")) || str_eq(type, S("CWE")) || str_eq(type, S("CNE")))
        return (struct hl7_change){ "valueCodeableConcept", hl7_json_concept(work, obx,
                                    (struct hl7_place){ OBX_VALUE, 0, 1, 0 }), NULL };
    if ((str_eq(type, S("DT")) || str_eq(type, S("TS")) || str_eq(type, S("DTM"))) &&
        str_given(hl7_time(work, sign)))
        return (struct hl7_change){ "valueDateTime",
                                    hl7_json_text(work, hl7_time(work, sign)), NULL };
    return (struct hl7_change){ "valueString", hl7_json_text(work, lines(work, obx)), NULL };
}

static str reference_range(struct hl7_work *work, const struct hl7_segment *obx)
{
    str text = hl7_json_text(work, get(work, obx, OBX_RANGE, 0));
    return text.n ? arena_printf(work->cx->arena, "[{\"text\":%.*s}]", STR_ARG(text)) : text;
}

/* Table 0078: H, L, HH, LL, A, N ... are v3's codes as well. */
static str interpretation(struct hl7_work *work, const struct hl7_segment *obx)
{
    static const char *const known[] = { "H", "L", "HH", "LL", "A", "AA", "N", "S", "R", "I",
                                         "U", "D", "B", "W", "<", ">" };
    str flag = get(work, obx, OBX_FLAG, 1);
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_eq(flag, str_of(known[i]))) {
            str coding = hl7_json_code(
                work, "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", flag);
            return arena_printf(work->cx->arena, "[{\"coding\":[%.*s]}]", STR_ARG(coding));
        }
    str text = hl7_json_text(work, flag);
    return text.n ? arena_printf(work->cx->arena, "[{\"text\":%.*s}]", STR_ARG(text)) : text;
}

struct order {
    const struct hl7_segment *obr;
    str number, time;   /* OBR-3 filler, else OBR-2 placer; OBR-7 */
    struct buf results; /* references */
    size_t results_count;
};

/* The notes that follow a result, until the next result or order. */
static str notes(struct hl7_work *work, const struct hl7_segment *after)
{
    const struct hl7_segment *end = work->message->segments + work->message->count;
    struct buf buf = hl7_buf(work);
    for (const struct hl7_segment *at = after + 1; at < end && str_eq(at->name, S("NTE")); at++) {
        if (buf.n)
            buf_char(&buf, '\n');
        buf_add(&buf, hl7_field(work, at, 3, 0));
    }
    str text = hl7_json_text(work, buf_str(&buf));
    return text.n ? arena_printf(work->cx->arena, "[{\"text\":%.*s}]", STR_ARG(text)) : (str){ 0 };
}

/* A change of type takes the other kinds of value away. */
static void clear_values(struct hl7_change *changes, size_t *count, struct hl7_change value)
{
    static const char *const kinds[] = { "valueQuantity", "valueCodeableConcept", "valueString",
                                         "valueDateTime" };
    for (size_t i = 0; i < COUNT(kinds); i++)
        changes[(*count)++] = str_eq(str_of(kinds[i]), str_of(value.key))
                                  ? (struct hl7_change){ value.key, value.json, "result" }
                                  : (struct hl7_change){ kinds[i], S(""), "result" };
}

static err one_result(struct hl7_work *work, struct order *order, const struct hl7_segment *obx,
                      int position)
{
    struct arena *arena = work->cx->arena;
    str code = get(work, obx, OBX_CODE, 1), part = get(work, obx, OBX_PART, 0);
    str at = hl7_time(work, get(work, obx, OBX_TIME, 1));
    str status = hl7_sender_code(arena, work->sender, "result", get(work, obx, OBX_STATUS, 1));
    str system = hl7_own(work, "result");
    str value = arena_printf(arena, "%.*s|%.*s|%.*s", STR_ARG(order->number), STR_ARG(code),
                             STR_ARG(part));
    struct hl7_found found;
    if (!code.n)
        return hl7_refuse(work, 101, "OBX-3", "result %d has no code", position);
    TRY(hl7_find(work, "Observation", system, value, &found));
    struct hl7_change changes[HL7_CHANGES_MAX] = {
        { "extension", { 0 }, NULL },
        { "identifier", hl7_json_identifier(work, system, value), NULL },
        { "status", hl7_json_text(work, status), "result" },
        { "code", hl7_json_concept(work, obx, (struct hl7_place){ OBX_CODE, 0, 1, 0 }), "result" },
        { "subject", hl7_json_subject(work), NULL },
        { "effectiveDateTime", hl7_json_text(work, at.n ? at : order->time), "result" },
        { "referenceRange", reference_range(work, obx), "result" },
        { "interpretation", interpretation(work, obx), "result" },
        { "note", notes(work, obx), "result" },
    };
    size_t count = 9;
    clear_values(changes, &count, value_of(work, obx));
    TRY(hl7_put(work, "Observation", system, value, changes, &found));
    str reference = hl7_json_reference(work, found.reference);
    buf_printf(&order->results, "%s%.*s", order->results_count++ ? "," : "", STR_ARG(reference));
    return ERR_OK;
}

static bool has_result(const struct order *order, str reference)
{
    str quoted = { order->results.p, order->results.n };
    return reference.n && str_find(quoted, reference) != STR_NONE;
}

/* Those of the message, and those of earlier or later ones that it does not speak of. */
static str results_of(struct hl7_work *work, struct order *order, struct json before)
{
    for (struct json_walk w = json_walk(json_get(before, S("result"))); json_next(&w);)
        if (!has_result(order, json_text(json_get(w.value, S("reference")))))
            buf_printf(&order->results, "%s%.*s", order->results_count++ ? "," : "",
                       STR_ARG(json_text(w.value)));
    return order->results_count ? arena_printf(work->cx->arena, "[%.*s]",
                                               STR_ARG(buf_str(&order->results)))
                                : (str){ 0 };
}

static err report(struct hl7_work *work, struct order *order)
{
    struct arena *arena = work->cx->arena;
    str status = hl7_sender_code(arena, work->sender, "report", get(work, order->obr, 25, 1));
    str issued = hl7_time(work, get(work, order->obr, 22, 1));
    str system = hl7_own(work, "order");
    struct hl7_found found;
    TRY(hl7_find(work, "DiagnosticReport", system, order->number, &found));
    struct hl7_change changes[] = {
        { "extension", { 0 }, NULL },
        { "identifier", hl7_json_identifier(work, system, order->number), NULL },
        { "status", hl7_json_text(work, status), "report" },
        { "code", hl7_json_concept(work, order->obr, (struct hl7_place){ 4, 0, 1, 0 }), "report" },
        { "subject", hl7_json_subject(work), NULL },
        { "effectiveDateTime", hl7_json_text(work, order->time), "report" },
        { "issued", issued.n > 10 ? hl7_json_text(work, issued) : (str){ 0 }, "report" },
        { "result", results_of(work, order, found.body), NULL },
        { 0 },
    };
    return hl7_put(work, "DiagnosticReport", system, order->number, changes, &found);
}

static err one_order(struct hl7_work *work, const struct hl7_segment *obr)
{
    struct order order = { .obr = obr, .number = get(work, obr, 3, 1), .results = hl7_buf(work) };
    const struct hl7_segment *end = work->message->segments + work->message->count;
    int position = 0;
    if (!order.number.n)
        order.number = get(work, obr, 2, 1);
    if (!order.number.n)
        return hl7_refuse(work, 101, "OBR-3", "an order must have a filler or placer number");
    order.time = hl7_time(work, get(work, obr, 7, 1));
    for (const struct hl7_segment *at = obr + 1; at < end && !str_eq(at->name, S("OBR")); at++)
        if (str_eq(at->name, S("OBX")))
            TRY(one_result(work, &order, at, ++position));
    return report(work, &order);
}

err hl7_map_results(struct hl7_work *work)
{
    const struct hl7_segment *obr = hl7_segment(work->message, "OBR");
    if (!obr)
        return hl7_refuse(work, 100, "OBR", "a result must have an OBR segment");
    TRY(hl7_map_patient(work, false)); /* a result for nobody we know is looked at by a person */
    for (; obr; obr = hl7_segment_next(work->message, obr, "OBR"))
        TRY(one_order(work, obr));
    return ERR_OK;
}

/* ---- MDM^T02: a document with its text ---- */

static str attachment(struct hl7_work *work)
{
    const struct hl7_segment *obx = hl7_segment(work->message, "OBX");
    struct buf buf = hl7_buf(work);
    str type = S("text/plain; charset=utf-8"), data = { 0 };
    for (; obx; obx = hl7_segment_next(work->message, obx, "OBX")) {
        /* ED: source ^ type ^ subtype ^ encoding ^ data */
        if (str_eq(get(work, obx, OBX_TYPE, 1), S("ED")) &&
            str_eq_nocase(get(work, obx, OBX_VALUE, 4), S("Base64"))) {
            str subtype = get(work, obx, OBX_VALUE, 3);
            type = str_eq_nocase(subtype, S("PDF")) ? S("application/pdf")
                                                    : S("application/octet-stream");
            data = get(work, obx, OBX_VALUE, 5);
            break;
        }
        if (buf.n)
            buf_char(&buf, '\n');
        buf_add(&buf, lines(work, obx));
    }
    if (!data.n && !buf.n)
        return (str){ 0 };
    if (!data.n)
        data = base64_encode(work->cx->arena, buf_str(&buf));
    return arena_printf(work->cx->arena,
                        "[{\"attachment\":{\"contentType\":\"%.*s\",\"data\":%.*s}}]",
                        STR_ARG(type), STR_ARG(hl7_json_text(work, data)));
}

err hl7_map_document(struct hl7_work *work)
{
    const struct hl7_segment *txa = hl7_segment(work->message, "TXA");
    struct arena *arena = work->cx->arena;
    str number = hl7_field(work, txa, 12, 1);
    str system = hl7_own(work, "document");
    str state = hl7_sender_code(arena, work->sender, "document", get(work, txa, 19, 1));
    str at = hl7_time(work, get(work, txa, 6, 1));
    struct hl7_found found;
    if (!number.n)
        return hl7_refuse(work, 101, "TXA-12", "the document's unique number must be given");
    TRY(hl7_map_patient(work, false));
    str content = attachment(work);
    if (!content.n)
        return hl7_refuse(work, 101, "OBX-5", "the document has no text");
    TRY(hl7_find(work, "DocumentReference", system, number, &found));
    struct hl7_change changes[] = {
        { "extension", { 0 }, NULL },
        { "identifier", hl7_json_identifier(work, system, number), NULL },
        { "status", hl7_json_text(work, state), "document" },
        { "type", hl7_json_concept(work, txa, (struct hl7_place){ 2, 0, 1, 0 }), "document" },
        { "subject", hl7_json_subject(work), NULL },
        { "date", hl7_json_text(work, at.n > 10 ? at : work->event_time), "document" },
        { "content", content, "document" },
        { 0 },
    };
    return hl7_put(work, "DocumentReference", system, number, changes, &found);
}

/* ---- SIU: a booking ---- */

err hl7_map_booking(struct hl7_work *work, const char *status)
{
    const struct hl7_segment *sch = hl7_segment(work->message, "SCH");
    struct arena *arena = work->cx->arena;
    str system = hl7_own(work, "appointment");
    str number = hl7_field(work, sch, 2, 1);
    str start = hl7_time(work, hl7_field(work, sch, 11, 4));
    str end = hl7_time(work, hl7_field(work, sch, 11, 5));
    struct hl7_found found;
    if (!number.n)
        number = hl7_field(work, sch, 1, 1);
    if (!number.n)
        return hl7_refuse(work, 101, "SCH-2", "the appointment's number must be given");
    TRY(hl7_map_patient(work, str_eq(str_of(status), S("booked"))));
    TRY(hl7_find(work, "Appointment", system, number, &found));
    if (!found.found && (start.n < 12 || end.n < 12))
        return hl7_refuse(work, 101, "SCH-11", "start and end of the appointment must be given");
    str actor = hl7_json_subject(work);
    struct hl7_change changes[] = {
        { "extension", { 0 }, NULL },
        { "identifier", hl7_json_identifier(work, system, number), NULL },
        { "status", hl7_json_text(work, str_of(status)), "status" },
        { "description", hl7_json_text(work, hl7_field(work, sch, 7, 2)), "description" },
        { "start", start.n > 12 ? hl7_json_text(work, start) : (str){ 0 }, "start" },
        { "end", end.n > 12 ? hl7_json_text(work, end) : (str){ 0 }, "end" },
        { "participant", arena_printf(arena, "[{\"actor\":%.*s,\"status\":\"accepted\"}]",
                                      STR_ARG(actor)), NULL },
        { 0 },
    };
    return hl7_put(work, "Appointment", system, number, changes, &found);
}
