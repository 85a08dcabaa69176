// SPDX-License-Identifier: Apache-2.0
#include "config/ciphers/cipher_language.hpp"

#include <algorithm>
#include <array>
#include <ranges>

#include "config/ciphers/cipher_aliases.hpp"
#include "config/ciphers/suites.hpp"

namespace tls::config {
namespace {

constexpr std::string_view default_list = "ALL:!COMPLEMENTOFDEFAULT:!eNULL";

bool separates(char c) { return c == ':' || c == ' ' || c == ';' || c == ','; }

bool in_word(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '=';
}

// The list that the rules rearrange (ssl_ciph.c, ssl_cipher_apply_rule).
class CipherOrder {
 public:
  CipherOrder() {
    entries_.reserve(suites().size());
    // OpenSSL's order before any rule for the suites that this module negotiates. All others follow: their order among
    // themselves decides nothing here.
    for (const std::uint16_t number : openssl_order()) add_entry(*suite(number));
    for (const Suite& s : suites()) {
      if (!is_supported(s)) add_entry(s);
    }
  }

  // "word": what is not yet chosen goes to the end, chosen.
  void add(const CipherMatch& match) {
    to_end([&](const Entry& e) { return !e.chosen && match.matches(*e.suite); }, true);
  }
  // "+word": what is chosen goes to the end.
  void move(const CipherMatch& match) {
    to_end([&](const Entry& e) { return e.chosen && match.matches(*e.suite); }, true);
  }
  // "-word": no longer chosen, and first in line to be chosen again.
  void drop(const CipherMatch& match) {
    // Not std::ranges: clang 14 cannot read libstdc++ 12's subrange.
    const auto kept = std::stable_partition(entries_.begin(), entries_.end(),
                                            [&](const Entry& e) { return e.chosen && match.matches(*e.suite); });
    for (auto it = entries_.begin(); it != kept; ++it) it->chosen = false;
  }
  // "!word": gone for good.
  void kill(const CipherMatch& match) {
    std::erase_if(entries_, [&](const Entry& e) { return match.matches(*e.suite); });
  }
  // "@STRENGTH": by length of key, otherwise as they stand.
  void sort_by_strength() {
    const auto bits = [](const Entry& e) { return e.chosen ? -static_cast<int>(e.suite->bits) : -1000; };
    std::ranges::stable_sort(entries_, {}, bits);
  }

  [[nodiscard]] std::vector<std::uint16_t> chosen() const {
    std::vector<std::uint16_t> numbers;
    for (const Entry& e : entries_) {
      if (e.chosen) numbers.push_back(e.suite->number);
    }
    return numbers;
  }

 private:
  struct Entry {
    const Suite* suite;
    bool chosen;
  };

  // The language does not know the suites of TLS 1.3.
  void add_entry(const Suite& s) {
    if (s.first_version != FirstVersion::Tls13) entries_.push_back({&s, false});
  }

  template <class Predicate>
  void to_end(Predicate moves, bool chosen) {
    const auto moved =
        std::stable_partition(entries_.begin(), entries_.end(), [&](const Entry& e) { return !moves(e); });
    for (auto it = moved; it != entries_.end(); ++it) it->chosen = chosen;
  }

  std::vector<Entry> entries_;
};

// Reads one rule after the other (ssl_ciph.c, ssl_cipher_process_rulestr).
class RuleReader {
 public:
  RuleReader(CipherOrder& order, CipherSelection& result) : order_(order), result_(result) {}

  void read(std::string_view rules) {
    rest_ = rules;
    while (!rest_.empty() && result_.error.empty()) {
      if (separates(rest_.front())) {
        rest_.remove_prefix(1);
        continue;
      }
      read_rule();
    }
  }

