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
