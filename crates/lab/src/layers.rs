//! From what was typed to a resolved run: the recipe of the model, then the
//! configuration file, then `--set`, then the flags; the later ones win.

use crate::{LabError, Settings, data::pick_dataset};
use kiln_store::Store;
use std::path::PathBuf;
use toml::{Table, Value};

/// What was typed.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// `--config FILE`.
    pub config: Option<PathBuf>,
    /// `--set key=value`, in order.
    pub set: Vec<String>,
    /// The model and the flags, by their configuration key.
    pub flags: Vec<(&'static str, Value)>,
}

/// Resolves a run. The sentence that comes with it says which data set was
/// taken when none was named, and why.
///
/// # Errors
/// For an unknown key, value, model, data set, optimizer or schedule.
pub fn resolve(layers: &Layers, store: &Store) -> Result<(Settings, Option<String>), LabError> {
    let schema = table(&Settings::recipe("", "", None)?)?;
    let mut typed = Table::new();
    if let Some(path) = &layers.config {
        let text = std::fs::read_to_string(path).map_err(|error| {
            LabError::usage(format!(
                "the configuration {} cannot be read: {error}",
                path.display()
            ))
        })?;
        let file: Table = text.parse().map_err(|error: toml::de::Error| {
            LabError::usage(format!(
                "{} is not valid TOML: {}",
                path.display(),
                error.message()
            ))
        })?;
        overlay(&mut typed, file, &schema, "")
            .map_err(|message| LabError::usage(format!("{} {message}", path.display())))?;
    }
    for assignment in &layers.set {
        let (key, value) = assignment.split_once('=').ok_or_else(|| {
            LabError::usage(format!(
                "--set {assignment} has no '='; write --set optimizer.lr=0.01"
            ))
        })?;
        let value = parse_value(value.trim());
        overlay(&mut typed, nested(key.trim(), value), &schema, "")
            .map_err(|message| LabError::usage(format!("--set {assignment} {message}")))?;
    }
    for (key, value) in &layers.flags {
        overlay(&mut typed, nested(key, value.clone()), &schema, "").map_err(LabError::usage)?;
    }

    let text = |section: &str, key: &str| typed.get(section)?.get(key)?.as_str().map(str::to_owned);
    let model = text("model", "name").ok_or_else(|| {
        LabError::usage(
            "no model was named; write `kiln train lenet`, or model.name in the configuration",
        )
    })?;
    let row = kiln_models::find(&model)?;
    let picked = pick_dataset(text("data", "dataset").as_deref(), row, store)?;
    let recipe = Settings::recipe(
        row.name,
        &picked.choice.name(),
        text("optimizer", "name").as_deref(),
    )?;
    let mut full = table(&recipe)?;
    for (section, values) in typed {
        if let (Some(Value::Table(full)), Value::Table(values)) = (full.get_mut(&section), values) {
            full.extend(values);
        }
    }
    let mut settings: Settings = full.try_into().map_err(|error: toml::de::Error| {
        LabError::usage(format!("the configuration is wrong: {}", error.message()))
    })?;
    settings.model.name = row.name.to_owned();
    settings.data.dataset = picked.choice.name();
    settings.optimizer.name = settings.optimizer.name.to_lowercase();
    settings.check()?;
    Ok((settings, picked.note))
}

fn table(settings: &Settings) -> Result<Table, LabError> {
    Table::try_from(settings).map_err(LabError::run)
}

/// `a.b = value` as nested tables.
fn nested(key: &str, value: Value) -> Table {
    let (first, rest) = match key.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (key, None),
    };
    let value = match rest {
        Some(rest) => Value::Table(nested(rest, value)),
        None => value,
    };
    Table::from_iter([(first.to_owned(), value)])
}

