//! How often values occur: bars over an axis, several side by side.

use crate::{
    Axis,
    axis::Scale,
    page::{Anchor, Font, MARGIN, Page},
};
use std::fmt::Write as _;

/// Panels side by side.
const COLUMNS: usize = 3;
const WIDTH: f64 = 960.0;
/// A panel with its heading, and the bars in it.
const PANEL: [f64; 2] = [298.0, 168.0];
const BARS: [f64; 2] = [280.0, 90.0];
const BAR: &str = "#0072b2";

/// Histograms side by side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histograms {
    /// What is shown.
    pub title: String,
    /// Sentences below the title.
    pub notes: Vec<String>,
    /// The histograms.
    pub panels: Vec<Histogram>,
}

/// How often values occur in bins of one width.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Whose values.
    pub heading: String,
    /// A second, paler line.
    pub note: String,
    /// The least and the largest value.
    pub range: [f64; 2],
    /// Values in each bin, from the least on.
    pub counts: Vec<usize>,
}

impl Histogram {
    /// Counts `values` in `bins` bins over their range; what is no number is
    /// left out.
    pub fn of(values: &[f32], bins: usize) -> Self {
        let finite = || {
            values
                .iter()
                .copied()
                .map(f64::from)
                .filter(|value| value.is_finite())
        };
        let (low, high) = finite()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        let (low, high) = match high > low {
            true => (low, high),
            // One value, or none: a range around it.
            false if low.is_finite() => (low - 0.5, low + 0.5),
            false => (-0.5, 0.5),
        };
        let mut counts = vec![0; bins];
        for value in finite() {
            let bin = ((value - low) / (high - low) * bins as f64) as usize;
            counts[bin.min(bins - 1)] += 1;
        }
        Self {
            range: [low, high],
            counts,
            ..Self::default()
        }
    }
}

impl Histograms {
    /// The figure as an SVG file.
    pub fn svg(&self) -> String {
        let mut page = Page::new(WIDTH, &self.title, &self.notes);
        let top = page.y + 8.0;
        for (at, panel) in self.panels.iter().enumerate() {
            let x = MARGIN + (at % COLUMNS) as f64 * (PANEL[0] + 9.0);
            let y = top + (at / COLUMNS) as f64 * PANEL[1];
            draw(&mut page, [x, y], panel);
        }
        page.y = top + self.panels.len().div_ceil(COLUMNS) as f64 * PANEL[1];
        page.finish()
    }
}

fn draw(page: &mut Page, [x, y]: [f64; 2], panel: &Histogram) {
    page.text(
        [x, y + 14.0],
        Anchor::Start,
        &panel.heading,
        Font::bold(13.0),
    );
    page.text([x, y + 30.0], Anchor::Start, &panel.note, Font::pale(11.0));
    let foot = y + 38.0 + BARS[1];
    let most = panel.counts.iter().copied().max().unwrap_or(0).max(1);
    let bar = BARS[0] / panel.counts.len().max(1) as f64;
    let mut bars = String::new();
    for (at, count) in panel
        .counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
    {
        // A bin that holds anything can be seen.
        let high = (*count as f64 / most as f64 * BARS[1]).max(0.7);
        let left = x + (at as f64 + 0.5) * bar;
        let _ = write!(bars, "M{left:.2} {foot:.1}v-{high:.2}");
    }
    page.path(&bars, BAR, (bar - 0.6).max(0.6));
    page.path(&format!("M{x:.1} {foot:.1}h{}", BARS[0]), "#444444", 1.0);
    let axis = Axis {
        range: Some(panel.range),
        ..Axis::default()
    };
    for tick in Scale::new(&axis, std::iter::empty()).ticks(6) {
        let at = x + tick.at * BARS[0];
        page.path(&format!("M{at:.1} {foot:.1}v4"), "#444444", 1.0);
        page.text(
            [at, foot + 16.0],
            Anchor::Middle,
            &tick.label,
            Font::plain(11.0),
        );
    }
    let count = [x + BARS[0], y + 14.0];
    page.text(
        count,
        Anchor::End,
        &format!("highest bar {most}"),
        Font::pale(11.0),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_one_bin() {
        let histogram = Histogram::of(&[0.0, 0.1, 0.9, 1.0, f32::NAN], 2);
        assert_eq!(
            (histogram.range, &histogram.counts[..]),
            ([0.0, 1.0], &[2, 2][..])
        );
        assert_eq!(Histogram::of(&[3.0, 3.0], 4).counts, [0, 0, 2, 0]);
        assert_eq!(Histogram::of(&[], 2).counts, [0, 0]);
    }

    #[test]
    fn panels_stand_side_by_side_with_their_axes() {
        let panel = Histogram {
            heading: "conv1 < 2".to_owned(),
            note: "none".to_owned(),
            ..Histogram::of(&[-0.2, 0.0, 0.2], 10)
        };
        let figure = Histograms {
            title: "Weights".to_owned(),
            notes: Vec::new(),
            panels: vec![panel; 4],
        };
        let svg = figure.svg();
        assert_eq!(svg.matches("conv1 &lt; 2").count(), 4);
        assert_eq!(svg.matches(&format!(r#"stroke="{BAR}""#)).count(), 4);
        for label in [">-0.2<", ">0.0<", ">0.2<", ">highest bar 1<"] {
            assert_eq!(svg.matches(label).count(), 4, "{label} in {svg}");
        }
    }
}
