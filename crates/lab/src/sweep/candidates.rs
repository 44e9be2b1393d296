//! The candidates of a sweep: every combination of a grid, or random draws.

use super::definition::{Range, Space, number};
use kiln_vision::draw::{Draw, Purpose};
use toml::Value;

/// What one candidate sets, by dotted key.
pub type Choices = Vec<(String, Value)>;

/// More candidates than this are a mistake.
const MOST: usize = 10_000;

/// The candidates of `space`, in an order that its text alone decides.
///
/// # Errors
/// When there are too many, as a sentence.
pub fn candidates(space: &Space) -> Result<Vec<Choices>, String> {
    match space {
        Space::Grid(lists) => combinations(lists),
        Space::Random { count, .. } if *count > MOST => Err(too_many()),
        Space::Random {
            count,
            seed,
            ranges,
        } => Ok((0..*count as u64)
            .map(|candidate| drawn(ranges, *seed, candidate))
            .collect()),
    }
}

fn too_many() -> String {
    format!("asks for more than {MOST} candidates; try fewer values")
}

/// Every combination, the last key changing first.
fn combinations(lists: &[(String, Vec<Value>)]) -> Result<Vec<Choices>, String> {
    let mut all = vec![Choices::new()];
    for (key, values) in lists {
        if all.len().saturating_mul(values.len()) > MOST {
            return Err(too_many());
        }
        let longer = all.iter().flat_map(|choices| {
            values.iter().map(move |value| {
                let mut choices = choices.clone();
                choices.push((key.clone(), value.clone()));
                choices
            })
        });
        all = longer.collect();
    }
    Ok(all)
}

/// The draw number `candidate`. Each key has numbers of its own, so that one
/// more candidate or key changes nothing of the others.
fn drawn(ranges: &[(String, Range)], seed: u64, candidate: u64) -> Choices {
    let draws = ranges.iter().map(|(key, range)| {
        // FNV-1a (Fowler, Noll, Vo): a number for the key's text.
        let text = key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut draw = Draw::keyed(seed, Purpose::Search, candidate, text);
        (key.clone(), value(range, &mut draw))
    });
    draws.collect()
}

fn value(range: &Range, draw: &mut Draw) -> Value {
    match range {
        Range::Choice(values) => values[draw.below(values.len())].clone(),
        Range::Uniform([Value::Integer(low), Value::Integer(high)]) => {
            Value::Integer(low + draw.below((high - low) as usize + 1) as i64)
        }
        Range::Uniform(ends) => {
            let [low, high] = ends.each_ref().map(|end| number(end).unwrap_or(0.0));
            Value::Float(rounded(low + (high - low) * draw.fraction()))
        }
        Range::LogUniform(ends) => {
            let [low, high] = ends.each_ref().map(|end| number(end).unwrap_or(1.0).ln());
            let drawn = (low + (high - low) * draw.fraction()).exp();
            match ends.iter().all(Value::is_integer) {
                true => Value::Integer(drawn.round() as i64),
                false => Value::Float(rounded(drawn)),
            }
        }
    }
}

/// Four digits are enough for a hyperparameter and can be read.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(range: Range, count: usize) -> Vec<f64> {
        let space = Space::Random {
            count,
            seed: 3,
            ranges: vec![("a.b".to_owned(), range)],
        };
        let all = candidates(&space).expect("candidates").into_iter();
        all.map(|choices| number(&choices[0].1).expect("a number"))
            .collect()
    }

    #[test]
    fn a_grid_is_every_combination_the_last_key_changing_first() {
        let list = |key: &str, values: &[i64]| {
            let values = values.iter().map(|&value| Value::Integer(value));
            (key.to_owned(), values.collect())
        };
        let grid = Space::Grid(vec![list("a", &[1, 2]), list("b", &[3, 4, 5])]);
        let all: Vec<_> = candidates(&grid)
            .expect("a grid")
            .iter()
            .map(|choices| format!("{}{}", choices[0].1, choices[1].1))
            .collect();
        assert_eq!(all, ["13", "14", "15", "23", "24", "25"]);
        let hundred: Vec<i64> = (0..101).collect();
        let large = Space::Grid(vec![list("a", &hundred), list("b", &hundred)]);
        assert!(candidates(&large).is_err());
    }

    #[test]
    fn draws_lie_where_they_are_to_and_are_the_same_each_time() {
        let range = || Range::Uniform([Value::Float(0.25), Value::Float(0.75)]);
        let drawn = floats(range(), 1000);
        assert_eq!(drawn, floats(range(), 1000));
        assert_eq!(drawn[..10], floats(range(), 10), "more change no others");
        assert!(drawn.iter().all(|value| (0.25..=0.75).contains(value)));
        let mean = drawn.iter().sum::<f64>() / 1000.0;
        assert!((mean - 0.5).abs() < 0.03, "{mean}");
    }

    #[test]
    fn half_of_a_logarithmic_range_lies_below_its_geometric_mean() {
        let range = Range::LogUniform([Value::Float(1e-4), Value::Integer(1)]);
        let drawn = floats(range, 1000);
        assert!(drawn.iter().all(|value| (1e-4..=1.0).contains(value)));
        let below = drawn.iter().filter(|value| **value < 1e-2).count();
        assert!((420..580).contains(&below), "{below}");
    }

    #[test]
    fn whole_ends_give_whole_numbers_both_included() {
        let range = Range::Uniform([Value::Integer(1), Value::Integer(3)]);
        let mut drawn = floats(range, 100);
        drawn.sort_by(f64::total_cmp);
        drawn.dedup();
        assert_eq!(drawn, [1.0, 2.0, 3.0]);
    }
}
