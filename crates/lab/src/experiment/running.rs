//! Carrying out a comparison, or what is missing of it.

use super::{
    Arm, ArmResult, Comparison, ComparisonResult, Equal, Outcome, Search,
    fairness::{check_arms, check_axis},
};
use crate::{
    Context, LabError, Layers, Report, Settings, Status, fit_epochs,
    numbers::{plain_name, train_or_resume},
    plan, resolve, train,
};
use kiln_store::{Store, atomic_write, sha256_hex};
use kiln_training::remove_learning_state;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// An arm whose settings are resolved.
#[derive(Clone, Debug)]
pub struct OpenArm {
    /// Name in tables and figures.
    pub name: String,
    /// How each of its trainings is done, but for the seed.
    pub settings: Settings,
    /// Learnable parameters.
    pub parameters: usize,
    /// Multiply-accumulates of a forward pass for one image.
    pub macs: u64,
    /// Training images.
    pub train_images: usize,
    /// Validation images.
    pub val_images: usize,
    /// The number that the search finds.
    pub searched: Option<&'static str>,
    /// What the search multiplied it with.
    pub factor: Option<f64>,
    /// What the search tried.
    pub tries: Vec<Try>,
}

/// One training of a search.
#[derive(Clone, Debug)]
pub struct Try {
    /// The number.
    pub number: f64,
    /// Its best validation accuracy, from 0 to 1; none where it diverged.
    pub val_accuracy: Option<f64>,
    /// Training images seen; 0 where it diverged.
    pub images: u64,
    /// Seconds of training and validation.
    pub seconds: f64,
}

impl OpenArm {
    /// The number that the search finds, as it is now.
    pub fn number(&self) -> Option<f64> {
        number(&self.settings, self.searched?)
    }
}

/// The number that stands at `key`.
fn number(settings: &Settings, key: &str) -> Option<f64> {
    let settings = serde_json::to_value(settings).ok()?;
    settings.pointer(&pointer(key))?.as_f64()
}

/// Where a key stands in settings.
fn pointer(key: &str) -> String {
    format!("/{}", key.replace('.', "/"))
}

/// A comparison whose arms are known and that is fair.
pub struct OpenComparison {
    comparison: Comparison,
    arms: Vec<OpenArm>,
    folder: PathBuf,
    store: Store,
}

impl Comparison {
    /// Resolves the arms and holds them to be fair; their runs are to be in
    /// `folder`.
    ///
    /// # Errors
    /// For whatever is wrong in an arm, and for a comparison that would say
    /// nothing.
    pub fn open(self, folder: PathBuf, store: &Store) -> Result<OpenComparison, LabError> {
        check_axis(&self)?;
        let arms = self.arms.iter().map(|arm| open_arm(&self, arm, store));
        let arms = arms.collect::<Result<Vec<_>, _>>()?;
        check_arms(&self, &arms)?;
        Ok(OpenComparison {
            comparison: self,
            arms,
            folder,
            store: store.clone(),
        })
    }
}

fn open_arm(comparison: &Comparison, arm: &Arm, store: &Store) -> Result<OpenArm, LabError> {
    let layers = Layers {
        config: None,
        set: comparison.shared.iter().chain(&arm.keys).cloned().collect(),
        flags: Vec::new(),
    };
    let named = |error: LabError| error.about(&format!("{}, {}", comparison.name, arm.name));
    let (mut settings, _) = resolve(&layers, store).map_err(named)?;
    settings.train.seed = 1;
    let plan = plan(&settings, store).map_err(named)?;
    Ok(OpenArm {
        name: arm.name.clone(),
        settings,
        parameters: plan.parameters,
        macs: plan.macs,
        train_images: plan.train_images,
        val_images: plan.val_images,
        searched: arm.searched,
        factor: None,
        tries: Vec::new(),
    })
}

impl OpenComparison {
    /// Its arms.
    pub fn arms(&self) -> &[OpenArm] {
        &self.arms
    }

    /// What was asked for.
    pub fn definition(&self) -> &Comparison {
        &self.comparison
    }

