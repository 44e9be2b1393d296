//! A sheet of small pictures with captions, in sections under headings.

use crate::{
    ColourScale, Pixels,
    page::{Anchor, Font, MARGIN, Page},
};

/// Pixels of the sheet's width.
const WIDTH: f64 = 960.0;
/// Between tiles.
const GAP: f64 = 6.0;
/// A line of a caption.
const LINE: f64 = 13.0;
const CAPTION: Font = Font::plain(10.5);
const HEADING: Font = Font::bold(14.0);

/// A sheet of small pictures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    /// What is shown.
    pub title: String,
    /// Sentences below the title.
    pub notes: Vec<String>,
    /// The pictures.
    pub sections: Vec<Section>,
}

/// Pictures of one size that belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// What they are.
    pub heading: String,
    /// What their colours mean.
    pub scale: Option<ColourScale>,
    /// Width and height of each on the sheet.
    pub size: [f64; 2],
    /// The rows, each from a new line on; those of a longer row go on below.
    pub rows: Vec<Row>,
}

/// A row of pictures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// What they have in common, to their left.
    pub label: String,
    /// The pictures.
    pub tiles: Vec<Tile>,
}

/// A picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// Its pixels.
    pub pixels: Pixels,
    /// Lines below it.
    pub caption: Vec<String>,
    /// A part of it that is framed: left, top, width and height, as shares of
    /// the picture.
    pub frame: Option<[f64; 4]>,
}

impl Tile {
    /// A picture with one line, or none if it is empty, below it.
    pub fn new(pixels: Pixels, caption: &str) -> Self {
        let caption = Some(caption.to_owned()).filter(|text| !text.is_empty());
        Self {
            pixels,
            caption: caption.into_iter().collect(),
            frame: None,
        }
    }
}

impl Section {
    /// Pictures without labels.
    pub fn new(heading: &str, size: [f64; 2], tiles: Vec<Tile>) -> Self {
        Self {
            heading: heading.to_owned(),
            scale: None,
            size,
            rows: vec![Row {
                label: String::new(),
                tiles,
            }],
        }
    }

    /// With colours that mean something.
    pub fn scaled(self, scale: ColourScale) -> Self {
        Self {
            scale: Some(scale),
            ..self
        }
    }

    /// From one picture to the next: as far as the widest caption needs.
    fn cell(&self) -> f64 {
        let tiles = self.rows.iter().flat_map(|row| &row.tiles);
        let captions = tiles.flat_map(|tile| &tile.caption);
        let widest = captions.map(|line| CAPTION.width(line)).fold(0.0, f64::max);
        self.size[0].max(widest) + GAP
    }

    fn labels(&self) -> f64 {
        let widths = self.rows.iter().map(|row| CAPTION.width(&row.label));
        match widths.fold(0.0, f64::max) {
            0.0 => 0.0,
            width => width + 10.0,
        }
    }
}

impl Grid {
    /// The sheet as an SVG file, which holds all pictures.
    pub fn svg(&self) -> String {
        let mut page = Page::new(WIDTH, &self.title, &self.notes);
        for section in &self.sections {
            draw(&mut page, section);
        }
        page.finish()
    }
}

/// A number of pixels on the sheet for a picture of `width` x `height` pixels,
/// about `target` on its longer side: a whole multiple where it is enlarged.
/// What would be a mere line is made thicker.
pub fn tile_size(width: usize, height: usize, target: f64) -> [f64; 2] {
    let longer = width.max(height) as f64;
    let zoom = match target / longer {
        zoom if zoom >= 1.0 => zoom.floor(),
        zoom => zoom,
    };
    [width, height].map(|side| (side as f64 * zoom).max(8.0))
}

fn draw(page: &mut Page, section: &Section) {
    page.y += 8.0;
    if !section.heading.is_empty() {
        page.paragraph(&section.heading, HEADING);
    }
    if let Some(scale) = &section.scale {
        page.y += 6.0;
        page.scale([MARGIN, page.y], scale);
        page.y += 14.0;
    }
    page.y += 6.0;
    let (cell, labels) = (section.cell(), section.labels());
    let columns = ((page.room() - labels + GAP) / cell).max(1.0) as usize;
    for row in &section.rows {
        for (at, tiles) in row.tiles.chunks(columns).enumerate() {
            if at == 0 && !row.label.is_empty() {
                let foot = page.y + section.size[1] / 2.0 + 4.0;
                page.text([MARGIN, foot], Anchor::Start, &row.label, CAPTION);
            }
            line_of_tiles(page, section.size, [MARGIN + labels, cell], tiles);
        }
    }
}

