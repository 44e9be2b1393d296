//! A figure as SVG: fixed size, its own background, no style sheet, no script.

use crate::{LinePlot, Series, pieces};
use std::fmt::Write as _;

/// Pixels of the figure and of the frame around the curves.
const SIZE: [f64; 2] = [760.0, 460.0];
const LEFT: f64 = 84.0;
const RIGHT: f64 = 28.0;
const TOP: f64 = 52.0;
const BOTTOM: f64 = 62.0;
/// A line of the legend.
const LINE: f64 = 20.0;
/// A letter of the legend, about.
const LETTER: f64 = 6.6;

/// Okabe and Ito's colours, which colour-blind people tell apart, without
/// their yellow, which a white page hides.
pub(crate) const COLOURS: [&str; 7] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000",
];
/// From the eighth curve on, colours come again in dashes.
const DASHES: [&str; 3] = ["", "7 4", "2 3"];

impl LinePlot {
    /// The figure as an SVG file.
    pub fn svg(&self) -> String {
        self.drawn(false)
    }

    /// The figure as SVG for a page, where pointing at a point shows its values.
    pub fn svg_to_hover(&self) -> String {
        self.drawn(true)
    }

    fn drawn(&self, to_hover: bool) -> String {
        let scales = self.scales();
        let [width, height] = SIZE;
        let legend = match self.named().count() {
            0 | 1 => 0,
            // Columns of names under the figure.
            count => count.div_ceil(self.columns()),
        };
        let total = height + legend as f64 * LINE;
        let mut svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{total}" viewBox="0 0 {width} {total}" font-family="system-ui, sans-serif" font-size="13" fill="#222222">
<rect width="{width}" height="{total}" fill="#ffffff"/>
<text x="{}" y="30" font-size="17" text-anchor="middle">{}</text>
"##,
            place_x(0.5),
            escaped(&self.title),
        );
        for tick in scales[0].ticks(8) {
            let x = place_x(tick.at);
            let (top, bottom) = (place_y(1.0), place_y(0.0));
            let _ = writeln!(
                svg,
                r##"<path d="M{x:.1} {top}V{bottom}" stroke="#e3e3e3"/><text x="{x:.1}" y="{}" text-anchor="middle">{}</text>"##,
                bottom + 19.0,
                escaped(&tick.label)
            );
        }
        for tick in scales[1].ticks(6) {
            let y = place_y(tick.at);
            let (left, right) = (place_x(0.0), place_x(1.0));
            let _ = writeln!(
                svg,
                r##"<path d="M{left} {y:.1}H{right}" stroke="#e3e3e3"/><text x="{}" y="{:.1}" text-anchor="end">{}</text>"##,
                left - 8.0,
                y + 4.5,
                escaped(&tick.label)
            );
        }
        let (left, right, top, bottom) = (place_x(0.0), place_x(1.0), place_y(1.0), place_y(0.0));
        let middle = (top + bottom) / 2.0;
        let _ = writeln!(
            svg,
            r##"<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#444444"/>
<text x="{}" y="{}" text-anchor="middle">{}</text>
<text x="22" y="{middle}" text-anchor="middle" transform="rotate(-90 22 {middle})">{}</text>"##,
            place_x(0.5),
            bottom + 44.0,
            escaped(&self.x.label),
            escaped(&self.y.label),
        );
        self.marks_svg(&mut svg, &scales[0]);
        for series in self.series.iter().filter(|series| series.backdrop) {
            for piece in pieces(&series.points, &scales) {
                let _ = writeln!(
                    svg,
                    r##"<path d="{}" fill="none" stroke="#b0b0b0"/>"##,
                    path(&piece)
                );
            }
        }
        for (at, series) in self.named().enumerate() {
            band_svg(&mut svg, &series.band, &scales, COLOURS[at % COLOURS.len()]);
        }
        for (at, series) in self.named().enumerate() {
            for piece in pieces(&series.points, &scales) {
                match series.dots {
                    true => dots_svg(&mut svg, &piece, at),
                    false => {
                        let _ = writeln!(svg, r#"<path d="{}" {}/>"#, path(&piece), stroke(at));
                    }
                }
            }
        }
        if to_hover {
            self.points_svg(&mut svg, &scales);
        }
        if legend > 0 {
            self.legend_svg(&mut svg);
        }
        svg + "</svg>\n"
    }

