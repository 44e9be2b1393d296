//! The images that activate the channels of a layer most, cut to what the most
//! activated place sees of them.

use super::{
    Inside, NotDrawn,
    filters::of,
    layers::Group,
    paint::{self, THUMBNAIL},
};
use crate::LabError;
use kiln_figures::{Grid, Pixels, Rgb, Row, Section, Tile, tile_size};
use kiln_models::{Step, activation};
use kiln_vision::ImageSpec;

/// Channels on a sheet, and images of each.
const CHANNELS: usize = 16;
const IMAGES: usize = 8;
/// Pixels of an image on the sheet, about.
const SIZE: f64 = 72.0;
/// What lies beyond the edge of an image.
const OUTSIDE: Rgb = [200, 200, 200];

/// For each channel of a layer the images of the split that activate it most,
/// cut to the receptive field of the place where they do (M. D. Zeiler, R.
/// Fergus 2014, figure 2); whole where the field is larger or not known. The
/// layer is the last one of maps that no pooling made, of a network without
/// maps the last one before the class scores, unless another is named.
///
/// # Errors
/// When the images are not there or the backend fails.
pub fn exemplars(inside: &Inside) -> Result<Grid, NotDrawn> {
    let group = group(inside)?;
    let output = &inside.layers[group.last].output;
    let shown = output[0].min(CHANNELS);
    let top = most_activating(inside, group.last, shown)?;
    let (feed, spec) = (inside.feed()?, inside.manifest.input);
    let cut = Cut::of(inside, group.last);
    let tile = |found: &Found| {
        let at = feed.indices[found.image] as usize;
        let whole = paint::image(feed.images.pixels(at), spec);
        let pixels = match &cut {
            Some(cut) => cut.apply(&whole, found.place),
            None => whole,
        };
        let class = &inside.manifest.classes[usize::from(feed.images.label(at))];
        let number = format!("#{}: {:.2}", found.image, found.value);
        Tile {
            caption: vec![class.clone(), number],
            ..Tile::new(pixels.shrunk(THUMBNAIL), "")
        }
    };
    let word = if output.len() == 1 { "unit" } else { "channel" };
    let silent = top.silent();
    let rows = top.best.iter().enumerate();
    let rows = rows.filter(|(channel, _)| !silent.contains(channel));
    let rows = rows.map(|(channel, best)| Row {
        label: format!("{word} {channel}"),
        tiles: best.iter().map(&tile).collect(),
    });
    let [height, width] = cut.map_or([spec.height, spec.width], |cut| cut.size);
    let what = match cut {
        Some(_) => format!(
            "What the most activated place sees, {height}x{width} pixels, grey beyond the edge"
        ),
        None => "Whole images".to_owned(),
    };
    let mut notes = vec![
        inside.split_note()?,
        format!("{what}; below it class, number of the image and activation."),
    ];
    if !silent.is_empty() {
        let silent: Vec<_> = silent.iter().map(usize::to_string).collect();
        notes.push(format!("0 for every image: {word} {}.", silent.join(", ")));
    }
    let shown = of(shown, output[0], &format!("{word}s"));
    Ok(Grid {
        title: inside.title("Images that activate a layer most"),
        notes,
        sections: vec![Section {
            heading: format!("{}, {shown}", inside.heading(group)),
            scale: None,
            size: tile_size(width, height, SIZE),
            rows: rows.collect(),
        }],
    })
}

/// Shows the network all images of the split.
fn most_activating(inside: &Inside, layer: usize, channels: usize) -> Result<Top, NotDrawn> {
    let places = inside.layers[layer].output[1..].iter().product();
    let mut top = Top::new(channels, IMAGES);
    let mut image = 0;
    for batch in inside.feed()?.epoch(0, 0) {
        let count = batch.labels.len();
        let images = inside.tensor(batch.values);
        let found = inside.work(|network| activation(network, images, layer));
        let found = found.ok_or_else(|| LabError::run("the layer was not computed"))?;
        let values: Vec<f32> = found.values.iter::<f32>().collect();
        for maps in values.chunks(values.len() / count) {
            top.offer(image, maps, places);
            image += 1;
        }
    }
    Ok(top)
}

