//! Strokes as a pen draws them: a smooth curve through a few points, with
//! corners where a point is given twice. Nothing here knows digits or pixels.

use crate::geometry::Point;

/// Straight pieces between two points of a curve.
const PIECES: usize = 6;

/// The curve through `points` as a chain of short straight pieces: smooth
/// (Catmull-Rom) except at points that are given twice in a row, which become
/// corners; between two corners it is straight.
pub(crate) fn flatten(points: &[Point]) -> Vec<Point> {
    let mut chain: Vec<Point> = Vec::with_capacity(points.len() * PIECES);
    chain.extend(points.first());
    for smooth in points.chunk_by(|left, right| left != right) {
        append_smooth(smooth, &mut chain);
    }
    chain
}

/// Appends the curve through `points`, whose first is already in `chain`.
fn append_smooth(points: &[Point], chain: &mut Vec<Point>) {
    for (index, pair) in points.windows(2).enumerate() {
        let (start, end) = (pair[0], pair[1]);
        if points.len() == 2 {
            chain.push(end);
            continue;
        }
        let before = match index {
            0 => start + start - end,
            _ => points[index - 1],
        };
        let after = match points.get(index + 2) {
            Some(&after) => after,
            None => end + end - start,
        };
        let ends = [before, start, end, after];
        chain.extend((1..=PIECES).map(|piece| curve(ends, piece as f32 / PIECES as f32)));
    }
}

/// The Catmull-Rom curve between the middle two of four points.
fn curve([before, start, end, after]: [Point; 4], t: f32) -> Point {
    let linear = end - before;
    let square = before * 2.0 - start * 5.0 + end * 4.0 - after;
    let cube = (start - end) * 3.0 + after - before;
    start + (linear * t + square * (t * t) + cube * (t * t * t)) * 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Point = Point::new(0.0, 0.0);
    const B: Point = Point::new(1.0, 0.0);
    const C: Point = Point::new(1.0, 1.0);

    #[test]
    fn a_curve_passes_through_its_points() {
        let chain = flatten(&[A, B, C]);
        assert_eq!(chain.len(), 1 + 2 * PIECES);
        assert_eq!(chain[0], A);
        assert_eq!(chain[PIECES], B);
        assert_eq!(chain[2 * PIECES], C);
    }

    #[test]
    fn a_point_given_twice_is_a_corner_between_straight_lines() {
        assert_eq!(flatten(&[A, B, B, C]), [A, B, C]);
    }

    #[test]
    fn nothing_and_one_point_are_no_curve_but_no_error() {
        assert!(flatten(&[]).is_empty());
        assert_eq!(flatten(&[B]), [B]);
    }
}
