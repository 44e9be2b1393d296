//! One training with several seeds: to see the spread of its result, or as the
//! members of an ensemble, each on its own bootstrap sample.

use crate::{
    Context, LabError, Settings, Spread,
    compare::differences,
    numbers::{RunNumbers, finished, plain_name, train_one},
};
use kiln_store::{atomic_write, sha256_hex};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What the runs of a group are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupKind {
    /// The same training with other seeds.
    Seeds,
    /// Members of an ensemble, each trained on images drawn with replacement
    /// (Breiman 1996, "Bagging predictors").
    Members,
}

impl GroupKind {
    /// The word for one run in the names of folders.
    fn word(self) -> &'static str {
        match self {
            Self::Seeds => "seed",
            Self::Members => "member",
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Self::Seeds => "seeds",
            Self::Members => "members",
        }
    }
}

/// Several runs that differ by their seeds alone.
///
/// What is done is kept in a file beside the run folders. When the same group
/// is asked for again, also with more runs, those that are completed count.
pub struct Group {
    kind: GroupKind,
    /// Settings of every run, the first seed first.
    settings: Vec<Settings>,
    parent: PathBuf,
    name: Option<String>,
    file: PathBuf,
    record: Record,
}

/// The file of a group.
#[derive(Serialize, Deserialize)]
struct Record {
    kind: GroupKind,
    /// What all runs have in common: all but `train.seed`.
    settings: Value,
    /// Every completed run.
    runs: Vec<RunNumbers>,
}

/// What a group came to.
#[derive(Clone, Debug, Serialize)]
pub struct GroupReport {
    /// What the runs are for.
    pub kind: GroupKind,
    /// The completed runs, by seed.
    pub runs: Vec<RunNumbers>,
    /// The best validation accuracy of each, from 0 to 1.
    pub val_accuracy: Option<Spread>,
    /// Its loss in nats.
    pub val_loss: Option<Spread>,
    /// Whether it was interrupted, so that some runs are missing.
    pub interrupted: bool,
    /// The group's file.
    pub file: PathBuf,
}

impl Group {
    /// `count` runs of `settings` with `train.seed` and the seeds after it, in
    /// `parent`. Without a name the group has one of network, data set and
    /// settings.
    ///
    /// # Errors
    /// When the group's file belongs to other settings or is damaged.
    pub fn open(
        kind: GroupKind,
        mut settings: Settings,
        count: u64,
        (parent, name): (&Path, Option<&str>),
    ) -> Result<Self, LabError> {
        settings.data.bootstrap |= kind == GroupKind::Members;
        let first = settings.train.seed;
        let seeds = match first.checked_add(count) {
            // TOML's integers have a sign.
            Some(end) if end <= i64::MAX as u64 => first..end,
            _ => {
                return Err(LabError::usage(format!(
                    "train.seed is {first}, and {count} seeds from there go beyond {}; take a smaller one",
                    i64::MAX
                )));
            }
        };
        let common = common(&settings)?;
        let stem = match name {
            Some(name) => plain_name(name),
            None => format!(
                "{}-{}-{}",
                plain_name(&settings.model.name),
                plain_name(&settings.data.dataset),
                &sha256_hex(common.to_string().as_bytes())[..8]
            ),
        };
        // A dot, so that the pattern *-member* finds the run folders alone.
        let file = parent.join(format!("{stem}.{}.json", kind.plural()));
        let record = read(&file, kind, common)?;
        let settings = seeds.map(|seed| {
            let mut settings = settings.clone();
            settings.train.seed = seed;
            settings
        });
        Ok(Self {
            kind,
            settings: settings.collect(),
            parent: parent.to_owned(),
            name: name.map(str::to_owned),
            file,
            record,
        })
    }

    /// Trains what is not done yet. `context` is given the word of each run
    /// for its folder's name; `told` each run and whether it was done before.
    ///
    /// # Errors
    /// When a training fails; what was completed before stays in the file.
    pub fn train(
        mut self,
        mut context: impl FnMut(String) -> Context,
        mut told: impl FnMut(&RunNumbers, bool),
    ) -> Result<GroupReport, LabError> {
        let mut runs = Vec::new();
        for settings in std::mem::take(&mut self.settings) {
            let seed = settings.train.seed;
            if let Some(numbers) = self.done(&settings) {
                told(&numbers, true);
                runs.push(numbers);
                continue;
            }
            let word = format!("{}{seed}", self.kind.word());
            let word = match &self.name {
                Some(name) => format!("{name}-{word}"),
                None => word,
            };
            let Some(numbers) = train_one(&settings, context(word))? else {
                return Ok(self.report(runs, true));
            };
            self.record.runs.retain(|run| run.seed != seed);
            self.record.runs.push(numbers.clone());
            self.record.runs.sort_by_key(|run| run.seed);
            self.save()?;
            told(&numbers, false);
            runs.push(numbers);
        }
        Ok(self.report(runs, false))
    }

    /// The run of these settings, if it is completed and its folder is there.
    fn done(&self, settings: &Settings) -> Option<RunNumbers> {
        let seed = settings.train.seed;
        let run = self.record.runs.iter().find(|run| run.seed == seed)?;
        finished(&self.parent, &run.run, settings)
    }

    fn save(&self) -> Result<(), LabError> {
        let all = self.report(self.record.runs.clone(), false);
        let mut text = serde_json::to_value(&self.record).map_err(LabError::run)?;
        text["val_accuracy"] = serde_json::to_value(all.val_accuracy).map_err(LabError::run)?;
        text["val_loss"] = serde_json::to_value(all.val_loss).map_err(LabError::run)?;
        let text = serde_json::to_string_pretty(&text).map_err(LabError::run)?;
        atomic_write(&self.file, (text + "\n").as_bytes())
            .map_err(|error| LabError::io("writing", &self.file, &error))
    }

    fn report(&self, runs: Vec<RunNumbers>, interrupted: bool) -> GroupReport {
        GroupReport {
            kind: self.kind,
            val_accuracy: Spread::over(&runs, |run| run.val_accuracy),
            val_loss: Spread::over(&runs, |run| run.val_loss),
            runs,
            interrupted,
            file: self.file.clone(),
        }
    }
}

/// The settings without the seed, as a JSON file gives them back.
fn common(settings: &Settings) -> Result<Value, LabError> {
    let text = serde_json::to_string(settings).map_err(LabError::run)?;
    let mut value: Value = serde_json::from_str(&text).map_err(LabError::run)?;
    if let Some(train) = value["train"].as_object_mut() {
        train.remove("seed");
    }
    Ok(value)
}

/// The group that is in `file`, or an empty one.
fn read(file: &Path, kind: GroupKind, settings: Value) -> Result<Record, LabError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Record {
                kind,
                settings,
                runs: Vec::new(),
            });
        }
        Err(error) => return Err(LabError::io("reading", file, &error)),
    };
    let record: Record = serde_json::from_str(&text).map_err(|error| {
        LabError::data(format!(
            "{} is damaged: {error}; remove it to start the group anew",
            file.display()
        ))
    })?;
    let other = differences(&[record.settings.clone(), settings]);
    match other.first() {
        None => Ok(record),
        Some(difference) => Err(LabError::usage(format!(
            "{} holds a group with other settings ({} is {} there and {} here); give this one another --name",
            file.display(),
            difference.key,
            difference.values[0],
            difference.values[1]
        ))),
    }
}
