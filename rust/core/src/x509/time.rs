// SPDX-License-Identifier: Apache-2.0
//! Validity times as OpenSSL reads and prints them.

/// Tag of UTCTime.
pub const UTC_TIME: u8 = 0x17;
/// Tag of GeneralizedTime.
pub const GENERALIZED_TIME: u8 = 0x18;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const DAY: i64 = 86_400;

/// What OpenSSL prints for a time it cannot read.
const BAD: &str = "Bad time value";

/// A validity time: as written, and as seconds since 1970 (UTC).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Time {
    text: String,
    seconds: Option<i64>,
}

impl Time {
    /// Reads the content of an element with tag `tag`. A time that makes no sense prints as [`BAD`].
    pub fn new(tag: u8, value: &[u8]) -> Self {
        match parse(tag, value) {
            Some((text, seconds)) => Self {
                text,
                seconds: Some(seconds),
            },
            None => Self {
                text: BAD.to_owned(),
                seconds: None,
            },
        }
    }

    /// `Nov 24 03:21:28 2026 GMT`, the form of `ASN1_TIME_print`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Seconds since 1970; `None` for a time that makes no sense.
    pub fn seconds(&self) -> Option<i64> {
        self.seconds
    }

    /// Whole days from `now` (seconds since 1970) until this time, 0 when it has passed or makes no sense.
    pub fn days_after(&self, now: i64) -> i64 {
        self.seconds
            .map_or(0, |end| end.saturating_sub(now).max(0) / DAY)
    }
}

#[allow(
    clippy::arithmetic_side_effects,
    reason = "numbers of a calendar: days and seconds of years that i64 has room for"
)]
fn parse(tag: u8, value: &[u8]) -> Option<(String, i64)> {
    let mut digits = Digits { rest: value };
    let year = match tag {
        UTC_TIME => match digits.pair(0, 99)? {
            short @ 0..50 => 2000 + short,
            short => 1900 + short,
        },
        GENERALIZED_TIME => digits.pair(0, 99)? * 100 + digits.pair(0, 99)?,
        _ => return None,
    };
    let month = digits.pair(1, 12)?;
    let day = digits.pair(1, days_in_month(year, month))?;
    let (hour, minute) = (digits.pair(0, 23)?, digits.pair(0, 59)?);
    let second = if digits.peek()?.is_ascii_digit() {
        digits.pair(0, 59)?
    } else {
        0
    };
    let fraction = if tag == GENERALIZED_TIME {
        digits.fraction()?
    } else {
        ""
    };
    let (offset, zulu) = digits.zone()?;
    let seconds =
        days_since_epoch(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
    let (year, month, day, clock) = civil(seconds);
    let month = MONTHS.get(usize::try_from(month - 1).ok()?)?;
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    let zone = if zulu { " GMT" } else { "" };
    Some((
        format!("{month} {day:2} {hour:02}:{minute:02}:{second:02}{fraction} {year}{zone}"),
        seconds,
    ))
}

struct Digits<'a> {
    rest: &'a [u8],
}

impl<'a> Digits<'a> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn pair(&mut self, least: i64, most: i64) -> Option<i64> {
        let (pair, rest) = self.rest.split_at_checked(2)?;
        if !pair.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = pair.iter().fold(0_i64, |sum, digit| {
            sum.saturating_mul(10).saturating_add(i64::from(digit & 15))
        });
        self.rest = rest;
        (least..=most).contains(&number).then_some(number)
    }

    /// `.` and digits, as written; empty where there is no fraction.
    fn fraction(&mut self) -> Option<&'a str> {
        if self.peek()? != b'.' {
            return Some("");
        }
        let digits = self.rest.iter().skip(1).take_while(|c| c.is_ascii_digit());
        let length = digits.count().saturating_add(1);
        let (fraction, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        if length > 1 {
            std::str::from_utf8(fraction).ok()
        } else {
            None
        }
    }

    /// Seconds east of Greenwich, and whether that was written as `Z`. Nothing may follow.
    #[allow(
        clippy::arithmetic_side_effects,
        reason = "numbers of a calendar: days and seconds of years that i64 has room for"
    )]
    fn zone(&mut self) -> Option<(i64, bool)> {
        let (&sign, rest) = self.rest.split_first()?;
        self.rest = rest;
        let zone = match sign {
            b'Z' => (0, true),
            b'+' => (self.pair(0, 12)? * 3600 + self.pair(0, 59)? * 60, false),
            b'-' => (-(self.pair(0, 12)? * 3600 + self.pair(0, 59)? * 60), false),
            _ => return None,
        };
        self.rest.is_empty().then_some(zone)
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01, in the proleptic Gregorian calendar whose years begin in March.
#[allow(
    clippy::arithmetic_side_effects,
    reason = "numbers of a calendar: days and seconds of years that i64 has room for"
)]
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month, day and second of the day: the inverse of [`days_since_epoch`].
#[allow(
    clippy::arithmetic_side_effects,
    reason = "numbers of a calendar: days and seconds of years that i64 has room for"
)]
pub fn civil(seconds: i64) -> (i64, i64, i64, i64) {
    let days = seconds.div_euclid(DAY) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day, seconds.rem_euclid(DAY))
}

/// `2026-11-24 03:00:00 UTC`.
pub fn date(seconds: i64) -> String {
    let (year, month, day, clock) = civil(seconds);
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_openssl() {
        for (tag, value, expected) in [
            (UTC_TIME, "261124032128Z", "Nov 24 03:21:28 2026 GMT"),
            (UTC_TIME, "500101000000Z", "Jan  1 00:00:00 1950 GMT"),
            (UTC_TIME, "2611240321Z", "Nov 24 03:21:00 2026 GMT"),
            (UTC_TIME, "261231233000-0100", "Jan  1 00:30:00 2027"),
            (GENERALIZED_TIME, "20500229000000Z", BAD),
            (
                GENERALIZED_TIME,
                "20480229235959.25Z",
                "Feb 29 23:59:59.25 2048 GMT",
            ),
            (
                GENERALIZED_TIME,
                "99991231235959Z",
                "Dec 31 23:59:59 9999 GMT",
            ),
            (UTC_TIME, "261324032128Z", BAD),
            (UTC_TIME, "261124032128", BAD),
            (UTC_TIME, "", BAD),
        ] {
            assert_eq!(Time::new(tag, value.as_bytes()).text(), expected, "{value}");
        }
    }

    #[test]
    fn counts_days() {
        let end = Time::new(UTC_TIME, b"700103000000Z");
        assert_eq!(end.seconds(), Some(2 * DAY));
        assert_eq!(end.days_after(0), 2);
        assert_eq!(end.days_after(1), 1);
        assert_eq!(end.days_after(3 * DAY), 0);
        assert_eq!(Time::new(UTC_TIME, b"x").days_after(0), 0);
    }
}
