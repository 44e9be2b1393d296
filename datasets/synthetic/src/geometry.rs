//! Points, linear maps and angles. Only additions, multiplications, divisions
//! and square roots are used, which IEEE 754 defines to the last bit: no
//! function of a platform's mathematics library decides a pixel.

use std::ops::{Add, Mul, Sub};

/// A point or a displacement in the plane; y points down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// To the right.
    pub(crate) x: f32,
    /// Downwards.
    pub(crate) y: f32,
}

impl Point {
    /// The point at `x` and `y`.
    pub(crate) const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// The scalar product.
    pub(crate) fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y
    }

    /// The distance from the origin.
    pub(crate) fn length(self) -> f32 {
        self.dot(self).sqrt()
    }
}

impl Add for Point {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(self.x + other.x, self.y + other.y)
    }
}

impl Sub for Point {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }
}

impl Mul<f32> for Point {
    type Output = Self;

    fn mul(self, factor: f32) -> Self {
        Self::new(self.x * factor, self.y * factor)
    }
}

/// A linear map of the plane, by the images of the two unit vectors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Map {
    right: Point,
    down: Point,
}

impl Map {
    /// First the factors `scale`, then the slant that moves the top to the
    /// right by `slant` of the height, then a turn by `angle` (clockwise).
    pub(crate) fn new(scale: Point, slant: f32, angle: f32) -> Self {
        let (sin, cos) = sin_cos(angle);
        let turn =
            |point: Point| Point::new(cos * point.x - sin * point.y, sin * point.x + cos * point.y);
        Self {
            right: turn(Point::new(scale.x, 0.0)),
            down: turn(Point::new(-slant * scale.y, scale.y)),
        }
    }

    /// Where the map sends `point`.
    pub(crate) fn apply(self, point: Point) -> Point {
        self.right * point.x + self.down * point.y
    }
}

/// Sine and cosine of an angle from -2 to 2, in radians, by their series: the
/// same bits on every platform, exact to about 1e-6.
pub(crate) fn sin_cos(angle: f32) -> (f32, f32) {
    let angle = angle.clamp(-2.0, 2.0);
    let square = angle * angle;
    let series = |mut order: f32| {
        let (mut sum, mut term) = (1.0, 1.0);
        for _ in 0..7 {
            term *= -square / (order * (order + 1.0));
            sum += term;
            order += 2.0;
        }
        sum
    };
    (angle * series(2.0), series(1.0))
}

/// How far `point` is from the segment between `start` and `end`, and where
/// along it the nearest point lies (0 at the start, 1 at the end).
pub(crate) fn distance_to_segment(point: Point, start: Point, end: Point) -> (f32, f32) {
    let along = end - start;
    let from_start = point - start;
    let square = along.dot(along);
    let place = if square > 0.0 {
        (from_start.dot(along) / square).clamp(0.0, 1.0)
    } else {
        0.0
    };
    ((from_start - along * place).length(), place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sine_and_cosine_agree_with_the_library() {
        for step in -20..=20 {
            let angle = step as f32 / 10.0;
            let (sin, cos) = sin_cos(angle);
            assert!((sin - angle.sin()).abs() < 2e-6, "{angle}");
            assert!((cos - angle.cos()).abs() < 2e-6, "{angle}");
        }
    }

    #[test]
    fn a_slant_moves_the_top_to_the_right() {
        let map = Map::new(Point::new(1.0, 1.0), 0.3, 0.0);
        assert_eq!(map.apply(Point::new(0.0, -1.0)), Point::new(0.3, -1.0));
    }

    #[test]
    fn the_distance_to_a_segment_ends_at_its_ends() {
        let (start, end) = (Point::new(0.0, 0.0), Point::new(2.0, 0.0));
        assert_eq!(
            distance_to_segment(Point::new(1.0, 3.0), start, end),
            (3.0, 0.5)
        );
        assert_eq!(
            distance_to_segment(Point::new(5.0, 4.0), start, end),
            (5.0, 1.0)
        );
        assert_eq!(
            distance_to_segment(Point::new(3.0, 4.0), start, start),
            (5.0, 0.0)
        );
    }
}
