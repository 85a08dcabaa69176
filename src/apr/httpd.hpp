// SPDX-License-Identifier: Apache-2.0
// httpd's headers, with the macros tamed that clash with C++.
#pragma once

// Makes cmd_func a typed union, so that a command_rec is filled by designated initialisers without a cast.
#define AP_HAVE_DESIGNATED_INITIALIZER

#include <ap_mpm.h>
#include <http_config.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <http_protocol.h>
#include <http_request.h>
#include <http_ssl.h>
#include <http_vhost.h>
#include <httpd.h>
#include <util_filter.h>

extern "C" {
// The record of our own vocabulary; exported by name, because mod_so looks it up with dlsym.
__attribute__((visibility("default"))) extern module tls_module;
// The record of mod_ssl's vocabulary.
__attribute__((visibility("default"))) extern module ssl_module;
}

// What APLOG_MARK expands to. Points at the module index of the record that is loaded, so that
// `LogLevel tls:debug` works, and `LogLevel ssl:debug` where the module is loaded as ssl_module.
extern const int* aplog_module_index;
