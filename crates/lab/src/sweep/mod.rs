//! Many trainings that differ by some keys of the configuration, compared by
//! their validation accuracy. Test images are never read.

mod candidates;
mod definition;
mod halving;
mod report;
mod state;

pub use report::{SweepReport, SweepRow};
pub use state::SweepRun;

use crate::{
    Context, Draft, HeldOut, LabError, Layers, Settings, draft,
    numbers::{plain_name, train_one},
};
use candidates::{Choices, candidates};
use definition::Definition;
use halving::{Score, rounds, survivors};
use kiln_store::{Store, sha256_hex};
use state::State;
use std::path::{Path, PathBuf};

/// A sweep whose candidates are known but for their data.
pub struct SweepPlan {
    definition: Definition,
    drafts: Vec<(Choices, Draft)>,
    name: String,
}

/// A sweep in its folder.
pub struct Sweep {
    definition: Definition,
    candidates: Vec<(Choices, Settings)>,
    /// Epochs of each round; one round, of each candidate's own epochs, without
    /// halving.
    rounds: Option<Vec<usize>>,
    folder: PathBuf,
    state: State,
}

impl SweepPlan {
    /// Reads a sweep's file and resolves every candidate.
    ///
    /// # Errors
    /// For whatever is wrong in the file or in any of the candidates.
    pub fn read(file: &Path) -> Result<Self, LabError> {
        let definition = Definition::read(file)?;
        let wrong = |what: String| LabError::usage(format!("{} {what}", file.display()));
        let drafts = candidates(&definition.space).map_err(wrong)?.into_iter();
        let drafts = drafts.map(|choices| {
            let set = definition.base.iter().chain(&choices);
            let layers = Layers {
                config: definition.config.clone(),
                set: set.map(|(key, value)| format!("{key}={value}")).collect(),
                flags: Vec::new(),
            };
            let draft = draft(&layers).map_err(|error| {
                // The keys come from the file and not from flags.
                let text = error.to_string().replace("--set ", "");
                LabError::usage(format!("{}: {text}", file.display()))
            })?;
            Ok((choices, draft))
        });
        let drafts = drafts.collect::<Result<_, LabError>>()?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        Ok(Self {
            definition,
            drafts,
            name: plain_name(&name),
        })
    }

    /// Backend of every run.
    pub fn backend(&self) -> &str {
        self.drafts
            .first()
            .map_or("flex", |(_, draft)| draft.backend())
    }

    /// Finds the data set, and begins the sweep in a folder of `parent` that is
    /// called as its file, or goes on with it there. The sentence that comes
    /// with it says which data set was taken when none was named.
    ///
    /// # Errors
    /// When the data are not to be had, no image validates, or the folder holds
    /// something else.
    pub fn open(self, store: &Store, parent: &Path) -> Result<(Sweep, Option<String>), LabError> {
        let mut note = None;
        let mut candidates = Vec::with_capacity(self.drafts.len());
        let rounds = self.definition.halving.map(rounds);
        for (choices, draft) in self.drafts {
            let (settings, picked) = draft.complete(store, parent)?;
            note = note.or(picked);
            check(&settings, rounds.as_deref().unwrap_or_default())?;
            candidates.push((choices, settings));
        }
        one_data_set(&candidates)?;
        let texts = candidates.iter().map(|(_, settings)| settings.to_toml());
        let settings_sha256 = sha256_hex(texts.collect::<Result<String, _>>()?.as_bytes());
        let text = serde_json::to_string(&self.definition.text).map_err(LabError::run)?;
        // As the file gives it back.
        let text = serde_json::from_str(&text).map_err(LabError::run)?;
        let folder = parent.join(&self.name);
        let state = State::open(&folder, text, settings_sha256)?;
        let sweep = Sweep {
            definition: self.definition,
            candidates,
            rounds,
            folder,
            state,
        };
        Ok((sweep, note))
    }
}

fn check(settings: &Settings, rounds: &[usize]) -> Result<(), LabError> {
    if settings.data.val_split == HeldOut::Nothing {
        return Err(LabError::usage(
            "a sweep compares validation accuracies, but data.val_split is 0; hold images out",
        ));
    }
    let mut settings = settings.clone();
    for epochs in rounds {
        settings.train.epochs = *epochs;
        settings.check()?;
    }
    Ok(())
}

