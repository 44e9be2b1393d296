//! True against predicted classes.

use super::{Inside, NotDrawn, inside::percent};
use kiln_figures::{Cell, ColourMap, ColourScale, Heatmap};

/// The images of the split by true and predicted class.
///
/// # Errors
/// When the images are not there or the backend fails.
pub fn confusion(inside: &Inside) -> Result<Heatmap, NotDrawn> {
    let found = &inside.judged()?.evaluation;
    Ok(Heatmap {
        title: inside.title("Confusion matrix"),
        notes: vec![
            format!(
                "Accuracy {} on {} {} images.",
                percent(found.accuracy),
                found.count,
                inside.request.split
            ),
            inside.weights_note(),
        ],
        row_title: "true class".to_owned(),
        column_title: "predicted class".to_owned(),
        rows: inside.manifest.classes.clone(),
        columns: inside.manifest.classes.clone(),
        cells: found.confusion.iter().map(|row| cells(row)).collect(),
        scale: ColourScale {
            root: true,
            ..ColourScale::new(ColourMap::Pale, [0.0, 1.0], "share of the true class")
        },
    })
}

/// Counts, coloured by their share of the row.
fn cells(row: &[usize]) -> Vec<Cell> {
    let all = row.iter().sum::<usize>().max(1);
    let cell = |count: &usize| Cell {
        value: *count as f64 / all as f64,
        text: count.to_string(),
    };
    row.iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_hold_counts_and_are_coloured_by_the_share_of_their_row() {
        let row = cells(&[3, 1, 0]);
        let found: Vec<_> = row
            .iter()
            .map(|cell| (cell.value, cell.text.as_str()))
            .collect();
        assert_eq!(found, [(0.75, "3"), (0.25, "1"), (0.0, "0")]);
        assert_eq!(cells(&[0, 0])[0].value, 0.0);
    }
}
