//! From decoded pixels to the bytes of a network's input: white behind
//! transparency, luma, scaling, padding, inversion. It reads no files.

use super::Invert;
use crate::ImageSpec;
use image::{DynamicImage, RgbImage, imageops, imageops::FilterType};

/// The bytes of `picture` in the shape `spec`, in the order channel, row,
/// column; `read_picture` lists the rules.
pub(super) fn convert(picture: DynamicImage, spec: ImageSpec, invert: Invert) -> Vec<u8> {
    let mut picture = lay_on_white(picture);
    if spec.channels == 1 {
        for pixel in picture.pixels_mut() {
            pixel.0 = [luma(pixel.0); 3];
        }
    }
    let border = border_colour(&picture);
    let sheet = fit(picture, spec, border);
    let inverted = match invert {
        Invert::Auto => spec.channels == 1 && border[0] > 127,
        Invert::Yes => true,
        Invert::No => false,
    };
    let mask = if inverted { 255 } else { 0 };
    let planes = (0..spec.channels).flat_map(|channel| {
        let pixels = sheet.as_raw().as_chunks::<3>().0;
        pixels.iter().map(move |pixel| pixel[channel] ^ mask)
    });
    planes.collect()
}

/// Eight bits of red, green and blue, with transparency laid on white.
fn lay_on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |column, row| {
        let [red, green, blue, alpha] = picture.get_pixel(column, row).0.map(u32::from);
        let mix = |value: u32| ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        image::Rgb([red, green, blue].map(mix))
    })
}

/// The grey of a colour after Rec. 601; that of a grey is itself.
fn luma(colour: [u8; 3]) -> u8 {
    let [red, green, blue] = colour.map(u32::from);
    ((299 * red + 587 * green + 114 * blue + 500) / 1000) as u8
}

/// The median of the outermost pixels, for each channel on its own.
fn border_colour(picture: &RgbImage) -> [u8; 3] {
    let (width, height) = picture.dimensions();
    let rows = (0..width).flat_map(|column| [(column, 0), (column, height - 1)]);
    let columns = (0..height).flat_map(|row| [(0, row), (width - 1, row)]);
    let pixels: Vec<[u8; 3]> = rows
        .chain(columns)
        .map(|(column, row)| picture.get_pixel(column, row).0)
        .collect();
    std::array::from_fn(|channel| {
        let mut values: Vec<u8> = pixels.iter().map(|pixel| pixel[channel]).collect();
        let middle = values.len() / 2;
        *values.select_nth_unstable(middle).1
    })
}

