//! The layers of a network as figures show them: with those behind each that
//! change neither shape nor place.

use super::{Inside, NotDrawn};
use kiln_models::LayerSummary;

/// A layer, and those behind it that change neither shape nor place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its number.
    pub first: usize,
    /// The number of the last behind it, or its own.
    pub last: usize,
}

impl Group {
    /// One layer.
    pub fn alone(layer: usize) -> Self {
        Self {
            first: layer,
            last: layer,
        }
    }
}

/// All layers in groups.
pub fn groups(layers: &[LayerSummary]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (at, layer) in layers.iter().enumerate() {
        match groups.last_mut() {
            Some(group) if layer.continues(&layers[group.first..at].iter().collect::<Vec<_>>()) => {
                group.last = at;
            }
            _ => groups.push(Group::alone(at)),
        }
    }
    groups
}

impl Inside<'_> {
    /// Name and shape of a group: `conv1, ReLU: 32x28x28`.
    pub(super) fn heading(&self, group: Group) -> String {
        let mut text = self.layers[group.first].name.clone();
        for layer in &self.layers[group.first + 1..=group.last] {
            text += &format!(", {}", layer.kind);
        }
        let shape = self.layers[group.last].output.iter().map(usize::to_string);
        format!("{text}: {}", shape.collect::<Vec<_>>().join("x"))
    }

    /// The group that was asked for by its one layer, or else the last one of
    /// maps that no pooling made.
    pub(super) fn chosen_maps(&self) -> Result<Group, NotDrawn> {
        if let Some(layer) = self.layer {
            return Ok(Group::alone(layer));
        }
        let groups = self.groups.iter().rev().copied();
        let mut maps = groups.filter(|group| {
            let pools = self.layers[group.first].kind.ends_with("pool");
            self.is_in_place(group.last) && !pools && self.layers[group.last].output[1..] != [1, 1]
        });
        maps.next().ok_or_else(|| {
            NotDrawn::nothing(format!(
                "{} has no layer of maps over the image",
                self.manifest.settings.model.name
            ))
        })
    }

    /// Whether the output of a layer is maps that lie over the image.
    pub(super) fn is_in_place(&self, layer: usize) -> bool {
        let mut before = self.steps[..=layer].iter();
        self.steps[layer].output.len() == 3 && before.all(|step| step.kind != "row by row")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use kiln_models::{Options, Task, build, summarize};
    use kiln_vision::ImageSpec;

    #[test]
    fn activations_and_norms_stand_with_their_convolution() {
        let task = Task {
            input: ImageSpec::CIFAR,
            classes: 10,
        };
        let network = build("resnet20", &task, &Options::default(), &Device::flex());
        let summary = summarize("resnet20", &network.expect("builds"), &task);
        let layers = summary.expect("fits").layers;
        let groups = groups(&layers);
        let names = |at: usize| {
            let group: Group = groups[at];
            let layers = layers[group.first..=group.last].iter();
            layers.map(|layer| layer.kind).collect::<Vec<_>>()
        };
        assert_eq!(names(0), ["conv", "batch norm", "ReLU"]);
        assert_eq!(names(2), ["conv", "batch norm"]);
        assert_eq!(names(3), ["add", "ReLU"]);
        let covered: usize = groups
            .iter()
            .map(|group| group.last + 1 - group.first)
            .sum();
        assert_eq!(covered, layers.len());
    }
}
