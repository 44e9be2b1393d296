//! What is known of the published files, compared with what is read from
//! them. Needs them, in the folder that `KILN_DATA_DIR` names.
#![allow(clippy::unwrap_used)]

use kiln_mnist::{Variant, load};
use kiln_store::Store;
use kiln_vision::{Images, Part};

fn images(variant: Variant, part: Part) -> Images {
    let store = Store::locate(None, true).unwrap();
    let loaded = load(&store, variant, part).unwrap();
    assert!(loaded.source.official);
    loaded.images
}

fn mean_and_deviation(images: &Images) -> (f64, f64) {
    let (mut sum, mut squares) = (0u64, 0u64);
    for &pixel in (0..images.len()).flat_map(|index| images.pixels(index)) {
        sum += u64::from(pixel);
        squares += u64::from(pixel).pow(2);
    }
    let count = (images.len() * images.spec().len()) as f64;
    let mean = sum as f64 / count / 255.0;
    (
        mean,
        (squares as f64 / count / 255.0f64.powi(2) - mean * mean).sqrt(),
    )
}

fn counts(images: &Images) -> [usize; 10] {
    let mut counts = [0; 10];
    images
        .labels()
        .iter()
        .for_each(|&label| counts[label as usize] += 1);
    counts
}

fn sum(images: &Images, index: usize) -> u32 {
    images.pixels(index).iter().copied().map(u32::from).sum()
}

#[track_caller]
fn close(actual: (f64, f64), expected: (f64, f64)) {
    let off = (actual.0 - expected.0)
        .abs()
        .max((actual.1 - expected.1).abs());
    assert!(off < 1e-6, "{actual:?}, expected {expected:?}");
}

#[test]
#[ignore = "slow: reads the real data sets from KILN_DATA_DIR"]
fn mnist_training_images_are_the_known_ones() {
    let images = images(Variant::Mnist, Part::Training);
    assert_eq!(images.labels()[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    assert_eq!(
        counts(&images),
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    );
    assert_eq!(
        images.pixels(0)[14 * 28 + 12..][..8],
        [0, 81, 240, 253, 253, 119, 25, 0]
    );
    assert_eq!((sum(&images, 0), sum(&images, 59_999)), (27_525, 20_920));
    close(mean_and_deviation(&images), (0.130660, 0.308108));
}

#[test]
#[ignore = "slow: reads the real data sets from KILN_DATA_DIR"]
fn mnist_test_images_are_the_known_ones() {
    let images = images(Variant::Mnist, Part::Test);
    assert_eq!(images.labels()[..10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    assert_eq!(
        counts(&images),
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    );
    assert_eq!((sum(&images, 0), sum(&images, 9_999)), (18_454, 41_833));
}

#[test]
#[ignore = "slow: reads the real data sets from KILN_DATA_DIR"]
fn fashion_mnist_images_are_the_known_ones() {
    let training = images(Variant::Fashion, Part::Training);
    assert_eq!(training.labels()[..10], [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]);
    assert_eq!(counts(&training), [6000; 10]);
    assert_eq!(
        training.pixels(0)[14 * 28..][..13],
        [0, 0, 1, 4, 6, 7, 2, 0, 0, 0, 0, 0, 237]
    );
    assert_eq!(
        (sum(&training, 0), sum(&training, 59_999)),
        (76_247, 16_684)
    );
    close(mean_and_deviation(&training), (0.286041, 0.353024));
    let test = images(Variant::Fashion, Part::Test);
    assert_eq!(test.labels()[..10], [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]);
    assert_eq!(counts(&test), [1000; 10]);
    assert_eq!((sum(&test, 0), sum(&test, 9_999)), (33_456, 24_390));
}
