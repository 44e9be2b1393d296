//! Vectors of f32 of the instruction sets that are found at run time:
//! AVX-512, AVX2 with FMA, NEON, and arrays where there is none of them.
#![allow(unsafe_code)]

use crate::level::{Level, level};

/// A vector register of f32 lanes.
///
/// # Safety
/// Every function needs the instruction set of its type; `load` and `store`
/// need [`LANES`](Vector::LANES) valid f32 at the address, their partial
/// forms the first `count`, which is at most `LANES`.
pub trait Vector: Copy {
    /// f32 in a register.
    const LANES: usize;
    /// Whether there are 32 registers, not 16.
    const MANY_REGISTERS: bool;
    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn load_partial(from: *const f32, count: usize) -> Self;
    unsafe fn store_partial(self, to: *mut f32, count: usize);
    /// `self * factor + addend`, rounded once where the hardware does so.
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    /// `other` where it is larger or no number, else `self`.
    unsafe fn larger(self, other: Self) -> Self;
    /// `self` where `one` equals `other` or is no number, else zero.
    unsafe fn where_equal(self, one: Self, other: Self) -> Self;
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Vector;
    use std::arch::x86_64::*;

    impl Vector for __m512 {
        const LANES: usize = 16;
        const MANY_REGISTERS: bool = true;
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            unsafe { _mm512_set1_ps(value) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { _mm512_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm512_storeu_ps(to, self) }
        }
        #[inline(always)]
        unsafe fn load_partial(from: *const f32, count: usize) -> Self {
            unsafe { _mm512_maskz_loadu_ps(((1u32 << count) - 1) as u16, from) }
        }
        #[inline(always)]
        unsafe fn store_partial(self, to: *mut f32, count: usize) {
            unsafe { _mm512_mask_storeu_ps(to, ((1u32 << count) - 1) as u16, self) }
        }
        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
            unsafe { _mm512_fmadd_ps(self, factor, addend) }
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            unsafe { _mm512_add_ps(self, other) }
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            unsafe { _mm512_sub_ps(self, other) }
        }
        #[inline(always)]
        unsafe fn larger(self, other: Self) -> Self {
            unsafe {
                let above = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(other, self);
                let unknown = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(other, other);
                _mm512_mask_mov_ps(self, above | unknown, other)
            }
        }
        #[inline(always)]
        unsafe fn where_equal(self, one: Self, other: Self) -> Self {
            unsafe {
                let equal = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(one, other);
                let unknown = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(one, one);
                _mm512_maskz_mov_ps(equal | unknown, self)
            }
        }
    }

    /// Lane numbers, to compare a count with.
    const NUMBERS: [i32; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

    #[inline(always)]
    unsafe fn first(count: usize) -> __m256i {
        unsafe {
            let numbers = _mm256_loadu_si256(NUMBERS.as_ptr().cast());
            _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), numbers)
        }
    }

    impl Vector for __m256 {
        const LANES: usize = 8;
        const MANY_REGISTERS: bool = false;
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            unsafe { _mm256_set1_ps(value) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { _mm256_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm256_storeu_ps(to, self) }
        }
        #[inline(always)]
        unsafe fn load_partial(from: *const f32, count: usize) -> Self {
            unsafe { _mm256_maskload_ps(from, first(count)) }
        }
        #[inline(always)]
        unsafe fn store_partial(self, to: *mut f32, count: usize) {
            unsafe { _mm256_maskstore_ps(to, first(count), self) }
        }
        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
            unsafe { _mm256_fmadd_ps(self, factor, addend) }
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            unsafe { _mm256_add_ps(self, other) }
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            unsafe { _mm256_sub_ps(self, other) }
        }
        #[inline(always)]
        unsafe fn larger(self, other: Self) -> Self {
            unsafe {
                let above = _mm256_cmp_ps::<_CMP_GT_OQ>(other, self);
                let unknown = _mm256_cmp_ps::<_CMP_UNORD_Q>(other, other);
                _mm256_blendv_ps(self, other, _mm256_or_ps(above, unknown))
            }
        }
        #[inline(always)]
        unsafe fn where_equal(self, one: Self, other: Self) -> Self {
            unsafe {
                let equal = _mm256_cmp_ps::<_CMP_EQ_OQ>(one, other);
                let unknown = _mm256_cmp_ps::<_CMP_UNORD_Q>(one, one);
                _mm256_and_ps(self, _mm256_or_ps(equal, unknown))
            }
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod arm {
    use super::Vector;
    use std::arch::aarch64::*;

    impl Vector for float32x4_t {
        const LANES: usize = 4;
        const MANY_REGISTERS: bool = true;
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            unsafe { vdupq_n_f32(value) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { vld1q_f32(from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { vst1q_f32(to, self) }
        }
        #[inline(always)]
        unsafe fn load_partial(from: *const f32, count: usize) -> Self {
            let mut lanes = [0.0; 4];
            unsafe {
                from.copy_to_nonoverlapping(lanes.as_mut_ptr(), count);
                vld1q_f32(lanes.as_ptr())
            }
        }
        #[inline(always)]
        unsafe fn store_partial(self, to: *mut f32, count: usize) {
            let mut lanes = [0.0; 4];
            unsafe {
                vst1q_f32(lanes.as_mut_ptr(), self);
                to.copy_from_nonoverlapping(lanes.as_ptr(), count);
            }
        }
        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
            unsafe { vfmaq_f32(addend, self, factor) }
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            unsafe { vaddq_f32(self, other) }
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            unsafe { vsubq_f32(self, other) }
        }
        #[inline(always)]
        unsafe fn larger(self, other: Self) -> Self {
            unsafe {
                let number = vceqq_f32(other, other);
                let taken = vornq_u32(vcgtq_f32(other, self), number);
                vbslq_f32(taken, other, self)
            }
        }
        #[inline(always)]
        unsafe fn where_equal(self, one: Self, other: Self) -> Self {
            unsafe {
                let number = vceqq_f32(one, one);
                let taken = vornq_u32(vceqq_f32(one, other), number);
                vreinterpretq_f32_u32(vandq_u32(taken, vreinterpretq_u32_f32(self)))
            }
        }
    }
}

/// Four lanes without any instruction set; the compiler makes of it what it can.
#[derive(Clone, Copy)]
pub struct Portable([f32; 4]);

impl Portable {
    #[inline(always)]
    fn with(self, other: Self, operation: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| {
            operation(self.0[lane], other.0[lane])
        }))
    }
}

