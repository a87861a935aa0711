/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE dissent
#include "base/test.h"
#include "auth/dissent.h"
#include "base/buf.h"

/* Texts here say ' for ". */
#define TYPES "http://hl7.org/fhir/resource-types"
#define CLASS "'class':[{'system':'" TYPES "','code':'Condition'}]"
#define WHO "'actor':[{'reference':{'reference':'Practitioner/1'}}]"

/* What a Consent may say here, and where it stands when it may not. */
static const struct { const char *name, *provision; err err; const char *path; } rows[] = {
    { "all, from everybody", "{'type':'deny'}", ERR_OK, "" },
    { "a type, from one, for a while, for a purpose",
      "{'type':'deny'," CLASS "," WHO ",'period':{'start':'2026'},"
      "'purpose':[{'code':'TREAT'}]}", ERR_OK, "" },
    { "with an exception", "{'type':'deny','provision':[{'type':'permit'," WHO "}]}", ERR_OK, "" },
    { "a permit with a deny in it", "{'type':'permit','code':[{'text':'x'}],"
      "'provision':[{'type':'deny'," CLASS "}]}", ERR_OK, "" },
    { "a code", "{'type':'deny','code':[{'text':'HIV'}]}", ERR_RULE, "Consent.provision.code" },
    { "data", "{'type':'deny','data':[]}", ERR_RULE, "Consent.provision.data" },
    { "a label", "{'type':'deny','securityLabel':[{'code':'R'}]}", ERR_RULE,
      "Consent.provision.securityLabel" },
    { "a data period", "{'type':'deny','dataPeriod':{'start':'2020'}}", ERR_RULE,
      "Consent.provision.dataPeriod" },
    { "an action", "{'type':'deny','action':[{'text':'x'}]}",
      ERR_RULE, "Consent.provision.action" },
    { "a code deeper", "{'type':'permit','provision':[{'type':'deny','code':[]}]}", ERR_RULE,
      "Consent.provision.provision.code" },
    { "an actor nobody can be", "{'type':'deny','actor':[{'reference':{'display':'Dr X'}}]}",
      ERR_RULE, "Consent.provision.actor" },
    { "a role as actor",
      "{'type':'deny','actor':[{'reference':{'reference':'PractitionerRole/1'}}]}",
      ERR_RULE, "Consent.provision.actor" },
    { "a class of another system", "{'type':'deny','class':[{'system':'urn:x',"
      "'code':'Condition'}]}", ERR_RULE, "Consent.provision.class" },
    { "a class that is no type", "{'type':'deny','class':[{'system':"
      "'http://hl7.org/fhir/resource-types','code':'Letter'}]}",
      ERR_RULE, "Consent.provision.class" },
    { "an exception for a type", "{'type':'deny','provision':[{'type':'permit'," WHO "," CLASS
      "}]}", ERR_RULE, "Consent.provision.provision.class" },
    { "an exception for a while", "{'type':'deny','provision':[{'type':'permit'," WHO
      ",'period':{}}]}", ERR_RULE, "Consent.provision.provision.period" },
    { "an exception for nobody", "{'type':'deny','provision':[{'type':'permit'}]}", ERR_RULE,
      "Consent.provision.provision.actor" },
    { "neither, nested", "{'type':'permit','provision':[{" WHO "}]}", ERR_RULE,
      "Consent.provision.provision.type" },
    { "no type, opted out", "{'code':[]}", ERR_RULE, "Consent.provision.code" },
};

static struct json consent(struct ctx *cx, const char *status, const char *provision)
{
    struct json parsed;
    struct buf buf = buf_make(cx->arena, 4096);
    buf_printf(&buf, "{'resourceType':'Consent','status':'%s','scope':{'coding':[{'code':"
                     "'patient-privacy'}]},'policyRule':{'coding':[{'code':'OPTOUT'}]},"
                     "'provision':%s}", status, provision);
    for (size_t i = 0; i < buf.n; i++)
        buf.p[i] = buf.p[i] == '\'' ? '"' : buf.p[i];
    cr_assert_eq(json_parse(cx, buf_str(&buf), &parsed), ERR_OK, "%s", provision);
    return parsed;
}

