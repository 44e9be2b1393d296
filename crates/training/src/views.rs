//! Test-time augmentation: the views of an image whose logits are averaged.

use burn::tensor::Tensor;

/// Which views beside the image itself are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Views {
    /// The mirror image.
    pub mirror: bool,
    /// The image, and its mirror image if that is a view, moved by one pixel to
    /// each of the four sides; what comes in repeats the border.
    pub shifts: bool,
}

impl Views {
    /// The highest level.
    pub const LEVELS: u8 = 2;

    /// The views of a level, for a network that knows mirrored images or not.
    ///
    /// | level | mirrored | not mirrored |
    /// |---|---|---|
    /// | 0 | the image | the image |
    /// | 1 | and its mirror image | and its four shifts |
    /// | 2 | and the four shifts of both | as 1 |
    pub fn of_level(level: u8, mirrored: bool) -> Self {
        Self {
            mirror: mirrored && level >= 1,
            shifts: level >= 2 || level >= 1 && !mirrored,
        }
    }

    /// The views of `images`, `[batch, channels, height, width]`, each of the
    /// same shape.
    fn of(self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let mut views = vec![images];
        if self.mirror {
            views.push(views[0].clone().flip([3]));
        }
        if self.shifts {
            for view in 0..views.len() {
                for dimension in [2, 3] {
                    views.extend(moved(&views[view], dimension));
                }
            }
        }
        views
    }

    /// The mean of what `logits` says of each view of `images`.
    pub(crate) fn mean(
        self,
        images: Tensor<4>,
        logits: impl Fn(Tensor<4>) -> Tensor<2>,
    ) -> Tensor<2> {
        let views = self.of(images);
        let count = views.len();
        let mut views = views.into_iter();
        let Some(first) = views.next().map(&logits) else {
            unreachable!("the image itself is a view")
        };
        match count {
            1 => first,
            _ => views.fold(first, |sum, view| sum + logits(view)) / count as f64,
        }
    }
}

/// The images one pixel further along `dimension`, and one pixel back.
fn moved(images: &Tensor<4>, dimension: usize) -> [Tensor<4>; 2] {
    let side = images.dims()[dimension];
    let part = |from, count| images.clone().narrow(dimension, from, count);
    if side < 2 {
        return [images.clone(), images.clone()];
    }
    [
        Tensor::cat(vec![part(0, 1), part(0, side - 1)], dimension),
        Tensor::cat(vec![part(1, side - 1), part(side - 1, 1)], dimension),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn images() -> Tensor<4> {
        Tensor::from_floats([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]], &Device::flex())
    }

    fn views(level: u8, may_be_mirrored: bool) -> Vec<Vec<f32>> {
        let views = Views::of_level(level, may_be_mirrored).of(images());
        let values = |view: Tensor<4>| view.into_data().iter::<f32>().collect();
        views.into_iter().map(values).collect()
    }

    #[test]
    fn the_levels_have_the_views_of_their_table() {
        let count = |level, mirrored| views(level, mirrored).len();
        assert_eq!([0, 1, 2].map(|level| count(level, true)), [1, 2, 10]);
        assert_eq!([0, 1, 2].map(|level| count(level, false)), [1, 5, 5]);
        assert_eq!(views(1, true)[1], [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]);
        let shifts = [
            [1.0, 2.0, 3.0, 1.0, 2.0, 3.0],
            [4.0, 5.0, 6.0, 4.0, 5.0, 6.0],
            [1.0, 1.0, 2.0, 4.0, 4.0, 5.0],
            [2.0, 3.0, 3.0, 5.0, 6.0, 6.0],
        ];
        assert_eq!(views(1, false)[1..], shifts);
        assert_eq!(views(2, true)[2..6], shifts);
    }

    #[test]
    fn logits_are_averaged() {
        let corner = |view: Tensor<4>| view.narrow(2, 0, 1).narrow(3, 0, 1).reshape([1, 1]);
        let mean = |level| {
            let mean = Views::of_level(level, true).mean(images(), corner);
            mean.into_data().iter::<f32>().collect::<Vec<_>>()
        };
        assert_eq!(mean(0), [1.0]);
        assert_eq!(mean(1), [2.0]);
        // 1 3 | 1 4 1 2 | 3 6 3 2
        assert_eq!(mean(2), [2.6]);
    }
}
