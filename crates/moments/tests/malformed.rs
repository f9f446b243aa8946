//! Malformed input: whatever is done to a saved state, reading and restoring it ends soon, in a state or in an error.
//!
//! Valid files are mutated by a seeded generator that knows their structure.
//! `cargo test` does a bounded run; a longer one is
//! `MOMENTS_FUZZ_CASES=10000000 MOMENTS_FUZZ_SEED=2 cargo test -p moments --release --test malformed`.
#![allow(unsafe_code)] // An allocator that counts has to be one.

mod table;

use moments::{
    Adam, Dtype, Error, Float, Groups, Optimizer, Param, ParameterState, Snapshot, StateTensor,
};
use moments_checks::Random;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Write;
use std::time::{Duration, Instant};
use table::{Fed, Shaped, Visit, Way};

/// The system's allocator, with what this thread has allocated at most since it was last asked.
struct Counting;

thread_local! {
    static NOW: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

fn count(more: usize, less: usize) {
    // A thread that ends may free memory after its own counters are gone.
    let _ = NOW.try_with(|now| {
        now.set((now.get() + more).saturating_sub(less));
        MOST.with(|most| most.set(most.get().max(now.get())));
    });
}

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Fails if `work` allocates more than a multiple of the input's length at any time, or takes long.
fn bounded<X>(input: usize, work: impl FnOnce() -> X) -> X {
    let (start, before) = (Instant::now(), NOW.get());
    MOST.set(before);
    let result = work();
    let most = MOST.get().saturating_sub(before);
    assert!(most <= 64 * input + (1 << 16), "{most} bytes for {input}");
    let took = start.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    result
}

/// What the inputs are changed by.
struct Rng(Random);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0.bits()
    }

    /// Less than `n`, or 0 if that is 0.
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<'a, X: ?Sized>(&mut self, from: &[&'a X]) -> &'a X {
        from[self.below(from.len())]
    }

    /// Small numbers, and those at which arithmetic goes wrong.
    fn number(&mut self) -> u64 {
        let edge = 1 << self.below(64);
        match self.below(6) {
            0 => self.below(20) as u64,
            1 => edge,
            2 => edge - 1,
            3 => 1_000_000_000_000_000_000,
            4 => u64::MAX - self.below(20) as u64,
            _ => self.next(),
        }
    }

    /// How many changes are made to an input: mostly one, since two are mostly refused for either.
    fn mutations(&mut self) -> usize {
        [1, 1, 1, 2, 4][self.below(5)]
    }

    /// A run of a slice of this length.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let a = self.below(length + 1);
        let b = (a + 1 + self.below(40)).min(length);
        a.min(b)..b
    }
}

/// Restores a record into optimizers of one rule, and checks what comes of it.
type Restorer = Box<dyn Fn(&Snapshot)>;

/// Saved states of every rule, with what optimizer they can be restored into.
struct Seeds {
    snapshots: Vec<Snapshot>,
    files: Vec<Vec<u8>>,
    texts: Vec<Vec<u8>>,
    restorers: Vec<Restorer>,
}

impl Seeds {
    fn new() -> Self {
        let mut seeds = Self {
            snapshots: Vec::new(),
            files: Vec::new(),
            texts: Vec::new(),
            restorers: Vec::new(),
        };
        table::every_case(&mut seeds);
        seeds
            .snapshots
            .extend([model(&["bias"]), model(&["bias", "layer.weight", "x"])]);
        seeds.snapshots.push(Snapshot::new(Vec::new()));
        seeds.restorers.push(Box::new(restore_model));
        for snapshot in &seeds.snapshots {
            seeds.files.push(snapshot.to_safetensors().unwrap());
            seeds.texts.push(serde_json::to_vec(snapshot).unwrap());
        }
        seeds
    }

    fn add<R: Fed, T: Float>(&mut self, rule: R, way: Way, shape: &[usize], steps: u64) {
        let n = shape.iter().product();
        let shaped = |entries| Shaped::<T>::new(shape, entries);
        let mut opt = way.optimizer(rule);
        let mut theta = shaped(table::start(n));
        for t in 1..=steps {
            match opt.step(&mut theta, &shaped(table::gradient(t, n))) {
                Err(Error::Storage { .. }) => return,
                result => result.unwrap(),
            }
            R::feed(&mut opt, &shaped(table::curvature(t, n))).unwrap();
        }
        self.snapshots.push(opt.snapshot());
        self.restorers.push(Box::new(move |snapshot| {
            restore::<R, T>(way.optimizer(rule), snapshot);
            restore(opt.clone(), snapshot);
        }));
    }
}