fn line_of_tiles(page: &mut Page, size: [f64; 2], [left, cell]: [f64; 2], tiles: &[Tile]) {
    let lines = tiles.iter().map(|tile| tile.caption.len()).max();
    for (at, tile) in tiles.iter().enumerate() {
        let middle = left + at as f64 * cell + (cell - GAP) / 2.0;
        let x = middle - size[0] / 2.0;
        page.picture([x, page.y], size, &tile.pixels);
        // So that white parts can be told from the page.
        let outline = format!(
            "M{x:.1} {:.1}h{:.1}v{:.1}h-{:.1}z",
            page.y, size[0], size[1], size[0]
        );
        page.path(&outline, "#bbbbbb", 0.5);
        if let Some([from, top, wide, high]) = tile.frame {
            let (x, y) = (x + from * size[0], page.y + top * size[1]);
            let (wide, high) = (wide * size[0], high * size[1]);
            let frame = format!("M{x:.1} {y:.1}h{wide:.1}v{high:.1}h-{wide:.1}z");
            page.path(&frame, "#d55e00", 1.5);
        }
        for (line, text) in tile.caption.iter().enumerate() {
            let foot = page.y + size[1] + (line + 1) as f64 * LINE - 2.0;
            page.text([middle, foot], Anchor::Middle, text, CAPTION);
        }
    }
    page.y += size[1] + lines.unwrap_or(0) as f64 * LINE + GAP;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ColourMap;

    fn tile(caption: &str) -> Tile {
        Tile::new(Pixels::new(1, vec![[9; 3]]), caption)
    }

    /// The numbers of an attribute of all elements of a kind.
    fn numbers(svg: &str, element: &str, attribute: &str) -> Vec<f64> {
        let begin = format!(" {attribute}=\"");
        svg.lines()
            .filter(|line| line.starts_with(element))
            .filter_map(|line| line.split_once(&begin)?.1.split_once('"'))
            .filter_map(|(number, _)| number.parse().ok())
            .collect()
    }

    #[test]
    fn tiles_stand_in_lines_within_the_page() {
        let tiles = (0..40).map(|at| tile(&at.to_string())).collect();
        let grid = Grid {
            title: "a & b".to_owned(),
            notes: Vec::new(),
            sections: vec![Section::new("one", [50.0, 30.0], tiles)],
        };
        let svg = grid.svg();
        let (x, y) = (numbers(&svg, "<image", "x"), numbers(&svg, "<image", "y"));
        assert_eq!((x.len(), y.len()), (40, 40));
        assert!(
            x.iter()
                .all(|x| (MARGIN..=WIDTH - MARGIN - 50.0).contains(x))
        );
        assert_eq!(x[0], x[16], "16 tiles of 56 pixels fill 912");
        assert_eq!(y[16] - y[0], 30.0 + LINE + GAP);
        assert!(svg.contains("a &amp; b") && svg.contains(">39<"));
    }

    #[test]
    fn long_captions_and_labels_need_room() {
        let mut section = Section::new("", [20.0, 20.0], vec![tile("automobile"), tile("")]);
        section.rows[0].label = "channel 3".to_owned();
        section.scale = Some(ColourScale::new(
            ColourMap::Diverging,
            [-2.0, 2.0],
            "weight",
        ));
        let grid = Grid {
            sections: vec![section],
            ..Grid::default()
        };
        let svg = grid.svg();
        let x = numbers(&svg, "<image", "x");
        assert!(x[2] - x[1] > CAPTION.width("automobile"));
        assert!(x[1] > MARGIN + CAPTION.width("channel 3"));
        assert!(svg.contains(">-2<") && svg.contains(">2  weight<"), "{svg}");
    }

    #[test]
    fn small_pictures_are_enlarged_by_whole_factors() {
        assert_eq!(tile_size(5, 5, 48.0), [45.0, 45.0]);
        assert_eq!(tile_size(28, 28, 60.0), [56.0, 56.0]);
        assert_eq!(tile_size(224, 112, 56.0), [56.0, 28.0]);
        assert_eq!(tile_size(196, 1, 300.0), [196.0, 8.0]);
    }
}
