//! The file of a sweep: what is common to all runs, and what is tried.

use crate::{LabError, keys::nested};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// A sweep as its file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default = "one")]
    seeds: u64,
    #[serde(default)]
    base: Table,
    grid: Option<Table>,
    random: Option<Random>,
    halving: Option<Halving>,
}

#[derive(Deserialize)]
struct Random {
    count: usize,
    #[serde(default = "one")]
    seed: u64,
    #[serde(flatten)]
    keys: Table,
}

fn one() -> u64 {
    1
}

/// Successive halving: many candidates train for few epochs, the best of them
/// for more (Jamieson & Talwalkar 2016, algorithm 1; with a factor other than 2
/// as in Li et al. 2018, "Hyperband").
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Halving {
    /// One in so many survives, and learns so many times as long.
    #[serde(default = "three")]
    pub eta: usize,
    /// Epochs of the first round.
    pub min_epochs: usize,
    /// Epochs of the last.
    pub max_epochs: usize,
}

fn three() -> usize {
    3
}

/// A sweep, checked as far as that needs no configuration.
pub struct Definition {
    /// The whole file, to know it again.
    pub text: Table,
    /// Runs of each candidate.
    pub seeds: u64,
    /// The configuration that all runs begin with: a file or a recipe.
    pub config: Option<PathBuf>,
    /// What is set over it, by dotted key.
    pub base: Vec<(String, Value)>,
    /// What is tried.
    pub space: Space,
    /// How the time is divided, where not equally.
    pub halving: Option<Halving>,
}

/// What is tried.
pub enum Space {
    /// Every combination.
    Grid(Vec<(String, Vec<Value>)>),
    /// So many draws.
    Random {
        /// Draws.
        count: usize,
        /// Their seed.
        seed: u64,
        /// Where each key's values come from.
        ranges: Vec<(String, Range)>,
    },
}

/// Where the values of a key come from.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Range {
    /// Every number between two as likely as the other; whole numbers, both
    /// ends included, where the ends are whole.
    Uniform([Value; 2]),
    /// The same of the logarithm.
    LogUniform([Value; 2]),
    /// One of a list.
    Choice(Vec<Value>),
}

/// Keys that a sweep cannot vary, and why.
const FIXED: [(&str, &str); 7] = [
    (
        "train.seed",
        "seeds = K gives every candidate the same K seeds",
    ),
    (
        "data.dataset",
        "accuracies on other images cannot be compared",
    ),
    (
        "data.val_split",
        "accuracies on other images cannot be compared",
    ),
    (
        "data.split_seed",
        "accuracies on other images cannot be compared",
    ),
    (
        "data.limit_val",
        "accuracies on other images cannot be compared",
    ),
    (
        "train.overfit_batches",
        "accuracies on other images cannot be compared",
    ),
    (
        "device.backend",
        "all candidates are computed on one device",
    ),
];

impl Definition {
    /// Reads the file of a sweep.
    ///
    /// # Errors
    /// When it cannot be read, or asks for what cannot be meant.
    pub fn read(file: &Path) -> Result<Self, LabError> {
        let wrong = |what: String| LabError::usage(format!("{} {what}", file.display()));
        let text = std::fs::read_to_string(file)
            .map_err(|error| wrong(format!("cannot be read: {error}")))?;
        parse(&text).map_err(wrong)
    }
}

