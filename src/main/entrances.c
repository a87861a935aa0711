/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client.h"
#include "main/serve.h"

/* The ways in, from the configuration: passkeys, the staff's provider, the patients'. */

static struct provider *open_provider(struct ctx *cx, struct serve *serve, const char *door,
                                      const char *section)
{
    const char *names[] = { "issuer", "name", "client_id", "scopes" };
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
