// SPDX-License-Identifier: Apache-2.0
// Small helpers for the words of a configuration.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tls::config {

// ASCII case only: configuration words are never localised.
char lower(char c);
std::string lower(std::string_view text);
bool same_word(std::string_view a, std::string_view b);
bool starts_with_word(std::string_view text, std::string_view prefix);

// Edits (insert, delete, replace) from a to b, case ignored.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate nearest to `word`, if it is near enough to be what was meant; empty otherwise.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// `; did you mean "x"?`, or nothing when `candidate` is empty.
std::string did_you_mean(std::string_view candidate);

// What is to be said of a name in a list that is unknown: that names are divided by colons where a comma or semicolon
// stands in it, else did_you_mean(candidate).
std::string list_advice(std::string_view name, std::string_view candidate);

// What is wrong with a line that was copied from a page with typographic quotation marks; nothing where none are there.
std::string typed_elsewhere(std::span<const char* const> words);

// Whether a word begins with #: httpd has no comments behind a directive.
bool has_comment(std::span<const char* const> words);

// Splits at every one of `separators`, leaving out empty parts.
std::vector<std::string_view> split(std::string_view text, std::string_view separators);

// Whether `text` is UTF-8 (RFC 3629: the shortest form, no surrogates, nothing above U+10FFFF).
bool is_utf8(std::string_view text);

// "a, b or c".
std::string one_of(std::span<const std::string_view> words);

std::string quoted(std::string_view word);

// Two digits for each octet.
std::string in_hexadecimal(std::string_view octets);

}  // namespace tls::config
