//! Tables as text, and numbers as they stand in them.

/// Columns of text, numbers to the right.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells
            .chain([head[column].chars().count()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    let right = numeric(head.len(), rows);
    let render = |cells: Vec<&str>| {
        let cells = cells
            .iter()
            .enumerate()
            .map(|(column, cell)| match right[column] {
                true => format!("{cell:>width$}", width = widths[column]),
                false => format!("{cell:<width$}", width = widths[column]),
            });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = render(head.to_vec());
    for row in rows {
        text += &render(row.iter().map(String::as_str).collect());
    }
    text
}

/// Which columns hold numbers alone.
fn numeric(columns: usize, rows: &[Vec<String>]) -> Vec<bool> {
    let is_number = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_digit() || ",.% -±".contains(c))
    };
    (0..columns)
        .map(|column| !rows.is_empty() && rows.iter().all(|row| is_number(&row[column])))
        .collect()
}

/// The same as a Markdown table.
pub fn markdown(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let rule = numeric(head.len(), rows).into_iter();
    let rule = rule
        .map(|right| if right { "---:" } else { "---" })
        .collect();
    let rows = rows
        .iter()
        .map(|row| line(row.iter().map(String::as_str).collect()));
    [line(head.to_vec()), line(rule)]
        .into_iter()
        .chain(rows)
        .collect()
}

/// A count with its thousands apart: `61,706`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share as a percentage.
pub fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}