impl Visit for Seeds {
    fn visit<R: Fed>(&mut self, _case: &str, rule: R) {
        for shape in table::shapes(&rule, 12) {
            self.add::<R, f32>(rule, Way::Plain, &shape, 2);
            self.add::<R, f64>(rule, Way::Plain, &shape, 1);
            self.add::<R, f32>(rule, Way::Bf16, &shape, 1);
            self.add::<R, f64>(rule, Way::Bits8, &shape, 1);
        }
        self.add::<R, f32>(rule, Way::Plain, &[3], 0);
    }
}

/// Restores what may be a state: then it is the optimizer's, and can be stepped on; or else nothing has changed.
fn restore<R: Fed, T: Float>(mut opt: Optimizer<R, T>, snapshot: &Snapshot) {
    let before = opt.snapshot();
    if let Err(error) = opt.restore(snapshot) {
        assert!(!error.to_string().is_empty());
        assert_same(&opt.snapshot(), &before);
        return;
    }
    let state = &snapshot.parameters[0];
    assert_eq!(opt.t(), state.t);
    let mut after = opt.snapshot();
    after.parameters[0].name.clone_from(&state.name);
    for tensor in &state.tensors {
        assert!(after.parameters[0].tensors.contains(tensor));
    }
    let n = state.shape.iter().product();
    if n <= 1000 {
        let mut theta = Shaped::<T>::new(&state.shape, table::start(n));
        let grad = Shaped::new(&state.shape, table::gradient(1, n));
        // The state may hold any numbers, and the step may come to any.
        let _ = opt.step(&mut theta, &grad);
    }
}

/// The state of a model of tensors of these names, of which only the first has been stepped twice, and the third never.
fn model(names: &[&'static str]) -> Snapshot {
    let mut opt = adam_of_all();
    let mut tensors: Vec<_> = names.iter().map(|_| table::start::<f32>(12)).collect();
    for t in 1..3 {
        let grad = table::gradient::<f32>(t, 12);
        let named = names.iter().zip(&mut tensors).enumerate();
        let param = |(i, (&name, theta)): (_, (&&'static str, _))| match (i, t) {
            (0, _) | (1, 1) => Param::new(name, theta, &grad),
            _ => Param::frozen(name, theta),
        };
        let mut params: Vec<_> = named.map(param).collect();
        opt.step(&mut params).unwrap();
    }
    opt.snapshot()
}

fn adam_of_all() -> Groups<Adam, f32> {
    Groups::new().rest("all", Adam::default())
}

/// The same for a whole model, new or already stepped.
fn restore_model(snapshot: &Snapshot) {
    let mut stepped = adam_of_all();
    let (mut bias, grad) = ([1.0; 12], table::gradient(1, 12));
    let mut params = [Param::new("bias", &mut bias, &grad)];
    stepped.step(&mut params).unwrap();
    for mut opt in [adam_of_all(), stepped] {
        let before = opt.snapshot();
        if let Err(error) = opt.restore(snapshot) {
            assert!(!error.to_string().is_empty());
            assert_same(&opt.snapshot(), &before);
            continue;
        }
        // A record under an empty name has the number of steps of a model that rested.
        let named = snapshot
            .parameters
            .iter()
            .filter(|state| !state.name.is_empty());
        assert_eq!(opt.tensors().count(), named.clone().count());
        for state in named {
            assert_eq!(opt.t_of(&state.name), Some(state.t));
        }
        let mut theta = Shaped::<f32>::new(&[12], table::start(12));
        // The tensor may be another, and the state may hold any numbers.
        let _ = opt.step(&mut [Param::new("bias", &mut theta, &grad)]);
    }
}

/// Equal, a NaN being equal to itself.
fn assert_same(a: &Snapshot, b: &Snapshot) {
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
}

/// Which case it was, if it panics.
struct Case {
    target: &'static str,
    seed: u64,
    number: u64,
}

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self {
                target,
                seed,
                number,
            } = self;
            eprintln!("{target}: case {number} of MOMENTS_FUZZ_SEED={seed}");
        }
    }
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect(name))
}

/// Runs the cases of a target, each with a generator of its own, so that one can be repeated alone.
fn fuzz(target: &'static str, cases: u64, mut work: impl FnMut(&mut Rng)) {
    let seed = from_environment("MOMENTS_FUZZ_SEED", 1);
    let cases = from_environment("MOMENTS_FUZZ_CASES", cases);
    for number in 0..cases {
        let _case = Case {
            target,
            seed,
            number,
        };
        let seed = (seed << 40).wrapping_add(number * 0x1_0001);
        work(&mut Rng(Random::new(seed)));
    }
}

