//! From values to colours.

/// Red, green and blue.
pub type Rgb = [u8; 3];

/// Viridis at ten even places (S. van der Walt and N. Smith for matplotlib
/// 2.0, 2015, CC0): equal steps look equally large, also to colour-blind
/// people and in grey print.
const VIRIDIS: [u32; 10] = [
    0x44_01_54, 0x48_28_78, 0x3e_49_89, 0x31_68_8e, 0x26_82_8e, 0x1f_9e_89, 0x35_b7_79, 0x6d_cd_59,
    0xb4_de_2c, 0xfd_e7_25,
];

/// Blue over white to red at even places: C. Brewer's RdBu of ten classes and
/// white between them (colorbrewer2.org).
const BLUE_WHITE_RED: [u32; 11] = [
    0x05_30_61, 0x21_66_ac, 0x43_93_c3, 0x92_c5_de, 0xd1_e5_f0, 0xff_ff_ff, 0xfd_db_c7, 0xf4_a5_82,
    0xd6_60_4d, 0xb2_18_2b, 0x67_00_1f,
];

/// White to blue: one half of the former.
const WHITE_BLUE: [u32; 6] = [
    0xff_ff_ff, 0xd1_e5_f0, 0x92_c5_de, 0x43_93_c3, 0x21_66_ac, 0x05_30_61,
];

/// Colours in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColourMap {
    /// Dark to bright, for values from 0 up.
    Sequential,
    /// Blue over white to red, for signed values: 0 is white.
    Diverging,
    /// White to blue, under numbers.
    Pale,
    /// Black to white.
    Grey,
}

impl ColourMap {
    /// The colour of a share of the range, from 0 to 1; the nearest end of it
    /// outside, that of 0 where there is no number.
    pub fn at(self, share: f64) -> Rgb {
        let share = share.clamp(0.0, 1.0);
        match self {
            Self::Sequential => between(&VIRIDIS, share),
            Self::Diverging => between(&BLUE_WHITE_RED, share),
            Self::Pale => between(&WHITE_BLUE, share),
            Self::Grey => [(share * 255.0).round() as u8; 3],
        }
    }
}

/// The colour at a share of the way along evenly placed ones.
fn between(places: &[u32], share: f64) -> Rgb {
    let way = share * (places.len() - 1) as f64;
    let first = (way as usize).min(places.len() - 2);
    let part = way - first as f64;
    let channel = |colour: u32, at: usize| f64::from((colour >> (16 - 8 * at)) & 0xff);
    std::array::from_fn(|at| {
        let [low, high] = [first, first + 1].map(|place| channel(places[place], at));
        (low + (high - low) * part).round() as u8
    })
}

/// Colours for the values of a range.
#[derive(Clone, Debug, PartialEq)]
pub struct ColourScale {
    /// The colours.
    pub map: ColourMap,
    /// The values at the ends of the map.
    pub range: [f64; 2],
    /// What the values are, with the unit.
    pub label: String,
    /// Whether colours go by the square root of the share of the range, which
    /// tells small values apart.
    pub root: bool,
}

impl ColourScale {
    /// An even scale.
    pub fn new(map: ColourMap, range: [f64; 2], label: &str) -> Self {
        Self {
            map,
            range,
            label: label.to_owned(),
            root: false,
        }
    }

    /// For all `values`: sequential from 0 where none is below 0, otherwise
    /// diverging, as far below 0 as above.
    pub fn over(values: &[f32], label: &str) -> Self {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let most = finite().fold(0.0, |most: f32, value| most.max(value.abs()));
        // A map of nothing but zeros has a scale too.
        let most = if most > 0.0 { f64::from(most) } else { 1.0 };
        match finite().any(|value| value < 0.0) {
            true => Self::new(ColourMap::Diverging, [-most, most], label),
            false => Self::new(ColourMap::Sequential, [0.0, most], label),
        }
    }

    /// The colour of a value.
    pub fn colour(&self, value: f64) -> Rgb {
        let [low, high] = self.range;
        let share = (value - low) / (high - low);
        self.map.at(if self.root { share.sqrt() } else { share })
    }
}

/// Whether dark text can be read on a colour: by its relative luminance
/// (WCAG 2.2).
pub(crate) fn is_bright(colour: Rgb) -> bool {
    let linear = colour.map(|channel| (f64::from(channel) / 255.0).powf(2.2));
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_white_between_blue_and_red() {
        let scale = ColourScale::over(&[-2.0, 0.5, f32::NAN], "weight");
        assert_eq!(
            (scale.map, scale.range),
            (ColourMap::Diverging, [-2.0, 2.0])
        );
        assert_eq!(scale.colour(0.0), [255; 3]);
        let [red, _, blue] = scale.colour(-1.0);
        assert!(blue > red);
        let [red, _, blue] = scale.colour(1.0);
        assert!(red > blue);
        assert_eq!(scale.colour(7.0), scale.colour(2.0));
    }

    #[test]
    fn values_from_0_up_grow_brighter() {
        let scale = ColourScale::over(&[0.0, 3.0], "");
        assert_eq!(scale.range, [0.0, 3.0]);
        assert_eq!(scale.colour(0.0), [0x44, 0x01, 0x54]);
        assert_eq!(scale.colour(3.0), [0xfd, 0xe7, 0x25]);
        assert!(is_bright(scale.colour(3.0)) && !is_bright(scale.colour(0.0)));
        let grey = |share| -> f64 {
            let [red, green, blue] = ColourMap::Sequential.at(share).map(f64::from);
            0.299 * red + 0.587 * green + 0.114 * blue
        };
        let rising = (0..20).map(|at| grey(f64::from(at) / 19.0));
        assert!(rising.collect::<Vec<_>>().is_sorted());
        assert_eq!(ColourScale::over(&[0.0, 0.0], "").range, [0.0, 1.0]);
    }

    #[test]
    fn a_root_scale_tells_small_values_apart() {
        let mut scale = ColourScale::new(ColourMap::Pale, [0.0, 1.0], "");
        scale.root = true;
        assert_eq!(scale.colour(0.25), ColourMap::Pale.at(0.5));
        assert_eq!(scale.colour(0.0), [255; 3]);
    }
}
