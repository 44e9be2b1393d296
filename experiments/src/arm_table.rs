//! The tables of a comparison: a row for each arm, and for each pair of arms.

use crate::{points, signed_points};
use kiln_figures::thousands;
use kiln_lab::{ArmDifference, ArmResult, ComparisonResult, EvalSplit, Interval};

/// The arms of a comparison: what they reached and what they cost.
pub fn table(result: &ComparisonResult) -> (Vec<String>, Vec<Vec<String>>) {
    let trained = |arm: &ArmResult| arm.accuracy(EvalSplit::Train).is_some();
    let with_training = result.arms.iter().any(trained);
    let searched = result.arms.iter().any(|arm| arm.arm.factor.is_some());
    let mut head = vec!["", "test accuracy", "95 % interval", "validation"];
    if with_training {
        head.extend(["training", "gap (points)"]);
    }
    if searched {
        head.push("found");
    }
    head.extend([
        "parameters",
        "MACs",
        "epochs",
        "seconds",
        "images/s",
        "memory (MB)",
    ]);
    let rows = result.arms.iter().map(|arm| {
        let mut cells = vec![arm.arm.name.clone()];
        cells.extend(accuracies(arm, with_training));
        if searched {
            let number = arm.arm.number().zip(arm.arm.searched);
            cells.push(number.map_or_else(
                || "-".to_owned(),
                |(number, key)| format!("{} = {number}", key.rsplit('.').next().unwrap_or(key)),
            ));
        }
        cells.extend(costs(arm));
        cells
    });
    (
        head.into_iter().map(str::to_owned).collect(),
        rows.collect(),
    )
}

fn accuracies(arm: &ArmResult, with_training: bool) -> Vec<String> {
    let missing = || match arm.outcomes.iter().any(|one| one.diverged.is_some()) {
        true => "failed".to_owned(),
        false => "-".to_owned(),
    };
    let shown = |value: Option<Interval>| value.map_or_else(missing, |value| points(&value));
    let test = arm.accuracy(EvalSplit::Test);
    let interval = test.and_then(|test| {
        let half = test.half_width?;
        Some(format!(
            "{:.2} to {:.2}",
            (test.mean - half) * 100.0,
            (test.mean + half) * 100.0
        ))
    });
    let mut cells = vec![
        shown(test),
        interval.unwrap_or_else(|| "-".to_owned()),
        shown(arm.over(|outcome| outcome.best_val_accuracy())),
    ];
    if with_training {
        cells.push(shown(arm.accuracy(EvalSplit::Train)));
        let gap = arm.over(|outcome| {
            Some(outcome.accuracy(EvalSplit::Train)? - outcome.accuracy(EvalSplit::Test)?)
        });
        cells.push(gap.map_or_else(missing, |gap| {
            let std = gap.std.map(|std| format!(" ± {:.2}", std * 100.0));
            format!("{:.2}{}", gap.mean * 100.0, std.unwrap_or_default())
        }));
    }
    cells
}

fn costs(arm: &ArmResult) -> Vec<String> {
    let mean = |number: fn(&kiln_lab::Outcome) -> Option<f64>| arm.over(number);
    let seconds = mean(|outcome| Some(outcome.seconds));
    let speed = mean(|outcome| Some(outcome.images_per_second));
    let memory = mean(|outcome| Some(outcome.peak_memory_bytes? as f64 / 1e6));
    let shown = |value: Option<Interval>, digits: usize| {
        value.map_or_else(
            || "-".to_owned(),
            |value| format!("{:.digits$}", value.mean),
        )
    };
    vec![
        thousands(arm.arm.parameters as u64),
        thousands(arm.arm.macs),
        arm.arm.settings.train.epochs.to_string(),
        shown(seconds, 1),
        speed.map_or_else(
            || "-".to_owned(),
            |speed| thousands(speed.mean.round() as u64),
        ),
        shown(memory, 0),
    ]
}

/// Two arms against each other.
pub fn difference_row(difference: &ArmDifference) -> Vec<String> {
    let p = difference.mcnemar.iter().map(|test| match test.p < 1e-4 {
        true => "< 0.0001".to_owned(),
        false => format!("{:.4}", test.p),
    });
    vec![
        format!("{} − {}", difference.first, difference.second),
        signed_points(&difference.accuracy),
        p.collect::<Vec<_>>().join(", "),
    ]
}
