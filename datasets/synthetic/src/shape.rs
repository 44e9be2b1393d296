//! One coloured shape before its background. The colours are drawn in the same
//! way for every class, so that they tell nothing about it.

use crate::{
    difficulty::shapes as difficulty,
    field::Field,
    geometry::{Map, Point},
    ink::{Ink, cover},
    outline::distance,
    random::Random,
    stroke::flatten,
};

/// Rows and columns of an image.
pub(crate) const SIDE: usize = 32;
const PIXELS: usize = SIDE * SIDE;

/// Red, green and blue, each from 0 to 1.
type Colour = [f32; 3];

/// Draws a shape of class `shape` as planes of red, green and blue.
pub(crate) fn draw_shape(shape: u16, random: &mut Random, image: &mut [u8]) {
    let from = colour(random);
    let ends = [from, from.map(|value| vary(value, random))];
    let mut scene = background(ends, random);
    for probability in difficulty::STRAY {
        if random.happens(probability) {
            add_stray(&mut scene, random);
        }
    }
    let figure = contrasting(ends, random);
    add_figure(shape, figure, &mut scene, random);
    let noise = random.between(difficulty::NOISE);
    for (index, pixel) in image.iter_mut().enumerate() {
        let value = scene[index % PIXELS][index / PIXELS] + noise * random.normal();
        *pixel = (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
    }
}

/// Any colour.
fn colour(random: &mut Random) -> Colour {
    std::array::from_fn(|_| random.unit())
}

/// A value of the same channel at the other end of a gradient.
fn vary(value: f32, random: &mut Random) -> f32 {
    (value + random.around(difficulty::GRADIENT)).clamp(0.0, 1.0)
}

/// A random colour far enough from both of `others`.
fn contrasting(others: [Colour; 2], random: &mut Random) -> Colour {
    let distance = |one: Colour, other: Colour| {
        let square: f32 = one.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum();
        square.sqrt()
    };
    for _ in 0..32 {
        let candidate = colour(random);
        let nearest = others.map(|other| distance(candidate, other));
        if nearest[0].min(nearest[1]) >= difficulty::CONTRAST {
            return candidate;
        }
    }
    // The far corner of the cube, which is always far enough.
    std::array::from_fn(|channel| {
        let middle = (others[0][channel] + others[1][channel]) / 2.0;
        if middle > 0.5 { 0.0 } else { 1.0 }
    })
}

/// A gradient between two colours with a smooth texture over it.
fn background([from, to]: [Colour; 2], random: &mut Random) -> Vec<Colour> {
    let strength = random.between(difficulty::TEXTURE);
    let texture = Field::new(random, strength);
    let tint: Colour = std::array::from_fn(|_| random.around(1.0));
    let direction = Point::new(random.around(1.0), random.around(1.0));
    let reach = (direction.x.abs() + direction.y.abs()).max(0.1);
    let rows: [_; SIDE] = std::array::from_fn(|row| texture.row(place(row * SIDE).1));
    let pixels = (0..PIXELS).map(|index| {
        let (x, y) = place(index);
        let along = (direction.dot(Point::new(x - 0.5, y - 0.5)) / reach + 0.5).clamp(0.0, 1.0);
        let wave = rows[index / SIDE].at(x);
        std::array::from_fn(|channel| {
            from[channel] + (to[channel] - from[channel]) * along + wave * tint[channel]
        })
    });
    pixels.collect()
}

/// The middle of pixel `index`, as shares of the image's sides.
fn place(index: usize) -> (f32, f32) {
    let share = |step: usize| (step as f32 + 0.5) / SIDE as f32;
    (share(index % SIDE), share(index / SIDE))
}

/// Adds a bent line of any colour, paler than a figure.
fn add_stray(scene: &mut [Colour], random: &mut Random) {
    let side = (0.0, SIDE as f32);
    let points: [Point; 3] =
        std::array::from_fn(|_| Point::new(random.between(side), random.between(side)));
    let radius = random.between((0.5, 1.6));
    let mut ink = Ink::new(SIDE);
    ink.draw(&flatten(&points), (radius, radius));
    let line = colour(random);
    let strength = random.between(difficulty::STRAY_STRENGTH);
    for (pixel, cover) in scene.iter_mut().zip(ink.coverage(1.5)) {
        mix(pixel, line, cover * strength);
    }
}

/// Lays the figure over the scene.
fn add_figure(shape: u16, figure: Colour, scene: &mut [Colour], random: &mut Random) {
    let radius = random.between(difficulty::RADIUS);
    let aspect = random.between(difficulty::ASPECT);
    let room = radius.min(SIDE as f32 / 2.0);
    let range = (room, SIDE as f32 - room);
    let centre = Point::new(random.between(range), random.between(range));
    let turn = Map::new(Point::new(1.0, 1.0), 0.0, random.around(difficulty::TURN));
    let softness = random.between(difficulty::SOFTNESS);
    let uneven = Field::new(random, difficulty::UNEVEN);
    for (index, pixel) in scene.iter_mut().enumerate() {
        let (x, y) = place(index);
        let from_centre = turn.apply(Point::new(x, y) * SIDE as f32 - centre);
        if from_centre.length() > radius * 1.25 + 2.0 {
            continue;
        }
        let point = Point::new(from_centre.x / (radius * aspect), from_centre.y / radius);
        let covered = cover(distance(shape, point) * radius, softness);
        if covered == 0.0 {
            continue;
        }
        let change = uneven.at(x, y);
        mix(pixel, figure.map(|value| value + change), covered);
    }
}

/// Moves `pixel` towards `colour` by the share `cover`.
fn mix(pixel: &mut Colour, colour: Colour, cover: f32) {
    for (value, target) in pixel.iter_mut().zip(colour) {
        *value += (target - *value) * cover;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Key, Subject};
    use kiln_vision::Part;

    #[test]
    fn a_figure_always_contrasts_with_its_background() {
        let key = Key {
            subject: Subject::Shape,
            part: Part::Test,
            seed: 1,
        };
        for index in 0..2000 {
            let mut random = key.stream(index);
            let from = colour(&mut random);
            let to = from.map(|value| vary(value, &mut random));
            let figure = contrasting([from, to], &mut random);
            for other in [from, to] {
                let square: f32 = figure.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum();
                assert!(square.sqrt() >= difficulty::CONTRAST, "{index}");
            }
        }
    }

    #[test]
    fn a_far_corner_is_far_from_any_gradient() {
        let each_channel = 0.5 - difficulty::GRADIENT / 2.0;
        assert!(each_channel * 3.0_f32.sqrt() > difficulty::CONTRAST);
    }
}