fn parse(text: &str) -> Result<Definition, String> {
    let line = |error: &toml::de::Error| error.message().lines().next().map(str::to_owned);
    let not_valid =
        |error: toml::de::Error| format!("is no sweep: {}", line(&error).unwrap_or_default());
    let table: Table = text.parse().map_err(not_valid)?;
    let Text {
        seeds,
        mut base,
        grid,
        random,
        halving,
    } = Value::Table(table.clone()).try_into().map_err(not_valid)?;
    if seeds == 0 {
        return Err("has seeds = 0, but it must be at least 1".to_owned());
    }
    let config = match base.remove("config") {
        None => None,
        Some(Value::String(config)) => Some(PathBuf::from(config)),
        Some(other) => return Err(format!("has base.config = {other}, but it must be a file")),
    };
    for (short, key) in [("model", "model.name"), ("dataset", "data.dataset")] {
        if let Some(Value::String(name)) = base.get(short) {
            let layer = nested(key, Value::String(name.clone()));
            base.remove(short);
            for (section, value) in layer {
                merge(&mut base, section, value);
            }
        }
    }
    let space = match (grid, random) {
        (Some(_), Some(_)) => return Err("has [grid] and [random]; a sweep has one of them".into()),
        (None, None) => {
            return Err("has neither [grid] nor [random]; name the values to try in one".into());
        }
        (Some(grid), None) => Space::Grid(lists(grid)?),
        (None, Some(random)) => Space::Random {
            count: random.count,
            seed: random.seed,
            ranges: ranges(random.keys)?,
        },
    };
    let definition = Definition {
        text: table,
        seeds,
        config,
        base: leaves(base, &|_| false),
        space,
        halving,
    };
    check(&definition)?;
    Ok(definition)
}

/// Adds a section without taking away what is in it.
fn merge(base: &mut Table, section: String, value: Value) {
    match (base.get_mut(&section), value) {
        (Some(Value::Table(there)), Value::Table(more)) => there.extend(more),
        (_, value) => {
            base.insert(section, value);
        }
    }
}

fn check(definition: &Definition) -> Result<(), String> {
    let keys: Vec<&String> = match &definition.space {
        Space::Grid(lists) => lists.iter().map(|(key, _)| key).collect(),
        Space::Random { count: 0, .. } => {
            return Err("has random.count = 0, but it must be at least 1".to_owned());
        }
        Space::Random { ranges, .. } => ranges.iter().map(|(key, _)| key).collect(),
    };
    if keys.is_empty() {
        return Err("names no key to try, such as optimizer.lr".to_owned());
    }
    for (fixed, why) in FIXED {
        if keys.iter().any(|key| *key == fixed) {
            return Err(format!("tries {fixed}, which cannot be varied: {why}"));
        }
    }
    let Some(halving) = definition.halving else {
        return Ok(());
    };
    if keys.iter().any(|key| *key == "train.epochs") {
        return Err("tries train.epochs, which [halving] decides".to_owned());
    }
    if halving.eta < 2 {
        return Err(format!(
            "has halving.eta = {}, but it must be at least 2",
            halving.eta
        ));
    }
    if halving.min_epochs == 0 || halving.max_epochs < halving.min_epochs {
        return Err(format!(
            "has halving.min_epochs = {} and halving.max_epochs = {}, but the first must be at least 1 and the second no smaller",
            halving.min_epochs, halving.max_epochs
        ));
    }
    Ok(())
}

/// Every value of a table by its dotted key; a table that `is_value` says is
/// one, too. Names come first, because another optimizer takes away the numbers
/// of the one before.
fn leaves(table: Table, is_value: &dyn Fn(&Table) -> bool) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    collect("", table, is_value, &mut found);
    found.sort_by_key(|(key, _)| (!key.ends_with(".name"), key.clone()));
    found
}

fn collect(
    path: &str,
    table: Table,
    is_value: &dyn Fn(&Table) -> bool,
    found: &mut Vec<(String, Value)>,
) {
    for (key, value) in table {
        let path = match path {
            "" => key,
            path => format!("{path}.{key}"),
        };
        match value {
            Value::Table(table) if !is_value(&table) => collect(&path, table, is_value, found),
            value => found.push((path, value)),
        }
    }
}

