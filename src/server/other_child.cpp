// SPDX-License-Identifier: Apache-2.0
#include "server/other_child.hpp"

#include <apr_thread_proc.h>

#include "apr/hook.hpp"
#include "server/module_config.hpp"

namespace tls::server {
namespace {

struct Watched {
  apr_proc_t process;
  OtherChild::Ended ended;
};

// A restart may have taken the module out of httpd, whose code stays and is called here: then the process has ended
// because nobody is left who wants it. For a build that another one has replaced, children of before may do so still.
bool is_wanted() {
  return is_loaded(tls_module) || is_loaded(ssl_module) || ap_find_linked_module(tls_module.name) != nullptr;
}

void on_end(int reason, void* data, int /*status*/) {
  if (reason != APR_OC_REASON_DEATH && reason != APR_OC_REASON_LOST) return;
  apr_proc_other_child_unregister(data);
  if (ap_server_conf == nullptr || !is_wanted()) return;
  static_cast<Watched*>(data)->ended(ap_server_conf);
}

}  // namespace

void OtherChild::watch(std::int32_t pid) {
  if (pid <= 0 || pid == watched_) return;
  watched_ = pid;
  auto* const watched = static_cast<Watched*>(apr_pcalloc(ap_pglobal, sizeof(Watched)));
  watched->process.pid = pid;
  watched->ended = ended_;
  apr_proc_other_child_register(&watched->process, apr::hook<on_end>, watched, nullptr, ap_pglobal);
}

}  // namespace tls::server
