//! Many images on one sheet, as a PNG file.

use crate::ImageSpec;
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

/// The width that a sheet has at most, if its images are not wider.
const WIDTH: usize = 1200;

/// Grey between and around the images.
const PAPER: u8 = 96;

/// Pixels of the sheet that a pixel of an image covers at most, along a side.
const LARGEST: usize = 8;

/// A sheet of images of one shape, in rows.
pub struct Sheet {
    spec: ImageSpec,
    images: Vec<Vec<u8>>,
}

/// A sheet that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the images cannot be written as PNG: {0}")]
pub struct SheetError(#[from] image::ImageError);

/// Sizes on a sheet, in pixels of the sheet.
#[derive(Debug, PartialEq, Eq)]
struct Layout {
    columns: usize,
    rows: usize,
    zoom: usize,
    gap: usize,
}

impl Sheet {
    /// A sheet of images of the shape `spec`, each as bytes in the order
    /// channel, row, column.
    ///
    /// # Panics
    /// When an image does not have that shape.
    pub fn new(spec: ImageSpec, images: Vec<Vec<u8>>) -> Self {
        assert!(images.iter().all(|image| image.len() == spec.len()));
        Self { spec, images }
    }

    /// As many columns as rows, or a few more; small images are enlarged by a
    /// whole factor.
    fn layout(&self) -> Layout {
        let columns = self.images.len().isqrt();
        let columns = columns + usize::from(columns * columns < self.images.len());
        let columns = columns.clamp(1, (WIDTH / self.spec.width).max(1));
        let rows = self.images.len().div_ceil(columns);
        let zoom = (WIDTH / (columns * self.spec.width)).clamp(1, LARGEST);
        Layout {
            columns,
            rows,
            zoom,
            gap: 2 * zoom.min(2),
        }
    }

    /// The sheet as the bytes of a PNG file.
    ///
    /// # Errors
    /// When it is too large for one.
    pub fn png(&self) -> Result<Vec<u8>, SheetError> {
        let Layout {
            columns,
            rows,
            zoom,
            gap,
        } = self.layout();
        let (wide, high) = (self.spec.width * zoom, self.spec.height * zoom);
        let width = columns * (wide + gap) + gap;
        let height = rows * (high + gap) + gap;
        let mut paper = vec![PAPER; width * height * 3];
        for (at, image) in self.images.iter().enumerate() {
            let left = gap + at % columns * (wide + gap);
            let top = gap + at / columns * (high + gap);
            for row in 0..high {
                let line = &mut paper[((top + row) * width + left) * 3..][..wide * 3];
                for (column, pixel) in line.chunks_exact_mut(3).enumerate() {
                    let place = row / zoom * self.spec.width + column / zoom;
                    let plane = self.spec.width * self.spec.height;
                    for (channel, value) in pixel.iter_mut().enumerate() {
                        *value = image[channel % self.spec.channels * plane + place];
                    }
                }
            }
        }
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes).write_image(
            &paper,
            u32::try_from(width).unwrap_or(u32::MAX),
            u32::try_from(height).unwrap_or(u32::MAX),
            ExtendedColorType::Rgb8,
        )?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_images_are_enlarged_and_stand_in_rows() {
        let sheet = |spec: ImageSpec, count| Sheet::new(spec, vec![vec![0; spec.len()]; count]);
        let layout = |spec, count| {
            let layout = sheet(spec, count).layout();
            (layout.columns, layout.rows, layout.zoom)
        };
        assert_eq!(layout(ImageSpec::MNIST, 64), (8, 8, 5));
        assert_eq!(layout(ImageSpec::MNIST, 3), (2, 2, 8));
        assert_eq!(layout(ImageSpec::new(3, 600, 500), 9), (2, 5, 1));
        assert_eq!(layout(ImageSpec::new(3, 9, 4000), 2), (1, 2, 1));
    }

    #[test]
    fn a_sheet_holds_the_pixels_of_its_images() {
        let grey = Sheet::new(ImageSpec::new(1, 1, 2), vec![vec![10, 200]]);
        let read = |sheet: &Sheet| {
            let png = sheet.png().expect("a file");
            image::load_from_memory(&png).expect("a picture").to_rgb8()
        };
        let picture = read(&grey);
        assert_eq!(picture.dimensions(), (4 + 16 + 4, 4 + 8 + 4));
        assert_eq!(picture.get_pixel(4, 4).0, [10; 3]);
        assert_eq!(picture.get_pixel(4 + 15, 4 + 7).0, [200; 3]);
        assert_eq!(picture.get_pixel(3, 4).0, [PAPER; 3]);
        let colour = Sheet::new(ImageSpec::new(3, 1, 1), vec![vec![1, 2, 3]; 2]);
        assert_eq!(read(&colour).get_pixel(4, 4).0, [1, 2, 3]);
    }
}
