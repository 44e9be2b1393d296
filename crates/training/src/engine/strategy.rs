//! The training loop: burn-train's single-device strategy, except that it
//! saves when it is stopped, moves by steps, sees a diverged loss, and keeps
//! its own account of what happened.

use super::{
    checkpoints::{CheckpointState, Writer},
    fit::{EpochRecord, FitError, Phases, Reporter, Stop, StopReason, panic_error},
    learning::Learning,
    ledger::OnDivergence,
};
use crate::classifier::{StepClock, Trainable, Trainee};
use burn::{
    lr_scheduler::module_lr_scheduler::ModuleLrScheduler,
    module::Module,
    optim::ModuleOptimizer,
    train::{
        EventProcessorTraining, InferenceStep, Interrupter, Learner, LearnerEvent,
        SupervisedLearningStrategy, SupervisedTrainingEventProcessor, TrainLoader,
        TrainingComponents, TrainingItem, ValidLoader,
        metric::store::{Aggregate, EventStoreClient, Split},
    },
};
use kiln_weights::{WeightsError, weights_sha256};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::PathBuf,
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
    /// The run folder.
    pub folder: PathBuf,
    /// The optimizer and the schedule before the first step. Burn-train's
    /// learner would clone the network for every step.
    pub optimizer: ModuleOptimizer,
    pub scheduler: ModuleLrScheduler,
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
    writer: Writer,
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
        learner: Learner<Trainee<N>>,
        train: TrainLoader<Trainee<N>>,
        valid: ValidLoader<Trainee<N>>,
        starting_epoch: usize,
    ) -> (Trainee<N>, SupervisedTrainingEventProcessor<Trainee<N>>) {
        let mut session = Session {
            strategy: self,
            interrupter: components.interrupter,
            events: components.event_store,
            processor: components.event_processor,
            writer: Writer::new(&self.folder),
        };
        let mut learning = Learning {
            trainee: learner.model(),
            optimizer: self.optimizer.clone(),
            scheduler: self.scheduler.clone(),
            lr: self.lr.into(),
        };
        drop(learner);
        for epoch in starting_epoch..=components.num_epochs {
            let run = || session.epoch(epoch, learning, &train, &valid);
            learning = match catch_unwind(AssertUnwindSafe(run)) {
                Ok(learning) => learning,
                Err(panic) => session.give_up(panic),
            };
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
        (learning.trainee, session.processor)
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

    /// Closes the dashboard as after any end and goes on panicking: the network
    /// is lost.
    fn give_up(mut self, panic: Box<dyn Any + Send>) -> ! {
        self.strategy.fail(panic_error(panic.as_ref()));
        self.send_train(LearnerEvent::End(None));
        drop(self.processor.renderer());
        resume_unwind(panic)
    }

    /// Trains one epoch, validates, saves, reports.
    fn epoch(
        &mut self,
        epoch: usize,
        learning: Learning<N>,
        train: &TrainLoader<Trainee<N>>,
        valid: &ValidLoader<Trainee<N>>,
    ) -> Learning<N> {
        let start = Instant::now();
        self.send_train(LearnerEvent::StartSplit {
            epoch_number: epoch,
            total_items: train.num_items(),
        });
        let (learning, batch) = self.train(learning, train);
        self.send_train(LearnerEvent::EndSplit(epoch));
        let train_seconds = start.elapsed().as_secs_f64();
        if self.stopped() {
            self.save_interrupted(&learning, epoch, batch);
            return learning;
        }

        let validation = Instant::now();
        if valid.num_items() > 0 {
            self.send_valid(LearnerEvent::StartSplit {
                epoch_number: epoch,
                total_items: valid.num_items(),
            });
            self.validate(&learning, valid);
            self.send_valid(LearnerEvent::EndSplit(epoch));
        }
        self.send_train(LearnerEvent::EndEpoch(epoch));
        let means = self.means(epoch);
        self.strategy.progress().phases.validation += validation.elapsed().as_secs_f64();
        if self.stopped() {
            self.save_interrupted(&learning, epoch, batch);
            return learning;
        }
        let record = EpochRecord {
            epoch,
            step: self.strategy.progress().step,
            lr: learning.lr.base(),
            train_loss: means.train_loss.unwrap_or(f64::NAN),
            train_accuracy: means.train_accuracy.unwrap_or(f64::NAN),
            val_loss: means.val_loss,
            val_accuracy: means.val_accuracy,
            seconds: start.elapsed().as_secs_f64(),
            images_per_second: train.num_items() as f64 / train_seconds,
        };
        self.strategy.progress().epochs.push(record.clone());
        self.save(&learning, epoch, 0);
        let mut progress = self.strategy.progress();
        if let Err(cause) = (progress.reporter)(&record) {
            progress.error.get_or_insert(FitError::Report(cause));
        }
        drop(progress);
        learning
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

    /// The steps of one epoch; also gives the number of batches done.
    fn train(
        &mut self,
        mut learning: Learning<N>,
        loader: &TrainLoader<Trainee<N>>,
    ) -> (Learning<N>, usize) {
        let mut iterator = loader.iter();
        let mut batches = 0;
        loop {
            let asked = Instant::now();
            let batch = match iterator.next() {
                Some(Ok(batch)) => batch,
                Some(Err(error)) => {
                    self.interrupter.fail(error);
                    return (learning, batches);
                }
                None => return (learning, batches),
            };
            let loaded = Instant::now();
            let (next, output, passed) = learning.step(batch);
            let optimized = Instant::now();
            learning = next;
            batches += 1;
            self.strategy.progress().step += 1;
            self.send_train(LearnerEvent::ProcessedItem(TrainingItem::new(
                output,
                iterator.progress(),
                Some(batches),
                Some(learning.lr.clone()),
            )));
            let mut progress = self.strategy.progress();
            progress.phases.loader += (loaded - asked).as_secs_f64();
            progress.phases.optimizer += (optimized - passed).as_secs_f64();
            progress.phases.metrics += optimized.elapsed().as_secs_f64();
            drop(progress);
            if self.stopped() {
                return (learning, batches);
            }
        }
    }

    fn validate(&mut self, learning: &Learning<N>, loader: &ValidLoader<Trainee<N>>) {
        let model = learning.trainee.valid();
        let mut iterator = loader.iter();
        let mut batches = 0;
        while let Some(item) = iterator.next() {
            match item {
                Ok(batch) => {
                    batches += 1;
                    self.send_valid(LearnerEvent::ProcessedItem(TrainingItem::new(
                        InferenceStep::step(&model, batch),
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
    fn save_interrupted(&mut self, learning: &Learning<N>, epoch: usize, batch: usize) {
        self.means(epoch);
        if self.interrupter.error().is_some() || self.strategy.progress().error.is_some() {
            return;
        }
        self.strategy.progress().reason = StopReason::Interrupted;
        self.save(learning, epoch - 1, batch);
    }

    fn save(&mut self, learning: &Learning<N>, epoch: usize, batch: usize) {
        let start = Instant::now();
        let network = &learning.trainee.network;
        let weights = match weights_sha256(network) {
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
        let saved = self.writer.save(
            network.clone().into_record(),
            learning.optimizer.to_record(),
            learning.scheduler.to_record(),
            state,
        );
        if let Err(error) = saved {
            self.strategy.fail(error.into());
        }
        self.strategy.progress().phases.checkpoints += start.elapsed().as_secs_f64();
    }
}
