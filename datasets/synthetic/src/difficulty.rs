//! Every constant that decides how hard the built-in images are, in one place:
//! the spread of sizes, places, slants, pens and disturbances. Changing any of
//! them changes every picture, and with it the golden values in the tests.

/// A range of equally likely values.
pub(crate) type Range = (f32, f32);

/// How digits vary.
pub(crate) mod digits {
    use super::Range;

    /// Height of a digit in pixels, before slant, turn and bending.
    pub(crate) const HEIGHT: Range = (14.5, 21.0);
    /// Width of a digit's square as a share of its height.
    pub(crate) const ASPECT: Range = (0.78, 1.15);
    /// Slant to the right as a share of the height.
    pub(crate) const SLANT: Range = (-0.22, 0.42);
    /// Largest turn either way, in radians.
    pub(crate) const TURN: f32 = 0.22;
    /// Largest shift of the centre either way, in pixels, before the digit is
    /// pushed back onto the sheet.
    pub(crate) const SHIFT: f32 = 3.6;
    /// Pixels at the border that the middle of a stroke keeps free.
    pub(crate) const MARGIN: f32 = 1.5;
    /// Deviation of every point of a skeleton, as a share of the height.
    pub(crate) const JITTER: f32 = 0.022;
    /// Deviation of the smooth bending, as a share of the height.
    pub(crate) const BEND: f32 = 0.075;
    /// Radius of the pen as a share of the digit's height.
    pub(crate) const PEN: Range = (0.032, 0.075);
    /// Radius of the pen at the end of a stroke relative to its start.
    pub(crate) const TAPER: Range = (0.6, 1.25);
    /// Smallest radius of the pen, in pixels.
    pub(crate) const THINNEST: f32 = 0.6;
    /// Pixels over which edges are blurred.
    pub(crate) const SOFTNESS: Range = (0.9, 2.2);
    /// Brightness of the ink.
    pub(crate) const INK: Range = (0.6, 1.0);
    /// Brightness of the ink below which unevenness does not take it.
    pub(crate) const FAINTEST: f32 = 0.55;
    /// Deviation of the ink's brightness across the sheet.
    pub(crate) const UNEVEN: f32 = 0.22;
    /// Deviation of the noise of a pixel; the range of the images' own.
    pub(crate) const NOISE: Range = (0.0, 0.1);
    /// Probability of a faint stray stroke.
    pub(crate) const STRAY: f32 = 0.3;
    /// Probability of a smudge.
    pub(crate) const SMUDGE: f32 = 0.2;
    /// Brightness of strays and smudges, well below that of any ink.
    pub(crate) const CLUTTER: Range = (0.12, 0.38);
}

/// How signals vary.
pub(crate) mod signals {
    use super::Range;

    /// Largest value of a waveform, of the largest that a byte can tell.
    pub(crate) const LOUDNESS: Range = (0.25, 0.8);
    /// Deviation of the noise of a sample; the range of the signals' own.
    pub(crate) const NOISE: Range = (0.05, 0.3);
    /// Samples of a burst.
    pub(crate) const LENGTH: Range = (32.0, 64.0);
    /// Samples between two bursts.
    pub(crate) const PAUSE: Range = (16.0, 64.0);
    /// Largest deviation of a period from that of its class, as a share of it.
    pub(crate) const DETUNING: f32 = 0.1;
    /// Samples of a slow period.
    pub(crate) const SLOW: f32 = 16.0;
    /// Samples of a middle period.
    pub(crate) const MIDDLE: f32 = 9.0;
    /// Samples of a fast period.
    pub(crate) const FAST: f32 = 5.0;
    /// Height of a square wave, which is louder than a sine of its height.
    pub(crate) const SQUARE: f32 = 0.75;
}

/// How shapes vary.
pub(crate) mod shapes {
    use super::Range;

    /// Radius of the circle around a figure, in pixels.
    pub(crate) const RADIUS: Range = (8.0, 13.5);
    /// Width of a figure relative to its height.
    pub(crate) const ASPECT: Range = (0.85, 1.18);
    /// Largest turn either way, in radians.
    pub(crate) const TURN: f32 = 0.5;
    /// Pixels over which edges are blurred.
    pub(crate) const SOFTNESS: Range = (0.8, 1.8);
    /// Smallest distance between the colours of figure and background, in the
    /// unit cube of red, green and blue.
    pub(crate) const CONTRAST: f32 = 0.55;
    /// Largest difference of each channel across the background's gradient.
    pub(crate) const GRADIENT: f32 = 0.3;
    /// Deviation of the texture of the background.
    pub(crate) const TEXTURE: Range = (0.0, 0.25);
    /// Deviation of the brightness across the figure.
    pub(crate) const UNEVEN: f32 = 0.1;
    /// Probability of each of the stray strokes behind the figure.
    pub(crate) const STRAY: [f32; 2] = [0.4, 0.3];
    /// How far the colour of a stray stroke lies from the background towards
    /// a random colour.
    pub(crate) const STRAY_STRENGTH: Range = (0.2, 0.6);
    /// Deviation of the noise of a pixel; the range of the images' own.
    pub(crate) const NOISE: Range = (0.0, 0.08);
}
