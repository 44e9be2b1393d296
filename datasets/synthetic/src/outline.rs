//! The outlines of the ten shapes, as signed distances: negative inside,
//! positive outside. Sizes, places and colours are the business of `shape`.

use crate::geometry::{Point, distance_to_segment};

/// How many outlines there are.
pub(crate) const COUNT: usize = 10;

/// A corner of a polygon, in hundredths of the radius, y pointing down.
type Corner = (i8, i8);

/// Height of a light and a dark stripe together, in radii.
const STRIPES: f32 = 0.62;

/// How far `point` is from the edge of the outline of class `shape`, negative
/// inside. Every outline fits into the unit circle or nearly so.
pub(crate) fn distance(shape: u16, point: Point) -> f32 {
    let disc = point.length() - 0.92;
    match usize::from(shape) % COUNT {
        0 => point.length() - 0.85,
        1 => to_polygon(&SQUARE, point),
        2 => to_polygon(&TRIANGLE, point),
        3 => to_polygon(&STAR, point),
        4 => to_polygon(&CROSS, point),
        5 => (point.length() - 0.7).abs() - 0.22,
        6 => disc.max(0.78 - (point - Point::new(0.42, 0.0)).length()),
        7 => to_polygon(&ARROW, point),
        8 => {
            let place = point.y / STRIPES + 0.5;
            let stripe = ((place - place.floor()) - 0.5).abs() - 0.25;
            disc.max(stripe * STRIPES)
        }
        _ => to_polygon(&HEART, point),
    }
}

#[rustfmt::skip]
const SQUARE: [Corner; 4] = [(-72, -72), (72, -72), (72, 72), (-72, 72)];

#[rustfmt::skip]
const TRIANGLE: [Corner; 3] = [(0, -100), (87, 60), (-87, 60)];

#[rustfmt::skip]
const STAR: [Corner; 10] = [
    (0, -100), (24, -32), (95, -31), (38, 12), (59, 81),
    (0, 40), (-59, 81), (-38, 12), (-95, -31), (-24, -32),
];

#[rustfmt::skip]
const CROSS: [Corner; 12] = [
    (-27, -95), (27, -95), (27, -27), (95, -27), (95, 27), (27, 27),
    (27, 95), (-27, 95), (-27, 27), (-95, 27), (-95, -27), (-27, -27),
];

#[rustfmt::skip]
const ARROW: [Corner; 7] = [
    (0, -100), (75, -15), (26, -15), (26, 95), (-26, 95), (-26, -15), (-75, -15),
];

#[rustfmt::skip]
const HEART: [Corner; 18] = [
    (0, -42), (14, -68), (38, -80), (66, -74), (86, -50), (88, -20), (74, 12), (48, 46), (22, 72),
    (0, 92), (-22, 72), (-48, 46), (-74, 12), (-88, -20), (-86, -50), (-66, -74), (-38, -80), (-14, -68),
];

/// The signed distance to a polygon without holes.
fn to_polygon(corners: &[Corner], point: Point) -> f32 {
    let corner = |(x, y): Corner| Point::new(f32::from(x) / 100.0, f32::from(y) / 100.0);
    let ends = corners.iter().cycle().skip(1);
    let (mut nearest, mut inside) = (f32::MAX, false);
    for (start, end) in corners.iter().zip(ends) {
        let (start, end) = (corner(*start), corner(*end));
        nearest = nearest.min(distance_to_segment(point, start, end).0);
        if (start.y > point.y) != (end.y > point.y) {
            let share = (point.y - start.y) / (end.y - start.y);
            inside ^= point.x < start.x + share * (end.x - start.x);
        }
    }
    if inside { -nearest } else { nearest }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of the square around the unit circle that a shape covers.
    fn area(shape: u16) -> f32 {
        let steps = 80;
        let place = |step: u16| (f32::from(step) + 0.5) / 40.0 - 1.0;
        let inside = (0..steps)
            .flat_map(|row| (0..steps).map(move |column| Point::new(place(column), place(row))))
            .filter(|&point| distance(shape, point) < 0.0);
        inside.count() as f32 / 6400.0
    }

    #[test]
    fn every_shape_covers_a_fair_share_and_stays_near_the_unit_circle() {
        for shape in 0..COUNT as u16 {
            let area = area(shape);
            assert!((0.2..0.6).contains(&area), "{shape}: {area}");
            for (x, y) in [(1.1, 0.0), (-1.1, 0.0), (0.0, 1.1), (0.0, -1.1), (0.8, 0.8)] {
                assert!(distance(shape, Point::new(x, y)) > 0.0, "{shape}");
            }
        }
    }

    #[test]
    fn distances_to_a_square_are_exact_on_both_sides() {
        assert!((distance(1, Point::new(0.0, 0.0)) + 0.72).abs() < 1e-6);
        assert!((distance(1, Point::new(1.0, 0.0)) - 0.28).abs() < 1e-6);
    }

    #[test]
    fn a_ring_has_a_hole_and_a_crescent_a_bite() {
        assert!(distance(5, Point::new(0.0, 0.0)) > 0.0);
        assert!(distance(5, Point::new(0.7, 0.0)) < 0.0);
        assert!(distance(6, Point::new(0.6, 0.0)) > 0.0);
        assert!(distance(6, Point::new(-0.6, 0.0)) < 0.0);
    }
}
