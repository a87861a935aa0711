/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client.h"
#include "main/serve.h"

/* The ways in, from the configuration: passkeys, the staff's provider, the patients'. */

/* What RSA keys sign with; another word is the default. */
static str assertion_alg(str asked)
{
    static const char *const known[] = { "RS256", "RS384", "RS512" };
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_eq(asked, str_of(known[i])))
            return asked;
    return str_of(known[0]);
}

static struct provider *open_provider(struct ctx *cx, struct serve *serve, const char *door,
                                      const char *section)
{
    const char *names[] = { "issuer", "name", "client_id", "scopes", "assertion_alg" };
    str values[COUNT(names)];
    for (size_t i = 0; i < COUNT(names); i++)
        values[i] = config_text(&serve->config, arena_printf(cx->arena, "%s.%s%c", section,
                                                             names[i], 0).p);
    struct provider_options options = {
        .door = str_of(door),
        .issuer = values[0],
        .name = values[1],
        .client_id = values[2],
        .scopes = values[3],
        .assertion_alg = assertion_alg(values[4]),
    };
    return provider_make(cx, &options, serve->oauth.keys);
}

void serve_set_entrance(struct ctx *cx, struct serve *serve)
{
    const struct config *config = &serve->config;
    http_client_ready();
    serve->entrance = (struct entrance){
        .rp_id = config_text(config, "auth.rp_id"),
        .origins = config_text(config, "auth.origins"),
        .base_url = config_text(config, "http.base_url"),
        .attestation = config_text(config, "auth.attestation"),
        .badge_grace_ms = config_number(config, "auth.badge_hours") * 3600000,
        .staff = open_provider(cx, serve, "staff", "upstream"),
        .patients = open_provider(cx, serve, "patients", "patients"),
        .rules = {
            .issuer = config_text(config, "upstream.issuer"),
            .organisation = config_text(config, "upstream.organisation"),
            .level = (int)config_number(config, "upstream.level"),
            .step_up_level = (int)config_number(config, "upstream.step_up_level"),
        },
    };
}
