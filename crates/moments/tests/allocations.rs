//! From the second step on, a step allocates nothing: for every rule, in every way of stepping it, for one tensor and for many.
//!
//! With the feature `rayon` the steps are made inside a pool of three threads, and what all of them allocate is counted.
//! This file has one test alone, since another would be counted with it.
#![allow(unsafe_code)] // An allocator that counts has to be one.

mod table;

use moments::{Clip, Curvature, Error, Groups, NormForm, Optimizer, Param, Tensor};
use ndarray::{ArrayD, ArrayViewD, Axis};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use table::{Fed, Visit, Way, shapes};

/// The system's allocator, with the number of times that it was asked for memory.
struct Counting;

static ASKED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it is; zeroing and growing go through these two.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `work` returns, and how often it has asked for memory.
fn counted<X>(work: impl FnOnce() -> X) -> (X, usize) {
    let before = ASKED.load(Ordering::Relaxed);
    let result = work();
    (result, ASKED.load(Ordering::Relaxed) - before)
}

/// Long enough for several threads; unoptimised loops are slow, so that not every case is.
const LONG: usize = 140_000;
const SHORT: usize = 500;

/// As many tensors that they are worth several threads together, if they have this length.
const MANY: usize = 40;
const EACH: usize = LONG / MANY;

const STEPS: u64 = 4;

/// What every run is done on, or begins with.
struct Quiet {
    start: Vec<f32>,
    grad: Vec<f32>,
    curvature: Vec<f32>,
    steps: usize,
}

impl Visit for Quiet {
    fn visit<R: Fed>(&mut self, case: &str, rule: R) {
        for way in Way::ALL {
            let (long, each) = match way {
                Way::Plain => (LONG, EACH),
                _ => (SHORT, SHORT / 10),
            };
            for shape in shapes(&rule, long) {
                self.one(case, rule, way, &shape, false);
            }
            for shape in shapes(&rule, SHORT) {
                self.one(case, rule, way, &shape, true);
            }
            for shape in shapes(&rule, each) {
                self.many(case, rule, way, &shape);
            }
        }
    }
}

/// The first of these numbers in this shape.
fn array(shape: &[usize], values: &[f32]) -> ArrayD<f32> {
    let n = shape.iter().product();
    ArrayD::from_shape_vec(shape, values[..n].to_vec()).unwrap()
}

/// The same array backwards, which is not in row-major order in memory.
fn backwards(mut array: ArrayViewD<'_, f32>) -> ArrayViewD<'_, f32> {
    array.invert_axis(Axis(0));
    array
}

impl Quiet {
    fn one<R: Fed>(&mut self, case: &str, rule: R, way: Way, shape: &[usize], strided: bool) {
        let mut theta = array(shape, &self.start);
        let mut opt: Optimizer<R, f32> = way.optimizer(rule);
        let gradient = array(shape, &self.grad);
        let curvature = array(shape, &self.curvature);
        for t in 1..=STEPS {
            let mut view = theta.view_mut();
            let mut grad = gradient.view();
            if strided {
                view.invert_axis(Axis(0));
                grad = backwards(grad);
                assert!(grad.as_contiguous().is_none());
            }
            let (result, asked) = counted(|| {
                match way {
                    Way::Clipped => opt.step_measured(&mut view, &grad).map(|_| ()),
                    _ => opt.step(&mut view, &grad),
                }
                .and_then(|()| R::feed(&mut opt, &curvature))
            });
            match result {
                Err(Error::Storage { .. }) if way.is_reduced() => return,
                result => result.unwrap(),
            }
            if t > 1 {
                assert_eq!(asked, 0, "{case} {way:?} {shape:?} {strided} step {t}");
                self.steps += 1;
            }
        }
    }

    fn many<R: Fed>(&mut self, case: &str, rule: R, way: Way, shape: &[usize]) {
        let names: Vec<String> = (0..MANY).map(|i| format!("layer.{i}.weight")).collect();
        let mut theta: Vec<_> = (0..MANY).map(|_| array(shape, &self.start)).collect();
        let grad = array(shape, &self.grad);
        let strided = backwards(grad.view());
        let values = array(shape, &self.curvature);
        let alone: Optimizer<R, f32> = way.optimizer(rule);
        let mut opt = Groups::with_storage(alone.storage())
            .group("tenth", rule, |p| p.name.ends_with("0.weight"))
            .rest("others", rule);
        for t in 1..=STEPS {
            opt.clip = match t % 2 {
                0 => alone.clip,
                _ => Some(Clip::Norm {
                    max: 0.5,
                    form: NormForm::Optax,
                }),
            };
            let both = names.iter().zip(&mut theta);
            let mut params: Vec<_> = both
                .map(|(name, theta)| {
                    if t == 3 && name.contains("22") {
                        Param::frozen(name, theta)
                    } else if name.contains('1') {
                        Param::new(name, theta, &strided)
                    } else {
                        Param::new(name, theta, &grad)
                    }
                })
                .collect();
            let mut curvature: Vec<_> = names
                .iter()
                .map(|name| Curvature::new(name, &values))
                .collect();
            params.rotate_left(t as usize);
            curvature.rotate_right(t as usize);
            let (result, asked) = counted(|| {
                match way {
                    Way::Clipped => opt.step_measured(&mut params).map(|_| ()),
                    _ => opt.step(&mut params),
                }
                .and_then(|()| R::feed_all(&mut opt, &curvature))
            });
            match result {
                Err(Error::Tensor { error, .. })
                    if way.is_reduced() && matches!(*error, Error::Storage { .. }) =>
                {
                    return;
                }
                result => result.unwrap(),
            }
            if t > 1 {
                assert_eq!(asked, 0, "{case} {way:?} {MANY} of {shape:?} step {t}");
                self.steps += 1;
            }
        }
    }
}

fn every_rule() {
    let ((), asked) = counted(|| drop(vec![0; 100]));
    assert_eq!(asked, 1, "the allocator does not count");
    let mut quiet = Quiet {
        start: table::start(LONG),
        grad: table::gradient(1, LONG),
        curvature: table::curvature(1, LONG),
        steps: 0,
    };
    table::every_case(&mut quiet);
    println!("{} steps without an allocation", quiet.steps);
}

#[test]
fn a_step_after_the_first_allocates_nothing() {
    #[cfg(feature = "rayon")]
    {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build();
        pool.unwrap().install(every_rule);
    }
    #[cfg(not(feature = "rayon"))]
    every_rule();
}
