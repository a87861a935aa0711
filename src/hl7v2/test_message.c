/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE hl7v2
#include "base/test.h"
#include "hl7v2/ack.h"
#include "hl7v2/mllp.h"

#define ADMIT                                                                                      \
    "MSH|^~\\&|PAS^1.2.3^ISO|RXX|FL|WARD|20261122051148||ADT^A01^ADT_A01|MSG1|P|2.4|||AL|NE\r"     \
    "EVN|A01|20261122051148\r"                                                                     \
    "PID|1||9434765919^^^NHS^NH~H123^^^RXX&2.16.840&ISO^MR||O\\T\\Neil^Anna^^^Mrs||19700330|F"     \
    "|||1 High St\\.br\\Flat 2^^Leeds^^LS1 1AA||\"\"|\r"                                           \
    "ZPI|1|kept^as&it~is|\\Z9\\x\r"

static struct hl7_message parsed(struct ctx *cx, str text)
{
    struct hl7_message message = { 0 };
    EXPECT_INT("parse", hl7_parse(cx, text, &message), ERR_OK);
    return message;
}

static str at(struct ctx *cx, const struct hl7_message *m, const char *name, struct hl7_place place)
{
    return hl7_text(cx->arena, m, hl7_segment(m, name), place);
}

TEST(hl7_places_are_those_of_the_standard)
{
    struct hl7_message m = parsed(cx, S(ADMIT));
    EXPECT_INT("segments", m.count, 4);
    EXPECT_STR("type", m.type, S("ADT"));
    EXPECT_STR("event", m.event, S("A01"));
    EXPECT_STR("control id", m.control_id, S("MSG1"));
    EXPECT_STR("application", m.application, S("PAS"));
    EXPECT_STR("facility", m.facility, S("RXX"));
    EXPECT_STR("MSH-1", at(cx, &m, "MSH", (struct hl7_place){ 1, 0, 0, 0 }), S("|"));
    EXPECT_STR("MSH-2", at(cx, &m, "MSH", (struct hl7_place){ 2, 0, 0, 0 }), S("^~\\&"));
    EXPECT_STR("MSH-9.3", at(cx, &m, "MSH", (struct hl7_place){ 9, 0, 3, 0 }), S("ADT_A01"));
    EXPECT_INT("repetitions", hl7_repetitions(&m, hl7_segment(&m, "PID"), 3), 2);
    EXPECT_STR("PID-3[2].1", at(cx, &m, "PID", (struct hl7_place){ 3, 1, 1, 0 }), S("H123"));
    EXPECT_STR("PID-3[2].4.2", at(cx, &m, "PID", (struct hl7_place){ 3, 1, 4, 2 }), S("2.16.840"));
    EXPECT_STR("escaped", at(cx, &m, "PID", (struct hl7_place){ 5, 0, 1, 0 }), S("O&Neil"));
    EXPECT_STR("br", at(cx, &m, "PID", (struct hl7_place){ 11, 0, 1, 0 }), S("1 High St\nFlat 2"));
    EXPECT("deleted", str_given(at(cx, &m, "PID", (struct hl7_place){ 13, 0, 0, 0 })));
    EXPECT_STR("deleted", at(cx, &m, "PID", (struct hl7_place){ 13, 0, 0, 0 }), S(""));
    EXPECT("empty", !str_given(at(cx, &m, "PID", (struct hl7_place){ 12, 0, 0, 0 })));
    EXPECT("absent", !str_given(at(cx, &m, "PID", (struct hl7_place){ 40, 0, 0, 0 })));
    EXPECT("no segment", !str_given(at(cx, &m, "PV1", (struct hl7_place){ 2, 0, 0, 0 })));
    EXPECT_STR("Z segment", hl7_segment(&m, "ZPI")->text, S("ZPI|1|kept^as&it~is|\\Z9\\x"));
    EXPECT_STR("unknown", at(cx, &m, "ZPI", (struct hl7_place){ 3, 0, 0, 0 }), S("\\Z9\\x"));
}

