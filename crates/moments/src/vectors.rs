//! Wide vectors: the one place where a loop is compiled for more than the processor that everyone has.
#![allow(unsafe_code)] // A function that needs a processor feature is called once the feature has been detected.

use std::sync::atomic::{AtomicU8, Ordering};

/// How wide the vectors are that the loops use.
///
/// The width changes the speed and not a bit of the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Vectors {
    /// What every processor of the target has: 128 bits on x86-64.
    Baseline = 0,
    /// 256 bits: AVX2.
    Avx2 = 1,
    /// 512 bits: AVX-512 F, VL, BW and DQ.
    Avx512 = 2,
}

/// The widest vectors that are allowed, or `UNKNOWN` before the processor has been asked.
static WIDTH: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = u8::MAX;

impl Vectors {
    /// The widest that this processor has.
    pub fn detected() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2");
            if avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
            {
                return Self::Avx512;
            }
            if avx2 {
                return Self::Avx2;
            }
        }
        Self::Baseline
    }

    /// What the loops use now: all that the processor has, unless [`limit`](Self::limit) said otherwise.
    pub fn in_use() -> Self {
        match WIDTH.load(Ordering::Relaxed) {
            0 => Self::Baseline,
            1 => Self::Avx2,
            2 => Self::Avx512,
            _ => {
                let width = Self::detected();
                WIDTH.store(width as u8, Ordering::Relaxed);
                width
            }
        }
    }

    /// Uses vectors at most this wide from now on, in the whole process: to measure what they bring, or to compare results.
    pub fn limit(widest: Self) {
        WIDTH.store(widest.min(Self::detected()) as u8, Ordering::Relaxed);
    }
}

/// A loop with all that it works on.
pub(crate) trait Kernel {
    type Output;
    /// Must be `#[inline(always)]`, since only what is inlined is compiled for the wider vectors.
    fn run(self) -> Self::Output;
}

/// Runs a kernel with the widest vectors in use.
pub(crate) fn widest<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn avx2<K: Kernel>(kernel: K) -> K::Output {
            kernel.run()
        }
        #[target_feature(enable = "avx2,avx512f,avx512vl,avx512bw,avx512dq")]
        fn avx512<K: Kernel>(kernel: K) -> K::Output {
            kernel.run()
        }
        match Vectors::in_use() {
            // SAFETY: `in_use` never exceeds `detected`, which has found these features.
            Vectors::Avx512 => return unsafe { avx512(kernel) },
            Vectors::Avx2 => return unsafe { avx2(kernel) },
            Vectors::Baseline => {}
        }
    }
    kernel.run()
}
