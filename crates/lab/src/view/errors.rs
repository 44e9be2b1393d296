//! The most confident errors, and the images that the network is least certain
//! of.

use super::{
    Inside, NotDrawn,
    inside::{percent, ranked},
    paint::{self, THUMBNAIL},
};
use kiln_figures::{Grid, Section, Tile, tile_size};

/// Images in each section.
const SHOWN: usize = 32;
/// Pixels of an image on the sheet, about.
const SIZE: f64 = 72.0;

/// What the network says of an image.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Answer {
    /// Its number in the split.
    image: usize,
    label: usize,
    /// The two most probable classes.
    classes: [usize; 2],
    probabilities: [f32; 2],
}

/// The wrongly classified images of the split in which the network was most
/// confident, and those with the smallest margin between the two most probable
/// classes.
///
/// # Errors
/// When the images are not there or the backend fails.
pub fn errors(inside: &Inside) -> Result<Grid, NotDrawn> {
    let feed = inside.feed()?;
    let labels = feed
        .indices
        .iter()
        .map(|at| feed.images.label(*at as usize).into());
    let labels: Vec<usize> = labels.collect();
    let names = &inside.manifest.classes;
    let answers = answers(&inside.judged()?.probabilities, &labels, names.len());
    let spec = inside.manifest.input;
    let tile = |answer: &Answer, caption: Vec<String>| {
        let at = feed.indices[answer.image] as usize;
        let pixels = paint::image(feed.images.pixels(at), spec).shrunk(THUMBNAIL);
        Tile {
            caption,
            ..Tile::new(pixels, "")
        }
    };
    let probable = |answer: &Answer, at: usize| {
        let name = &names[answer.classes[at]];
        format!("{name}: {}", percent(answer.probabilities[at].into()))
    };
    let worst = worst(&answers);
    let wrong = answers.iter().filter(|answer| answer.is_wrong()).count();
    let worst = worst.iter().map(|answer| {
        let label = format!("true {}", names[answer.label]);
        tile(
            answer,
            vec![format!("#{}", answer.image), label, probable(answer, 0)],
        )
    });
    let uncertain = least_certain(&answers);
    let uncertain = uncertain.iter().map(|answer| {
        let label = format!("true {}", names[answer.label]);
        tile(
            answer,
            vec![
                format!("#{}", answer.image),
                label,
                probable(answer, 0),
                probable(answer, 1),
            ],
        )
    });
    let size = tile_size(spec.width, spec.height, SIZE);
    let (worst, uncertain): (Vec<_>, Vec<_>) = (worst.collect(), uncertain.collect());
    let mut notes = vec![inside.split_note()?];
    if worst.is_empty() {
        notes.push("No image is classified wrongly.".to_owned());
    }
    let mut sections = vec![
        Section::new(&format!("Most confident of {wrong} errors"), size, worst),
        Section::new(
            "Least certain: the smallest margin between two classes",
            size,
            uncertain,
        ),
    ];
    sections.retain(|section| !section.rows[0].tiles.is_empty());
    Ok(Grid {
        title: inside.title("Errors"),
        notes,
        sections,
    })
}

fn answers(probabilities: &[f32], labels: &[usize], classes: usize) -> Vec<Answer> {
    let rows = probabilities.chunks(classes).zip(labels).enumerate();
    rows.map(|(image, (row, label))| {
        let ranked = ranked(row);
        let classes = [ranked[0], ranked[1]];
        Answer {
            image,
            label: *label,
            classes,
            probabilities: classes.map(|class| row[class]),
        }
    })
    .collect()
}

impl Answer {
    fn is_wrong(&self) -> bool {
        self.classes[0] != self.label
    }

    fn margin(&self) -> f32 {
        self.probabilities[0] - self.probabilities[1]
    }
}

fn worst(answers: &[Answer]) -> Vec<Answer> {
    let wrong = answers.iter().filter(|answer| answer.is_wrong());
    let mut wrong: Vec<_> = wrong.copied().collect();
    wrong.sort_by(|a, b| b.probabilities[0].total_cmp(&a.probabilities[0]));
    wrong.truncate(SHOWN);
    wrong
}

fn least_certain(answers: &[Answer]) -> Vec<Answer> {
    let mut all = answers.to_vec();
    all.sort_by(|a, b| a.margin().total_cmp(&b.margin()));
    all.truncate(SHOWN);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sorted_by_confidence_and_all_images_by_margin() {
        let probabilities = [
            0.8, 0.1, 0.1, // wrong
            0.1, 0.5, 0.4, // right
            0.05, 0.0, 0.95, // wrong
            0.3, 0.36, 0.34, // right
        ];
        let found = answers(&probabilities, &[1, 1, 0, 1], 3);
        let images = |answers: Vec<Answer>| -> Vec<_> {
            answers.iter().map(|answer| answer.image).collect()
        };
        assert_eq!(images(worst(&found)), [2, 0]);
        assert_eq!(images(least_certain(&found)), [3, 1, 0, 2]);
        assert_eq!(
            (found[2].classes, found[2].probabilities),
            ([2, 0], [0.95, 0.05])
        );
    }
}
