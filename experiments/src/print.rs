//! The only place that prints: results to standard output, everything else to
//! standard error. A reader that has gone away is no error.

use std::io::Write;

/// Tells the person at the terminal something.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Writes a result.
pub fn text(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
