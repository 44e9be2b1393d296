//! The gap between training and test accuracy, and who closes it.

use crate::{
    NETWORKS, capital,
    regularizers::{REGULARIZERS, WHY_EARLY},
};
use kiln_experiments::{Figure, Ran, Section, signed_points};
use kiln_figures::{Axis, DotPlot, DotSeries, markdown};
use kiln_lab::{ArmResult, EvalSplit, Interval, Outcome};
use std::fmt::Write as _;

/// Training minus test accuracy.
pub fn gap(outcome: &Outcome) -> Option<f64> {
    Some(outcome.accuracy(EvalSplit::Train)? - outcome.accuracy(EvalSplit::Test)?)
}

/// What a regularizer did against none.
pub struct Effect<'a> {
    /// The regularizer.
    pub arm: &'a ArmResult,
    /// Its gap.
    gap: Interval,
    /// How much smaller than without any.
    pub closed: Interval,
    /// How much higher its test accuracy.
    pub test: Interval,
}

/// The effects of all regularizers on a network, that which closes most first.
pub fn effects<'a>(ran: &'a Ran, model: &str) -> Vec<Effect<'a>> {
    let early = ran.result(&format!("{model}-early"));
    let Some(result) = ran.result(model) else {
        return Vec::new();
    };
    let Some(none) = result.arm("none") else {
        return Vec::new();
    };
    let others = result.arms.iter().skip(1);
    let others = others.chain(early.iter().flat_map(|early| &early.arms));
    let effect = |arm: &'a ArmResult| {
        Some(Effect {
            arm,
            gap: arm.over(gap)?,
            closed: none.minus(arm, gap)?,
            test: arm.minus(none, |one| one.accuracy(EvalSplit::Test))?,
        })
    };
    let mut effects: Vec<_> = others.filter_map(effect).collect();
    effects.sort_by(|a, b| b.closed.mean.total_cmp(&a.closed.mean));
    effects
}

/// Whether the interval lies above zero.
pub fn is_above(value: &Interval) -> bool {
    value.excludes_zero() && value.mean > 0.0
}

/// The section about it.
pub fn section(ran: &Ran) -> Section {
    let mut text = "The gap is training accuracy minus test accuracy. It closes in two ways: the test images are recognised better, which is what one wants, or the training images worse, which helps nobody; the last column tells which it was. Both differences are against none, paired by seed, with their 95 % intervals; the rows are sorted by the first.\n".to_owned();
    let head = [
        "",
        "gap (points)",
        "closes of the gap (points)",
        "test accuracy (points)",
    ];
    for (model, name) in NETWORKS {
        let effects = effects(ran, model);
        let rows: Vec<_> = effects
            .iter()
            .map(|one| {
                vec![
                    one.arm.arm.name.clone(),
                    format!("{:.2}", one.gap.mean * 100.0),
                    signed_points(&one.closed),
                    signed_points(&one.test),
                ]
            })
            .collect();
        let none = ran.result(model).and_then(|one| one.arm("none"));
        let gap = none.and_then(|none| none.over(gap));
        let gap = gap.map_or(0.0, |gap| gap.mean * 100.0);
        let _ = write!(
            text,
            "\n### {}: {gap:.2} points without any\n\n{}",
            capital(name),
            markdown(&head, &rows)
        );
        text += &reasons(&effects, name);
    }
    Section {
        title: "Who closes the gap".to_owned(),
        text,
        figures: vec![Figure {
            name: "gap".to_owned(),
            caption: "Gap between training and test accuracy under each regularizer with its 95 % interval".to_owned(),
            svg: gaps(ran).svg(),
        }],
    }
}

/// Why those that close nothing may not.
fn reasons(effects: &[Effect], name: &str) -> String {
    let lines = effects.iter().filter(|one| !is_above(&one.closed));
    let lines = lines.map(|one| {
        let arm = one.arm.arm.name.as_str();
        let row = REGULARIZERS.iter().find(|row| row.name == arm);
        let why = row.map_or(WHY_EARLY, |row| row.why);
        format!("- {arm}: {why}.")
    });
    let lines: Vec<_> = lines.collect();
    match lines.is_empty() {
        true => String::new(),
        false => format!(
            "\nFor {name} these close nothing that {} seeds can tell from zero. What speaks against each on so few images:\n\n{}\n",
            effects.first().map_or(0, |one| one.closed.count),
            lines.join("\n")
        ),
    }
}

fn gaps(ran: &Ran) -> DotPlot {
    // Sorted by the first network; none comes first.
    let mut rows = vec!["none".to_owned()];
    rows.extend(
        effects(ran, NETWORKS[0].0)
            .iter()
            .map(|one| one.arm.arm.name.clone()),
    );
    let series = NETWORKS.map(|(model, name)| {
        let own = ran.result(model);
        let early = ran.result(&format!("{model}-early"));
        let value = |row: &String| {
            let arm = own.and_then(|one| one.arm(row));
            let arm = arm.or_else(|| early.and_then(|one| one.arm(row)))?;
            let gap = arm.over(gap)?;
            Some((gap.mean * 100.0, gap.half_width.map(|half| half * 100.0)))
        };
        DotSeries {
            name: capital(name),
            values: rows.iter().map(value).collect(),
        }
    });
    DotPlot {
        title: "Training minus test accuracy".to_owned(),
        axis: Axis::linear("gap (percentage points), 95 % interval of the mean"),
        series: series.into(),
        rows,
    }
}
