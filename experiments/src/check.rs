//! Holding stored results to what a training gives now: the cheapest of them is
//! trained again.

use crate::{
    Experiment, Scale,
    arguments::Arguments,
    print::{note, text},
    provenance::Provenance,
    run::{context, defined},
    tables::{self, Row},
};
use kiln_figures::percent;
use kiln_lab::{EvalSplit, LabError, Spread, Stops};
use kiln_store::Store;
use std::{path::Path, process::ExitCode};

/// Standard deviations that another machine's result may be away.
const AWAY: f64 = 3.0;

/// Trains one stored result again. On the same vectors and revision of the
/// kernels it must have the same weights, elsewhere an accuracy within three
/// standard deviations of the arm's mean, or one point where there is one seed.
pub fn check(experiment: Experiment, arguments: &Arguments) -> Result<ExitCode, LabError> {
    let folder = arguments.folder(experiment.name).unwrap_or_default();
    let Some(provenance) = Provenance::read(&folder)? else {
        return Err(LabError::usage(format!(
            "{} holds no results; `just experiment {}` makes them",
            folder.display(),
            experiment.name
        )));
    };
    let rows = tables::read(&folder)?;
    let cheapest = rows
        .iter()
        .filter(|row| row.test_accuracy.is_some())
        .min_by_key(|row| (row.epochs * row.train_images) as u64 * row.macs.max(1));
    let Some(row) = cheapest else {
        return Err(LabError::data(format!(
            "{} holds no training that succeeded",
            folder.display()
        )));
    };
    note(&format!(
        "{}, {}, seed {}: {} stored",
        row.comparison,
        row.arm,
        row.seed,
        percent(row.test_accuracy.unwrap_or_default())
    ));
    let (accuracy, weights) = again(experiment, arguments, &provenance, row)?;
    let same_bits = provenance.kernels == kiln_kernels::REVISION
        && provenance.vectors == kiln_kernels::vectors()
        && provenance.backend == "flex";
    let found = match (weights == row.weights_sha256, same_bits) {
        (true, _) => "the same weights bit for bit".to_owned(),
        (false, true) => {
            return Err(changed(&folder, row, &percent(accuracy), "other weights"));
        }
        (false, false) => near(&rows, row, accuracy)
            .ok_or_else(|| changed(&folder, row, &percent(accuracy), "another accuracy"))?,
    };
    text(&format!("{}: {found}\n", experiment.name));
    Ok(ExitCode::SUCCESS)
}

/// Test accuracy and weights of the row's training, done now.
fn again(
    experiment: Experiment,
    arguments: &Arguments,
    provenance: &Provenance,
    row: &Row,
) -> Result<(f64, Option<String>), LabError> {
    let store = Store::locate(arguments.data_dir.as_deref(), arguments.offline)?;
    let arguments = Arguments {
        smoke: provenance.scale == Scale::Smoke,
        quick: provenance.scale == Scale::Quick,
        long: provenance.scale == Scale::Long,
        seeds: None,
        output_dir: None,
        dry_run: false,
        check: false,
        backend: provenance.backend.clone(),
        threads: None,
        data_dir: None,
        offline: arguments.offline,
    };
    let comparisons = defined(experiment, &arguments);
    let comparison = comparisons
        .into_iter()
        .find(|one| one.name == row.comparison);
    let gone = || {
        LabError::data(format!(
            "the stored arm {} of {} is not in the experiment any more; make the results anew",
            row.arm, row.comparison
        ))
    };
    let runs = tempfile::tempdir().map_err(LabError::run)?;
    let open = comparison
        .ok_or_else(gone)?
        .open(runs.path().to_owned(), &store)?;
    let stops = Stops::default();
    let outcome = open.again(&row.arm, (row.seed, row.factor, row.epochs), |word| {
        context(&store, word, &stops)
    })?;
    let outcome = outcome.ok_or_else(gone)?;
    let accuracy = outcome.accuracy(EvalSplit::Test).unwrap_or_default();
    Ok((accuracy, outcome.weights_sha256))
}

/// How near an accuracy is to the stored ones of its arm; none where it is too
/// far away.
fn near(rows: &[Row], row: &Row, accuracy: f64) -> Option<String> {
    let alike = rows
        .iter()
        .filter(|other| other.comparison == row.comparison && other.arm == row.arm);
    let accuracies: Vec<_> = alike.filter_map(|row| row.test_accuracy).collect();
    let spread = Spread::of(&accuracies)?;
    let allowed = spread.std.map_or(0.01, |std| (AWAY * std).max(0.002));
    ((accuracy - spread.mean).abs() <= allowed).then(|| {
        format!(
            "{} is within {} of the stored mean {}; vectors, kernels or backend are others",
            percent(accuracy),
            percent(allowed),
            percent(spread.mean)
        )
    })
}

fn changed(folder: &Path, row: &Row, accuracy: &str, what: &str) -> LabError {
    LabError::run(format!(
        "{} does not hold any more: {}, {}, seed {} now has {what} ({accuracy}); make the results anew, or find what changed them",
        folder.display(),
        row.comparison,
        row.arm,
        row.seed
    ))
}
