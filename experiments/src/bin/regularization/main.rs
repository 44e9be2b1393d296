//! Which regularizer closes the gap between training and test accuracy on few
//! images?

mod closing;
mod regularizers;
mod zeros;

use closing::{effects, gap, is_above};
use kiln_experiments::{Experiment, Ran, Scale, Section, signed_points};
use kiln_lab::{CheckpointName, Comparison, EvalSplit, LabError, Search};
use regularizers::{EARLY, REGULARIZERS, Regularizer};
use std::process::ExitCode;

/// The networks, with the names that they have in sentences.
const NETWORKS: [(&str, &str); 2] = [("lenet", "LeNet"), ("mlp", "the MLP")];

fn main() -> ExitCode {
    kiln_experiments::main(Experiment {
        name: "regularization",
        about: "Few images, many weights: the training images are learned by heart, and the gap between training and test accuracy tells how much of that is of no use. One regularizer at a time, then pairs; the strength of each is searched alike in the full form and as written in the smaller ones. The weights after the last epoch are evaluated, so that choosing the best epoch does not do a regularizer's work; early stopping is a comparison of its own, of the same trainings. Last, L1 on more images: how much accuracy each share of weights that are exactly zero costs.",
        comparisons,
        answer,
        sections,
    })
}

fn comparisons(scale: Scale) -> Vec<Comparison> {
    let mut all = Vec::new();
    for (model, name) in NETWORKS {
        all.push(few_images(scale, model, name));
        all.push(early(scale, model, name));
    }
    all.extend(NETWORKS.map(|(model, name)| zeros::comparison(scale, model, name)));
    all
}

/// The training that the arms share.
fn base(scale: Scale, comparison: Comparison, model: &str) -> Comparison {
    let mut comparison = comparison.share([
        format!("model.name={model}"),
        format!(
            "data.dataset={}",
            scale.pick("digits:1000", "mnist", "mnist")
        ),
        format!("data.limit_val={}", scale.pick(50, 500, 1_000)),
        "train.batch_size=50".to_owned(),
    ]);
    comparison.seeds = scale.pick(2, 3, 5);
    comparison.checkpoint = CheckpointName::Last;
    comparison
}

/// The same on few images, with the training images evaluated too.
fn base_of_few(scale: Scale, comparison: Comparison, model: &str) -> Comparison {
    let mut comparison = base(scale, comparison, model).share([
        format!("data.limit_train={}", scale.pick(200, 1_000, 1_000)),
        format!("train.epochs={}", epochs(scale)),
    ]);
    comparison.splits = vec![EvalSplit::Train];
    comparison
}

fn epochs(scale: Scale) -> usize {
    match scale {
        Scale::Smoke => 2,
        Scale::Quick => 20,
        Scale::Full => 30,
        Scale::Long => 100,
    }
}

fn few_images(scale: Scale, model: &str, name: &str) -> Comparison {
    let axis = [
        "regularization",
        "model.dropout",
        "optimizer",
        "data.augment",
    ];
    let title = format!("{} on few images", capital(name));
    let comparison = Comparison::new(model, &title, &axis);
    let mut comparison = base_of_few(scale, comparison, model).arm("none", "");
    let searched = scale >= Scale::Full;
    let chosen = |one: &&Regularizer| match scale {
        Scale::Smoke => ["dropout", "L1", "strong augmentation"].contains(&one.name),
        Scale::Quick => one.quick,
        Scale::Full | Scale::Long => true,
    };
    for one in REGULARIZERS.iter().filter(chosen) {
        comparison = match one.number.filter(|_| searched) {
            Some(number) => comparison.searched_arm(one.name, one.keys, number),
            None => comparison.arm(one.name, one.keys),
        };
    }
    comparison.search = searched.then(|| Search {
        factors: vec![0.1, 0.3, 1.0, 1.6],
        epochs: epochs(scale),
    });
    comparison
}

fn early(scale: Scale, model: &str, name: &str) -> Comparison {
    let title = format!("{} with early stopping", capital(name));
    let early = Comparison::new(&format!("{model}-early"), &title, &[]);
    let mut early = base_of_few(scale, early, model)
        .share(["early_stop.patience=10", "early_stop.monitor=val_loss"])
        .arm(EARLY, "");
    early.checkpoint = CheckpointName::Best;
    early
}

fn capital(name: &str) -> String {
    name.replacen("the ", "The ", 1)
}

fn answer(ran: &Ran) -> String {
    let parts = NETWORKS.map(|(model, name)| {
        let effects = effects(ran, model);
        let none = ran.result(model).and_then(|one| one.arm("none"));
        let Some(gap) = none.and_then(|none| none.over(gap)) else {
            return format!("the trainings of {name} failed");
        };
        let gap = gap.mean * 100.0;
        let closing: Vec<_> = effects.iter().filter(|one| is_above(&one.closed)).collect();
        match closing.first() {
            Some(best) => format!(
                "of {name}'s gap of {gap:.2} percentage points {} closes most, {}, with test accuracy {}, and {} of {} regularizers close something that the seeds can tell from nothing",
                best.arm.arm.name,
                signed_points(&best.closed),
                signed_points(&best.test),
                closing.len(),
                effects.len()
            ),
            None => format!(
                "no regularizer closes anything of {name}'s gap of {gap:.2} percentage points that the seeds can tell from nothing"
            ),
        }
    });
    format!("{}.", capital_first(&parts.join("; ")))
}

fn capital_first(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

fn sections(ran: &Ran) -> Result<Vec<Section>, LabError> {
    Ok(vec![closing::section(ran), zeros::section(ran)])
}
