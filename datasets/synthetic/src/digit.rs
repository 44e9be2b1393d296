//! One digit on its sheet: a handwriting, bent, posed, inked and disturbed.
//! Which digit and which random numbers is decided by the caller.

use crate::{
    difficulty::digits as difficulty,
    field::Field,
    geometry::{Map, Point},
    handwriting::{Handwriting, handwritings},
    ink::{Ink, cover},
    random::Random,
    stroke::flatten,
};

/// Rows and columns of a sheet.
pub(crate) const SIDE: usize = 28;

/// A digit's strokes in pixels, and the radius of the pen.
struct Figure {
    strokes: Vec<Vec<Point>>,
    radius: f32,
}

/// Draws `digit` on a sheet of 28 by 28 grey pixels, white on black.
pub(crate) fn draw_digit(digit: u16, random: &mut Random, sheet: &mut [u8]) {
    let ways = handwritings(digit);
    let handwriting = ways[random.below(ways.len())];
    let figure = pose(bend(handwriting, random), random);
    let mut ink = Ink::new(SIDE);
    for stroke in &figure.strokes {
        let end = (figure.radius * random.between(difficulty::TAPER)).max(difficulty::THINNEST);
        ink.draw(stroke, (figure.radius, end));
    }
    let mut values = brighten(&ink, random);
    add_stray(&mut values, random);
    add_smudge(&mut values, random);
    let noise = random.between(difficulty::NOISE);
    for (pixel, value) in sheet.iter_mut().zip(values) {
        let value = value + noise * random.normal();
        *pixel = (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
    }
}

/// The strokes of a handwriting around the origin, one unit high, with every
/// point moved a little and the whole bent smoothly.
fn bend(handwriting: Handwriting, random: &mut Random) -> Vec<Vec<Point>> {
    let across = Field::new(random, difficulty::BEND);
    let down = Field::new(random, difficulty::BEND);
    let bent = |point: Point| {
        let moved = Point::new(across.at(point.x, point.y), down.at(point.x, point.y));
        point + moved - Point::new(0.5, 0.5)
    };
    let strokes = handwriting.iter().map(|places| {
        let mut points: Vec<Point> = Vec::with_capacity(places.len());
        for (index, &(x, y)) in places.iter().enumerate() {
            let moved = match points.last() {
                Some(&corner) if places[index - 1] == (x, y) => corner,
                _ => Point::new(
                    f32::from(x) / 100.0 + difficulty::JITTER * random.normal(),
                    f32::from(y) / 100.0 + difficulty::JITTER * random.normal(),
                ),
            };
            points.push(moved);
        }
        flatten(&points).into_iter().map(bent).collect()
    });
    strokes.collect()
}

/// Scales, slants, turns and shifts strokes onto the sheet.
fn pose(mut strokes: Vec<Vec<Point>>, random: &mut Random) -> Figure {
    let height = random.between(difficulty::HEIGHT);
    let width = height * random.between(difficulty::ASPECT);
    let map = Map::new(
        Point::new(width, height),
        random.between(difficulty::SLANT),
        random.around(difficulty::TURN),
    );
    for point in strokes.iter_mut().flatten() {
        *point = map.apply(*point);
    }
    let shift = Point::new(
        place(strokes.iter().flatten().map(|point| point.x), random),
        place(strokes.iter().flatten().map(|point| point.y), random),
    );
    for point in strokes.iter_mut().flatten() {
        *point = *point + shift;
    }
    let radius = (height * random.between(difficulty::PEN)).max(difficulty::THINNEST);
    Figure { strokes, radius }
}

/// How far to move coordinates so that their middle lies near that of the
/// sheet, at a random place that keeps all of them on it if possible.
fn place(coordinates: impl Iterator<Item = f32>, random: &mut Random) -> f32 {
    let (low, high) = coordinates.fold((f32::MAX, f32::MIN), |(low, high), coordinate| {
        (low.min(coordinate), high.max(coordinate))
    });
    let free = (SIDE as f32 / 2.0 - difficulty::MARGIN - (high - low) / 2.0).max(0.0);
    let shift = random.around(difficulty::SHIFT).clamp(-free, free);
    SIDE as f32 / 2.0 + shift - (low + high) / 2.0
}

/// The brightness of every pixel under ink of uneven strength.
fn brighten(ink: &Ink, random: &mut Random) -> Vec<f32> {
    let strength = random.between(difficulty::INK);
    let softness = random.between(difficulty::SOFTNESS);
    let uneven = Field::new(random, difficulty::UNEVEN);
    let step = 1.0 / SIDE as f32;
    let bright = ink.coverage(softness).enumerate().map(|(index, cover)| {
        if cover == 0.0 {
            return 0.0;
        }
        let (row, column) = (index / SIDE, index % SIDE);
        let change = uneven.at(column as f32 * step, row as f32 * step);
        cover * (strength + change).clamp(difficulty::FAINTEST, 1.0)
    });
    bright.collect()
}

/// Now and then, a faint short stroke that belongs to no digit.
fn add_stray(values: &mut [f32], random: &mut Random) {
    if !random.happens(difficulty::STRAY) {
        return;
    }
    let start = Point::new(random.between((0.0, 28.0)), random.between((0.0, 28.0)));
    let chain = [
        start,
        start + Point::new(random.around(4.0), random.around(4.0)),
        start + Point::new(random.around(7.0), random.around(7.0)),
    ];
    let mut ink = Ink::new(SIDE);
    ink.draw(&flatten(&chain), (random.between((0.4, 0.9)), 0.4));
    let strength = random.between(difficulty::CLUTTER);
    for (value, cover) in values.iter_mut().zip(ink.coverage(1.5)) {
        *value = value.max(cover * strength);
    }
}

/// Now and then, a faint round smudge.
fn add_smudge(values: &mut [f32], random: &mut Random) {
    if !random.happens(difficulty::SMUDGE) {
        return;
    }
    let centre = Point::new(random.between((0.0, 28.0)), random.between((0.0, 28.0)));
    let radius = random.between((1.5, 4.0));
    let strength = random.between(difficulty::CLUTTER);
    for (index, value) in values.iter_mut().enumerate() {
        let pixel = Point::new((index % SIDE) as f32 + 0.5, (index / SIDE) as f32 + 0.5);
        let smudge = strength * cover((pixel - centre).length() - radius, 2.0 * radius);
        *value = value.max(smudge);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Key, Subject};
    use kiln_vision::Part;

    #[test]
    fn strokes_stay_on_the_sheet() {
        let key = Key {
            subject: Subject::Digit,
            part: Part::Training,
            seed: 3,
        };
        for index in 0..500 {
            let mut random = key.stream(index);
            let ways = handwritings((index % 10) as u16);
            let strokes = bend(ways[index as usize % ways.len()], &mut random);
            let figure = pose(strokes, &mut random);
            for point in figure.strokes.iter().flatten() {
                assert!((-1.0..29.0).contains(&point.x), "{index}: {point:?}");
                assert!((-1.0..29.0).contains(&point.y), "{index}: {point:?}");
            }
        }
    }
}