fn one_data_set(candidates: &[(Choices, Settings)]) -> Result<(), LabError> {
    let mut sets = candidates
        .iter()
        .map(|(_, settings)| &settings.data.dataset);
    let Some(first) = sets.next() else {
        return Ok(());
    };
    match sets.find(|set| *set != first) {
        None => Ok(()),
        Some(other) => Err(LabError::usage(format!(
            "some candidates would train on {first} and some on {other}; name one data set: dataset = \"{first}\" in [base]"
        ))),
    }
}

impl Sweep {
    /// Where its runs, its table and its state are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Number of candidates.
    pub fn candidates(&self) -> usize {
        self.candidates.len()
    }

    /// Runs that were over when it was opened, or are by now.
    pub fn runs_done(&self) -> usize {
        self.state.runs.len()
    }

    /// Trains what is not done yet. `context` is given the word of each run for
    /// its folder's name; `told` each run that ends now. With halving, the
    /// candidates that go on train again from their first weights, with more
    /// epochs and their whole schedule.
    ///
    /// # Errors
    /// When a training fails otherwise than by its loss; what is done stays.
    pub fn run(
        &mut self,
        mut context: impl FnMut(String) -> Context,
        mut told: impl FnMut(&SweepRun),
    ) -> Result<SweepReport, LabError> {
        let mut going: Vec<usize> = (0..self.candidates.len()).collect();
        let mut reached = vec![None; going.len()];
        let rounds = self.rounds.clone();
        let rounds: Vec<Option<usize>> = match rounds {
            Some(rounds) => rounds.into_iter().map(Some).collect(),
            None => vec![None],
        };
        for (round, epochs) in rounds.into_iter().enumerate() {
            let mut scored = Vec::new();
            for &candidate in &going {
                let epochs = epochs.unwrap_or(self.candidates[candidate].1.train.epochs);
                if !self.train(candidate, epochs, &mut context, &mut told)? {
                    return self.report(&reached, true);
                }
                reached[candidate] = Some((round, epochs));
                scored.push((candidate, self.score(candidate, epochs)));
            }
            if let Some(halving) = self.definition.halving {
                going = survivors(&scored, halving.eta);
            }
        }
        self.report(&reached, false)
    }

    /// Trains a candidate with every seed; false when that was interrupted.
    fn train(
        &mut self,
        candidate: usize,
        epochs: usize,
        context: &mut impl FnMut(String) -> Context,
        told: &mut impl FnMut(&SweepRun),
    ) -> Result<bool, LabError> {
        let mut settings = self.candidates[candidate].1.clone();
        settings.train.epochs = epochs;
        let number = candidate + 1;
        let first = settings.train.seed;
        for seed in first..first.saturating_add(self.definition.seeds) {
            if self.state.find(number, epochs, seed).is_some() {
                continue;
            }
            settings.train.seed = seed;
            let mut context = context(format!("c{number:03}-e{epochs}-seed{seed}"));
            context.output_dir = self.folder.clone();
            let (numbers, error) = match train_one(&settings, context) {
                Ok(Some(numbers)) => (Some(numbers), None),
                Ok(None) => return Ok(false),
                Err(error) if error.is_divergence() => (None, Some(error.to_string())),
                Err(error) => return Err(error),
            };
            let run = SweepRun {
                candidate: number,
                epochs,
                seed,
                numbers,
                error,
            };
            told(&run);
            self.state.add(run)?;
        }
        Ok(true)
    }

    /// The runs of a candidate in a round.
    fn runs(&self, candidate: usize, epochs: usize) -> Vec<&SweepRun> {
        let runs = self.state.runs.iter();
        runs.filter(|run| (run.candidate, run.epochs) == (candidate + 1, epochs))
            .collect()
    }

    fn score(&self, candidate: usize, epochs: usize) -> Option<Score> {
        let runs = self.runs(candidate, epochs);
        let mean = |value: fn(&crate::RunNumbers) -> Option<f64>| {
            let spread = crate::Spread::over(&runs, |run| run.numbers.as_ref().and_then(value));
            Some(spread?.mean)
        };
        Some(Score {
            accuracy: mean(|numbers| numbers.val_accuracy)?,
            loss: mean(|numbers| numbers.val_loss)?,
        })
    }
}
