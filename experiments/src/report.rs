//! `README.md` of the results: question, answer, tables, figures, and how they
//! were made.

use crate::{
    Experiment, Ran,
    arm_table::{difference_row, table},
    provenance::Provenance,
};
use kiln_figures::{markdown, percent, thousands};
use kiln_lab::{
    CheckpointName, Comparison, ComparisonResult, Equal, Interval, OpenComparison, shown_seconds,
};
use std::fmt::Write as _;

/// A picture of the results.
pub struct Figure {
    /// Name of its file, without `.svg`.
    pub name: String,
    /// What it shows, in a sentence.
    pub caption: String,
    /// The file.
    pub svg: String,
}

/// A part of the results beyond those that every comparison has.
pub struct Section {
    /// Heading.
    pub title: String,
    /// Paragraphs and tables, in Markdown.
    pub text: String,
    /// Pictures below them.
    pub figures: Vec<Figure>,
}

/// A share in percent with its standard deviation: `98.12 ± 0.10 %`.
pub fn points(value: &Interval) -> String {
    match value.std {
        Some(std) => format!("{:.2} ± {:.2} %", value.mean * 100.0, std * 100.0),
        None => percent(value.mean),
    }
}

/// A difference of shares in percentage points with its 95 % interval:
/// `+1.20 (+1.00 to +1.40)`.
pub fn signed_points(value: &Interval) -> String {
    let mean = value.mean * 100.0;
    match value.half_width {
        Some(half) => format!(
            "{mean:+.2} ({:+.2} to {:+.2})",
            mean - half * 100.0,
            mean + half * 100.0
        ),
        None => format!("{mean:+.2}"),
    }
}

/// What a difference of shares says: that something `falls by 1.20 (1.00 to
/// 1.40) percentage points`, rises, or changes by no more than luck explains.
pub fn moved(value: &Interval) -> String {
    let [mean, half] = [value.mean.abs(), value.half_width.unwrap_or_default()].map(|x| x * 100.0);
    match value.excludes_zero() {
        true => format!(
            "{} by {mean:.2} ({:.2} to {:.2}) percentage points",
            if value.mean < 0.0 { "falls" } else { "rises" },
            mean - half,
            mean + half
        ),
        false => format!(
            "changes by no more than the luck of the seeds may explain ({} points)",
            signed_points(value)
        ),
    }
}

/// The whole page. `definitions` are the comparisons as they were asked for.
pub fn page(
    (experiment, question): (Experiment, &str),
    (ran, definitions): (&Ran, &[Comparison]),
    (sections, provenance): (&[Section], &Provenance),
) -> String {
    let mut page = format!(
        "# {question}\n\n**{}**\n\n{}\n",
        (experiment.answer)(ran),
        experiment.about
    );
    let _ = write!(
        page,
        "\nThis form took {} training images at {} a second: {}.\n",
        thousands(provenance.images),
        thousands((provenance.images as f64 / provenance.seconds) as u64),
        shown_seconds(provenance.seconds)
    );
    for (result, definition) in ran.results.iter().zip(definitions) {
        comparison(&mut page, result, definition);
    }
    for section in sections {
        let _ = write!(
            page,
            "\n## {}\n\n{}\n",
            section.title,
            section.text.trim_end()
        );
        for figure in &section.figures {
            picture(&mut page, figure);
        }
    }
    page + &made(provenance)
}

fn picture(page: &mut String, figure: &Figure) {
    let _ = write!(page, "\n![{}]({}.svg)\n", figure.caption, figure.name);
}

fn comparison(page: &mut String, result: &ComparisonResult, definition: &Comparison) {
    let _ = write!(
        page,
        "\n## {}\n\n{}\n\n",
        result.title,
        protocol(result, definition)
    );
    let (head, rows) = table(result);
    let head: Vec<_> = head.iter().map(String::as_str).collect();
    page.push_str(&markdown(&head, &rows));
    let differences = match definition.pairs.as_slice() {
        [] => result.differences(),
        pairs => pairs
            .iter()
            .filter_map(|[first, second]| result.difference(first, second))
            .collect(),
    };
    if !differences.is_empty() {
        let rows: Vec<_> = differences.iter().map(difference_row).collect();
        page.push('\n');
        let head = [
            "difference",
            "test accuracy (points)",
            "p of McNemar's test by seed",
        ];
        page.push_str(&markdown(&head, &rows));
    }
    if shows_curves(result) {
        let _ = write!(
            page,
            "\n![Validation accuracy after each epoch; the bands are one standard deviation over the seeds]({}.svg)\n",
            result.name
        );
    }
    for arm in &result.arms {
        let diverged = arm.outcomes.iter().find_map(|one| one.diverged.as_ref());
        if let Some(cause) = diverged {
            let _ = write!(page, "\n{} failed: {cause}\n", arm.arm.name);
        }
    }
}

/// Whether there is more than one epoch to show.
pub fn shows_curves(result: &ComparisonResult) -> bool {
    let outcomes = result.arms.iter().flat_map(|arm| &arm.outcomes);
    outcomes.into_iter().any(|outcome| outcome.curve.len() > 1)
}

