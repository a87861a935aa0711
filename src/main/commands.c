/* SPDX-License-Identifier: Apache-2.0 */
#include "main/command.h"

extern const struct command cmd_config;
extern const struct command cmd_serve;
extern const struct command cmd_import;
extern const struct command cmd_export;
extern const struct command cmd_check;
extern const struct command cmd_backup;
extern const struct command cmd_restore;
extern const struct command cmd_consumers;
extern const struct command cmd_token;
extern const struct command cmd_access;
extern const struct command cmd_audit;
extern const struct command cmd_client;
extern const struct command cmd_keys;
extern const struct command cmd_term;
extern const struct command cmd_user;
extern const struct command cmd_rule;
extern const struct command cmd_synth;
extern const struct command cmd_fhirpath;
extern const struct command cmd_view;
extern const struct command cmd_rebuild;
extern const struct command cmd_package;
extern const struct command cmd_validate;
extern const struct command cmd_docs;
extern const struct command cmd_version;
extern const struct command cmd_workstation;

/* Every subcommand, one line each, in the order --help shows them. */
const struct command *const commands[] = {
    &cmd_serve,
    &cmd_import,
    &cmd_export,
    &cmd_check,
    &cmd_backup,
    &cmd_restore,
    &cmd_consumers,
    &cmd_config,
    &cmd_access,
    &cmd_audit,
    &cmd_client,
    &cmd_keys,
    &cmd_term,
    &cmd_user,
    &cmd_token,
    &cmd_rule,
    &cmd_synth,
    &cmd_fhirpath,
    &cmd_view,
    &cmd_rebuild,
    &cmd_package,
    &cmd_validate,
    &cmd_docs,
    &cmd_version,
    &cmd_workstation,
    NULL,
};
