/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE hl7v2_feed
#include "store/test_record.h"
#include "hl7v2/receive.h"
#include "json/write.h"
#include "store/search.h"

/*
 * A feed into a record of its own. Each message is said as its segments after the header; the
 * header and the time of the event are put before it.
 */
struct feed {
    struct ctx *cx;
    struct store *store;
    struct hl7_senders senders;
    str folder;
    int number;
};

static struct feed feed_open(struct ctx *cx)
{
    struct feed feed = { .cx = cx, .folder = record_folder(cx) };
    feed.store = record_open(cx, feed.folder);
    commit_set_claim_rules(feed.store, hl7_claims);
    EXPECT_INT("senders", hl7_senders_read(cx, (str){ 0 }, &feed.senders), ERR_OK);
    return feed;
}

static void feed_close(struct feed *feed)
{
    ctx_release(feed->cx); /* the snapshot of the last look */
    store_close(feed->store);
    record_remove(feed->cx, feed->folder);
}

/* The acknowledgement code, MSA-1; ", text" behind it unless all is well. */
static str take(struct feed *feed, str message)
{
    struct arena arena = arena_make((size_t)256 << 20);
    struct ctx cx = ctx_make(&arena);
    struct hl7_receiver receiver = { feed->store, &feed->senders };
    struct buf answer = buf_make(&arena, 1 << 20);
    struct hl7_message ack = { 0 };
    cx.now_ms = feed->cx->now_ms;
    cx.random = feed->cx->random;
    hl7_receive(&cx, &receiver, message, &answer);
    str text = buf_str(&answer);
    EXPECT_INT("ack", hl7_parse(&cx, str_slice(text, 1, text.n - 2), &ack), ERR_OK);
    const struct hl7_segment *msa = hl7_segment(&ack, "MSA");
    str code = hl7_get(&arena, &ack, msa, 1, 0), why = hl7_get(&arena, &ack, msa, 3, 0);
    str out = arena_printf(feed->cx->arena, "%.*s%s%.*s", STR_ARG(code), why.n ? ", " : "",
                           STR_ARG(why));
    ctx_release(&cx);
    arena_free(&arena);
    return out;
}

static str say(struct feed *feed, const char *event, const char *at, const char *rest)
{
    str text = arena_printf(feed->cx->arena,
                            "MSH|^~\\&|PAS|RXX|FL|W|%s||%s|M%d|P|2.4\rEVN||%s\r%s", at, event,
                            ++feed->number, at, rest);
    return take(feed, text);
}

/* The only resource of a type that a query finds; absent when there is none, or several. */
static struct json only(struct feed *feed, const char *type, const char *query)
{
    struct ctx *cx = feed->cx;
    struct json body = { 0 };
    struct store_version version;
    int64_t rids[2];
    struct search_rids found = { .rids = rids, .max = 2 };
    ctx_release(cx);
    EXPECT_INT(query, store_reader(cx, feed->store), ERR_OK);
    err wrong = search_condition(cx, feed->store, fhir_resource_find(str_of(type)), str_of(query),
                                 &found);
    EXPECT_INT(query, wrong, ERR_OK);
    if (found.count != 1 || store_read_rid(cx, feed->store, rids[0], &version) ||
        json_parse(cx, version.body, &body))
        return (struct json){ 0 };
    return body;
}

static str at(struct feed *feed, struct json root, const char *pointer)
{
    struct json v = { 0 };
    EXPECT_INT(pointer, json_pointer(feed->cx, root, str_of(pointer), &v), ERR_OK);
    return json_string(feed->cx->arena, v);
}

/* PV1 with class, place and visit number; then to PV1-44 admitted at, or to PV1-36 and PV1-45. */
#define PV1(class, place, visit) "PV1||" class "|" place "||||||||||||||||" visit
#define ADMITTED(at) "|||||||||||||||||||||||||" at "\r"
#define DISCHARGED(how, at) "|||||||||||||||||" how "|||||||||" at "\r"
#define PID                                                                                        \
    "PID|1||9434765919^^^NHS^NH~H1^^^RXX^MR||Smith^Anna^^^Mrs||19700330|F"                         \
    "|||1 High St^^Leeds^^LS1\r"
#define ADMIT PID PV1("I", "W1^R1^B1", "V1") ADMITTED("20260301100000")

