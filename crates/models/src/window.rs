//! The arithmetic of a window that slides over an image: kernel, stride,
//! padding and dilation of a convolution or a pooling.

use std::fmt;

/// Kernel, stride, padding and dilation, each for height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Steps from one position to the next.
    pub stride: [usize; 2],
    /// Rows and columns added on either side.
    pub padding: [usize; 2],
    /// Distance between the kernel's elements.
    pub dilation: [usize; 2],
    /// Whether a last position that hangs over the edge counts (`ceil_mode`).
    pub ceil: bool,
}

/// A window that has no position on an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{layer} does not fit a map of {}x{}: {formula}",
    input[0],
    input[1]
)]
pub struct Misfit {
    /// What slides: "conv 5x5".
    pub layer: String,
    /// The image: `[height, width]`.
    pub input: [usize; 2],
    /// The arithmetic that has no result.
    pub formula: String,
}

impl Window {
    /// A square window with stride 1 and no padding.
    pub const fn square(kernel: usize) -> Self {
        Self::new([kernel, kernel])
    }

    /// A window with stride 1 and no padding.
    pub const fn new(kernel: [usize; 2]) -> Self {
        Self {
            kernel,
            stride: [1, 1],
            padding: [0, 0],
            dilation: [1, 1],
            ceil: false,
        }
    }

    /// Rows (0) or columns (1) that the kernel spans, dilation included.
    pub const fn span(&self, axis: usize) -> usize {
        self.dilation[axis] * (self.kernel[axis] - 1) + 1
    }

    /// Height and width of the output, where the window fits.
    pub fn output(&self, input: [usize; 2]) -> Option<[usize; 2]> {
        Some([self.positions(input, 0)?, self.positions(input, 1)?])
    }

    /// Positions along an axis: floor((n - f + 2p) / s) + 1, or with the
    /// ceiling instead, where a position must start inside the image or its
    /// left padding (PyTorch's rule, by which an image can even be smaller
    /// than the window by less than a stride).
    fn positions(&self, input: [usize; 2], axis: usize) -> Option<usize> {
        let (stride, padding) = (self.stride[axis], self.padding[axis]);
        let overhang = if self.ceil { stride - 1 } else { 0 };
        let free = (input[axis] + 2 * padding + overhang).checked_sub(self.span(axis))?;
        let positions = free / stride + 1;
        let overhangs = self.ceil && (positions - 1) * stride >= input[axis] + padding;
        Some(positions - usize::from(overhangs))
    }

    /// The arithmetic of an axis in full: `(32 - 5 + 2*2)/1 + 1 = 32`.
    pub fn formula(&self, input: [usize; 2], axis: usize) -> String {
        let (stride, padding) = (self.stride[axis], self.padding[axis]);
        let left = format!(
            "({} - {} + 2*{padding})/{stride} + 1",
            input[axis],
            self.span(axis)
        );
        let free = input[axis] as i64 + 2 * padding as i64 - self.span(axis) as i64;
        let exact = free as f64 / stride as f64 + 1.0;
        match self.positions(input, axis) {
            Some(positions) if positions as f64 != exact => {
                let rounded = if positions as f64 > exact {
                    "up"
                } else {
                    "down"
                };
                format!(
                    "{left} = {} -> {positions} (rounded {rounded})",
                    short(exact)
                )
            }
            _ => format!("{left} = {}", short(exact)),
        }
    }

    /// The arithmetic of a transposed convolution: `(16 - 1)*2 + 2 - 2*0 = 32`.
    pub(crate) fn transposed_formula(&self, input: [usize; 2], axis: usize) -> String {
        let (stride, padding, kernel) = (self.stride[axis], self.padding[axis], self.kernel[axis]);
        let full = (input[axis] - 1) * stride + kernel;
        format!(
            "({} - 1)*{stride} + {kernel} - 2*{padding} = {}",
            input[axis],
            full.saturating_sub(2 * padding)
        )
    }

    /// Why the window has no position on an image, if it has none.
    pub fn misfit(&self, layer: &str, input: [usize; 2]) -> Option<Misfit> {
        let axis = (0..2).find(|axis| self.positions(input, *axis).is_none())?;
        let name = ["height", "width"][axis];
        Some(Misfit {
            layer: format!("{layer} {self}"),
            input,
            formula: format!("its {name} {} is below 1", self.formula(input, axis)),
        })
    }
}

/// At most two decimals.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.kernel[0], self.kernel[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(kernel: usize, stride: usize, padding: usize) -> Window {
        Window {
            stride: [stride; 2],
            padding: [padding; 2],
            ..Window::square(kernel)
        }
    }

    #[test]
    fn sizes_are_those_of_the_textbook() {
        let side = |window: Window, side: usize| window.output([side; 2]).map(|[height, _]| height);
        assert_eq!(side(window(3, 1, 0), 7), Some(5));
        assert_eq!(side(window(3, 2, 0), 7), Some(3));
        assert_eq!(side(window(3, 3, 1), 7), Some(3));
        assert_eq!(side(window(5, 1, 2), 32), Some(32));
        assert_eq!(side(window(5, 1, 0), 32), Some(28));
        assert_eq!(side(window(3, 1, 1), 7), Some(7));
        assert_eq!(side(window(5, 1, 0), 4), None);
    }

    #[test]
    fn the_formula_shows_its_rounding() {
        assert_eq!(
            window(5, 1, 2).formula([32, 32], 0),
            "(32 - 5 + 2*2)/1 + 1 = 32"
        );
        assert_eq!(
            window(3, 3, 0).formula([7, 7], 0),
            "(7 - 3 + 2*0)/3 + 1 = 2.33 -> 2 (rounded down)"
        );
        assert_eq!(
            window(5, 1, 0).formula([3, 9], 0),
            "(3 - 5 + 2*0)/1 + 1 = -1"
        );
    }

    #[test]
    fn ceil_mode_counts_a_position_that_starts_inside() {
        let ceil = |window: Window| Window {
            ceil: true,
            ..window
        };
        // torchvision's SqueezeNet: 13 -> 6 with the ceiling as without.
        assert_eq!(ceil(window(3, 2, 0)).output([13, 13]), Some([6, 6]));
        assert_eq!(ceil(window(3, 2, 0)).output([12, 12]), Some([6, 6]));
        assert_eq!(window(3, 2, 0).output([12, 12]), Some([5, 5]));
        // Its smallest image, 17x17, ends on a map smaller than the window.
        assert_eq!(ceil(window(3, 2, 0)).output([2, 2]), Some([1, 1]));
        assert_eq!(ceil(window(3, 2, 0)).output([1, 1]), None);
        assert_eq!(
            ceil(window(3, 2, 0)).formula([2, 2], 0),
            "(2 - 3 + 2*0)/2 + 1 = 0.5 -> 1 (rounded up)"
        );
        // A position that would start in the right padding does not count.
        assert_eq!(ceil(window(2, 2, 1)).output([3, 3]), Some([2, 2]));
    }
}
