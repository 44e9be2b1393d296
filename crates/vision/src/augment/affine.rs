//! Maps of the plane: where a pixel of the changed image comes from.

/// `source = matrix * point + offset`, with coordinates in pixels from the
/// middle of the image, the first to the right, the second down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Affine {
    /// By row.
    pub matrix: [[f64; 2]; 2],
    /// In pixels.
    pub offset: [f64; 2],
}

impl Affine {
    /// Every pixel stays.
    pub const IDENTITY: Self = Self {
        matrix: [[1.0, 0.0], [0.0, 1.0]],
        offset: [0.0, 0.0],
    };

    /// Moves the image to the right and down.
    pub fn shift(right: f32, down: f32) -> Self {
        Self {
            offset: [-f64::from(right), -f64::from(down)],
            ..Self::IDENTITY
        }
    }

    /// Turns the image clockwise.
    pub fn rotation(degrees: f32) -> Self {
        let (sin, cos) = libm::sincos(f64::from(degrees).to_radians());
        Self::linear([[cos, sin], [-sin, cos]])
    }

    /// Enlarges the image by `factor`, which is not 0.
    pub fn scale(factor: f32) -> Self {
        let inverse = 1.0 / f64::from(factor);
        Self::linear([[inverse, 0.0], [0.0, inverse]])
    }

    /// Slants the image: a row moves to the right by `slant` times its height
    /// above the middle.
    pub fn shear_x(slant: f32) -> Self {
        Self::linear([[1.0, slant.into()], [0.0, 1.0]])
    }

    /// Slants the image: a column moves down by `slant` times its distance to
    /// the left of the middle.
    pub fn shear_y(slant: f32) -> Self {
        Self::linear([[1.0, 0.0], [slant.into(), 1.0]])
    }

    /// This change and then `next`, as one.
    pub fn then(self, next: Self) -> Self {
        let at = |[x, y]: [f64; 2]| self.matrix.map(|row| row[0] * x + row[1] * y);
        let first = at([next.matrix[0][0], next.matrix[1][0]]);
        let second = at([next.matrix[0][1], next.matrix[1][1]]);
        let moved = at(next.offset);
        Self {
            matrix: [[first[0], second[0]], [first[1], second[1]]],
            offset: [moved[0] + self.offset[0], moved[1] + self.offset[1]],
        }
    }

    fn linear(matrix: [[f64; 2]; 2]) -> Self {
        Self {
            matrix,
            ..Self::IDENTITY
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_near(one: Affine, other: Affine) {
        let numbers = |map: Affine| [map.matrix[0], map.matrix[1], map.offset].concat();
        for (one, other) in numbers(one).into_iter().zip(numbers(other)) {
            assert!((one - other).abs() < 1e-6, "{one} {other}");
        }
    }

    #[test]
    fn what_is_undone_is_the_identity() {
        let there = Affine::rotation(30.0)
            .then(Affine::scale(2.0))
            .then(Affine::shift(3.0, -1.0));
        let back = Affine::shift(-3.0, 1.0)
            .then(Affine::scale(0.5))
            .then(Affine::rotation(-30.0));
        is_near(there.then(back), Affine::IDENTITY);
        is_near(
            Affine::shear_x(0.3).then(Affine::shear_x(-0.3)),
            Affine::IDENTITY,
        );
    }

    #[test]
    fn the_order_of_changes_is_kept() {
        // A shift that comes after a quarter turn is not turned.
        let turned_first = Affine::rotation(90.0).then(Affine::shift(1.0, 0.0));
        let shifted_first = Affine::shift(0.0, -1.0).then(Affine::rotation(90.0));
        is_near(turned_first, shifted_first);
    }
}
