//! How stored results were made: `provenance.json`.

use crate::{Experiment, Scale, arguments::Arguments};
use kiln_lab::{ComparisonResult, LabError, Machine};
use kiln_store::atomic_write;
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, path::Path};

const FILE: &str = "provenance.json";

/// How results were made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Provenance {
    /// The experiment.
    pub experiment: String,
    /// Its form.
    pub scale: Scale,
    /// Trainings of each arm, where they were chosen.
    pub seeds: Option<u64>,
    /// The command.
    pub command: String,
    /// The backend.
    pub backend: String,
    /// Revision of the kernels: equal ones compute equal bits on equal vectors.
    pub kernels: u32,
    /// Vectors that the kernels computed with.
    pub vectors: String,
    /// Versions and hardware.
    pub machine: Machine,
    /// The day.
    pub date: String,
    /// Training images of all trainings and tries; one that two comparisons
    /// share counts once.
    #[serde(default)]
    pub images: u64,
    /// Their seconds.
    pub seconds: f64,
}

impl Provenance {
    /// Of results that are made here and now.
    pub fn here(
        experiment: Experiment,
        arguments: &Arguments,
        results: &[ComparisonResult],
    ) -> Self {
        let (images, seconds) = spent(results);
        let seeds = arguments.seeds;
        let seeds_flag = seeds.map_or_else(String::new, |seeds| format!(" --seeds {seeds}"));
        let backend = match arguments.backend.as_str() {
            "flex" => String::new(),
            other => format!(" --backend {other}"),
        };
        Self {
            experiment: experiment.name.to_owned(),
            scale: arguments.scale(),
            seeds,
            command: format!(
                "just experiment {}{}{seeds_flag}{backend}",
                experiment.name,
                arguments.scale().flag()
            ),
            backend: arguments.backend.clone(),
            kernels: kiln_kernels::REVISION,
            vectors: kiln_kernels::vectors().to_owned(),
            machine: Machine::here(option_env!("KILN_REVISION")),
            date: jiff::Zoned::now().strftime("%Y-%m-%d").to_string(),
            images,
            seconds,
        }
    }

    /// With machine and day of what was made `before`, when that has the same
    /// form and the same bits.
    pub fn made_as(self, before: Option<Self>) -> Self {
        let is_same = |before: &Self| {
            (before.scale, before.seeds, &before.backend, &before.vectors)
                == (self.scale, self.seeds, &self.backend, &self.vectors)
                && before.kernels == self.kernels
        };
        match before.filter(is_same) {
            Some(before) => Self {
                machine: before.machine,
                date: before.date,
                ..self
            },
            None => self,
        }
    }

    /// Of the results in `folder`; none where there are none.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn read(folder: &Path) -> Result<Option<Self>, LabError> {
        let file = folder.join(FILE);
        let Ok(text) = std::fs::read_to_string(&file) else {
            return Ok(None);
        };
        serde_json::from_str(&text).map(Some).map_err(|error| {
            LabError::data(format!(
                "{} is damaged: {error}; make the results anew in another --output-dir",
                file.display()
            ))
        })
    }

    /// Writes it beside the results.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), LabError> {
        let text = serde_json::to_string_pretty(self).map_err(LabError::run)?;
        save(&folder.join(FILE), &(text + "\n"))
    }
}

/// Images and seconds of all trainings, each counted once.
fn spent(results: &[ComparisonResult]) -> (u64, f64) {
    let mut seen = HashSet::new();
    let (mut images, mut seconds) = (0, 0.0);
    for arm in results.iter().flat_map(|result| &result.arms) {
        for one in &arm.arm.tries {
            images += one.images;
            seconds += one.seconds;
        }
        for outcome in arm.outcomes.iter().filter(|one| !one.run.is_empty()) {
            if seen.insert(&outcome.run) {
                images += (outcome.curve.len() * arm.arm.train_images) as u64;
                seconds += outcome.seconds;
            }
        }
    }
    (images, seconds)
}

/// Writes a file, whole or not at all.
pub fn save(file: &Path, text: &str) -> Result<(), LabError> {
    atomic_write(file, text.as_bytes())
        .map_err(|error| LabError::run(format!("{} could not be written: {error}", file.display())))
}