TEST(hl7_delimiters_are_what_the_header_says)
{
    struct hl7_message m = parsed(cx, S("MSH:*%!@:A:B:::::ADT*A08:7\r\n"
                                          "PID:::a*b%c*d@e:x!F!y!T!z!S!"));
    EXPECT_STR("event", m.event, S("A08"));
    EXPECT_STR("component", at(cx, &m, "PID", (struct hl7_place){ 3, 0, 2, 0 }), S("b"));
    EXPECT_STR("sub", at(cx, &m, "PID", (struct hl7_place){ 3, 1, 2, 2 }), S("e"));
    EXPECT_STR("escapes", at(cx, &m, "PID", (struct hl7_place){ 4, 0, 0, 0 }), S("x:y@z*"));
}

TEST(hl7_text_that_is_not_a_message_is_refused)
{
    static const char *const rows[] = {
        "", "MSH", "MSH|", "PID|1", "MSH||||||", "MSH|^^\\&|A\r", "MSH|^~\\|&|", "MSHA^~\\&|x",
        "MSH|^~\\&|A\rPI|1\r", "MSH|^~\\&|A\rPIDX|1\r", "MSH|^~\\&|A\rpid|1\r", "MSH|^~\\&%$|A",
    };
    struct hl7_message m;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!str_eq(str_of(rows[i]), S("MSH|^~\\|&|")))
            EXPECT_INT(rows[i], hl7_parse(cx, str_of(rows[i]), &m), ERR_INVALID);
}

