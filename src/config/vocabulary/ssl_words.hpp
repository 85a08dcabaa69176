// SPDX-License-Identifier: Apache-2.0
// mod_ssl's directives that set nothing here: accepted because nothing is lost, accepted with a notice that says why it
// is safe to ignore them, or refused with the alternative.
#pragma once

#include "config/vocabulary/row.hpp"

namespace tls::config {

Outcome ssl_nothing(const Arguments& words);  // accepted silently
Outcome ssl_random_seed(const Arguments& words);
Outcome ssl_fips(const Arguments& words);
Outcome ssl_crypto_device(const Arguments& words);
Outcome ssl_compression(const Arguments& words);
Outcome ssl_insecure_renegotiation(const Arguments& words);
Outcome ssl_srp(const Arguments& words);
Outcome ssl_log(const Arguments& words);
Outcome ssl_reneg_buffer(const Arguments& words);

}  // namespace tls::config
