//! The page that every figure but the curves is drawn on: title, notes, texts,
//! pictures and colour bars, from top to bottom.

use crate::{ColourScale, Pixels, colour::Rgb, svg::escaped};
use std::fmt::Write as _;

/// Pixels to the left and right of everything.
pub(crate) const MARGIN: f64 = 24.0;

/// Width of a letter in parts of its height; the widest common sans-serif
/// fonts have about this on average.
const LETTER: f64 = 0.58;

/// A page that grows downward.
pub(crate) struct Page {
    width: f64,
    /// Where the next thing begins.
    pub y: f64,
    body: String,
}

/// Where a text stands around its place.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Clone, Copy)]
pub(crate) struct Font {
    pub size: f64,
    pub colour: &'static str,
    pub bold: bool,
}

pub(crate) const INK: &str = "#222222";
pub(crate) const PALE_INK: &str = "#555555";

impl Font {
    pub const fn plain(size: f64) -> Self {
        Self {
            size,
            colour: INK,
            bold: false,
        }
    }

    pub const fn pale(size: f64) -> Self {
        Self {
            colour: PALE_INK,
            ..Self::plain(size)
        }
    }

    pub const fn bold(size: f64) -> Self {
        Self {
            bold: true,
            ..Self::plain(size)
        }
    }

    /// About how wide a text is.
    pub fn width(self, text: &str) -> f64 {
        text.chars().count() as f64 * self.size * LETTER
    }
}

impl Page {
    /// A page with a title and notes below it.
    pub fn new(width: f64, title: &str, notes: &[String]) -> Self {
        let mut page = Self {
            width,
            y: 12.0,
            body: String::new(),
        };
        page.paragraph(title, Font::bold(17.0));
        page.y += 2.0;
        for note in notes {
            page.paragraph(note, Font::pale(13.0));
        }
        page.y += 6.0;
        page
    }

    /// Room between the margins.
    pub fn room(&self) -> f64 {
        self.width - 2.0 * MARGIN
    }

    /// A text from the left margin on, in as many lines as it needs.
    pub fn paragraph(&mut self, text: &str, font: Font) {
        let letters = (self.room() / (font.size * LETTER)) as usize;
        for line in lines(text, letters) {
            self.y += font.size * 1.4;
            self.text(
                [MARGIN, self.y - font.size * 0.3],
                Anchor::Start,
                &line,
                font,
            );
        }
    }

    /// A text whose foot is at a place.
    pub fn text(&mut self, [x, y]: [f64; 2], anchor: Anchor, text: &str, font: Font) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let bold = if font.bold {
            r#" font-weight="600""#
        } else {
            ""
        };
        let _ = writeln!(
            self.body,
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{}" fill="{}"{bold}{anchor}>{}</text>"#,
            font.size,
            font.colour,
            escaped(text)
        );
    }

    /// A text that ends at a place from below, standing on its end.
    pub fn upright(&mut self, [x, y]: [f64; 2], anchor: Anchor, text: &str, font: Font) {
        let _ = write!(
            self.body,
            r#"<g transform="translate({x:.1} {y:.1}) rotate(-90)">"#
        );
        self.text([0.0, 0.0], anchor, text, font);
        self.body.push_str("</g>\n");
    }

    /// A picture with hard pixels, stretched over `[width, height]`.
    pub fn picture(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2], pixels: &Pixels) {
        let _ = writeln!(
            self.body,
            r#"<image x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" preserveAspectRatio="none" style="image-rendering:pixelated" href="{}"/>"#,
            pixels.data_uri()
        );
    }

    /// A filled rectangle.
    pub fn filled(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2], [r, g, b]: Rgb) {
        let _ = writeln!(
            self.body,
            r##"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="#{r:02x}{g:02x}{b:02x}"/>"##,
        );
    }

    /// Lines without filling.
    pub fn path(&mut self, path: &str, colour: &str, width: f64) {
        let _ = writeln!(
            self.body,
            r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>"#
        );
    }

    /// A bar of a scale's colours with the values at its ends, and at 0 where
    /// that is between them, from a place to the right: 220 pixels and its label.
    pub fn scale(&mut self, [x, y]: [f64; 2], scale: &ColourScale) {
        const BAR: [f64; 2] = [110.0, 10.0];
        let colours = (0..BAR[0] as usize).map(|at| scale.map.at(at as f64 / (BAR[0] - 1.0)));
        let font = Font::pale(11.0);
        let [low, high] = scale.range.map(short);
        let start = x + font.width(&low) + 4.0;
        let pixels = Pixels::new(BAR[0] as usize, colours.collect());
        self.picture([start, y], BAR, &pixels);
        let frame = format!("M{start:.1} {y:.1}h{}v{}h-{}z", BAR[0], BAR[1], BAR[0]);
        self.path(&frame, "#999999", 0.5);
        let foot = y + BAR[1] - 1.0;
        self.text([start - 4.0, foot], Anchor::End, &low, font);
        let root = if scale.root { ", square root" } else { "" };
        let end = format!("{high}  {}{root}", scale.label);
        self.text([start + BAR[0] + 4.0, foot], Anchor::Start, &end, font);
    }

    /// The figure as an SVG file.
    pub fn finish(self) -> String {
        let (width, height) = (self.width.ceil(), (self.y + 18.0).ceil());
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif">
<rect width="{width}" height="{height}" fill="#ffffff"/>
{}</svg>
"##,
            self.body
        )
    }
}

/// A value in few digits.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        0.001..100_000.0 => {
            let digits = (2.0 - value.abs().log10().floor()).max(0.0) as usize;
            let text = format!("{value:.digits$}");
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
        _ => format!("{value:.1e}"),
    }
}

/// A text in lines of at most `letters`, cut between words; a longer word has
/// a line of its own.
fn lines(text: &str, letters: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= letters => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_in_three_digits() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-0.12345, "-0.123"),
            (12.345, "12.3"),
            (1234.5, "1234"),
            (100.0, "100"),
            (2.0e-5, "2.0e-5"),
        ] {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn long_texts_are_cut_between_words() {
        assert_eq!(lines("a bb ccc", 4), ["a bb", "ccc"]);
        assert_eq!(lines("abcdefgh i", 4), ["abcdefgh", "i"]);
        let notes = ["word ".repeat(60)];
        let page = Page::new(400.0, "a < b", &notes).finish();
        assert!(page.contains("a &lt; b") && page.matches("<text").count() > 3);
    }
}
