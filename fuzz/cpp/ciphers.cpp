// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "config/ciphers/cipher_language.hpp"
#include "config/ciphers/suites.hpp"
#include "cpp/targets.hpp"

namespace tls::fuzzing {
namespace {

// The few functions of libssl that say what a list selects; nothing of it is needed to build.
class OpenSsl {
 public:
  static const OpenSsl& get() {
    static const OpenSsl one;
    return one;
  }

  // What OpenSSL selects below TLS 1.3 of the suites that exist here, and negotiates at a security level, which its
  // list does not say; whether it takes the list at all.
  bool select(const std::string& list, unsigned level, std::vector<std::uint16_t>& out) const {
    constexpr std::array<int, 6> least = {0, 80, 112, 128, 192, 256};  // bits: SSL_CTX_set_security_level(3)
    void* context = new_(method_());
    const bool taken = set_(context, list.c_str()) == 1;
    if (taken) {
      void* stack = ciphers_(context);
      for (int i = 0; i < count_(stack); ++i) {
        void* suite = at_(stack, i);
        if (bits_(suite, nullptr) < least.at(level)) continue;
        const auto number = static_cast<std::uint16_t>(id_(suite) & 0xffff);
        const auto supported = config::supported_suites();
        if (number >> 8 != 0x13 && std::ranges::find(supported, number) != supported.end()) out.push_back(number);
      }
    }
    free_(context);
    return taken;
  }

 private:
  OpenSsl() {
    void* library = dlopen("libssl.so.3", RTLD_NOW);
    hold(library != nullptr, "libssl.so.3 is installed");
    void* crypto = dlopen("libcrypto.so.3", RTLD_NOW);
    find(library, "TLS_method", method_);
    find(library, "SSL_CTX_new", new_);
    find(library, "SSL_CTX_free", free_);
    find(library, "SSL_CTX_set_cipher_list", set_);
    find(library, "SSL_CTX_get_ciphers", ciphers_);
    find(library, "SSL_CIPHER_get_id", id_);
    find(library, "SSL_CIPHER_get_bits", bits_);
    find(crypto, "OPENSSL_sk_num", count_);
    find(crypto, "OPENSSL_sk_value", at_);
  }

  template <class F>
  static void find(void* library, const char* name, F& function) {
    function = reinterpret_cast<F>(dlsym(library, name));
    hold(function != nullptr, name);
  }

  void* (*method_)() = nullptr;
  void* (*new_)(void*) = nullptr;
  void (*free_)(void*) = nullptr;
  int (*set_)(void*, const char*) = nullptr;
  void* (*ciphers_)(void*) = nullptr;
  unsigned (*id_)(void*) = nullptr;
  int (*bits_)(void*, int*) = nullptr;
  int (*count_)(void*) = nullptr;
  void* (*at_)(void*, int) = nullptr;
};

bool distinct(std::vector<std::uint16_t> numbers) {
  std::ranges::sort(numbers);
  return std::ranges::adjacent_find(numbers) == numbers.end();
}

// What this OpenSSL does not know is skipped with all up to the next separator, and what it knows depends on how it was
// built (RC4): a rule that follows a word without a separator, or a mistake after one, is read by some and skipped by
// others. PROFILE= is Fedora's, and _ in names is new.
bool comparable(const std::string& list) {
  const auto separates = [](char c) { return c == ':' || c == ' ' || c == ';' || c == ','; };
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '=';
  };
  for (std::size_t i = 1; i < list.size(); ++i) {
    const char before = list[i - 1];
    if (before == '+' && !plain(list[i])) return false;
    if (!plain(list[i]) && list[i] != '+' && !separates(list[i]) && !separates(before)) return false;
  }
  return !list.ends_with('+') && list.find("PROFILE=") == std::string::npos && list.find('_') == std::string::npos;
}

}  // namespace

void ciphers(std::string_view data) {
  const config::CipherSelection ours = config::select_ciphers(data);
  hold(distinct(ours.all) && distinct(ours.supported), "no suite stands twice", data);
  hold(ours.security_level <= 5, "a security level of OpenSSL's", data);
  auto rest = ours.all.begin();
  for (const std::uint16_t number : ours.supported) {
    rest = std::find(rest, ours.all.end(), number);
    hold(rest != ours.all.end(), "what is supported stands in the order of all", data);
  }
  const std::string list(data.substr(0, 2000));
  if (list.size() != data.size() || list.find('\0') != std::string::npos || !comparable(list)) return;
  std::vector<std::uint16_t> theirs;
  const bool taken = OpenSsl::get().select(list, ours.security_level, theirs);
  if (!taken) theirs.clear();
  hold((ours.error.empty() ? ours.supported : std::vector<std::uint16_t>{}) == theirs, "OpenSSL selects the same",
       data);
}

}  // namespace tls::fuzzing