/// Changes bytes without regard to what they mean.
fn mutate_bytes(rng: &mut Rng, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
    match rng.below(8) {
        0 => bytes.truncate(rng.below(bytes.len() + 1)),
        1 => {
            for _ in 0..=rng.below(4) {
                let at = rng.below(bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << rng.below(8);
                }
            }
        }
        2 => {
            let range = rng.range(bytes.len());
            bytes.drain(range);
        }
        3 => {
            let copy = bytes[rng.range(bytes.len())].to_vec();
            let at = rng.below(bytes.len() + 1);
            bytes.splice(at..at, copy);
        }
        4 => {
            let byte = rng.next() as u8;
            let range = rng.range(bytes.len());
            bytes[range].fill(byte);
        }
        5 => {
            let other = &others[rng.below(others.len())];
            let cut = rng.below(bytes.len() + 1);
            bytes.truncate(cut);
            bytes.extend(&other[rng.below(other.len() + 1)..]);
        }
        6 => {
            for byte in bytes.iter_mut().take(8) {
                *byte = rng.next() as u8;
            }
        }
        _ => bytes.extend((0..rng.below(20)).map(|i| i as u8)),
    }
}

/// Changes the bytes of tensors alone.
fn mutate_data(rng: &mut Rng, file: &mut [u8]) {
    if let Some((_, data)) = split(file) {
        let range = rng.range(data.len());
        data[range].fill_with(|| rng.next() as u8);
    }
}

/// The header of a file and what follows it.
fn split(file: &mut [u8]) -> Option<(&mut [u8], &mut [u8])> {
    let (length, rest) = file.split_first_chunk_mut()?;
    rest.split_at_mut_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}