/// What was equal, in sentences.
fn protocol(result: &ComparisonResult, definition: &Comparison) -> String {
    let Some(first) = result.arms.first() else {
        return String::new();
    };
    let arm = &first.arm;
    let equal = match result.equal {
        Equal::Epochs => format!("the same {} epochs", arm.settings.train.epochs),
        Equal::Parameters(within) => format!(
            "the same {} epochs and, within {:.0} %, equally many parameters",
            arm.settings.train.epochs,
            within * 100.0
        ),
        Equal::MultiplyAccumulates(within) => format!(
            "the same {} epochs and, within {:.0} %, equally many multiply-accumulates",
            arm.settings.train.epochs,
            within * 100.0
        ),
        Equal::Seconds(seconds) => {
            format!(
                "as many epochs as fit into {seconds:.0} seconds by a measurement beforehand, with a fifth kept in reserve"
            )
        }
    };
    let which = match definition.checkpoint {
        CheckpointName::Best => "at the epoch that is best by validation",
        CheckpointName::Last => "after the last epoch",
    };
    let mut text = format!(
        "All arms: {} training and {} validation images of {} in the same order, {equal}, {} seed{}, test images evaluated {which}. Shared: {}.",
        thousands(arm.train_images as u64),
        thousands(arm.val_images as u64),
        arm.settings.data.dataset,
        first.outcomes.len(),
        if first.outcomes.len() == 1 { "" } else { "s" },
        listed(&definition.shared),
    );
    if let Some(search) = &definition.search {
        let factors: Vec<_> = search.factors.iter().map(f64::to_string).collect();
        let _ = write!(
            text,
            " One number of each arm{} was searched alike: its own value times {}, {} epochs and one seed each, the best by validation.",
            match result.arms.iter().all(|arm| arm.arm.searched.is_some()) {
                true => "",
                false => " that has one to search",
            },
            factors.join(", "),
            search.epochs
        );
        let edges = [f64::min, f64::max].map(|edge| search.factors.iter().copied().reduce(edge));
        let outermost = result
            .arms
            .iter()
            .filter(|arm| edges.contains(&arm.arm.factor));
        let outermost: Vec<_> = outermost.map(|arm| arm.arm.name.as_str()).collect();
        if !outermost.is_empty() {
            let _ = write!(
                text,
                " For {} the best was the outermost: beyond it there may be a better one.",
                outermost.join(", ")
            );
        }
        let _ = write!(text, " Tried: {}.", tried(result).join("; "));
    }
    let arms: Vec<_> = definition
        .arms
        .iter()
        .map(|arm| {
            let keys = match arm.keys.is_empty() {
                true => "as it is".to_owned(),
                false => listed(&arm.keys),
            };
            let searched = arm.searched.map(|key| format!(", {key} searched"));
            format!("- {}: {keys}{}", arm.name, searched.unwrap_or_default())
        })
        .collect();
    text + "\n\n" + &arms.join("\n")
}

/// What was tried, arm by arm, with the validation accuracy.
fn tried(result: &ComparisonResult) -> Vec<String> {
    let arms = result.arms.iter().filter(|arm| !arm.arm.tries.is_empty());
    arms.map(|arm| {
        let tries = arm.arm.tries.iter().map(|one| {
            let accuracy = one
                .val_accuracy
                .map_or_else(|| "failed".to_owned(), percent);
            format!("{} ({accuracy})", one.number)
        });
        format!("{} {}", arm.arm.name, tries.collect::<Vec<_>>().join(", "))
    })
    .collect()
}

fn listed(keys: &[String]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
    keys.join(" ")
}

fn made(provenance: &Provenance) -> String {
    let machine = &provenance.machine;
    format!(
        "\n## How this was made\n\n```\n{}\n```\n\nThe {} form, {}, {:.0} s of training, searches included and shared trainings counted once, on {} with {} thread{}, {} vectors and kernels of revision {}; kiln {} of revision {}, Burn {}, backend {}. `results.csv` has a row for each training with the SHA-256 of its weights, `curves.csv` one for each epoch. `just check-results {}` trains one of them again and compares.\n\nAccuracies are mean ± standard deviation over the seeds, the 95 % interval of the mean is by Student's t; differences are paired by seed, and McNemar's exact test is on the test images of each seed's two networks. Intervals are each for itself, not corrected for their number; that of a skewed sample can go beyond 0 or 100 %. Seconds, images/s and memory are those of this machine with whatever else it and the process did.\n",
        provenance.command,
        provenance.scale,
        provenance.date,
        provenance.seconds,
        machine.platform,
        machine.threads,
        if machine.threads == 1 { "" } else { "s" },
        provenance.vectors,
        provenance.kernels,
        machine.kiln,
        machine.revision.as_deref().unwrap_or("unknown"),
        machine.burn,
        provenance.backend,
        provenance.experiment,
    )
}

/// What a comparison will train, in a line for each arm; the images and the
/// seconds of all.
pub fn plan(open: &OpenComparison, speeds: &[Option<f64>]) -> (String, u64, f64) {
    let definition = open.definition();
    let mut text = format!("{}\n", definition.title);
    let (mut every, mut all) = (0, 0.0);
    for (arm, speed) in open.arms().iter().zip(speeds) {
        let images = open.images(arm);
        let _ = write!(
            text,
            "  {}: {} parameters, {} multiply-accumulates",
            arm.name,
            thousands(arm.parameters as u64),
            thousands(arm.macs)
        );
        if let Some(speed) = speed {
            let seconds = open.seconds(arm, *speed);
            every += images;
            all += seconds;
            let _ = write!(
                text,
                ", {} images at {} a second: {seconds:.0} s",
                thousands(images),
                thousands(speed.round() as u64)
            );
        } else {
            text.push_str(", trained above");
        }
        text.push('\n');
    }
    (text, every, all)
}