TEST(admission_makes_patient_place_and_stay)
{
    struct feed feed = feed_open(cx);
    EXPECT_STR("ack", say(&feed, "ADT^A01", "20260301100500", ADMIT), S("AA"));
    struct json patient = only(&feed, "Patient", "identifier=H1");
    struct json stay = only(&feed, "Encounter", "identifier=V1");
    EXPECT_STR("NHS", at(&feed, patient, "/identifier/0/system"),
               S("https://fhir.nhs.uk/Id/nhs-number"));
    EXPECT_STR("family", at(&feed, patient, "/name/0/family"), S("Smith"));
    EXPECT_STR("given", at(&feed, patient, "/name/0/given/0"), S("Anna"));
    EXPECT_STR("birth", at(&feed, patient, "/birthDate"), S("1970-03-30"));
    EXPECT_STR("gender", at(&feed, patient, "/gender"), S("female"));
    EXPECT_STR("post code", at(&feed, patient, "/address/0/postalCode"), S("LS1"));
    EXPECT_STR("status", at(&feed, stay, "/status"), S("in-progress"));
    EXPECT_STR("class", at(&feed, stay, "/class/code"), S("IMP"));
    EXPECT_STR("start", at(&feed, stay, "/period/start"), S("2026-03-01T10:00:00Z"));
    EXPECT_STR("place", at(&feed, stay, "/location/0/status"), S("active"));
    EXPECT_STR("bed", at(&feed, only(&feed, "Location", "identifier=W1-R1-B1"),
                         "/physicalType/coding/0/code"), S("bd"));
    EXPECT_STR("kept", at(&feed, only(&feed, "Communication", "category=A01"), "/status"),
               S("completed"));
    feed_close(&feed);
}

TEST(message_told_twice_is_applied_once)
{
    struct feed feed = feed_open(cx);
    EXPECT_STR("first", say(&feed, "ADT^A01", "20260301100500", ADMIT), S("AA"));
    int64_t seq = store_seq(feed.store);
    feed.number--;
    EXPECT_STR("second", say(&feed, "ADT^A01", "20260301100500", ADMIT), S("AA"));
    EXPECT_INT("nothing written", store_seq(feed.store), seq);
    feed_close(&feed);
}

TEST(empty_changes_nothing_and_two_quotes_delete)
{
    struct feed feed = feed_open(cx);
    say(&feed, "ADT^A28", "20260301100000", PID);
    EXPECT_STR("update", say(&feed, "ADT^A31", "20260302100000",
                             "PID|1||H1^^^RXX^MR||Jones^Anna||||||\"\"\r"), S("AA"));
    struct json patient = only(&feed, "Patient", "identifier=H1");
    EXPECT_STR("changed", at(&feed, patient, "/name/0/family"), S("Jones"));
    EXPECT_STR("kept", at(&feed, patient, "/birthDate"), S("1970-03-30"));
    EXPECT_STR("identifiers kept", at(&feed, patient, "/identifier/0/value"), S("9434765919"));
    EXPECT("deleted", !str_given(at(&feed, patient, "/address/0/city")));
    EXPECT_STR("late", say(&feed, "ADT^A31", "20260301120000",
                           "PID|1||H1^^^RXX^MR||Older^Name\r"), S("AA"));
    patient = only(&feed, "Patient", "identifier=H1");
    EXPECT_STR("an earlier snapshot undoes nothing", at(&feed, patient, "/name/0/family"),
               S("Jones"));
    feed_close(&feed);
}

static const struct {
    const char *event, *at, *rest;
} stay_events[] = {
    { "ADT^A01", "20260301100500", ADMIT },
    { "ADT^A02", "20260302110000", PID PV1("I", "W2^R1^B7", "V1") "\r" },
    { "ADT^A02", "20260303120000", PID PV1("I", "W3^R2^B9", "V1") "\r" },
    { "ADT^A08", "20260303130000", "PID|1||H1^^^RXX^MR||Smith^Anne\r"
      PV1("I", "", "V1") "\r" },
    { "ADT^A03", "20260304090000",
      PID PV1("I", "W3^R2^B9", "V1") DISCHARGED("19", "20260304090000") },
};

