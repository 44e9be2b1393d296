//! Layers spelled out in fewer operations, for a graph that is written down.

use std::cell::Cell;

thread_local! {
    static SPELLED: Cell<bool> = const { Cell::new(false) };
}

/// Puts back what held before, also when a layer panics.
struct Before(bool);

impl Drop for Before {
    fn drop(&mut self) {
        SPELLED.set(self.0);
    }
}

/// Runs networks with those layers spelled out in convolution, pooling, ReLU
/// and arithmetic that a graph format may not have as one operation: ReLU6 and
/// its like, adaptive pooling, response normalisation. The values are the same
/// but for rounding.
pub fn spelled_out<T>(run: impl FnOnce() -> T) -> T {
    let _before = Before(SPELLED.replace(true));
    run()
}

/// Whether layers are to be spelled out.
pub(super) fn is_spelled_out() -> bool {
    SPELLED.get()
}
