//! Training a network: what goes in, what comes out, and burn-train's builder
//! between the two.

use super::{
    account::Shared,
    checkpoints::{CheckpointError, Resume},
    ledger::Ledger,
    output::GradientNorm,
    probe::Probe,
    reading::Reading,
    screen::Screen,
    strategy::{Progress, Strategy},
};
use crate::{
    EarlyStop, Feed, Forward, OptimizerSettings, Regularization, Schedule, ScheduleSettings,
    UnknownName,
    classifier::{Loss, Trainable, Trainee},
    feed::Loader,
};
use burn::{
    lr_scheduler::module_lr_scheduler::ModuleLrScheduler,
    module::{ParamGroup, ParamId},
    tensor::Device,
    train::{
        Interrupter, Learner, SupervisedTraining, TrainingStrategy,
        metric::{
            AccuracyMetric, IterationSpeedMetric, LearningRateMetric, LossMetric,
            TopKAccuracyMetric,
        },
    },
};
use kiln_kernels::on_flex;
use kiln_weights::WeightsError;
use serde::{Deserialize, Serialize};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// What to train with.
pub struct Plan<N> {
    /// Training images.
    pub train: Feed,
    /// Validation images.
    pub valid: Feed,
    /// Passes over the training images, at least 1.
    pub epochs: usize,
    /// Classes that there are.
    pub classes: usize,
    /// Decides what is random in a step, such as dropout.
    pub seed: u64,
    /// Batches in a step and steps between checkpoints.
    pub pace: Pace,
    /// What acts on gradients, weights and the loss.
    pub regularization: Regularization,
    /// Which epoch is the best, and when to end early.
    pub early_stop: EarlyStop,
    /// The optimizer and its numbers.
    pub optimizer: OptimizerSettings,
    /// The learning rate over time.
    pub schedule: ScheduleSettings,
    /// Parameters that learn at a rate of their own.
    pub head: Option<HeadRate>,
    /// The run folder, which exists; checkpoints go into it.
    pub folder: PathBuf,
    /// The checkpoint to go on from, whose weights the network has, and the
    /// average of the weights that is saved there.
    pub resume: Option<(Resume, Option<N>)>,
    /// Finds the layer in which a training diverges.
    pub probe: Probe<N>,
    /// The most memory that was in use, in bytes, where the system tells.
    pub memory: fn() -> Option<u64>,
    /// Who looks at the network after each step, if anybody does.
    pub observer: Option<StepObserver<N>>,
}

/// Is told the number of each step, from 1, and the network after it in its
/// inference form; true interrupts the training there.
pub type StepObserver<N> = Box<dyn FnMut(usize, &N) -> bool + Send>;

/// Batches in a step and steps between checkpoints.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Batches whose gradients make one step, at least 1. The last step of an
    /// epoch may have fewer.
    pub accumulate: usize,
    /// When there are checkpoints beside those at the end of each epoch.
    pub checkpoint: Every,
}

/// When a checkpoint is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Every {
    /// After each epoch.
    Epoch,
    /// Also after so many steps.
    Steps(usize),
    /// Also after so many seconds.
    Seconds(f64),
}

impl Pace {
    /// Whether a checkpoint is due, `steps` after the last one at `last`.
    pub(super) fn is_due(self, steps: usize, last: Instant) -> bool {
        match self.checkpoint {
            Every::Epoch => false,
            Every::Steps(every) => steps >= every,
            Every::Seconds(every) => last.elapsed().as_secs_f64() >= every,
        }
    }
}

/// Parameters that learn at a rate of their own, on the same schedule.
pub struct HeadRate {
    /// The parameters.
    pub parameters: Vec<ParamId>,
    /// Their full learning rate.
    pub lr: f64,
}