/* Says the five events in the permutation of that number and tells the stay they end in. */
static str stay_after(struct feed *feed, int permutation)
{
    int left[] = { 0, 1, 2, 3, 4 };
    for (int count = 5; count > 0; count--) {
        int pick = permutation % count, i = left[pick];
        permutation /= count;
        memmove(&left[pick], &left[pick + 1], (size_t)(4 - pick) * sizeof left[0]);
        say(feed, stay_events[i].event, stay_events[i].at, stay_events[i].rest);
    }
    struct json stay = only(feed, "Encounter", "identifier=V1");
    struct json patient = only(feed, "Patient", "identifier=H1");
    static const char *const pointers[] = {
        "/status", "/period/start", "/period/end", "/location/0/period/end",
        "/location/1/period/start", "/location/2/period/start", "/location/2/period/end",
    };
    struct buf buf = buf_make(feed->cx->arena, SIZE_MAX);
    for (size_t i = 0; i < COUNT(pointers); i++) {
        buf_add(&buf, at(feed, stay, pointers[i]));
        buf_char(&buf, ' ');
    }
    buf_add(&buf, at(feed, patient, "/name/0/given/0"));
    return buf_str(&buf);
}

/* A discharge that comes first is on hold until its stay is known. */
TEST(order_of_arrival_makes_no_difference)
{
    for (int permutation = 0; permutation < 120; permutation += 5) {
        struct feed feed = feed_open(cx);
        str row = arena_printf(cx->arena, "permutation %d", permutation);
        EXPECT_STR(row.p, stay_after(&feed, permutation),
                   S("finished 2026-03-01T10:00:00Z 2026-03-04T09:00:00Z 2026-03-02T11:00:00Z "
                     "2026-03-02T11:00:00Z 2026-03-03T12:00:00Z 2026-03-04T09:00:00Z Anne"));
        EXPECT("nothing on hold", !only(&feed, "Communication", "status=on-hold").doc);
        feed_close(&feed);
    }
}

/* Two hospitals number their people and their stays alike; one hospital makes a mistake. */
TEST(number_used_twice_does_not_mix_two_people)
{
    struct feed feed = feed_open(cx);
    say(&feed, "ADT^A01", "20260301100000", "PID|1||7||A\r" PV1("I", "W1", "V1") "\r");
    EXPECT_STR("same numbers elsewhere", take(&feed,
               S("MSH|^~\\&|PAS|RYY|FL|W|20260301||ADT^A01|1|P|2.4\rEVN||20260301100000\r"
                 "PID|1||7||B\r" PV1("I", "W1", "V1") "\r")), S("AA"));
    EXPECT_STR("first", at(&feed, only(&feed, "Patient",
               "identifier=https://frontline.example/Id/RXX-patient%7C7"), "/name/0/family"),
               S("A"));
    EXPECT_STR("second", at(&feed, only(&feed, "Encounter",
               "identifier=https://frontline.example/Id/RYY-visit%7CV1"), "/status"),
               S("in-progress"));
    EXPECT_STR("another's stay", say(&feed, "ADT^A02", "20260302100000",
               "PID|1||8||C\r" PV1("I", "W2", "V1") "\r"),
               S("AE, the Encounter V1 is another patient's"));
    EXPECT("nothing made", !only(&feed, "Patient", "identifier=8").doc);
    feed_close(&feed);
}

TEST(cancelled_events_are_undone)
{
    struct feed feed = feed_open(cx);
    for (size_t i = 0; i < 3; i++)
        say(&feed, stay_events[i].event, stay_events[i].at, stay_events[i].rest);
    const char *v1 = PID PV1("I", "W2^R1^B7", "V1") "\r";
    EXPECT_STR("A12", say(&feed, "ADT^A12", "20260303140000", v1), S("AA"));
    struct json stay = only(&feed, "Encounter", "identifier=V1");
    EXPECT("two moves", !str_given(at(&feed, stay, "/location/2/status")));
    EXPECT_STR("open again", at(&feed, stay, "/location/1/status"), S("active"));
    EXPECT_STR("A03", say(&feed, "ADT^A03", "20260304090000", v1), S("AA"));
    EXPECT_STR("A13", say(&feed, "ADT^A13", "20260304100000", v1), S("AA"));
    stay = only(&feed, "Encounter", "identifier=V1");
    EXPECT_STR("status", at(&feed, stay, "/status"), S("in-progress"));
    EXPECT("no end", !str_given(at(&feed, stay, "/period/end")));
    EXPECT_STR("A11", say(&feed, "ADT^A11", "20260304110000", v1), S("AA"));
    stay = only(&feed, "Encounter", "identifier=V1");
    EXPECT_STR("status", at(&feed, stay, "/status"), S("cancelled"));
    feed_close(&feed);
}