    /// Invisible dots with a title: the name of the curve and the values.
    fn points_svg(&self, svg: &mut String, [x, y]: &[crate::Scale; 2]) {
        for series in self.named() {
            for (at, value) in &series.points {
                if let (Some(left), Some(up)) = (x.share(*at), y.share(*value)) {
                    let _ = writeln!(
                        svg,
                        r#"<circle cx="{:.1}" cy="{:.1}" r="6" fill-opacity="0"><title>{}, {} {at}: {}</title></circle>"#,
                        place_x(left),
                        place_y(up),
                        escaped(&series.name),
                        escaped(&self.x.label),
                        (value * 1e4).round() / 1e4
                    );
                }
            }
        }
    }

    fn marks_svg(&self, svg: &mut String, x: &crate::Scale) {
        for (row, mark) in self.marks.iter().enumerate() {
            let Some(share) = x.share(mark.x) else {
                continue;
            };
            let (at, top, bottom) = (place_x(share), place_y(1.0), place_y(0.0));
            let (anchor, beside) = match share > 0.6 {
                true => ("end", at - 6.0),
                false => ("start", at + 6.0),
            };
            let _ = writeln!(
                svg,
                r##"<path d="M{at:.1} {top}V{bottom}" stroke="#777777" stroke-dasharray="4 3"/><text x="{beside:.1}" y="{}" text-anchor="{anchor}" fill="#555555">{}</text>"##,
                top + 14.0 + row as f64 * 18.0,
                escaped(&mark.label)
            );
        }
    }

    /// The curves that have a colour and a name.
    fn named(&self) -> impl Iterator<Item = &Series> {
        self.series.iter().filter(|series| !series.backdrop)
    }

    /// Names side by side in the legend: as many as the longest leaves room for.
    fn columns(&self) -> usize {
        let lengths = self.named().map(|series| series.name.chars().count());
        let widest = 45.0 + LETTER * lengths.max().unwrap_or(0) as f64;
        ((place_x(1.0) - place_x(0.0)) / widest).clamp(1.0, 4.0) as usize
    }