/// The layer that is looked at.
fn group(inside: &Inside) -> Result<Group, NotDrawn> {
    inside.chosen_maps().or_else(|none| {
        let units = inside.groups.iter().rev().copied();
        let mut units = units.filter(|group| inside.layers[group.first].kind == "linear");
        let (scores, hidden) = (units.next(), units.next());
        hidden.or(scores).ok_or(none)
    })
}

/// An image that activates a channel.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Found {
    /// Its number in the split.
    image: usize,
    value: f32,
    /// The place in the map, row by row.
    place: usize,
}

/// The images that activate each channel most, falling; of equal ones the
/// first.
struct Top {
    keep: usize,
    best: Vec<Vec<Found>>,
}

impl Top {
    fn new(channels: usize, keep: usize) -> Self {
        Self {
            keep,
            best: vec![Vec::new(); channels],
        }
    }

    /// Looks at the maps of an image, each of so many places.
    fn offer(&mut self, image: usize, maps: &[f32], places: usize) {
        for (best, map) in self.best.iter_mut().zip(maps.chunks(places)) {
            let larger = |most: usize, at: usize| if map[at] > map[most] { at } else { most };
            let place = (0..places).fold(0, larger);
            let found = Found {
                image,
                value: map[place],
                place,
            };
            let rank = best.partition_point(|other| other.value >= found.value);
            best.insert(rank, found);
            best.truncate(self.keep);
        }
    }

    /// Channels that are 0 for every image.
    fn silent(&self) -> Vec<usize> {
        let channels = self.best.iter().enumerate();
        let silent = channels.filter(|(_, best)| best.iter().all(|found| found.value == 0.0));
        silent.map(|(channel, _)| channel).collect()
    }
}

/// What the places of a layer see of an image.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cut {
    /// Rows and columns.
    size: [usize; 2],
    start: [f64; 2],
    jump: [f64; 2],
    /// Columns of the map.
    columns: usize,
}

impl Cut {
    /// Where the layer's maps lie over the image and see less than all of it.
    fn of(inside: &Inside, layer: usize) -> Option<Self> {
        let known =
            inside.is_in_place(layer) && inside.steps[..=layer].iter().all(|step| !step.transposed);
        let cut = known.then(|| Self::of_step(&inside.steps[layer]))?;
        cut.filter(|cut| cut.is_part_of(inside.manifest.input))
    }

    fn of_step(step: &Step) -> Option<Self> {
        Some(Self {
            size: step.receptive_field.map(|side| side.ceil() as usize),
            start: step.start,
            jump: step.jump,
            columns: *step.output.get(2)?,
        })
    }

    fn is_part_of(&self, spec: ImageSpec) -> bool {
        self.size[0] < spec.height || self.size[1] < spec.width
    }

