//! Ink on a sheet of pixels: how far every pixel is from the strokes drawn so
//! far, and how much of it they cover. It knows no colours and no shapes.

use crate::geometry::{Point, distance_to_segment};

/// How far beyond a stroke's edge distances are kept, in pixels; no edge may
/// be softer than this.
const REACH: f32 = 1.5;

/// A sheet that strokes are drawn on.
pub(crate) struct Ink {
    side: usize,
    distances: Vec<f32>,
}

impl Ink {
    /// An empty sheet of `side` by `side` pixels.
    pub(crate) fn new(side: usize) -> Self {
        Self {
            side,
            distances: vec![REACH; side * side],
        }
    }

    /// Draws a chain of points in pixels with a pen whose radius changes
    /// evenly from `radii.0` at its start to `radii.1` at its end.
    pub(crate) fn draw(&mut self, chain: &[Point], radii: (f32, f32)) {
        let pieces = chain.len().saturating_sub(1).max(1) as f32;
        let radius = |place: f32| radii.0 + (radii.1 - radii.0) * place / pieces;
        for (index, pair) in chain.windows(2).enumerate() {
            let ends = (radius(index as f32), radius(index as f32 + 1.0));
            self.draw_piece((pair[0], pair[1]), ends);
        }
    }

    /// Draws one straight piece, touching only the pixels near it.
    fn draw_piece(&mut self, (start, end): (Point, Point), radii: (f32, f32)) {
        let margin = radii.0.max(radii.1) + REACH;
        let (left, right) = self.pixels_between(start.x, end.x, margin);
        let (top, bottom) = self.pixels_between(start.y, end.y, margin);
        for row in top..bottom {
            for column in left..right {
                let pixel = Point::new(column as f32 + 0.5, row as f32 + 0.5);
                let (distance, place) = distance_to_segment(pixel, start, end);
                let edge = distance - (radii.0 + (radii.1 - radii.0) * place);
                let nearest = &mut self.distances[row * self.side + column];
                *nearest = nearest.min(edge);
            }
        }
    }

    /// The pixels from `margin` below the smaller coordinate to `margin` above
    /// the larger one, as a range within the sheet.
    fn pixels_between(&self, one: f32, other: f32, margin: f32) -> (usize, usize) {
        let first = (one.min(other) - margin).max(0.0) as usize;
        let last = (one.max(other) + margin + 1.0).max(0.0) as usize;
        (first.min(self.side), last.min(self.side))
    }

    /// How much of each pixel is covered, from 0 to 1, when edges are blurred
    /// over `softness` pixels (at most twice the reach of a distance).
    pub(crate) fn coverage(&self, softness: f32) -> impl Iterator<Item = f32> {
        self.distances
            .iter()
            .map(move |distance| cover(*distance, softness))
    }
}

/// How much of a pixel lies inside an edge at the signed distance `distance`
/// (negative inside), blurred over `softness` pixels.
pub(crate) fn cover(distance: f32, softness: f32) -> f32 {
    let place = (0.5 - distance / softness).clamp(0.0, 1.0);
    place * place * (3.0 - 2.0 * place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_covers_its_pixels_and_no_others() {
        let mut ink = Ink::new(8);
        ink.draw(&[Point::new(1.0, 4.0), Point::new(7.0, 4.0)], (1.0, 1.0));
        let cover: Vec<f32> = ink.coverage(1.0).collect();
        assert_eq!(cover[3 * 8 + 4], 1.0);
        assert_eq!(cover[4 * 8 + 4], 1.0);
        assert_eq!(cover[4], 0.0);
        assert_eq!(cover[6 * 8 + 4], 0.0);
    }

    #[test]
    fn strokes_outside_the_sheet_leave_it_empty() {
        let mut ink = Ink::new(4);
        ink.draw(
            &[Point::new(-9.0, -9.0), Point::new(-5.0, -7.0)],
            (1.0, 1.0),
        );
        ink.draw(&[Point::new(20.0, 2.0), Point::new(30.0, 2.0)], (1.0, 2.0));
        ink.draw(&[], (1.0, 1.0));
        assert!(ink.coverage(1.0).all(|cover| cover == 0.0));
    }
}
