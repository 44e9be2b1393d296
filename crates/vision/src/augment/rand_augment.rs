//! RandAugment (Cubuk, Zoph, Shlens, Le 2020): some operations out of fourteen,
//! all of one magnitude.

use super::{affine::Affine, canvas::Canvas, colour};

/// The strongest magnitude, with torchvision's ranges: rotation by 30 degrees,
/// shear by 0.3, translation by 0.45 of the side, factors from 0.1 to 1.9, 4 of
/// 8 bits, and every value inverted.
pub(super) const STRONGEST: f32 = 30.0;

/// Translation at the strongest magnitude, of the side.
const TRANSLATION: f32 = 150.0 / 331.0;

/// Does `count` operations, each drawn anew; where an operation has two
/// directions, a coin decides.
pub(super) fn rand_augment(canvas: &mut Canvas, count: usize, magnitude: f32) {
    for _ in 0..count {
        one(canvas, magnitude / STRONGEST);
    }
}

fn one(canvas: &mut Canvas, strength: f32) {
    let which = canvas.draw.below(14);
    let signed = match canvas.draw.below(2) {
        0 => strength,
        _ => -strength,
    };
    let (width, height) = (canvas.spec.width as f32, canvas.spec.height as f32);
    let factor = 1.0 + 0.9 * signed;
    match which {
        0 => {}
        1 => canvas.transform(Affine::rotation(30.0 * signed)),
        2 => canvas.transform(Affine::shear_x(0.3 * signed)),
        3 => canvas.transform(Affine::shear_y(0.3 * signed)),
        4 => canvas.transform(Affine::shift((TRANSLATION * width * signed).trunc(), 0.0)),
        5 => canvas.transform(Affine::shift(0.0, (TRANSLATION * height * signed).trunc())),
        6 => colour::brightness(canvas, factor),
        7 => colour::contrast(canvas, factor),
        8 => colour::saturation(canvas, factor),
        9 => colour::sharpness(canvas, factor),
        10 => colour::posterize(canvas, 8 - (4.0 * strength).round() as u32),
        11 => colour::solarize(canvas, 256.0 * (1.0 - strength)),
        12 => colour::autocontrast(canvas),
        _ => colour::equalize(canvas),
    }
}
