/* SPDX-License-Identifier: Apache-2.0 */
#include "http/outcome.h"
#include <stdio.h>

/* The layer json stands beside this one, so the few lines of escaping are here. Bytes that are not
 * UTF-8 become U+FFFD: a text may quote what a client sent. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    size_t length = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
                  : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
    if (length > n)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = length == 3 ? p[0] == 0xe0 && p[1] < 0xa0 : length == 4 && p[0] == 0xf0 &&
                                                                p[1] < 0x90;
    bool surrogate = length == 3 && p[0] == 0xed && p[1] > 0x9f;
    bool beyond = length == 4 && p[0] == 0xf4 && p[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : length;
}

static void add_text(struct buf *out, str text)
{
    buf_char(out, '"');
    for (size_t i = 0; i < text.n;) {
        unsigned char c = (unsigned char)text.p[i];
        size_t length = utf8_length((const unsigned char *)text.p + i, text.n - i);
        if (length == 0)
            buf_add(out, S("\xef\xbf\xbd"));
        else if (c < 0x20)
            buf_printf(out, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            buf_add(out, (str){ (char[]){ '\\', (char)c }, 2 });
        else
            buf_add(out, (str){ text.p + i, length });
        i += length ? length : 1;
    }
    buf_char(out, '"');
}

static void add_issue(struct buf *out, const struct issue *issue)
{
    static const char *const severities[] = { "error", "warning", "information" };
    buf_printf(out, "{\"severity\":\"%s\",\"code\":\"%s\"", severities[issue->severity],
               issue->code ? issue->code : err_fhir_code(issue->kind));
    if (issue->text.n) { /* twice: people's clients show either the one or the other */
        buf_add(out, S(",\"details\":{\"text\":"));
        add_text(out, issue->text);
        buf_add(out, S("},\"diagnostics\":"));
        add_text(out, issue->text);
    }
    if (issue->path.n) {
        buf_add(out, S(",\"expression\":["));
        add_text(out, issue->path);
        buf_char(out, ']');
    }
    buf_char(out, '}');
}

void http_outcome_write(struct buf *out, const struct issues *issues)
{
    static const struct issue fine = { .severity = ISSUE_INFORMATION, .code = "informational",
                                       .text = { "All OK", 6 } };
    buf_add(out, S("{\"resourceType\":\"OperationOutcome\",\"issue\":["));
    for (size_t i = 0; i < issues->kept; i++) {
        if (i)
            buf_char(out, ',');
        add_issue(out, &issues->list[i]);
    }
    if (issues->kept == 0)
        add_issue(out, &fine);
    if (issues->count > issues->kept) {
        struct issue more = { .severity = ISSUE_INFORMATION, .code = "informational" };
        char text[64];
        int n = snprintf(text, sizeof text, "%zu more issues are not shown",
                         issues->count - issues->kept);
        more.text = (str){ text, (size_t)n };
        buf_char(out, ',');
        add_issue(out, &more);
    }
    buf_add(out, S("]}"));
}