TEST(message_that_cannot_be_applied_is_kept_with_its_reason)
{
    struct feed feed = feed_open(cx);
    say(&feed, "ADT^A28", "20260301100000", PID);
    EXPECT_STR("discharge first", say(&feed, "ADT^A03", "20260304090000",
               PID PV1("I", "", "V9") "\r"),
               S("AE, no visit V9 is known: its admission has not come"));
    struct json kept = only(&feed, "Communication", "status=on-hold");
    EXPECT_STR("reason", at(&feed, kept, "/statusReason/text"),
               S("no visit V9 is known: its admission has not come"));
    EXPECT_STR("bad number", say(&feed, "ADT^A28", "20260301", "PID|1||9434765918^^^NHS^NH\r"),
               S("AE, \"9434765918\" is not a possible NHS number"));
    EXPECT_STR("nobody", say(&feed, "ORU^R01", "20260301", "PID|1||X^^^RXX\rOBR|1||F1\r"),
               S("AE, no patient has this identifier"));
    EXPECT_STR("event", say(&feed, "ADT^A99", "20260301", PID),
               S("AR, this type of message is not taken here"));
    EXPECT_STR("type", say(&feed, "ZZZ^Z01", "20260301", PID),
               S("AR, this type of message is not taken here"));
    EXPECT_STR("not HL7", str_slice(take(&feed, S("GET / HTTP/1.1")), 0, 2), S("AR"));
    feed_close(&feed);
}

TEST(merge_retires_one_record_and_what_follows_goes_to_the_other)
{
    struct feed feed = feed_open(cx);
    say(&feed, "ADT^A28", "20260301100000", "PID|1||H1^^^RXX^MR||A\r");
    say(&feed, "ADT^A28", "20260301100000", "PID|1||H2^^^RXX^MR||B\r");
    EXPECT_STR("A40", say(&feed, "ADT^A40", "20260302100000",
                          "PID|1||H1^^^RXX^MR\rMRG|H2^^^RXX^MR\r"), S("AA"));
    struct json retired = only(&feed, "Patient", "identifier=H2");
    struct json survivor = only(&feed, "Patient", "identifier=H1");
    EXPECT_STR("retired", at(&feed, retired, "/link/0/type"), S("replaced-by"));
    EXPECT_STR("inactive", at(&feed, retired, "/active"), S("false"));
    EXPECT_STR("survivor", at(&feed, survivor, "/link/0/type"), S("replaces"));
    EXPECT_STR("again", say(&feed, "ADT^A40", "20260302110000",
                            "PID|1||H1^^^RXX^MR\rMRG|H2^^^RXX^MR\r"), S("AA"));
    EXPECT_STR("later", say(&feed, "ADT^A01", "20260303100000",
                            "PID|1||H2^^^RXX^MR||B\r" PV1("I", "W1^^B1", "V5") "\r"), S("AA"));
    EXPECT_STR("of the survivor", at(&feed, only(&feed, "Encounter", "identifier=V5"),
                                     "/subject/reference"),
               arena_printf(cx->arena, "Patient/%.*s", STR_ARG(at(&feed, survivor, "/id"))));
    feed_close(&feed);
}

#define RESULT(value, status)                                                                      \
    "PID|1||H1^^^RXX^MR\rOBR|1|P1|F1|U^Urea and electrolytes^LN|||20260301080000|||||||||||||||"   \
    "20260301090000+0000|||" status "\rOBX|1|NM|2823-3^Potassium^LN||" value                       \
    "|mmol/L^^UCUM|3.5-5.3|H|||" status "\rNTE|1||Haemolysed\rOBX|2|ST|X^Comment||a~b||||||F\r"