/// The picture scaled to fit inside `spec` and centred on a sheet of the
/// colour `border`.
fn fit(picture: RgbImage, spec: ImageSpec, border: [u8; 3]) -> RgbImage {
    let (wide, high) = (spec.width as u64, spec.height as u64);
    let (width, height) = (u64::from(picture.width()), u64::from(picture.height()));
    // The tighter side decides; the other is rounded to the nearest pixel.
    let share = |side: u64, target: u64, of: u64| ((2 * side * target + of) / (2 * of)).max(1);
    let (width, height) = if wide * height <= high * width {
        (wide, share(height, wide, width).min(high))
    } else {
        (share(width, high, height).min(wide), high)
    };
    let scaled = if (width as u32, height as u32) == picture.dimensions() {
        picture
    } else {
        imageops::resize(&picture, width as u32, height as u32, FilterType::Triangle)
    };
    if (width, height) == (wide, high) {
        return scaled;
    }
    let mut sheet = RgbImage::from_pixel(wide as u32, high as u32, image::Rgb(border));
    let (left, top) = ((wide - width) / 2, (high - height) / 2);
    imageops::replace(&mut sheet, &scaled, left as i64, top as i64);
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, Luma, Rgb, Rgba, RgbaImage};

    fn grey(width: u32, height: u32, value: u8) -> DynamicImage {
        GrayImage::from_pixel(width, height, Luma([value])).into()
    }

    #[test]
    fn a_grey_picture_of_the_right_size_keeps_its_bytes() {
        let bytes: Vec<u8> = (0..=255).collect();
        let picture = GrayImage::from_raw(16, 16, bytes.clone()).expect("16 by 16");
        let read = convert(picture.into(), ImageSpec::new(1, 16, 16), Invert::No);
        assert_eq!(read, bytes);
    }

    #[test]
    fn colour_is_stored_plane_by_plane() {
        let picture = RgbImage::from_fn(2, 1, |column, _| Rgb([column as u8, 10, 20]));
        let read = convert(picture.into(), ImageSpec::new(3, 1, 2), Invert::Auto);
        assert_eq!(read, [0, 1, 10, 10, 20, 20]);
    }

    #[test]
    fn colour_becomes_luma_and_grey_becomes_three_planes() {
        let red = RgbImage::from_pixel(1, 1, Rgb([255, 0, 0]));
        assert_eq!(
            convert(red.into(), ImageSpec::new(1, 1, 1), Invert::No),
            [76]
        );
        assert_eq!(
            convert(grey(1, 1, 9), ImageSpec::new(3, 1, 1), Invert::No),
            [9, 9, 9]
        );
    }

    #[test]
    fn transparency_is_laid_on_white_and_sixteen_bits_become_eight() {
        let clear = RgbaImage::from_pixel(1, 1, Rgba([0, 0, 0, 0]));
        assert_eq!(
            convert(clear.into(), ImageSpec::new(1, 1, 1), Invert::No),
            [255]
        );
        let deep = image::ImageBuffer::from_pixel(1, 1, Luma([0x8080_u16]));
        assert_eq!(
            convert(deep.into(), ImageSpec::new(1, 1, 1), Invert::No),
            [0x80]
        );
    }

    #[test]
    fn a_wide_picture_is_centred_on_the_colour_of_its_border() {
        let mut picture = RgbImage::from_pixel(8, 4, Rgb([10, 20, 30]));
        for (column, row) in [(3, 1), (4, 1), (3, 2), (4, 2)] {
            picture.put_pixel(column, row, Rgb([200, 200, 200]));
        }
        let read = convert(picture.into(), ImageSpec::new(3, 8, 8), Invert::No);
        assert_eq!(read[..16], [10; 16]);
        assert_eq!(read[64..80], [20; 16]);
        assert_eq!(read[3 * 8 + 3], 200);
        assert_eq!(read[48..64], [10; 16]);
    }

    #[test]
    fn shrinking_averages() {
        let picture = GrayImage::from_fn(64, 64, |column, _| Luma([(column % 2) as u8 * 200]));
        let read = convert(picture.into(), ImageSpec::new(1, 8, 8), Invert::No);
        assert!(
            read.iter().all(|&value| (90..=110).contains(&value)),
            "{read:?}"
        );
    }

    #[test]
    fn extreme_proportions_keep_at_least_one_pixel() {
        let read = convert(grey(5000, 1, 50), ImageSpec::new(1, 28, 28), Invert::No);
        assert_eq!(read, [50; 784]);
        let read = convert(grey(1, 5000, 50), ImageSpec::new(3, 28, 30), Invert::No);
        assert_eq!(read, [50; 3 * 28 * 30]);
    }

    #[test]
    fn only_grey_on_a_bright_border_is_inverted_automatically() {
        let grey_spec = ImageSpec::new(1, 1, 1);
        assert_eq!(convert(grey(4, 4, 200), grey_spec, Invert::Auto), [55]);
        assert_eq!(convert(grey(4, 4, 127), grey_spec, Invert::Auto), [127]);
        assert_eq!(convert(grey(4, 4, 200), grey_spec, Invert::No), [200]);
        assert_eq!(convert(grey(4, 4, 100), grey_spec, Invert::Yes), [155]);
        let colour_spec = ImageSpec::new(3, 1, 1);
        assert_eq!(
            convert(grey(4, 4, 200), colour_spec, Invert::Auto),
            [200; 3]
        );
    }
}
