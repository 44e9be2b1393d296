//! Small pictures of pixels, which a figure holds as PNG within its SVG.

use crate::{ColourScale, colour::Rgb};
use base64::{Engine, engine::general_purpose::STANDARD};

/// A picture of coloured pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    width: usize,
    height: usize,
    colours: Vec<Rgb>,
}

impl Pixels {
    /// A picture `width` pixels wide of `colours` row by row.
    ///
    /// # Panics
    /// When the pixels are not a rectangle, or none.
    pub fn new(width: usize, colours: Vec<Rgb>) -> Self {
        let height = colours.len() / width;
        assert!(height > 0 && colours.len() == width * height, "a rectangle");
        Self {
            width,
            height,
            colours,
        }
    }

    /// Values row by row in the colours of a scale.
    ///
    /// # Panics
    /// As [`Pixels::new`].
    pub fn of_values(width: usize, values: &[f32], scale: &ColourScale) -> Self {
        let colours = values.iter().map(|value| scale.colour(f64::from(*value)));
        Self::new(width, colours.collect())
    }

    /// Columns of pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The pixels row by row.
    pub fn colours(&self) -> &[Rgb] {
        &self.colours
    }

    /// The means of square blocks, so large that neither side is longer than
    /// `most`; what does not fill a block at the right and below is left out.
    pub fn shrunk(self, most: usize) -> Self {
        let block = self.width.max(self.height).div_ceil(most.max(1));
        if block < 2 {
            return self;
        }
        let side = |side: usize| (side / block).max(1);
        let (width, height) = (side(self.width), side(self.height));
        let mean = |at: usize| -> Rgb {
            let (top, left) = (at / width * block, at % width * block);
            let (bottom, right) = (top + block, left + block);
            let mut sum = [0u32; 3];
            let mut count = 0;
            for row in top..bottom.min(self.height) {
                for column in left..right.min(self.width) {
                    let colour = self.colours[row * self.width + column];
                    for (sum, channel) in sum.iter_mut().zip(colour) {
                        *sum += u32::from(channel);
                    }
                    count += 1;
                }
            }
            sum.map(|sum| ((sum + count / 2) / count) as u8)
        };
        Self::new(width, (0..width * height).map(mean).collect())
    }

    /// The picture as an address that holds it whole.
    pub(crate) fn data_uri(&self) -> String {
        let mut bytes = Vec::new();
        // Writing into memory can fail by a wrong size alone, which `new` refuses.
        let _ = self.write_png(&mut bytes);
        format!("data:image/png;base64,{}", STANDARD.encode(bytes))
    }

    fn write_png(&self, bytes: &mut Vec<u8>) -> Result<(), png::EncodingError> {
        let mut encoder = png::Encoder::new(bytes, self.width as u32, self.height as u32);
        let grey = self.colours.iter().all(|[r, g, b]| r == g && g == b);
        encoder.set_color(match grey {
            true => png::ColorType::Grayscale,
            false => png::ColorType::Rgb,
        });
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        match grey {
            true => {
                let levels: Vec<u8> = self.colours.iter().map(|colour| colour[0]).collect();
                writer.write_image_data(&levels)?;
            }
            false => writer.write_image_data(self.colours.as_flattened())?,
        }
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pixels: &Pixels) -> (u32, u32, png::ColorType, Vec<u8>) {
        let mut bytes = Vec::new();
        pixels.write_png(&mut bytes).expect("a file");
        let decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        let mut reader = decoder.read_info().expect("a head");
        let mut values = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut values).expect("pixels");
        (info.width, info.height, info.color_type, values)
    }

    #[test]
    fn a_png_gives_the_pixels_back() {
        let colours = vec![[1, 2, 3], [4, 5, 6], [7, 8, 9], [0, 0, 0]];
        let pixels = Pixels::new(2, colours.clone());
        let (width, height, kind, values) = read(&pixels);
        assert_eq!((width, height, kind), (2, 2, png::ColorType::Rgb));
        assert_eq!(values, colours.as_flattened());
        let grey = Pixels::new(1, vec![[7; 3], [9; 3]]);
        assert_eq!(read(&grey), (1, 2, png::ColorType::Grayscale, vec![7, 9]));
        assert!(
            pixels
                .data_uri()
                .starts_with("data:image/png;base64,iVBORw0KGgo")
        );
    }

    #[test]
    fn large_pictures_shrink_to_the_means_of_blocks() {
        let columns = (0..16).map(|at| [(at % 4 * 10) as u8; 3]).collect();
        let small = Pixels::new(4, columns).shrunk(2);
        assert_eq!((small.width(), small.height()), (2, 2));
        assert_eq!(small.colours(), [[5; 3], [25; 3], [5; 3], [25; 3]]);
        let thin = Pixels::new(9, vec![[3; 3]; 9]).shrunk(4);
        assert_eq!((thin.width(), thin.height()), (3, 1));
        let same = Pixels::new(2, vec![[1; 3]; 4]);
        assert_eq!(same.clone().shrunk(2), same);
    }
}
