/* SPDX-License-Identifier: Apache-2.0 */
#include "store/layout.h"

/*
 * Reads the few forms R4's search expressions use, so that nearly all are plain paths:
 *   Type.a.b   (Type.a as T).b   Type.a.as(T)   Type.a.where(m='v').b   Type.a[0].b
 *   Type.a.where(resolve() is T)   Type.a.ofType(T)   Patient.deceased.exists() and ...
 */
bool layout_next_branch(str *rest, str *branch)
{
    if (!rest->p || str_trim(*rest).n == 0)
        return false;
    int depth = 0;
    bool quoted = false;
    size_t at = 0;
    for (; at < rest->n; at++) {
        char c = rest->p[at];
        quoted = c == '\'' ? !quoted : quoted;
        if (quoted)
            continue;
        depth += (c == '(') - (c == ')');
        if (c == '|' && depth == 0)
            break;
    }
    *branch = str_trim(str_slice(*rest, 0, at));
    *rest = str_slice(*rest, at + 1, rest->n);
    return true;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static str take_word(str *rest)
{
    size_t n = 0;
    while (n < rest->n && is_word(rest->p[n]))
        n++;
    str word = str_slice(*rest, 0, n);
    *rest = str_slice(*rest, n, rest->n);
    return word;
}

static bool take(str *rest, str what)
{
    if (!str_starts(*rest, what))
        return false;
    *rest = str_slice(*rest, what.n, rest->n);
    return true;
}

static bool add(struct layout_branch *out, struct layout_step step)
{
    if (out->count == LAYOUT_STEPS_MAX || (step.name.n == 0 && step.kind != STEP_FIRST))
        return false;
    out->steps[out->count++] = step;
    return true;
}

/* What stands between the brackets of where(). */
static bool parse_where(str *rest, struct layout_branch *out)
{
    if (take(rest, S("resolve() is ")))
        return add(out, (struct layout_step){ STEP_RESOLVE, take_word(rest), { 0 } }) &&
               take(rest, S(")"));
    str member = take_word(rest);
    *rest = str_trim(*rest);
    if (!take(rest, S("=")))
        return false;
    *rest = str_trim(*rest);
    if (!take(rest, S("'")))
        return false;
    size_t end = str_find_char(*rest, '\'');
    if (end == STR_NONE)
        return false;
    str equals = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end + 1, rest->n);
    return take(rest, S(")")) && add(out, (struct layout_step){ STEP_WHERE, member, equals });
}

static bool parse_step(str *rest, struct layout_branch *out)
{
    if (take(rest, S("as(")) || take(rest, S("ofType(")))
        return add(out, (struct layout_step){ STEP_AS, take_word(rest), { 0 } }) &&
               take(rest, S(")"));
    if (take(rest, S("where(")))
        return parse_where(rest, out);
    if (!add(out, (struct layout_step){ STEP_NAME, take_word(rest), { 0 } }))
        return false;
    if (take(rest, S("[0]")))
        return add(out, (struct layout_step){ .kind = STEP_FIRST });
    return true;
}

bool layout_parse_branch(str branch, struct layout_branch *out)
{
    out->count = 0;
    if (str_eq(branch, S("Patient.deceased.exists() and Patient.deceased != false"))) {
        out->steps[0] = (struct layout_step){ STEP_NAME, S("Patient"), { 0 } };
        out->steps[1] = (struct layout_step){ STEP_DECEASED, S("deceased"), { 0 } };
        out->count = 2;
        return true;
    }
    bool bracket = take(&branch, S("("));
    while (branch.n) {
        if (!parse_step(&branch, out))
            return false;
        if (take(&branch, S(" as "))) {
            if (!add(out, (struct layout_step){ STEP_AS, take_word(&branch), { 0 } }))
                return false;
        }
        if (bracket && take(&branch, S(")")))
            bracket = false;
        if (branch.n && !take(&branch, S(".")))
            return false;
    }
    return out->count > 0 && !bracket;
}
