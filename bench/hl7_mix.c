/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/hl7.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { BEDS = 40, RESULTS = 20, TOGETHER = 32 };

static const char *const mixed[] = { "A28", "S12", "A05", "A01", "A08", "R01", "A02", "A08", "A31",
                                     "R01", "A02", "A12", "A08", "T02", "A03", "A13", "A03", "D28",
                                     "A40", "S15", NULL };
static const char *const adt[] = { "A28", "A05", "A01", "A08", "A02", "A08", "A31", "A02", "A12",
                                   "A08", "A03", "A13", "A03", "D28", "A40", "B04", "B11", NULL };
static const char *const oru[] = { "A28", "R01", "R01", "R01", "R01", "R01", "R01", "R01", "R01",
                                   "R01", NULL };
static const struct hl7_mix mixes[] = { { "mixed", mixed }, { "adt", adt }, { "oru", oru } };

const struct hl7_mix *hl7_mix_find(const char *name)
{
    for (size_t i = 0; i < sizeof mixes / sizeof mixes[0]; i++)
        if (strcmp(mixes[i].name, name) == 0)
            return &mixes[i];
    return NULL;
}

struct text {
    char *out;
    size_t n, room;
};

static void add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text->out + text->n, text->room - text->n, format, args);
    va_end(args);
    text->n += n > 0 && (size_t)n < text->room - text->n ? (size_t)n : 0;
}

struct turn {
    const char *event;        /* of the mix: B04 is an A04 of a second visit, D28 of a duplicate */
    unsigned line, journey, step;
    char at[20];              /* of the event */
};

static void set_time(struct turn *turn, unsigned minutes)
{
    snprintf(turn->at, sizeof turn->at, "20%02u%02u%02u%02u%02u%02u",
             20 + minutes / (60 * 24 * 28 * 12) % 80, 1 + minutes / (60 * 24 * 28) % 12,
             1 + minutes / (60 * 24) % 28, minutes / 60 % 24, minutes % 60, turn->line % 60);
}

static void add_header(struct text *text, const struct turn *turn, const char *kind)
{
    add(text, "MSH|^~\\&|PAS|RXX|FRONTLINE|WARD|%s||%s^%s|L%uN%u|P|2.4|||||GBR|UNICODE UTF-8\r",
        turn->at, kind, turn->event, turn->line, turn->step);
    add(text, "EVN|%s|%s||||%s\r", turn->event, turn->at, turn->at);
}

static void add_person(struct text *text, const struct turn *turn, bool duplicate)
{
    static const char *const families[] = { "Ashworth", "Bell", "Chowdhury", "Dunn", "Eze",
                                            "Fitzgerald", "Gill", "Hussain", "Iyer", "Jones" };
    static const char *const givens[] = { "Anna", "Ben", "Chidi", "Dilys", "Eve", "Femi", "Grace",
                                          "Hari", "Ida", "Jack", "Kit" };
    unsigned who = turn->line * 7919 + turn->journey;
    add(text, "PID|1||%s%u%06u^^^RXX^MR||%s^%s^Marie^^Mrs||19%02u%02u%02u|%s|||%u High Street^Flat "
        "%u^Leeds^West Yorkshire^LS%u %uAB^GBR^H||01130%06u^PRN^PH|07700%06u^WPN^CP||M|CHR|||||A\r",
        duplicate ? "D" : "", turn->line, turn->journey, families[who % 10],
        givens[who % 11], 30 + who % 70, 1 + who % 12, 1 + who % 28, who % 2 ? "F" : "M",
        who % 200, who % 9, who % 20, who % 9, who % 1000000, who % 999983);
}

static void add_visit(struct text *text, const struct turn *turn, const char *class, unsigned ward,
                      unsigned visit)
{
    add(text, "PV1|1|%s|W%u-%u^R%u^B%u|R|||G123^Khan^Sara^^^Dr|||100|||||||C456^Okafor^Ada^^^Dr||"
        "V%u-%u-%u|||||||||||||||||||||||||%s\r", class, turn->line, ward, turn->journey % 7,
        turn->journey % BEDS, turn->line, turn->journey, visit, turn->at);
}

