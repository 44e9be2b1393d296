//! Figures as SVG files: curves over one axis, which can also be text for a
//! terminal, sheets of small pictures, matrices and histograms; and tables as
//! text.

mod axis;
mod colour;
mod dots;
mod grid;
mod heatmap;
mod histogram;
mod page;
mod pixels;
mod svg;
mod table;
mod text;

pub use colour::{ColourMap, ColourScale, Rgb};
pub use dots::{DotPlot, DotSeries};
pub use grid::{Grid, Row, Section, Tile, tile_size};
pub use heatmap::{Cell, Heatmap};
pub use histogram::{Histogram, Histograms};
pub use pixels::Pixels;
pub use table::{markdown, percent, table, thousands};

use axis::Scale;

/// A figure of curves that share two axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinePlot {
    /// What is shown.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The curves, the later ones over the earlier.
    pub series: Vec<Series>,
    /// Places on the horizontal axis that are pointed out.
    pub marks: Vec<Mark>,
}

/// An axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What it counts, with the unit.
    pub label: String,
    /// Whether equal ways are equal factors. Values that are not above 0 are
    /// not drawn then.
    pub log: bool,
    /// The range shown; without one, that of the values. What lies outside is
    /// not drawn.
    pub range: Option<[f64; 2]>,
    /// Whether only whole numbers are on it, such as epochs.
    pub whole: bool,
}

/// A curve.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub name: String,
    /// Points `(x, y)`, joined in their order. One that is no number, or that
    /// its axis cannot show, interrupts the curve.
    pub points: Vec<(f64, f64)>,
    /// `(x, low, high)`: a band around the curve, in the order of x.
    pub band: Vec<(f64, f64, f64)>,
    /// Whether the points are dots of their own and not joined.
    pub dots: bool,
    /// Whether it is a thin grey line behind the others, without a name: a
    /// contour.
    pub backdrop: bool,
}

/// A place on the horizontal axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mark {
    /// Where.
    pub x: f64,
    /// What is there.
    pub label: String,
}

impl Axis {
    /// A linear axis over the range of the values.
    pub fn linear(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            ..Self::default()
        }
    }

    /// A linear axis of whole numbers over the range of the values.
    pub fn whole(label: &str) -> Self {
        Self {
            whole: true,
            ..Self::linear(label)
        }
    }

    /// A logarithmic axis over the range of the values.
    pub fn log(label: &str) -> Self {
        Self {
            log: true,
            ..Self::linear(label)
        }
    }
}

impl LinePlot {
    fn scales(&self) -> [Scale; 2] {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let bands = self.series.iter().flat_map(|series| &series.band);
        let edges = bands.flat_map(|(_, low, high)| [*low, *high]);
        let values = points().map(|point| point.1).chain(edges);
        [
            Scale::new(&self.x, points().map(|point| point.0)),
            Scale::new(&self.y, values).widened(&self.y),
        ]
    }
}

/// The pieces of `points` that can be drawn, as shares of the two axes.
fn pieces(points: &[(f64, f64)], [x, y]: &[Scale; 2]) -> Vec<Vec<(f64, f64)>> {
    let shares = points
        .iter()
        .map(|point| Some((x.share(point.0)?, y.share(point.1)?)));
    let mut pieces = vec![Vec::new()];
    for share in shares {
        match (share, pieces.last_mut()) {
            (Some(share), Some(piece)) => piece.push(share),
            _ => pieces.push(Vec::new()),
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}