    /// Images that all trainings of an arm need, and their tries.
    pub fn images(&self, arm: &OpenArm) -> u64 {
        let search = self.comparison.search.as_ref();
        let search = search.filter(|_| arm.searched.is_some());
        let tries = search.map_or(0, |search| search.epochs * search.factors.len());
        let epochs = self.comparison.seeds as usize * arm.settings.train.epochs + tries;
        (epochs * arm.train_images) as u64
    }

    /// Seconds that all trainings of an arm take at `images_per_second`, or
    /// their budget.
    pub fn seconds(&self, arm: &OpenArm, images_per_second: f64) -> f64 {
        match self.comparison.equal {
            Equal::Seconds(seconds) => self.comparison.seeds as f64 * seconds,
            _ => self.images(arm) as f64 / images_per_second,
        }
    }

    /// Trains one arm with one seed as it was done before, with what its search
    /// found and the epochs that fitted; none when there is no such arm.
    ///
    /// # Errors
    /// When the training fails.
    pub fn again(
        &self,
        arm: &str,
        (seed, factor, epochs): (u64, Option<f64>, usize),
        context: impl FnOnce(String) -> Context,
    ) -> Result<Option<Outcome>, LabError> {
        let Some(arm) = self.arms.iter().find(|found| found.name == arm) else {
            return Ok(None);
        };
        let mut arm = arm.clone();
        if let (Some(key), Some(factor)) = (arm.searched, factor) {
            arm.settings = multiplied(&arm.settings, key, factor)?;
        }
        arm.settings.stretch(epochs);
        arm.settings.train.seed = seed;
        let context = Context {
            output_dir: self.folder.clone(),
            ..context(plain_name(&arm.name))
        };
        let report = train(&arm.settings, context)?;
        if is_interrupted(&report) {
            return Err(LabError::run("interrupted"));
        }
        Outcome::of(&self.comparison, &arm, &report, &self.store).map(Some)
    }

    /// Trains and evaluates what is not done yet: the first seed of every arm,
    /// then the second. `context` is given the word of each run for its folder's
    /// name; `told` each outcome. Gives nothing when it is interrupted.
    ///
    /// # Errors
    /// When a training fails otherwise than by its loss; what is done stays.
    pub fn run(
        mut self,
        context: &mut impl FnMut(String) -> Context,
        told: &mut impl FnMut(&Outcome),
    ) -> Result<Option<ComparisonResult>, LabError> {
        std::fs::create_dir_all(&self.folder)
            .map_err(|error| LabError::io("making", &self.folder, &error))?;
        let mut context = |word| Context {
            output_dir: self.folder.clone(),
            ..context(word)
        };
        if let Some(search) = &self.comparison.search {
            for arm in &mut self.arms {
                if !tune(search, arm, &mut context)? {
                    return Ok(None);
                }
            }
        }
        if let Equal::Seconds(seconds) = self.comparison.equal {
            fit_time(&mut self.arms, seconds, &self.folder, &self.store)?;
        }
        let mut arms: Vec<_> = self.arms.iter().map(ArmResult::new).collect();
        for seed in 1..=self.comparison.seeds {
            for (arm, result) in self.arms.iter().zip(&mut arms) {
                let mut settings = arm.settings.clone();
                settings.train.seed = seed;
                let word = format!("{}-seed{seed}", plain_name(&arm.name));
                let outcome = match train_or_resume(&settings, context(word)) {
                    Ok(report) if is_interrupted(&report) => return Ok(None),
                    Ok(report) => {
                        let found = Outcome::of(&self.comparison, arm, &report, &self.store)?;
                        remove_learning_state(report.folder.path())?;
                        found
                    }
                    Err(error) if error.is_divergence() => {
                        Outcome::of_divergence(arm, seed, &error)
                    }
                    Err(error) => return Err(error),
                };
                told(&outcome);
                result.outcomes.push(outcome);
            }
        }
        Ok(Some(ComparisonResult {
            name: self.comparison.name,
            title: self.comparison.title,
            equal: self.comparison.equal,
            arms,
        }))
    }
}

fn is_interrupted(report: &Report) -> bool {
    report.manifest.status == Status::Interrupted
}

