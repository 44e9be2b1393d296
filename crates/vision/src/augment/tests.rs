//! What every operation keeps, and what some of them do exactly.

use super::{place::Padding, table::OPERATIONS, *};
use std::time::Instant;

const GREY: ImageSpec = ImageSpec::new(1, 6, 5);
pub(super) const COLOUR: ImageSpec = ImageSpec::new(3, 12, 9);

fn key(epoch: u64, index: u32) -> ImageKey {
    let epoch = EpochKey { seed: 7, epoch };
    ImageKey { epoch, index }
}

pub(super) fn image(spec: ImageSpec) -> Vec<u8> {
    (0..spec.len()).map(|at| (at * 89 % 253) as u8).collect()
}

fn pipeline(list: &str, spec: ImageSpec) -> Pipeline {
    let list: Augmentation = list.parse().expect(list);
    let pipeline = list.pipeline(Look::Photos, spec).expect("allowed");
    pipeline.expect("something is done")
}

/// The image after `list`.
fn shown(list: &str, spec: ImageSpec, key: ImageKey) -> Vec<u8> {
    let mut pixels = image(spec);
    pipeline(list, spec).apply(&mut pixels, spec, key, &mut Scratch::default());
    pixels
}

/// The image after `change`, with nothing left to settle.
pub(super) fn after(spec: ImageSpec, change: impl Fn(&mut Canvas)) -> Vec<u8> {
    let mut pixels = image(spec);
    let mut scratch = Scratch::default();
    let mut canvas = Canvas::new(&mut pixels, spec, key(1, 0), Look::Photos, &mut scratch);
    change(&mut canvas);
    canvas.settle();
    pixels
}

/// Every operation with its numbers as strong as they go, within reason.
pub(super) fn every() -> Vec<String> {
    let strong = |row: &table::Row| {
        let numbers = row.numbers.iter().map(|number| number.most.min(40.0));
        let numbers = numbers.map(|number| format!(":{number}"));
        row.name.to_owned() + &numbers.collect::<String>()
    };
    OPERATIONS.iter().map(strong).collect()
}

#[test]
fn every_operation_takes_every_shape_and_is_repeatable() {
    for list in every() {
        for spec in [
            GREY,
            COLOUR,
            ImageSpec::new(1, 1, 1),
            ImageSpec::new(3, 2, 7),
        ] {
            let mut changes = 0;
            let mut used = Scratch::default();
            for index in 0..40 {
                let one = shown(&list, spec, key(1, index));
                changes += usize::from(one != image(spec));
                // With room that another image and shape has left dirty.
                let mut other = image(COLOUR);
                pipeline(&list, COLOUR).apply(&mut other, COLOUR, key(2, index), &mut used);
                let mut again = image(spec);
                pipeline(&list, spec).apply(&mut again, spec, key(1, index), &mut used);
                assert_eq!(one, again, "{list} {spec}");
            }
            let does_nothing = list.starts_with("saturation") && spec.channels == 1;
            assert_eq!(
                changes == 0,
                does_nothing || spec.len() == 1 && changes == 0,
                "{list}"
            );
        }
    }
}

#[test]
fn with_numbers_of_0_nothing_changes() {
    for row in OPERATIONS {
        let zeros = row
            .numbers
            .iter()
            .map(|number| format!(":{}", number.least));
        let list = row.name.to_owned() + &zeros.collect::<String>();
        if row.numbers.is_empty() {
            continue;
        }
        for index in 0..20 {
            assert_eq!(shown(&list, COLOUR, key(1, index)), image(COLOUR), "{list}");
        }
    }
}

#[test]
fn seed_epoch_and_index_each_matter() {
    let list = "crop:3,rotate:20,contrast:0.5";
    let base = shown(list, COLOUR, key(1, 1));
    assert_ne!(base, shown(list, COLOUR, key(2, 1)));
    assert_ne!(base, shown(list, COLOUR, key(1, 2)));
    let epoch = EpochKey { seed: 8, epoch: 1 };
    assert_ne!(base, shown(list, COLOUR, ImageKey { epoch, index: 1 }));
}

#[test]
fn mirroring_twice_is_nothing() {
    let once = after(COLOUR, place::mirror);
    assert_eq!(once[0], image(COLOUR)[COLOUR.width - 1]);
    let twice = after(COLOUR, |canvas| {
        place::mirror(canvas);
        place::mirror(canvas);
    });
    assert_eq!(twice, image(COLOUR));
}

#[test]
fn alternating_flip_shows_both_sides_in_any_two_epochs() {
    let mirrored = after(COLOUR, place::mirror);
    let mut first = 0;
    for index in 0..200 {
        let shown = |epoch| shown("alternating-flip", COLOUR, key(epoch, index));
        for epoch in 1..6 {
            let (one, next) = (shown(epoch), shown(epoch + 1));
            assert_ne!(one, next);
            assert_eq!(one, shown(epoch + 2));
            assert!(one == mirrored || one == image(COLOUR));
        }
        first += usize::from(shown(1) == mirrored);
    }
    assert!((70..130).contains(&first), "{first}");
}

