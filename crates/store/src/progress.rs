//! How a download tells how far it is.

use indicatif::{ProgressBar, ProgressStyle};

/// Hears how far a download is. Every method may do nothing.
pub trait Progress {
    /// A file of `total` bytes begins to arrive.
    fn start(&mut self, file: &str, total: u64);
    /// `position` bytes of it are there.
    fn at(&mut self, position: u64);
    /// The file is complete, or given up.
    fn finish(&mut self);
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&mut self, _: &str, _: u64) {}
    fn at(&mut self, _: u64) {}
    fn finish(&mut self) {}
}

/// A bar on standard error, when that is a terminal.
#[derive(Clone, Debug)]
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar that is not shown before a file begins to arrive.
    pub fn new() -> Self {
        Self(ProgressBar::hidden())
    }
}

impl Default for Bar {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for Bar {
    fn start(&mut self, file: &str, total: u64) {
        let style = ProgressStyle::with_template(
            "{prefix} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left",
        )
        .unwrap_or_else(|_| ProgressStyle::default_bar());
        self.0 = ProgressBar::new(total).with_style(style);
        self.0.set_prefix(file.to_owned());
    }

    fn at(&mut self, position: u64) {
        self.0.set_position(position);
    }

    fn finish(&mut self) {
        self.0.finish_and_clear();
    }
}
