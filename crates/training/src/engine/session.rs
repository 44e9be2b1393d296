//! One training in progress: its steps, its validation, its checkpoints.

use super::{
    checkpoints::Writer,
    fit::{EpochRecord, FitError},
    learning::{Learning, Odd, Stepped},
    output::{GradientNorm, Output},
    probe::{gradient_place, loss_place},
    reading::Readings,
    strategy::Strategy,
    weights::{share_of_zeros, sparsity, weight_norm},
};
use crate::{
    Batch,
    classifier::{Trainable, Trainee},
    random::step_seed,
};
use burn::{
    data::dataloader::DataLoaderIterator,
    module::Module,
    train::{
        EventProcessorTraining, InferenceStep, Interrupter, LearnerEvent,
        SupervisedTrainingEventProcessor, TrainLoader, TrainingItem, ValidLoader,
        metric::store::{Aggregate, EventStoreClient, Split},
    },
};
use std::{sync::Arc, time::Instant};

/// Both loaders.
type Loaders<'a, N> = (&'a TrainLoader<Trainee<N>>, &'a ValidLoader<Trainee<N>>);

/// What stays the same during one call of `fit`.
pub(super) struct Session<'a, N: Trainable> {
    pub(super) strategy: &'a Strategy<N>,
    pub interrupter: Interrupter,
    events: Arc<EventStoreClient>,
    processor: SupervisedTrainingEventProcessor<Trainee<N>>,
    pub(super) writer: Writer,
    /// Batches of the running epoch done, and seconds spent on them.
    pub(super) batch: usize,
    pub(super) epoch_seconds: f64,
    /// What is known of the weights.
    weights: Readings,
    pub(super) saved: (usize, Instant),
}

impl<'a, N: Trainable> Session<'a, N> {
    pub fn new(
        strategy: &'a Strategy<N>,
        interrupter: Interrupter,
        events: Arc<EventStoreClient>,
        processor: SupervisedTrainingEventProcessor<Trainee<N>>,
        writer: Writer,
    ) -> Self {
        let state = strategy.resume.as_ref().map(|(resume, _)| &resume.state);
        Self {
            strategy,
            interrupter,
            events,
            processor,
            writer,
            batch: state.map_or(0, |state| state.batch),
            epoch_seconds: state.map_or(0.0, |state| state.epoch_seconds),
            weights: Readings::default(),
            saved: (state.map_or(0, |state| state.step), Instant::now()),
        }
    }

    /// Gives back what outlives the session.
    pub fn end(self) -> SupervisedTrainingEventProcessor<Trainee<N>> {
        self.processor
    }

    /// Whether to end, asked from outside, by the dashboard or by an error.
    pub fn stopped(&self) -> bool {
        if self.strategy.dashboard.should_stop() {
            self.interrupter.stop(Some("stopped from the dashboard"));
        }
        self.interrupter.should_stop() || self.strategy.progress().error.is_some()
    }

    fn send_train(&mut self, event: LearnerEvent<Output>) {
        let result = self.processor.process_train(event);
        self.interrupter.fail_on_error(result);
    }

    fn send_valid(&mut self, event: LearnerEvent<Output>) {
        let result = self.processor.process_valid(event);
        self.interrupter.fail_on_error(result);
    }