/// Where tokens of JSON lie: strings with their quotes, numbers, and the values in braces and brackets.
fn tokens(text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut open = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let start = at;
        match text[at] {
            b'"' => {
                at += 1;
                while at < text.len() && text[at] != b'"' {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(text.len());
                found.push(start..at);
                continue;
            }
            b'0'..=b'9' => {
                while at < text.len() && text[at].is_ascii_digit() {
                    at += 1;
                }
                found.push(start..at);
                continue;
            }
            b'{' | b'[' => open.push(at),
            b'}' | b']' => {
                if let Some(from) = open.pop() {
                    found.push(from..at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Changes a token of JSON to something that may stand in its place.
fn mutate_json(rng: &mut Rng, text: &mut Vec<u8>) {
    let found = tokens(text);
    if found.is_empty() {
        return;
    }
    let token = found[rng.below(found.len())].clone();
    let other = found[rng.below(found.len())].clone();
    let other = text[other].to_vec();
    match rng.below(7) {
        0 | 1 => {
            let number = rng.number().to_string();
            let numbers: Vec<_> = found
                .iter()
                .filter(|t| text[t.start].is_ascii_digit())
                .collect();
            let token = numbers
                .get(rng.below(numbers.len()))
                .map_or(token, |t| (*t).clone());
            text.splice(token, number.into_bytes());
        }
        2 => {
            text.splice(token, other);
        }
        3 => {
            // A member or an element that is given twice: from this token to the next comma or bracket at its level.
            let copy = text[token.start..(token.end + rng.below(80)).min(text.len())].to_vec();
            text.splice(token.start..token.start, copy.into_iter().chain([b',']));
        }
        4 => {
            let odd = rng.pick(&[
                "null",
                "true",
                "-1",
                "1.5",
                "1e999",
                "-0",
                "[]",
                "{}",
                "\"\"",
                "\"\\u0000\"",
                "\"__metadata__\"",
                "18446744073709551616",
                "\"NaN\"",
                "\"1e-400\"",
                "\"BF16\"",
                "\"F64\"",
                "[[0]]",
                "\"\\ud800\"",
                "[0,0,0,0]",
            ]);
            text.splice(token, odd.bytes());
        }
        5 => {
            let depth = 1 << rng.below(14);
            let (open, close) = if rng.below(2) == 0 {
                ("[", "]")
            } else {
                ("{\"a\":", "}")
            };
            let mut deep = open.repeat(depth);
            deep.push('1');
            deep.push_str(&close.repeat(if rng.below(2) == 0 { depth } else { 0 }));
            text.splice(token, deep.into_bytes());
        }
        _ => {
            text.drain(token);
        }
    }
}

/// The header of a file by itself, mutated and put back with its right length.
fn mutate_header(rng: &mut Rng, file: &mut Vec<u8>) {
    let Some((header, data)) = split(file) else {
        return;
    };
    let (mut header, data) = (header.to_vec(), data.to_vec());
    if rng.below(3) == 0 {
        mutate_within(rng, &mut header);
    } else {
        mutate_json(rng, &mut header);
    }
    let mut changed = (header.len() as u64).to_le_bytes().to_vec();
    changed.extend(header);
    changed.extend(data);
    *file = changed;
}

/// Changes the JSON that stands in the metadata as a text.
fn mutate_within(rng: &mut Rng, header: &mut Vec<u8>) {
    let Ok(mut value) = serde_json::from_slice::<serde_json::Value>(header) else {
        return;
    };
    let Some(serde_json::Value::String(text)) = value.pointer_mut("/__metadata__/parameters")
    else {
        return;
    };
    let mut inner = std::mem::take(text).into_bytes();
    mutate_json(rng, &mut inner);
    *text = String::from_utf8_lossy(&inner).into_owned();
    *header = value.to_string().into_bytes();
}

#[test]
fn a_mutated_file_is_a_state_or_an_error() {
    let seeds = Seeds::new();
    let (mut read, mut refused) = (0, 0);
    fuzz("safetensors", 6000, |rng| {
        let mut file = seeds.files[rng.below(seeds.files.len())].clone();
        for _ in 0..rng.mutations() {
            match rng.below(6) {
                0 => mutate_bytes(rng, &mut file, &seeds.files),
                1 => mutate_data(rng, &mut file),
                _ => mutate_header(rng, &mut file),
            }
        }
        let Ok(snapshot) = bounded(file.len(), || Snapshot::from_safetensors(&file)) else {
            refused += 1;
            return;
        };
        read += 1;
        // The reference accepts whatever we do.
        safetensors::SafeTensors::deserialize(&file).unwrap();
        let again = snapshot.to_safetensors().unwrap();
        assert_same(&Snapshot::from_safetensors(&again).unwrap(), &snapshot);
        for restore in pick(rng, &seeds.restorers) {
            restore(&snapshot);
        }
    });
    println!("safetensors: {read} read, {refused} refused");
    assert!(
        read + 10 > refused / 20,
        "the mutations are too wild to get far"
    );
}

/// Some of the optimizers, since all of them for each case would take long, and the model.
fn pick<'a, X>(rng: &mut Rng, from: &'a [X]) -> impl Iterator<Item = &'a X> {
    let first = rng.below(from.len());
    let some = from.iter().skip(first).take(3);
    some.chain(from.last())
}

#[test]
fn a_mutated_text_is_a_state_or_an_error() {
    let seeds = Seeds::new();
    let (mut read, mut refused) = (0, 0);
    fuzz("serde", 6000, |rng| {
        let mut text = seeds.texts[rng.below(seeds.texts.len())].clone();
        for _ in 0..rng.mutations() {
            if rng.below(4) == 0 {
                mutate_bytes(rng, &mut text, &seeds.texts);
            } else {
                mutate_json(rng, &mut text);
            }
        }
        let Ok(snapshot) = bounded(text.len(), || serde_json::from_slice::<Snapshot>(&text)) else {
            refused += 1;
            return;
        };
        read += 1;
        let again = serde_json::to_vec(&snapshot).unwrap();
        assert_same(&serde_json::from_slice(&again).unwrap(), &snapshot);
        for restore in pick(rng, &seeds.restorers) {
            restore(&snapshot);
        }
    });
    println!("serde: {read} read, {refused} refused");
    assert!(
        read + 10 > refused / 20,
        "the mutations are too wild to get far"
    );
}

fn mutate_tensor(rng: &mut Rng, tensor: &mut StateTensor) {
    match rng.below(5) {
        0 => tensor.name.push_str(rng.pick(&[".scales", "x", "_sq"])),
        1 => tensor.dtype = *rng.pick(&[&Dtype::F32, &Dtype::F64, &Dtype::Bf16, &Dtype::U8]),
        2 => mutate_shape(rng, &mut tensor.shape),
        3 => {
            let length = rng.below(2 * tensor.bytes.len() + 2);
            tensor.bytes.resize(length, 0x80);
        }
        _ => {
            let at = rng.below(tensor.bytes.len());
            if let Some(byte) = tensor.bytes.get_mut(at) {
                *byte = rng.next() as u8;
            }
        }
    }
}

fn mutate_shape(rng: &mut Rng, shape: &mut Vec<usize>) {
    let at = rng.below(shape.len());
    match rng.below(5) {
        0 => shape.push(rng.number() as usize),
        1 => shape.clear(),
        2 => shape.extend([1; 40]),
        3 => shape.reverse(),
        _ => {
            if let Some(axis) = shape.get_mut(at) {
                *axis = rng.number() as usize;
            }
        }
    }
}

fn mutate_record(rng: &mut Rng, snapshot: &mut Snapshot, others: &[Snapshot]) {
    let count = snapshot.parameters.len();
    let other = &others[rng.below(others.len())].parameters;
    let other: Option<&ParameterState> = other.get(rng.below(other.len()));
    let Some(state) = snapshot.parameters.get_mut(rng.below(count)) else {
        snapshot.parameters.extend(other.cloned());
        return;
    };
    let tensor = rng.below(state.tensors.len());
    match rng.below(13) {
        0 => state.t = rng.number(),
        1 => state.observed = !state.observed,
        2 => mutate_shape(rng, &mut state.shape),
        3 => state.dtype = *rng.pick(&[&Dtype::F32, &Dtype::F64, &Dtype::Bf16]),
        4 => snapshot.version = rng.number() as u32,
        5 => {
            let odd = [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e308];
            let value = odd[rng.below(odd.len())];
            match state.scalars.first_mut() {
                Some(scalar) if rng.below(2) == 0 => scalar.1 = value,
                _ => state
                    .scalars
                    .push((rng.pick(&["x", "mu_product"]).into(), value)),
            }
        }
        6 => {
            let copy = state.tensors.get(tensor).cloned();
            state.tensors.extend(copy);
        }
        7 => state.tensors.reverse(),
        8 => state.tensors.truncate(tensor),
        9 => state
            .tensors
            .extend(other.and_then(|o| o.tensors.first().cloned())),
        10 => state.rule = other.map_or(String::new(), |o| o.rule.clone()),
        11 => snapshot.parameters.extend(other.cloned()),
        _ => {
            if let Some(tensor) = state.tensors.get_mut(tensor) {
                mutate_tensor(rng, tensor);
            }
        }
    }
}

#[test]
fn a_mutated_record_is_restored_or_an_error() {
    let seeds = Seeds::new();
    fuzz("record", 6000, |rng| {
        let chosen = rng.below(seeds.snapshots.len());
        let mut snapshot = seeds.snapshots[chosen].clone();
        for _ in 0..rng.mutations() {
            mutate_record(rng, &mut snapshot, &seeds.snapshots);
        }
        // The optimizer that it came from, if there is one, and others.
        for restore in seeds
            .restorers
            .get(chosen)
            .into_iter()
            .chain(pick(rng, &seeds.restorers))
        {
            restore(&snapshot);
        }
        if let Ok(file) = snapshot.to_safetensors() {
            assert_same(&Snapshot::from_safetensors(&file).unwrap(), &snapshot);
        }
    });
}

#[test]
fn headers_that_claim_much_allocate_little() {
    let mut header = String::from("{");
    for i in 0..1000 {
        let n = 1_000_000_000_000_000_000_u64;
        write!(
            header,
            r#""{i}":{{"dtype":"F32","shape":[{n},{n}],"data_offsets":[{n},{n}]}},"#
        )
        .unwrap();
    }
    header.push_str(r#""__metadata__":{"format":"moments","version":"1","parameters":"[]"}}"#);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.bytes());
    bounded(file.len(), || Snapshot::from_safetensors(&file)).unwrap_err();
    for length in [
        0,
        1,
        8,
        100_000_000,
        100_000_001,
        1 << 40,
        u64::MAX - 7,
        u64::MAX,
    ] {
        let mut file = u64::to_le_bytes(length).to_vec();
        file.extend(b"{}");
        bounded(file.len(), || Snapshot::from_safetensors(&file)).unwrap_err();
    }
}

#[test]
fn deep_text_is_an_error_and_no_overflow_of_the_stack() {
    for deep in ["[".repeat(1_000_000), r#"{"a":"#.repeat(1_000_000)] {
        bounded(deep.len(), || serde_json::from_str::<Snapshot>(&deep)).unwrap_err();
        let header = format!(r#"{{"__metadata__":{deep}"#);
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.bytes());
        bounded(file.len(), || Snapshot::from_safetensors(&file)).unwrap_err();
    }
}