    /// The part of an image that a place sees.
    fn apply(&self, image: &Pixels, place: usize) -> Pixels {
        let place = [place / self.columns, place % self.columns];
        let first: [i64; 2] = std::array::from_fn(|axis| {
            (self.start[axis] + place[axis] as f64 * self.jump[axis]).floor() as i64
        });
        let [height, width] = self.size;
        let colour = |at: usize| {
            let row = usize::try_from(first[0] + (at / width) as i64).ok();
            let column = usize::try_from(first[1] + (at % width) as i64).ok();
            let row = row.filter(|row| *row < image.height());
            let column = column.filter(|column| *column < image.width());
            match (row, column) {
                (Some(row), Some(column)) => image.colours()[row * image.width() + column],
                _ => OUTSIDE,
            }
        };
        Pixels::new(width, (0..height * width).map(colour).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_kernels::work_on;

    #[test]
    fn the_most_activating_images_are_kept_with_their_places() {
        let mut top = Top::new(2, 2);
        // Two channels of three places each.
        top.offer(0, &[0.0, 5.0, 1.0, 0.0, 0.0, 0.0], 3);
        top.offer(1, &[7.0, 0.0, 1.0, 0.0, 0.0, 0.0], 3);
        top.offer(2, &[5.0, 5.0, 1.0, 0.0, 0.0, 0.0], 3);
        top.offer(3, &[0.0, 0.0, 6.0, 0.0, 0.0, 0.0], 3);
        let found = |image, value, place| Found {
            image,
            value,
            place,
        };
        assert_eq!(top.best[0], [found(1, 7.0, 0), found(3, 6.0, 2)]);
        assert_eq!(top.silent(), [1]);
        let mut ties = Top::new(1, 2);
        for image in 0..3 {
            ties.offer(image, &[1.0], 1);
        }
        assert_eq!(ties.best[0], [found(0, 1.0, 0), found(1, 1.0, 0)]);
    }

    #[test]
    fn a_place_sees_its_receptive_field_and_grey_beyond_the_edge() {
        let image = Pixels::new(4, (0..16).map(|at| [at; 3]).collect());
        // A 3x3 window with padding 1 and stride 2.
        let cut = Cut {
            size: [3, 3],
            start: [-1.0, -1.0],
            jump: [2.0, 2.0],
            columns: 2,
        };
        let red = |pixels: Pixels| -> Vec<u8> { pixels.colours().iter().map(|c| c[0]).collect() };
        let out = OUTSIDE[0];
        assert_eq!(red(cut.apply(&image, 3)), [5, 6, 7, 9, 10, 11, 13, 14, 15]);
        assert_eq!(
            red(cut.apply(&image, 0)),
            [out, out, out, out, 0, 1, out, 4, 5]
        );
        assert!(cut.is_part_of(ImageSpec::new(1, 4, 4)));
        assert!(!cut.is_part_of(ImageSpec::new(1, 3, 3)));
    }

    #[test]
    fn the_field_of_a_layer_is_what_its_output_depends_on() {
        use crate::{ModelSettings, initial_network};
        use burn::tensor::{Device, Tensor, TensorData};
        use kiln_models::Task;
        let task = Task {
            input: ImageSpec::MNIST,
            classes: 10,
        };
        let model = ModelSettings::named("cnn-ntu");
        let network = initial_network(&model, &task, 1).expect("builds");
        let device = Device::flex();
        let steps = network.steps(task.input).expect("fits");
        let layer = steps
            .iter()
            .rposition(|step| step.kind == "conv")
            .expect("one");
        let cut = Cut::of_step(&steps[layer]).expect("maps");
        // The first channel at row 6, column 9 of 14x14.
        let place = 6 * 14 + 9;
        let output = |pixel: Option<usize>| -> f32 {
            let mut values = vec![0.5f32; 784];
            if let Some(pixel) = pixel {
                values[pixel] = 100.0;
            }
            let image = TensorData::new(values, [1, 1, 28, 28]);
            let image = Tensor::<4>::from_data(image, &device);
            let found = work_on(&device, || activation(&network, image, layer));
            let values: Vec<f32> = found.expect("a layer").values.iter::<f32>().collect();
            values[place]
        };
        let plain = output(None);
        let first = [6, 9].map(|at| at as f64 * cut.jump[0] + cut.start[0]);
        let inside = |row: usize, column: usize| {
            (0.0..cut.size[0] as f64).contains(&(row as f64 - first[0]))
                && (0.0..cut.size[1] as f64).contains(&(column as f64 - first[1]))
        };
        let mut depending = 0;
        // Along the row and the column through its middle.
        for at in 0..28 {
            for (row, column) in [(at, 20), (14, at)] {
                let depends = output(Some(row * 28 + column)) != plain;
                assert!(!depends || inside(row, column), "{row} {column}");
                depending += usize::from(depends);
            }
        }
        assert_eq!(cut.size, [14, 14]);
        assert!(depending > 14, "{depending} of 28 pixels inside");
    }
}