 private:
  void read_rule() {
    const std::string_view whole = rest_.substr(0, length_until([](char c) { return separates(c); }));
    char action = ' ';
    if (std::string_view("+-!@").find(rest_.front()) != std::string_view::npos) {
      action = rest_.front();
      rest_.remove_prefix(1);
    }
    if (action == '@') {
      command(take_word());
    } else if (const auto match = read_match()) {
      // The next rule may follow without a separator: "HIGH!aNULL".
      return apply(action, *match);
    } else if (result_.unknown.empty() && result_.error.empty()) {
      result_.unknown = whole;
    }
    rest_.remove_prefix(length_until([](char c) { return separates(c); }));
  }

  // Words joined by "+"; nothing when one is unknown or they exclude each other.
  std::optional<CipherMatch> read_match() {
    CipherMatch match;
    while (true) {
      const std::string_view word = take_word();
      if (word.empty()) {
        result_.error = "\"" + std::string(rest_.substr(0, 1)) + "\" cannot stand there";
        return std::nullopt;
      }
      const auto next = cipher_word(word);
      if (!next || !match.narrow(*next)) return std::nullopt;
      if (rest_.empty() || rest_.front() != '+') return match;
      rest_.remove_prefix(1);
    }
  }

  void apply(char action, const CipherMatch& match) {
    switch (action) {
      case '+':
        return order_.move(match);
      case '-':
        return order_.drop(match);
      case '!':
        return order_.kill(match);
      default:
        return order_.add(match);
    }
  }

  void command(std::string_view word) {
    constexpr std::string_view level = "SECLEVEL=";
    if (word == "STRENGTH") {
      order_.sort_by_strength();
    } else if (word.size() == level.size() + 1 && word.starts_with(level) && word.back() >= '0' && word.back() <= '5') {
      result_.security_level = static_cast<unsigned>(word.back() - '0');
    } else {
      result_.error = "unknown command \"@" + std::string(word) + "\"; there are @STRENGTH and @SECLEVEL=0 to 5";
    }
  }

  template <class Predicate>
  [[nodiscard]] std::size_t length_until(Predicate ends) const {
    return static_cast<std::size_t>(std::ranges::find_if(rest_, ends) - rest_.begin());
  }

  std::string_view take_word() {
    const std::string_view word = rest_.substr(0, length_until([](char c) { return !in_word(c); }));
    rest_.remove_prefix(word.size());
    return word;
  }

  CipherOrder& order_;
  CipherSelection& result_;
  std::string_view rest_;
};

// Suite B words stand for a whole list (ssl_ciph.c, check_suiteb_cipher_list).
std::string_view suite_b(std::string_view list) {
  constexpr std::string_view aes128 = "ECDHE-ECDSA-AES128-GCM-SHA256";
  constexpr std::string_view aes256 = "ECDHE-ECDSA-AES256-GCM-SHA384";
  if (list.starts_with("SUITEB128ONLY")) return aes128;
  if (list.starts_with("SUITEB128C2") || list.starts_with("SUITEB192")) return aes256;
  if (list.starts_with("SUITEB128")) return "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384";
  return list;
}

// Bits of security that a level asks of the encryption (ssl_security_default_callback).
unsigned bits_of_level(unsigned level) {
  constexpr std::array<unsigned, 6> bits = {0, 80, 112, 128, 192, 256};
  return bits[level];
}

}  // namespace

CipherSelection select_ciphers(std::string_view list) {
  CipherSelection result;
  CipherOrder order;
  RuleReader reader(order, result);
  list = suite_b(list);
  if (list.starts_with("PROFILE=SYSTEM")) {
    reader.read(system_profile);
    list.remove_prefix(std::string_view("PROFILE=SYSTEM").size());
  } else if (list.starts_with("DEFAULT")) {
    reader.read(default_list);
    // SUSE's own default list differs in suites that do not exist here.
    list.remove_prefix(std::string_view(list.starts_with("DEFAULT_SUSE") ? "DEFAULT_SUSE" : "DEFAULT").size());
  }
  reader.read(list);
  result.all = order.chosen();
  std::ranges::copy_if(result.all, std::back_inserter(result.supported), [&](std::uint16_t number) {
    const Suite& s = *suite(number);
    return is_supported(s) && s.bits >= bits_of_level(result.security_level);
  });
  return result;
}

}  // namespace tls::config
