//! The bound: a bare loop that reads and writes the arrays that a rule reads and writes, on all threads.

use crate::serve::{Case, Subject, gradient, start};
use std::ops::AddAssign;

/// As many arrays that are read and written as the rule has, and the gradient.
struct Stream<T> {
    threads: usize,
    grad: Vec<T>,
    written: [Vec<T>; 3],
}

/// The tensors lie one after the other, so that the bound knows no boundaries.
pub(crate) fn prepare(case: &Case, passes: u64, threads: usize) -> Box<dyn Subject> {
    if case.double {
        Box::new(make::<f64>(case, passes, threads, |x| x))
    } else {
        Box::new(make::<f32>(case, passes, threads, |x| x as f32))
    }
}

fn make<T>(case: &Case, passes: u64, threads: usize, of: impl Fn(f64) -> T) -> Stream<T> {
    let len: usize = case.lengths.iter().sum();
    let arrays = (passes as usize - 1) / 2;
    Stream {
        threads,
        grad: (0..len).map(|i| of(gradient(i))).collect(),
        written: std::array::from_fn(|array| {
            let len = if array < arrays { len } else { 0 };
            (0..len).map(|i| of(start(i))).collect()
        }),
    }
}

/// One array at a time would be easier for the memory than what a rule does, so all of them are walked together.
#[inline(always)]
fn add<T: Copy + AddAssign>([a, b, c]: [&mut [T]; 3], grad: &[T]) {
    if !c.is_empty() {
        for (((a, b), c), &g) in a.iter_mut().zip(b).zip(c).zip(grad) {
            *a += g;
            *b += g;
            *c += g;
        }
    } else if !b.is_empty() {
        for ((a, b), &g) in a.iter_mut().zip(b).zip(grad) {
            *a += g;
            *b += g;
        }
    } else {
        for (a, &g) in a.iter_mut().zip(grad) {
            *a += g;
        }
    }
}

impl<T: Copy + AddAssign + Send + Sync + Into<f64>> Subject for Stream<T> {
    /// Each thread walks its own part `count` times: threads wait for each other once, not once a step.
    fn steps(&mut self, count: usize) {
        let part = self.grad.len().div_ceil(self.threads);
        let mut rest = self.written.each_mut().map(Vec::as_mut_slice);
        std::thread::scope(|scope| {
            for grad in self.grad.chunks(part) {
                let mine = rest.each_mut().map(|array| {
                    let len = array.len();
                    let (mine, others) = std::mem::take(array).split_at_mut(part.min(len));
                    *array = others;
                    mine
                });
                let work = move || {
                    let mut mine = mine;
                    for _ in 0..count {
                        add(mine.each_mut().map(|array| &mut **array), grad);
                        std::hint::black_box(&mut mine);
                    }
                };
                // The last part is this thread's own.
                if rest[0].is_empty() {
                    work();
                } else {
                    scope.spawn(work);
                }
            }
        });
    }

    fn theta(&self, _tensor: usize) -> Vec<f64> {
        self.written[0].iter().map(|&x| x.into()).collect()
    }
}
