//! Whole sets of drawn images: which class each image has, and the drawing of
//! all of them on every thread there is.

use crate::{
    digit::draw_digit,
    random::{Key, Random, Subject},
    shape::draw_shape,
    signal::draw_signal,
};
use kiln_vision::{ImageSpec, Images, Part};
use rayon::prelude::*;

/// The names of the digits' classes.
pub const DIGIT_CLASSES: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// The names of the shapes' classes.
pub const SHAPE_CLASSES: [&str; 10] = [
    "circle", "square", "triangle", "star", "cross", "ring", "crescent", "arrow", "stripes",
    "heart",
];

/// The names of the signals' classes.
pub const SIGNAL_CLASSES: [&str; 10] = [
    "low tone",
    "middle tone",
    "high tone",
    "rising chirp",
    "falling chirp",
    "square wave",
    "rising ramp",
    "falling ramp",
    "two tones",
    "clicks",
];

/// How many training images are drawn when nobody says.
pub const DEFAULT_TRAIN: usize = 12_000;

/// How many test images are drawn when nobody says.
pub const DEFAULT_TEST: usize = 2_000;

/// The seed that images are drawn with when nobody says.
pub const SEED: u64 = 1;

/// `count` grey digits of 28 by 28 pixels, white on black, in many
/// handwritings. Every ten in a row hold each digit once. Image number n is
/// the same whatever `count` is; the two parts share the handwritings and the
/// ways of disturbing them, but no random numbers.
pub fn digits(count: usize, part: Part, seed: u64) -> Images {
    let subjects = [Subject::DigitOrder, Subject::Digit];
    draw_set(
        count,
        ImageSpec::MNIST,
        keys(subjects, part, seed),
        draw_digit,
    )
}

/// `count` colour images of 32 by 32 pixels, each of one shape in random
/// colours before a random background. Every ten in a row hold each shape
/// once. Image number n is the same whatever `count` is; the two parts share no
/// random numbers.
pub fn shapes(count: usize, part: Part, seed: u64) -> Images {
    let subjects = [Subject::ShapeOrder, Subject::Shape];
    draw_set(
        count,
        ImageSpec::CIFAR,
        keys(subjects, part, seed),
        draw_shape,
    )
}

/// `count` signals of `length` samples as images of one row, silence at 128:
/// bursts of one waveform at any time, in noise. Every ten in a row hold each
/// waveform once. Signal number n is the same whatever `count` is, and the
/// beginning of the longer signal number n; the two parts share no random
/// numbers.
pub fn signals(count: usize, part: Part, seed: u64, length: usize) -> Images {
    let subjects = [Subject::SignalOrder, Subject::Signal];
    draw_set(
        count,
        ImageSpec::new(1, 1, length),
        keys(subjects, part, seed),
        draw_signal,
    )
}

/// The keys of the order of the classes and of the images.
fn keys(subjects: [Subject; 2], part: Part, seed: u64) -> [Key; 2] {
    subjects.map(|subject| Key {
        subject,
        part,
        seed,
    })
}

/// Draws `count` images of the shape `spec` in parallel.
fn draw_set(
    count: usize,
    spec: ImageSpec,
    [order, images]: [Key; 2],
    draw: fn(u16, &mut Random, &mut [u8]),
) -> Images {
    let tens = (0..count.div_ceil(10) as u64).into_par_iter();
    let mut labels: Vec<u16> = tens
        .flat_map_iter(|ten| order.stream(ten).permutation())
        .collect();
    labels.truncate(count);
    let mut pixels = vec![0; count * spec.len()];
    pixels
        .par_chunks_mut(spec.len())
        .zip(&labels)
        .enumerate()
        .for_each(|(index, (image, &label))| {
            draw(label, &mut images.stream(index as u64), image);
        });
    Images::new(spec, pixels, labels, 10).expect("ten classes and one label per image")
}
