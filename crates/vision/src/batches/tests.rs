//! The order of batches, and what it may not depend on.

use super::*;
use crate::{Augmentation, ImageSpec, Look, Preprocessing};

fn images() -> Arc<Images> {
    let pixels = (0..100).collect();
    let labels = (0..25).map(|i| i % 5).collect();
    Arc::new(Images::new(ImageSpec::new(1, 2, 2), pixels, labels, 5).expect("valid"))
}

fn epoch(order: BatchOrder, epoch: u64, workers: usize) -> Vec<HostBatch> {
    let images = images();
    let all: Vec<u32> = (0..25).collect();
    let indices = order.indices(&all, epoch);
    Batches::start(plan(images, indices, order.batch_size), 0, workers).collect()
}

fn plan(images: Arc<Images>, indices: Vec<u32>, batch_size: usize) -> Epoch {
    Epoch {
        normalization: Normalization::fit(Preprocessing::None, &images, &indices),
        images,
        indices,
        batch_size,
        key: EpochKey { seed: 1, epoch: 1 },
        augment: None,
        mixing: None,
        noise: None,
    }
}

const ORDER: BatchOrder = BatchOrder {
    batch_size: 4,
    shuffle: Some(1),
    drop_last: false,
};

#[test]
fn any_number_of_workers_gives_the_same_batches() {
    let alone = epoch(ORDER, 3, 0);
    assert_eq!(alone.len(), 7);
    for workers in [1, 2, 3, 16] {
        assert_eq!(epoch(ORDER, 3, workers), alone);
    }
}

#[test]
fn seed_and_epoch_decide_the_order() {
    assert_eq!(epoch(ORDER, 1, 0), epoch(ORDER, 1, 0));
    assert_ne!(epoch(ORDER, 1, 0), epoch(ORDER, 2, 0));
    let other = BatchOrder {
        shuffle: Some(2),
        ..ORDER
    };
    assert_ne!(epoch(ORDER, 1, 0), epoch(other, 1, 0));
}

#[test]
fn an_epoch_shows_every_image_once() {
    let mut labels: Vec<_> = epoch(ORDER, 1, 2)
        .into_iter()
        .flat_map(|b| b.values)
        .collect();
    labels.sort_by(f32::total_cmp);
    let expected: Vec<_> = (0..100).map(|byte| byte as f32 / 255.0).collect();
    assert_eq!(labels, expected);
}

#[test]
fn the_last_batch_is_short_or_dropped() {
    assert_eq!(
        epoch(ORDER, 1, 1).last().map(|batch| batch.labels.len()),
        Some(1)
    );
    let dropping = BatchOrder {
        drop_last: true,
        ..ORDER
    };
    assert_eq!(epoch(dropping, 1, 1).len(), 6);
    assert_eq!(dropping.batches(25), 6);
}

#[test]
fn leaving_an_epoch_early_ends_its_threads() {
    let images = images();
    let mut batches = Batches::start(plan(images.clone(), (0..25).collect(), 1), 0, 2);
    assert!(batches.next().is_some());
    drop(batches);
    while Arc::strong_count(&images) > 1 {
        thread::yield_now();
    }
}

/// Everything that changes images, in epoch `epoch`.
fn changing(indices: Vec<u32>, batch_size: usize, epoch: u64) -> Epoch {
    let spec = ImageSpec::new(3, 8, 9);
    let pixels = (0..30 * spec.len()).map(|at| (at * 37 % 241) as u8);
    let labels = (0..30).map(|i| i % 7).collect();
    let images = Images::new(spec, pixels.collect(), labels, 7).expect("valid");
    let list: Augmentation =
        "crop:2,rotate:20,shift:1,elastic:5:2,alternating-flip,randaugment:2:9,contrast:0.3,cutout:3"
            .parse()
            .expect("a list");
    Epoch {
        key: EpochKey { seed: 1, epoch },
        augment: list.pipeline(Look::Photos, spec).expect("allowed"),
        ..plan(Arc::new(images), indices, batch_size)
    }
}

#[test]
fn augmentation_and_noise_depend_on_seed_epoch_and_image_alone() {
    let show = |indices: Vec<u32>, epoch, workers| {
        let mut plan = changing(indices, 1, epoch);
        plan.noise = Some(0.1);
        Batches::start(plan, 0, workers)
            .map(|batch| batch.values)
            .collect::<Vec<_>>()
    };
    let alone = show((0..25).collect(), 1, 0);
    assert_eq!(show((0..25).collect(), 1, 3), alone);
    assert_eq!(
        show(vec![24, 3], 1, 2),
        [alone[24].clone(), alone[3].clone()]
    );
    assert_ne!(show((0..25).collect(), 2, 0), alone);
}

#[test]
fn an_epoch_can_begin_with_any_batch() {
    let plan = || {
        let mut plan = changing((0..30).rev().collect(), 4, 3);
        plan.mixing = Mixing::new(0.4, 1.0).expect("valid");
        plan.noise = Some(0.1);
        plan
    };
    let whole: Vec<_> = Batches::start(plan(), 0, 0).collect();
    assert_eq!(whole.len(), 8);
    assert!(whole.iter().all(|batch| batch.mixed.is_some()));
    for workers in 0..4 {
        for first in 0..10 {
            let tail: Vec<_> = Batches::start(plan(), first, workers).collect();
            assert_eq!(tail, whole[first.min(8)..], "{first} {workers}");
        }
    }
}

#[test]
fn noise_has_the_deviation_asked_for() {
    let show = |noise| {
        let mut plan = changing((0..30).collect(), 30, 1);
        plan.noise = noise;
        Batches::start(plan, 0, 0).next().expect("a batch").values
    };
    let (plain, noisy) = (show(None), show(Some(0.25)));
    let pairs = plain.iter().zip(&noisy);
    let square: f32 = pairs.map(|(plain, noisy)| (noisy - plain).powi(2)).sum();
    let deviation = (square / plain.len() as f32).sqrt();
    assert!((deviation - 0.25).abs() < 0.01, "{deviation}");
}
