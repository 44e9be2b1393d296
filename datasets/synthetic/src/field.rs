//! A smooth random field over the unit square: cubic B-splines on a coarse
//! grid. It bends strokes and colours backgrounds; it has no fine detail.

use crate::random::Random;

/// Cells along a side; the grid has three more nodes than cells.
const CELLS: usize = 3;
const NODES: usize = CELLS + 3;

/// One value for every place of the unit square, changing slowly.
pub(crate) struct Field {
    nodes: [[f32; NODES]; NODES],
}

impl Field {
    /// A field whose nodes are normal numbers of deviation `strength`.
    pub(crate) fn new(random: &mut Random, strength: f32) -> Self {
        let mut nodes = [[0.0; NODES]; NODES];
        for node in nodes.as_flattened_mut() {
            *node = random.normal() * strength;
        }
        Self { nodes }
    }

    /// The value at a place; outside the unit square, that of its border.
    pub(crate) fn at(&self, x: f32, y: f32) -> f32 {
        self.row(y).at(x)
    }

    /// The values along a horizontal line, for those who want many of them.
    pub(crate) fn row(&self, y: f32) -> Row {
        let (first, weights) = cell(y);
        Row(std::array::from_fn(|column| {
            let lines = self.nodes[first..].iter().zip(weights);
            lines.map(|(line, weight)| line[column] * weight).sum()
        }))
    }
}

/// The values of a field along a horizontal line.
pub(crate) struct Row([f32; NODES]);

impl Row {
    /// The value at a place of the line.
    pub(crate) fn at(&self, x: f32) -> f32 {
        let (first, weights) = cell(x);
        let nodes = self.0[first..].iter().zip(weights);
        nodes.map(|(node, weight)| node * weight).sum()
    }
}

/// The first of the four nodes that a coordinate depends on, and their weights.
fn cell(coordinate: f32) -> (usize, [f32; 4]) {
    let place = coordinate.clamp(0.0, 1.0) * CELLS as f32;
    let first = (place as usize).min(CELLS - 1);
    let t = place - first as f32;
    let rest = 1.0 - t;
    let weights = [
        rest * rest * rest / 6.0,
        (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0,
        (3.0 * rest * rest * rest - 6.0 * rest * rest + 4.0) / 6.0,
        t * t * t / 6.0,
    ];
    (first, weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_add_up_to_one_everywhere() {
        for step in -5..=35 {
            let (first, weights) = cell(step as f32 / 30.0);
            assert!(first < CELLS);
            assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn neighbouring_cells_agree_on_their_edge() {
        let nodes = std::array::from_fn(|row| {
            std::array::from_fn(|column| (row * 7 + column * 3 % 5) as f32)
        });
        let field = Field { nodes };
        let edge = 1.0 / CELLS as f32;
        let difference = field.at(edge - 1e-4, 0.4) - field.at(edge + 1e-4, 0.4);
        assert!(difference.abs() < 1e-2, "{difference}");
    }
}
