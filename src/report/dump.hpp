// SPDX-License-Identifier: Apache-2.0
// `httpd -t -D DUMP_TLS`: the effective policy of every virtual host.
#pragma once

struct apr_pool_t;
struct server_rec;

namespace tls::report {

// The test_config hook: prints, to standard output, each setting with its value and where it was written, and the
// certificates with names and days left.
int dump_policies(apr_pool_t* pool, apr_pool_t* log_pool, apr_pool_t* temp_pool, server_rec* main);

}  // namespace tls::report