fn lists(grid: Table) -> Result<Vec<(String, Vec<Value>)>, String> {
    let lists = leaves(grid, &|_| false).into_iter();
    lists
        .map(|(key, value)| match value {
            Value::Array(values) if !values.is_empty() => Ok((key, values)),
            other => Err(format!(
                "has grid.{key} = {other}, but it must be a list of values, such as [0.1, 0.01]"
            )),
        })
        .collect()
}

const RANGES: [&str; 3] = ["uniform", "log-uniform", "choice"];

fn ranges(keys: Table) -> Result<Vec<(String, Range)>, String> {
    let is_range = |table: &Table| RANGES.iter().any(|name| table.contains_key(*name));
    let ranges = leaves(keys, &is_range).into_iter();
    ranges
        .map(|(key, value)| {
            let wrong = || {
                format!(
                    "has random.{key} = {value}, but it must be {{ uniform = [0, 0.5] }}, {{ log-uniform = [1e-4, 0.1] }} with both ends above 0, or {{ choice = [32, 64] }}"
                )
            };
            let range: Range = value.clone().try_into().map_err(|_| wrong())?;
            range.is_possible().then_some((key.clone(), range)).ok_or_else(wrong)
        })
        .collect()
}

/// A whole or broken number.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Integer(number) => *number as f64,
        Value::Float(number) => *number,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

impl Range {
    fn is_possible(&self) -> bool {
        let ends = |[low, high]: &[Value; 2]| {
            let (low, high) = (number(low)?, number(high)?);
            let sensible = low <= high && low.abs().max(high.abs()) < 1e15;
            sensible.then_some((low, high))
        };
        match self {
            Self::Uniform(range) => ends(range).is_some(),
            Self::LogUniform(range) => ends(range).is_some_and(|(low, _)| low > 0.0),
            Self::Choice(values) => !values.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_may_be_written_as_sections_or_with_dots() {
        let one = "base.model = 'lenet'\nbase.dataset = 'digits'\n[base.train]\nepochs = 2\n[grid]\noptimizer.lr = [1, 2]\n\"optimizer.name\" = ['sgd']";
        let sweep = parse(one).expect("a sweep");
        let base: Vec<_> = sweep.base.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(base, ["model.name", "data.dataset", "train.epochs"]);
        let Space::Grid(grid) = sweep.space else {
            panic!("a grid");
        };
        let keys: Vec<_> = grid.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["optimizer.name", "optimizer.lr"]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_the_key() {
        for (text, word) in [
            ("", "neither [grid] nor [random]"),
            ("[grid]\na.b=[1]\n[random]\ncount=1", "one of them"),
            ("[grid]\na.b=1", "grid.a.b = 1"),
            ("[grid]\na.b=[]", "a list of values"),
            ("[grid]", "names no key"),
            ("[grid]\ntrain.seed=[1,2]", "seeds = K"),
            ("[grid]\ndata.val_split=[1,2]", "cannot be compared"),
            ("seeds=0\n[grid]\na.b=[1]", "seeds = 0"),
            ("[random]\ncount=0\na.b.choice=[1]", "random.count = 0"),
            ("[random]\ncount=2\na.b.uniform=[2,1]", "random.a.b"),
            ("[random]\ncount=2\na.b.log-uniform=[0,1]", "above 0"),
            ("[random]\ncount=2\na.b=[1]", "random.a.b"),
            ("[random]\na.b.choice=[1]", "count"),
            ("[gird]\na.b=[1]", "gird"),
            (
                "[grid]\ntrain.epochs=[1]\n[halving]\nmin_epochs=1\nmax_epochs=2",
                "which [halving]",
            ),
            (
                "[grid]\na.b=[1]\n[halving]\nmin_epochs=3\nmax_epochs=2",
                "max_epochs = 2",
            ),
            (
                "[grid]\na.b=[1]\n[halving]\neta=1\nmin_epochs=1\nmax_epochs=2",
                "eta = 1",
            ),
        ] {
            let error = parse(text).err().expect(text);
            assert!(error.contains(word), "{text}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
