//! From what was typed to a resolved run: the recipe of the model, then the
//! configuration file, then `--set`, then the flags; the later ones win.

use crate::{LabError, ModelSettings, Settings, data::pick_dataset};
use kiln_backend::Choice;
use kiln_models::{Options, Task};
use kiln_store::Store;
use kiln_training::{find_optimizer, find_schedule};
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

/// A run that is resolved but for its data set.
#[derive(Clone, Debug)]
pub struct Draft {
    settings: Settings,
    dataset: Option<String>,
}

/// Resolves everything that needs no data.
///
/// # Errors
/// For an unknown key, value, model, optimizer or schedule.
pub fn draft(layers: &Layers) -> Result<Draft, LabError> {
    let every = ModelSettings {
        name: String::new(),
        options: Options::every(),
    };
    let schema = table(&Settings::recipe(every, None)?)?;
    let mut typed = Table::new();
    if let Some(path) = &layers.config {
        let wrong = |what: String| LabError::usage(format!("{} {what}", path.display()));
        let text = std::fs::read_to_string(path)
            .map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let file: Table = text.parse().map_err(|error: toml::de::Error| {
            wrong(format!("is not valid TOML: {}", error.message()))
        })?;
        lay(&mut typed, file, &schema).map_err(wrong)?;
    }
    for assignment in &layers.set {
        let (key, value) = assignment.split_once('=').ok_or_else(|| {
            LabError::usage(format!(
                "--set {assignment} has no '='; write --set optimizer.lr=0.01"
            ))
        })?;
        let value = parse_value(value.trim());
        lay(&mut typed, nested(key.trim(), value), &schema)
            .map_err(|message| LabError::usage(format!("--set {assignment} {message}")))?;
    }
    let mut flags = Table::new();
    for (key, value) in &layers.flags {
        overlay(&mut flags, nested(key, value.clone()), &schema, "").map_err(LabError::usage)?;
    }
    lay(&mut typed, flags, &schema).map_err(LabError::usage)?;

    let model = text(&typed, "model", "name").ok_or_else(|| {
        LabError::usage(
            "no model was named; write `kiln train lenet`, or model.name in the configuration",
        )
    })?;
    let row = kiln_models::find(model)?;
    let usual = ModelSettings {
        name: row.name.to_owned(),
        options: (row.options)(),
    };
    let recipe = Settings::recipe(usual, text(&typed, "optimizer", "name"))?;
    let dataset = text(&typed, "data", "dataset").map(str::to_owned);
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
    settings.model.options = row.choose(&settings.model.options)?;
    settings.optimizer.name = find_optimizer(&settings.optimizer.name)?.name.to_owned();
    settings.schedule.name = find_schedule(&settings.schedule.name)?.name.to_owned();
    settings.device.backend = settings.device.backend.parse::<Choice>()?.to_string();
    settings.check()?;
    Ok(Draft { settings, dataset })
}

impl Draft {
    /// Backend of the run.
    pub fn backend(&self) -> &str {
        &self.settings.device.backend
    }

    /// Finds the data set and fetches it where that is needed and possible.
    /// The sentence that comes with it says which was taken when none was
    /// named, and why.
    ///
    /// # Errors
    /// When there is no such data set, or it cannot be had.
    pub fn complete(mut self, store: &Store) -> Result<(Settings, Option<String>), LabError> {
        let row = kiln_models::find(&self.settings.model.name)?;
        let picked = pick_dataset(self.dataset.as_deref(), row, store)?;
        self.settings.transfer = self.settings.transfer.located()?;
        self.settings.data.dataset = picked.name;
        Ok((self.settings, picked.note))
    }
}

/// [`draft`] and [`Draft::complete`] in one.
///
/// # Errors
/// Those of the two.
pub fn resolve(layers: &Layers, store: &Store) -> Result<(Settings, Option<String>), LabError> {
    draft(layers)?.complete(store)
}

/// Lays a layer over the lower ones. One that names another optimizer takes
/// the lower ones' optimizer away, whose numbers were not meant for it.
fn lay(lower: &mut Table, layer: Table, schema: &Table) -> Result<(), String> {
    let name = text(&layer, "optimizer", "name");
    if name.is_some_and(|name| text(lower, "optimizer", "name").is_some_and(|old| old != name)) {
        lower.remove("optimizer");
    }
    overlay(lower, layer, schema, "")
}

fn text<'a>(table: &'a Table, section: &str, key: &str) -> Option<&'a str> {
    table.get(section)?.get(key)?.as_str()
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

/// The network called `name` with the choices of `set` (`model.hidden=[512]`),
/// and what it was published for.
///
/// # Errors
/// For an unknown network, key or value.
pub fn chosen_model(name: &str, set: &[String]) -> Result<(ModelSettings, Task), LabError> {
    if let Some(other) = set.iter().find(|set| !set.trim().starts_with("model.")) {
        return Err(LabError::usage(format!(
            "--set {other} is no choice of the network; here only model.* can be set"
        )));
    }
    let layers = Layers {
        config: None,
        set: set.to_vec(),
        flags: vec![("model.name", Value::String(name.to_owned()))],
    };
    let model = draft(&layers)?.settings.model;
    let task = kiln_models::find(&model.name)?.form.task();
    Ok((model, task))
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
    let known: Vec<_> = schema.keys().map(String::as_str).collect();
    let suggestion = kiln_names::nearest(key, known.iter().copied())
        .map_or_else(String::new, |near| format!(", did you mean {path}{near}?"));
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
    fn a_layer_that_changes_the_optimizer_takes_its_numbers_away() {
        let set = [
            "optimizer.name=adam",
            "optimizer.lr=0.5",
            "optimizer.name=momentum",
        ];
        let (settings, _) = resolve(&layers(&set), &store()).expect("resolves");
        assert_eq!(settings.optimizer.lr, 0.01);
        let set = ["optimizer.lr=0.5", "optimizer.name=momentum"];
        let (settings, _) = resolve(&layers(&set), &store()).expect("resolves");
        assert_eq!(settings.optimizer.lr, 0.5);
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
