//! One signal: bursts of its class's waveform at any time, in noise. It is
//! drawn sample by sample, so that a shorter signal is the beginning of a
//! longer one.

use crate::{difficulty::signals as difficulty, random::Random};

/// The byte of silence.
pub(crate) const SILENCE: u8 = 128;

/// Draws a signal of class `class`: one byte for each sample.
pub(crate) fn draw_signal(class: u16, random: &mut Random, samples: &mut [u8]) {
    let loudness = random.between(difficulty::LOUDNESS);
    let noise = random.between(difficulty::NOISE);
    let mut burst = Burst::new(random);
    // A signal begins anywhere in a pause or a burst.
    burst.time = random.between((burst.time, burst.length)).floor();
    for sample in samples {
        if burst.time >= burst.length {
            burst = Burst::new(random);
        }
        let value = loudness * burst.value(class) + noise * random.normal();
        *sample = (f32::from(SILENCE) + 127.0 * value.clamp(-1.0, 1.0)).round() as u8;
        burst.time += 1.0;
    }
}

/// A short sound after a pause, which is a time below 0.
struct Burst {
    /// Samples since its beginning.
    time: f32,
    /// In samples.
    length: f32,
    /// Relative to that of the class.
    period: f32,
    /// Where in its period it begins.
    phase: f32,
}

impl Burst {
    fn new(random: &mut Random) -> Self {
        Self {
            length: random.between(difficulty::LENGTH).floor(),
            time: -random.between(difficulty::PAUSE).floor(),
            period: 1.0 + random.around(difficulty::DETUNING),
            phase: random.unit(),
        }
    }

    /// The waveform now, from -1 to 1.
    fn value(&self, class: u16) -> f32 {
        if self.time < 0.0 {
            return 0.0;
        }
        let share = self.time / self.length;
        // Periods of `first` samples at the beginning and `last` at the end.
        let periods = |first: f32, last: f32| {
            let (first, last) = (1.0 / first, 1.0 / last);
            let mean = first + (last - first) * share / 2.0;
            (self.phase + mean * self.time / self.period).fract()
        };
        let wave = |period: f32| wave(periods(period, period));
        let slow = difficulty::SLOW;
        let fast = difficulty::FAST;
        let middle = difficulty::MIDDLE;
        let value = match class {
            0 => wave(slow),
            1 => wave(middle),
            2 => wave(fast),
            3 => self::wave(periods(slow, fast)),
            4 => self::wave(periods(fast, slow)),
            5 => wave(slow).signum() * difficulty::SQUARE,
            6 => 2.0 * periods(slow, slow) - 1.0,
            7 => 1.0 - 2.0 * periods(slow, slow),
            8 => (wave(slow) + wave(fast)) / 2.0,
            _ => match periods(middle, middle) < 1.0 / middle {
                true => 1.0,
                false => 0.0,
            },
        };
        // Rises and falls without a click.
        let around = 2.0 * share - 1.0;
        value * (1.0 - around * around * around * around)
    }
}

/// A sine of period 1.
fn wave(at: f32) -> f32 {
    libm::sinf(std::f32::consts::TAU * at)
}