    /// Trains what is left of an epoch, validates, saves, reports.
    pub fn epoch(
        &mut self,
        epoch: usize,
        learning: Learning<N>,
        (train, valid): Loaders<'_, N>,
    ) -> Learning<N> {
        self.send_train(LearnerEvent::StartSplit {
            epoch_number: epoch,
            total_items: train.num_items(),
        });
        if self.strategy.watched && self.weights.weight_norm.is_none() {
            self.weights = Readings::of_weights(&learning.result());
        }
        let learning = self.train(epoch, learning, train);
        self.send_train(LearnerEvent::EndSplit(epoch));
        if self.stopped() {
            self.save_interrupted(&learning, epoch);
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
        self.settle(epoch);
        let validating = validation.elapsed().as_secs_f64();
        self.strategy.progress().phases.validation += validating;
        if self.stopped() {
            self.save_interrupted(&learning, epoch);
            return learning;
        }
        let seconds = (self.epoch_seconds, validating);
        let record = self.record(epoch, &learning, train.num_items(), seconds);
        self.complete(record, &learning);
        learning
    }

    /// Waits until every metric has been counted, so that after this the
    /// account is complete and a diverged loss is known. Nothing may be locked.
    pub(super) fn settle(&mut self, epoch: usize) {
        let flushed = self.processor.flush();
        self.interrupter.fail_on_error(flushed);
        // The store answers when it has done what was asked before.
        let _ = self
            .events
            .find_metric("Loss", epoch, Aggregate::Mean, &Split::Train);
    }

    /// What the account says of an epoch that is over.
    fn record(
        &self,
        epoch: usize,
        learning: &Learning<N>,
        images: usize,
        (training, validating): (f64, f64),
    ) -> EpochRecord {
        let mut account = self.strategy.account.lock();
        let mut mean = |name, split| account.mean(name, &split);
        let share = |percent: f64| percent / 100.0;
        let network = learning.result();
        let by_layer = sparsity(&network);
        EpochRecord {
            epoch,
            step: self.strategy.progress().step,
            lr: learning.lr.base(),
            train_loss: mean("Loss", Split::Train).unwrap_or(f64::NAN),
            train_accuracy: mean("Accuracy", Split::Train).map_or(f64::NAN, share),
            train_top5: mean(TOP5, Split::Train).map(share),
            val_loss: mean("Loss", Split::Valid),
            val_accuracy: mean("Accuracy", Split::Valid).map(share),
            val_top5: mean(TOP5, Split::Valid).map(share),
            gradient_norm: mean(GradientNorm::NAME, Split::Train),
            weight_norm: weight_norm(&network),
            zeros: share_of_zeros(&by_layer),
            zeros_by_layer: match self.strategy.regularization.l1 > 0.0 {
                true => by_layer
                    .into_iter()
                    .map(|(name, (zeros, all))| (name, zeros as f64 / all as f64))
                    .collect(),
                false => Vec::new(),
            },
            seconds: training + validating,
            images_per_second: images as f64 / training,
            memory_bytes: (self.strategy.memory)(),
        }
    }

    /// Closes an epoch: judges it, saves, reports.
    fn complete(&mut self, record: EpochRecord, learning: &Learning<N>) {
        let is_best = {
            let mut progress = self.strategy.progress();
            progress.epochs.push(record.clone());
            let verdict = self.strategy.early_stop.judge(&progress.epochs);
            if let Some(why) = verdict.stop {
                progress.end_early(why);
            }
            verdict.is_best
        };
        if let Some(loss) = record.val_loss {
            self.strategy.schedule.observe(loss);
        }
        self.strategy.account.lock().next_epoch();
        (self.batch, self.epoch_seconds) = (0, 0.0);
        self.weights = Readings {
            weight_norm: Some(record.weight_norm),
            zeros: Some(100.0 * record.zeros),
            ..Readings::default()
        };
        self.save(learning, record.epoch, is_best);
        let mut progress = self.strategy.progress();
        if let Err(cause) = (progress.reporter)(&record) {
            progress.error.get_or_insert(FitError::Report(cause));
        }
    }

    /// The steps that are left of an epoch.
    fn train(
        &mut self,
        epoch: usize,
        mut learning: Learning<N>,
        loader: &TrainLoader<Trainee<N>>,
    ) -> Learning<N> {
        let mut iterator = loader.iter();
        let mut error = None;
        loop {
            let begin = Instant::now();
            let mut waited = 0.0;
            let batches = std::iter::from_fn(|| {
                let asked = Instant::now();
                let batch = iterator.next()?;
                waited += asked.elapsed().as_secs_f64();
                batch.map_err(|cause| error = Some(cause)).ok()
            });
            let batches = batches.take(self.strategy.pace.accumulate);
            let seed = step_seed(self.strategy.seed, learning.steps);
            let (next, stepped) = learning.step(batches, seed);
            learning = next;
            self.strategy.progress().phases.loader += waited;
            if let Some(error) = error {
                self.interrupter.fail(error);
                return learning;
            }
            match stepped {
                Ok(stepped) if stepped.outputs.is_empty() => return learning,
                Ok(stepped) => {
                    let seconds = self.epoch_seconds + begin.elapsed().as_secs_f64();
                    self.count(&learning, (stepped, seconds), &*iterator);
                    if self
                        .strategy
                        .show(learning.steps, &learning.trainee.network)
                    {
                        self.interrupter.stop(Some("as was asked for"));
                    }
                }
                Err(odd) => self.diverged(&learning, epoch, odd),
            }
            self.epoch_seconds += begin.elapsed().as_secs_f64();
            if self.stopped() {
                return learning;
            }
            if self
                .strategy
                .pace
                .is_due(learning.steps - self.saved.0, self.saved.1)
            {
                self.save_inside(&learning, epoch);
            }
        }
    }

    /// Hands the results of a step, which ended so many seconds after its
    /// epoch began, to the metrics.
    fn count(
        &mut self,
        learning: &Learning<N>,
        (stepped, seconds): (Stepped, f64),
        iterator: &dyn DataLoaderIterator<Batch>,
    ) {
        let start = Instant::now();
        self.strategy.progress().step = learning.steps;
        let readings = match self.strategy.watched {
            true => Readings {
                images_per_second: Some(iterator.progress().items_processed as f64 / seconds),
                memory_mb: (self.strategy.memory)().map(|bytes| bytes as f64 / 1e6),
                ..self.weights
            },
            false => Readings::default(),
        };
        for output in stepped.outputs {
            let output = Output { readings, ..output };
            self.batch += 1;
            self.send_train(LearnerEvent::ProcessedItem(TrainingItem::new(
                output,
                iterator.progress(),
                Some(self.batch),
                Some(learning.lr.clone()),
            )));
        }
        let mut progress = self.strategy.progress();
        progress.phases.optimizer += stepped.optimizing.as_secs_f64();
        progress.phases.metrics += start.elapsed().as_secs_f64();
    }

    /// Records that the step after the last one has no finite result.
    fn diverged(&self, learning: &Learning<N>, epoch: usize, odd: Odd) {
        let network = &learning.trainee.network;
        let place = match odd {
            Odd::Loss(batch) => loss_place(network, *batch, self.strategy.probe),
            Odd::Gradient(id) => gradient_place(network, id),
        };
        self.strategy.fail(FitError::Diverged {
            step: learning.steps + 1,
            epoch,
            lr: self.strategy.lr,
            place,
        });
    }

    fn validate(&mut self, learning: &Learning<N>, loader: &ValidLoader<Trainee<N>>) {
        let model = learning.trainee.valid().with(learning.result());
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
}

/// Burn-train's name for the share of images whose class is among the five
/// most probable.
const TOP5: &str = "Top-K Accuracy @ TopK(5)";
