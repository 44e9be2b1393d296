//! Refusing comparisons that would say nothing.

use super::{Comparison, Equal, OpenArm};
use crate::{LabError, compare::differences};

/// What no arm may choose: which images, in which order, with which seed, in
/// how many passes, computed where.
const COMMON: [&str; 12] = [
    "data.dataset",
    "data.input",
    "data.classes",
    "data.val_split",
    "data.limit_train",
    "data.limit_val",
    "data.split_seed",
    "data.bootstrap",
    "train",
    "early_stop",
    "transfer",
    "device",
];

/// Whether `key` is `part` or lies in the section of that name.
fn is_in(key: &str, part: &str) -> bool {
    key == part
        || key
            .strip_prefix(part)
            .is_some_and(|rest| rest.starts_with('.'))
}

/// Refuses an axis that changes what must be common to all arms.
pub(super) fn check_axis(comparison: &Comparison) -> Result<(), LabError> {
    let refuse = |what: String| {
        LabError::usage(format!(
            "the comparison {} is not fair: {what}",
            comparison.name
        ))
    };
    for axis in &comparison.axis {
        if let Some(common) = COMMON
            .iter()
            .find(|common| is_in(axis, common) || is_in(common, axis))
        {
            return Err(refuse(format!(
                "its arms may change {axis}, but {common} must be common to all"
            )));
        }
    }
    let own = |key: &str| comparison.axis.iter().any(|axis| is_in(key, axis));
    for arm in &comparison.arms {
        let keys = arm.keys.iter().filter_map(|key| key.split('=').next());
        for key in keys.chain(arm.searched) {
            if !own(key) {
                return Err(refuse(format!(
                    "the arm {} sets {key}, which is not on its axis ({})",
                    arm.name,
                    comparison.axis.join(", ")
                )));
            }
        }
    }
    let mut names: Vec<_> = comparison.arms.iter().map(|arm| &arm.name).collect();
    names.sort();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(refuse(format!("two arms are called {}", pair[0]))),
        None => Ok(()),
    }
}

/// Refuses arms that turned out to differ elsewhere than on the axis, or in
/// what is to be equal.
pub(super) fn check_arms(comparison: &Comparison, arms: &[OpenArm]) -> Result<(), LabError> {
    let refuse = |what: String| {
        LabError::usage(format!(
            "the comparison {} is not fair: {what}",
            comparison.name
        ))
    };
    let settings = arms.iter().map(|arm| serde_json::to_value(&arm.settings));
    let settings = settings
        .collect::<Result<Vec<_>, _>>()
        .map_err(LabError::run)?;
    let timed = matches!(comparison.equal, Equal::Seconds(_));
    for difference in differences(&settings) {
        let key = difference.key.as_str();
        let expected =
            comparison.axis.iter().any(|axis| is_in(key, axis)) || (timed && key == "train.epochs");
        if !expected {
            return Err(refuse(format!("its arms differ in {key}")));
        }
    }
    let (what, within, count): (_, _, fn(&OpenArm) -> u64) = match comparison.equal {
        Equal::Parameters(within) => ("parameters", within, |arm| arm.parameters as u64),
        Equal::MultiplyAccumulates(within) => ("multiply-accumulates", within, |arm| arm.macs),
        Equal::Epochs | Equal::Seconds(_) => return Ok(()),
    };
    let smallest = arms.iter().min_by_key(|arm| count(arm));
    let largest = arms.iter().max_by_key(|arm| count(arm));
    let (Some(smallest), Some(largest)) = (smallest, largest) else {
        return Ok(());
    };
    if count(largest) as f64 > count(smallest) as f64 * (1.0 + within) {
        return Err(refuse(format!(
            "{} has {} {what} and {} has {}, more than {:.0} % apart",
            smallest.name,
            count(smallest),
            largest.name,
            count(largest),
            within * 100.0
        )));
    }
    Ok(())
}