TEST(hl7_escapes_are_resolved_and_written)
{
    static const struct { const char *raw, *text; } rows[] = {
        { "a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f" }, { "\\H\\bold\\N\\", "bold" },
        { "a\\X0D0A\\b", "a\r\nb" }, { "\\XFF\\", "\\XFF\\" }, { "\\X0\\", "\\X0\\" },
        { "a\\b", "a\\b" }, { "a\\", "a\\" }, { "\\.sp+2\\x\\.ti-3\\", "\nx" }, { "\\\\", "\\\\" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str text = arena_printf(cx->arena, "MSH|^~\\&|%s|", rows[i].raw);
        struct hl7_message m = parsed(cx, text);
        EXPECT_STR(rows[i].raw, at(cx, &m, "MSH", (struct hl7_place){ 3, 0, 0, 0 }),
                   str_of(rows[i].text));
    }
    struct buf buf = buf_make(cx->arena, 100);
    hl7_add(&buf, S("a|b^c&d~e\\f\ng\th"));
    EXPECT_STR("written", buf_str(&buf), S("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f\\.br\\g h"));
}

TEST(hl7_character_sets_become_utf_8)
{
    static const struct { const char *name, *bytes; err error; const char *text; } rows[] = {
        { "none, ascii", "MSH|^~\\&|A\r", ERR_OK, "MSH|^~\\&|A\r" },
        { "none, utf-8", "MSH|^~\\&|\xC3\xA9\r", ERR_OK, "MSH|^~\\&|\xC3\xA9\r" },
        { "none, latin-1", "MSH|^~\\&|\xE9\r", ERR_OK, "MSH|^~\\&|\xC3\xA9\r" },
        { "latin-1", "MSH|^~\\&|\xC3||||||||||||||||8859/1\r", ERR_OK,
          "MSH|^~\\&|\xC3\x83||||||||||||||||8859/1\r" }, /* field 18 stands after 17 marks */
        { "utf-8 broken", "MSH|^~\\&|\xE9|||||||||||||||UNICODE UTF-8\r", ERR_INVALID, "" },
        { "unknown", "MSH|^~\\&||||||||||||||||ISO IR87\r", ERR_INVALID, "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str out = S("");
        EXPECT_INT(rows[i].name, hl7_to_utf8(cx, str_of(rows[i].bytes), &out), rows[i].error);
        if (!rows[i].error && i != 3)
            EXPECT_STR(rows[i].name, out, str_of(rows[i].text));
    }
    str out = S("");
    EXPECT_INT("15", hl7_to_utf8(cx, S("MSH|^~\\&|\xA4|||||||||||||||8859/15\r"), &out), ERR_OK);
    EXPECT("euro", str_find(out, S("\xE2\x82\xAC")) != STR_NONE);
}

TEST(hl7_times_keep_their_precision)
{
    /* clang-format off */
    static const struct { const char *hl7; int zone; const char *fhir; } rows[] = {
        { "2026", 0, "2026" }, { "202602", 0, "2026-02" }, { "20260228", 0, "2026-02-28" },
        { "20260229", 0, "" }, { "2026022", 0, "" }, { "20261301", 0, "" }, { "", 0, "" },
        { "202611220511", 0, "2026-11-22T05:11:00Z" },
        { "20261122051148.1234", 0, "2026-11-22T05:11:48.123Z" },
        { "20261122051148+0530", 0, "2026-11-22T05:11:48+05:30" },
        { "20261122051148-0100", 60, "2026-11-22T05:11:48-01:00" },
        { "20261122051148+053", 0, "" }, { "20261122250000", 0, "" }, { "20261122051148.", 0, "" },
        { "20260715120000", HL7_ZONE_UK, "2026-07-15T12:00:00+01:00" },
        { "20260115120000", HL7_ZONE_UK, "2026-01-15T12:00:00Z" },
        { "20260329005959", HL7_ZONE_UK, "2026-03-29T00:59:59Z" },
        { "20260329020000", HL7_ZONE_UK, "2026-03-29T02:00:00+01:00" },
        { "20261025013000", HL7_ZONE_UK, "2026-10-25T01:30:00+01:00" },
        { "20261025020000", HL7_ZONE_UK, "2026-10-25T02:00:00Z" },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_STR(rows[i].hl7, hl7_to_fhir_time(cx->arena, str_of(rows[i].hl7), rows[i].zone),
                   str_of(rows[i].fhir));
    int64_t at_ms = 0;
    EXPECT("instant", hl7_to_instant(S("20260326130000"), 60, &at_ms) && at_ms == cx->now_ms);
}

static size_t count_frames(struct ctx *cx, str input, size_t piece, err *error)
{
    struct mllp stream = mllp_make(1000);
    size_t count = 0;
    *error = ERR_OK;
    for (size_t from = 0; from < input.n && !*error; from += piece) {
        str part = str_slice(input, from, from + piece), frame;
        while (part.n && !*error) {
            *error = mllp_next(&stream, &cx->issues, &part, &frame);
            count += str_given(frame);
            if (str_given(frame))
                EXPECT("whole", str_starts(frame, S("MSH|")) && str_ends(frame, S("\r")));
        }
    }
    mllp_free(&stream);
    return count;
}

TEST(mllp_finds_messages_however_the_stream_is_cut)
{
    str stream = S("\x0BMSH|1\r\x1C\r\x0BMSH|22\r\x1C\r\r\n\x0BMSH|\r\x1C\r");
    err error;
    for (size_t piece = 1; piece <= stream.n; piece++) {
        EXPECT_INT("frames", count_frames(cx, stream, piece, &error), 3);
        EXPECT_INT("error", error, ERR_OK);
    }
}

TEST(mllp_refuses_what_is_not_framed)
{
    struct buf large = buf_make(cx->arena, SIZE_MAX);
    buf_char(&large, 0x0B);
    for (int i = 0; i < 1001; i++)
        buf_char(&large, 'x');
    const struct { const char *name; str bytes; err error; } rows[] = {
        { "outside", S("GET / HTTP/1.1"), ERR_INVALID },
        { "between", S("\x0BMSH|\r\x1C\rx"), ERR_INVALID },
        { "start in a frame", S("\x0BMSH\x0B"), ERR_INVALID },
        { "end without return", S("\x0BMSH\x1Cx"), ERR_INVALID },
        { "too large", buf_str(&large), ERR_LIMIT },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        err error;
        count_frames(cx, rows[i].bytes, 7, &error);
        EXPECT_INT(rows[i].name, error, rows[i].error);
    }
}

static str answered(struct ctx *cx, str text, struct hl7_answer answer)
{
    struct buf buf = buf_make(cx->arena, 10000);
    struct hl7_message m = parsed(cx, text);
    hl7_ack(cx, &m, &answer, &buf);
    return buf_str(&buf);
}

TEST(ack_answers_in_the_mode_the_header_asks_for)
{
    str plain = S("MSH|^~\\&|PAS^1.2^ISO|RXX|FL|W|20261122||ADT^A08|7\\T\\8|T|2.5");
    str got = answered(cx, plain, (struct hl7_answer){ .outcome = HL7_ACCEPTED });
    struct hl7_message ack = parsed(cx, str_slice(got, 1, got.n - 2));
    EXPECT("framed", got.p[0] == 0x0B && str_ends(got, S("\r\x1C\r")));
    EXPECT_STR("to", at(cx, &ack, "MSH", (struct hl7_place){ 5, 0, 1, 0 }), S("PAS"));
    EXPECT_STR("to", at(cx, &ack, "MSH", (struct hl7_place){ 5, 0, 2, 0 }), S("1.2"));
    EXPECT_STR("from", ack.application, S("FL"));
    EXPECT_STR("type", hl7_raw(&ack, ack.segments, (struct hl7_place){ 9, 0, 0, 0 }),
               S("ACK^A08^ACK"));
    EXPECT_STR("processing", at(cx, &ack, "MSH", (struct hl7_place){ 11, 0, 0, 0 }), S("T"));
    EXPECT_STR("version", at(cx, &ack, "MSH", (struct hl7_place){ 12, 0, 0, 0 }), S("2.5"));
    EXPECT_STR("code", at(cx, &ack, "MSA", (struct hl7_place){ 1, 0, 0, 0 }), S("AA"));
    EXPECT_STR("of", at(cx, &ack, "MSA", (struct hl7_place){ 2, 0, 0, 0 }), S("7&8"));

    got = answered(cx, plain, (struct hl7_answer){ HL7_ERROR, 204, S("PID-3"), S("no | such") });
    ack = parsed(cx, str_slice(got, 1, got.n - 2));
    EXPECT_STR("code", at(cx, &ack, "MSA", (struct hl7_place){ 1, 0, 0, 0 }), S("AE"));
    EXPECT_STR("text", at(cx, &ack, "MSA", (struct hl7_place){ 3, 0, 0, 0 }), S("no | such"));
    EXPECT_STR("where", hl7_segment(&ack, "ERR")->text, S("ERR||PID^1^3|204|E||||no \\F\\ such"));
}

TEST(ack_enhanced_mode_answers_when_asked)
{
    static const struct {
        const char *when;
        enum hl7_outcome outcome;
        size_t count;
        const char *has;
    } rows[] = {
        { "AL|NE", HL7_ACCEPTED, 1, "MSA|CA" }, { "AL|AL", HL7_ACCEPTED, 2, "MSA|AA" },
        { "NE|NE", HL7_ERROR, 0, "" },          { "ER|NE", HL7_ACCEPTED, 0, "" },
        { "ER|NE", HL7_ERROR, 1, "MSA|CE" },    { "SU|ER", HL7_REJECTED, 1, "MSA|AR" },
        { "SU|NE", HL7_ACCEPTED, 1, "MSA|CA" }, { "|AL", HL7_ACCEPTED, 1, "MSA|AA" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str text = arena_printf(cx->arena, "MSH|^~\\&|A|B|C|D|||ADT^A01|1|P|2.4|||%s",
                                rows[i].when);
        str got = answered(cx, text, (struct hl7_answer){ .outcome = rows[i].outcome });
        size_t frames = 0;
        for (size_t k = 0; k < got.n; k++)
            frames += got.p[k] == 0x0B;
        EXPECT_INT(rows[i].when, frames, rows[i].count);
        EXPECT(rows[i].when, str_find(got, str_of(rows[i].has)) != STR_NONE);
    }
}
