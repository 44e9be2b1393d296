//! From what was typed to a resolved run: the recipe of the model, then the
//! configuration file, then `--set`, then the flags; the later ones win.

use crate::{
    LabError, ModelSettings, Settings,
    data::{located_name, pick_dataset},
    keys::{Schema, forgive_spelling, nested, parse_value, settled},
    recipes::find_recipe,
};
use kiln_backend::Choice;
use kiln_models::{Options, Task};
use kiln_store::Store;
use kiln_training::{find_optimizer, find_schedule};
use std::path::{Path, PathBuf};
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
    let typed = typed(layers)?;
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
    let mut recipe = Settings::recipe(usual, text(&typed, "optimizer", "name"))?;
    if let Some(name) = text(&typed, "schedule", "name") {
        recipe.schedule = find_schedule(name)?.defaults();
    }
    let dataset = text(&typed, "data", "dataset").map(str::to_owned);
    let mut settings = settled(&table(&recipe)?, &typed)?;
    settings.model.name = row.name.to_owned();
    settings.model.options = row.choose(&settings.model.options)?;
    settings.optimizer.name = find_optimizer(&settings.optimizer.name)?.name.to_owned();
    settings.schedule.name = find_schedule(&settings.schedule.name)?.name.to_owned();
    settings.data.augment = settings.data.augmentation()?.to_string();
    settings.device.backend = settings.device.backend.parse::<Choice>()?.to_string();
    settings.check()?;
    Ok(Draft { settings, dataset })
}

/// The file at `path`, or else the recipe of that name.
fn read_config(path: &Path) -> Result<Table, LabError> {
    let wrong = |what: String| LabError::usage(format!("{} {what}", path.display()));
    let text = match (std::fs::read_to_string(path), find_recipe(path)) {
        (Ok(text), _) => text,
        (Err(_), Ok(recipe)) => recipe.text.to_owned(),
        (Err(error), Err(hint)) => return Err(wrong(format!("cannot be read: {error}{hint}"))),
    };
    text.parse().map_err(|error: toml::de::Error| {
        let what = error.message().lines().next().unwrap_or_default();
        wrong(format!("is not valid TOML: {what}"))
    })
}

/// Everything that was typed, the later layers over the earlier.
pub(crate) fn typed(layers: &Layers) -> Result<Table, LabError> {
    let every = ModelSettings {
        name: String::new(),
        options: Options::every(),
    };
    let keys = table(&Settings::recipe(every, None)?)?;
    let file = match &layers.config {
        Some(path) => Some((path, read_config(path)?)),
        None => None,
    };
    let mut set = Vec::new();
    for assignment in &layers.set {
        let (key, value) = assignment.split_once('=').ok_or_else(|| {
            LabError::usage(format!(
                "--set {assignment} has no '='; write --set {assignment}=VALUE"
            ))
        })?;
        let layer = nested(key.trim(), parse_value(value.trim()));
        set.push((assignment, layer));
    }
    let flags = layers.flags.iter();
    let flags: Vec<_> = flags
        .map(|(key, value)| nested(key, value.clone()))
        .collect();
    let tables = file.iter().map(|(_, table)| table);
    let tables = tables
        .chain(set.iter().map(|(_, table)| table))
        .chain(&flags);
    let row = tables
        .filter_map(|table| text(table, "model", "name"))
        .next_back()
        .and_then(|name| kiln_models::find(name).ok());
    let schema = Schema {
        keys,
        options: row.map(|row| (row.options)().names()),
    };
    let mut typed = Table::new();
    if let Some((path, table)) = file {
        lay(&mut typed, table, &schema)
            .map_err(|what| LabError::usage(format!("{} {what}", path.display())))?;
    }
    for (assignment, table) in set {
        lay(&mut typed, table, &schema)
            .map_err(|what| LabError::usage(format!("--set {assignment} {what}")))?;
    }
    let mut together = Table::new();
    for table in flags {
        schema
            .overlay(&mut together, table)
            .map_err(LabError::usage)?;
    }
    lay(&mut typed, together, &schema).map_err(LabError::usage)?;
    forgive_spelling(&mut typed);
    Ok(typed)
}