    fn legend_svg(&self, svg: &mut String) {
        let columns = self.columns();
        let column = (place_x(1.0) - place_x(0.0)) / columns as f64;
        for (at, series) in self.named().enumerate() {
            let x = place_x(0.0) + (at % columns) as f64 * column;
            let y = SIZE[1] + (at / columns) as f64 * LINE;
            let sample = match series.dots {
                true => dot(x + 12.0, y - 4.5, at),
                false => format!(r#"<path d="M{x:.1} {:.1}h24" {}/>"#, y - 4.5, stroke(at)),
            };
            let _ = writeln!(
                svg,
                r#"{sample}<text x="{:.1}" y="{y:.1}">{}</text>"#,
                x + 31.0,
                escaped(&series.name)
            );
        }
    }
}

/// A band as an area, as far as both its edges can be shown.
fn band_svg(svg: &mut String, band: &[(f64, f64, f64)], [x, y]: &[crate::Scale; 2], colour: &str) {
    let edge = |high: bool| {
        move |(at, low, top): &(f64, f64, f64)| {
            let value = if high { top } else { low };
            Some((x.share(*at)?, y.share(*value)?))
        }
    };
    let low: Option<Vec<_>> = band.iter().map(edge(false)).collect();
    let high: Option<Vec<_>> = band.iter().rev().map(edge(true)).collect();
    if let (Some(mut low), Some(high)) = (low, high)
        && low.len() > 1
    {
        low.extend(high);
        let _ = writeln!(
            svg,
            r#"<path d="{}Z" fill="{colour}" fill-opacity="0.16"/>"#,
            path(&low)
        );
    }
}

fn dots_svg(svg: &mut String, piece: &[(f64, f64)], at: usize) {
    for (x, y) in piece {
        svg.push_str(&dot(place_x(*x), place_y(*y), at));
        svg.push('\n');
    }
}

/// A dot: round, square or a diamond, so that colours need not come again alone.
fn dot(x: f64, y: f64, at: usize) -> String {
    let colour = COLOURS[at % COLOURS.len()];
    match at / COLOURS.len() % 3 {
        0 => format!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="5" fill="{colour}"/>"#),
        1 => format!(
            r#"<rect x="{:.1}" y="{:.1}" width="9" height="9" fill="{colour}"/>"#,
            x - 4.5,
            y - 4.5
        ),
        _ => format!(
            r#"<path d="M{x:.1} {:.1}l6 6l-6 6l-6 -6z" fill="{colour}"/>"#,
            y - 6.0
        ),
    }
}

fn place_x(share: f64) -> f64 {
    LEFT + share * (SIZE[0] - LEFT - RIGHT)
}

fn place_y(share: f64) -> f64 {
    SIZE[1] - BOTTOM - share * (SIZE[1] - TOP - BOTTOM)
}

fn stroke(at: usize) -> String {
    let colour = COLOURS[at % COLOURS.len()];
    let dash = DASHES[at / COLOURS.len() % DASHES.len()];
    let dash = match dash {
        "" => String::new(),
        dash => format!(r#" stroke-dasharray="{dash}""#),
    };
    format!(
        r#"fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round" stroke-linecap="round"{dash}"#
    )
}

/// A line through the places, without those that change nothing to be seen.
fn path(piece: &[(f64, f64)]) -> String {
    let mut path = String::new();
    let mut last = String::new();
    for (at, (x, y)) in piece.iter().enumerate() {
        let place = format!("{:.1} {:.1}", place_x(*x), place_y(*y));
        if place == last {
            continue;
        }
        let _ = write!(path, "{}{place}", if at == 0 { "M" } else { "L" });
        last = place;
    }
    if piece.len() == 1 {
        // A point of its own: a line of no length, with round ends.
        path += "h0";
    }
    path
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use crate::{Axis, LinePlot, Mark, Series};

    fn plot(points: Vec<(f64, f64)>) -> LinePlot {
        LinePlot {
            title: "a < b & \"c\"".to_owned(),
            x: Axis::linear("step"),
            y: Axis::log("loss"),
            series: vec![Series {
                name: "one".to_owned(),
                points,
                ..Series::default()
            }],
            marks: Vec::new(),
        }
    }

    fn lines(svg: &str) -> usize {
        svg.matches("stroke-width").count()
    }

    #[test]
    fn every_curve_is_a_path_and_text_is_escaped() {
        let mut plot = plot(vec![(0.0, 1.0), (1.0, 10.0), (2.0, 0.1)]);
        let svg = plot.svg();
        assert!(svg.contains("a &lt; b &amp; &quot;c&quot;"), "{svg}");
        assert_eq!(lines(&svg), 1);
        for label in [">step<", ">loss<", ">0.1<", ">10<"] {
            assert!(svg.contains(label), "{label} in {svg}");
        }
        plot.series.push(plot.series[0].clone());
        assert_eq!(lines(&plot.svg()), 4, "two curves and a legend of two");
    }

    #[test]
    fn what_cannot_be_shown_interrupts_a_curve() {
        let points = vec![
            (0.0, 1.0),
            (1.0, 2.0),
            (2.0, f64::NAN),
            (3.0, 0.0),
            (4.0, 3.0),
        ];
        let svg = plot(points).svg();
        assert_eq!(lines(&svg), 2);
        assert!(!svg.contains("NaN"), "{svg}");
        assert_eq!(lines(&plot(Vec::new()).svg()), 0);
    }

    #[test]
    fn a_band_is_an_area_within_the_axis_and_dots_are_not_joined() {
        let mut plot = plot(vec![(0.0, 1.0), (1.0, 2.0)]);
        plot.series[0].band = vec![(0.0, 0.5, 2.0), (1.0, 1.0, 400.0)];
        let svg = plot.svg();
        assert_eq!(svg.matches("fill-opacity").count(), 1);
        assert!(svg.contains(">100<"), "the axis holds the band: {svg}");
        assert!(
            plot.svg_to_hover()
                .contains("<title>one, step 1: 2</title>")
        );
        plot.series[0].dots = true;
        let svg = plot.svg();
        assert_eq!((svg.matches("<circle").count(), lines(&svg)), (2, 0));
    }

    #[test]
    fn marks_stand_where_the_axis_has_them() {
        let mut plot = plot(vec![(0.0, 1.0), (4.0, 2.0)]);
        plot.marks = [1.0, 9.0]
            .map(|x| Mark {
                x,
                label: format!("at {x}"),
            })
            .to_vec();
        let svg = plot.svg();
        assert!(svg.contains(">at 1<") && !svg.contains(">at 9<"), "{svg}");
    }
}