/// A value as TOML reads it; what TOML cannot read is text.
fn parse_value(text: &str) -> Value {
    format!("value = {text}")
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Puts `upper` over `lower`; every key must be one of `schema`'s, and a
/// number where the schema has text becomes that text, as integers become
/// floats.
fn overlay(lower: &mut Table, upper: Table, schema: &Table, path: &str) -> Result<(), String> {
    for (key, value) in upper {
        let Some(known) = schema.get(&key) else {
            return Err(unknown_key(&key, schema, path));
        };
        let value = match (known, value) {
            (Value::Table(schema), Value::Table(upper)) => {
                let entry = lower
                    .entry(key.clone())
                    .or_insert_with(|| Value::Table(Table::new()));
                if let Value::Table(lower) = entry {
                    overlay(lower, upper, schema, &format!("{path}{key}."))?;
                }
                continue;
            }
            (Value::Table(_), _) => return Err(format!("sets {path}{key}, which is a section")),
            (Value::String(_), Value::Integer(number)) => Value::String(number.to_string()),
            (Value::String(_), Value::Float(number)) => Value::String(format!("{number:?}")),
            (Value::Float(_), Value::Integer(number)) => Value::Float(number as f64),
            (_, value) => value,
        };
        // Every whole number of the configuration is a count or a seed.
        if value.as_integer().is_some_and(|number| number < 0) && known.is_integer() {
            return Err(format!(
                "sets {path}{key} to {value}, but it must be at least 0"
            ));
        }
        if !known.same_type(&value) {
            return Err(format!(
                "sets {path}{key} to {value}, but it must be {}",
                article(known.type_str())
            ));
        }
        lower.insert(key, value);
    }
    Ok(())
}

fn article(kind: &str) -> &'static str {
    match kind {
        "string" => "text",
        "integer" => "a whole number",
        "float" => "a number",
        "boolean" => "true or false",
        _ => "a list",
    }
}

fn unknown_key(key: &str, schema: &Table, path: &str) -> String {
    let nearest = schema
        .keys()
        .map(|known| (strsim::jaro_winkler(key, known), known))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(similarity, _)| *similarity > 0.7);
    let suggestion = nearest.map_or_else(String::new, |(_, near)| {
        format!(", did you mean {path}{near}?")
    });
    let known: Vec<_> = schema.keys().map(String::as_str).collect();
    format!(
        "sets {path}{key}, which does not exist{suggestion}; known are {}",
        known.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        Store::locate(Some(std::path::Path::new("/nonexistent")), true).expect("a store")
    }

    fn layers(set: &[&str]) -> Layers {
        Layers {
            config: None,
            set: set.iter().map(ToString::to_string).collect(),
            flags: vec![
                ("model.name", Value::String("LeNet".into())),
                ("data.dataset", Value::String("digits".into())),
            ],
        }
    }

    fn refusal(set: &[&str]) -> String {
        resolve(&layers(set), &store())
            .expect_err("refused")
            .to_string()
    }

    #[test]
    fn later_layers_win_and_names_are_made_canonical() {
        let set = [
            "train.epochs=3",
            "train.epochs = 4",
            "optimizer.lr=1",
            "data.limit_train=0.5",
        ];
        let (settings, note) = resolve(&layers(&set), &store()).expect("resolves");
        assert_eq!(settings.train.epochs, 4);
        assert_eq!(settings.optimizer.lr, 1.0);
        assert_eq!(settings.data.limit_train, "0.5");
        assert_eq!(settings.model.name, "lenet");
        assert_eq!(note, None);
    }

    #[test]
    fn another_optimizer_brings_its_own_defaults() {
        let (settings, _) =
            resolve(&layers(&["optimizer.name=momentum"]), &store()).expect("resolves");
        assert_eq!(
            (settings.optimizer.lr, settings.optimizer.momentum),
            (0.01, 0.9)
        );
    }

    #[test]
    fn unknown_keys_are_refused_with_a_suggestion() {
        assert!(refusal(&["optimizer.lrr=1"]).contains("did you mean optimizer.lr?"));
        assert!(refusal(&["optimiser.lr=1"]).contains("did you mean optimizer?"));
        assert!(refusal(&["train=1"]).contains("which is a section"));
        assert!(refusal(&["train.epochs"]).contains("has no '='"));
    }

    #[test]
    fn values_of_the_wrong_kind_are_refused() {
        assert!(refusal(&["train.epochs=many"]).contains("a whole number"));
        assert!(refusal(&["train.epochs=1.5"]).contains("a whole number"));
        assert!(refusal(&["train.epochs=-1"]).contains("at least 0"));
        assert!(refusal(&["train.epochs=0"]).contains("at least 1"));
        assert!(refusal(&["optimizer.lr=-0.1"]).contains("must be above 0"));
        assert!(refusal(&["optimizer.name=adm"]).contains("did you mean 'adam'?"));
        assert!(refusal(&["schedule.name=cosin"]).contains("did you mean 'cosine'?"));
        assert!(refusal(&["data.val_split=2.0"]).contains("neither a number"));
    }

    #[test]
    fn a_resolved_run_survives_its_file() {
        let (settings, _) = resolve(&layers(&["data.val_split=0"]), &store()).expect("resolves");
        let text = toml::to_string(&settings).expect("writes");
        assert_eq!(toml::from_str::<Settings>(&text).expect("reads"), settings);
    }
}
