//! The training loop: burn-train's single-device strategy, except that it
//! saves when it is stopped, moves by steps, sees a diverged loss, and keeps
//! its own account of what happened.

use super::{
    checkpoints::{CheckpointState, Writer},
    fit::{EpochRecord, FitError, Phases, Reporter, Stop, StopReason, panic_error},
    ledger::OnDivergence,
};
use crate::classifier::{StepClock, Trainable, Trainee};
use burn::{
    module::Module,
    train::{
        EventProcessorTraining, InferenceStep, Interrupter, Learner, LearnerEvent,
        LearningCheckpointer, SupervisedLearningStrategy, SupervisedTrainingEventProcessor,
        TrainLoader, TrainingComponents, TrainingItem, ValidLoader,
        metric::store::{Aggregate, EventStoreClient, Split},
    },
};
use kiln_weights::{WeightsError, weights_sha256};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

/// The account of a training.
pub(super) struct Progress {
    pub step: usize,
    pub epochs: Vec<EpochRecord>,
    pub reason: StopReason,
    pub phases: Phases,
    pub error: Option<FitError>,
    reporter: Reporter,
}

impl Progress {
    pub fn new(reporter: Reporter) -> Self {
        Self {
            step: 0,
            epochs: Vec::new(),
            reason: StopReason::Completed,
            phases: Phases::default(),
            error: None,
            reporter,
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new(Box::new(|_| Ok(())))
    }
}

/// What the loop shares with the world outside burn-train.
pub(super) struct Strategy {
    pub writer: Writer,
    pub progress: Arc<Mutex<Progress>>,
    pub clock: Arc<StepClock>,
    /// The dashboard has an interrupter of its own, because it resets it at
    /// the end and would wipe an error away.
    pub dashboard: Interrupter,
    pub lr: f64,
}

/// What stays the same during one call of `fit`.
struct Session<'a, N: Trainable> {
    strategy: &'a Strategy,
    interrupter: Interrupter,
    events: Arc<EventStoreClient>,
    processor: SupervisedTrainingEventProcessor<Trainee<N>>,
    checkpointer: Option<LearningCheckpointer<Trainee<N>>>,
}

/// Means of an epoch; none where nothing was counted.
struct Means {
    train_loss: Option<f64>,
    train_accuracy: Option<f64>,
    val_loss: Option<f64>,
    val_accuracy: Option<f64>,
}

impl Strategy {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the first error.
    fn fail(&self, error: FitError) {
        self.progress().error.get_or_insert(error);
    }

    /// Stops the training when the loss is no number any more.
    pub fn divergence_watch(&self, stop: &Stop) -> OnDivergence {
        let (progress, interrupter, lr) = (self.progress.clone(), stop.0.clone(), self.lr);
        Box::new(move |step, epoch| {
            let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
            progress
                .error
                .get_or_insert(FitError::Diverged { step, epoch, lr });
            interrupter.stop(Some("diverged"));
        })
    }
}

impl<N: Trainable> SupervisedLearningStrategy<Trainee<N>> for Strategy {
    fn fit(
        &self,
        components: TrainingComponents<Trainee<N>>,
        mut learner: Learner<Trainee<N>>,
        train: TrainLoader<Trainee<N>>,
        valid: ValidLoader<Trainee<N>>,
        starting_epoch: usize,
    ) -> (Trainee<N>, SupervisedTrainingEventProcessor<Trainee<N>>) {
        let mut session = Session {
            strategy: self,
            interrupter: components.interrupter,
            events: components.event_store,
            processor: components.event_processor,
            checkpointer: components.checkpointer,
        };
        for epoch in starting_epoch..=components.num_epochs {
            // Caught here, so that the dashboard is closed as after any end.
            let run = || session.epoch(epoch, &mut learner, &train, &valid);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
                self.fail(panic_error(panic.as_ref()));
                break;
            }
            if session.stopped() {
                if epoch < components.num_epochs {
                    self.progress().reason = StopReason::Interrupted;
                }
                break;
            }
        }
        let mut progress = self.progress();
        let seconds = |clock: &std::sync::atomic::AtomicU64| {
            Duration::from_nanos(clock.load(Ordering::Relaxed)).as_secs_f64()
        };
        progress.phases.forward = seconds(&self.clock.forward);
        progress.phases.backward = seconds(&self.clock.backward);
        if let Some(error) = session.interrupter.error() {
            let error = FitError::Training(error.to_string());
            progress.error.get_or_insert(error);
        }
        (learner.model(), session.processor)
    }
}

