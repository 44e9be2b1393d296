//! A matrix with names for rows and columns: coloured cells, with numbers in
//! them where there is room.

use crate::{
    ColourScale,
    colour::is_bright,
    page::{Anchor, Font, MARGIN, Page},
};

/// The least width of a page.
const NARROWEST: f64 = 560.0;
/// Cells with numbers are at least this wide.
const NUMBERED: f64 = 40.0;
/// The room of all cells where they hold no numbers.
const SIDE: f64 = 900.0;
/// More rows or columns have no numbers in their cells.
const MOST_NUMBERED: usize = 26;
const LABEL: Font = Font::plain(12.0);

/// A matrix in colours.
#[derive(Clone, Debug, PartialEq)]
pub struct Heatmap {
    /// What is shown.
    pub title: String,
    /// Sentences below the title.
    pub notes: Vec<String>,
    /// What the rows are.
    pub row_title: String,
    /// What the columns are.
    pub column_title: String,
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The cells, row by row.
    pub cells: Vec<Vec<Cell>>,
    /// What the colours mean.
    pub scale: ColourScale,
}

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// What its colour shows.
    pub value: f64,
    /// What is written in it.
    pub text: String,
}

impl Heatmap {
    /// The figure as an SVG file.
    pub fn svg(&self) -> String {
        let most = self.rows.len().max(self.columns.len()).max(1);
        let numbered = most <= MOST_NUMBERED;
        let texts = self.cells.iter().flatten().map(|cell| &cell.text);
        let widest = texts.map(|text| LABEL.width(text)).fold(0.0, f64::max);
        let side = match numbered {
            true => (widest + 12.0).max(NUMBERED),
            false => (SIDE / most as f64).max(8.0),
        };
        let font = Font {
            size: LABEL.size.min(side - 1.0),
            ..LABEL
        };
        let left = MARGIN + 24.0 + longest(&self.rows, font) + 8.0;
        let wide = side * self.columns.len() as f64;
        let width = (left + wide + MARGIN).max(NARROWEST);
        let mut page = Page::new(width, &self.title, &self.notes);
        page.y += 4.0;
        page.scale([MARGIN, page.y], &self.scale);
        page.y += 22.0;
        self.column_names(&mut page, [left, side], font);
        let top = page.y;
        for (row, name) in self.rows.iter().enumerate() {
            let y = top + row as f64 * side;
            let foot = y + side / 2.0 + font.size * 0.35;
            page.text([left - 6.0, foot], Anchor::End, name, font);
            for (column, cell) in self.cells[row].iter().enumerate() {
                let place = [left + column as f64 * side, y];
                self.cell(&mut page, place, side, cell, numbered);
            }
        }
        let high = side * self.rows.len() as f64;
        let frame = format!("M{left:.1} {top:.1}h{wide:.1}v{high:.1}h-{wide:.1}z");
        page.path(&frame, "#444444", 1.0);
        let beside = [MARGIN + 10.0, top + high / 2.0];
        page.upright(beside, Anchor::Middle, &self.row_title, Font::pale(13.0));
        page.y = top + high;
        page.finish()
    }

    /// The names of the columns, upright where they would not fit side by side,
    /// and above them what they are.
    fn column_names(&self, page: &mut Page, [left, side]: [f64; 2], font: Font) {
        let longest = longest(&self.columns, font);
        let upright = longest > side - 4.0;
        let middle = left + side * self.columns.len() as f64 / 2.0;
        page.y += 14.0;
        let title = Font::pale(13.0);
        page.text([middle, page.y], Anchor::Middle, &self.column_title, title);
        page.y += 10.0 + if upright { longest } else { 14.0 };
        let foot = page.y - 6.0;
        for (at, name) in self.columns.iter().enumerate() {
            let x = left + (at as f64 + 0.5) * side;
            match upright {
                true => page.upright([x + font.size * 0.35, foot], Anchor::Start, name, font),
                false => page.text([x, foot], Anchor::Middle, name, font),
            }
        }
    }

    fn cell(&self, page: &mut Page, [x, y]: [f64; 2], side: f64, cell: &Cell, numbered: bool) {
        let colour = self.scale.colour(cell.value);
        if colour != [255; 3] {
            page.filled([x, y], [side, side], colour);
        }
        if numbered {
            let font = Font {
                colour: match (is_bright(colour), cell.value == 0.0) {
                    (true, true) => "#aaaaaa",
                    (true, false) => LABEL.colour,
                    (false, _) => "#ffffff",
                },
                ..LABEL
            };
            let place = [x + side / 2.0, y + side / 2.0 + font.size * 0.35];
            page.text(place, Anchor::Middle, &cell.text, font);
        }
    }
}

/// The width of the longest name.
fn longest(names: &[String], font: Font) -> f64 {
    let widths = names.iter().map(|name| font.width(name));
    widths.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ColourMap;

    fn heatmap(side: usize) -> Heatmap {
        let names: Vec<_> = (0..side).map(|at| format!("class <{at}>")).collect();
        let cell = |row: usize, column: usize| Cell {
            value: if row == column { 1.0 } else { 0.0 },
            text: (row * side + column).to_string(),
        };
        Heatmap {
            title: "Confusion".to_owned(),
            notes: Vec::new(),
            row_title: "true".to_owned(),
            column_title: "predicted".to_owned(),
            rows: names.clone(),
            columns: names,
            cells: (0..side)
                .map(|row| (0..side).map(|column| cell(row, column)).collect())
                .collect(),
            scale: ColourScale::new(ColourMap::Pale, [0.0, 1.0], "share"),
        }
    }

    #[test]
    fn ten_classes_have_numbers_and_a_hundred_have_colours() {
        let svg = heatmap(10).svg();
        assert_eq!(svg.matches("class &lt;3&gt;").count(), 2);
        assert!(svg.contains(">99<") && svg.contains(">true<") && svg.contains(">predicted<"));
        // The diagonal and the page itself; white is not drawn.
        assert_eq!(svg.matches("<rect").count(), 11);
        let large = heatmap(100).svg();
        assert_eq!(large.matches("<rect").count(), 101);
        assert!(!large.contains(">9999<"));
        assert_eq!(large.matches("class &lt;99&gt;").count(), 2);
    }

    #[test]
    fn numbers_can_be_read_on_their_colours() {
        let svg = heatmap(2).svg();
        assert!(
            svg.contains(r##"fill="#ffffff" text-anchor="middle">0<"##),
            "{svg}"
        );
        assert!(
            svg.contains(r##"fill="#aaaaaa" text-anchor="middle">1<"##),
            "{svg}"
        );
    }
}
