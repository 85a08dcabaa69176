// SPDX-License-Identifier: Apache-2.0
#include "server/open_keys.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <unixd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "apr/httpd.hpp"
#include "apr/pool.hpp"
#include "log/log.hpp"
#include "server/host_label.hpp"
#include "server/module_config.hpp"

namespace tls::server {
namespace {

// Whom children are, by numbers.
struct ProcessOwner {
  uid_t user;
  std::vector<gid_t> groups;
};

// As unixd makes it (os/unix/unixd.c): User, Group, and the groups that User is in.
ProcessOwner children() {
  ProcessOwner who{ap_unixd_config.user_id, {ap_unixd_config.group_id}};
  if (ap_unixd_config.user_name == nullptr) return who;
  int count = 0;
  ::getgrouplist(ap_unixd_config.user_name, ap_unixd_config.group_id, nullptr, &count);
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(count, 0)));
  if (::getgrouplist(ap_unixd_config.user_name, ap_unixd_config.group_id, groups.data(), &count) >= 0) {
    who.groups = std::move(groups);
  }
  return who;
}

// `bit` is that of others, S_IROTH or S_IXOTH.
bool allows(const struct stat& at, const ProcessOwner& who, mode_t bit) {
  if (at.st_uid == who.user) return (at.st_mode & (bit << 6)) != 0;
  const bool in_group = std::ranges::find(who.groups, at.st_gid) != who.groups.end();
  return (at.st_mode & (in_group ? bit << 3 : bit)) != 0;
}

// Whether the file can be read and all directories above it can be passed. Access control lists are not looked at.
bool may_read(const std::string& file, const ProcessOwner& who, mode_t& mode) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(file.c_str(), nullptr), &std::free);
  struct stat at {};
  if (real == nullptr || ::stat(real.get(), &at) != 0 || !S_ISREG(at.st_mode) || !allows(at, who, S_IROTH))
    return false;
  mode = at.st_mode & 07777;
  std::string path(real.get());
  for (auto slash = path.rfind('/'); slash != std::string::npos; slash = path.rfind('/')) {
    path.resize(slash);
    if (::stat(path.empty() ? "/" : path.c_str(), &at) != 0 || !allows(at, who, S_IXOTH)) return false;
  }
  return true;
}

std::string octal(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode));
  return text.data();
}

}  // namespace

void warn_of_open_keys(const std::vector<server_rec*>& hosts, const std::function<bool(const std::string&)>& faulty) {
  const ProcessOwner who = children();
  if (who.user == 0) return;  // it may read everything
  // All processes are of one user, which is told once for all keys.
  if (::geteuid() != 0) return;
  const apr::TemporaryPool scratch;
  std::set<std::string> seen;
  for (const server_rec* host : hosts) {
    const config::EffectivePolicy& policy = effective(host);
    if (policy.pass_phrase_dialog.kind != config::PassPhraseDialog::Kind::Builtin) continue;
    for (const config::CertificateFiles& files : policy.certificates) {
      const std::string& named = files.key.empty() ? files.certificate : files.key;
      const char* const full = ap_server_root_relative(scratch.get(), named.c_str());
      const std::string key = full != nullptr ? full : named;
      mode_t mode = 0;
      if (!seen.insert(key).second || !may_read(key, who, mode) || faulty(key)) continue;
      std::string text = "the private key in ";
      text.append(key).append(" can be read by the user that httpd's children run as (mode ").append(octal(mode));
      text.append("), so that keeping keys in processes of their own protects nothing: chown root ").append(key);
      text.append(" && chmod 600 ").append(key);
      TLS_LOG_S(host, CheckWarning, host_label(host).c_str(), text.c_str(),
                files.where.file != nullptr ? files.where.file : "", static_cast<int>(files.where.line));
    }
  }
}

}  // namespace tls::server
