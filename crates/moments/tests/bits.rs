//! The same inputs give the same bits: with vectors of any width, with any number of threads, in any memory layout,
//! in every build profile and on every machine.

mod table;

use moments::{Curvature, Float, Groups, Param, Vectors};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use table::{Digest, Fed, Numbers, Visit, Way};

/// Around a vector of every width, the blocks and the pieces of a step, and beyond where other threads are woken.
const SIZES: &[usize] = &[
    1, 15, 16, 17, 1023, 1024, 1025, 16384, 16385, 65536, 100_003,
];

/// Unoptimised loops are slow, and have no vectors.
const DEBUG: bool = cfg!(debug_assertions);

fn source_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The lines of the library's source, without comments and without the tests at the end of a file.
fn source_lines() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    source_files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    let mut lines = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let tested = text.lines().take_while(|line| *line != "#[cfg(test)]");
        let code = tested.map(|line| line.split("//").next().unwrap());
        lines.extend(code.map(|line| (path.clone(), line.to_owned())));
    }
    lines
}

#[test]
fn every_rule_of_the_crate_is_in_the_table() {
    struct Names(BTreeSet<String>);
    impl Visit for Names {
        fn visit<R: Fed>(&mut self, _case: &str, _rule: R) {
            let path = std::any::type_name::<R>();
            self.0.insert(path.rsplit("::").next().unwrap().to_owned());
        }
    }
    let mut in_table = Names(BTreeSet::new());
    table::every_case(&mut in_table);

    let mut in_source = BTreeSet::new();
    for (_, line) in source_lines() {
        if let Some((before, after)) = line.split_once("Rule for ") {
            let name: String = after.chars().take_while(|c| c.is_alphanumeric()).collect();
            if before.trim_start().starts_with("impl") && line.starts_with("impl") {
                in_source.insert(name);
            }
        }
    }
    assert!(in_source.contains("Adam"));
    let missing: Vec<_> = in_source.symmetric_difference(&in_table.0).collect();
    assert!(
        missing.is_empty(),
        "{missing:?}: put it into tests/table/mod.rs, then record its bits with MOMENTS_WRITE_BITS=1 cargo test -p moments --test bits"
    );
}

#[test]
fn no_function_is_used_whose_bits_depend_on_the_machine() {
    // The standard library takes these from the system, or leaves their last bits open.
    let functions = [
        ".powi(",
        ".powf(",
        ".exp2(",
        ".exp_m1(",
        ".ln(",
        ".ln_1p(",
        ".log(",
        ".log2(",
        ".log10(",
        ".sin(",
        ".cos(",
        ".tan(",
        ".sinh(",
        ".cosh(",
        ".tanh(",
        ".cbrt(",
        ".hypot(",
        ".mul_add(",
        ".atan(",
        ".atan2(",
        ".asin(",
        ".acos(",
        "f64::exp(",
        "f32::exp(",
        "f64::cos(",
        "f64::sin(",
        "f64::powi(",
        "f64::powf(",
        "f64::ln(",
        "f64::tanh(",
    ];
    for (path, line) in source_lines() {
        for function in functions {
            assert!(
                !line.contains(function),
                "{}: use libm or `float::power` in `{}`",
                path.display(),
                line.trim()
            );
        }
    }
}

#[test]
fn the_recorded_bits_come_out() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bits.txt");
    let found = table::fingerprints();
    if std::env::var_os("MOMENTS_WRITE_BITS").is_some() {
        std::fs::write(&path, &found).unwrap();
        return;
    }
    let recorded = std::fs::read_to_string(&path).unwrap();
    let by_key = |text: &str| -> BTreeMap<String, String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let pairs = lines.map(|line| line.rsplit_once(' ').unwrap());
        pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
    };
    let (recorded, found) = (by_key(&recorded), by_key(&found));
    let keys: BTreeSet<_> = recorded.keys().chain(found.keys()).collect();
    let differ: Vec<_> = keys
        .into_iter()
        .filter(|key| recorded.get(*key) != found.get(*key))
        .collect();
    assert!(
        differ.is_empty(),
        "{} of {} differ from tests/bits.txt (if they are meant to: MOMENTS_WRITE_BITS=1 cargo test -p moments --test bits): {differ:#?}",
        differ.len(),
        found.len()
    );
}

/// What must not change a bit.
#[derive(Debug)]
enum Circumstance {
    Width(Vectors),
    #[cfg(feature = "rayon")]
    Threads(rayon::ThreadPool),
}

impl Circumstance {
    fn run<X: Send>(&self, f: impl FnOnce() -> X + Send) -> X {
        match self {
            Self::Width(width) => {
                Vectors::limit(*width);
                let result = f();
                Vectors::limit(Vectors::Avx512);
                result
            }
            #[cfg(feature = "rayon")]
            Self::Threads(pool) => pool.install(f),
        }
    }
}