/* The laboratory's message of python-hl7's tests, with a code system that is a sentence. */
TEST(result_in_a_comparison_and_a_local_code_is_kept)
{
    struct feed feed = feed_open(cx);
    say(&feed, "ADT^A28", "20260301100000", "PID|1||555-44-4444||EVERYWOMAN^EVE\r");
    EXPECT_STR("ack", say(&feed, "ORU^R01", "200202150930",
               "PID|||555-44-4444||EVERYWOMAN^EVE^E^^^^L|JONES|196203520|F\r"
               "OBR|1|845439^GHH OE|1045813^GHH LAB|1554-5^GLUCOSE|||200202150730|||||||||||||||||"
               "|F\rOBX|1|SN|1554-5^GLUCOSE^POST 12H CFST:MCNC:PT:SER/PLAS:QN||>^182|mg/dl|70_105|H"
               "|||F\r"), S("AA"));
    struct json glucose = only(&feed, "Observation", "code=1554-5");
    EXPECT_STR("system", at(&feed, glucose, "/code/coding/0/system"),
               S("https://frontline.example/CodeSystem/RXX-POST%2012H%20CFST%3AMCNC%3APT%3ASER%2F"
                 "PLAS%3AQN"));
    EXPECT_STR("comparator", at(&feed, glucose, "/valueQuantity/comparator"), S(">"));
    EXPECT_STR("value", at(&feed, glucose, "/valueQuantity/value"), S("182"));
    feed_close(&feed);
}

TEST(result_becomes_a_report_and_its_correction_replaces_it)
{
    struct feed feed = feed_open(cx);
    say(&feed, "ADT^A28", "20260301100000", "PID|1||H1^^^RXX^MR||A\r");
    EXPECT_STR("first", say(&feed, "ORU^R01", "20260301100000", RESULT("6.10", "F")), S("AA"));
    struct json potassium = only(&feed, "Observation", "code=2823-3");
    EXPECT_STR("as sent", at(&feed, potassium, "/valueQuantity/value"), S("6.10"));
    EXPECT_STR("unit", at(&feed, potassium, "/valueQuantity/code"), S("mmol/L"));
    EXPECT_STR("flag", at(&feed, potassium, "/interpretation/0/coding/0/code"), S("H"));
    EXPECT_STR("range", at(&feed, potassium, "/referenceRange/0/text"), S("3.5-5.3"));
    EXPECT_STR("note", at(&feed, potassium, "/note/0/text"), S("Haemolysed"));
    EXPECT_STR("text", at(&feed, only(&feed, "Observation", "code=X"), "/valueString"), S("a\nb"));
    EXPECT_STR("corrected", say(&feed, "ORU^R01", "20260301110000", RESULT("4.2", "C")), S("AA"));
    potassium = only(&feed, "Observation", "code=2823-3");
    EXPECT_STR("value", at(&feed, potassium, "/valueQuantity/value"), S("4.2"));
    EXPECT_STR("status", at(&feed, potassium, "/status"), S("corrected"));
    struct json report = only(&feed, "DiagnosticReport", "identifier=F1");
    EXPECT_STR("report", at(&feed, report, "/status"), S("corrected"));
    EXPECT("two results", str_given(at(&feed, report, "/result/1/reference")) &&
                              !str_given(at(&feed, report, "/result/2/reference")));
    feed_close(&feed);
}

TEST(document_and_booking_are_taken_and_cancelled)
{
    struct feed feed = feed_open(cx);
    say(&feed, "ADT^A28", "20260301100000", "PID|1||H1^^^RXX^MR||A\r");
    EXPECT_STR("MDM", say(&feed, "MDM^T02", "20260301100000",
               "PID|1||H1^^^RXX^MR\r"
               "TXA|1|DS^Discharge summary|TX||20260301|20260301100000||||||D7\r"
               "OBX|1|TX|T||line 1\rOBX|2|TX|T||line 2\r"), S("AA"));
    struct json document = only(&feed, "DocumentReference", "identifier=D7");
    EXPECT_STR("text", at(&feed, document, "/content/0/attachment/data"),
               S("bGluZSAxCmxpbmUgMg=="));
    const char *booking = "SCH|A1|||||^Review|||||^^^20260401100000^20260401103000\r"
                          "PID|1||H1^^^RXX^MR\r";
    EXPECT_STR("S12", say(&feed, "SIU^S12", "20260301100000", booking), S("AA"));
    EXPECT_STR("start", at(&feed, only(&feed, "Appointment", "identifier=A1"), "/start"),
               S("2026-04-01T10:00:00+01:00"));
    EXPECT_STR("S15", say(&feed, "SIU^S15", "20260302100000", booking), S("AA"));
    EXPECT_STR("status", at(&feed, only(&feed, "Appointment", "identifier=A1"), "/status"),
               S("cancelled"));
    feed_close(&feed);
}
