//! The one table of operations: their names, the numbers they take, and what
//! they do.

use super::{
    affine::Affine,
    canvas::Canvas,
    colour, elastic,
    place::{self, Padding},
    rand_augment::{self, rand_augment},
};

/// An operation that a list may name.
pub(super) struct Row {
    /// Its name.
    pub name: &'static str,
    /// The numbers that follow, each after a colon.
    pub numbers: &'static [Number],
    /// Whether it can mirror an image.
    pub mirrors: bool,
    /// Does it with the numbers given.
    pub apply: fn(&mut Canvas, [f32; 2]),
}

/// A number that an operation takes.
pub(super) struct Number {
    /// What it is.
    pub name: &'static str,
    pub least: f32,
    pub most: f32,
    /// Whether it has no digits after the point.
    pub whole: bool,
}

const fn whole(name: &'static str, least: f32, most: f32) -> Number {
    Number {
        name,
        least,
        most,
        whole: true,
    }
}

const fn real(name: &'static str, least: f32, most: f32) -> Number {
    Number {
        name,
        least,
        most,
        whole: false,
    }
}

const fn row(
    name: &'static str,
    numbers: &'static [Number],
    apply: fn(&mut Canvas, [f32; 2]),
) -> Row {
    Row {
        name,
        numbers,
        mirrors: false,
        apply,
    }
}

const PIXELS: Number = whole("PIXELS", 0.0, 1024.0);
const SHARE: Number = real("SHARE", 0.0, 1.0);

/// A factor drawn from 1 - `share` to 1 + `share`.
fn factor(canvas: &mut Canvas, share: f32) -> f32 {
    1.0 + canvas.draw.around(share)
}

/// Every operation.
pub(super) const OPERATIONS: &[Row] = &[
    row("crop", &[PIXELS], |canvas, [pad, _]| {
        place::crop(canvas, pad as usize, Padding::Zero);
    }),
    row("reflect-crop", &[PIXELS], |canvas, [pad, _]| {
        place::crop(canvas, pad as usize, Padding::Reflect);
    }),
    Row {
        mirrors: true,
        ..row("flip", &[], |canvas, _| place::flip(canvas))
    },
    Row {
        mirrors: true,
        ..row("alternating-flip", &[], |canvas, _| {
            place::alternating_flip(canvas);
        })
    },
    // Up to so many pixels, and fractions of them, in both directions.
    row(
        "shift",
        &[real("PIXELS", 0.0, 1024.0)],
        |canvas, [most, _]| {
            let (right, down) = (canvas.draw.around(most), canvas.draw.around(most));
            canvas.transform(Affine::shift(right, down));
        },
    ),
    row(
        "rotate",
        &[real("DEGREES", 0.0, 180.0)],
        |canvas, [most, _]| {
            let degrees = canvas.draw.around(most);
            canvas.transform(Affine::rotation(degrees));
        },
    ),
    row("scale", &[real("SHARE", 0.0, 0.9)], |canvas, [most, _]| {
        let factor = factor(canvas, most);
        canvas.transform(Affine::scale(factor));
    }),
    row("shear", &[SHARE], |canvas, [most, _]| {
        let slant = canvas.draw.around(most);
        canvas.transform(Affine::shear_x(slant));
    }),
    row(
        "elastic",
        &[
            real("ALPHA", 0.0, 10_000.0),
            real("SIGMA", 0.5, elastic::WIDEST),
        ],
        |canvas, [alpha, sigma]| canvas.distort(alpha, sigma),
    ),
    row("cutout", &[PIXELS], |canvas, [side, _]| {
        place::cutout(canvas, side as usize);
    }),
    row("brightness", &[SHARE], |canvas, [most, _]| {
        let factor = factor(canvas, most);
        colour::brightness(canvas, factor);
    }),
    row("contrast", &[SHARE], |canvas, [most, _]| {
        let factor = factor(canvas, most);
        colour::contrast(canvas, factor);
    }),
    row("saturation", &[SHARE], |canvas, [most, _]| {
        let factor = factor(canvas, most);
        colour::saturation(canvas, factor);
    }),
    row(
        "randaugment",
        &[
            whole("COUNT", 0.0, 100.0),
            real("MAGNITUDE", 0.0, rand_augment::STRONGEST),
        ],
        |canvas, [count, magnitude]| rand_augment(canvas, count as usize, magnitude),
    ),
];

impl Row {
    /// How it is written: `elastic:ALPHA:SIGMA`.
    pub fn usage(&self) -> String {
        let numbers = self.numbers.iter().map(|number| number.name);
        std::iter::once(self.name)
            .chain(numbers)
            .collect::<Vec<_>>()
            .join(":")
    }
}
