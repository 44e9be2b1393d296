//! Numbers by name, as JSON or as rows of a CSV file.

use serde::{Serialize, Serializer};
use serde_json::Value;

/// Numbers by name, in the order of the columns.
#[derive(Default)]
pub struct Record(Vec<(String, Value)>);

impl Record {
    /// Adds a column.
    pub fn add(&mut self, name: &str, value: impl Into<Value>) {
        self.0.push((name.to_owned(), value.into()));
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The records as rows; all have the columns of the first.
pub fn csv(records: &[Record]) -> String {
    let head = records.first().into_iter().flat_map(|record| &record.0);
    let head = head.map(|(name, _)| name.clone()).collect();
    let rows = records
        .iter()
        .map(|record| record.0.iter().map(|(_, value)| cell(value)).collect());
    let lines = std::iter::once(head).chain(rows);
    lines
        .map(|cells: Vec<String>| cells.join(",") + "\n")
        .collect()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.contains([',', '"']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_are_quoted_and_what_is_not_known_is_empty() {
        let mut record = Record::default();
        record.add("device", "CPU, \"2\" threads");
        record.add("memory_mb", Value::Null);
        record.add("threads", 2);
        assert_eq!(
            csv(&[record]),
            "device,memory_mb,threads\n\"CPU, \"\"2\"\" threads\",,2\n"
        );
    }
}