/// Runs every rule of the table in several circumstances and compares the results.
struct Circumstances {
    sizes: &'static [usize],
    circumstances: Vec<Circumstance>,
}

impl Circumstances {
    fn compare<R: Fed, T: Float>(&self, case: &str, rule: R) {
        for &n in self.sizes {
            for shape in table::shapes(&rule, n) {
                let numbers = Numbers::<T>::new(&shape, 2);
                for way in Way::ALL {
                    let run = || numbers.digest(rule, way);
                    let expected = run();
                    for circumstance in &self.circumstances {
                        let found = circumstance.run(run);
                        assert_eq!(found, expected, "{case} {way:?} {shape:?} {circumstance:?}");
                    }
                }
            }
        }
    }
}

impl Visit for Circumstances {
    fn visit<R: Fed>(&mut self, case: &str, rule: R) {
        self.compare::<R, f32>(case, rule);
        self.compare::<R, f64>(case, rule);
    }
}

#[test]
fn vectors_of_any_width_give_the_same_bits() {
    let mut widths = vec![Vectors::Baseline, Vectors::Avx2, Vectors::Avx512];
    widths.retain(|&width| width <= Vectors::detected());
    let circumstances = widths.into_iter().map(Circumstance::Width).collect();
    table::every_case(&mut Circumstances {
        sizes: if DEBUG { &[1, 17, 1025] } else { SIZES },
        circumstances,
    });
}

/// Tensors of many sizes in one list, each as if it were alone.
struct InGroups(Vec<Circumstance>);

impl InGroups {
    fn compare<R: Fed, T: Float>(&self, case: &str, rule: R) {
        let sizes = [3, 1025, 1, 16385, 17, 700, 40_000];
        let sizes = if DEBUG { &sizes[..3] } else { &sizes };
        let numbers: Vec<Numbers<T>> = sizes
            .iter()
            .flat_map(|&n| table::shapes(&rule, n))
            .map(|shape| Numbers::new(&shape, 2))
            .collect();
        let name = |i: usize| format!("tensor {}", (i * 5 + 2) % 7 + 7 * i);
        let names: Vec<String> = (0..numbers.len()).map(name).collect();
        let run = || {
            let mut theta: Vec<_> = numbers.iter().map(|n| n.start.clone()).collect();
            let mut opt = Groups::new().rest("all", rule);
            for t in 0..2 {
                let all = names.iter().zip(&mut theta).zip(&numbers);
                let all = all.map(|((name, theta), n)| Param::new(name, theta, &n.steps[t].0));
                opt.step(&mut all.collect::<Vec<_>>()).unwrap();
                let all = names.iter().zip(&numbers);
                let all = all.map(|(name, n)| Curvature::new(name, &n.steps[t].1));
                R::feed_all(&mut opt, &all.collect::<Vec<_>>()).unwrap();
            }
            let mut digests = Vec::new();
            for (name, theta) in names.iter().zip(&theta) {
                let mut digest = Digest::new();
                digest.add_values(&theta.entries);
                for state in opt.state_names(name) {
                    digest.add_values(opt.state(name, state).unwrap());
                }
                for (scalar, _) in rule.scalars() {
                    digest.add(opt.scalar(name, scalar).unwrap());
                }
                digests.push(Some(digest));
            }
            digests
        };
        let alone = numbers.iter().map(|n| n.digest(rule, Way::Plain));
        let alone: Vec<Option<Digest>> = alone.collect();
        assert_eq!(run(), alone, "{case}");
        for circumstance in &self.0 {
            assert_eq!(circumstance.run(run), alone, "{case} {circumstance:?}");
        }
    }
}

impl Visit for InGroups {
    fn visit<R: Fed>(&mut self, case: &str, rule: R) {
        self.compare::<R, f32>(case, rule);
        self.compare::<R, f64>(case, rule);
    }
}

#[test]
fn a_tensor_among_others_takes_the_same_steps_as_alone() {
    table::every_case(&mut InGroups(pools()));
}

/// Nothing without threads.
fn pools() -> Vec<Circumstance> {
    #[cfg(feature = "rayon")]
    {
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        [1, 2, 3, 7]
            .map(|threads| Circumstance::Threads(pool(threads).unwrap()))
            .into()
    }
    #[cfg(not(feature = "rayon"))]
    Vec::new()
}

#[cfg(feature = "rayon")]
#[test]
fn any_number_of_threads_gives_the_same_bits() {
    table::every_case(&mut Circumstances {
        sizes: if DEBUG { &[65537] } else { SIZES },
        circumstances: pools(),
    });
}

#[cfg(feature = "ndarray")]
mod layouts {
    use super::DEBUG;
    use super::table::{self, Digest, Fed, Numbers, Visit, Way};
    use moments::{Error, Float};
    use ndarray::{ArrayD, ArrayViewMutD, Axis, IxDyn, ShapeBuilder, Slice};

