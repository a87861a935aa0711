/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/paper.h"

enum { SEEN_DAYS = 31 };

static void section(struct world *w, const char *code, const char *title, const char *text)
{
    static const char space[] = "http://www.w3.org/1999/xhtml";
    bool first = w->out.text[w->out.n - 1] == '[';
    out_add(&w->out, "%s{'title':'%s','code':{'coding':[{'system':'" WORLD_OWN
            "CodeSystem/note-heading','code':'%s'}],'text':'%s'},'text':{'status':'additional',"
            "'div':'<div xmlns=\\'%s\\'><p>%s</p></div>'}}", first ? "" : ",", title, code, title,
            space, text);
}

static void begin(struct world *w, struct stay *stay, const char *encounter, const char *kind,
                  const char *title)
{
    struct person *p = stay->person;
    bool note = title[0] == 'C';
    int64_t at_ms = note ? stay->admitted_ms + WORLD_HOUR_MS : w->end_ms - 3 * WORLD_HOUR_MS;
    struct world_id author = note ? world_consultant_id(WORLD_AMU, stay->cell)
                                  : world_nurse_id(WORLD_AMU, stay->cell, p->ids);
    at_ms = at_ms > w->end_ms ? w->end_ms : at_ms;
    world_head(w, OUT_COMPOSITION, "Composition", person_new_id(p, "note").text);
    out_add(&w->out, ",'status':'final','type':{'coding':[{'system':'" WORLD_OWN
            "CodeSystem/note-type','code':'%s'}],'text':'%s'}", kind, title);
    person_put(w, "subject", p);
    out_add(&w->out, ",'encounter':{'reference':'Encounter/%s'},'date':'%s','author':"
            "[{'reference':'Practitioner/%s'}],'title':'%s','attester':[{'mode':'professional',"
            "'time':'%s','party':{'reference':'Practitioner/%s'}}],'section':[", encounter,
            out_when(at_ms).text, author.text, title, out_when(at_ms).text, author.text);
}

static void end(struct world *w)
{
    out_add(&w->out, "]}");
    out_end(&w->out, OUT_COMPOSITION);
}

void paper_write(struct world *w, struct stay *stay, const char *encounter)
{
    static const char *const needs[] = { "Review on the next round. Bloods in the morning.",
        "Call the doctor if NEWS2 is 5 or more. Chase the scan.",
        "Mobilise with physiotherapy. Check weight and fluid chart.",
        "Home when transport and medicines are ready." };
    const struct person *p = stay->person;
    const char *worry = stay->severity > 0.55 ? "Unwell: watch closely" : stay->hypoxic
        ? "Needs oxygen, otherwise stable" : "Comfortable and stable";
    char text[200];
    begin(w, stay, encounter, "clinical-note", "Clinical note");
    section(w, "reason", "Reason for contact", stay->reason.display);
    snprintf(text, sizeof text, "Aged %d. Came with: %s.", p->age, stay->reason.display);
    section(w, "history", "History", text);
    section(w, "assessment", "Assessment and diagnosis", stay->reason.display);
    section(w, "plan", "Plan and requested actions", "Admit. Bloods, observations as the score "
            "asks. Consultant round in the morning.");
    end(w);
    if (p->ids % 4 == 0)
        return;
    begin(w, stay, encounter, "sbar-handover", "Handover (SBAR)");
    snprintf(text, sizeof text, "%s. %s.", stay->reason.display, worry);
    section(w, "situation", "Situation", text);
    section(w, "background", "Background", stay->infected ? "On antibiotics since admission."
                                                          : "See problems in the record.");
    section(w, "assessment", "Assessment", worry);
    section(w, "recommendation", "Recommendation", needs[p->ids % COUNT(needs)]);
    end(w);
}

void paper_write_seen(struct world *w, struct person *p, const char *report, int64_t at_ms)
{
    if (at_ms < w->end_ms - SEEN_DAYS * WORLD_DAY_MS || at_ms > w->end_ms - WORLD_DAY_MS)
        return;
    char id[64];
    struct world_id by = world_consultant_id(WORLD_AMU, 0);
    snprintf(id, sizeof id, "ack-%s-1", report);
    world_head(w, OUT_TASK, "Task", id);
    out_add(&w->out, ",'status':'completed','intent':'order','code':{'coding':[{'system':'"
            WORLD_OWN "CodeSystem/task','code':'result-acknowledged'}],'text':'Result "
            "acknowledged'},'description':'No action needed','focus':{'reference':"
            "'DiagnosticReport/%s'}", report);
    person_put(w, "for", p);
    out_add(&w->out, ",'authoredOn':'%s','lastModified':'%s','owner':{'reference':"
            "'Practitioner/%s'}}", out_when(at_ms + 20 * WORLD_HOUR_MS).text,
            out_when(at_ms + 20 * WORLD_HOUR_MS).text, by.text);
    out_end(&w->out, OUT_TASK);
}