impl Draft {
    /// The settings, without a data set.
    pub(crate) fn into_settings(self) -> Settings {
        self.settings
    }

    /// The run with its data set named but neither fetched nor read: one that
    /// was named, or the first of the model's that is there, for a `store`
    /// that is offline.
    ///
    /// # Errors
    /// When there is no such data set, or none is there and none was named.
    pub fn named(mut self, store: &Store, runs: &Path) -> Result<Settings, LabError> {
        self.settings.data.dataset = match &self.dataset {
            Some(name) => located_name(name)?,
            None => {
                let row = kiln_models::find(&self.settings.model.name)?;
                pick_dataset(None, row, store)?.name
            }
        };
        self.settings.transfer = self.settings.transfer.located(runs)?;
        Ok(self.settings)
    }

    /// Backend of the run.
    pub fn backend(&self) -> &str {
        &self.settings.device.backend
    }

    /// Finds the data set and fetches it where that is needed and possible, and
    /// the weights to start from: a file, or a run by path or by name in `runs`.
    /// The sentence that comes with it says which was taken when none was
    /// named, and why.
    ///
    /// # Errors
    /// When there is no such data set, or it cannot be had.
    pub fn complete(
        mut self,
        store: &Store,
        runs: &Path,
    ) -> Result<(Settings, Option<String>), LabError> {
        let row = kiln_models::find(&self.settings.model.name)?;
        let picked = pick_dataset(self.dataset.as_deref(), row, store)?;
        self.settings.transfer = self.settings.transfer.located(runs)?;
        self.settings.data.dataset = picked.name;
        Ok((self.settings, picked.note))
    }
}

/// [`draft`] and [`Draft::complete`] in one, with the runs in `runs`.
///
/// # Errors
/// Those of the two.
pub fn resolve(layers: &Layers, store: &Store) -> Result<(Settings, Option<String>), LabError> {
    draft(layers)?.complete(store, Path::new("runs"))
}

/// Lays a layer over the lower ones. One that names another optimizer or
/// schedule takes the lower ones' away, whose numbers were not meant for it.
fn lay(lower: &mut Table, layer: Table, schema: &Schema) -> Result<(), String> {
    for section in ["optimizer", "schedule"] {
        let name = text(&layer, section, "name");
        if name.is_some_and(|name| text(lower, section, "name").is_some_and(|old| old != name)) {
            lower.remove(section);
        }
    }
    schema.overlay(lower, layer)
}

fn text<'a>(table: &'a Table, section: &str, key: &str) -> Option<&'a str> {
    table.get(section)?.get(key)?.as_str()
}

pub(crate) fn table(settings: &Settings) -> Result<Table, LabError> {
    Table::try_from(settings).map_err(LabError::run)
}

/// Refuses a `set` that names another network than `name`.
///
/// # Errors
/// Names both.
pub fn one_network(name: &str, set: &[String]) -> Result<(), LabError> {
    for assignment in set {
        let Some((key, other)) = assignment.split_once('=') else {
            continue;
        };
        let other = other.trim().trim_matches(['"', '\'']);
        if key.trim() == "model.name"
            && kiln_models::find(other)?.name != kiln_models::find(name)?.name
        {
            return Err(LabError::usage(format!(
                "--set {assignment} names another network than {name}; name one"
            )));
        }
    }
    Ok(())
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
    one_network(name, set)?;
    let layers = Layers {
        config: None,
        set: set.to_vec(),
        flags: vec![("model.name", Value::String(name.to_owned()))],
    };
    let model = draft(&layers)?.settings.model;
    let task = kiln_models::find(&model.name)?.form.task();
    Ok((model, task))
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
    fn a_layer_that_changes_the_schedule_takes_its_numbers_away() {
        let set = [
            "schedule.name=step",
            "schedule.gamma=0.5",
            "schedule.name=exponential",
        ];
        let (settings, _) = resolve(&layers(&set), &store()).expect("resolves");
        assert_eq!(settings.schedule.gamma, 0.9);
        let set = ["schedule.gamma=0.5", "schedule.name=exponential"];
        let (settings, _) = resolve(&layers(&set), &store()).expect("resolves");
        assert_eq!(settings.schedule.gamma, 0.5);
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
