//! Grey images as SVG, pixel by pixel.

use std::fmt::Write as _;

/// Pixels of the figure that a pixel of an image covers along a side.
const ZOOM: usize = 6;
/// Around the images.
const MARGIN: usize = 24;
/// A line of text below them.
const LINE: usize = 22;
/// Shades of grey.
const SHADES: usize = 16;

/// Images of `[height, width]` beside each other, each with its name below.
pub fn pictures(images: &[(String, &[u8])], [height, width]: [usize; 2]) -> String {
    let [high, wide] = [height, width].map(|side| side * ZOOM);
    let total = [
        MARGIN + images.len() * (wide + MARGIN),
        2 * MARGIN + high + LINE,
    ];
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}" font-family="system-ui, sans-serif" font-size="14" fill="#222222">
<rect width="{0}" height="{1}" fill="#ffffff"/>
"##,
        total[0], total[1]
    );
    for (at, (name, pixels)) in images.iter().enumerate() {
        let left = MARGIN + at * (wide + MARGIN);
        let _ = writeln!(
            svg,
            r##"<g transform="translate({left} {MARGIN}) scale({ZOOM})" shape-rendering="crispEdges"><rect width="{width}" height="{height}" fill="#000000"/>"##
        );
        for shade in 1..SHADES {
            let path = runs(pixels, width, shade);
            let grey = shade * 255 / (SHADES - 1);
            if !path.is_empty() {
                let _ = writeln!(
                    svg,
                    r##"<path fill="#{grey:02x}{grey:02x}{grey:02x}" d="{path}"/>"##
                );
            }
        }
        let _ = writeln!(
            svg,
            r#"</g><text x="{}" y="{}" text-anchor="middle">{name}</text>"#,
            left + wide / 2,
            MARGIN + high + LINE
        );
    }
    svg + "</svg>\n"
}

/// The pixels of a shade as rectangles, one for each run in a row.
fn runs(pixels: &[u8], width: usize, shade: usize) -> String {
    let mut path = String::new();
    for (row, line) in pixels.chunks(width).enumerate() {
        let mut column = 0;
        let same = |left: &u8, right: &u8| shade_of(*left) == shade_of(*right);
        for run in line.chunk_by(same) {
            if shade_of(run[0]) == shade {
                let _ = write!(path, "M{column} {row}h{0}v1h-{0}z", run.len());
            }
            column += run.len();
        }
    }
    path
}

fn shade_of(pixel: u8) -> usize {
    usize::from(pixel) * SHADES / 256
}