#[test]
fn whole_pixels_are_moved_exactly_by_crop_and_by_interpolation() {
    let before = image(GREY);
    for (right, down) in [(0, 0), (1, 0), (-2, 1), (4, -5), (5, 6), (9, -9)] {
        let moved = after(GREY, |canvas| {
            canvas.transform(affine::Affine::shift(right as f32, down as f32));
        });
        for row in 0..6_isize {
            for column in 0..5_isize {
                let from = (row - down, column - right);
                let inside = (0..6).contains(&from.0) && (0..5).contains(&from.1);
                let expected = match inside {
                    true => before[(from.0 * 5 + from.1) as usize],
                    false => 0,
                };
                assert_eq!(moved[(row * 5 + column) as usize], expected);
            }
        }
        let cropped = after(GREY, |canvas| {
            place::move_by(canvas, -right, -down, Padding::Zero);
        });
        assert_eq!(cropped, moved);
    }
}

#[test]
fn half_a_pixel_is_the_mean_of_two() {
    let moved = after(GREY, |canvas| {
        canvas.transform(affine::Affine::shift(0.5, 0.0))
    });
    let before = image(GREY);
    assert_eq!(moved[0], before[0].div_ceil(2));
    for column in 1..5 {
        let sum = u16::from(before[column - 1]) + u16::from(before[column]);
        assert_eq!(u16::from(moved[column]), sum.div_ceil(2));
    }
}

#[test]
fn a_quarter_turn_goes_clockwise() {
    let spec = ImageSpec::new(1, 3, 3);
    let turned = after(spec, |canvas| {
        canvas.transform(affine::Affine::rotation(90.0))
    });
    let before = image(spec);
    for row in 0..3 {
        for column in 0..3 {
            assert_eq!(turned[column * 3 + 2 - row], before[row * 3 + column]);
        }
    }
}

#[test]
fn reflection_does_not_repeat_the_border() {
    let spec = ImageSpec::new(1, 1, 4);
    let moved = |right| {
        after(spec, |canvas| {
            place::move_by(canvas, right, 0, Padding::Reflect)
        })
    };
    let before = image(spec);
    let picked = |places: [usize; 4]| places.map(|place| before[place]).to_vec();
    assert_eq!(moved(-2), picked([2, 1, 0, 1]));
    assert_eq!(moved(3), picked([3, 2, 1, 0]));
    assert_eq!(moved(7), picked([1, 2, 3, 2]));
}

#[test]
fn cutout_blanks_a_square_or_what_is_inside_of_it() {
    let spec = ImageSpec::new(3, 20, 20);
    let mut whole = 0;
    for index in 0..200 {
        let mut pixels = vec![255; spec.len()];
        pipeline("cutout:8", spec).apply(&mut pixels, spec, key(1, index), &mut Scratch::default());
        let blank = pixels.iter().filter(|&&value| value == 128).count();
        assert!((3 * 16..=3 * 64).contains(&blank), "{blank}");
        whole += usize::from(blank == 3 * 64);
    }
    // 13 of 20 places along each side leave it whole.
    assert!((50..120).contains(&whole), "{whole}");
}

#[test]
#[ignore = "measures: images/s of augmentation on one thread, with --nocapture"]
#[allow(clippy::print_stdout)]
fn augmentation_alone() {
    for (look, spec, preset, least) in [
        (Look::Digits, ImageSpec::MNIST, "basic", 100_000.0),
        (Look::Digits, ImageSpec::MNIST, "strong", 15_000.0),
        (Look::Clothes, ImageSpec::MNIST, "basic", 100_000.0),
        (Look::Clothes, ImageSpec::MNIST, "strong", 100_000.0),
        (Look::Photos, ImageSpec::CIFAR, "basic", 100_000.0),
        (Look::Photos, ImageSpec::CIFAR, "strong", 15_000.0),
    ] {
        let preset_text: Augmentation = preset.parse().expect(preset);
        let pipeline = preset_text.pipeline(look, spec).expect("allowed");
        let pipeline = pipeline.expect("something is done");
        let (before, mut scratch) = (image(spec), Scratch::default());
        let mut pixels = before.clone();
        let mut speed = || {
            let start = Instant::now();
            for index in 0..10_000 {
                pixels.copy_from_slice(&before);
                pipeline.apply(&mut pixels, spec, key(1, index), &mut scratch);
            }
            10_000.0 / start.elapsed().as_secs_f64()
        };
        let speed = (0..5).map(|_| speed()).fold(0.0, f64::max);
        println!("{look:?} {spec} {preset} ({pipeline}): {speed:.0} images/s");
        assert!(speed > least);
    }
}