/// Gives an arm the number with which its validation accuracy is best; of
/// equally good ones the first. False when that was interrupted.
fn tune(
    search: &Search,
    arm: &mut OpenArm,
    context: &mut impl FnMut(String) -> Context,
) -> Result<bool, LabError> {
    let Some(key) = arm.searched else {
        return Ok(true);
    };
    let mut best: Option<(f64, f64, Settings)> = None;
    for (at, factor) in search.factors.iter().enumerate() {
        let chosen = multiplied(&arm.settings, key, *factor)?;
        let mut settings = chosen.clone();
        settings.stretch(search.epochs);
        let word = format!("{}-try{}", plain_name(&arm.name), at + 1);
        let mut tried = Try {
            number: number(&chosen, key).unwrap_or_default(),
            val_accuracy: None,
            images: 0,
            seconds: 0.0,
        };
        let report = match train_or_resume(&settings, context(word)) {
            Ok(report) if is_interrupted(&report) => return Ok(false),
            Ok(report) => report,
            Err(error) if error.is_divergence() => {
                arm.tries.push(tried);
                continue;
            }
            Err(error) => return Err(error),
        };
        remove_learning_state(report.folder.path())?;
        if let Some(result) = report.manifest.result {
            tried.images = (search.epochs * arm.train_images) as u64;
            tried.seconds = result.seconds;
            tried.val_accuracy = result.best.and_then(|best| best.val_accuracy);
        }
        let accuracy = tried.val_accuracy.unwrap_or_default();
        arm.tries.push(tried);
        if best.as_ref().is_none_or(|(most, ..)| accuracy > *most) {
            best = Some((accuracy, *factor, chosen));
        }
    }
    let Some((_, factor, settings)) = best else {
        return Err(LabError::run(format!(
            "the loss of {} became infinite or NaN with every {} that was tried; try smaller factors",
            arm.name, key
        )));
    };
    arm.settings = settings;
    arm.factor = Some(factor);
    Ok(true)
}

/// The settings with one of their numbers multiplied.
fn multiplied(settings: &Settings, key: &str, factor: f64) -> Result<Settings, LabError> {
    let mut value = serde_json::to_value(settings).map_err(LabError::run)?;
    let number = value
        .pointer_mut(&pointer(key))
        .filter(|value| value.is_f64());
    let Some(number) = number else {
        return Err(LabError::usage(format!(
            "{key} cannot be searched: it is no number of these settings"
        )));
    };
    // As it would be typed: 0.003 and not 0.0030000000000000005.
    let product: f64 = format!("{:.6e}", number.as_f64().unwrap_or_default() * factor)
        .parse()
        .unwrap_or_default();
    *number = product.into();
    let settings: Settings = serde_json::from_value(value).map_err(LabError::run)?;
    settings.check()?;
    Ok(settings)
}

/// The file that keeps how many epochs fitted, so that all seeds and a later
/// continuation have the same.
const EPOCHS: &str = "epochs.json";

fn fit_time(
    arms: &mut [OpenArm],
    seconds: f64,
    folder: &Path,
    store: &Store,
) -> Result<(), LabError> {
    let file = folder.join(EPOCHS);
    let text = std::fs::read_to_string(&file).ok();
    let known = text.and_then(|text| serde_json::from_str(&text).ok());
    let mut known: BTreeMap<String, usize> = known.unwrap_or_default();
    for arm in arms {
        let key = format!("{seconds} {}", arm.settings.to_toml()?);
        let key = sha256_hex(key.as_bytes());
        let epochs = match known.get(&key) {
            Some(epochs) => *epochs,
            None => {
                let time = Duration::from_secs_f64(seconds);
                let epochs = fit_epochs(&arm.settings, time, store)?.epochs;
                known.insert(key, epochs);
                let text = serde_json::to_string_pretty(&known).map_err(LabError::run)?;
                atomic_write(&file, text.as_bytes())
                    .map_err(|error| LabError::io("writing", &file, &error))?;
                epochs
            }
        };
        arm.settings.stretch(epochs);
    }
    Ok(())
}
