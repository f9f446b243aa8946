//! How a step goes through memory: in pieces on several threads, with wide vectors, clipped and measured on the way.
//!
//! A rule sees equal-length slices and knows nothing of this.
//! A long tensor is halved until a piece has at most `LEAF` entries, always at the same places, so that sums have the same bits with any number of threads.
//! Where the gradient is clipped, the state is kept in fewer bits or the step is measured, a piece goes through in blocks of `BLOCK` entries
//! that stay in the cache nearest to the processor, and memory is read and written once all the same.

use crate::reduced::{Dither, Slot};
use crate::vectors::{Kernel, widest};
use crate::{Clip, Float, MAX_STATE, Rule, Step, norm};
use std::ops::Add;

/// Entries that are stepped in one go.
const LEAF: usize = 1 << 16;

/// Entries that are treated at a time on their way to the rule; a multiple of the blocks of 8-bit state.
const BLOCK: usize = 512;

/// Bytes that memory is fetched in.
const CACHE_LINE: usize = 64;

/// From how many entries on the other threads are worth waking.
#[cfg(feature = "rayon")]
const PARALLEL: usize = 1 << 17;

/// One step of one tensor, apart from the tensor.
pub(crate) struct Job<'a, R> {
    pub(crate) rule: &'a R,
    pub(crate) t: u64,
    pub(crate) corrections: (f64, f64),
    pub(crate) scalars: &'a [f64],
    pub(crate) shape: &'a [usize],
    pub(crate) gradient: Treatment,
    pub(crate) measure: bool,
}

/// What is done to each entry of the gradient before the rule sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Treatment {
    /// What the entry is multiplied by.
    pub(crate) factor: f64,
    /// The largest absolute value that is let through.
    pub(crate) limit: f64,
}

impl Treatment {
    pub(crate) const NONE: Self = Self {
        factor: 1.0,
        limit: f64::INFINITY,
    };

    /// What clipping does to the entries of a gradient; where it is by norm, `norm` is the one that counts.
    pub(crate) fn of(clip: Option<Clip>, norm: f64) -> Self {
        match clip {
            None => Self::NONE,
            Some(Clip::Value { limit }) => Self {
                limit,
                ..Self::NONE
            },
            Some(Clip::Norm { max, form } | Clip::GlobalNorm { max, form }) => Self {
                factor: form.factor(norm, max),
                ..Self::NONE
            },
        }
    }

    #[inline(always)]
    fn apply<T: Float>(self, grad: &[T], out: &mut [T]) {
        let (factor, limit) = (T::of(self.factor), T::of(self.limit));
        for (out, &g) in out.iter_mut().zip(grad) {
            let g = factor * g;
            let g = if g > limit { limit } else { g };
            *out = if g < -limit { -limit } else { g };
        }
    }
}

/// The entries of a tensor, or of a piece of it.
pub(crate) struct Part<'a, T> {
    /// The place of the first entry in its tensor.
    pub(crate) first: usize,
    pub(crate) theta: &'a mut [T],
    pub(crate) grad: &'a [T],
    pub(crate) state: [Slot<'a, T>; MAX_STATE],
}

impl<T> Part<'_, T> {
    fn split(self, at: usize) -> (Self, Self) {
        let (theta, theta_right) = self.theta.split_at_mut(at);
        let (grad, grad_right) = self.grad.split_at(at);
        let mut right = [const { Slot::Empty }; MAX_STATE];
        let mut right_of = right.iter_mut();
        let state = self.state.map(|slot| {
            let (left, right) = slot.split(at);
            if let Some(place) = right_of.next() {
                *place = right;
            }
            left
        });
        let left = Self {
            first: self.first,
            theta,
            grad,
            state,
        };
        let right = Self {
            first: self.first + at,
            theta: theta_right,
            grad: grad_right,
            state: right,
        };
        (left, right)
    }
}

/// Sums of squares that a step leaves behind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sums {
    pub(crate) grad: f64,
    pub(crate) theta: f64,
    pub(crate) update: f64,
}