/// One completed epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EpochRecord {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Optimizer steps done in all.
    pub step: usize,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Mean training loss in nats, each batch before its step.
    pub train_loss: f64,
    /// Training accuracy from 0 to 1, each batch before its step.
    pub train_accuracy: f64,
    /// Share of the training images whose class was among the five most
    /// probable; none where there are at most five classes.
    pub train_top5: Option<f64>,
    /// Mean validation loss in nats; none without validation images.
    pub val_loss: Option<f64>,
    /// Validation accuracy from 0 to 1; none without validation images.
    pub val_accuracy: Option<f64>,
    /// Likewise on validation images.
    pub val_top5: Option<f64>,
    /// Mean Euclidean norm of the gradients of a step, before clipping; none
    /// where it would have cost time.
    pub gradient_norm: Option<f64>,
    /// Euclidean norm of all weights, biases and norms left out.
    pub weight_norm: f64,
    /// Share of these weights that are exactly zero.
    pub zeros: f64,
    /// That share by layer, where L1 is on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub zeros_by_layer: Vec<(String, f64)>,
    /// Seconds for training and validation.
    pub seconds: f64,
    /// Training images per second of training, validation left out.
    pub images_per_second: f64,
    /// The most memory in use so far, where the system tells.
    pub memory_bytes: Option<u64>,
}

/// Who is told of each completed epoch. An error stops the training.
pub type Reporter = Box<dyn FnMut(&EpochRecord) -> Result<(), String> + Send>;

/// A handle that ends a training after the running step; it can be cloned
/// into a signal handler.
#[derive(Clone, Default)]
pub struct Stop(pub(super) Interrupter);

impl Stop {
    /// Asks for the end; what was learned is saved.
    pub fn request(&self) {
        self.0.stop(Some("interrupted"));
    }
}

/// Why a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// All epochs were done.
    Completed,
    /// The validation result did not improve any more.
    EarlyStopped,
    /// A signal or the dashboard asked for the end; a checkpoint was written.
    Interrupted,
}

/// Seconds spent in the parts of training. On a GPU the passes only enqueue
/// work, so the time shows where the host waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Phases {
    /// Waiting for the next batch and moving it to the device.
    pub loader: f64,
    /// From images to the loss.
    pub forward: f64,
    /// From the loss to the gradients.
    pub backward: f64,
    /// From the gradients to new weights.
    pub optimizer: f64,
    /// Handing results to the metrics, which run on a thread of their own.
    pub metrics: f64,
    /// Everything on validation images.
    pub validation: f64,
    /// Checkpoints.
    pub checkpoints: f64,
}

/// What a training gives.
pub struct Outcome<N> {
    /// The network after the last step, in its inference form.
    pub network: N,
    /// Every completed epoch.
    pub epochs: Vec<EpochRecord>,
    /// Optimizer steps done.
    pub steps: usize,
    /// Why it ended.
    pub reason: StopReason,
    /// Why it ended early, if it did.
    pub early_stop: Option<String>,
    /// Where the time went.
    pub phases: Phases,
}

/// Why a training failed.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// The loss was infinite or no number.
    #[error(
        "the training diverged at step {step} (epoch {epoch}): its numbers exploded or are no numbers any more{place}; try a lower learning rate, the run used up to {lr:?}, or --clip-grad 1"
    )]
    Diverged {
        /// The step it belongs to, from 1.
        step: usize,
        /// The running epoch.
        epoch: usize,
        /// The full learning rate.
        lr: f64,
        /// Where, as the end of a clause, or nothing.
        place: String,
    },
    /// A checkpoint could not be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The weights could not be read back.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// No optimizer or schedule of that name.
    #[error(transparent)]
    Name(#[from] UnknownName),
    /// Whoever was told of an epoch could not take it.
    #[error("{0}")]
    Report(String),
    /// Burn-train reported an error.
    #[error("the training stopped: {0}")]
    Training(String),
    /// The dashboard's "kill" was chosen.
    #[error(
        "the training was killed from the dashboard; a checkpoint that was saved before is intact"
    )]
    Killed,
    /// A panic, which is a defect of the program or the driver.
    #[error("the training panicked: {0}")]
    Panic(String),
    /// No full batch can be made.
    #[error(
        "{images} training images do not fill one batch of {batch_size}; use a smaller batch size or more images"
    )]
    NoBatch {
        /// Training images.
        images: usize,
        /// Images in a batch.
        batch_size: usize,
    },
}