static void add_results(struct text *text, const struct turn *turn)
{
    static const char *const tests[RESULTS] = {
        "718-7^Haemoglobin^LN", "4544-3^Haematocrit^LN", "6690-2^White cells^LN",
        "777-3^Platelets^LN", "787-2^MCV^LN", "2951-2^Sodium^LN", "2823-3^Potassium^LN",
        "3094-0^Urea^LN", "2160-0^Creatinine^LN", "1742-6^ALT^LN", "6768-6^ALP^LN",
        "1975-2^Bilirubin^LN", "1751-7^Albumin^LN", "17861-6^Calcium^LN", "2777-1^Phosphate^LN",
        "1988-5^CRP^LN", "2345-7^Glucose^LN", "4548-4^HbA1c^LN", "3016-3^TSH^LN",
        "2276-4^Ferritin^LN"
    };
    add(text, "OBR|1|P%u-%u|F%u-%u|PROF^Blood profile^L|||%s|||||||||C456|||||||%s||LAB|F\r",
        turn->line, turn->step, turn->line, turn->step, turn->at, turn->at);
    for (unsigned i = 0; i < RESULTS; i++)
        add(text, "OBX|%u|NM|%s||%u.%u|mmol/L^^UCUM|3.5-%u.0|%s|||F|||%s\r", i + 1, tests[i],
            3 + (turn->step + i) % 90, i % 10, 10 + i, i % 3 ? "N" : "H", turn->at);
}

static void add_booking(struct text *text, const struct turn *turn)
{
    add(text, "SCH|A%u-%u|A%u-%u||||CHECKUP^Check-up|Review|||15|^^15^%.8s090000^%.8s091500\r",
        turn->line, turn->journey, turn->line, turn->journey, turn->at, turn->at);
}

static void add_document(struct text *text, const struct turn *turn)
{
    add(text, "TXA|1|CLN^Clinic letter^L|TX|%s||%s||||||D%u-%u|||||AU\r", turn->at, turn->at,
        turn->line, turn->step);
    for (unsigned i = 0; i < 6; i++)
        add(text, "OBX|%u|TX|^Letter||Dear Dr Khan, thank you for seeing this patient again: para"
            "graph %u of the letter says what was found and what is to be done next.||||||F\r",
            i + 1, i);
}

size_t hl7_mix_write(const struct hl7_mix *mix, unsigned line, unsigned step, char *out,
                     size_t room)
{
    struct text text = { .out = out, .room = room };
    unsigned steps = 0;
    while (mix->steps[steps])
        steps++;
    /* TOGETHER patients take turns, as they do in a hospital. */
    unsigned round = step / TOGETHER, of_patient = round % steps;
    const char *what = mix->steps[of_patient];
    struct turn turn = { .event = what, .line = line, .step = step,
                         .journey = round / steps * TOGETHER + step % TOGETHER };
    bool second = what[0] == 'B', duplicate = what[0] == 'D';
    char event[4] = { second || duplicate ? 'A' : what[0], what[1], what[2], 0 };
    turn.event = event;
    set_time(&turn, round);
    add_header(&text, &turn, event[0] == 'S' ? "SIU" : event[0] == 'R' ? "ORU"
                             : event[0] == 'T' ? "MDM" : "ADT");
    if (event[0] == 'S')
        add_booking(&text, &turn);
    add_person(&text, &turn, duplicate);
    if (strcmp(event, "A40") == 0)
        add(&text, "MRG|D%u%06u^^^RXX^MR\r", line, turn.journey);
    else if (event[0] == 'A' && strcmp(event, "A28") != 0 && strcmp(event, "A31") != 0)
        add_visit(&text, &turn, second ? "O" : "I", of_patient % 3, second);
    if (event[0] == 'R')
        add_results(&text, &turn);
    if (event[0] == 'T')
        add_document(&text, &turn);
    add(&text, "ZPI|1|Y|%s\r", turn.at);
    return text.n;
}