impl<N: Trainable> Session<'_, N> {
    /// Whether to end, asked from outside, by the dashboard or by an error.
    fn stopped(&self) -> bool {
        if self.strategy.dashboard.should_stop() {
            self.interrupter.stop(Some("stopped from the dashboard"));
        }
        self.interrupter.should_stop() || self.strategy.progress().error.is_some()
    }

    fn send_train(&mut self, event: LearnerEvent<burn::train::ClassificationOutput>) {
        let result = self.processor.process_train(event);
        self.interrupter.fail_on_error(result);
    }

    fn send_valid(&mut self, event: LearnerEvent<burn::train::ClassificationOutput>) {
        let result = self.processor.process_valid(event);
        self.interrupter.fail_on_error(result);
    }

    /// Trains one epoch, validates, saves, reports.
    fn epoch(
        &mut self,
        epoch: usize,
        learner: &mut Learner<Trainee<N>>,
        train: &TrainLoader<Trainee<N>>,
        valid: &ValidLoader<Trainee<N>>,
    ) {
        let start = Instant::now();
        self.send_train(LearnerEvent::StartSplit {
            epoch_number: epoch,
            total_items: train.num_items(),
        });
        let batch = self.train(learner, train);
        self.send_train(LearnerEvent::EndSplit(epoch));
        let train_seconds = start.elapsed().as_secs_f64();
        if self.stopped() {
            return self.save_interrupted(learner, epoch, batch);
        }

        let validation = Instant::now();
        if valid.num_items() > 0 {
            self.send_valid(LearnerEvent::StartSplit {
                epoch_number: epoch,
                total_items: valid.num_items(),
            });
            self.validate(learner, valid);
            self.send_valid(LearnerEvent::EndSplit(epoch));
        }
        self.send_train(LearnerEvent::EndEpoch(epoch));
        let means = self.means(epoch);
        self.strategy.progress().phases.validation += validation.elapsed().as_secs_f64();
        if self.stopped() {
            return self.save_interrupted(learner, epoch, batch);
        }
        let step = self.strategy.progress().step;
        let record = EpochRecord {
            epoch,
            step,
            lr: learner.lr_current().base(),
            train_loss: means.train_loss.unwrap_or(f64::NAN),
            train_accuracy: means.train_accuracy.unwrap_or(f64::NAN),
            val_loss: means.val_loss,
            val_accuracy: means.val_accuracy,
            seconds: start.elapsed().as_secs_f64(),
            images_per_second: train.num_items() as f64 / train_seconds,
        };
        self.strategy.progress().epochs.push(record.clone());
        self.save(learner, epoch, 0);
        let mut progress = self.strategy.progress();
        if let Err(cause) = (progress.reporter)(&record) {
            progress.error.get_or_insert(FitError::Report(cause));
        }
    }

    /// The means of an epoch so far. Waits until every metric has been counted,
    /// so that after this a diverged loss is known. Nothing may be locked.
    fn means(&mut self, epoch: usize) -> Means {
        let flushed = self.processor.flush();
        self.interrupter.fail_on_error(flushed);
        let mean = |name, split| {
            self.events
                .find_metric(name, epoch, Aggregate::Mean, &split)
        };
        let share = |percent: f64| percent / 100.0;
        Means {
            train_loss: mean("Loss", Split::Train),
            train_accuracy: mean("Accuracy", Split::Train).map(share),
            val_loss: mean("Loss", Split::Valid),
            val_accuracy: mean("Accuracy", Split::Valid).map(share),
        }
    }

    /// The steps of one epoch; gives the number of batches done.
    fn train(
        &mut self,
        learner: &mut Learner<Trainee<N>>,
        loader: &TrainLoader<Trainee<N>>,
    ) -> usize {
        let mut iterator = loader.iter();
        let mut batches = 0;
        loop {
            let asked = Instant::now();
            let Some(item) = iterator.next() else {
                return batches;
            };
            let batch = match item {
                Ok(batch) => batch,
                Err(error) => {
                    self.interrupter.fail(error);
                    return batches;
                }
            };
            let loaded = Instant::now();
            let output = learner.train_step(batch);
            let passed = Instant::now();
            learner.lr_step();
            learner.optimizer_step(output.grads);
            let optimized = Instant::now();
            batches += 1;
            self.strategy.progress().step += 1;
            self.send_train(LearnerEvent::ProcessedItem(TrainingItem::new(
                output.item,
                iterator.progress(),
                Some(batches),
                Some(learner.lr_current()),
            )));
            let mut progress = self.strategy.progress();
            progress.phases.loader += (loaded - asked).as_secs_f64();
            progress.phases.optimizer += (optimized - passed).as_secs_f64();
            progress.phases.metrics += optimized.elapsed().as_secs_f64();
            drop(progress);
            if self.stopped() {
                return batches;
            }
        }
    }

    fn validate(&mut self, learner: &Learner<Trainee<N>>, loader: &ValidLoader<Trainee<N>>) {
        let model = learner.model().valid();
        let mut iterator = loader.iter();
        let mut batches = 0;
        while let Some(item) = iterator.next() {
            match item {
                Ok(batch) => {
                    batches += 1;
                    self.send_valid(LearnerEvent::ProcessedItem(TrainingItem::new(
                        model.step(batch),
                        iterator.progress(),
                        Some(batches),
                        None,
                    )));
                }
                Err(error) => self.interrupter.fail(error),
            }
            if self.stopped() {
                return;
            }
        }
    }

    /// Saves after a stop that was asked for; an error leaves the checkpoints
    /// as they are.
    fn save_interrupted(&mut self, learner: &Learner<Trainee<N>>, epoch: usize, batch: usize) {
        self.means(epoch);
        if self.interrupter.error().is_some() || self.strategy.progress().error.is_some() {
            return;
        }
        self.strategy.progress().reason = StopReason::Interrupted;
        self.save(learner, epoch - 1, batch);
    }

    fn save(&mut self, learner: &Learner<Trainee<N>>, epoch: usize, batch: usize) {
        let start = Instant::now();
        let network = learner.model().network;
        let weights = match weights_sha256(&network) {
            Ok(weights) => weights,
            Err(WeightsError::NotFinite(_)) => {
                let (step, lr) = (self.strategy.progress().step, self.strategy.lr);
                let epoch = epoch + usize::from(batch > 0);
                return self.strategy.fail(FitError::Diverged { step, epoch, lr });
            }
            Err(error) => return self.strategy.fail(error.into()),
        };
        let (step, last) = {
            let progress = self.strategy.progress();
            (progress.step, progress.epochs.last().cloned())
        };
        let state = CheckpointState {
            step,
            epoch,
            batch,
            val_loss: last.as_ref().and_then(|record| record.val_loss),
            val_accuracy: last.and_then(|record| record.val_accuracy),
            weights_sha256: weights,
        };
        if let Some(checkpointer) = &mut self.checkpointer {
            self.strategy.writer.begin(network.into_record(), state);
            checkpointer.checkpoint(learner, step, &self.events);
            if let Err(error) = self.strategy.writer.finish() {
                self.strategy.fail(error.into());
            }
        }
        self.strategy.progress().phases.checkpoints += start.elapsed().as_secs_f64();
    }
}
