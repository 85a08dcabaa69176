// SPDX-License-Identifier: Apache-2.0
/* Forks a daemon that never calls exec while a configuration is read, as mod_perl's and others' can: in pre_config, after
 * the MPM's own. Each writes its pid as a line of the file that DAEMONS names, and waits to be killed. */
#include <httpd.h>
#include <http_config.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int fork_one(apr_pool_t *pool, apr_pool_t *log_pool, apr_pool_t *temp_pool)
{
    FILE *file;

    (void)pool, (void)log_pool, (void)temp_pool;
    if (fork() == 0) {
        file = fopen(getenv("DAEMONS"), "a");
        if (file != NULL) {
            fprintf(file, "%d\n", (int)getpid());
            fclose(file);
        }
        for (;;)
            pause();
    }
    return OK;
}

static void hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_pre_config(fork_one, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA daemon_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, hooks, 0
};