impl Add for Sums {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            grad: self.grad + other.grad,
            theta: self.theta + other.theta,
            update: self.update + other.update,
        }
    }
}

/// Where `len` entries, more than `unit`, are cut in two: at a multiple of `unit`.
pub(crate) fn half(len: usize, unit: usize) -> usize {
    len.div_ceil(unit) / 2 * unit
}

/// Does both, on two threads if there are any and `len` entries are worth it.
pub(crate) fn join<A: Send, B: Send>(
    len: usize,
    a: impl FnOnce() -> A + Send,
    b: impl FnOnce() -> B + Send,
) -> (A, B) {
    #[cfg(feature = "rayon")]
    if len >= PARALLEL && rayon::current_num_threads() > 1 {
        return rayon::join(a, b);
    }
    let _ = len;
    (a(), b())
}

/// Does it where other threads are at hand, if there are any and `len` entries are worth it.
pub(crate) fn enter<A: Send>(len: usize, work: impl FnOnce() -> A + Send) -> A {
    join(len, work, || ()).0
}

/// Whether every entry is finite.
pub(crate) fn all_finite<T: Float>(values: &[T]) -> bool {
    if values.len() <= LEAF {
        return widest(Finite { values });
    }
    let (left, right) = values.split_at(half(values.len(), LEAF));
    let (a, b) = join(values.len(), || all_finite(left), || all_finite(right));
    a && b
}

struct Finite<'a, T> {
    values: &'a [T],
}

impl<T: Float> Kernel for Finite<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        self.values
            .chunks(BLOCK)
            .all(|block| block.iter().fold(true, |finite, x| finite & x.is_finite()))
    }
}

/// Steps a tensor, or a piece of one, with a rule that takes entry by entry.
pub(crate) fn run<R: Rule, T: Float>(job: &Job<'_, R>, part: Part<'_, T>) -> Sums {
    let len = part.theta.len();
    if len > LEAF {
        let (left, right) = part.split(half(len, LEAF));
        let (a, b) = join(len, || run(job, left), || run(job, right));
        return a + b;
    }
    let plain = job.gradient == Treatment::NONE
        && !job.measure
        && part.state.iter().all(Slot::is_full_or_empty);
    if plain {
        // Where the tensors lie alike, all of them are aligned from here on, and no vector lies across two cache lines.
        let head = part.theta.as_ptr().align_offset(CACHE_LINE);
        if len >= 16 * CACHE_LINE && head < CACHE_LINE && head > 0 {
            let (head, rest) = part.split(head);
            step_plain(job, head);
            step_plain(job, rest);
        } else {
            step_plain(job, part);
        }
        Sums::default()
    } else {
        widest(Treated { job, part })
    }
}

fn step_plain<R: Rule, T: Float>(job: &Job<'_, R>, part: Part<'_, T>) {
    widest(Plain {
        job,
        theta: part.theta,
        grad: part.grad,
        state: part.state.map(Slot::into_full),
        scratch: &mut Vec::new(),
    });
}

/// Steps a whole tensor with a rule that needs to see all of it; `work` is memory that is kept between steps.
pub(crate) fn run_whole<R: Rule, T: Float>(
    job: &Job<'_, R>,
    part: Part<'_, T>,
    scratch: &mut Vec<T>,
    work: &mut Vec<T>,
) -> Sums {
    let mut sums = Sums::default();
    work.clear();
    if job.gradient != Treatment::NONE {
        work.resize(part.grad.len(), T::default());
        job.gradient.apply(part.grad, work);
    }
    if job.measure {
        sums.grad = norm::sum_of_squares(part.grad);
        sums.theta = norm::sum_of_squares(part.theta);
        work.extend_from_slice(part.theta);
    }
    let treated = work.len() - if job.measure { part.theta.len() } else { 0 };
    let (grad, before) = work.split_at_mut(treated);
    widest(Plain {
        job,
        theta: part.theta,
        grad: if treated == 0 { part.grad } else { grad },
        state: part.state.map(Slot::into_full),
        scratch,
    });
    if job.measure {
        for (before, &after) in before.iter_mut().zip(&*part.theta) {
            *before -= after;
        }
        sums.update = norm::sum_of_squares(before);
    }
    sums
}

