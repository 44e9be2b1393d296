//! The training loop as burn-train's strategy: from epoch to epoch, until all
//! are done or something ends it.

use super::{
    account::Shared,
    checkpoints::{CheckpointState, Resume, Writer},
    fit::{
        EpochRecord, FitError, Pace, Phases, Reporter, StepObserver, Stop, StopReason, panic_error,
    },
    learning::Learning,
    ledger::OnDivergence,
    probe::Probe,
    session::Session,
};
use crate::{
    Schedule,
    classifier::{StepClock, Trainable, Trainee},
    regularization::{Average, EarlyStop, Regularization},
};
use burn::{
    lr_scheduler::module_lr_scheduler::ModuleLrScheduler,
    optim::ModuleOptimizer,
    train::{
        Interrupter, Learner, SupervisedLearningStrategy, SupervisedTrainingEventProcessor,
        TrainLoader, TrainingComponents, ValidLoader,
    },
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

/// The course of a training so far.
pub(super) struct Progress {
    pub step: usize,
    pub epochs: Vec<EpochRecord>,
    pub reason: StopReason,
    pub early_stop: Option<String>,
    pub phases: Phases,
    pub error: Option<FitError>,
    pub reporter: Reporter,
}

impl Progress {
    /// From the beginning, or from where a checkpoint was written.
    pub fn new(reporter: Reporter, from: Option<&CheckpointState>) -> Self {
        Self {
            step: from.map_or(0, |state| state.step),
            epochs: from.map_or_else(Vec::new, |state| state.epochs.clone()),
            reason: StopReason::Completed,
            early_stop: None,
            phases: from.map_or_else(Phases::default, |state| state.phases),
            error: None,
            reporter,
        }
    }

    /// Ends the training before its last epoch, for a reason.
    pub fn end_early(&mut self, why: String) {
        self.reason = StopReason::EarlyStopped;
        self.early_stop = Some(why);
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new(Box::new(|_| Ok(())), None)
    }
}

/// What the loop shares with the world outside burn-train.
pub(super) struct Strategy<N: Trainable> {
    /// The run folder.
    pub folder: PathBuf,
    /// The optimizer and the schedule before the first step. Burn-train's
    /// learner would clone the network for every step.
    pub optimizer: ModuleOptimizer,
    pub scheduler: ModuleLrScheduler,
    /// A clone of the schedule, which shares what it has observed.
    pub schedule: Schedule,
    /// Where to go on from, and the average of the weights saved there.
    pub resume: Option<(Resume, Option<N>)>,
    pub progress: Arc<Mutex<Progress>>,
    pub account: Shared,
    pub clock: Arc<StepClock>,
    /// The dashboard has an interrupter of its own, because it resets it at
    /// the end and would wipe an error away.
    pub dashboard: Interrupter,
    pub lr: f64,
    pub seed: u64,
    pub pace: Pace,
    pub steps_per_epoch: usize,
    pub regularization: Regularization,
    pub early_stop: EarlyStop,
    pub probe: Probe<N>,
    pub memory: fn() -> Option<u64>,
    /// Whether somebody looks at the readings of each step.
    pub watched: bool,
    pub observer: Mutex<Option<StepObserver<N>>>,
}

impl<N: Trainable> Strategy<N> {
    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the first error.
    pub fn fail(&self, error: FitError) {
        self.progress().error.get_or_insert(error);
    }

    /// Shows the network to whoever looks on; whether they want the end.
    pub fn show(&self, step: usize, network: &N) -> bool {
        let mut observer = self.observer.lock().unwrap_or_else(PoisonError::into_inner);
        let observer = observer.as_mut();
        observer.is_some_and(|observer| observer(step, &network.valid()))
    }

    /// Stops the training when the loss diverges.
    pub fn divergence_watch(&self, stop: &Stop) -> OnDivergence {
        let (progress, interrupter) = (self.progress.clone(), stop.0.clone());
        let (lr, per_epoch, accumulate) = (self.lr, self.steps_per_epoch, self.pace.accumulate);
        Box::new(move |batch, epoch| {
            let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
            let step = (epoch - 1) * per_epoch + batch.div_ceil(accumulate);
            progress.error.get_or_insert(FitError::Diverged {
                step,
                epoch,
                lr,
                place: String::new(),
            });
            interrupter.stop(Some("diverged"));
        })
    }

    /// What the first step changes.
    fn learning(&self, trainee: Trainee<N>) -> Result<Learning<N>, FitError> {
        let decay = self.regularization.ema_decay;
        let clip_norm = self.regularization.clip_norm;
        let mut optimizer = self.optimizer.clone();
        let mut scheduler = self.scheduler.clone();
        let mut average = (decay > 0.0).then(|| trainee.network.valid());
        if let Some((resume, saved)) = &self.resume {
            let (optimizer_record, scheduler_record) = resume.records()?;
            optimizer = optimizer.load_record(optimizer_record);
            scheduler = scheduler.load_record(scheduler_record);
            average = average.map(|drawn| saved.clone().unwrap_or(drawn));
        }
        let steps = self.progress().step;
        Ok(Learning {
            average: average.map(|network| Average::new(network, decay)),
            clip_norm: (clip_norm > 0.0).then_some(clip_norm),
            steps,
            ..Learning::new(trainee, optimizer, scheduler, self.lr)
        })
    }

    /// Writer of checkpoints.
    fn writer(&self) -> Result<Writer, FitError> {
        let index = match &self.resume {
            Some((resume, _)) => resume.index(self.early_stop.monitor)?,
            None => Default::default(),
        };
        Ok(Writer::new(&self.folder, index)?)
    }

    /// Why a training that goes on at the end of an epoch is over already: the
    /// process may have ended between its last checkpoint and its result.
    fn over(&self) -> Option<String> {
        let (resume, _) = self.resume.as_ref()?;
        let state = Some(&resume.state).filter(|state| state.batch == 0)?;
        self.early_stop.judge(&state.epochs).stop
    }

    /// From epoch to epoch.
    fn run(
        &self,
        session: &mut Session<'_, N>,
        mut learning: Learning<N>,
        epochs: std::ops::RangeInclusive<usize>,
        loaders: (&TrainLoader<Trainee<N>>, &ValidLoader<Trainee<N>>),
    ) -> Option<Learning<N>> {
        if let Some(why) = self.over() {
            self.progress().end_early(why);
            return Some(learning);
        }
        let last = *epochs.end();
        for epoch in epochs {
            let run = || session.epoch(epoch, learning, loaders);
            learning = match catch_unwind(AssertUnwindSafe(run)) {
                Ok(learning) => learning,
                Err(panic) => {
                    self.fail(panic_error(panic.as_ref()));
                    return None;
                }
            };
            if self.progress().reason == StopReason::EarlyStopped {
                break;
            }
            if session.stopped() {
                if epoch < last {
                    self.progress().reason = StopReason::Interrupted;
                }
                break;
            }
        }
        Some(learning)
    }
}

impl<N: Trainable> SupervisedLearningStrategy<Trainee<N>> for Strategy<N> {
    fn fit(
        &self,
        components: TrainingComponents<Trainee<N>>,
        learner: Learner<Trainee<N>>,
        train: TrainLoader<Trainee<N>>,
        valid: ValidLoader<Trainee<N>>,
        starting_epoch: usize,
    ) -> (Trainee<N>, SupervisedTrainingEventProcessor<Trainee<N>>) {
        let template = learner.model();
        drop(learner);
        let prepared = self
            .learning(template.clone())
            .and_then(|learning| Ok((learning, self.writer()?)));
        let mut processor = components.event_processor;
        let (learning, writer) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                self.fail(error);
                return (template, processor);
            }
        };
        let mut session = Session::new(
            self,
            components.interrupter,
            components.event_store,
            processor,
            writer,
        );
        let epochs = starting_epoch..=components.num_epochs;
        let learning = self.run(&mut session, learning, epochs, (&train, &valid));
        let mut progress = self.progress();
        let seconds = |clock: &std::sync::atomic::AtomicU64| {
            Duration::from_nanos(clock.swap(0, Ordering::Relaxed)).as_secs_f64()
        };
        progress.phases.forward += seconds(&self.clock.forward);
        progress.phases.backward += seconds(&self.clock.backward);
        if let Some(error) = session.interrupter.error() {
            let error = FitError::Training(error.to_string());
            progress.error.get_or_insert(error);
        }
        drop(progress);
        processor = session.end();
        let result = learning.map(|learning| template.with(learning.result()));
        (result.unwrap_or(template), processor)
    }
}