/// Trains `network` on `device`, from the beginning or from a checkpoint, and
/// saves a checkpoint after every epoch, when one is due and when stopped.
///
/// # Errors
/// When the training diverges, a checkpoint cannot be read or written, the
/// reporter refuses an epoch, or something panics; the last checkpoint stays.
pub fn fit<N: Trainable>(
    network: (N, Forward<N>),
    plan: Plan<N>,
    device: &Device,
    screen: Screen,
    (stop, reporter): (Stop, Reporter),
) -> Result<Outcome<N>, FitError> {
    let batches = plan.train.batches();
    if batches == 0 {
        return Err(FitError::NoBatch {
            images: plan.train.indices.len(),
            batch_size: plan.train.order.batch_size,
        });
    }
    let steps_per_epoch = batches.div_ceil(plan.pace.accumulate);
    let lr = plan.optimizer.lr;
    let schedule = Schedule::new(&plan.schedule, lr, plan.epochs, steps_per_epoch)?;
    let mut scheduler = ModuleLrScheduler::new(schedule.clone());
    if let Some(head) = plan.head {
        let group = ParamGroup::from_ids(head.parameters);
        scheduler = scheduler.with_group(group, schedule.scaled(head.lr / lr));
    }
    let optimizer = plan
        .optimizer
        .constrained(plan.regularization.constraints())?;
    let training_device = device.clone().autodiff();
    let loss = Loss::new(plan.classes, &plan.regularization);
    let classifier = Trainee::new(network.0.fork(device).train(), network.1, loss);

    let state = plan.resume.as_ref().map(|(resume, _)| &resume.state);
    let (done, batch) = state.map_or((0, 0), |state| (state.epoch, state.batch));
    let account = Shared::new(state.map_or_else(Default::default, |state| state.account.clone()));
    let progress = Arc::new(Mutex::new(Progress::new(reporter, state)));
    let strategy = Strategy {
        folder: plan.folder.clone(),
        optimizer: optimizer.clone(),
        scheduler: scheduler.clone(),
        schedule,
        resume: plan
            .resume
            .map(|(resume, average)| (resume, average.map(|average| average.fork(device)))),
        progress: progress.clone(),
        account: account.clone(),
        clock: classifier.clock.clone(),
        dashboard: Interrupter::new(),
        lr,
        seed: plan.seed,
        pace: plan.pace,
        steps_per_epoch,
        regularization: plan.regularization,
        early_stop: plan.early_stop,
        probe: plan.probe,
        memory: plan.memory,
        watched: screen == Screen::Dashboard,
        observer: Mutex::new(plan.observer),
    };
    let ledger = Ledger::new(account, strategy.divergence_watch(&stop));
    let mut training = SupervisedTraining::new(
        &plan.folder,
        Arc::new(Loader::new(plan.train, training_device, (done, batch))),
        Arc::new(Loader::new(plan.valid, device.clone(), (0, 0))),
    )
    .metrics((AccuracyMetric::new(), LossMetric::new()))
    .metric_train_numeric(LearningRateMetric::new())
    .metric_train_numeric(IterationSpeedMetric::new())
    .with_metric_logger(ledger)
    .with_application_logger(None)
    .with_interrupter(stop.0.clone())
    .renderer(screen.renderer(&strategy.dashboard))
    .num_epochs(plan.epochs);
    if plan.classes > 5 {
        training = training.metrics((TopKAccuracyMetric::new(5),));
    }
    if on_flex(device) || strategy.regularization.clip_norm > 0.0 {
        training = training.metric_train_numeric(GradientNorm::new());
    }
    for reading in Reading::shown_on(screen) {
        training = training.metric_train_numeric(reading);
    }
    if done > 0 {
        training = training.checkpoint(done);
    }
    let training = training.with_training_strategy(TrainingStrategy::Custom(Arc::new(strategy)));

    let learner = Learner::new(classifier, optimizer, scheduler);
    // The renderer is dropped inside, so that the terminal is given back
    // before anybody prints.
    let result = catch_unwind(AssertUnwindSafe(|| training.launch(learner).model));
    let progress = std::mem::take(&mut *progress.lock().unwrap_or_else(PoisonError::into_inner));
    if let Some(error) = progress.error {
        return Err(error);
    }
    let classifier = result.map_err(|panic| panic_error(panic.as_ref()))?;
    Ok(Outcome {
        network: classifier.network,
        epochs: progress.epochs,
        steps: progress.step,
        reason: progress.reason,
        early_stop: progress.early_stop,
        phases: progress.phases,
    })
}

/// The error that a caught panic stands for.
pub(super) fn panic_error(panic: &(dyn Any + Send)) -> FitError {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown cause");
    match text.contains("Killing training from user input") {
        true => FitError::Killed,
        false => FitError::Panic(text.to_owned()),
    }
}