/// The rule on memory as it lies there.
struct Plain<'a, 'j, R, T> {
    job: &'j Job<'j, R>,
    theta: &'a mut [T],
    grad: &'a [T],
    state: [&'a mut [T]; MAX_STATE],
    scratch: &'a mut Vec<T>,
}

impl<R: Rule, T: Float> Kernel for Plain<'_, '_, R, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.job.rule.step(Step {
            t: self.job.t,
            corrections: self.job.corrections,
            scalars: self.job.scalars,
            shape: self.job.shape,
            theta: self.theta,
            grad: self.grad,
            state: self.state,
            scratch: self.scratch,
        });
    }
}

/// The rule on blocks, with whatever is done to them on the way in and out.
struct Treated<'a, 'j, R, T> {
    job: &'j Job<'j, R>,
    part: Part<'a, T>,
}

impl<R: Rule, T: Float> Kernel for Treated<'_, '_, R, T> {
    type Output = Sums;

    #[inline(always)]
    fn run(self) -> Sums {
        let Self { job, mut part } = self;
        let square = |x: T| x.to_f64() * x.to_f64();
        let mut sums = Sums::default();
        let mut gradient = [T::default(); BLOCK];
        let mut before = [T::default(); BLOCK];
        let mut decoded = [[T::default(); BLOCK]; MAX_STATE];
        let dither = Dither::new(job.t, part.first);

        let blocks = part.theta.chunks_mut(BLOCK).zip(part.grad.chunks(BLOCK));
        for (i, (theta, grad)) in blocks.enumerate() {
            let (start, n) = (i * BLOCK, theta.len());
            if job.measure {
                sums.grad += norm::sum_of_run(grad, square);
                sums.theta += norm::sum_of_run(theta, square);
                before[..n].copy_from_slice(theta);
            }
            let grad = if job.gradient == Treatment::NONE {
                grad
            } else {
                job.gradient.apply(grad, &mut gradient[..n]);
                &gradient[..n]
            };
            // Spelled out, since a closure would not be compiled for the wider vectors.
            let [slot0, slot1, slot2, slot3] = &mut part.state;
            let [room0, room1, room2, room3] = &mut decoded;
            let state = [
                slot0.open(start, &mut room0[..n]),
                slot1.open(start, &mut room1[..n]),
                slot2.open(start, &mut room2[..n]),
                slot3.open(start, &mut room3[..n]),
            ];
            job.rule.step(Step {
                t: job.t,
                corrections: job.corrections,
                scalars: job.scalars,
                shape: job.shape,
                theta,
                grad,
                state,
                scratch: &mut Vec::new(),
            });
            for ((slot, room), which) in part.state.iter_mut().zip(&decoded).zip(0..) {
                slot.close(start, &room[..n], dither.of(which).skip(start as u32));
            }
            if job.measure {
                for (before, &after) in before[..n].iter_mut().zip(&*theta) {
                    *before -= after;
                }
                sums.update += norm::sum_of_run(&before[..n], square);
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_have_entries_and_the_cut_is_at_a_unit() {
        for len in [LEAF + 1, 2 * LEAF, 2 * LEAF + 1, 3 * LEAF - 1, 1 << 20] {
            let cut = half(len, LEAF);
            assert!(cut > 0 && cut < len && cut.is_multiple_of(LEAF), "{len}");
        }
    }

    #[test]
    fn a_number_that_is_not_finite_is_found_anywhere() {
        for len in [1, 7, 1024, 1025, LEAF + 1, 3 * LEAF] {
            let mut values = vec![1.0_f32; len];
            assert!(all_finite(&values));
            for at in [0, len / 2, len - 1] {
                for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    values[at] = bad;
                    assert!(!all_finite(&values), "{len} {at}");
                }
                values[at] = f32::MAX;
            }
        }
    }
}
