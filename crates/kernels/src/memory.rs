//! Results that are not filled with zeros before they are written.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// A vector of `length` values that `write` writes.
///
/// # Safety
/// `write` writes every value.
pub unsafe fn written(length: usize, write: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut values = Vec::with_capacity(length);
    write(&mut values.spare_capacity_mut()[..length]);
    // SAFETY: there is room for `length` values, and the caller wrote them.
    unsafe { values.set_len(length) };
    values
}

/// mimalloc's `mi_option_purge_delay`: milliseconds after which memory that
/// nobody took again goes back to the system.
const PURGE_DELAY: (i32, i64) = (15, 200);

/// mimalloc's `mi_option_allow_thp`: give memory back in whole huge pages.
const HUGE_PAGES: (i32, i64) = (43, 2);

/// Tells mimalloc, where it is the program's allocator, to keep the large
/// buffers that one training step frees and the next one takes. They would
/// otherwise go back to the system, which clears every page that it hands out.
pub fn keep_buffers() {
    for (option, value) in [PURGE_DELAY, HUGE_PAGES] {
        // SAFETY: sets a number; mimalloc ignores options that it does not know.
        unsafe { libmimalloc_sys::mi_option_set_default(option, value as _) }
    }
}
