//! Training on other images than the division gives: a bootstrap sample, or a
//! few batches that are to be learned by heart.

use crate::{LabError, Settings, data::TrainingData};
use kiln_training::Feed;
use kiln_vision::bootstrap;

/// `data` as `data.bootstrap` and `train.overfit_batches` have it.
pub(crate) fn sampled(
    settings: &Settings,
    mut data: TrainingData,
) -> Result<TrainingData, LabError> {
    if settings.data.bootstrap {
        data.train.indices = bootstrap(&data.train.indices, settings.train.seed);
    }
    match settings.train.overfit_batches {
        0 => Ok(data),
        batches => by_heart(data, batches),
    }
}

/// Trains on the images of the first `batches` batches of the first epoch, as
/// they are, and validates on the same ones.
fn by_heart(mut data: TrainingData, batches: usize) -> Result<TrainingData, LabError> {
    let there = data.train.batches();
    if batches > there {
        return Err(LabError::usage(format!(
            "train.overfit_batches is {batches}, but the {} training images make only {there} batches of {}",
            data.train.indices.len(),
            data.train.order.batch_size
        )));
    }
    // In the order of an epoch, because folders are sorted by class.
    let mut indices = data.train.order.indices(&data.train.indices, 1);
    indices.truncate(batches * data.train.order.batch_size);
    indices.sort_unstable();
    data.train.indices = indices;
    data.valid = data.train.unchanged(data.train.order.batch_size);
    data.train = Feed {
        order: data.train.order,
        ..data.valid.clone()
    };
    Ok(data)
}
