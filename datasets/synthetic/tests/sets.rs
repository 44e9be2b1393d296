//! What callers rely on: the drawn sets are the same on every machine, thread
//! and day, balanced, and of the brightness that they were tuned to.

use kiln_synthetic::{DIGIT_CLASSES, SHAPE_CLASSES, SIGNAL_CLASSES, digits, shapes, signals};
use kiln_vision::{ImageSpec, Images, Part};

type Draw = fn(usize, Part, u64) -> Images;

const SETS: [Draw; 3] = [digits, shapes, short_signals];

fn short_signals(count: usize, part: Part, seed: u64) -> Images {
    signals(count, part, seed, 256)
}

/// FNV-1a over all bytes and labels.
fn fingerprint(images: &Images) -> u64 {
    let pixels = (0..images.len()).flat_map(|index| images.pixels(index));
    let labels = images.labels().iter().map(|&label| label as u8);
    let bytes = pixels.copied().chain(labels);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn mean_and_deviation(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let square = values.map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, square.sqrt())
}

fn bytes(images: &Images) -> impl Iterator<Item = f64> + Clone {
    (0..images.len()).flat_map(|index| images.pixels(index).iter().map(|&byte| f64::from(byte)))
}

#[test]
fn the_pictures_are_those_of_the_first_release() {
    assert_eq!(
        fingerprint(&digits(50, Part::Training, 1)),
        0x681a_b005_c155_5a83
    );
    assert_eq!(
        fingerprint(&digits(50, Part::Test, 1)),
        0x456d_edb2_e34e_91dc
    );
    assert_eq!(
        fingerprint(&shapes(50, Part::Training, 1)),
        0x461d_e829_6080_f616
    );
    assert_eq!(
        fingerprint(&shapes(50, Part::Test, 1)),
        0x0e67_69d7_be3a_f0c8
    );
    assert_eq!(
        fingerprint(&short_signals(50, Part::Training, 1)),
        0xbcc8_935c_0bc9_b0aa
    );
    assert_eq!(
        fingerprint(&short_signals(50, Part::Test, 1)),
        0xc22e_ba6d_10e5_e61a
    );
}

#[test]
fn fewer_images_are_the_beginning_of_more() {
    for draw in SETS {
        let all = draw(237, Part::Training, 5);
        for count in [0, 1, 9, 10, 123] {
            let some = draw(count, Part::Training, 5);
            assert_eq!(some.len(), count);
            assert_eq!(some.labels(), &all.labels()[..count]);
            assert!((0..count).all(|index| some.pixels(index) == all.pixels(index)));
        }
    }
}

#[test]
fn any_number_of_threads_draws_the_same_images() {
    for draw in SETS {
        let [one, two, five] = [1, 2, 5].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().expect("a pool of threads");
            pool.install(|| draw(300, Part::Test, 1))
        });
        assert_eq!(one, two);
        assert_eq!(one, five);
    }
}

#[test]
fn parts_seeds_and_indices_share_no_image() {
    for draw in SETS {
        let sets = [
            draw(200, Part::Training, 1),
            draw(200, Part::Test, 1),
            draw(200, Part::Training, 2),
        ];
        let mut images: Vec<&[u8]> = sets
            .iter()
            .flat_map(|set| (0..set.len()).map(|index| set.pixels(index)))
            .collect();
        images.sort_unstable();
        images.dedup();
        assert_eq!(images.len(), 600);
        assert_ne!(sets[0].labels(), sets[1].labels());
    }
}

#[test]
fn every_ten_images_hold_each_class_once() {
    for draw in SETS {
        let images = draw(1000, Part::Training, 1);
        for ten in images.labels().chunks(10) {
            let mut ten = ten.to_vec();
            ten.sort_unstable();
            assert_eq!(ten, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        }
    }
    assert_eq!(digits(1, Part::Test, 1).spec(), ImageSpec::MNIST);
    assert_eq!(shapes(1, Part::Test, 1).spec(), ImageSpec::CIFAR);
    assert_eq!(DIGIT_CLASSES.len(), SHAPE_CLASSES.len());
    assert_eq!(DIGIT_CLASSES.len(), SIGNAL_CLASSES.len());
}

#[test]
fn digits_are_sparse_ink_on_black_in_every_picture() {
    let images = digits(1000, Part::Training, 1);
    let (mean, deviation) = mean_and_deviation(bytes(&images));
    assert!((21.0..28.0).contains(&mean), "{mean}");
    assert!((47.0..58.0).contains(&deviation), "{deviation}");
    for index in 0..images.len() {
        let inked = images
            .pixels(index)
            .iter()
            .filter(|&&byte| byte > 100)
            .count();
        assert!((6..330).contains(&inked), "image {index}: {inked}");
    }
}

#[test]
fn shapes_have_colours_that_say_nothing_about_their_class() {
    let images = shapes(4000, Part::Training, 1);
    let (mean, deviation) = mean_and_deviation(bytes(&images));
    assert!((115.0..140.0).contains(&mean), "{mean}");
    assert!((65.0..85.0).contains(&deviation), "{deviation}");
    for class in 0..10 {
        for channel in 0..3 {
            let planes = (0..images.len())
                .filter(|&index| images.label(index) == class)
                .map(|index| &images.pixels(index)[channel * 1024..][..1024]);
            let means =
                planes.map(|plane| plane.iter().map(|&b| f64::from(b)).sum::<f64>() / 1024.0);
            let (mean, _) = mean_and_deviation(means);
            assert!((115.0..140.0).contains(&mean), "{class} {channel}: {mean}");
        }
    }
}

#[test]
fn a_shorter_signal_is_the_beginning_of_a_longer_one() {
    let [short, long] = [100, 1000].map(|length| signals(30, Part::Test, 1, length));
    assert_eq!(short.labels(), long.labels());
    for index in 0..30 {
        assert_eq!(short.pixels(index), &long.pixels(index)[..100]);
    }
}

#[test]
fn signals_sway_around_silence_and_their_sounds_begin_at_any_time() {
    let images = short_signals(4000, Part::Training, 1);
    let (mean, deviation) = mean_and_deviation(bytes(&images));
    assert!((126.0..131.0).contains(&mean), "{mean}");
    assert!((25.0..45.0).contains(&deviation), "{deviation}");
    // Every quarter of the time is as loud as the whole.
    for quarter in 0..4 {
        let part = (0..4000).flat_map(|index| &images.pixels(index)[quarter * 64..][..64]);
        let (_, loud) = mean_and_deviation(part.map(|&byte| f64::from(byte)));
        assert!(
            (loud / deviation - 1.0).abs() < 0.03,
            "{quarter}: {loud} {deviation}"
        );
    }
}