    /// How an array lies in memory; the order of its entries is the same in all.
    #[derive(Clone, Copy, Debug)]
    enum Layout {
        RowMajor,
        ColumnMajor,
        /// The first axis backwards.
        Reversed,
        /// Every second entry along the last axis of a wider array.
        Strided,
    }

    use Layout::{ColumnMajor, Reversed, RowMajor, Strided};

    /// What lies between the entries of a strided array.
    const GUARD: f64 = 123.0;

    impl Layout {
        fn memory<T: Float>(self, shape: &[usize], entries: &[T]) -> ArrayD<T> {
            let standard = ArrayD::from_shape_vec(IxDyn(shape), entries.to_vec()).unwrap();
            let mut memory = match self {
                ColumnMajor => ArrayD::from_elem(IxDyn(shape).f(), T::default()),
                RowMajor | Reversed => ArrayD::from_elem(IxDyn(shape), T::default()),
                Strided => {
                    let mut wide = shape.to_vec();
                    *wide.last_mut().unwrap() *= 2;
                    ArrayD::from_elem(IxDyn(&wide), T::of(GUARD))
                }
            };
            self.view(&mut memory).assign(&standard);
            memory
        }

        fn view<T>(self, memory: &mut ArrayD<T>) -> ArrayViewMutD<'_, T> {
            let last = Axis(memory.ndim() - 1);
            let mut view = memory.view_mut();
            match self {
                RowMajor | ColumnMajor => {}
                Reversed => view.invert_axis(Axis(0)),
                Strided => view.slice_axis_inplace(last, Slice::new(0, None, 2)),
            }
            view
        }

        /// Whether what does not belong to the array is as it was.
        fn is_unharmed<T: Float>(self, memory: &ArrayD<T>) -> bool {
            let last = Axis(memory.ndim() - 1);
            let between = memory.slice_axis(last, Slice::new(1, None, 2));
            !matches!(self, Strided) || between.iter().all(|x| *x == T::of(GUARD))
        }
    }

    fn digest<R: Fed, T: Float>(
        rule: R,
        way: Way,
        shape: &[usize],
        (of_theta, of_grad): (Layout, Layout),
    ) -> Option<Digest> {
        let n = shape.iter().product();
        let mut digest = Digest::new();
        let mut memory = of_theta.memory(shape, &table::start::<T>(n));
        let mut opt = way.optimizer(rule);
        for t in 1..=3 {
            let mut grad = of_grad.memory(shape, &table::gradient(t, n));
            let (mut theta, grad) = (of_theta.view(&mut memory), of_grad.view(&mut grad));
            match way.step(&mut opt, &mut theta, &grad, &mut digest) {
                Err(Error::Storage { .. }) if way.is_reduced() => return None,
                result => result.unwrap(),
            }
            let mut curvature = of_grad.memory(shape, &table::curvature(t, n));
            R::feed(&mut opt, &of_grad.view(&mut curvature)).unwrap();
        }
        assert!(of_theta.is_unharmed(&memory));
        let theta: Vec<T> = of_theta.view(&mut memory).iter().copied().collect();
        digest.add_all(&theta, &opt);
        Some(digest)
    }

    struct Layouts;

    impl Layouts {
        fn compare<R: Fed, T: Float>(case: &str, rule: R) {
            // The last goes through in more than one block, and takes its time without optimisation.
            for shape in [vec![23], vec![15, 7], vec![5, 7, 3], vec![2, 1, 3, 1, 180]] {
                if rule.check_shape(&shape).is_err() {
                    continue;
                }
                for way in Way::ALL {
                    let plain = Numbers::<T>::new(&shape, 3).digest(rule, way);
                    let few = DEBUG && shape.len() == 5;
                    for layouts in [
                        (ColumnMajor, Strided),
                        (Reversed, ColumnMajor),
                        (RowMajor, RowMajor),
                        (RowMajor, ColumnMajor),
                        (ColumnMajor, RowMajor),
                        (ColumnMajor, ColumnMajor),
                        (Reversed, RowMajor),
                        (RowMajor, Reversed),
                        (Strided, ColumnMajor),
                    ]
                    .into_iter()
                    .take(if few { 2 } else { 9 })
                    {
                        let found = digest::<R, T>(rule, way, &shape, layouts);
                        assert_eq!(found, plain, "{case} {way:?} {shape:?} {layouts:?}");
                    }
                }
            }
        }
    }

    impl Visit for Layouts {
        fn visit<R: Fed>(&mut self, case: &str, rule: R) {
            Self::compare::<R, f32>(case, rule);
            Self::compare::<R, f64>(case, rule);
        }
    }

    #[test]
    fn memory_layout_does_not_change_a_bit() {
        table::every_case(&mut Layouts);
    }
}
