//! Keys and values of the configuration: what may be set, and what is wrong
//! with what was.

use crate::{LabError, Settings};
use toml::{Table, Value};

/// `a.b = value` as nested tables.
pub fn nested(key: &str, value: Value) -> Table {
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
pub fn parse_value(text: &str) -> Value {
    format!("value = {text}")
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

/// The keys that there are, with a value of the type of each.
pub struct Schema {
    /// Section by section.
    pub keys: Table,
    /// Options of the network that was named, if one was.
    pub options: Option<Vec<&'static str>>,
}

impl Schema {
    /// Puts `upper` over `lower`; every key must be one of the schema's, and a
    /// number where the schema has text becomes that text, as integers become
    /// floats.
    pub fn overlay(&self, lower: &mut Table, upper: Table) -> Result<(), String> {
        self.section(lower, upper, &self.keys, "")
    }

    fn section(
        &self,
        lower: &mut Table,
        upper: Table,
        keys: &Table,
        path: &str,
    ) -> Result<(), String> {
        for (key, value) in upper {
            let Some(known) = keys.get(&key) else {
                return Err(self.unknown_key(&key, keys, path));
            };
            match (known, value) {
                (Value::Table(keys), Value::Table(upper)) => {
                    let entry = lower
                        .entry(key.clone())
                        .or_insert_with(|| Value::Table(Table::new()));
                    if let Value::Table(lower) = entry {
                        self.section(lower, upper, keys, &format!("{path}{key}."))?;
                    }
                }
                (Value::Table(_), _) => {
                    return Err(format!("sets {path}{key}, which is a section"));
                }
                (known, value) => {
                    let value = fitted(known, value).map_err(|(value, wanted)| {
                        format!("sets {path}{key} to {value}, but it must be {wanted}")
                    })?;
                    lower.insert(key, value);
                }
            }
        }
        Ok(())
    }

    fn unknown_key(&self, key: &str, keys: &Table, path: &str) -> String {
        let options = self.options.as_deref().filter(|_| path == "model.");
        let known: Vec<_> = keys
            .keys()
            .map(String::as_str)
            .filter(|key| options.is_none_or(|options| *key == "name" || options.contains(key)))
            .collect();
        let suggestion = kiln_names::nearest(key, known.iter().copied())
            .map_or_else(String::new, |near| format!(", did you mean {path}{near}?"));
        format!(
            "sets {path}{key}, which does not exist{suggestion}; known are {}",
            known.join(", ")
        )
    }
}

/// `value` as the type of `known` has it, or what it must be.
fn fitted(known: &Value, value: Value) -> Result<Value, (Value, &'static str)> {
    let value = match (known, value) {
        (Value::String(_), Value::Integer(number)) => Value::String(number.to_string()),
        (Value::String(_), Value::Float(number)) => Value::String(format!("{number:?}")),
        (Value::Float(_), Value::Integer(number)) => Value::Float(number as f64),
        (_, value) => value,
    };
    // Every whole number of the configuration is a count or a seed.
    let is_count = |value: &Value| value.as_integer().is_some_and(|number| number >= 0);
    match (known, &value) {
        (Value::Integer(_), Value::Integer(_)) if !is_count(&value) => Err((value, "at least 0")),
        (Value::Array(_), Value::Array(items)) if !items.iter().all(is_count) => {
            Err((value, "a list of whole numbers from 0, such as [512,512]"))
        }
        _ if !known.same_type(&value) => Err((value, described(known.type_str()))),
        _ => Ok(value),
    }
}

fn described(kind: &str) -> &'static str {
    match kind {
        "string" => "text",
        "integer" => "a whole number",
        "float" => "a number",
        "boolean" => "true or false",
        _ => "a list, such as [512,512]",
    }
}

/// Forgives upper case and underscores in the chosen options of a network.
pub fn forgive_spelling(typed: &mut Table) {
    let Some(Value::Table(model)) = typed.get_mut("model") else {
        return;
    };
    for (key, value) in model.iter_mut() {
        if let (true, Value::String(text)) = (key != "name", value) {
            *text = text.to_lowercase().replace('_', "-");
        }
    }
}

/// `recipe` with what was typed over it.
pub fn settled(recipe: &Table, typed: &Table) -> Result<Settings, LabError> {
    let mut full = recipe.clone();
    for (section, key, value) in values(typed) {
        set(&mut full, section, key, value);
    }
    full.try_into::<Settings>().map_err(|error| {
        let alone = values(typed).find_map(|(section, key, value)| {
            let mut one = recipe.clone();
            set(&mut one, section, key, value);
            let error = one.try_into::<Settings>().err()?;
            Some(format!("{section}.{key} is {value}, {}", why(&error)))
        });
        LabError::usage(
            alone.unwrap_or_else(|| format!("the configuration is wrong: {}", why(&error))),
        )
    })
}

/// Every value with its section and its key.
pub fn values(typed: &Table) -> impl Iterator<Item = (&String, &String, &Value)> {
    let sections = typed.iter();
    sections
        .filter_map(|(section, values)| Some((section, values.as_table()?)))
        .flat_map(|(section, values)| values.iter().map(move |(key, value)| (section, key, value)))
}

fn set(full: &mut Table, section: &str, key: &str, value: &Value) {
    if let Some(Value::Table(full)) = full.get_mut(section) {
        full.insert(key.to_owned(), value.clone());
    }
}

/// What TOML says of a value, in one line.
fn why(error: &toml::de::Error) -> String {
    let text = error.message().lines().next().unwrap_or_default();
    match text.split_once(", expected ") {
        Some((variant, known)) if variant.starts_with("unknown variant") => {
            let known = known.trim_start_matches("one of ").replace('`', "");
            format!("but it must be one of {}", known.replace(" or ", ", "))
        }
        _ => format!("but {text}"),
    }
}
