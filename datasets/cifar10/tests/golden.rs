//! What is known of the published images, compared with what is read. Needs
//! CIFAR-10, official or an imported copy, in the folder that `KILN_DATA_DIR`
//! names. The images looked at are the same in both.
#![allow(clippy::unwrap_used)]

use kiln_cifar10::{CLASSES, load};
use kiln_store::Store;
use kiln_vision::{Images, Part};

fn images(part: Part) -> Images {
    let store = Store::locate(None, true).unwrap();
    load(&store, part).unwrap().images
}

fn counts(images: &Images) -> [usize; 10] {
    let mut counts = [0; 10];
    images
        .labels()
        .iter()
        .for_each(|&label| counts[label as usize] += 1);
    counts
}

/// The first three values of each plane.
fn corner(images: &Images, index: usize) -> [[u8; 3]; 3] {
    [0, 1024, 2048].map(|plane| images.pixels(index)[plane..][..3].try_into().unwrap())
}

#[test]
#[ignore = "slow: reads the real data sets from KILN_DATA_DIR"]
fn training_images_are_the_known_ones() {
    let images = images(Part::Training);
    assert_eq!(counts(&images), [5000; 10]);
    assert_eq!(images.labels()[..8], [6, 9, 9, 4, 1, 1, 2, 7]);
    assert_eq!(images.labels()[40_000..40_008], [1, 8, 5, 1, 5, 7, 4, 3]);
    assert_eq!(CLASSES[images.label(0) as usize], "frog");
    assert_eq!(
        corner(&images, 0),
        [[59, 43, 50], [62, 46, 48], [63, 45, 43]]
    );
    let first_of_five = [[255, 252, 253], [255, 252, 252], [254, 252, 254]];
    assert_eq!(corner(&images, 40_000), first_of_five);
}

#[test]
#[ignore = "slow: reads the real data sets from KILN_DATA_DIR"]
fn test_images_are_the_known_ones() {
    let images = images(Part::Test);
    assert_eq!(counts(&images), [1000; 10]);
    assert_eq!(images.labels()[..8], [3, 8, 8, 0, 6, 6, 1, 6]);
    assert_eq!(
        corner(&images, 0),
        [[158, 159, 165], [112, 111, 116], [49, 47, 51]]
    );
    assert_eq!(images.pixels(9_999)[3071], 26);
}

#[test]
#[ignore = "slow: reads the real data sets from KILN_DATA_DIR"]
fn means_per_channel_are_the_known_ones() {
    let images = images(Part::Training);
    let mut sums = [0u64; 3];
    for index in 0..images.len() {
        for (sum, plane) in sums.iter_mut().zip(images.pixels(index).chunks(1024)) {
            *sum += plane.iter().copied().map(u64::from).sum::<u64>();
        }
    }
    let means = sums.map(|sum| sum as f64 / (50_000.0 * 1024.0 * 255.0));
    for (mean, known) in means.iter().zip([0.491400, 0.482158, 0.446530]) {
        assert!((mean - known).abs() < 2e-5, "{means:?}");
    }
}