TEST(dissent_that_is_not_applied_as_written_is_refused)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        cx->issues = (struct issues){ .arena = cx->arena };
        EXPECT_INT(rows[i].name, dissent_check(cx, consent(cx, "active", rows[i].provision)),
                   rows[i].err);
        EXPECT_STR(rows[i].name, cx->issues.kept ? cx->issues.list[0].path : S(""),
                   str_of(rows[i].path));
        EXPECT_INT(rows[i].name, dissent_check(cx, consent(cx, "inactive", rows[i].provision)),
                   ERR_OK);
    }
}

/* ---- those that are in the record all the same ---- */

static const struct {
    const char *name, *provision;
    size_t dissents, widened;
    bool all_types, from_me, from_other;
} stored[] = {
    { "all", "{'type':'deny'}", 1, 0, true, true, true },
    { "from me", "{'type':'deny'," WHO "}", 1, 0, true, true, false },
    { "a type", "{'type':'deny'," CLASS "}", 1, 0, false, true, true },
    { "opted out, no type", "{}", 1, 0, true, true, true },
    { "a permit", "{'type':'permit'}", 0, 0, true, false, false },
    { "but not from me", "{'type':'deny','provision':[{'type':'permit'," WHO "}]}", 1, 0, true,
      false, true },
    { "a code keeps the type", "{'type':'deny'," CLASS ",'code':[{'text':'x'}]}", 1, 1, false,
      true, true },
    { "a data period keeps all", "{'type':'deny','dataPeriod':{'start':'2020'}}", 1, 1, true,
      true, true },
    { "nobody's actor keeps it from all", "{'type':'deny','actor':[{'reference':{'display':"
      "'Dr X'}}]}", 1, 1, true, true, true },
    { "an exception with a condition is none", "{'type':'deny','provision':[{'type':'permit',"
      WHO "," CLASS "}]}", 1, 1, true, true, true },
    { "over since yesterday", "{'type':'deny','period':{'end':'2026-03-25'}}", 1, 0, true, false,
      false },
    { "to the end of today", "{'type':'deny','period':{'end':'2026-03-26'}}", 1, 0, true, true,
      true },
    { "from today on", "{'type':'deny','period':{'start':'2026-03-26'}}", 1, 0, true, true, true },
    { "from tomorrow on", "{'type':'deny','period':{'start':'2026-03-27'}}", 1, 0, true, false,
      false },
    { "to the second", "{'type':'deny','period':{'end':'2026-03-26T11:59:59Z'}}", 1, 0, true,
      false, false },
    { "for care", "{'type':'deny','purpose':[{'code':'TREAT'}]}", 1, 0, true, true, true },
    { "for another purpose", "{'type':'deny','purpose':[{'code':'HOPERAT'}]}", 1, 0, true, false,
      false },
};

static bool keeps_from(struct ctx *cx, const struct dissents *all, const char *who)
{
    struct relation_team team = { S(""), S("") };
    struct dissent_asker asker = { str_of(who), &team, S("TREAT") };
    return dissent_apply(cx, all, &asker, NULL, 0).count > 0;
}

TEST(dissent_in_the_record_keeps_at_least_what_it_says)
{
    for (size_t i = 0; i < COUNT(stored); i++) {
        struct dissents all;
        dissent_take(cx, cx->arena, consent(cx, "active", stored[i].provision), 7, &all);
        EXPECT_INT(stored[i].name, all.count, stored[i].dissents);
        EXPECT_INT(stored[i].name, all.widened, stored[i].widened);
        if (all.count)
            EXPECT_INT(stored[i].name, all.list[0].resource == FHIR_NONE, stored[i].all_types);
        EXPECT_INT(stored[i].name, keeps_from(cx, &all, "Practitioner/1"), stored[i].from_me);
        EXPECT_INT(stored[i].name, keeps_from(cx, &all, "Practitioner/2"), stored[i].from_other);
    }
}
