//! When a training in progress is saved, and what of it.

use super::{
    checkpoints::{CheckpointState, Saved},
    fit::{FitError, StopReason},
    learning::Learning,
    session::Session,
};
use crate::classifier::Trainable;
use kiln_weights::{WeightsError, weights_sha256};
use std::time::Instant;

impl<N: Trainable> Session<'_, N> {
    /// Saves after a stop that was asked for; an error leaves the checkpoints
    /// as they are.
    pub(super) fn save_interrupted(&mut self, learning: &Learning<N>, epoch: usize) {
        self.settle(epoch);
        if self.interrupter.error().is_some() || self.strategy.progress().error.is_some() {
            return;
        }
        self.strategy.progress().reason = StopReason::Interrupted;
        self.save(learning, epoch - 1, false);
    }

    /// Saves between two steps of an epoch.
    pub(super) fn save_inside(&mut self, learning: &Learning<N>, epoch: usize) {
        self.settle(epoch);
        if !self.stopped() {
            self.save(learning, epoch - 1, false);
        }
    }

    pub(super) fn save(&mut self, learning: &Learning<N>, epoch: usize, is_best: bool) {
        let start = Instant::now();
        if let Err(error) = self.write(learning, epoch, is_best) {
            self.strategy.fail(error);
        }
        self.saved = (learning.steps, Instant::now());
        self.strategy.progress().phases.checkpoints += start.elapsed().as_secs_f64();
    }

    fn write(
        &mut self,
        learning: &Learning<N>,
        epoch: usize,
        is_best: bool,
    ) -> Result<(), FitError> {
        let network = learning.result();
        let weights_sha256 = weights_sha256(&network).map_err(|error| match error {
            WeightsError::NotFinite(name) => FitError::Diverged {
                step: learning.steps,
                epoch: epoch + usize::from(self.batch > 0),
                lr: self.strategy.lr,
                place: format!(", in {name}"),
            },
            error => error.into(),
        })?;
        let state = {
            let progress = self.strategy.progress();
            let last = progress.epochs.last();
            CheckpointState {
                step: learning.steps,
                epoch,
                batch: self.batch,
                val_loss: last.and_then(|record| record.val_loss),
                val_accuracy: last.and_then(|record| record.val_accuracy),
                weights_sha256,
                epochs: progress.epochs.clone(),
                account: self.strategy.account.lock().clone(),
                epoch_seconds: self.epoch_seconds,
                phases: progress.phases,
                ..CheckpointState::default()
            }
        };
        let raw = learning.average.is_some();
        let saved = Saved {
            model: network.into_record(),
            raw: raw.then(|| learning.trainee.network.valid().into_record()),
            optimizer: learning.optimizer.to_record(),
            scheduler: learning.scheduler.to_record(),
        };
        Ok(self.writer.save(saved, state, is_best)?)
    }
}
