//! A figure as text: a curve in braille dots, several in a letter each.

use crate::{LinePlot, pieces};

/// Dots of a braille character, two wide and four high.
const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl LinePlot {
    /// The figure in about `columns` by `rows` characters, without its title;
    /// several curves have letters, which the last lines explain, and the
    /// earlier is over the later.
    pub fn text(&self, columns: usize, rows: usize) -> String {
        let scales = self.scales();
        let mut canvas = Canvas::new(columns.max(2), rows.max(2));
        for (at, series) in self.series.iter().enumerate().rev() {
            let letter = (self.series.len() > 1).then(|| letter(at));
            for piece in pieces(&series.points, &scales) {
                canvas.draw(&piece, letter);
            }
        }
        let mut labels = vec![String::new(); canvas.rows];
        for tick in scales[1].ticks(rows / 3) {
            let row = ((1.0 - tick.at) * (canvas.rows - 1) as f64).round() as usize;
            labels[row] = tick.label;
        }
        let margin = labels.iter().map(|label| label.chars().count()).max();
        let margin = margin.unwrap_or(0);
        let mut text = format!("{}\n", self.y.label);
        for (label, line) in labels.iter().zip(canvas.lines()) {
            let edge = if label.is_empty() { '│' } else { '┤' };
            text += format!("{label:>margin$} {edge}{line}").trim_end();
            text.push('\n');
        }
        let ticks = scales[0].ticks(columns / 9);
        let place = |share: f64| (share * (canvas.columns - 1) as f64).round() as usize;
        let mut edge = vec!['─'; canvas.columns];
        let mut names = vec![' '; margin + 2 + canvas.columns + 12];
        let mut free = 0;
        for tick in &ticks {
            edge[place(tick.at)] = '┬';
            let label: Vec<char> = tick.label.chars().collect();
            let from = (margin + 2 + place(tick.at)).saturating_sub(label.len() / 2);
            // A label that would touch the one before is left out.
            if from >= free && from + label.len() <= names.len() {
                names[from..from + label.len()].copy_from_slice(&label);
                free = from + label.len() + 1;
            }
        }
        let edge: String = edge.into_iter().collect();
        let names: String = names.into_iter().collect();
        text += &format!("{:margin$} └{edge}\n{}\n", "", names.trim_end());
        let indent = margin + 2 + (canvas.columns.saturating_sub(self.x.label.len())) / 2;
        text += &format!("{:indent$}{}\n", "", self.x.label);
        if self.series.len() > 1 {
            for (at, series) in self.series.iter().enumerate() {
                text += &format!("{:margin$}  {} {}\n", "", letter(at), series.name);
            }
        }
        text
    }
}

fn letter(at: usize) -> char {
    char::from(b'a' + (at % 26) as u8)
}

struct Canvas {
    columns: usize,
    rows: usize,
    cells: Vec<Cell>,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    dots: u8,
    letter: Option<char>,
}

impl Canvas {
    fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            rows,
            cells: vec![Cell::default(); columns * rows],
        }
    }

    /// Draws a line through the places, in dots or in a letter.
    fn draw(&mut self, piece: &[(f64, f64)], letter: Option<char>) {
        let (across, down) = match letter {
            Some(_) => (self.columns, self.rows),
            None => (self.columns * 2, self.rows * 4),
        };
        let place = |(x, y): (f64, f64)| {
            let x = x * (across - 1) as f64;
            (x, (1.0 - y) * (down - 1) as f64)
        };
        let ends = piece.iter().zip(piece.iter().skip(1).chain(piece.last()));
        for (from, to) in ends.map(|(from, to)| (place(*from), place(*to))) {
            let way = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil();
            for step in 0..=way as usize {
                let share = if way > 0.0 { step as f64 / way } else { 0.0 };
                let x = from.0 + (to.0 - from.0) * share;
                let y = from.1 + (to.1 - from.1) * share;
                self.dot(x.round() as usize, y.round() as usize, letter);
            }
        }
    }

    fn dot(&mut self, x: usize, y: usize, letter: Option<char>) {
        match letter {
            Some(_) => self.cells[y * self.columns + x].letter = letter,
            None => {
                self.cells[y / 4 * self.columns + x / 2].dots |= DOTS[y % 4][x % 2];
            }
        }
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        let shown = |cell: &Cell| match cell.dots {
            0 => cell.letter.unwrap_or(' '),
            dots => char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' '),
        };
        self.cells
            .chunks(self.columns)
            .map(move |row| row.iter().map(shown).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Axis, LinePlot, Series};

    fn plot(curves: &[&[(f64, f64)]]) -> LinePlot {
        let series = curves.iter().enumerate().map(|(at, points)| Series {
            name: format!("curve {at}"),
            points: points.to_vec(),
            ..Series::default()
        });
        LinePlot {
            x: Axis::linear("epoch"),
            y: Axis::linear("rate"),
            series: series.collect(),
            ..LinePlot::default()
        }
    }

    #[test]
    fn a_line_goes_from_corner_to_corner() {
        let text = plot(&[&[(0.0, 0.0), (4.0, 1.0)]]).text(20, 6);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "rate");
        assert_eq!(lines.len(), 1 + 6 + 3, "{text}");
        let braille = |c: &char| ('\u{2801}'..='\u{28ff}').contains(c);
        let rows: Vec<_> = lines[1..7]
            .iter()
            .map(|line| line.chars().filter(braille).count())
            .collect();
        assert!(rows.iter().all(|count| *count >= 3), "{text}");
        assert!(
            lines[1].chars().last().is_some_and(|c| braille(&c)),
            "{text}"
        );
        assert!(text.contains("epoch"));
    }

    #[test]
    fn several_curves_have_letters_and_a_legend() {
        let text = plot(&[&[(0.0, 1.0), (4.0, 1.0)], &[(0.0, 0.0), (4.0, 1.0)]]).text(30, 8);
        assert!(
            text.contains("a curve 0") && text.contains("b curve 1"),
            "{text}"
        );
        let a = text.lines().nth(1).unwrap_or_default();
        assert_eq!(a.matches('a').count(), 30, "the first is on top: {text}");
    }

    #[test]
    fn nothing_to_draw_is_an_empty_frame() {
        let text = plot(&[&[]]).text(10, 3);
        assert_eq!(text.lines().count(), 1 + 3 + 3, "{text}");
    }
}