impl Vector for Portable {
    const LANES: usize = 4;
    const MANY_REGISTERS: bool = cfg!(target_arch = "aarch64");
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; 4])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(unsafe { from.cast::<[f32; 4]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { to.cast::<[f32; 4]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn load_partial(from: *const f32, count: usize) -> Self {
        Self(std::array::from_fn(|lane| match lane < count {
            true => unsafe { *from.add(lane) },
            false => 0.0,
        }))
    }
    #[inline(always)]
    unsafe fn store_partial(self, to: *mut f32, count: usize) {
        for lane in 0..count {
            unsafe { *to.add(lane) = self.0[lane] }
        }
    }
    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
        // One rounding where the target always has the instruction; elsewhere
        // a library call for each lane would cost more than it gives.
        let fused = cfg!(any(target_arch = "aarch64", target_feature = "fma"));
        Self(std::array::from_fn(|lane| match fused {
            true => self.0[lane].mul_add(factor.0[lane], addend.0[lane]),
            false => self.0[lane] * factor.0[lane] + addend.0[lane],
        }))
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn larger(self, other: Self) -> Self {
        self.with(other, |a, b| if b > a || b.is_nan() { b } else { a })
    }
    #[inline(always)]
    unsafe fn where_equal(self, one: Self, other: Self) -> Self {
        let given = one.with(other, |a, b| f32::from(u8::from(a == b || a.is_nan())));
        self.with(given, |value, given| if given > 0.0 { value } else { 0.0 })
    }
}

/// A computation over vectors. Only [`widest`] runs it, with a type whose
/// instruction set is there; so plain loops in it are compiled for it as well.
pub trait Kernel {
    /// What it gives.
    type Output;

    /// Computes; implementations are `#[inline(always)]`.
    fn run<V: Vector>(self) -> Self::Output;
}

/// Runs `kernel` with the vectors of this process's [`level`].
#[inline]
pub fn widest<K: Kernel>(kernel: K) -> K::Output {
    match level() {
        #[cfg(target_arch = "x86_64")]
        level @ (Level::Avx512 | Level::Avx2) => {
            use std::arch::x86_64::{__m256, __m512};

            #[target_feature(enable = "avx512f,avx2,fma")]
            fn avx512<K: Kernel>(kernel: K) -> K::Output {
                kernel.run::<__m512>()
            }

            #[target_feature(enable = "avx2,fma")]
            fn avx2<K: Kernel>(kernel: K) -> K::Output {
                kernel.run::<__m256>()
            }

            // SAFETY: a level is chosen only where its features were found.
            match level == Level::Avx512 {
                true => unsafe { avx512(kernel) },
                false => unsafe { avx2(kernel) },
            }
        }
        #[cfg(target_arch = "aarch64")]
        Level::Neon => kernel.run::<std::arch::aarch64::float32x4_t>(),
        _ => kernel.run::<Portable>(),
    }
}

/// Lanes of the vectors of this process.
pub fn lanes() -> usize {
    struct Lanes;

    impl Kernel for Lanes {
        type Output = usize;

        #[inline(always)]
        fn run<V: Vector>(self) -> usize {
            V::LANES
        }
    }

    widest(Lanes)
}
