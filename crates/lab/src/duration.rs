//! Spans of time as they are typed: `90s`, `5m`, `1h30m`.

use crate::LabError;
use jiff::SignedDuration;
use std::time::Duration;

/// Reads a span of time with its unit: `300s`, `5m`, `1.5h`, `1h 30m`,
/// `2 minutes`, or ISO 8601's `PT5M`.
///
/// # Errors
/// When it is none, has no unit, or is not above 0; the sentence begins with
/// the text.
pub fn parse_duration(text: &str) -> Result<Duration, LabError> {
    let wrong = |what: &str| LabError::usage(format!("'{text}' {what}"));
    if text.trim().parse::<f64>().is_ok() {
        return Err(wrong("has no unit; write 90s, 5m or 1h"));
    }
    let span: SignedDuration = text
        .trim()
        .parse()
        .map_err(|_| wrong("is no span of time; write 90s, 5m or 1h30m"))?;
    match Duration::try_from(span) {
        Ok(span) if !span.is_zero() => Ok(span),
        _ => Err(wrong("must be above 0, such as 90s or 5m")),
    }
}

/// Seconds as a person writes them: `0.8 s`, `95 s`, `12 min`, `3.2 h`.
pub fn shown_seconds(seconds: f64) -> String {
    match seconds {
        0.0..1.0 => format!("{:.0} ms", seconds * 1e3),
        1.0..10.0 => format!("{seconds:.1} s"),
        10.0..120.0 => format!("{seconds:.0} s"),
        120.0..7200.0 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_with_their_units() {
        for (text, seconds) in [
            ("300s", 300.0),
            ("5m", 300.0),
            (" 1h ", 3600.0),
            ("1h30m", 5400.0),
            ("1.5h", 5400.0),
            ("500ms", 0.5),
            ("2 minutes", 120.0),
            ("PT1M", 60.0),
        ] {
            let read = parse_duration(text).expect(text);
            assert_eq!(read.as_secs_f64(), seconds, "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused_with_what_to_write() {
        for (text, word) in [
            ("300", "has no unit"),
            ("1.5", "has no unit"),
            ("5 parsecs", "no span of time"),
            ("", "no span of time"),
            ("0s", "above 0"),
            ("-5m", "above 0"),
            ("5m ago", "above 0"),
        ] {
            let error = parse_duration(text).expect_err(text).to_string();
            assert!(error.contains(word), "{text}: {error}");
            assert!(error.contains("5m"), "{text}: {error}");
        }
    }
}
