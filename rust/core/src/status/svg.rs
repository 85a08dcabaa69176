// SPDX-License-Identifier: Apache-2.0
//! Pictures of numbers, drawn in the page itself.

use std::fmt::Write;

use super::words::{escaped, short};

/// Width and height of a curve's picture, in its own units.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 120.0;

/// One curve: its class in the style sheet, and its name.
pub(super) struct Curve {
    /// `a`, `b` or `c`.
    pub class: &'static str,
    /// For the legend.
    pub name: &'static str,
    /// A value for each time.
    pub values: Vec<f64>,
}

/// Curves over the same times, the last one of them now; `unit` is said of the highest value.
pub(super) fn curves(title: &str, unit: &str, curves: &[Curve], minutes: u64) -> String {
    let top = curves.iter().flat_map(|curve| &curve.values);
    let top = top.copied().fold(0.0, f64::max);
    let mut out = String::new();
    let described: Vec<_> = curves.iter().map(|curve| curve.name).collect();
    let _ = write!(
        out,
        "<figure><figcaption>{title} <span class=\"unit\">highest {} {unit}</span></figcaption>\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" preserveAspectRatio=\"none\" \
         aria-label=\"{title}: {}, the last {minutes} minutes\">",
        rate(top),
        described.join(", ")
    );
    for quarter in 1..4 {
        let y = HEIGHT * f64::from(quarter) / 4.0;
        let _ = write!(out, "<path class=\"grid\" d=\"M0 {y:.1}H{WIDTH}\"/>");
    }
    for curve in curves {
        let line = points(&curve.values, top);
        if curve.class == "a" && !line.is_empty() {
            let _ = write!(
                out,
                "<path class=\"fill\" d=\"M0 {HEIGHT}L{line}L{WIDTH} {HEIGHT}Z\"/>"
            );
        }
        let _ = write!(out, "<path class=\"line {}\" d=\"M{line}\"/>", curve.class);
    }
    let _ = write!(
        out,
        "</svg><div class=\"axis\"><span>{minutes} min ago</span><span>now</span></div><ul class=\"legend\">"
    );
    for curve in curves {
        let now = curve.values.last().copied().unwrap_or(0.0);
        let _ = write!(
            out,
            "<li><i class=\"{}\"></i>{} <b>{}</b> {unit}</li>",
            curve.class,
            curve.name,
            rate(now)
        );
    }
    out.push_str("</ul></figure>");
    out
}

fn points(values: &[f64], top: f64) -> String {
    let mut out = String::new();
    let steps = (values.len().max(2) - 1) as f64;
    for (index, value) in values.iter().enumerate() {
        let share = if top > 0.0 { value / top } else { 0.0 };
        let (x, y) = (
            WIDTH * index as f64 / steps,
            (HEIGHT - 4.0) * (1.0 - share) + 2.0,
        );
        let _ = write!(out, "{}{x:.1} {y:.1}", if index > 0 { "L" } else { "" });
    }
    out
}

/// A number of something in a second, for people.
pub(super) fn rate(value: f64) -> String {
    match value {
        v if v >= 1e9 => format!("{:.1} G", v / 1e9),
        v if v >= 1e6 => format!("{:.1} M", v / 1e6),
        v if v >= 10_000.0 => format!("{:.1} k", v / 1e3),
        v if v >= 100.0 || v.fract() == 0.0 => format!("{v:.0}"),
        v => format!("{v:.2}"),
    }
}

/// A name that may go on in another line behind each underscore, as those of suites have to.
fn breakable(name: &str) -> String {
    escaped(name).replace('_', "_<wbr>")
}

/// Bars by share of the whole; those that are nothing are left out.
pub(super) fn bars(title: &str, rows: &[(String, u64)], tone: &str) -> String {
    let rows: Vec<_> = rows.iter().filter(|(_, value)| *value > 0).collect();
    let whole = rows.iter().fold(0u64, |sum, (_, v)| sum.saturating_add(*v));
    let mut out = format!("<section class=\"card\"><h3>{title}</h3>");
    if rows.is_empty() {
        out.push_str("<p class=\"none\">None so far.</p></section>");
        return out;
    }
    out.push_str("<table class=\"bars\"><tbody>");
    for (name, value) in rows {
        let share = *value as f64 * 100.0 / whole.max(1) as f64;
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td class=\"bar\">\
             <svg viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <rect class=\"rest\" width=\"100\" height=\"8\" rx=\"1\"/>\
             <rect class=\"{tone}\" width=\"{share:.1}\" height=\"8\" rx=\"1\"/></svg></td>\
             <td class=\"number share\">{share:.1} %</td></tr>",
            breakable(name),
            short(*value)
        );
    }
    out.push_str("</tbody></table></section>");
    out
}
