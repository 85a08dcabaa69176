// SPDX-License-Identifier: Apache-2.0
//! Tables: of names with a value each, and of rows of which the first are shown at once.

use std::fmt::Write;

use crate::status::words::short;

/// Rows of a list that are always shown; the others open on a click.
const SHOWN: usize = 20;

/// Rows of a table, of which the first are shown at once. `head` is the table's beginning up to its body.
pub(super) fn table(out: &mut String, head: &str, rows: &[String], what: &str) {
    let (shown, rest) = rows.split_at(rows.len().min(SHOWN));
    let _ = write!(
        out,
        "<div class=\"card scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{what}\">{head}<tbody>{}</tbody></table></div>",
        shown.concat()
    );
    if !rest.is_empty() {
        let _ = write!(
            out,
            "<details><summary>{} more {what}</summary><div class=\"card scroll\" tabindex=\"0\" role=\"region\" aria-label=\"more {what}\">{head}<tbody>{}</tbody></table></div></details>",
            short(rest.len() as u64),
            rest.concat()
        );
    }
}

/// A card of names with a value each.
pub(super) fn facts(out: &mut String, title: &str, rows: &[(&str, String)]) {
    let _ = write!(
        out,
        "<section class=\"card\"><h3>{title}</h3><table class=\"list\"><tbody>"
    );
    for (name, value) in rows {
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{name}</th><td class=\"number\">{value}</td></tr>"
        );
    }
    out.push_str("</tbody></table></section>");
}
