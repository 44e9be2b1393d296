//! Named values with their intervals as SVG: a row for each name, dots along
//! one axis.

use crate::{
    Axis,
    axis::Scale,
    svg::{COLOURS, escaped},
};
use std::fmt::Write as _;

/// Values by name, of one or several series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DotPlot {
    /// What is shown.
    pub title: String,
    /// The axis of the values.
    pub axis: Axis,
    /// The names, from the top.
    pub rows: Vec<String>,
    /// What is compared in each row.
    pub series: Vec<DotSeries>,
}

/// A value for each row of a [`DotPlot`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DotSeries {
    /// Name in the legend.
    pub name: String,
    /// `(value, half the width of its interval)`, row by row; none where the
    /// row has no value.
    pub values: Vec<Option<(f64, Option<f64>)>>,
}

const WIDTH: f64 = 760.0;
const TOP: f64 = 52.0;
const ROW: f64 = 24.0;
const RIGHT: f64 = 28.0;
/// A letter of a name, about.
const LETTER: f64 = 7.0;

impl DotPlot {
    /// The figure as an SVG file.
    pub fn svg(&self) -> String {
        let scale = self.scale();
        let longest = self.rows.iter().map(|name| name.chars().count()).max();
        let left = 24.0 + LETTER * longest.unwrap_or(0) as f64;
        let place = |share: f64| left + share * (WIDTH - left - RIGHT);
        let bottom = TOP + ROW * self.rows.len() as f64;
        let legend = self.series.len() > 1;
        let height = bottom + if legend { 86.0 } else { 58.0 };
        let mut svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif" font-size="13" fill="#222222">
<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>
<text x="{}" y="30" font-size="17" text-anchor="middle">{}</text>
"##,
            WIDTH / 2.0,
            escaped(&self.title),
        );
        for tick in scale.ticks(8) {
            let x = place(tick.at);
            let _ = writeln!(
                svg,
                r##"<path d="M{x:.1} {TOP}V{bottom}" stroke="#e3e3e3"/><text x="{x:.1}" y="{}" text-anchor="middle">{}</text>"##,
                bottom + 19.0,
                escaped(&tick.label)
            );
        }
        if let Some(zero) = scale.share(0.0).filter(|_| !self.axis.log) {
            let x = place(zero);
            let _ = writeln!(
                svg,
                r##"<path d="M{x:.1} {TOP}V{bottom}" stroke="#777777"/>"##
            );
        }
        for (row, name) in self.rows.iter().enumerate() {
            let y = TOP + ROW * (row as f64 + 0.5);
            let _ = writeln!(
                svg,
                r##"<path d="M{left} {y}H{}" stroke="#f0f0f0"/><text x="{}" y="{}" text-anchor="end">{}</text>"##,
                WIDTH - RIGHT,
                left - 10.0,
                y + 4.5,
                escaped(name)
            );
            for (at, series) in self.series.iter().enumerate() {
                // Side by side, so that intervals do not hide each other.
                let apart = (ROW * 0.66) / self.series.len() as f64;
                let y = y + apart * (at as f64 - (self.series.len() - 1) as f64 / 2.0);
                if let Some(Some(value)) = series.values.get(row) {
                    value_svg(&mut svg, (*value, y, at), &scale, &place);
                }
            }
        }
        let _ = writeln!(
            svg,
            r##"<text x="{}" y="{}" text-anchor="middle">{}</text>"##,
            place(0.5),
            bottom + 44.0,
            escaped(&self.axis.label)
        );
        if legend {
            self.legend_svg(&mut svg, left, bottom + 72.0);
        }
        svg + "</svg>\n"
    }

    fn scale(&self) -> Scale {
        let values = self.series.iter().flat_map(|series| &series.values);
        let ends = values.flatten().flat_map(|(value, half)| {
            let half = half.unwrap_or(0.0);
            [value - half, value + half]
        });
        let scale = Scale::new(&self.axis, ends);
        scale.widened(&self.axis)
    }

    fn legend_svg(&self, svg: &mut String, left: f64, y: f64) {
        let mut x = left;
        for (at, series) in self.series.iter().enumerate() {
            let colour = COLOURS[at % COLOURS.len()];
            let _ = writeln!(
                svg,
                r#"<circle cx="{:.1}" cy="{:.1}" r="4.5" fill="{colour}"/><text x="{:.1}" y="{y}">{}</text>"#,
                x + 6.0,
                y - 4.5,
                x + 17.0,
                escaped(&series.name)
            );
            x += 45.0 + LETTER * series.name.chars().count() as f64;
        }
    }
}

/// A dot, and the line of its interval as far as the axis shows it.
fn value_svg(
    svg: &mut String,
    ((value, half), y, at): ((f64, Option<f64>), f64, usize),
    scale: &Scale,
    place: &dyn Fn(f64) -> f64,
) {
    let Some(share) = scale.share(value) else {
        return;
    };
    let colour = COLOURS[at % COLOURS.len()];
    if let Some(half) = half {
        let low = place(scale.share(value - half).unwrap_or(0.0));
        let high = place(scale.share(value + half).unwrap_or(1.0));
        let _ = writeln!(
            svg,
            r#"<path d="M{low:.1} {y:.1}H{high:.1}" stroke="{colour}" stroke-width="2"/>"#
        );
    }
    let _ = writeln!(
        svg,
        r#"<circle cx="{:.1}" cy="{y:.1}" r="4.5" fill="{colour}"/>"#,
        place(share)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_a_dot_and_every_interval_a_line() {
        let plot = DotPlot {
            title: "a & b".to_owned(),
            axis: Axis::linear("points"),
            rows: vec!["one".to_owned(), "two".to_owned()],
            series: vec![
                DotSeries {
                    name: "first".to_owned(),
                    values: vec![Some((1.0, Some(0.5))), None],
                },
                DotSeries {
                    name: "second".to_owned(),
                    values: vec![Some((-1.0, None)), Some((f64::NAN, None))],
                },
            ],
        };
        let svg = plot.svg();
        // Two dots and a legend of two.
        assert_eq!(svg.matches("<circle").count(), 4, "{svg}");
        assert_eq!(svg.matches("stroke-width").count(), 1);
        for label in [">one<", ">two<", ">points<", ">a &amp; b<", ">first<"] {
            assert!(svg.contains(label), "{label} in {svg}");
        }
        assert!(!svg.contains("NaN"));
    }
}
